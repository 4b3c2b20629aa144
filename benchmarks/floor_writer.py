"""The process that commits events, as an import or a sequence run does: `python -m benchmarks.floor_writer`.

Orders come as lines of JSON, and each is answered with one: how long it took, which sequence numbers were given, and when each
was committed (seconds of the monotonic clock, which all processes of a machine share).
With PEER=1 what was committed goes out as @socket.io/redis-emitter would send it, else as Ringside does.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import time
from collections.abc import Sequence
from itertools import cycle
from typing import Any
from uuid import UUID, uuid4

import msgpack  # type: ignore[import-untyped]
import orjson
import uvloop
from redis.asyncio import Redis

from benchmarks.cores import LOAD, pin_self
from hub.activities.events import ActivityCreated
from hub.db import Database, DeferredJob, Notifier, tenant_tx
from hub.events import LoggedEvent
from hub.hints import RedisHints
from hub.who import Who

_AT_ONCE = 4
_NOTE = "Spoke with the assistant, who says that they decide in spring; call again then and ask for the new head of purchasing."

# As random as any, and made beforehand: in earnest it is Postgres that makes them, and here it is not what is measured.
_ids = cycle([uuid4() for _ in range(20_000)])


class Told(Notifier):
    """Notes when each event was committed, then tells `next_one`."""

    def __init__(self, next_one: Notifier) -> None:
        self.at: dict[str, list[tuple[int, float]]] = {}
        self._next = next_one

    def committed(self, tenant_id: UUID, events: Sequence[LoggedEvent], jobs: Sequence[DeferredJob]) -> None:
        """Note the time, and pass it on."""
        now = time.monotonic()
        self.at.setdefault(str(tenant_id), []).extend((event.seq, now) for event in events)
        self._next.committed(tenant_id, events, jobs)

    def access_changed(self) -> None:
        """Pass it on."""
        self._next.access_changed()


class Emitter(Notifier):
    """What @socket.io/redis-emitter does: one message an event on the room's channel, all of a transaction in one pipeline."""

    def __init__(self, redis_url: str) -> None:
        self._redis: Redis = Redis.from_url(redis_url)
        self._waiting: asyncio.Queue[tuple[UUID, Sequence[LoggedEvent]]] = asyncio.Queue()
        self._task = asyncio.get_running_loop().create_task(self._send())

    def committed(self, tenant_id: UUID, events: Sequence[LoggedEvent], jobs: Sequence[DeferredJob]) -> None:
        """Queue them; they go out in order."""
        self._waiting.put_nowait((tenant_id, events))

    def access_changed(self) -> None:
        """Nobody is told here."""

    async def _send(self) -> None:
        while True:
            batch = [await self._waiting.get()]
            while not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            async with self._redis.pipeline(transaction=False) as pipe:
                for tenant_id, events in batch:
                    opts = {"rooms": [str(tenant_id)], "except": [], "flags": {}}
                    for event in events:
                        packet = {"type": 2, "data": ["event", orjson.loads(event.frame)], "nsp": "/"}
                        pipe.publish(f"socket.io#/#{tenant_id}#", msgpack.packb(["emitter", packet, opts]))
                await pipe.execute()

    async def stop(self) -> None:
        """Let go of Redis."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._redis.aclose()


def _happened() -> ActivityCreated:
    activity_id = next(_ids)
    activity = {"id": activity_id, "contact_id": next(_ids), "kind": "note", "body": _NOTE}
    return ActivityCreated(activity_id, {"activity": activity})


async def commit(db: Database, tenant_id: UUID, events: int) -> None:
    """One transaction with so many events."""
    async with tenant_tx(db, Who.system(tenant_id)) as tx:
        for _ in range(events):
            tx.emit(_happened())


async def burst(db: Database, tenants: Sequence[UUID], events: int, batch: int) -> None:
    """So many events of each tenant, as fast as they go, so many a transaction."""
    room = asyncio.Semaphore(_AT_ONCE)

    async def step(tenant_id: UUID, size: int) -> None:
        async with room:
            await commit(db, tenant_id, size)

    for start in range(0, events, batch):
        await asyncio.gather(*(step(tenant_id, min(batch, events - start)) for tenant_id in tenants))


async def steady(db: Database, tenants: Sequence[UUID], a_second: float, seconds: float) -> None:
    """So many events a second over all tenants, each a transaction of its own."""
    began = time.monotonic()
    for number in range(max(1, int(a_second * seconds))):
        await asyncio.sleep(max(0.0, began + number / a_second - time.monotonic()))
        await commit(db, tenants[number % len(tenants)], 1)


async def obey(order: dict[str, Any], db: Database, told: Told) -> dict[str, Any]:
    """Carry one order out."""
    told.at.clear()
    tenants = [UUID(one) for one in order["tenants"]]
    began = time.monotonic()
    if order["do"] == "burst":
        await burst(db, tenants, order["events"], order["batch"])
    else:
        await steady(db, tenants, order["a_second"], order["seconds"])
    return {"began": began, "ended": time.monotonic(), "at": told.at}


async def main() -> None:
    """Take orders until there are no more."""
    pin_self(LOAD)
    # What it notes of each event would be looked through again and again, and nothing of it is garbage.
    gc.disable()
    hints = Emitter(os.environ["REDIS_URL"]) if os.environ.get("PEER") else RedisHints(os.environ["REDIS_URL"])
    told = Told(hints)
    db = await Database.open(os.environ["DATABASE_URL"], notifier=told, max_size=_AT_ONCE, name="ringside bench writer")
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    try:
        while line := await orders.readline():
            sys.stdout.buffer.write(orjson.dumps(await obey(orjson.loads(line), db, told)) + b"\n")
            sys.stdout.buffer.flush()
    finally:
        await hints.stop()
        await db.close()


if __name__ == "__main__":
    uvloop.run(main())
