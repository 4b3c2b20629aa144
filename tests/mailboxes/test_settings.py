"""What people set about a mailbox: privacy, labels, read marks, caps, pause."""

from __future__ import annotations

from uuid import UUID

import pytest

from hub.db import tenant_tx
from hub.mailboxes import actions, syncing
from hub.mailboxes.privacy import Privacy, privacy_of
from hub.mailboxes.syncing import Overtaken
from hub.who import Who
from tests.conftest import Company
from tests.harness import Api, RunningHub, until
from tests.mailboxes.conftest import ADA, House, settled
from tests.mailboxes.kit import mailbox_at_a_server


async def test_settings_are_changed_by_their_owner_and_by_no_two_at_once(house: House, acme: Company, rep: Api) -> None:
    mailbox = str(await mailbox_at_a_server(house.server.hub.db, acme, ADA, "rep"))
    read = await rep.get(f"/mailboxes/{mailbox}")
    caps = {"per_hour": 5, "warm_up": {"started_on": "2026-11-01", "start": 10, "add": 5}}
    changed = await rep.patch(
        f"/mailboxes/{mailbox}",
        {"display_name": "Ada", "signature_html": "<b>Ada</b><script>alert(1)</script>", "caps": caps},
        headers={"If-Match": read.headers["ETag"]},
    )
    assert changed.status == 200 and changed.body["caps"]["per_hour"] == 5 and changed.body["caps"]["per_day"] == 400
    assert changed.body["caps"]["warm_up"] == caps["warm_up"]
    assert changed.body["signature_html"] == "<b>Ada</b>", "nobody else runs a script in it"
    late = await rep.patch(f"/mailboxes/{mailbox}", {"display_name": "Eve"}, headers={"If-Match": read.headers["ETag"]})
    assert late.status == 412
    assert (await rep.patch(f"/mailboxes/{mailbox}", {"caps": {"warm_up": None}})).body["caps"]["warm_up"] is None
    assert (await rep.patch(f"/mailboxes/{mailbox}", {"sync_since": "2999-01-01T00:00:00Z"})).field("sync_since")
    assert (await rep.patch(f"/mailboxes/{mailbox}", {"sync_since": "1999-01-01T00:00:00Z"})).field("sync_since")
    assert (await rep.patch(f"/mailboxes/{mailbox}", {"team_id": mailbox})).field("team_id")
    assert (await rep.patch(f"/mailboxes/{mailbox}", {}, headers={"If-Match": "x"})).field("If-Match")


async def test_a_server_that_is_none_is_said_in_words(house: House, acme: Company, rep: Api) -> None:
    given = {
        "address": "ada@example.org",
        "username": "ada",
        "password": "secret of ada's",
        "imap_host": "127.0.0.1",
        "imap_port": 9,
        "smtp_host": "127.0.0.1",
    }
    refused = await rep.post("/mailboxes", given)
    assert refused.status == 422 and refused.field("imap_host")
    assert "secret of ada's" not in str(refused.body)
    assert (await rep.post("/mailboxes", given | {"address": "no address"})).field("address")
    assert (await rep.get("/mailboxes")).body["data"] == []


async def test_what_is_paused_is_not_asked_until_it_is_resumed(house: House, acme: Company, rep: Api) -> None:
    mailbox_id = await house.connect(rep)
    async with house.worker():
        await settled(rep, mailbox_id, "current")
        paused = (await rep.post(f"/mailboxes/{mailbox_id}/pause")).body
        assert (paused["state"], paused["meter"]["state"]) == ("paused", "paused")
        house.deliver("During the pause")
        await until(lambda: pushed(house, acme))
        assert (await rep.post(f"/mailboxes/{mailbox_id}/sync")).status == 409
        assert await house.subjects(acme) == []
        assert (await rep.post(f"/mailboxes/{mailbox_id}/resume")).body["state"] == "active"
        await until(lambda: house.subjects(acme))


async def pushed(house: House, company: Company) -> bool:
    return any(push.statuses and push.statuses[-1] == 204 for push in house.gmail.pushes.log)


async def test_read_marks_go_both_ways_where_the_owner_wants_it(house: House, acme: Company, rep: Api) -> None:
    gmail = house.gmail
    first, second = house.deliver("One"), house.deliver("Two")
    mailbox_id = await house.connect(rep)

    async def unread() -> list[str]:
        rows = await house.rows(acme, "SELECT subject FROM mail_messages WHERE tenant_id = $1 AND NOT is_read ORDER BY 1")
        return [row["subject"] for row in rows]

    async def is_unread(*subjects: str) -> bool:
        return await unread() == list(subjects)

    async with house.worker():
        await settled(rep, mailbox_id, "current")
        assert await unread() == ["One", "Two"]
        async with tenant_tx(house.server.hub.db, acme.who("rep")) as tx:
            await actions.change_labels_later(tx, UUID(mailbox_id), second, remove=["unread"])
        assert await house.rows(acme, "SELECT 1 FROM mailbox_changes WHERE tenant_id = $1") == [], "nobody asked for that"
        await rep.patch(f"/mailboxes/{mailbox_id}", {"sync_read": True})
        gmail.mailboxes[ADA].change_labels(gmail.mailboxes[ADA].messages[first], frozenset(), frozenset({"UNREAD"}))
        await until(lambda: is_unread("Two"))
        async with tenant_tx(house.server.hub.db, acme.who("rep")) as tx:
            await actions.change_labels_later(tx, UUID(mailbox_id), second, remove=["unread"])
        await until(lambda: told(house, second))
        await until(lambda: all_told(house, acme))


async def all_told(house: House, company: Company) -> bool:
    return not await house.rows(company, "SELECT 1 FROM mailbox_changes WHERE tenant_id = $1")


async def told(house: House, provider_id: str) -> bool:
    return "UNREAD" not in house.gmail.mailboxes[ADA].messages[provider_id].labels


async def test_privacy_rules_are_folded_and_named_when_they_are_none(
    house: House, acme: Company, server: RunningHub, rep: Api
) -> None:
    mailbox = await mailbox_at_a_server(house.server.hub.db, acme, ADA, "rep", visibility="everyone")
    rules = [
        {"kind": "address", "value": "Mum@Home.Test"},
        {"kind": "subject", "value": "Salary"},
        {"kind": "label", "value": "L1"},
    ]
    kept = await rep.put(f"/mailboxes/{mailbox}/privacy", {"rules": [*rules, rules[0]]})
    assert [(rule["kind"], rule["value"]) for rule in kept.body["rules"]] == [
        ("address", "mum@home.test"),
        ("label", "l1"),
        ("subject", "salary"),
    ]
    owner = server.as_member(acme, "owner")
    assert (await owner.put("/mailboxes/privacy", {"rules": [{"kind": "domain", "value": "@Bank.test"}]})).status == 200
    assert (await rep.put("/mailboxes/privacy", {"rules": []})).status == 403
    assert (await server.as_member(acme, "manager").put(f"/mailboxes/{mailbox}/privacy", {"rules": []})).status == 403
    for kind, value, field in (("address", "mum", "value"), ("domain", "a b", "value"), ("label", "x", "kind")):
        wrong = await owner.put("/mailboxes/privacy", {"rules": [{"kind": kind, "value": value}]})
        assert wrong.status == 422 and wrong.field(f"rules.0.{field}")
    async with tenant_tx(house.server.hub.db, acme.who("rep")) as tx:
        found = await privacy_of(tx, mailbox)
    assert found.covers(addresses=["x@mail.bank.test"], subject="") and found.covers(addresses=["MUM@home.test"], subject="")
    assert found.covers(addresses=[], subject="Your SALARY") and found.covers(addresses=[], subject="", labels=["L1"])
    assert not found.covers(addresses=["x@riverbank.test"], subject="Hello", labels=["L2"])
    assert not Privacy().covers(addresses=["a@b.c"], subject="x", labels=["y"])


async def test_whoever_was_overtaken_records_nothing(house: House, acme: Company) -> None:
    db, who = house.server.hub.db, Who.system(acme.tenant_id)
    mailbox = await mailbox_at_a_server(db, acme, ADA, "rep")
    async with tenant_tx(db, who) as tx:
        taken = await syncing.take_lease(tx, mailbox, "changes")
        assert taken is not None
    async with tenant_tx(db, who) as tx:
        assert await syncing.take_lease(tx, mailbox, "changes") is None, "one at a time"
        assert await syncing.take_lease(tx, mailbox, "history") is not None, "the old mail is another matter"
    first = taken[1]
    async with tenant_tx(db, who) as tx:
        await first.hold(tx)
        assert await first.is_asked_again(tx) and not await first.is_asked_again(tx), "it goes round once more for who came"
        await tx.conn.execute("UPDATE mailbox_leases SET until = now() WHERE tenant_id = $1", acme.tenant_id)
    async with tenant_tx(db, who) as tx:
        second = await syncing.take_lease(tx, mailbox, "changes")
        assert second is not None and second[1].fence > first.fence
    with pytest.raises(Overtaken):
        async with tenant_tx(db, who) as tx:
            await first.hold(tx)
    async with tenant_tx(db, who) as tx:
        await first.release(tx)
        assert await syncing.take_lease(tx, mailbox, "changes") is None, "it lets go of nothing that is not its own"


async def test_a_mailbox_that_stopped_sending_says_so_once_and_sends_again_when_resumed(
    house: House, acme: Company, rep: Api
) -> None:
    db = house.server.hub.db
    mailbox = await mailbox_at_a_server(db, acme, ADA, "rep")
    async with tenant_tx(db, Who.system(acme.tenant_id)) as tx:
        assert await actions.stop_sending(tx, mailbox, "12 of the last 200 mails bounced.")
        assert not await actions.stop_sending(tx, mailbox, "Again.")
    assert (await rep.get(f"/mailboxes/{mailbox}")).body["stopped_reason"] == "12 of the last 200 mails bounced."
    assert [one["kind"] for one in (await rep.get("/notifications")).body["data"]] == ["mailbox_stopped"]
    assert (await rep.post(f"/mailboxes/{mailbox}/resume")).body["stopped_reason"] is None
