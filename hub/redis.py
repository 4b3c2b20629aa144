"""Clients of Redis, and of a Redis Cluster where the URL names one: `redis+cluster://host:port,host:port`.

redis-py's client of a cluster does what is asked now and then. It has no pub/sub, and a node that hangs holds up the whole of it:
what is on the way of every event asks `Nodes` who serves what, and speaks to each node by a client of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast
from urllib.parse import urlsplit

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import SSLConnection, parse_url
from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from hub.ending import end_tasks

# Whoever hints, counts or looks must not wait.
CONNECT_S = 1.0
ANSWER_S = 2.0
# So many nodes are asked at once who serves what; the first to answer is believed.
_ASKED = 4
_PLAIN = {"redis+cluster": "redis", "rediss+cluster": "rediss"}

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class ClusterUrl:
    """A cluster by some of its nodes. What comes before and after the hosts goes for every node."""

    seeds: tuple[Address, ...]
    before: str
    after: str

    @classmethod
    def parse(cls, url: str) -> ClusterUrl:
        """Read `redis+cluster://[user:password@]host[:port],host[:port]…[/?options]`. Raises ValueError for anything else."""
        scheme, _, rest = url.partition("://")
        end = min((place for place in (rest.find("/"), rest.find("?")) if place >= 0), default=len(rest))
        account, at, hosts = rest[:end].rpartition("@")
        seeds = []
        for text in hosts.split(","):
            parts = urlsplit(f"//{text.strip()}")
            if not parts.hostname:
                raise ValueError("a cluster's URL is redis+cluster://host:port,host:port")
            seeds.append((parts.hostname, parts.port or 6379))
        return cls(tuple(seeds), f"{_PLAIN[scheme]}://{account}{at}", rest[end:])

    def at(self, address: Address) -> str:
        """The URL of one node."""
        host, port = address
        return f"{self.before}{f'[{host}]' if ':' in host else host}:{port}{self.after}"


def is_cluster(url: str) -> bool:
    """Does this URL name a cluster?"""
    return url.partition("://")[0] in _PLAIN


def new_client(url: str, *, connect_s: float = CONNECT_S, answer_s: float = ANSWER_S) -> Redis:
    """A client that gives up quickly. Raises ValueError when the URL is none.

    A cluster's client is no Redis by its class, but has the same commands, each for keys of one slot, and pipelines without
    a transaction. It has no pub/sub.
    """
    if not is_cluster(url):
        client: Redis = Redis.from_url(url, socket_connect_timeout=connect_s, socket_timeout=answer_s)
        return client
    cluster = ClusterUrl.parse(url)
    options: dict[str, Any] = dict(parse_url(cluster.at(cluster.seeds[0])))
    del options["host"], options["port"]
    if options.pop("connection_class", None) is SSLConnection:
        options["ssl"] = True
    nodes = [ClusterNode(host, port) for host, port in cluster.seeds]
    clustered = RedisCluster(
        startup_nodes=nodes,
        # One shard that is lost takes nothing from what the others keep.
        require_full_coverage=False,
        cluster_error_retry_attempts=1,
        connection_error_retry_attempts=0,
        socket_connect_timeout=connect_s,
        socket_timeout=answer_s,
        **options,
    )
    return cast(Redis, clustered)


@lru_cache(maxsize=100_000)
def slot_of(key: str) -> int:
    """The slot that a key or a sharded channel is in."""
    return key_slot(key.encode())


class Nodes:
    """Which node of a cluster serves what, and a client of each."""

    def __init__(self, url: str) -> None:
        self._url = ClusterUrl.parse(url)
        self._serving: list[Address | None] = [None] * REDIS_CLUSTER_HASH_SLOTS
        self._all: frozenset[Address] = frozenset()
        self._clients: dict[Address, Redis] = {}
        self._looking = asyncio.Lock()
        self._looked_at = float("-inf")

    @property
    def masters(self) -> frozenset[Address]:
        """Who serves anything, as far as is known."""
        return frozenset(address for address in self._serving if address is not None)

    @property
    def complete(self) -> bool:
        """Is every slot served by somebody, as far as is known?"""
        return None not in self._serving

    def serving(self, key: str) -> Address | None:
        """Who serves a key or a sharded channel, as far as is known."""
        return self._serving[slot_of(key)]

    def client(self, address: Address) -> Redis:
        """This process's client of one node."""
        if (client := self._clients.get(address)) is None:
            client = self._clients[address] = new_client(self.url(address))
        return client

    def url(self, address: Address) -> str:
        """The URL of one node."""
        return self._url.at(address)

    async def look(self) -> None:
        """Learn anew who serves what. Raises RedisError when nobody says."""
        wished_at = time.monotonic()
        async with self._looking:
            # Who waited here meanwhile has what the other has learned.
            if self._looked_at < wished_at:
                began_at = time.monotonic()
                await self._learn()
                self._looked_at = began_at

    async def aclose(self) -> None:
        """Let go of all nodes."""
        clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            with contextlib.suppress(RedisError, OSError):
                await client.aclose()

    async def _learn(self) -> None:
        # The names in the URL stay in the draw: after a move of the whole cluster they alone still lead to it.
        known = list(self._all | set(self._url.seeds))
        asked = [asyncio.create_task(self._ask(node)) for node in random.sample(known, min(_ASKED, len(known)))]
        problem: BaseException | None = None
        try:
            for answer in asyncio.as_completed(asked):
                try:
                    slots = await answer
                except (RedisError, OSError, TimeoutError, ValueError, LookupError, TypeError) as exc:
                    problem = exc
                    continue
                await self._keep(slots)
                return
        finally:
            await end_tasks(*asked)
        raise RedisConnectionError(f"no node says who serves what: {problem}")

    async def _ask(self, node: Address) -> list[tuple[int, int, list[Address]]]:
        answer = await self.client(node).execute_command("CLUSTER", "SLOTS")  # type: ignore[no-untyped-call]
        # [[first slot, last slot, [host, port, id, ...] of the master, of a replica, ...], ...]
        return [(int(first), int(last), [_address(found, node) for found in nodes]) for first, last, *nodes in answer]

    async def _keep(self, slots: Sequence[tuple[int, int, list[Address]]]) -> None:
        serving: list[Address | None] = [None] * REDIS_CLUSTER_HASH_SLOTS
        for first, last, (master, *_) in slots:
            serving[first : last + 1] = [master] * (last + 1 - first)
        self._serving = serving
        self._all = frozenset(node for _, _, nodes in slots for node in nodes)
        for gone in self._clients.keys() - self._all - set(self._url.seeds):
            with contextlib.suppress(RedisError, OSError):
                await self._clients.pop(gone).aclose()


def _address(found: Sequence[Any], asked: Address) -> Address:
    """A node as CLUSTER SLOTS gives it. One that does not know its own host is where it was asked."""
    host = (found[0] or b"").decode()
    return (host if host not in ("", "?") else asked[0], int(found[1]))
