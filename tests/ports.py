"""Ports for servers that are told of them beforehand."""

from __future__ import annotations

from hub.listening import free_port


def free_ports(count: int) -> list[int]:
    """Ports that nobody has, and that no outgoing connection takes between looking and listening."""
    found: set[int] = set()
    while len(found) < count:
        found.add(free_port())
    return list(found)
