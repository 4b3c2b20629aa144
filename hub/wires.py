"""How commands reach Redis: over one wire, or over one to each node of a cluster, where none waits for another."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from redis.exceptions import RedisError

from hub.redis import Address, Nodes, is_cluster, new_client


@dataclass(frozen=True, slots=True)
class Command:
    """The words of a command, and the key or the channel that says where it goes."""

    key: str
    words: tuple[Any, ...]


class Wire(Protocol):
    """The way to Redis."""

    publish: str
    """The command that publishes."""

    def lane(self, key: str) -> str:
        """What goes the same way has the same lane, and shares its troubles."""

    async def send(self, commands: Sequence[Command]) -> None:
        """Have all of them done, in this order for each key. Raises RedisError, OSError or TimeoutError."""

    async def ping(self) -> None:
        """Raise RedisError, OSError or TimeoutError when a part of Redis does not answer."""

    async def aclose(self) -> None:
        """Let go of Redis."""


class OneWire:
    """To a single Redis."""

    publish = "PUBLISH"

    def __init__(self, url: str) -> None:
        self._redis = new_client(url)

    def lane(self, _key: str) -> str:
        """All share it."""
        return ""

    async def send(self, commands: Sequence[Command]) -> None:
        """In one pipeline."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for command in commands:
                pipe.execute_command(*command.words)
            await pipe.execute()

    async def ping(self) -> None:
        """Raise when it does not answer."""
        await self._redis.ping()

    async def aclose(self) -> None:
        """Let go of Redis."""
        await self._redis.aclose()


class ClusterWire:
    """To each node of a cluster that serves something of it."""

    publish = "SPUBLISH"

    def __init__(self, url: str) -> None:
        self._nodes = Nodes(url)

    def lane(self, key: str) -> str:
        """By the node that serves it; before that is known, together."""
        node = self._nodes.serving(key)
        return "" if node is None else f"{node[0]}:{node[1]}"

    async def send(self, commands: Sequence[Command]) -> None:
        """One pipeline to each node, side by side. After a failure the nodes are asked anew who serves what."""
        if any(self._nodes.serving(command.key) is None for command in commands):
            await self._nodes.look()
        shares: dict[Address | None, list[Command]] = {}
        for command in commands:
            shares.setdefault(self._nodes.serving(command.key), []).append(command)
        ended = await asyncio.gather(*(self._send(node, share) for node, share in shares.items()), return_exceptions=True)
        problems = [problem for problem in ended if problem is not None]
        if problems:
            await self._nodes.look()
            raise problems[0]

    async def ping(self) -> None:
        """Raise when one of the masters does not answer, or some slots have none."""
        await self._nodes.look()
        if not self._nodes.complete:
            raise RedisError("nobody serves some slots of the cluster")
        await asyncio.gather(*(self._nodes.client(node).ping() for node in self._nodes.masters))

    async def aclose(self) -> None:
        """Let go of all nodes."""
        await self._nodes.aclose()

    async def _send(self, node: Address | None, share: Sequence[Command]) -> None:
        if node is None:
            raise RedisError("nobody serves a slot of the cluster")
        async with self._nodes.client(node).pipeline(transaction=False) as pipe:
            for command in share:
                pipe.execute_command(*command.words)
            await pipe.execute()


def open_wire(url: str) -> Wire:
    """The way to the Redis of this URL. Raises ValueError when it is none."""
    return ClusterWire(url) if is_cluster(url) else OneWire(url)
