"""Connections to hosts that people type in: only to public addresses, unless this installation allows others.

The address is checked that is really dialled, not what the name resolved to a moment before: the socket is made here, from one
answer of the resolver, and handed to the library connected.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import Final

from integrations.errors import Rejected, Transient

_MAX_ADDRESSES: Final = 6
# Addresses that carry an IPv4 address inside: what is reached is that one (RFC 6052, 3056, 4380).
_NAT64: Final = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
# Which of the special networks (RFC 6890) count as global has changed between Python's releases: these never do here.
_SPECIAL: Final = tuple(ipaddress.ip_network(each) for each in ("100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24"))


def is_public(address: str) -> bool:
    """Is this address one of the public internet? Embedded IPv4 addresses are judged themselves; what can't be read is not."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and any(ip in network for network in _NAT64):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is None and int(ip) >> 32 == 0:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        return ip.is_global and not ip.is_multicast and not ip.is_site_local
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not any(ip in each for each in _SPECIAL)


async def dial(host: str, port: int, *, allow_private: bool = False, timeout_s: float = 10.0) -> socket.socket:
    """Connect to a host by TCP and return the socket, which does not block.

    Raises `Rejected` when the name has no address or none that is public, and `Transient` when nobody answers.
    """
    if not 0 < port < 65536 or not host or len(host) > 253:
        raise Rejected("bad_host", f"{host[:100]}:{port} is no address of a server", 400)
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout_s):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    except (OSError, UnicodeError) as error:
        if isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN:
            raise Transient(f"the name {host} can't be looked up now") from error
        if isinstance(error, TimeoutError):
            raise Transient(f"the name {host} can't be looked up now") from error
        raise Rejected("unknown_host", f"there is no server named {host}", 400) from error
    allowed = [each for each in found if allow_private or is_public(str(each[4][0]))]
    if not allowed:
        raise Rejected("private_address", f"{host} is not on the public internet, connections to it are not allowed here", 400)
    last: Exception | None = None
    for family, kind, proto, _, address in allowed[:_MAX_ADDRESSES]:
        try:
            return await _connect(family, kind, proto, address, timeout_s)
        except OSError as error:
            last = error
    raise Transient(f"{host}:{port} does not answer: {last}") from last


async def _connect(family: int, kind: int, proto: int, address: tuple[object, ...], timeout_s: float) -> socket.socket:
    made = socket.socket(family, kind, proto)
    try:
        made.setblocking(False)
        async with asyncio.timeout(timeout_s):
            await asyncio.get_running_loop().sock_connect(made, address)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        made.close()
        raise
    return made
