"""A real Redis Cluster of local processes: three masters, each with a replica."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from hub.embedded.processes import end_child, spawn
from hub.embedded.programs import find_redis
from hub.redis import Nodes, slot_of
from tests.harness import until
from tests.patience import PATIENCE_S
from tests.ports import free_ports

MASTERS = 3
SLOTS = 16384
# A node that says nothing for so long is taken for lost.
NODE_TIMEOUT_MS = 1500
_END = ((signal.SIGKILL, 5.0),)


@dataclass(slots=True)
class Node:
    """One server."""

    port: int
    bus_port: int
    client: Redis
    child: subprocess.Popen[bytes]
    id: str = ""

    async def tell(self, *words: Any) -> Any:
        """Have it do a command of CLUSTER."""
        return await self.client.execute_command("CLUSTER", *words)  # type: ignore[no-untyped-call]

    async def says(self, *words: str) -> bool:
        """Are all these words in what it says of the cluster and of itself?"""
        try:
            text = (await self.tell("INFO")).decode() + str(await self.client.info("replication"))
        except (RedisError, OSError):
            return False
        return all(word in text for word in words)


@dataclass(slots=True)
class Cluster:
    """Six nodes."""

    nodes: list[Node]

    @property
    def url(self) -> str:
        """Named by a master and a replica."""
        return f"redis+cluster://127.0.0.1:{self.nodes[0].port},127.0.0.1:{self.nodes[-1].port}"

    def at(self, port: int) -> Node:
        """The node of a port."""
        return next(node for node in self.nodes if node.port == port)

    async def kill(self, key: str) -> int:
        """Kill who serves a key as a crash would; his port."""
        nodes = Nodes(self.url)
        await nodes.look()
        found = nodes.serving(key)
        await nodes.aclose()
        assert found is not None
        node = self.at(found[1])
        os.kill(node.child.pid, signal.SIGKILL)
        await asyncio.to_thread(node.child.wait)
        return node.port

    async def move_slot(self, key: str) -> None:
        """Give the slot of a key, with all that is kept there, to another master."""
        nodes = Nodes(self.url)
        await nodes.look()
        found = nodes.serving(key)
        assert found is not None
        old, new = self.at(found[1]), self.at(next(port for _, port in nodes.masters if port != found[1]))
        slot = slot_of(key)
        # Importing is what gives the new one a higher epoch as it takes the slot: without it each may take the other's word that
        # the slot is not its own, and then it is nobody's.
        for node, what in (
            (new, ("IMPORTING", old.id)),
            (old, ("MIGRATING", new.id)),
            # What is kept there: a slot that migrates takes no new keys.
            (old, ()),
            (new, ("NODE", new.id)),
            (old, ("NODE", new.id)),
        ):
            client: Any = nodes.client(("127.0.0.1", node.port))
            if what:
                await client.execute_command("CLUSTER", "SETSLOT", slot, *what)
            elif kept := await client.execute_command("CLUSTER", "GETKEYSINSLOT", slot, 1000):
                await client.execute_command("MIGRATE", "127.0.0.1", new.port, "", 0, 5000, "REPLACE", "KEYS", *kept)
        await nodes.aclose()

    async def fail_over(self, key: str) -> int:
        """Have the replica of who serves a key take over in order, as for maintenance; the port of who served it."""
        nodes = Nodes(self.url)
        await nodes.look()
        found = nodes.serving(key)
        assert found is not None
        replica = self.nodes[(self.nodes.index(self.at(found[1])) + MASTERS) % len(self.nodes)]
        await nodes.client(("127.0.0.1", replica.port)).execute_command("CLUSTER", "FAILOVER")  # type: ignore[no-untyped-call]
        await nodes.aclose()
        return found[1]

    async def until_served_by_another(self, key: str, lost: int) -> None:
        """Wait until a replica has taken a key over."""
        nodes = Nodes(self.url)

        async def taken_over() -> bool:
            with contextlib.suppress(RedisError, OSError):
                await nodes.look()
            found = nodes.serving(key)
            return found is not None and found[1] != lost

        await until(taken_over)
        await nodes.aclose()


def start_node(folder: Path, port: int, bus_port: int) -> Node:
    """Start one server of the cluster's mode."""
    programs = next(iter(find_redis()))
    folder.mkdir()
    settings = {
        "port": port,
        "bind": "127.0.0.1",
        "dir": folder,
        "save": "",
        "appendonly": "no",
        "cluster-enabled": "yes",
        "cluster-port": bus_port,
        "cluster-config-file": "nodes.conf",
        "cluster-node-timeout": NODE_TIMEOUT_MS,
        "cluster-require-full-coverage": "no",
        "cluster-replica-validity-factor": "0",
        "repl-diskless-sync-delay": "0",
        "maxmemory-policy": "noeviction",
    }
    options = [str(part) for name, value in settings.items() for part in (f"--{name}", value)]
    program = programs.folder / f"{programs.kind}-server"
    child = spawn([program, *options], death_signal=signal.SIGKILL, log_path=folder / "log")
    client: Redis = Redis(host="127.0.0.1", port=port, socket_timeout=PATIENCE_S)
    return Node(port, bus_port, client, child)


@contextlib.asynccontextmanager
async def running_cluster(folder: Path) -> AsyncIterator[Cluster]:
    """A cluster for as long as the block lasts."""
    ports = free_ports(4 * MASTERS)
    async with contextlib.AsyncExitStack() as stack:
        nodes = []
        for number in range(2 * MASTERS):
            node = start_node(folder / str(number), ports[2 * number], ports[2 * number + 1])
            stack.callback(end_child, node.child, _END)
            stack.push_async_callback(node.client.aclose)
            nodes.append(node)
        for number, node in enumerate(nodes):
            await until(lambda node=node: node.says("cluster_state:"))  # type: ignore[misc]
            node.id = (await node.tell("MYID")).decode()
            await node.tell("SET-CONFIG-EPOCH", number + 1)
        masters, replicas = nodes[:MASTERS], nodes[MASTERS:]
        for number, node in enumerate(masters):
            first, last = SLOTS * number // MASTERS, SLOTS * (number + 1) // MASTERS - 1
            await node.tell("ADDSLOTSRANGE", first, last)
        for node in nodes[1:]:
            await nodes[0].tell("MEET", "127.0.0.1", node.port, node.bus_port)
        for node in nodes:
            await until(lambda node=node: node.says(f"cluster_known_nodes:{2 * MASTERS}"))  # type: ignore[misc]
        for master, replica in zip(masters, replicas, strict=True):
            await replica.tell("REPLICATE", master.id)
        for node in nodes:
            await until(lambda node=node: node.says("cluster_state:ok"))  # type: ignore[misc]
        for node in replicas:
            await until(lambda node=node: node.says("'master_link_status': 'up'"))  # type: ignore[misc]
        yield Cluster(nodes)
