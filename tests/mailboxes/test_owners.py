"""A private mailbox rests while its owner is no active member, and goes on when they are back or it is another's."""

from __future__ import annotations

from uuid import UUID

from hub.clock import Clock
from hub.db import tenant_tx
from hub.mail import delivering
from hub.mail.sending import queue_mail
from hub.mail.values import MailOut
from hub.mailboxes import owners, syncing
from hub.mailboxes.syncing import Overtaken
from hub.sequences.diary import boxes_of
from hub.who import Who
from integrations.mime import Address
from tests.conftest import Company
from tests.harness import Api, until
from tests.mailboxes.conftest import ADA, House, settled
from tests.mailboxes.kit import mailbox_at_a_server
from tests.mailboxes.test_settings import pushed


def member(company: Company, role: str) -> str:
    return f"/members/{company.members[role]}"


async def test_it_stops_at_once_and_goes_on_when_the_owner_is_back(house: House, acme: Company, rep: Api) -> None:
    """Given a mailbox that is taken in, when its owner is deactivated, then nothing is taken in or sent until they are back."""
    mailbox_id = await house.connect(rep)
    admin = house.server.as_member(acme, "owner")
    async with house.worker():
        await settled(rep, mailbox_id, "current")
        assert (await admin.get(f"/mailboxes/{mailbox_id}")).status == 404, "it is private"
        assert (await admin.patch(member(acme, "rep"), {"status": "deactivated"})).status == 200
        resting = (await admin.get(f"/mailboxes/{mailbox_id}")).body
        assert (resting["state"], resting["meter"]["state"]) == ("paused", "paused")
        assert resting["meter"]["words"] == "Its owner is no active member: nothing is taken in or sent."
        assert resting["error"] == "Rep of Acme is no active member of the company: nothing is taken in or sent."
        refused = await admin.post(f"/mailboxes/{mailbox_id}/resume")
        assert (refused.status, refused.body["error"]) == (409, "mailbox_owner_is_gone")

        # What was asked a moment before may still be on its way.
        await until(lambda: house.is_idle(acme))
        asked, jobs = dict(house.gmail.calls), "SELECT id FROM jobs WHERE tenant_id = $1 AND kind LIKE 'mailboxes.%'"
        begun = {row["id"] for row in await house.rows(acme, jobs)}
        async with tenant_tx(house.server.hub.db, Who.system(acme.tenant_id)) as tx:
            mail = MailOut(UUID(mailbox_id), (Address("", "bob@client.test"),), subject="Not now", html="<p>x</p>")
            send_id = await queue_mail(tx, mail)
        house.deliver("During the absence")
        await until(lambda: pushed(house, acme))
        held = "SELECT error FROM mail_sends WHERE tenant_id = $1 AND held"
        [row] = await until(lambda: house.rows(acme, held))
        assert "no active member" in row["error"]
        await syncing.poll_due(house.server.hub.db)
        assert {one["id"] for one in await house.rows(acme, jobs)} == begun, "no job is begun for it"
        assert dict(house.gmail.calls) == asked and await house.subjects(acme) == [], "and nobody asks the provider"

        assert (await admin.patch(member(acme, "rep"), {"status": "active"})).status == 200
        await until(
            lambda: house.rows(acme, "SELECT 1 FROM mail_sends WHERE tenant_id = $1 AND id = $2 AND state = 'sent'", send_id)
        )
        await until(lambda: _has(house, acme, "During the absence"))
        assert (await admin.get(f"/mailboxes/{mailbox_id}")).status == 404, "it is as private as before"


async def _has(house: House, company: Company, subject: str) -> bool:
    return subject in await house.subjects(company)


async def test_an_admin_gives_it_to_another_member(house: House, acme: Company, rep: Api) -> None:
    mailbox_id = await mailbox_at_a_server(house.server.hub.db, acme, ADA, "rep")
    admin, manager = house.server.as_member(acme, "owner"), house.server.as_member(acme, "manager")
    to_manager = {"user_id": str(acme.members["manager"])}
    assert (await admin.patch(f"/mailboxes/{mailbox_id}", to_manager)).status == 404
    assert (await admin.patch(member(acme, "rep"), {"status": "deactivated"})).status == 200
    assert (await manager.patch(f"/mailboxes/{mailbox_id}", to_manager)).status == 403
    assert (await admin.patch(f"/mailboxes/{mailbox_id}", {"user_id": str(acme.members["rep"])})).body["state"] == "paused"
    assert (await admin.patch(f"/mailboxes/{mailbox_id}", {"user_id": str(mailbox_id)})).field("user_id")
    given = await admin.patch(f"/mailboxes/{mailbox_id}", to_manager)
    assert (given.status, given.body["user"]["id"], given.body["state"]) == (200, to_manager["user_id"], "active")
    assert (await manager.get(f"/mailboxes/{mailbox_id}")).body["error"] is None
    assert (await admin.get(f"/mailboxes/{mailbox_id}")).status == 404
    begun = await house.rows(acme, "SELECT kind FROM jobs WHERE tenant_id = $1 AND kind = 'mailboxes.sync'")
    assert len(begun) == 1, "it is taken in again"
    told = (await manager.get("/notifications")).body["data"]
    assert [(each["kind"], each["title"]) for each in told] == [("mailbox_given", f"{ADA} is yours now")]


async def test_shared_mailboxes_and_paused_ones_stay_as_they_are(house: House, acme: Company) -> None:
    db = house.server.hub.db
    shared = await mailbox_at_a_server(db, acme, "team@example.com", "rep", visibility="everyone")
    own = await mailbox_at_a_server(db, acme, ADA, "rep")
    paused = await mailbox_at_a_server(db, acme, "paused@example.com", "rep")
    await house.rows(acme, "UPDATE mailboxes SET state = 'paused' WHERE tenant_id = $1 AND id = $2 RETURNING id", paused)

    async def states() -> dict[UUID, str]:
        return {row["id"]: row["state"] for row in await house.rows(acme, "SELECT id, state FROM mailboxes WHERE tenant_id = $1")}

    # However it came about: not by this server here.
    rep = acme.members["rep"]
    await house.rows(
        acme, "UPDATE members SET status = 'deactivated' WHERE tenant_id = $1 AND user_id = $2 RETURNING user_id", rep
    )
    assert await owners.rest_of_the_gone(db) == 1
    assert await states() == {shared: "active", own: "paused", paused: "paused"}
    async with tenant_tx(db, Who.system(acme.tenant_id)) as tx:
        assert (await boxes_of(tx, [own]))[own].shut == f"{ADA} rests, because its owner is no active member"
    await house.rows(acme, "UPDATE members SET status = 'active' WHERE tenant_id = $1 AND user_id = $2 RETURNING user_id", rep)
    async with tenant_tx(db, Who.system(acme.tenant_id)) as tx:
        await owners.member_changed(tx, rep)
    assert await states() == {shared: "active", own: "active", paused: "paused"}


async def test_what_is_under_way_counts_no_more(house: House, acme: Company) -> None:
    """Given a worker that takes in, and one that is about to send, when the owner is deactivated, then neither goes on."""
    db, who = house.server.hub.db, Who.system(acme.tenant_id)
    mailbox_id = await mailbox_at_a_server(db, acme, ADA, "rep")
    async with tenant_tx(db, who) as tx:
        taken = await syncing.take_lease(tx, mailbox_id, "changes")
        send_id = await queue_mail(tx, MailOut(mailbox_id, (Address("", "bob@client.test"),), subject="Not now", html="<p>x</p>"))
    assert taken is not None
    admin = house.server.as_member(acme, "owner")
    assert (await admin.patch(member(acme, "rep"), {"status": "deactivated"})).status == 200
    async with tenant_tx(db, who) as tx:
        try:
            await taken[1].hold(tx)
        except Overtaken:
            pass
        else:
            raise AssertionError("it goes on")
        assert await syncing.take_lease(tx, mailbox_id, "changes") is None
        assert not await delivering.intend(tx, send_id, Clock().now())
    [row] = await house.rows(acme, "SELECT state, asked_at, held FROM mail_sends WHERE tenant_id = $1")
    assert (row["state"], row["asked_at"], row["held"]) == ("queued", None, True)
