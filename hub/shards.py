"""Hears sharded channels of a Redis Cluster: a connection to each node that serves some of them, and none for all.

redis-py's asyncio client knows no sharded pub/sub. What is missed while a node is lost, or while its slots move, was never more
than a hint.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable

import structlog
from redis.asyncio import Redis
from redis.asyncio.connection import Connection
from redis.exceptions import RedisError

from hub.ending import end_tasks
from hub.redis import Address, Nodes

RETRY_S = 0.25
_SILENCE_S = 5.0
# A node that was cut off from its cluster still answers, and is silent: only the others know that it serves nothing any more.
_LOOK_S = 5.0
_log = structlog.get_logger(__name__)

Heard = Callable[[str, bytes], None]


class Shard:
    """The connection to one node. It ends with an error when the node is lost or serves one of the channels no longer."""

    def __init__(self, redis: Redis, on_message: Heard, on_fresh: Callable[[], None]) -> None:
        self._redis = redis
        self._on_message = on_message
        self._on_fresh = on_fresh
        self._wanted: frozenset[str] = frozenset()
        self._confirmed: set[str] = set()
        self._changed = asyncio.Event()

    @property
    def hears_all(self) -> bool:
        """Does it hear what it should?"""
        return self._wanted <= self._confirmed

    def want(self, channels: Iterable[str]) -> None:
        """Hear these from now on, and no others."""
        wanted = frozenset(channels)
        if wanted != self._wanted:
            self._wanted = wanted
            self._changed.set()

    async def run(self) -> None:
        """Hear until cancelled. Raises RedisError, OSError or TimeoutError."""
        connection: Connection = self._redis.connection_pool.make_connection()  # type: ignore[no-untyped-call]
        both: set[asyncio.Task[None]] = set()
        try:
            await connection.connect()  # type: ignore[no-untyped-call]
            both = {asyncio.create_task(self._follow_wishes(connection)), asyncio.create_task(self._read(connection))}
            done, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._confirmed.clear()
            await end_tasks(*both)
            await connection.disconnect(nowait=True)

    async def _follow_wishes(self, connection: Connection) -> None:
        asked: frozenset[str] = frozenset()
        while True:
            wanted = self._wanted
            # Each in a command of its own: those of one command must be in one slot.
            commands = [("SSUBSCRIBE", name) for name in wanted - asked] + [("SUNSUBSCRIBE", name) for name in asked - wanted]
            if commands:
                await connection.send_packed_command(connection.pack_commands(commands))
            asked = wanted
            await self._changed.wait()
            self._changed.clear()

    async def _read(self, connection: Connection) -> None:
        quiet = 0
        while True:
            answer = await connection.read_response(timeout=_SILENCE_S, disconnect_on_error=False)
            if answer is None:
                # A connection that died without a word gives no error: ask for one.
                quiet += 1
                if quiet > 1:
                    raise TimeoutError("no answer to a ping")
                await connection.send_command("PING")
                continue
            quiet = 0
            if isinstance(answer, list):
                self._hear(*answer)

    def _hear(self, kind: bytes, channel: bytes, data: object = None) -> None:
        if kind == b"smessage" and isinstance(data, bytes):
            self._on_message(channel.decode(), data)
        elif kind == b"ssubscribe":
            self._confirmed.add(channel.decode())
            self._on_fresh()
        elif kind == b"sunsubscribe":
            name = channel.decode()
            self._confirmed.discard(name)
            if name in self._wanted:
                raise RedisError("a slot was moved to another node")


class Shards:
    """Hears the wanted channels wherever they are served.

    `wanted` is asked after each `changed`. `on_fresh` is called when a channel begins to be heard: what was published before was
    missed. `on_state` hears whether all are.
    """

    def __init__(
        self,
        nodes: Nodes,
        wanted: Callable[[], Iterable[str]],
        *,
        on_message: Heard,
        on_fresh: Callable[[], None],
        on_state: Callable[[str | None], None],
    ) -> None:
        self._nodes = nodes
        self._wanted = wanted
        self._on_message = on_message
        self._on_fresh = on_fresh
        self._on_state = on_state
        self._shards: dict[Address, tuple[Shard, asyncio.Task[None]]] = {}
        self._changed = asyncio.Event()
        self._problem: str | None = None

    def changed(self) -> None:
        """Look at what is wanted again."""
        self._changed.set()

    async def run(self) -> None:
        """Hear until cancelled, whatever becomes of the nodes."""
        look = True
        try:
            while True:
                try:
                    if look:
                        await self._nodes.look()
                    await self._place()
                    look = not await self._something_changes()
                except (RedisError, OSError, TimeoutError) as exc:
                    self._lose(exc)
                except Exception as exc:
                    _log.exception("hints could not be heard")
                    self._lose(exc)
                if self._problem is not None:
                    # Somebody was lost; his replica takes a moment.
                    await asyncio.sleep(RETRY_S)
                    self._problem, look = None, True
        finally:
            await end_tasks(*(task for _, task in self._shards.values()))

    async def _something_changes(self) -> bool:
        """False when nothing did for long enough to look anew."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_S):
                await self._changed.wait()
                self._changed.clear()
                return True
        return False

    async def _place(self) -> None:
        places: dict[Address, set[str]] = {}
        for channel in self._wanted():
            node = self._nodes.serving(channel)
            if node is None:
                self._lose(RedisError("nobody serves a slot of the cluster"))
            else:
                places.setdefault(node, set()).add(channel)
        left = [self._shards.pop(node)[1] for node in self._shards.keys() - places.keys()]
        for node, channels in places.items():
            if node not in self._shards:
                shard = Shard(self._nodes.client(node), self._on_message, self._freshly)
                task = asyncio.create_task(self._hear(node, shard), name="shard")
                self._shards[node] = (shard, task)
            self._shards[node][0].want(channels)
        await end_tasks(*left)

    async def _hear(self, node: Address, shard: Shard) -> None:
        try:
            await shard.run()
        except (RedisError, OSError, TimeoutError) as exc:
            self._lose(exc)
        except Exception as exc:
            _log.exception("a node's hints could not be heard")
            self._lose(exc)
        finally:
            if self._shards.get(node, (None,))[0] is shard:
                del self._shards[node]

    def _freshly(self) -> None:
        if all(shard.hears_all for shard, _ in self._shards.values()):
            self._on_state(None)
        self._on_fresh()

    def _lose(self, problem: Exception) -> None:
        self._problem = str(problem) or repr(problem)
        self._on_state(self._problem)
        self._changed.set()
