"""Leaving a message on a machine: the rep is away at once, the contact's leg hears it, the call ends by itself."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from hub.db import tenant_tx
from hub.sqlfiles import Statement
from tests.conftest import Company
from tests.harness import Api, RunningHub, until
from tests.recordings.kit import wav
from tests.recordings.test_calls import actions, call_is, place, settle
from tests.recordings.test_drops import keep
from tests.stack import Stack

NEVER_ENDS, NEVER_ENDS_EITHER = "+12025550154", "+12025550159"
ABANDONED = Statement("abandoned", "SELECT abandoned_at, holds_rep FROM calls WHERE tenant_id = :tenant_id AND id = :id")


@pytest.fixture
async def server(stack: Stack) -> RunningHub:
    return stack.server


@pytest.fixture
async def owner(stack: Stack, acme: Company) -> Api:
    return stack.server.as_member(acme, "owner")


async def a_drop(api: Api, **more: str) -> str:
    answer = await keep(api, wav(2.0), name="Sorry I missed you", **more)
    assert answer.status == 201, answer.body
    drop_id: str = answer.body["id"]
    return drop_id


async def events(api: Api, kind: str) -> list[dict[str, Any]]:
    found = (await api.get("/events", after=0, limit=500)).body["data"]
    return [event for event in found if event["type"] == kind]


async def test_the_rep_is_away_at_once_and_the_call_ends_after_the_message(stack: Stack, acme: Company, owner: Api) -> None:
    await settle(stack, acme, recording="off")
    drop = await a_drop(owner)
    call_id = await place(owner, NEVER_ENDS)
    await call_is(owner, call_id, state="in_progress")
    left = await owner.post(f"/calls/{call_id}/drop", {"drop_id": drop})
    assert left.status == 202, left.body
    assert (left.body["state"], left.body["disposition"], left.body["legs"]) == ("in_progress", "left_voicemail", [])
    # The rep may call the next one while the message is still playing.
    next_call = await place(owner, NEVER_ENDS_EITHER)
    call = await call_is(owner, call_id, state="completed")
    assert (call["outcome"], call["disposition"], call["error"]) == ("voicemail", "left_voicemail", None)
    assert (await owner.get(f"/calls/{next_call}")).body["state"] in ("queued", "dialing", "ringing", "in_progress")
    contact = next(each for each in stack.sandbox.calls if each.to == NEVER_ENDS)
    assert any("/media/voicemail-drops/" in heard for heard in contact.heard), contact.heard
    assert "voicemail_dropped" in await actions(stack, acme, call_id)
    [event] = await events(owner, "call.voicemail_dropped")
    assert (event["data"]["call"]["id"], event["data"]["voicemail_drop"]["id"]) == (call_id, drop)
    async with tenant_tx(stack.server.hub.db, acme.who("owner")) as tx:
        row = await tx.fetchrow(ABANDONED, id=UUID(call_id))
    assert row is not None and row["abandoned_at"] is None and not row["holds_rep"]

    async def alone() -> bool:
        return not [each for each in stack.sandbox.calls if not each.is_over and each.to.startswith("client:sim")][1:]

    await until(alone)


async def test_a_message_is_left_once_in_a_call_that_was_answered(stack: Stack, acme: Company, owner: Api) -> None:
    drop = await a_drop(owner)
    rep = stack.server.as_member(acme, "rep")
    call_id = await place(owner, NEVER_ENDS)
    await call_is(owner, call_id, state="in_progress")
    assert (await rep.post(f"/calls/{call_id}/drop", {"drop_id": drop})).status == 403
    unknown = await owner.post(f"/calls/{call_id}/drop", {"drop_id": str(UUID(int=1))})
    assert (unknown.status, unknown.error) == (404, "voicemail_drop_not_found")
    assert (await owner.get(f"/calls/{call_id}")).body["disposition"] is None, "nothing has happened"
    assert (await owner.post(f"/calls/{call_id}/drop", {"drop_id": drop})).status == 202
    again = await owner.post(f"/calls/{call_id}/drop", {"drop_id": drop})
    assert (again.status, again.error) in [(409, "drop_under_way"), (409, "call_is_over")]
    await call_is(owner, call_id, state="completed")
    over = await owner.post(f"/calls/{call_id}/drop", {"drop_id": drop})
    assert (over.status, over.error) == (409, "call_is_over")


async def test_without_such_a_disposition_the_rep_wraps_up(stack: Stack, acme: Company, owner: Api) -> None:
    assert (await owner.delete("/dispositions/left_voicemail")).status in (200, 204)
    drop = await a_drop(owner)
    call_id = await place(owner, NEVER_ENDS)
    await call_is(owner, call_id, state="in_progress")
    left = await owner.post(f"/calls/{call_id}/drop", {"drop_id": drop})
    assert (left.status, left.body["disposition"]) == (202, None)
    call = await call_is(owner, call_id, state="completed")
    assert (call["outcome"], call["disposition"]) == ("voicemail", None)
