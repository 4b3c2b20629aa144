"""Whatever dies, and whenever: each step is taken once."""

from __future__ import annotations

import pytest

from hub.mail import delivering
from tests.conftest import TestDatabase
from tests.sequences.support import a_carnage


@pytest.fixture(autouse=True)
def no_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a dead worker had on its way has arrived when the next one is born: nobody has to wait for it."""
    monkeypatch.setattr(delivering, "DOUBT_S", 0.0)


async def test_a_worker_that_lives_carries_it_out(database: TestDatabase) -> None:
    async with a_carnage(database, contacts=4, answering=1) as ground:
        await ground.in_peace()
        reckoning = await ground.reckon()
    assert reckoning.faults == []
    assert reckoning.sent == 3 * 3 + 1
    assert reckoning.states == {"finished": 3, "stopped": 1}


async def test_two_hundred_workers_die_and_nothing_goes_out_twice_or_never(database: TestDatabase) -> None:
    async with a_carnage(database, contacts=16, answering=4) as ground:
        await ground.run(200)
        reckoning = await ground.reckon()
        seen = ground.deaths
    assert reckoning.faults == []
    assert reckoning.deaths == 200
    assert reckoning.states == {"finished": 12, "stopped": 4}
    assert reckoning.sent >= 12 * 3 + 4
    assert {"before commit", "after commit", "before statement"} <= set(seen)
    assert any(place.endswith(" send") for place in seen), "and with the provider"
