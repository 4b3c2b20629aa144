"""The benchmark of webhooks, small: a worker that hears what happens sends it at once, and what is wrong is noticed."""

from __future__ import annotations

import asyncio

import pytest

from benchmarks.hooks import Trouble, at_once, calm, join, open_field, until_heard
from tests.conftest import TestDatabase
from tests.harness import make_settings
from workers import outgoing
from workers.job import Registry
from workers.run import Crew, run_worker


async def test_what_happens_is_sent_at_once_whatever_hangs(database: TestDatabase, valkey_url: str) -> None:
    settings = make_settings(database.app_url, valkey_url, private_webhook_hosts=True, worker_jobs=2)
    async with open_field(settings) as place:
        await join(place, 2, hanging=False)
        await join(place, 1, hanging=True)
        stop = asyncio.Event()
        # No duty looks around: only what is heard is sent.
        worker = asyncio.create_task(run_worker(settings, stop=stop, crew=Crew(Registry.of(outgoing), (), grace_s=0.0)))
        try:
            await until_heard(place, settings)
            assert len(await calm(place, 60, 0.2)) == 8, "of twelve, four are for the one that hangs"
            assert await at_once(place, 40) > 0
            place.told.at[str(place.answering[0])] = [("of an event that nobody was sent", 0.0)]
            with pytest.raises(Trouble, match="0 of 1 arrived"):
                await place.arrived(0.1)
        finally:
            stop.set()
            await worker
