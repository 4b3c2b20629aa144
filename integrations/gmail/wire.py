"""The SDK's connections: one for each thread, which send once what must not arrive twice, and read no more than they are told.

`httplib2.Http` may not be shared by threads, sends a request again when the answer to it was lost (a POST, too), and reads
whatever it is given.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import httplib2

T = TypeVar("T")

THREADS: Final = 24
# A message may be 50 MB, which base64 makes a third more of.
LARGEST_ANSWER: Final = 80_000_000


class Unreachable(Exception):
    """No connection came about, or too late, so nothing was sent."""


class Oversized(Exception):
    """The answer is larger than asked for; the rest of it was not read."""


@dataclass(slots=True)
class Call:
    """What a thread is asked to do. What arrives `once` at most begins until `begin_by` (monotonic, in seconds) or not at all.

    `is_over`: nobody waits for it any more.
    """

    token: str = field(repr=False)
    once: bool = False
    largest: int = LARGEST_ANSWER
    begin_by: float = float("inf")
    is_over: bool = False


class Wire(httplib2.Http):  # type: ignore[misc]  # httplib2 has no types
    """The connections of one thread, and the call at hand."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__(timeout=timeout_s, proxy_info=None, decode_limit_hard=LARGEST_ANSWER)
        self.follow_redirects = False
        self.call = Call("")
        self.is_cut = False

    def request(self, uri: str, method: str = "GET", body: Any = None, headers: Any = None, **more: Any) -> Any:
        """Ask, as the owner of the token."""
        return super().request(uri, method, body, {**(headers or {}), "authorization": f"Bearer {self.call.token}"}, **more)

    def _conn_request(self, conn: Any, request_uri: str, method: str, body: Any, headers: Any) -> Any:
        # What may be sent once only gets a new connection: a kept one may be dead already, and would leave us in doubt.
        if self.call.once:
            conn.close()
        was_kept = conn.sock is not None
        try:
            return self._ask(conn, request_uri, method, body, headers)
        except (http.client.BadStatusLine, http.client.CannotSendRequest, ConnectionError):
            if not was_kept or self.is_cut:
                raise
        return self._ask(conn, request_uri, method, body, headers)

    def _ask(self, conn: Any, request_uri: str, method: str, body: Any, headers: Any) -> Any:
        try:
            if conn.sock is None:
                self._connect(conn)
            if self.call.is_over or time.monotonic() > self.call.begin_by:
                raise Unreachable("it was too late to begin")
            conn.request(method, request_uri, body, headers)
            answer = conn.getresponse()
            content = answer.read(self.call.largest + 1)
            if len(content) > self.call.largest:
                raise Oversized(f"more than {self.call.largest} bytes")
        except BaseException:
            conn.close()
            raise
        response = httplib2.Response(answer)
        return response, httplib2._decompressContent(response, content, self.limit_kwargs)

    def _connect(self, conn: Any) -> None:
        if self.is_cut:
            raise Unreachable("closing")
        try:
            conn.connect()
        except (OSError, httplib2.HttpLib2Error) as error:
            raise Unreachable(repr(error)) from error

    def cut(self) -> None:
        """End what is under way, from another thread."""
        for conn in list(self.connections.values()):
            with contextlib.suppress(OSError, TypeError, AttributeError):
                # Not the TLS socket's own: that one would first forget that it is one, while the thread still writes.
                socket.socket.shutdown(conn.sock, socket.SHUT_RDWR)


class Wires:
    """Threads in which the SDK works, each with its own connections."""

    def __init__(self, *, timeout_s: float, threads: int = THREADS) -> None:
        self._timeout_s = timeout_s
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="gmail")
        self._own = threading.local()
        self._all: list[Wire] = []

    async def run(self, fn: Callable[[Wire], T], call: Call) -> T:
        """Run `fn` in a thread. Raises what `fn` raises, and Oversized.

        When nobody waits any more, a call that arrives `once` at most is cut off, so that it does not arrive later still.
        """
        working: list[Wire] = []

        def work() -> T:
            if call.is_over:
                raise Unreachable("it was too late to begin")
            wire = self._wire()
            wire.call = call
            working.append(wire)
            try:
                return fn(wire)
            finally:
                wire.call = Call("")

        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, work)
        except asyncio.CancelledError:
            call.is_over = True
            for wire in working:
                if call.once and wire.call is call:
                    wire.cut()
            raise

    def close(self) -> None:
        """Cut what is under way and let the threads end."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        for wire in list(self._all):
            wire.is_cut = True
            wire.cut()

    def _wire(self) -> Wire:
        wire: Wire | None = getattr(self._own, "wire", None)
        if wire is None:
            wire = self._own.wire = Wire(self._timeout_s)
            self._all.append(wire)
        return wire
