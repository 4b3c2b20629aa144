"""Recording real calls at the sandbox: from the answer to the file in the store."""

from __future__ import annotations

import io
import wave
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
from twilio.request_validator import RequestValidator

from hub.db import tenant_tx
from hub.recordings import running
from hub.sqlfiles import Statement
from tests.conftest import Company
from tests.harness import Answer, Api, RunningHub, until
from tests.recordings.kit import audited
from tests.stack import Stack

NEVER_ENDS = "+12025550154"
DROPS = "+12125550109"
ACTIONS = Statement(
    "actions", "SELECT action FROM call_audit WHERE tenant_id = :tenant_id AND call_id = :call_id ORDER BY at, id"
)


@pytest.fixture
async def server(stack: Stack) -> RunningHub:
    return stack.server


async def settle(stack: Stack, company: Company, **wanted: Any) -> None:
    admin = stack.server.as_member(company, "admin")
    now = (await admin.get("/voice/settings")).body
    answer = await admin.put("/voice/settings", now | wanted)
    assert answer.status == 200, answer.body


async def place(api: Api, number: str) -> str:
    contact = (await api.post("/contacts", {"first_name": "Ada", "phones": [{"e164": number}]})).body["id"]
    asked = {"contact_id": contact, "override": {"reason": "a test at any hour"}}
    answer = await api.post("/calls", asked)
    assert answer.status == 201, answer.body
    call_id: str = answer.body["id"]
    return call_id


async def call_is(api: Api, call_id: str, **wanted: Any) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        call: dict[str, Any] = (await api.get(f"/calls/{call_id}")).body
        return call if all(call[name] == value for name, value in wanted.items()) else None

    found: dict[str, Any] = await until(look)
    return found


async def recording_is(api: Api, call_id: str, state: str) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        found = (await api.get(f"/calls/{call_id}/recording")).body["data"]
        return found[-1] if found and found[-1]["state"] == state else None

    recording: dict[str, Any] = await until(look)
    return recording


async def actions(stack: Stack, company: Company, call_id: str) -> list[str]:
    async with tenant_tx(stack.server.hub.db, company.who("owner")) as tx:
        return [row["action"] for row in await tx.fetch(ACTIONS, call_id=UUID(call_id))]


async def test_every_call_is_announced_recorded_stored_and_forgotten_by_the_provider(
    stack: Stack, acme: Company, folder: Path
) -> None:
    owner = stack.server.as_member(acme, "owner")
    await settle(stack, acme, recording="always", announcement="This call is recorded.")
    call_id = await place(owner, NEVER_ENDS)
    call = await call_is(owner, call_id, recording="on")
    assert call["state"] == "in_progress"
    # Our own number is Californian.
    told = (await owner.get(f"/calls/{call_id}/recording")).body
    assert told["must_announce"] and "US-CA wants everybody's consent" in told["explanation"]
    await owner.post(f"/calls/{call_id}/hangup")
    recording = await recording_is(owner, call_id, "stored")
    assert (recording["rule"], recording["channels"]) == ("all_party", 2)
    assert recording["announced_at"] <= recording["started_at"]
    # The provider tells of the recording's end and of the call's, and either may come first.
    await call_is(owner, call_id, recording="off", state="completed")
    async with owner.session.get(
        f"{owner.base}/api/v1/recordings/{recording['id']}/audio", headers={"Authorization": f"Bearer {owner.token}"}
    ) as answer:
        sound = await answer.read()
    with wave.open(io.BytesIO(sound)) as file:
        assert file.getnchannels() == 2
    assert len(sound) == recording["bytes"]

    async def forgotten() -> bool:
        async with tenant_tx(stack.server.hub.db, acme.who("owner")) as tx:
            files = await running.where(tx, UUID(recording["id"]))
        return files is not None and files.sid is None

    await until(forgotten)
    done = await actions(stack, acme, call_id)
    assert done.index("recording.announced") < done.index("recording.started")


async def test_a_rep_asks_pauses_for_a_card_number_and_ends_it(stack: Stack, acme: Company) -> None:
    owner = stack.server.as_member(acme, "owner")
    await settle(stack, acme, recording="ask", announce_recording="never")
    call_id = await place(owner, NEVER_ENDS)
    early = await owner.post(f"/calls/{call_id}/recording", {"state": "on"})
    assert early.status in (202, 409)
    await call_is(owner, call_id, state="in_progress")
    assert (await owner.post(f"/calls/{call_id}/recording", {"state": "on"})).status == 202
    await call_is(owner, call_id, recording="on")
    for wanted in ("paused", "on", "paused"):
        assert (await owner.post(f"/calls/{call_id}/recording", {"state": wanted})).status == 202
        await call_is(owner, call_id, recording=wanted)
    assert (await owner.post(f"/calls/{call_id}/recording", {"state": "off"})).status == 202
    first = await recording_is(owner, call_id, "stored")
    assert first["announced_at"] is None
    assert (await owner.get(f"/calls/{call_id}")).body["state"] == "in_progress", "the call goes on"
    assert (await owner.post(f"/calls/{call_id}/recording", {"state": "paused"})).error == "not_recorded"
    await owner.post(f"/calls/{call_id}/recording", {"state": "on"})
    await call_is(owner, call_id, recording="on")
    await owner.post(f"/calls/{call_id}/hangup")
    second = await recording_is(owner, call_id, "stored")
    assert second["id"] != first["id"]
    done = await actions(stack, acme, call_id)
    assert done.count("recording.paused") == 2


async def test_nothing_is_recorded_where_the_company_does_not(stack: Stack, acme: Company) -> None:
    owner = stack.server.as_member(acme, "owner")
    call_id = await place(owner, NEVER_ENDS)
    await call_is(owner, call_id, state="in_progress")
    refused = await owner.post(f"/calls/{call_id}/recording", {"state": "on"})
    assert (refused.status, refused.error) == (409, "recording_is_off")
    assert (await owner.get(f"/calls/{call_id}/recording")).body["data"] == []


async def signed(stack: Stack, path: str, **fields: str) -> Answer:
    signature = RequestValidator(stack.sandbox.auth_token).compute_signature(stack.settings.public_url + path, fields)
    headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
    return await stack.server.client().call("POST", path, data=urlencode(fields), headers=headers)


async def test_what_was_said_comes_by_callback_and_is_searched(stack: Stack, acme: Company) -> None:
    owner = stack.server.as_member(acme, "owner")
    await settle(stack, acme, recording="always", announce_recording="never")
    call_id = await place(owner, NEVER_ENDS)
    await call_is(owner, call_id, recording="on")
    await owner.post(f"/calls/{call_id}/hangup")
    recording = await recording_is(owner, call_id, "stored")
    async with tenant_tx(stack.server.hub.db, acme.who("owner")) as tx:
        sid = await tx.fetchval(
            Statement("sid", "SELECT provider_sid FROM recordings WHERE tenant_id = :tenant_id AND id = :id"),
            id=UUID(recording["id"]),
        )
    path = f"/webhooks/twilio/{acme.tenant_id}/recordings/{recording['id']}/transcription"
    fields = {"TranscriptionStatus": "completed", "TranscriptionText": "Yes, send me the proposal.", "TranscriptionSid": "TR1"}
    forged = await stack.server.client().call("POST", path, data=urlencode(fields | {"RecordingSid": sid}))
    assert forged.status == 403
    other = await signed(stack, path, **fields | {"RecordingSid": "RE" + "0" * 32, "TranscriptionText": "Forget it."})
    assert other.status == 204
    for _ in range(2):
        assert (await signed(stack, path, **fields | {"RecordingSid": sid})).status == 204

    async def transcribed() -> bool:
        return bool((await owner.get("/recordings", q="proposal")).body["data"])

    await until(transcribed)
    found = (await owner.get(f"/recordings/{recording['id']}")).body
    assert (found["has_transcript"], found["transcript"]) == (True, "Yes, send me the proposal.")
    assert (await owner.get("/recordings", q="forget")).body["data"] == []


async def test_what_is_said_is_written_down_but_no_card_number(stack: Stack, acme: Company) -> None:
    owner = stack.server.as_member(acme, "owner")
    await settle(stack, acme, recording="always", announce_recording="never", transcribe_calls=True)
    call_id = await place(owner, NEVER_ENDS)
    await call_is(owner, call_id, recording="on")

    async def pieces() -> list[Any]:
        async with tenant_tx(stack.server.hub.db, acme.who("owner")) as tx:
            return list(await tx.fetch(Statement("p", "SELECT sid, speaker FROM spoken_pieces WHERE tenant_id = :tenant_id")))

    await until(pieces)
    await owner.post(f"/calls/{call_id}/recording", {"state": "paused"})
    await call_is(owner, call_id, recording="paused")
    before = await pieces()
    await owner.post(f"/calls/{call_id}/recording", {"state": "on"})
    await call_is(owner, call_id, recording="on")

    async def another() -> bool:
        return len({row["sid"] for row in await pieces()}) == 2

    await until(another)
    await owner.post(f"/calls/{call_id}/hangup")
    recording = await recording_is(owner, call_id, "stored")

    async def written_down() -> str | None:
        text: str | None = (await owner.get(f"/recordings/{recording['id']}")).body["transcript"]
        return text if text and len(text.splitlines()) >= len(before) + 2 else None

    text = await until(written_down)
    assert f"Contact: Yes, this is {NEVER_ENDS}." in text.splitlines()
    assert any(line.startswith("Us: I call about") for line in text.splitlines())
    [found] = (await owner.get("/recordings", q='"yes this is"')).body["data"]
    assert found["id"] == recording["id"]
    assert (await owner.delete(f"/recordings/{recording['id']}")).status == 204
    assert await pieces() == []


async def test_a_deleted_recording_is_gone_from_the_store(stack: Stack, acme: Company, folder: Path) -> None:
    owner = stack.server.as_member(acme, "owner")
    await settle(stack, acme, recording="always", announce_recording="never")
    call_id = await place(owner, NEVER_ENDS)
    await call_is(owner, call_id, recording="on")
    [under_way] = (await owner.get(f"/calls/{call_id}/recording")).body["data"]
    refused = await owner.delete(f"/recordings/{under_way['id']}")
    assert (refused.status, refused.error) == (409, "recording_under_way")
    await owner.post(f"/calls/{call_id}/hangup")
    await recording_is(owner, call_id, "stored")
    assert len(list(folder.rglob("*.wav"))) == 1
    assert (await owner.delete(f"/recordings/{under_way['id']}")).status == 204

    async def gone() -> bool:
        return not list(folder.rglob("*.wav"))

    await until(gone)
    assert await audited(stack.server.hub.db, acme, UUID(call_id), "recording.deleted")
