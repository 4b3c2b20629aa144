"""An import beside other companies' work: the same result, and room left for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from uuid import UUID

import pytest

from hub.db import Database, Tx
from hub.imports import actions, running
from hub.imports.people import Batch
from hub.imports.writing import Findable
from tests.conftest import Company
from tests.imports.kit import Held, all_contacts, as_csv, put_file, seen
from tests.patience import PATIENCE_S

ROWS = 40


class Watched(Held):
    """A lease that counts how many of its transactions are open at once."""

    open = most = 0

    @asynccontextmanager
    async def tx(self) -> AsyncIterator[Tx]:
        """An ordinary transaction."""
        async with super().tx() as tx:
            self.open += 1
            self.most = max(self.most, self.open)
            try:
                yield tx
            finally:
                self.open -= 1

    finish = tx


async def test_beside_others_an_import_does_one_thing_at_a_time_in_small_pieces_and_rests(
    db: Database, acme: Company, globex: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "BATCH_ROWS", 20)
    monkeypatch.setattr(running, "GENTLE_BATCH_ROWS", 10)
    starts: list[int] = []
    rests: list[float] = []
    insert, index = actions.import_batch, actions.make_findable
    indexed, second = asyncio.Event(), asyncio.Event()

    async def inserting(tx: Tx, import_id: object, batch: Batch, *more: object, **named: object) -> object:
        starts.append(batch.start)
        if batch.start:
            await indexed.wait()
            second.set()
        return await insert(tx, import_id, batch, *more, **named)  # type: ignore[arg-type]

    async def indexing(tx: Tx, import_id: UUID, start: int, new: Findable) -> None:
        if start == 0:
            indexed.set()
            await second.wait()
        await index(tx, import_id, start, new)

    async def resting(took_s: float) -> None:
        rests.append(took_s)

    monkeypatch.setattr(actions, "import_batch", inserting)
    monkeypatch.setattr(running, "_rest", resting)
    # What is in is made findable while the next rows go in: else these two would wait for each other for ever.
    monkeypatch.setattr(actions, "make_findable", indexing)
    data = as_csv(("First Name", "Email"), *([f"Zo\u00eb {n}", f"a{n}@x.com"] for n in range(ROWS)))

    alone = Watched(db, acme.tenant_id)
    import_id = await put_file(db, acme.who(), data)
    async with asyncio.timeout(PATIENCE_S):
        await running.run_import(alone, import_id)
    assert (await seen(db, acme, import_id))["created"] == ROWS
    assert starts == [0, 20]
    assert alone.most == 2
    assert rests == []

    monkeypatch.setattr(actions, "make_findable", index)
    starts.clear()
    beside = Watched(db, globex.tenant_id, beside_others=True)
    import_id = await put_file(db, globex.who(), data)
    await running.run_import(beside, import_id)
    assert (await seen(db, globex, import_id))["created"] == ROWS
    assert starts == [0, 10, 20, 30]
    assert beside.most == 1
    assert len(rests) == 4 and min(rests) > 0
    theirs, ours = await all_contacts(db, globex), await all_contacts(db, acme)
    assert [(one["first_name"], one["terms"]) for one in theirs] == [(one["first_name"], one["terms"]) for one in ours]


async def test_the_rest_is_in_proportion_and_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def sleeping(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleeping)
    for took_s in (0.01, 0.1, 60.0):
        await running._rest(took_s)
    assert all(before < after for before, after in pairwise(slept))
    assert slept[1] > 0.1, "more than half of the time is the others'"
    assert slept[2] < 2, "the lease holds meanwhile"


def test_the_first_progress_is_told_on_a_machine_that_has_just_started(monkeypatch: pytest.MonkeyPatch) -> None:
    class JustStarted:
        now_s = 0.0

        def monotonic(self) -> float:
            return self.now_s

    machine = JustStarted()
    monkeypatch.setattr(running, "time", machine)
    clock = running._Clock()
    assert clock.is_time()
    assert not clock.is_time(), "once is enough for a while"
    machine.now_s = running._PROGRESS_EVERY_S
    assert clock.is_time()
