"""Whatever dies, and whenever: each step is taken once."""

from __future__ import annotations

import pytest

from hub.mail import delivering
from tests.conftest import TestDatabase
from tests.mail.kit import letter
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


async def test_a_mail_that_was_about_to_go_out_does_not_after_an_answer(database: TestDatabase) -> None:
    async with a_carnage(database, contacts=1) as ground:
        await ground.live(None)
        await ground.go_on()
        await ground.live(None)
        assert len(ground.sandbox.sent) == 1
        # The second mail: its intent is written down, and its worker dies before it says a word to the provider.
        await ground.heal()
        await ground.live(None)
        await ground.go_on()
        life = await ground.live(1, "requests", heals=False)
        assert life.where == "before send"
        # Meanwhile they answer, and another worker takes that in.
        (mail,) = ground.sandbox.sent
        answer = letter(
            "Re: First", from_=mail.head.to[0], to=mail.mailbox, in_reply_to=mail.message_id, references=mail.message_id
        )
        ground.sandbox.deliver(mail.mailbox, answer)
        await ground.sync()
        await ground.live(None)
        assert await ground.admin.fetchval("SELECT state FROM enrolments") == "stopped"
        await ground.in_peace()
        assert len(ground.sandbox.sent) == 1
        assert await ground.admin.fetchval("SELECT array_agg(state ORDER BY created_at) FROM mail_sends") == ["sent", "canceled"]
