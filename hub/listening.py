"""Addresses to listen on: which ports are free, and whether somebody answers there."""

import asyncio
import ipaddress
import random
import resource
import socket
from collections import deque

DEFAULT_PORT = 8080
_QUIET_PORTS = range(20_000, 32_000)
# What `free_port` gave last. It is listened on long before so many more are asked for.
_promised: deque[socket.socket] = deque(maxlen=128)


class PortError(Exception):
    """We can't listen there; the message is for the user."""


def choose_port(host: str, asked: int | None) -> int:
    """The port to serve on: the one asked for, any free one for 0, for None the default or the next free one.

    Raises PortError when that one is taken.
    """
    if asked == 0:
        return free_port(host)
    if asked is not None:
        if not is_free(host, asked):
            raise PortError(f"Port {asked} is taken by another program. Give another --port, or --port 0 for any free one.")
        return asked
    for port in range(DEFAULT_PORT, DEFAULT_PORT + 100):
        if is_free(host, port):
            return port
    raise PortError(f"All ports from {DEFAULT_PORT} to {DEFAULT_PORT + 99} are taken. Give a --port.")


def free_port(host: str = "127.0.0.1") -> int:
    """A port nobody listens on right now, and that nobody is given by chance before we do.

    Who connects, or takes any free port, gets one of a range of the system's (32768 and up, where nobody changed it). Between
    looking and listening lie seconds; whoever keeps trying a port of that range even connects to himself one day. Whoever asks
    here meanwhile, in this process or another one of this machine, is given another port.
    """
    for _ in range(100):
        port = random.choice(_QUIET_PORTS)  # noqa: S311 - spreads, guards nothing
        if is_free(host, port) and _promise(host, port):
            return port
    with listener(host) as probe:
        probe.bind((host, 0))
        given: int = probe.getsockname()[1]
        return given


def _promise(host: str, port: int) -> bool:
    """Keep the port for whoever asked; False when it is somebody else's.

    The sign is a UDP socket of the same number: all processes see it, a server that listens for TCP does not mind it, and it
    goes away with the process that has it.
    """
    sign = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sign.bind((host, port))
    except OSError:
        sign.close()
        return False
    if len(_promised) == _promised.maxlen:
        _promised[0].close()
    _promised.append(sign)
    return True


def is_free(host: str, port: int) -> bool:
    """Whether we could listen there."""
    with listener(host) as probe:
        try:
            probe.bind((host, port))
        except PermissionError:
            raise PortError(f"Port {port} needs root's rights; give a --port above 1023.") from None
        except OSError:
            return False
    return True


def listener(host: str) -> socket.socket:
    """An unbound socket of the right family, that like a server ignores connections in their last minute."""
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return made


def reachable_host(host: str) -> str:
    """Where to reach a server that listens on ``host``."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens on ``host``."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def url_host(host: str) -> str:
    """The host as it stands in a URL."""
    name = reachable_host(host)
    return f"[{name}]" if ":" in name else name


async def is_open(host: str, port: int) -> bool:
    """Whether somebody accepts connections."""
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    return True


async def is_ready(host: str, port: int) -> bool:
    """Whether /readyz answers 200."""
    try:
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(f"GET /readyz HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
        status = await asyncio.wait_for(reader.readline(), 5)
        writer.close()
    except (OSError, TimeoutError):
        return False
    return status.split()[1:2] == [b"200"]


def allow_files(wanted: int) -> int:
    """Let this process have so many open files, sockets among them, as far as the hard limit goes; how many it may have now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        return most
    return soft
