"""The audit log: what gets into it by itself, who may read it, and that nobody can change it."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from hub.audit.actions import record, record_outside, record_person
from hub.audit.events import AuditGrew
from hub.auth.passwords import hash_password
from hub.db import tenant_tx
from hub.events import CATALOGUE
from tests.api import lasting
from tests.conftest import Company, TestDatabase, make_company
from tests.harness import PASSWORD, Api, RunningHub
from tests.mail.kit import arrive
from tests.mail.things import _FILE
from tests.mailboxes.kit import mailbox_at_a_server
from tests.recordings.kit import a_recording, put_file, wav

pytestmark = pytest.mark.asyncio(loop_scope="module")
server, acme = lasting.server, lasting.acme
ROOT = Path(__file__).resolve().parents[2]


async def entries(api: Api, **asked: Any) -> list[dict[str, Any]]:
    """What the log holds, newest first."""
    answer = await api.get("/audit", **asked)
    assert answer.status == 200, answer.body
    data: list[dict[str, Any]] = answer.body["data"]
    return data


async def test_who_did_what_to_which_from_where(server: RunningHub, acme: Company) -> None:
    owner, rep = server.as_member(acme, "owner"), acme.members["rep"]

    # An event that is audited gets into the log by itself, with what it names of its data and no more.
    assert (await owner.patch(f"/members/{rep}", {"role": "manager"})).status == 200
    [changed] = await entries(owner, action="member.")
    assert changed["action"] == "member.updated"
    assert changed["actor"] == {"id": str(acme.members["owner"]), "name": f"Owner of {acme.name}"}
    assert changed["subject"] == {"kind": "member", "id": str(rep), "name": f"Rep of {acme.name}"}
    assert changed["details"] == {"role": "manager", "status": "active"}
    assert changed["address"] == "127.0.0.1"
    assert changed["request_id"]

    # What is rolled back was not done.
    with pytest.raises(ZeroDivisionError):
        async with tenant_tx(server.hub.db, acme.who("owner")) as tx:
            await record(tx, "contact.exported", details={"contacts": 3})
            raise ZeroDivisionError
    assert await entries(owner, action="contact.exported") == []

    # Listening is one entry for a sitting, whoever listens and however many parts the player asks for.
    recording = await a_recording(server.hub.db, acme, said="hello")
    await put_file(Path(server.settings.objects), acme, recording, wav())
    manager = server.as_member(acme, "manager")
    link = (await manager.post(f"/recordings/{recording}/link")).body["url"]
    for _ in range(2):
        assert (await manager.get(f"/recordings/{recording}/audio")).status == 200
        assert (await server.client().call("GET", link)).status == 200
    assert (await manager.get(f"/recordings/{recording}")).status == 200
    heard = await entries(owner, subject_id=recording)
    assert [(e["action"], e["actor"]["id"]) for e in heard] == [
        ("recording.read", str(acme.members["manager"])),
        ("recording.listened", str(acme.members["manager"])),
    ]

    # By person, by time, page by page.
    assert [e["action"] for e in await entries(owner, actor_id=acme.members["owner"])] == ["member.updated"]
    assert await entries(owner, until=changed["at"]) == []
    assert len(await entries(owner, since=changed["at"])) == 3
    first = (await owner.get("/audit", limit=2)).body
    rest = (await owner.get("/audit", limit=2, cursor=first["next_cursor"])).body
    assert [e["action"] for e in first["data"] + rest["data"]] == ["recording.read", "recording.listened", "member.updated"]
    assert (await owner.get("/audit/actions")).body["data"] == ["member.updated", "recording.listened", "recording.read"]

    # The export is the same in a CSV, and is in the log itself.
    export = await owner.get("/audit/export", action="recording.")
    rows = list(csv.DictReader(io.StringIO(export.body)))
    assert [(row["action"], row["actor"]) for row in rows] == [
        ("recording.read", f"Manager of {acme.name}"),
        ("recording.listened", f"Manager of {acme.name}"),
    ]
    [exported] = await entries(owner, action="audit.exported")
    assert exported["details"] == {"action": "recording."}


async def test_reading_a_colleagues_mail_is_written_down_and_ones_own_is_not(server: RunningHub, acme: Company) -> None:
    db, owner, manager = server.hub.db, server.as_member(acme, "owner"), server.as_member(acme, "manager")
    mailbox = await mailbox_at_a_server(db, acme, "owner@mail.test")
    async with tenant_tx(db, acme.who("owner")) as tx:
        await tx.conn.execute("UPDATE mailboxes SET visibility = 'everyone' WHERE id = $1", mailbox)
    stored = await arrive(db, acme, mailbox, _FILE % (1, 1), "p1")
    thread = stored.thread_id
    assert (await owner.get(f"/mail/threads/{thread}")).status == 200
    assert await entries(owner, action="mail.") == []
    for _ in range(2):
        assert (await manager.get(f"/mail/threads/{thread}")).status == 200
    [read] = await entries(owner, action="mail.")
    assert (read["action"], read["actor"]["id"]) == ("mail.read", str(acme.members["manager"]))
    assert read["details"] == {"mailbox_id": str(mailbox), "private": False}
    # What is private is nobody's but its owner's; that they read it is written down as well.
    async with tenant_tx(db, acme.who("owner")) as tx:
        await tx.conn.execute("UPDATE mail_threads SET private = true WHERE id = $1", thread)
    assert (await manager.get(f"/mail/threads/{thread}")).status == 404
    assert (await owner.get(f"/mail/threads/{thread}")).status == 200
    [private, _] = await entries(owner, action="mail.")
    assert (private["actor"]["id"], private["details"]["private"]) == (str(acme.members["owner"]), True)


async def test_sessions_and_failed_sign_ins_are_in_it(server: RunningHub) -> None:
    company = await make_company(server.hub.db, "Hooli", await hash_password(PASSWORD))
    owner, stranger = server.as_member(company, "owner"), server.client(**{"User-Agent": "A laptop"})
    rep = {"email": "rep@hooli.test", "password": PASSWORD}
    assert (await stranger.post("/auth/login", rep | {"password": "wrong"})).status == 401
    assert (await stranger.post("/auth/login", {"email": "nobody@hooli.test", "password": "wrong"})).status == 401
    signed_in = await stranger.post("/auth/login", rep)
    assert signed_in.status == 200
    stranger.token = signed_in.body["access_token"]
    assert (await stranger.post("/auth/logout", {})).status == 204
    found = await entries(owner, subject_id=company.members["rep"])
    assert [e["action"] for e in found] == ["session.ended", "session.opened", "sign_in.failed"]
    ended, opened, failed = found
    assert failed["actor"] is None
    assert (failed["address"], failed["details"]) == ("127.0.0.1", {"reason": "password", "device": "A laptop"})
    assert (opened["actor"]["id"], opened["address"]) == (str(company.members["rep"]), "127.0.0.1")
    assert ended["details"]["reason"] == "signed out"


async def told(api: Api) -> list[dict[str, Any]]:
    """The events that say that the log grew."""
    events = (await api.get("/events", after=0, limit=500)).body["data"]
    return [event for event in events if event["type"] == "audit.grew"]


async def test_who_looks_at_it_is_told_when_it_grows(server: RunningHub) -> None:
    db, company = server.hub.db, await make_company(server.hub.db, "Umbrella", await hash_password(PASSWORD))
    other = await make_company(db, "Wayne")
    owner = server.as_member(company, "owner")
    async with tenant_tx(db, company.who("manager")) as tx:
        await record(tx, "recording.listened")
        await record(tx, "recording.read")
    [grown] = await told(owner)
    assert (grown["data"], grown["actor"]["kind"]) == ({}, "system"), "neither what was done nor who did it"
    rep = {"email": "rep@umbrella.test", "password": PASSWORD}
    assert (await server.client().post("/auth/login", rep | {"password": "wrong"})).status == 401
    assert len(await told(owner)) == 1, "what somebody tries tells nobody by its time that there is such an account"
    assert (await server.client().post("/auth/login", rep)).status == 200
    await record_person(db, company.members["rep"], "account.password_changed")
    await record_outside(db, company.tenant_id, "invoice.paid")
    assert len(await told(owner)) == 4
    assert await told(server.as_member(company, "rep")) == await told(server.as_member(other, "owner")) == []


async def test_the_console_reads_it_again_when_it_grows() -> None:
    """Everything that is audited is among what the audit room listens to (console/src/audit/grows.ts)."""
    listened = re.findall(r"^  '([a-z_.]+)',$", (ROOT / "console/src/audit/grows.ts").read_text(), re.MULTILINE)
    audited = {name for name, kind in CATALOGUE.items() if kind.audited} | {AuditGrew.type}
    assert [name for name in sorted(audited) if not name.startswith(tuple(listened))] == []


async def test_nobody_rewrites_it_and_nobody_else_reads_it(
    server: RunningHub, acme: Company, lasting_database: TestDatabase
) -> None:
    db = server.hub.db
    globex = await make_company(db, f"{acme.name}Rival")
    await record_outside(db, acme.tenant_id, "invoice.paid", details={"invoice": "in_1"})
    await record_person(db, acme.members["rep"], "password.changed", address="192.0.2.7")
    for role in ("manager", "rep"):
        refused = await server.as_member(acme, role).get("/audit")
        assert (refused.status, refused.error) == (403, "forbidden")
    assert await entries(server.as_member(globex, "owner")) == []
    for sql in ("UPDATE audit_entries SET action = 'a.b'", "DELETE FROM audit_entries", "TRUNCATE audit_entries"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with tenant_tx(db, acme.who("owner")) as tx:
                await tx.conn.execute(sql)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with tenant_tx(db, acme.who("owner")) as tx:
            sql = "INSERT INTO audit_entries (tenant_id, action, at) VALUES ($1, 'a.b', now() - interval '1 year')"
            await tx.conn.execute(sql, acme.tenant_id)
    admin = await asyncpg.connect(lasting_database.admin_url)
    with pytest.raises(asyncpg.RaiseError, match="append-only"):
        await admin.execute("UPDATE audit_entries SET address = ''")
    await admin.close()
    paid, changed = reversed(await entries(server.as_member(acme, "admin")))
    assert (paid["actor"], paid["subject"], paid["details"]) == (None, None, {"invoice": "in_1"})
    assert UUID(changed["actor"]["id"]) == acme.members["rep"]
    assert changed["address"] == "192.0.2.7"
