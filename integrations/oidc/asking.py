"""Questions to hosts that somebody typed in, or that such a host named: public addresses only, no redirects, little, and soon."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    DummyCookieJar,
    TCPConnector,
)

from integrations.errors import RateLimited, Rejected, Transient
from integrations.reach import is_public
from integrations.waiting import seconds_of

TIMEOUT_S: Final = 10.0
LARGEST_ANSWER: Final = 200_000


class _Private(OSError):
    """The address that was about to be dialled is not one of the public internet."""


def check_url(url: str, what: str, *, allow_private: bool) -> str:
    """The address, when it is one that may be asked: https, no user, no fragment. Raises Rejected in words."""
    try:
        parts = urlsplit(url)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        raise Rejected("bad_address", f"{what} is no address.", 400) from None
    allowed = ("https", "http") if allow_private else ("https",)
    if parts.scheme not in allowed or not parts.hostname or not port_is_fine or len(url) > 2000:
        raise Rejected("bad_address", f"{what} should be an address that begins with https://.", 400)
    if parts.username is not None or parts.password is not None or parts.fragment or "\\" in url or any(c <= " " for c in url):
        raise Rejected("bad_address", f"{what} should be an address without a user, spaces and fragment.", 400)
    return url


def open_session(*, allow_private: bool) -> ClientSession:
    """A session that dials nothing private unless it may. The address is judged that is really dialled."""

    def made(address: Any) -> socket.socket:
        family, kind, proto, _, place = address
        if not allow_private and not is_public(str(place[0])):
            raise _Private(f"{place[0]} is not on the public internet")
        opened = socket.socket(family, kind, proto)
        opened.setblocking(False)
        return opened

    connector = TCPConnector(socket_factory=made, limit=20, limit_per_host=4, ttl_dns_cache=30)
    # No cookie of a provider's is kept: what one person's sign-in leaves must not go along with the next one's.
    return ClientSession(connector=connector, timeout=ClientTimeout(total=TIMEOUT_S, connect=5), cookie_jar=DummyCookieJar())


async def ask_json(
    session: ClientSession,
    method: str,
    url: str,
    *,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The object that an address answers with. Raises Rejected with the provider's own code, Transient, RateLimited."""
    try:
        async with session.request(
            method, url, data=form, headers={"Accept": "application/json", **(headers or {})}, allow_redirects=False
        ) as answer:
            body = bytearray()
            async for part in answer.content.iter_chunked(65_536):
                body += part
                if len(body) > LARGEST_ANSWER:
                    raise Rejected("too_large", f"It answers with more than {LARGEST_ANSWER:,} bytes.", 400)
            status, retry_after = answer.status, answer.headers.get("Retry-After")
    except (ClientError, TimeoutError, OSError, ValueError) as error:
        raise _unanswered(error) from error
    try:
        said = json.loads(bytes(body) or b"null")
    except (ValueError, RecursionError):
        said = None
    if status >= 300:
        raise _refusal(status, said, retry_after)
    if not isinstance(said, dict):
        raise Rejected("not_json", "It does not answer with a JSON object.", 400)
    return said


def _unanswered(error: Exception) -> Rejected | Transient:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, _Private):
            return Rejected("private_address", "It leads to an address that is not on the public internet.", 400)
        if isinstance(cause, socket.gaierror) and cause.errno != socket.EAI_AGAIN:
            return Rejected("unknown_host", "There is no such host.", 400)
        cause = cause.__cause__ or cause.__context__
    not_sent = isinstance(error, ClientConnectorError | ConnectionTimeoutError)
    return Transient(f"It does not answer ({type(error).__name__}).", ambiguous=not not_sent)


def _refusal(status: int, said: Any, retry_after: str | None) -> Rejected | Transient:
    fields = said if isinstance(said, dict) else {}
    code = str(fields.get("error") or status)[:100]
    if status == 429:
        return RateLimited("It asks us to slow down.", seconds_of(retry_after))
    if status == 408 or status >= 500:
        return Transient(f"It answers {status}.", seconds_of(retry_after), ambiguous=True)
    if status < 400:
        return Rejected("redirect", f"It sends us elsewhere ({status}), which is not followed.", 400)
    # A 401 would be the credential's fault to the guard's alarm; whose fault it is here the code says.
    return Rejected(code, f"It answers {status}, {code}.", 400)
