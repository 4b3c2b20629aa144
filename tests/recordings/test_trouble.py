"""When the provider fails, forgets or never says: a recording is stored once, or says why it is not; and its time ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from hub.db import Database, tenant_tx
from hub.recordings import running
from hub.sqlfiles import Statement
from integrations.ports import RecordingState, RecordingUpdate
from integrations.sandbox.twilio.faults import KINDS
from tests.conftest import Company, TestDatabase, make_company
from tests.harness import Api
from tests.recordings.kit import SQL, a_call, a_recording, audited
from tests.recordings.test_calls import call_is, place, recording_is, settle
from tests.stack import Stack, running_stack

NEVER_ENDS = "+12025550154"
STATE = Statement("state", "SELECT state, error, delete_reason FROM recordings WHERE tenant_id = :tenant_id AND id = :id")
PAST = Statement("past", "UPDATE recordings SET keep_until = now() - interval '1 day' WHERE tenant_id = :tenant_id AND id = :id")
SILENT = Statement(
    "silent", "UPDATE recordings SET checked_at = now() - interval '1 hour' WHERE tenant_id = :tenant_id AND id = :id"
)
LONG_OVER = Statement("over", "UPDATE calls SET ended_at = now() - interval '1 hour' WHERE tenant_id = :tenant_id AND id = :id")
FETCHES = Statement(
    "fetches", "SELECT args ->> 'recording_id' AS id FROM jobs WHERE tenant_id = :tenant_id AND kind = 'recordings.fetch'"
)
SIDS = Statement("sids", "SELECT provider_sid FROM recordings WHERE tenant_id = :tenant_id")


@pytest.fixture
async def stack(database: TestDatabase, valkey_url: str, folder: Path) -> AsyncIterator[Stack]:
    async with running_stack(database.app_url, valkey_url, objects=str(folder)) as running_now, running_now.worker():
        yield running_now


async def fault(stack: Stack, operation: str, kind: str, times: int) -> None:
    assert kind in KINDS
    asked = {"operation": operation, "kind": kind, "times": times}
    async with stack.server.client().session.post(f"{stack.sandbox.url}/_sandbox/faults", json=asked) as answer:
        assert answer.status < 300, await answer.text()


async def recorded_call(stack: Stack) -> tuple[Api, str]:
    acme = await make_company(stack.server.hub.db, "Acme")
    owner = stack.server.as_member(acme, "owner")
    await settle(stack, acme, recording="always", announce_recording="never")
    return owner, await place(owner, NEVER_ENDS)


async def test_a_broken_download_is_repeated_and_stored_once(stack: Stack, folder: Path) -> None:
    owner, call_id = await recorded_call(stack)
    await call_is(owner, call_id, recording="on")
    await fault(stack, "recordings.download", "500", 2)
    await owner.post(f"/calls/{call_id}/hangup")
    recording = await recording_is(owner, call_id, "stored")
    [file] = folder.rglob("*.wav")
    assert file.stat().st_size == recording["bytes"]


async def test_a_start_whose_answer_was_lost_records_once(stack: Stack) -> None:
    await fault(stack, "recordings.create", "lost", 1)
    owner, call_id = await recorded_call(stack)
    await call_is(owner, call_id, recording="on")
    await owner.post(f"/calls/{call_id}/hangup")
    await recording_is(owner, call_id, "stored")
    assert len((await owner.get(f"/calls/{call_id}/recording")).body["data"]) == 1


async def test_what_the_contact_could_not_be_told_of_is_not_recorded(stack: Stack) -> None:
    acme = await make_company(stack.server.hub.db, "Acme")
    owner = stack.server.as_member(acme, "owner")
    await settle(stack, acme, recording="ask", announce_recording="always")
    call_id = await place(owner, NEVER_ENDS)
    await call_is(owner, call_id, state="in_progress")
    await fault(stack, "participants.update", "500", 100)
    assert (await owner.post(f"/calls/{call_id}/recording", {"state": "on"})).status == 202
    failed = await recording_is(owner, call_id, "failed")
    assert failed["error"] and failed["announced_at"] is None
    assert (await owner.get(f"/calls/{call_id}")).body["recording"] == "off"
    async with tenant_tx(stack.server.hub.db, acme.who("owner")) as tx:
        assert [row["provider_sid"] for row in await tx.fetch(SIDS)] == [None]


async def test_a_recordings_time_ends(db: Database, acme_here: Company) -> None:
    call = await a_call(db, acme_here)
    kept, over = await a_recording(db, acme_here), await a_recording(db, acme_here, call=call, said="long ago")
    who = acme_here.who("owner")
    async with tenant_tx(db, who) as tx:
        await tx.execute(PAST, id=over)
    assert await running.delete_expired(db) == 1
    assert await running.delete_expired(db) == 0
    async with tenant_tx(db, who) as tx:
        assert [(await tx.fetchrow(STATE, id=each))["state"] for each in (kept, over)] == ["stored", "deleted"]  # type: ignore[index]
        assert (await tx.fetchrow(STATE, id=over))["delete_reason"] == "retention"  # type: ignore[index]
    assert await audited(db, acme_here, call, "recording.deleted") == [(None, str(over))]


async def test_what_was_never_heard_of_again_is_settled(db: Database, acme_here: Company) -> None:
    who = acme_here.who("owner")
    never_begun, unfinished, fresh = [await a_call(db, acme_here) for _ in range(3)]
    ids: list[UUID] = []
    async with tenant_tx(db, who) as tx:
        for call in (never_begun, unfinished, fresh):
            ids.append(await tx.fetchval(SQL["insert_recording"], call_id=call, rule="one_party", places=[]))
            await tx.execute(SILENT, id=ids[-1])
        for call in (never_begun, unfinished):
            await tx.execute(LONG_OVER, id=call)
        await tx.execute(SQL["adopt_recording"], id=ids[1], sid="RE1")
        await tx.execute(SILENT, id=ids[1])
    assert await running.settle_silent(db) == 2
    async with tenant_tx(db, who) as tx:
        found = [await tx.fetchrow(STATE, id=each) for each in ids]
        assert [row["state"] for row in found if row] == ["failed", "fetching", "starting"]
        assert found[0] and "never said" in found[0]["error"]
        assert [row["id"] for row in await tx.fetch(FETCHES)] == [str(ids[1])]
    assert await running.settle_silent(db) == 0


async def test_callbacks_that_are_late_repeated_or_about_another_change_nothing(db: Database, acme_here: Company) -> None:
    who = acme_here.who("owner")
    recording = await a_recording(db, acme_here)
    async with tenant_tx(db, who) as tx:
        sid = (await tx.fetch(SIDS))[0]["provider_sid"]
        statuses: tuple[RecordingState, ...] = ("recording", "completed", "absent", "failed")
        for status in statuses:
            for told in (sid, "RE" + "0" * 32):
                update = RecordingUpdate(told, None, status, 5, 2, None)
                await running.hear(tx, recording, update)
        assert not await running.hear(tx, UUID(int=5), RecordingUpdate(sid, None, "completed", 5, 2, None))
        assert not await running.hear(tx, recording, RecordingUpdate(sid, "CA" + "0" * 32, "completed", 5, 2, None))
        row = await tx.fetchrow(STATE, id=recording)
    assert row and row["state"] == "stored"


@pytest.fixture
async def acme_here(db: Database) -> Company:
    return await make_company(db, "Acme")
