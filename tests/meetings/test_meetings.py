"""Meetings as people work with them, over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from hub.db import Database, tenant_tx
from hub.permits.actions import suppress
from hub.sqlfiles import Statement
from tests.conftest import Company
from tests.harness import RunningHub
from tests.meetings import kit
from tests.meetings.kit import a_contact_with_mail, a_mailbox, an_invitation_of_theirs

TIMES = {"start_at": "2031-03-04T15:00:00Z", "end_at": "2031-03-04T15:30:00Z"}
GIVEN = {"summary": "Demo <b>", "location": "Room 4", "note": "Bring tea", **TIMES}

_SENDS = Statement(
    "sends", "SELECT subject, html, invitation, source, contact_id, follows_send_id, reply_to_message_id"
    " FROM mail_sends WHERE tenant_id = :tenant_id ORDER BY created_at",
)  # fmt: skip


@pytest.fixture
async def rep_mailbox(db: Database, acme: Company) -> UUID:
    return await a_mailbox(db, acme, "rep")


async def sends(db: Database, acme: Company) -> list[Any]:
    async with tenant_tx(db, acme.who("owner")) as tx:
        return await tx.fetch(_SENDS)


async def test_an_invitation_goes_out_and_the_meeting_waits_for_an_answer(
    server: RunningHub, db: Database, acme: Company, rep_mailbox: UUID
) -> None:
    contact_id = await a_contact_with_mail(db, acme)
    made = await server.as_member(acme).post(f"/contacts/{contact_id}/meetings", GIVEN)
    assert (made.status, made.body["state"], made.body["direction"]) == (201, "tentative", "outbound")
    assert made.body["attendees"][0]["status"] == "needs-action"
    (sent,) = await sends(db, acme)
    assert (sent["source"], sent["contact_id"]) == ("meeting", contact_id)
    assert "METHOD:REQUEST" in sent["invitation"]
    assert "Demo &lt;b&gt;" in sent["html"]
    told = await kit.events_of(db, acme, "meeting.")
    assert [(kind, data["meeting"]) for kind, _, data in told] == [("meeting.planned", made.body)]
    timeline = (await server.as_member(acme).get(f"/contacts/{contact_id}/timeline")).body["data"]
    assert [one["meeting"]["id"] for one in timeline if one["kind"] == "meeting"] == [made.body["id"]]


async def test_moving_and_calling_off_go_out_in_the_same_thread(
    server: RunningHub, db: Database, acme: Company, rep_mailbox: UUID
) -> None:
    contact_id = await a_contact_with_mail(db, acme)
    rep = server.as_member(acme)
    made = await rep.post(f"/contacts/{contact_id}/meetings", GIVEN)
    path = f"/meetings/{made.body['id']}"
    later = {"start_at": "2031-03-05T15:00:00Z", "end_at": "2031-03-05T15:30:00Z"}
    stale = await rep.patch(path, later, headers={"If-Match": '"99"'})
    assert stale.status == 412
    moved = await rep.patch(path, later, headers={"If-Match": made.headers["ETag"]})
    assert moved.body["start_at"].startswith("2031-03-05T15:00")
    assert (await rep.delete(path)).body["state"] == "canceled"
    assert (await rep.delete(path)).status == 200, "once more is no mail more"
    assert (await rep.patch(path, later)).error == "meeting_is_canceled"
    first, second, third = await sends(db, acme)
    assert second["follows_send_id"] is not None and "SEQUENCE:1" in second["invitation"]
    assert "METHOD:CANCEL" in third["invitation"] and "SEQUENCE:2" in third["invitation"]
    assert first["subject"] == "Invitation: Demo <b>"


async def test_their_invitation_is_answered_once(server: RunningHub, db: Database, acme: Company, rep_mailbox: UUID) -> None:
    contact_id = await a_contact_with_mail(db, acme)
    meeting_id = await an_invitation_of_theirs(db, acme, rep_mailbox, contact_id)
    rep = server.as_member(acme)
    for _ in range(2):
        answered = await rep.post(f"/meetings/{meeting_id}/answer", {"answer": "declined"})
        assert (answered.body["answer"], answered.body["state"]) == ("declined", "declined")
    (sent,) = await sends(db, acme)
    assert "PARTSTAT=DECLINED" in sent["invitation"].replace("\r\n ", "") and sent["reply_to_message_id"] is not None
    assert (await rep.delete(f"/meetings/{meeting_id}")).error == "meeting_is_theirs"


async def test_a_private_mailboxs_meeting_is_nobody_elses(server: RunningHub, db: Database, acme: Company) -> None:
    mailbox_id = await a_mailbox(db, acme, "rep", visibility="private")
    contact_id = await a_contact_with_mail(db, acme)
    meeting_id = await an_invitation_of_theirs(db, acme, mailbox_id, contact_id)
    mine, owner = server.as_member(acme), server.as_member(acme, "owner")
    assert len((await mine.get(f"/contacts/{contact_id}/meetings", upcoming="true")).body["data"]) == 1
    assert (await owner.get(f"/contacts/{contact_id}/meetings")).body["data"] == []
    assert (await owner.get(f"/meetings/{meeting_id}")).status == 404
    assert [one for one in (await owner.get(f"/contacts/{contact_id}/timeline")).body["data"] if one["kind"] == "meeting"] == []
    assert (await owner.post(f"/meetings/{meeting_id}/answer", {"answer": "accepted"})).status == 404


async def test_what_cannot_be_is_said_in_words(server: RunningHub, db: Database, acme: Company) -> None:
    contact_id = await a_contact_with_mail(db, acme, "ada@example.com")
    rep, path = server.as_member(acme), f"/contacts/{contact_id}/meetings"
    assert (await rep.post(path, GIVEN)).field("mailbox_id") == "Connect a mailbox first."
    await a_mailbox(db, acme, "rep")
    theirs = await a_mailbox(db, acme, "owner", visibility="private")
    assert "not yours" in (await rep.post(path, GIVEN | {"mailbox_id": str(theirs)})).field("mailbox_id")
    assert (await rep.post(path, GIVEN | {"to": "else@example.com"})).field("to") == "This is none of the contact's addresses."
    past = {"start_at": "2020-03-04T15:00:00Z", "end_at": "2020-03-04T15:30:00Z"}
    assert (await rep.post(path, GIVEN | past)).field("end_at") == "This time is past."
    assert (await rep.post(path, GIVEN | {"end_at": TIMES["start_at"]})).status == 422
    async with tenant_tx(db, acme.who("owner")) as tx:
        await suppress(tx, "email", "ada@example.com", "They asked.", "contact")
    assert (await rep.post(path, GIVEN)).error == "not_permitted"
