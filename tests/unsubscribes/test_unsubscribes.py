"""Unsubscribing: at once, by a person, for good; and never by a machine that only looks."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from hub.db import tenant_tx
from hub.permits import actions as permits
from hub.permits.models import Channel
from hub.permits.queries import look_many
from hub.templates.rendering import UNSUBSCRIBE_URL
from hub.tracking.tokens import write_token
from hub.unsubscribes.actions import by_reply
from hub.who import Who
from tests.tracking.kit import Desk

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADA = "ada@mail.example.com"


async def a_bulk_mail(desk: Desk, contact_id: UUID | None = None) -> tuple[UUID, str]:
    """A mail of a sequence: its id, and the path to unsubscribe at."""
    send_id = await desk.sent(await desk.mailbox(f"{uuid4().hex[:8]}@acme.example.com"), ADA, contact_id)
    prepared = await desk.prepare(send_id, ADA.title(), "<p>Hello</p>", contact_id=contact_id)
    found = re.fullmatch(
        r"<http://127\.0\.0\.1(/u/[^>]+)>, <mailto:rep@acme\.example\.com\?subject=unsubscribe>",
        prepared.headers["List-Unsubscribe"],
    )
    assert found is not None, prepared.headers
    assert prepared.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    return send_id, found[1]


async def allowed(desk: Desk, contact_id: UUID, channel: Channel = "email") -> bool:
    async with tenant_tx(desk.db, Who.system(desk.company.tenant_id)) as tx:
        address = ADA if channel == "email" else "+12125550123"
        return (await permits.decide(tx, contact_id, channel, address, user_id=None)).allowed


async def test_one_click_unsubscribes_at_once_and_is_no_redirect(desk: Desk) -> None:
    ada = await desk.contact(ADA)
    send_id, path = await a_bulk_mail(desk, ada)
    status, page = await desk.post(path, **{"List-Unsubscribe": "One-Click"})
    assert status == 200 and "You are unsubscribed" in page
    assert not await allowed(desk, ada)
    assert await allowed(desk, ada, "call")
    listed = (await desk.api().get("/unsubscribes")).body["data"]
    assert [(u["address"], u["way"], u["send_id"], u["contact"]["id"]) for u in listed] == [
        (ADA, "one_click", str(send_id), str(ada))
    ]
    entry = (await desk.api().get("/suppressions")).body["data"][0]
    assert (entry["kind"], entry["value"], entry["source"], entry["channel"]) == ("email", ADA, "unsubscribe", "email")
    jobs = await desk.rows("SELECT args ->> 'contact_ids' AS people FROM jobs WHERE kind = 'unsubscribes.follow'")
    assert [job["people"] for job in jobs] == [f'["{ada}"]']
    line = (await desk.api().get(f"/contacts/{ada}/timeline")).body["data"]
    assert line[0]["body"].startswith("Unsubscribed with one click")
    assert "mail.unsubscribed" in await desk.events("mail.%")


async def test_looking_at_the_page_changes_nothing(desk: Desk) -> None:
    ada = await desk.contact(ADA)
    _, path = await a_bulk_mail(desk, ada)
    for method, agent in (("GET", "Mozilla/5.0"), ("GET", "Barracuda"), ("HEAD", "curl/8")):
        await desk.fetch(path, method=method, agent=agent)
    status, _, page = await desk.fetch(path)
    assert status == 200 and b"Unsubscribe from" in page and ADA.encode() in page and b"<script" not in page
    assert await allowed(desk, ada)
    assert await desk.rows("SELECT * FROM unsubscribes") == []


async def test_a_post_that_says_nothing_changes_nothing(desk: Desk) -> None:
    ada = await desk.contact(ADA)
    _, path = await a_bulk_mail(desk, ada)
    for fields in ({}, {"List-Unsubscribe": "Two-Click"}, {"confirm": "no"}, {"x": "y" * 5000}):
        status, _ = await desk.post(path, **fields)
        assert status == 422
    assert await allowed(desk, ada)


async def test_the_pages_button_does_the_same_and_a_mistake_can_be_undone(desk: Desk) -> None:
    ada = await desk.contact(ADA)
    _, path = await a_bulk_mail(desk, ada)
    await desk.post(path, confirm="yes")
    await desk.post(path, confirm="yes")
    assert not await allowed(desk, ada)
    assert await desk.events("suppression.%") == ["suppression.added"]
    assert b"Subscribe again" in (await desk.fetch(path))[2]
    status, page = await desk.post(f"{path}/again", again="yes")
    assert status == 200 and "You are subscribed again" in page
    assert await allowed(desk, ada)
    assert [row["way"] for row in await desk.rows("SELECT way FROM unsubscribes WHERE undone_at IS NOT NULL")] == ["page"]
    await desk.post(path, **{"List-Unsubscribe": "One-Click"})
    assert not await allowed(desk, ada)


async def test_undoing_takes_back_nothing_that_others_have_said(desk: Desk) -> None:
    ada = await desk.contact(ADA)
    _, path = await a_bulk_mail(desk, ada)
    await desk.api().post("/suppressions", {"kind": "email", "value": ADA, "source": "contact", "channel": "email"})
    await desk.post(path, confirm="yes")
    await desk.post(f"{path}/again", again="yes")
    assert not await allowed(desk, ada)


async def test_nobody_sets_an_unsubscribe_aside(desk: Desk) -> None:
    ada = await desk.contact(ADA)
    _, path = await a_bulk_mail(desk, ada)
    await desk.post(path, **{"List-Unsubscribe": "One-Click"})
    async with tenant_tx(desk.db, desk.company.who("owner")) as tx:
        permit = await permits.decide(tx, ada, "email", ADA, user_id=None, override_reason="They are an old friend")
    assert not permit.allowed and "by their own word" in permit.explanation
    entry = (await desk.api().get("/suppressions")).body["data"][0]
    assert (await desk.api("manager").delete(f"/suppressions/{entry['id']}")).status == 403
    assert (await desk.api("owner").delete(f"/suppressions/{entry['id']}")).status == 204


async def test_a_token_of_another_company_or_mail_unsubscribes_nobody(desk: Desk, other: Desk) -> None:
    send_id, path = await a_bulk_mail(desk, await desk.contact(ADA))
    settings = desk.server.settings
    forged = [
        path[:-3] + ("AAA" if path[-3:] != "AAA" else "BBB"),
        "/u/" + write_token(settings, "open", desk.company.tenant_id, send_id),
        "/u/" + write_token(settings, "unsubscribe", other.company.tenant_id, send_id),
        "/u/" + write_token(settings, "unsubscribe", desk.company.tenant_id, uuid4()),
    ]
    for bad in forged:
        for answer in (await desk.post(bad, confirm="yes"), await desk.post(f"{bad}/again", again="yes")):
            assert answer[0] == 404 and "This address does not work" in answer[1]
        assert (await desk.fetch(bad))[0] == 404
    assert await desk.rows("SELECT * FROM unsubscribes") == await other.rows("SELECT * FROM unsubscribes") == []


async def test_it_works_when_the_mailbox_and_its_mail_are_gone(desk: Desk) -> None:
    ada = await desk.contact(ADA)
    _, path = await a_bulk_mail(desk, ada)
    async with tenant_tx(desk.db, Who.system(desk.company.tenant_id)) as tx:
        await tx.conn.execute("DELETE FROM mail_sends WHERE tenant_id = $1", desk.company.tenant_id)
    await desk.post(path, **{"List-Unsubscribe": "One-Click"})
    assert not await allowed(desk, ada)


async def test_the_address_stands_where_the_template_wants_it(desk: Desk) -> None:
    prepared = await desk.prepare(
        uuid4(), ADA, f'<a href="{UNSUBSCRIBE_URL}">stop</a>', text=f"Stop: {UNSUBSCRIBE_URL}", bulk=False
    )
    assert "unsubscribe.invalid" not in prepared.html + prepared.text
    assert 'href="http://127.0.0.1/u/' in prepared.html and "Stop: http://127.0.0.1/u/" in prepared.text
    assert prepared.headers == {}


async def test_who_asks_by_reply_is_left_alone(desk: Desk) -> None:
    ada = await desk.contact(ADA)
    async with tenant_tx(desk.db, Who.system(desk.company.tenant_id)) as tx:
        assert await by_reply(tx, ADA, ada, "please remove me") is not None
        assert await by_reply(tx, ADA, ada, "again") is None
        assert await by_reply(tx, "not an address", ada, "stop") is not None
    assert not await allowed(desk, ada)


async def test_a_company_on_the_list_gets_nothing_whoever_works_there(desk: Desk) -> None:
    api = desk.api()
    people = [{"first_name": "Ada", "company": " Initech "}, {"first_name": "Bob", "company": "INITECH"}, {"first_name": "Cy"}]
    ids = []
    for n, person in enumerate(people):
        emails = [{"address": f"p{n}@mail.example.com"}]
        ids.append(UUID((await api.post("/contacts", person | {"emails": emails})).body["id"]))
    made = await api.post("/suppressions", {"kind": "company", "value": " Initech ", "reason": "Our competitor"})
    assert (made.status, made.body["value"]) == (201, "initech")
    assert (await api.post("/suppressions", {"kind": "company", "value": "\u2003"})).status == 422
    async with tenant_tx(desk.db, Who.system(desk.company.tenant_id)) as tx:
        found = {one.contact_id: one for one in await look_many(tx, [*ids, uuid4()])}
        assert not (await permits.decide(tx, ids[0], "call", "+12125550123", user_id=None)).allowed
    assert [found[one].allowed for one in ids] == [False, False, True]
    assert "company of this contact" in found[ids[0]].explanation and "Our competitor" in found[ids[0]].explanation


async def test_a_permit_can_be_decided_as_of_a_schedules_moment(desk: Desk) -> None:
    ada = await desk.contact(ADA)
    began = datetime.now(UTC)
    then = began + timedelta(days=40)
    async with tenant_tx(desk.db, Who.system(desk.company.tenant_id)) as tx:
        await permits.suppress(tx, "email", ADA, "Resting", "bounce", channel="email", expires_at=then - timedelta(days=1))
        assert not (await permits.decide(tx, ada, "email", ADA, user_id=None)).allowed
        later = await permits.decide(tx, ada, "email", ADA, user_id=None, at=then)
        assert later.allowed and later.expires_at is not None
        # It is used within five minutes of the real time, whatever the schedule's clock shows.
        assert began <= later.expires_at - timedelta(minutes=5) <= datetime.now(UTC)
        await permits.use(tx, later.id)
        nobody = await desk.contact(name="Nobody")
        assert [(one.allowed, one.code) for one in await look_many(tx, [nobody], then)] == [(False, "no_address")]
