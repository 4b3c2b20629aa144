"""Asking a host that somebody typed in for a short text, and nothing else: no private address, no redirect, little, and soon."""

from __future__ import annotations

import socket
from typing import Any, Final

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector

from integrations.errors import Rejected, Transient
from integrations.reach import is_public

_TIMEOUT: Final = ClientTimeout(total=10, connect=5)
_MOST_BYTES: Final = 1000


class _Private(OSError):
    """The address that was about to be dialled is not one of the public internet."""


def guarded_connector(*, allow_private: bool = False, limit: int = 2) -> TCPConnector:
    """A connector for addresses that somebody typed in: it dials none that is private. See `why_not` for what it raises."""

    def made(address: Any) -> socket.socket:
        # Here the address is known that is really dialled.
        family, kind, proto, _, place = address
        if not allow_private and not is_public(str(place[0])):
            raise _Private(f"{place[0]} is not on the public internet")
        opened = socket.socket(family, kind, proto)
        opened.setblocking(False)
        return opened

    return TCPConnector(socket_factory=made, use_dns_cache=False, limit=limit)


def why_not(error: BaseException) -> Rejected | Transient:
    """What it means that a guarded connector did not get through."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, _Private):
            return Rejected("private_address", "It leads to an address that is not on the public internet.", 400)
        if isinstance(cause, socket.gaierror) and cause.errno != socket.EAI_AGAIN:
            return Rejected("unknown_host", "There is no such host.", 400)
        cause = cause.__cause__ or cause.__context__
    return Transient("It does not answer.")


async def short_text(url: str, *, allow_private: bool = False) -> str:
    """The first thousand bytes that an address answers with.

    Raises `Rejected` in words for a host that is not there or not public and for any answer but 200, `Transient` for none.
    """
    connector = guarded_connector(allow_private=allow_private)
    try:
        async with (
            ClientSession(connector=connector, timeout=_TIMEOUT) as session,
            session.get(url, allow_redirects=False, headers={"Accept": "text/plain"}) as answer,
        ):
            if answer.status != 200:
                raise Rejected("not_found", f"It answers {answer.status}.", answer.status)
            return (await answer.content.read(_MOST_BYTES)).decode("utf-8", "replace")
    except (ClientError, OSError, ValueError) as error:
        raise why_not(error) from error
