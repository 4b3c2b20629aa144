"""Leaving without an error to anybody: how a hub stops while a proxy still sends it requests.

A proxy learns that a hub has gone by being refused. Requests that it has sent by then must be answered: those on connections
that the kernel has accepted and we have not, and those on connections that were idle a moment ago.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import socket
from collections.abc import Sequence
from http import HTTPStatus

from aiohttp import web

# How long the loop has for what the kernel had accepted, and how long idle connections have to be used once more: in turns of
# the loop, because a process that the machine does not let run reads nothing meanwhile.
_TURN_S = 0.05
_ACCEPT_TURNS = 2
_IDLE_TURNS = 14
# asyncio needs a turn to take a connection, and one more to make a transport of it; a process that may open no more files
# never takes it.
_EMPTY_TURNS = 3
_MOST_TURNS = 100


class Leaving:
    """One application's way out."""

    def __init__(self) -> None:
        self.begun = False

    def attach(self, app: web.Application) -> None:
        """Say `Connection: close` with every answer from then on."""
        app.on_response_prepare.append(self._part)

    async def _part(self, _request: web.Request, response: web.StreamResponse) -> None:
        if self.begun and response.status != HTTPStatus.SWITCHING_PROTOCOLS:
            response.force_close()
            # The headers have been made up by now, and a client that is not told would use the connection again.
            response.headers["Connection"] = "close"

    async def close(self, site: web.TCPSite, listeners: Sequence[socket.socket]) -> None:
        """Take no more connections than the kernel has accepted already."""
        self.begun = True
        for listener in listeners:
            refuse(listener)
        await _turns(_ACCEPT_TURNS)
        # The kernel lets one wait even so; whoever is there when the listener closes would be cut off with a request sent.
        empty = 0
        for _ in range(_MOST_TURNS):
            empty = 0 if _has_waiting(listeners) else empty + 1
            if empty == _EMPTY_TURNS:
                break
            await asyncio.sleep(0)
        await site.stop()

    async def settle(self) -> None:
        """Give connections that were idle the time to be used once more, and to be told that it was the last time."""
        await _turns(_IDLE_TURNS)


async def _turns(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(_TURN_S)


def _has_waiting(listeners: Sequence[socket.socket]) -> bool:
    poll = select.poll()
    for listener in listeners:
        poll.register(listener.fileno(), select.POLLIN)
    return any(found & select.POLLIN for _, found in poll.poll(0))


def refuse(listener: socket.socket) -> None:
    """Let the kernel accept nothing more, while what it has accepted can still be taken.

    Who connects meanwhile is not answered, asks again, and is refused when the listener is closed: nothing was sent yet, so
    a proxy may go elsewhere whatever the method is.
    """
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(listener.fileno())) as same:
        same.listen(0)
