// Socket.IO as its documentation sets it up for several servers: websockets, the Redis adapter, rooms from the handshake.
// Run by `./ringside bench floor --peer`: REDIS_URL, PORT. What Python publishes to the adapter's channels comes out here.
import { createServer } from "node:http";

import { createAdapter } from "@socket.io/redis-adapter";
import { createClient } from "redis";
import { Server } from "socket.io";

const url = new URL(process.env.REDIS_URL);
const publisher = createClient(url.protocol === "unix:" ? { socket: { path: url.pathname } } : { url: url.href });
const subscriber = publisher.duplicate();
await Promise.all([publisher.connect(), subscriber.connect()]);

const http = createServer();
const io = new Server(http, {
  adapter: createAdapter(publisher, subscriber),
  transports: ["websocket"],
  // As Ringside has them.
  pingInterval: 15000,
  pingTimeout: 10000,
});
io.on("connection", (socket) => {
  socket.join(socket.handshake.auth.room);
  socket.emit("ready", { seq: 0 });
});
http.listen({ port: Number(process.env.PORT), host: "127.0.0.1", backlog: 1024 }, () => {
  console.log(JSON.stringify({ node: process.version, ready: true }));
});
process.on("SIGTERM", () => process.exit(0));
