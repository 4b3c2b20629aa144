"""The attempts on Redis: what is said of a canary goes over channels of its own, and no shared key keeps what is its own."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

from hub import hints
from hub.canary.attempts import Attempt
from hub.canary.pair import Canary
from hub.canary.sockets import chirp
from hub.db import Database
from hub.ending import end_task
from hub.redis import Nodes, is_cluster
from hub.shards import Shards

NextMessage = Callable[[], Awaitable[tuple[str, bytes]]]

_PATIENCE_S = 3.0
# So much of Redis is looked through; what is kept for long is seen by one of the next looks.
_KEYS = 2_000
_VALUE_BYTES = 65_536
_HEAR = "hear the other's events on a channel that is not the other's"


async def try_redis(db: Database, redis: Redis, own: Canary, other: Canary, *, url: str = "redis://") -> list[Attempt]:
    """Listen to everything while something happens in the other, and look for its mark under keys that are not its own.

    `url` says whether `redis` is a cluster's client. While Redis is down, nothing can be seen in it.
    """
    try:
        async with _listen_to_nodes(url, own) if is_cluster(url) else _listen(redis) as next_message:
            heard = await _channels(db, next_message, own, other)
        return [heard, await _keys(redis, other)]
    except (RedisError, OSError, TimeoutError) as problem:
        return [
            Attempt.judged("redis", "channels and keys", f"Redis is down: {problem or type(problem).__name__}", breached=False)
        ]


@asynccontextmanager
async def _listen(redis: Redis) -> AsyncIterator[NextMessage]:
    """To every channel there is."""
    async with redis.pubsub() as listening:
        await listening.psubscribe("*")
        # Its answer: what is published before Redis has taken that in is not heard.
        await listening.get_message(timeout=_PATIENCE_S)

        async def next_message() -> tuple[str, bytes]:
            while True:
                message = await listening.get_message(ignore_subscribe_messages=True, timeout=_PATIENCE_S)
                if message is not None and isinstance(message["data"], bytes):
                    return message["channel"].decode(), message["data"]

        yield next_message


@asynccontextmanager
async def _listen_to_nodes(url: str, own: Canary) -> AsyncIterator[NextMessage]:
    """To every sharded channel that anybody listens to, and to one's own: no pattern goes for them."""
    async with contextlib.aclosing(Nodes(url)) as nodes:
        await nodes.look()
        wanted = {hints.events_channel(own.tenant_id), hints.ACCESS_CHANNEL}
        for node in nodes.masters:
            found = await nodes.client(node).execute_command("PUBSUB", "SHARDCHANNELS")  # type: ignore[no-untyped-call]
            wanted |= {name.decode() for name in found}
        heard: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        ready = asyncio.Event()
        shards = Shards(
            nodes,
            lambda: wanted,
            on_message=lambda channel, data: heard.put_nowait((channel, data)),
            on_fresh=lambda: None,
            on_state=lambda problem: ready.set() if problem is None else None,
        )
        listening = asyncio.create_task(shards.run(), name="canary")
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await ready.wait()
            yield heard.get
        finally:
            await end_task(listening)


async def _channels(db: Database, next_message: NextMessage, own: Canary, other: Canary) -> Attempt:
    note = f"heard{time.time_ns()}".encode()
    places: set[str] = set()
    await chirp(db, other, note.decode())
    await chirp(db, own, f"own{note.decode()}")
    try:
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                channel, data = await next_message()
                if b"own" + note in data:
                    break
                if note in data:
                    places.add(channel)
    except TimeoutError:
        return Attempt.left_out("redis", _HEAR, "not even one's own events were heard")
    shared = sorted(place for place in places if str(other.tenant_id) not in place)
    words = f"heard on {', '.join(shared)}" if shared else "each company has its own"
    return Attempt.judged("redis", _HEAR, words, breached=bool(shared))


async def _keys(redis: Redis, other: Canary) -> Attempt:
    seen, shared = 0, []
    async for key in redis.scan_iter(count=500):
        seen += 1
        if seen > _KEYS:
            break
        if str(other.tenant_id).encode() not in key and other.mark.encode() in await _value(redis, key):
            shared.append(key.decode(errors="replace"))
    words = f"in {', '.join(shared[:3])}" if shared else f"in none of {min(seen, _KEYS)} keys"
    return Attempt.judged("redis", "what is the other's under a key that is not the other's", words, breached=bool(shared))


async def _value(redis: Redis, key: bytes) -> bytes:
    name = key.decode(errors="surrogateescape")
    kind = bytes(await redis.type(name))
    if kind == b"string":
        return bytes(await redis.getrange(name, 0, _VALUE_BYTES) or b"")
    if kind == b"hash":
        _, pairs = await cast(Awaitable[Any], redis.hscan(name, count=100))
        return b"\n".join(pairs.values())
    if kind == b"list":
        return b"\n".join(await cast(Awaitable[Any], redis.lrange(name, 0, 100)))
    return b""
