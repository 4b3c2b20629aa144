"""Where a request comes from."""

from __future__ import annotations

import ipaddress

from aiohttp import web

from hub.config import Network


def caller_of(request: web.Request, trusted: tuple[Network, ...]) -> tuple[str, str]:
    """The address a request comes from and its user agent; X-Forwarded-For counts only as far as configured proxies wrote it."""
    address = request.remote or ""
    # A proxy may add a header of its own behind the one the client sent: all of them are one list (RFC 9110, section 5.3).
    written = ",".join(request.headers.getall("X-Forwarded-For", ()))
    hops = [hop.strip() for hop in written.split(",") if hop.strip()]
    while hops and _within(address, trusted):
        address = hops.pop()
    return _text(address)[:64], _text(request.headers.get("User-Agent", ""))[:300]


def _text(header: str) -> str:
    # Bytes that are no UTF-8 come as lone surrogates, which nothing can store.
    return header.encode(errors="replace").decode().replace("\x00", "")


def _within(address: str, networks: tuple[Network, ...]) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return any(parsed in network for network in networks)
