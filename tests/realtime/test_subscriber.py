"""The ear on Redis ends as a whole, whenever it is told to."""

from __future__ import annotations

import asyncio

from hub.realtime.subscriber import Subscriber


async def test_whoever_is_cancelled_while_the_ear_is_stopped_leaves_nothing_running(valkey_url: str) -> None:
    before = asyncio.all_tasks()
    for heard in (True, False):
        fresh = asyncio.Event()
        subscriber = Subscriber(valkey_url, on_hint=lambda *_: None, on_access=lambda: None, on_fresh=fresh.set)
        subscriber.start()
        if heard:
            await fresh.wait()
        stopping = asyncio.create_task(subscriber.stop())
        while not stopping.done():
            await asyncio.sleep(0)
            stopping.cancel()

        assert [task for task in asyncio.all_tasks() - before - {stopping} if not task.done()] == []
