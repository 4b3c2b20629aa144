"""A screen on the live floor: Socket.IO 5 over one websocket, spoken by hand, under gevent."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import gevent
from gevent.event import Event
from websocket import WebSocket, WebSocketException, create_connection

from loadtests.recorder import Recorder

READY_S = 60.0
OnEvent = Callable[[dict[str, Any]], None]


class FloorSocket:
    """Connects, listens in a greenlet of its own, and can break off and come back with its cursor."""

    def __init__(self, url: str, token: str, recorder: Recorder, on_event: OnEvent | None = None) -> None:
        self._url = url.replace("http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"
        self._token = token
        self._recorder = recorder
        self._on_event = on_event
        self._socket: WebSocket | None = None
        self._epoch = ""
        self._seq = -1
        self._ready = Event()
        self._leaving = False
        # What happened before is given again on connecting: missed, not late.
        self._listening_since = 0.0

    def connect(self) -> float:
        """Connect, after a break with the cursor of the last event seen; the ms until the server was ready.

        Raises WebSocketException, OSError, or TimeoutError when the server is not ready within READY_S.
        """
        began = time.perf_counter()
        self._ready.clear()
        self._leaving = False
        socket = create_connection(self._url, timeout=READY_S, skip_utf8_validation=True)
        socket.recv()  # Engine.IO's handshake
        auth: dict[str, Any] = {"token": self._token}
        if self._epoch:
            auth["cursor"] = {"epoch": self._epoch, "seq": self._seq}
        socket.send("40" + json.dumps(auth))
        socket.settimeout(None)
        self._socket = socket
        gevent.spawn(self._listen, socket)
        if not self._ready.wait(READY_S):
            raise TimeoutError("the socket was not ready in time")
        self._recorder.connected += 1
        return (time.perf_counter() - began) * 1000

    def break_off(self) -> None:
        """Go without a word, as a phone in a tunnel does."""
        self._leaving = True
        if self._socket is not None:
            self._socket.shutdown()  # type: ignore[no-untyped-call]
            self._socket = None

    def _listen(self, socket: WebSocket) -> None:
        try:
            while True:
                said = socket.recv()
                if not isinstance(said, str) or not said:
                    break
                self._hear(socket, said)
        except (WebSocketException, OSError):
            pass
        if not self._leaving and socket is self._socket:
            self._recorder.error("a socket was closed by the hub")

    def _hear(self, socket: WebSocket, said: str) -> None:
        if said == "2":
            socket.send("3")
        elif said.startswith('42["event"'):
            self._event(json.loads(said[2:])[1])
        elif said.startswith('42["ready"'):
            at = json.loads(said[2:])[1]
            if not self._epoch:
                self._epoch, self._seq = at["epoch"], at["seq"]
            self._listening_since = time.time()
            self._ready.set()
        elif said.startswith(('42["resync"', '42["bye"', "44")):
            self._recorder.error(f"the socket was told {said[:120]}")

    def _event(self, event: dict[str, Any]) -> None:
        seq = event["seq"]
        if seq <= self._seq:
            self._recorder.error(f"an event came twice or out of order: {self._seq}, then {seq}")
        self._seq = seq
        happened = datetime.fromisoformat(event["at"]).timestamp()
        if happened >= self._listening_since:
            self._recorder.delivery((time.time() - happened) * 1000)
        if self._on_event is not None:
            self._on_event(event)
