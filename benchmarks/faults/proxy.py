"""A link between two parts that can be made bad: late, slow, cut, silent or refused, in one direction or in both.

TCP loses no byte in the middle of a stream, so neither does a link: what a network drops shows as silence (`hang`), as a
connection that breaks (`cut`, `lossy`), or as one whose other end has forgotten it (`forget`).
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from hub.listening import free_port

Address = tuple[str, int] | Path
Way = Literal["there", "back"]

_CHUNK = 64 * 1024
_CONNECT_S = 5.0
# With zero seconds to linger, closing sends RST instead of FIN (socket(7)).
_NO_LINGER = struct.pack("ii", 1, 0)


class _Valve:
    """Open, or closed until somebody opens it."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()

    def turn(self, is_open: bool) -> None:
        if is_open:
            self._open.set()
        else:
            self._open.clear()

    async def passed(self) -> None:
        await self._open.wait()


class _Connection:
    """One connection through a link: two streams and what copies between them."""

    def __init__(self, near: asyncio.StreamWriter) -> None:
        self.near = near
        self.far: asyncio.StreamWriter | None = None
        self.task: asyncio.Task[None] | None = None
        self.forgotten = False

    def reset(self) -> None:
        """Break it so that both ends are told at once."""
        for writer in (self.near, self.far):
            if writer is not None:
                _reset(writer)
        if self.task is not None and self.task is not asyncio.current_task():
            self.task.cancel()


class Link:
    """Listens at an address of its own and passes everything on to the first of `targets` that takes the connection."""

    def __init__(self, name: str, *targets: Address) -> None:
        self.name = name
        self.targets: Sequence[Address] = targets
        self.delay_s = 0.0
        """How much later everything arrives."""
        self.bytes_per_s: dict[Way, float] = {}
        """How many bytes a second pass; without an entry as many as come."""
        self.lossy = 0.0
        """How likely each piece of a stream breaks its connection instead of arriving."""
        self.port = 0
        self._valves: dict[Way, _Valve] = {"there": _Valve(), "back": _Valve()}
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()
        self._turn = 0

    @property
    def connections(self) -> int:
        """How many connections there are through it."""
        return len(self._connections)

    async def open(self, port: int = 0) -> None:
        """Listen on the loopback interface. Raises OSError when the port is taken."""
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", port or self.port or free_port(), backlog=4096)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Break everything and listen no more."""
        self.refuse()
        tasks = [one.task for one in self._connections if one.task is not None]
        await asyncio.gather(*tasks, return_exceptions=True)

    # -- what goes wrong

    def cut(self) -> None:
        """Break every connection; new ones are taken."""
        for one in list(self._connections):
            one.reset()

    def refuse(self) -> None:
        """Break every connection and refuse new ones, as when nobody listens."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.cut()

    def hang(self, *ways: Way) -> None:
        """Let nothing through (in one direction, if one is named), and say nothing: new connections are taken and silent."""
        for way in ways or ("there", "back"):
            self._valves[way].turn(False)

    def forget(self) -> None:
        """What is connected now stays silent for ever; new connections are well. A firewall that restarts does this."""
        for one in self._connections:
            one.forgotten = True

    async def heal(self) -> None:
        """All is well: what waited goes on, new connections are taken. What was forgotten stays so."""
        self.delay_s = self.lossy = 0.0
        self.bytes_per_s = {}
        for valve in self._valves.values():
            valve.turn(True)
        if self._server is None:
            await self.open(self.port)

    # -- what goes through

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        one = _Connection(writer)
        self._connections.add(one)
        one.task = asyncio.create_task(self._serve(one, reader), name=f"link {self.name}")

    async def _serve(self, one: _Connection, reader: asyncio.StreamReader) -> None:
        copying: list[asyncio.Task[None]] = []
        try:
            await self._valves["there"].passed()
            far_reader, one.far = await self._reach()
            copying = [
                asyncio.create_task(self._copy(one, "there", reader, one.far)),
                asyncio.create_task(self._copy(one, "back", far_reader, one.near)),
            ]
            # Both end in order (the answer may come long after the last of the question), or the first error ends both.
            await asyncio.wait(copying, return_when=asyncio.FIRST_EXCEPTION)
        except (OSError, TimeoutError, asyncio.CancelledError):
            pass
        finally:
            for task in copying:
                task.cancel()
            await asyncio.gather(*copying, return_exceptions=True)
            one.reset()
            self._connections.discard(one)

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        self._turn += 1
        start = self._turn % len(self.targets)
        for target in (*self.targets[start:], *self.targets[:start]):
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(_CONNECT_S):
                    if isinstance(target, Path):
                        return await asyncio.open_unix_connection(str(target))
                    return await asyncio.open_connection(*target)
        raise ConnectionRefusedError(f"{self.name}: nobody takes connections")

    async def _copy(self, one: _Connection, way: Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_CHUNK):
            await self._valves[way].passed()
            if one.forgotten:
                await asyncio.Event().wait()
            if self.delay_s:
                await asyncio.sleep(self.delay_s)
            if self.lossy and random.random() < self.lossy:  # noqa: S311 - which piece is lost
                raise ConnectionResetError("lost")
            await self._write(way, writer, data)
        await self._valves[way].passed()
        if one.forgotten:
            await asyncio.Event().wait()
        if writer.can_write_eof():
            writer.write_eof()
        if way == "back":
            # Whoever serves and hangs up hears nothing any more either.
            await _drained(writer)
            raise ConnectionResetError("closed")

    async def _write(self, way: Way, writer: asyncio.StreamWriter, data: bytes) -> None:
        while data:
            rate = self.bytes_per_s.get(way)
            if rate is None:
                piece, data = data, b""
            else:
                size = max(1, int(rate / 20))
                piece, data = data[:size], data[size:]
                await asyncio.sleep(size / rate)
                await self._valves[way].passed()
            writer.write(piece)
            await writer.drain()


async def _drained(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(1):
            while writer.transport.get_write_buffer_size():  # noqa: ASYNC110 - a transport tells nobody but its protocol
                await asyncio.sleep(0.005)


def _reset(writer: asyncio.StreamWriter) -> None:
    made = writer.get_extra_info("socket")
    if made is not None and made.family != socket.AF_UNIX:
        # ValueError: it is closed already.
        with contextlib.suppress(OSError, ValueError):
            made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    writer.transport.abort()
