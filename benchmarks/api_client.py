"""A client that asks for one thing again and again over connections it keeps: quick enough not to be what is measured.

It reads only what it must of an answer: the status, and where it ends. Run as a script in a process of its own,
so that it has a core of its own (and loads nothing else); it prints what it found as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import cast

import orjson
import uvloop

_LENGTH = b"\r\ncontent-length:"


@dataclass(slots=True)
class Tally:
    """What came back: how long each answer took in ms, how many bytes, and what was not 2xx."""

    took_ms: list[float] = field(default_factory=list)
    received: int = 0
    refused: list[str] = field(default_factory=list)
    is_counting: bool = False


class Caller(asyncio.Protocol):
    """One connection: a request goes out when the answer to the one before is whole."""

    def __init__(self, requests: list[bytes], start_at: int, tally: Tally, lost: asyncio.Future[None]) -> None:
        self._requests = requests
        self._at = start_at
        self._tally = tally
        self._lost = lost
        self._buffer = b""
        self._wanted = 0
        self._sent_at = 0.0
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        # uvloop's transports are none of asyncio's classes, though they do all of it.
        self._transport = cast(asyncio.WriteTransport, transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        """Count the answer once it is whole, and ask again."""
        self._buffer = self._buffer + data if self._buffer else data
        if not self._wanted:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            self._wanted = end + 4 + self._length(self._buffer[:end].lower())
        if len(self._buffer) < self._wanted:
            return
        tally = self._tally
        if tally.is_counting:
            tally.took_ms.append((time.perf_counter() - self._sent_at) * 1000)
            tally.received += self._wanted
            if self._buffer[9:10] != b"2":
                tally.refused.append(self._buffer[:300].decode(errors="replace"))
        self._buffer, self._wanted = b"", 0
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        """The server does not close what it keeps alive: somebody has to know."""
        if not self._lost.done():
            self._lost.set_exception(exc or ConnectionError("the server closed a connection it should keep"))

    def _send(self) -> None:
        assert self._transport is not None
        self._sent_at = time.perf_counter()
        self._transport.write(self._requests[self._at % len(self._requests)])
        self._at += 1

    @staticmethod
    def _length(head: bytes) -> int:
        at = head.find(_LENGTH)
        if at < 0:
            if b"\r\ntransfer-encoding:" in head:
                raise ValueError("this client reads answers of a stated length only")
            return 0
        line_end = head.find(b"\r\n", at + 2)
        return int(head[at + len(_LENGTH) : line_end if line_end > 0 else None])


async def ask(host: str, port: int, requests: list[bytes], *, connections: int, warm_up_s: float, seconds: float) -> Tally:
    """Ask over so many connections for so long. Raises ConnectionError when the server closes one."""
    loop = asyncio.get_running_loop()
    tally = Tally()
    lost: asyncio.Future[None] = loop.create_future()
    transports: list[asyncio.BaseTransport] = []
    for number in range(connections):
        begin = partial(Caller, requests, number * len(requests) // connections, tally, lost)
        opened, _ = await loop.create_connection(begin, host, port)
        transports.append(opened)
    await asyncio.wait([lost], timeout=warm_up_s)
    tally.is_counting = True
    await asyncio.wait([lost], timeout=seconds)
    tally.is_counting = False
    if lost.done():
        lost.result()
    lost.cancel()
    for transport in transports:
        transport.close()
    return tally


def request(method: str, path: str, token: str, body: bytes = b"") -> bytes:
    """A request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {token}", "Accept: application/json"]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def main() -> None:
    """Ask as the plan (a file of JSON) says and print the tally."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("plan", type=Path)
    plan = orjson.loads(parser.parse_args().plan.read_bytes())
    requests = [request(r["method"], r["path"], r["token"], r.get("body", "").encode()) for r in plan["requests"]]
    before, began = time.process_time(), time.perf_counter()
    tally = await ask(
        plan["host"],
        plan["port"],
        requests,
        connections=plan["connections"],
        warm_up_s=plan["warm_up_s"],
        seconds=plan["seconds"],
    )
    took = time.perf_counter() - began
    found = {
        "took_ms": tally.took_ms,
        "a_second": len(tally.took_ms) / plan["seconds"],
        "bytes": tally.received // max(1, len(tally.took_ms)),
        "refused": tally.refused[:3],
        "refusals": len(tally.refused),
        "own_share": (time.process_time() - before) / took,
    }
    sys.stdout.buffer.write(orjson.dumps(found))


if __name__ == "__main__":
    uvloop.run(main())
