"""Conversations and drafts as people meet them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from aiohttp import FormData

from hub.db import Database, tenant_tx
from hub.leases import actions as leases
from tests.conftest import Company, TestDatabase, make_company
from tests.harness import Api, RunningHub, make_settings, running_hub
from tests.mail.kit import arrive, insert_mailbox, letter, make_contact

TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat()


@dataclass
class House:
    """A hub and a company with the rep's mailbox."""

    server: RunningHub
    db: Database
    company: Company
    box: UUID
    files: Path

    def api(self, role: str) -> Api:
        return self.server.as_member(self.company, role)  # type: ignore[arg-type]

    async def mailbox(self, address: str, visibility: str) -> UUID:
        async with tenant_tx(self.db, self.company.who("rep")) as tx:
            mailbox_id: UUID = await tx.conn.fetchval("SELECT uuidv7()")
            await insert_mailbox(tx, mailbox_id, self.company, "rep", "imap", address, visibility, None)
        return mailbox_id

    async def arrive(self, raw: bytes, name: str, box: UUID | None = None, **more: object) -> str:
        stored = await arrive(self.db, self.company, box or self.box, raw, name, **more)  # type: ignore[arg-type]
        return str(stored.thread_id)


@pytest.fixture
async def house(database: TestDatabase, valkey_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """Acme, whose rep has a mailbox that everybody sees."""
    async with running_hub(make_settings(database.app_url, valkey_url, objects=str(tmp_path / "files"))) as server:
        company = await make_company(server.hub.db, "Acme")
        made = House(server, server.hub.db, company, UUID(int=0), tmp_path / "files")
        made.box = await made.mailbox("rep@acme.test", "everyone")
        yield made


async def ids(api: Api, **asked: object) -> list[str]:
    answer = await api.get("/mail/threads", **asked)
    assert answer.status == 200, answer.body
    return [one["id"] for one in answer.body["data"]]


async def test_the_views_of_the_inbox_and_their_pages(house: House) -> None:
    rep, owner = house.api("rep"), house.api("owner")
    ada = await make_contact(house.db, house.company, "ada@example.com")
    threads = []
    for number in range(5):
        at = datetime.now(UTC) - timedelta(minutes=5 - number)
        raw = letter(f"Number {number}", message_id=f"<n{number}@x.test>").replace(b"Date:", b"X-Date:")
        threads.append(await house.arrive(raw, f"p{number}", received_at=at))
    assert await ids(owner) == threads[::-1]
    first = (await owner.get("/mail/threads", limit=2)).body
    rest = (await owner.get("/mail/threads", limit=3, cursor=first["next_cursor"])).body
    assert [one["id"] for one in first["data"] + rest["data"]] == threads[::-1] and rest["next_cursor"] is None
    shown = first["data"][0]
    assert (shown["contact"]["id"], shown["unread"], shown["mailbox"]["address"]) == (str(ada), 1, "rep@acme.test")
    assert shown["participants"] == [{"name": "Ada", "address": "ada@example.com"}]
    assert (await rep.post(f"/mail/threads/{threads[0]}/done")).body["state"] == "done"
    assert (await rep.put(f"/mail/threads/{threads[1]}/snooze", {"until": TOMORROW})).body["state"] == "snoozed"
    person = str(house.company.members["manager"])
    assert (await rep.put(f"/mail/threads/{threads[2]}/assignee", {"user_id": person})).body["assignee"]["id"] == person
    assert (await rep.post(f"/mail/threads/{threads[3]}/read")).body["unread"] == 0
    assert (await rep.post(f"/mail/threads/{threads[3]}/read")).body["unread"] == 0
    assert await ids(owner) == [threads[4], threads[3], threads[2]]
    assert await ids(owner, view="done") == [threads[0]]
    assert await ids(owner, view="snoozed") == [threads[1]]
    assert await ids(owner, view="unassigned") == [threads[4], threads[3]]
    assert await ids(house.api("manager"), view="mine") == [threads[2]]
    assert await ids(owner, view="mine") == [] == await ids(owner, view="sent")
    assert await ids(owner, unread=True) == [threads[4], threads[2]]
    assert await ids(owner, view="all", contact_id=ada) == threads[::-1]
    assert await ids(owner, view="all", mailbox_id=ada) == []
    told = (await house.api("manager").get("/notifications")).body["data"]
    assert [one["kind"] for one in told] == ["mail_assigned"]
    assert (await rep.post(f"/mail/threads/{threads[1]}/reopen")).body["snoozed_until"] is None
    assert (await rep.post(f"/mail/threads/{threads[3]}/unread")).body["unread"] == 1
    past = await rep.put(f"/mail/threads/{threads[4]}/snooze", {"until": "2020-01-01T00:00:00Z"})
    assert (past.status, past.field("until")) == (422, "It should be in the future.")
    assert len((await owner.get(f"/contacts/{ada}/mail")).body["data"]) == 5


async def test_what_is_searched_comes_page_by_page_each_thread_once(house: House) -> None:
    """Given words that stand in several messages of threads, some of them private, then the pages have each open thread once."""
    private = await house.mailbox("private@acme.test", "private")
    threads, hidden = [], []
    for number in range(7):
        at = datetime.now(UTC) - timedelta(hours=7 - number)
        raw = letter(f"Number {number}", text="A zebra", message_id=f"<z{number}@x.test>").replace(b"Date:", b"X-Date:")
        threads.append(await house.arrive(raw, f"z{number}", received_at=at))
        raw = letter(f"Secret {number}", text="A zebra", message_id=f"<s{number}@x.test>").replace(b"Date:", b"X-Date:")
        hidden.append(await house.arrive(raw, f"s{number}", private, received_at=at))
    answer = letter("Number 0", text="The zebra again", message_id="<z0b@x.test>", in_reply_to="<z0@x.test>")
    assert await house.arrive(answer.replace(b"Date:", b"X-Date:"), "z0b", received_at=datetime.now(UTC)) == threads[0]
    for role, expected in (("owner", {*threads}), ("rep", {*threads, *hidden})):
        found: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            answered = await house.api(role).get("/mail/threads", q="zebra", limit=3, **cursor)
            assert answered.status == 200, answered.body
            found += [one["id"] for one in answered.body["data"]]
            if answered.body["next_cursor"] is None:
                break
            assert len(answered.body["data"]) == 3
            cursor = {"cursor": answered.body["next_cursor"]}
        assert found[0] == threads[0] and len(found) == len(set(found)) and set(found) == expected
    inbox = (await house.api("rep").get("/mail/threads", limit=1)).body["next_cursor"]
    assert (await house.api("rep").get("/mail/threads", q="zebra", cursor=inbox)).status == 422


async def test_private_mail_is_not_there_for_anybody_else(house: House) -> None:
    private = await house.mailbox("private@acme.test", "private")
    ada = await make_contact(house.db, house.company, "ada@example.com")
    async with tenant_tx(house.db, house.company.who("rep")) as tx:
        await tx.conn.execute(
            "INSERT INTO mail_privacy_rules (tenant_id, mailbox_id, kind, value_lc) VALUES ($1, $2, 'subject', 'salary')",
            house.company.tenant_id,
            house.box,
        )
    hidden = await house.arrive(letter("Between us", text="The zebra"), "p1", private)
    ruled = await house.arrive(letter("Salary", text="The zebra", message_id="<s@x.test>"), "p2")
    seen = await house.arrive(letter("Order", text="A zebra, too", message_id="<o@x.test>"), "p3")
    mine, theirs = house.api("rep"), house.api("owner")
    assert set(await ids(mine)) == {hidden, ruled, seen} and await ids(theirs) == [seen]
    assert set(await ids(mine, q="zebra")) == {hidden, ruled, seen} and await ids(theirs, q="zeb") == [seen]
    assert await ids(theirs, q="?!") == []
    assert [one["id"] for one in (await theirs.get(f"/contacts/{ada}/mail")).body["data"]] == [seen]
    line = (await theirs.get(f"/contacts/{ada}/timeline")).body["data"]
    assert [one["mail"]["subject"] for one in line] == ["Order"]
    assert len((await mine.get(f"/contacts/{ada}/timeline")).body["data"]) == 3
    message = (await mine.get(f"/mail/threads/{hidden}")).body["items"][0]["id"]
    for path in (f"/mail/threads/{hidden}", f"/mail/threads/{ruled}", f"/mail/messages/{message}/original"):
        assert (await theirs.get(path)).status == 404
    for act in ("read", "unread", "done", "reopen", "writing"):
        assert (await theirs.post(f"/mail/threads/{hidden}/{act}")).status == 404
    refused = await mine.put(f"/mail/threads/{hidden}/assignee", {"user_id": str(house.company.members["owner"])})
    assert refused.status == 422 and "may see" in refused.field("user_id")


async def test_a_message_is_shown_folded_and_its_files_are_saved_not_run(house: House) -> None:
    ada = house.api("owner")
    raw = (
        b"From: Ada <ada@example.com>\r\nTo: rep@acme.test\r\nSubject: File\r\nMessage-ID: <f@x.test>\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n'
        b'<p>See <b>this</b><script>alert(1)</script><img src="https://t.test/p.gif"></p>\r\n--b\r\n'
        b'Content-Type: text/html; name="../evil.html"\r\nContent-Disposition: attachment; filename="../evil.html"\r\n\r\n'
        b"<script>alert(2)</script>\r\n--b--\r\n"
    )
    (house.files / "mail").mkdir(parents=True)
    (house.files / "mail" / "f.eml").write_bytes(raw)
    thread = await house.arrive(raw, "p1", object_key="mail/f.eml")
    item = (await ada.get(f"/mail/threads/{thread}")).body["items"][0]
    assert "script" not in item["html"] and item["has_remote_images"] and " src=" not in item["html"]
    file = item["attachments"][0]
    saved = await ada.get(f"/mail/messages/{item['id']}/attachments/{file['index']}")
    assert saved.status == 200 and "alert(2)" in saved.body
    assert saved.headers["Content-Disposition"].startswith("attachment") and ".." not in saved.headers["Content-Disposition"][:40]
    assert saved.headers["X-Content-Type-Options"] == "nosniff" and "sandbox" in saved.headers["Content-Security-Policy"]
    assert (await ada.get(f"/mail/messages/{item['id']}/original")).status == 200
    for index in ("99", "-1", "x"):
        assert (await ada.get(f"/mail/messages/{item['id']}/attachments/{index}")).status == 404


async def test_a_colleague_who_writes_is_seen(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    # It is let go of here, and does not run out before that on a machine that stands still.
    monkeypatch.setattr(leases, "LEASE_S", 3600.0)
    await make_contact(house.db, house.company, "ada@example.com")
    known = await house.arrive(letter(), "p1")
    unknown = await house.arrive(letter(from_="eve@x.test", message_id="<e@x.test>"), "p2")
    rep, owner = house.api("rep"), house.api("owner")
    for thread, code in ((known, "contact_is_claimed"), (unknown, "thread_is_claimed")):
        assert (await rep.post(f"/mail/threads/{thread}/writing")).body["claimed_by"]["name"] == "Rep of Acme"
        assert (await rep.post(f"/mail/threads/{thread}/writing")).status == 200
        clash = await owner.post(f"/mail/threads/{thread}/writing")
        assert (clash.status, clash.error) == (409, code) and "Rep of Acme" in clash.body["message"]
        assert (await owner.delete(f"/mail/threads/{thread}/writing")).status == 204
        assert (await owner.post(f"/mail/threads/{thread}/writing")).status == 409
        assert (await rep.delete(f"/mail/threads/{thread}/writing")).status == 204
        assert (await owner.post(f"/mail/threads/{thread}/writing")).status == 200


async def test_a_draft_is_written_sent_undone_and_sent_later(house: House) -> None:
    rep = house.api("rep")
    async with tenant_tx(house.db, house.company.who("rep")) as tx:
        await tx.conn.execute("UPDATE mailboxes SET signature_html = '<b>Rep</b>'")
    thread = await house.arrive(letter(to="rep@acme.test, Ben <ben@x.test>"), "p1")
    message = (await rep.get(f"/mail/threads/{thread}")).body["items"][0]["id"]
    given = {"mailbox_id": str(house.box), "reply_to_message_id": message, "reply_all": True}
    begun = await rep.post("/mail/drafts", given)
    draft = begun.body
    assert (begun.status, draft["subject"], draft["thread_id"]) == (201, "Re: Question", thread)
    assert [one["address"] for one in draft["to"] + draft["cc"]] == ["ada@example.com", "ben@x.test"]
    assert "<b>Rep</b>" in draft["html"]
    path = f"/mail/drafts/{draft['id']}"
    changed = await rep.patch(path, {"html": "<p>Ten euros</p>", "cc": []}, headers={"If-Match": begun.headers["ETag"]})
    assert (changed.status, changed.body["html"], changed.body["cc"]) == (200, "<p>Ten euros</p>", [])
    assert (await rep.patch(path, {"html": "x"}, headers={"If-Match": begun.headers["ETag"]})).status == 412
    wrong = await rep.patch(path, {"to": [{"address": "nobody"}]})
    assert wrong.status == 422 and "not an email address" in wrong.field("to.0.address")
    form = FormData(quote_fields=False)
    form.add_field("file", b"%PDF-1.4", filename="pri\u202ece.pdf", content_type="application/pdf")
    attached = await rep.call("POST", f"{path}/attachments", data=form)
    assert (attached.status, attached.body["attachments"][0]["filename"]) == (201, "pri_ce.pdf"), attached.body
    assert len((await rep.get("/mail/drafts")).body["data"]) == 1
    assert (await house.api("owner").get(path)).status == 404, "drafts are one's own"
    sent = await rep.post(f"{path}/send")
    assert (sent.status, sent.body["state"]) == (202, "queued") and sent.body["undo_until"]
    assert (await rep.get(path)).status == 404
    undone = await rep.post(f"/mail/sends/{draft['id']}/undo")
    assert (undone.status, undone.body["state"], len(undone.body["attachments"])) == (200, "draft", 1)
    later = await rep.post(f"{path}/send", {"send_at": TOMORROW})
    assert later.body["state"] == "scheduled"
    assert len((await rep.get("/mail/sends", state="scheduled")).body["data"]) == 1
    assert (await house.api("owner").get("/mail/sends")).body["data"] == []
    assert (await house.api("owner").post(f"/mail/sends/{draft['id']}/undo")).status == 404
    assert (await rep.post(f"/mail/sends/{draft['id']}/retry")).error == "mail_is_not_in_doubt"
    assert (await rep.post(f"/mail/sends/{draft['id']}/discard")).body["state"] == "canceled"
    assert (await rep.post(f"/mail/sends/{draft['id']}/undo")).error == "mail_is_sent"
    thrown = (await rep.post("/mail/drafts", {"mailbox_id": str(house.box)})).body["id"]
    assert (await rep.post(f"/mail/drafts/{thrown}/send")).field("to") == "Say who the mail is for."
    assert (await rep.delete(f"/mail/drafts/{thrown}")).status == 204
    assert (await rep.delete(f"/mail/drafts/{thrown}")).status == 404


async def test_a_mail_to_who_wants_none_is_refused_with_the_reason(house: House) -> None:
    ada = await make_contact(house.db, house.company, "ada@example.com")
    owner = house.api("owner")
    listed = await owner.post("/suppressions", {"kind": "email", "value": "ada@example.com", "reason": "They asked."})
    assert listed.status == 201, listed.body
    rep = house.api("rep")
    begun = await rep.post("/mail/drafts", {"mailbox_id": str(house.box), "to": [{"address": "ada@example.com"}]})
    assert begun.body["contact"]["id"] == str(ada)
    refused = await rep.post(f"/mail/drafts/{begun.body['id']}/send")
    assert (refused.status, refused.error) == (403, "not_permitted")
    assert (await rep.get(f"/mail/drafts/{begun.body['id']}")).status == 200, "it is still a draft"
