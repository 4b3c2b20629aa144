"""A rep who works in a queue goes on to the next contact while the message is still being left."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from hub.db import Database, tenant_tx
from hub.recordings.sound import Sound
from hub.voicemail.actions import keep_drop, leave_drop
from tests.conftest import Company
from tests.dialer.kit import Desk


@pytest.fixture
async def desk(db: Database, acme: Company) -> Desk:
    return Desk(db, acme)


async def test_the_session_goes_on_at_once_and_accounts_for_the_call_once(desk: Desk) -> None:
    queue_id = await desk.queue(await desk.contacts(3), countdown_s=0)
    session = await desk.join(queue_id)
    dialing = await desk.act("dial", UUID(session["id"]))
    first = dialing["call_id"]
    await desk.call(first, "dialing", "ringing", "in_progress", answered_by="machine_end_beep")
    assert (await desk.look(session["id"]))["state"] == "talking"
    drop_id = uuid4()
    async with tenant_tx(desk.db, desk.who) as tx:
        await keep_drop(tx, drop_id, "Sorry I missed you", False, Sound("audio/wav", 2000, 1), "drops/x.wav", 1)
        await leave_drop(tx, UUID(first), drop_id)
    next_one = await desk.look(session["id"])
    assert next_one["state"] == "dialing"
    assert next_one["call_id"] != first
    [item] = [item for item in (await desk.items(queue_id)).values() if item["last_outcome"] is not None]
    assert (item["last_outcome"], item["attempts"]) == ("voicemail", 1)
    changed_at = item["changed_at"]
    await desk.call(first, "completed")
    after = await desk.look(session["id"])
    assert (after["state"], after["call_id"]) == ("dialing", next_one["call_id"])
    [item] = [item for item in (await desk.items(queue_id)).values() if item["last_outcome"] is not None]
    assert item["changed_at"] == changed_at
    [abandoned] = await desk.fetch("SELECT count(*) FROM dial_attempts WHERE tenant_id = :tenant_id AND abandoned_at IS NOT NULL")
    assert abandoned["count"] == 0
