"""Exports, erasures and retention, as the people who ask for them see it, and as the tables and the store look afterwards."""

from __future__ import annotations

import io
import json
import zipfile
from argparse import Namespace
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from hub.db import tenant_tx
from hub.embedded import PostgresServer
from hub.privacy import erasing, shell
from tests.conftest import Company, TestDatabase, cloned_database, make_company
from tests.harness import Api, RunningHub, until
from tests.mail.kit import arrive
from tests.mail.things import _FILE
from tests.mailboxes.kit import mailbox_at_a_server
from tests.recordings.kit import SQL as RECORDINGS
from tests.recordings.kit import a_recording, put_file, wav
from tests.stack import Stack, running_stack

pytestmark = pytest.mark.asyncio(loop_scope="module")
EMAIL, PHONE = "ada.lovelace@example.com", "+14155550177"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def database(postgres: PostgresServer) -> AsyncIterator[TestDatabase]:
    """One database for the file."""
    async with cloned_database(postgres) as cloned:
        yield cloned


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(database: TestDatabase, valkey_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """A hub with a worker and a store, for the file."""
    folder = str(tmp_path_factory.mktemp("objects"))
    async with running_stack(database.app_url, valkey_url, objects=folder) as running, running.worker():
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def admin(database: TestDatabase) -> AsyncIterator[asyncpg.Connection]:
    """Who sees everything."""
    conn = await asyncpg.connect(database.admin_url)
    yield conn
    await conn.close()


async def done(api: Api, request_id: str) -> dict[str, Any]:
    """The request, once it has ended well."""

    async def ended() -> Any:
        body = (await api.get(f"/privacy/requests/{request_id}")).body
        assert body["state"] != "failed", body
        return body if body["state"] == "done" else None

    found: dict[str, Any] = await until(ended)
    return found


async def known(stack: Stack, company: Company) -> tuple[str, UUID]:
    """A contact who was called, recorded, written to and noted. Their id, and the recording's."""
    db, owner = stack.server.hub.db, stack.server.as_member(company, "owner")
    given = {
        "first_name": "Ada",
        "last_name": "Lovelace",
        "emails": [{"address": EMAIL}],
        "phones": [{"e164": PHONE}],
        "tags": ["poet's daughter"],
    }
    made = await owner.post("/contacts", given)
    assert made.status == 201, made.body
    contact: str = made.body["id"]
    assert (await owner.post(f"/contacts/{contact}/notes", {"body": "tea, not coffee"})).status == 201
    assert (await owner.put(f"/contacts/{contact}/consent", {"channel": "email", "state": "denied"})).status == 200
    async with tenant_tx(db, company.who("owner")) as tx:
        call = await tx.conn.fetchval(
            "INSERT INTO calls (tenant_id, contact_id, user_id, state, to_number, from_number, answered_at, ended_at,"
            " provider_sid, note)"
            " VALUES ($1, $2, $3, 'completed', $4, '+14155550100', now(), now(), $5, 'likes engines') RETURNING id",
            company.tenant_id, UUID(contact), company.members["rep"], PHONE, f"CA{UUID(contact).hex}",
        )  # fmt: skip
    recording = await a_recording(db, company, said="my number is 42", call=call)
    async with tenant_tx(db, company.who("owner")) as tx:
        await tx.execute(RECORDINGS["note_gone"], id=recording, provider=True, object=False)
    folder = Path(stack.settings.objects)
    await put_file(folder, company, recording, wav())
    mailbox = await mailbox_at_a_server(db, company, f"owner@{company.name.lower()}.test")
    raw = (_FILE % (1, 1)).replace(b"ada@example.com", EMAIL.encode())
    (folder / "mail").mkdir(exist_ok=True)
    (folder / f"mail/{company.name}.eml").write_bytes(raw)
    async with tenant_tx(db, company.who("owner")) as tx:
        await tx.conn.execute("UPDATE mailboxes SET visibility = 'everyone' WHERE id = $1", mailbox)
    await arrive(db, company, mailbox, raw, "p1", object_key=f"mail/{company.name}.eml")
    return contact, recording


async def traces(server: RunningHub, company: Company, contact: str) -> None:
    """What others were told of the contact and answered, an invitation to them, and a job that failed because of them."""
    owner = server.as_member(company, "owner")
    assert (await owner.post("/invitations", {"email": EMAIL.upper(), "role": "rep"})).status == 201
    made = await owner.post("/api/v1/webhooks", {"url": "https://example.com/ringside"})
    # None is sent by the worker of this test.
    assert (await owner.post(f"/api/v1/webhooks/{made.body['id']}/pause")).status == 200
    answered = (
        "INSERT INTO outgoing_deliveries (tenant_id, endpoint_id, kind, event_id, event_seq, event_at, event_type, state, answer)"
        " SELECT tenant_id, $1, 'event', id, seq, at, type, 'accepted', $4 FROM events WHERE type = $2 AND subject_id = $3"
    )
    endpoint, person = UUID(made.body["id"]), UUID(contact)
    async with tenant_tx(server.hub.db, company.who("owner")) as tx:
        await tx.conn.execute(answered, endpoint, "contact.created", person, "Welcome, A. L.")
        await tx.conn.execute(answered, endpoint, "webhook.created", endpoint, f"Known: {EMAIL.upper()}")
        await tx.conn.execute(answered, endpoint, "webhook.created", endpoint, "Fine")
        failed = "INSERT INTO jobs (tenant_id, kind, state, last_error) VALUES ($1, 'calls.dial', 'dead', $2)"
        await tx.conn.execute(failed, company.tenant_id, f"{PHONE} is not in service.")


async def where_it_stands(admin: asyncpg.Connection, company: Company, *words: str) -> dict[str, int]:
    """The company's tables in which one of these words stands anywhere, with how many rows."""
    tables = await admin.fetch(
        "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
    )
    found = {}
    for (name,) in tables:
        rows = await admin.fetchval(
            f'SELECT count(*) FROM "{name}" t WHERE tenant_id = $1 AND t::text ILIKE ANY ($2)',
            company.tenant_id,
            [f"%{word}%" for word in words],
        )
        if rows:
            found[name] = rows
    return found


async def test_a_contact_is_exported_and_then_erased_everywhere(stack: Stack, admin: asyncpg.Connection) -> None:
    server = stack.server
    acme, globex = await make_company(server.hub.db, "Acme"), await make_company(server.hub.db, "Globex")
    owner, folder = server.as_member(acme, "owner"), Path(stack.settings.objects)
    contact, recording = await known(stack, acme)
    theirs, _ = await known(stack, globex)
    await traces(server, acme, contact)
    await traces(server, globex, theirs)

    # All there is comes as a zip; taking it is written down.
    asked = await owner.post("/privacy/exports", {"subject_kind": "contact", "subject_id": contact})
    assert (asked.status, asked.body["subject"]["name"]) == (202, "Ada Lovelace")
    assert (await owner.post("/privacy/exports", {"subject_kind": "contact", "subject_id": theirs})).status == 404
    ready = await done(owner, asked.body["id"])
    assert ready["has_file"]
    assert ready["counts"]["activities"] >= 1
    async with owner.session.get(
        f"{owner.base}/api/v1/privacy/requests/{ready['id']}/file", headers={"Authorization": f"Bearer {owner.token}"}
    ) as response:
        assert response.status == 200
        bundle = zipfile.ZipFile(io.BytesIO(await response.read()))
    names = bundle.namelist()
    assert f"recordings/{recording}.wav" in names
    assert [name for name in names if name.startswith("mail/")]
    assert "Ada Lovelace" in bundle.read("README.txt").decode()
    assert json.loads(bundle.read("data/contacts.jsonl"))["first_name"] == "Ada"
    assert "tea, not coffee" in bundle.read("data/activities.jsonl").decode()
    assert "my number is 42" in bundle.read("data/transcripts.jsonl").decode()
    assert EMAIL in bundle.read("data/mail_messages.jsonl").decode()
    assert bundle.read(f"recordings/{recording}.wav") == wav()
    assert (await server.as_member(globex, "owner").get(f"/privacy/requests/{ready['id']}/file")).status == 404

    whole = await done(owner, (await owner.post("/privacy/exports", {"subject_kind": "company"})).body["id"])
    assert len(list((folder / f"exports/{acme.tenant_id}").iterdir())) == 2

    # Nothing is erased by a slip.
    subject = {"subject_kind": "contact", "subject_id": contact}
    slip = await owner.post("/privacy/erasures", subject | {"confirm": "Ada"})
    assert (slip.status, slip.field("confirm")) == (422, "Type in the name as it is written, Ada Lovelace, to erase it for good.")
    for role in ("manager", "rep"):
        assert (await server.as_member(acme, role).post("/privacy/erasures", subject | {"confirm": "Ada Lovelace"})).status == 403

    erased = await owner.post("/privacy/erasures", subject | {"confirm": "ada lovelace"})
    assert erased.status == 202, erased.body
    over = await done(owner, erased.body["id"])
    assert over["subject"]["name"] == ""
    assert over["counts"]["mail"] == over["counts"]["calls"] == over["counts"]["recordings"] == 1

    # They are nowhere any more: only on the list of those who said no, as they wished.
    words = (EMAIL, PHONE, "lovelace", "tea, not coffee", "number is 42", "likes engines")
    await until(lambda: _gone(folder / f"recordings/{acme.tenant_id}/{recording}.wav"))
    assert await where_it_stands(admin, acme, *words) == {"suppressions": 1}
    answers = "SELECT array_agg(answer ORDER BY place) FROM outgoing_deliveries WHERE tenant_id = $1"
    assert await admin.fetchval(answers, acme.tenant_id) == ["", "", "Fine"], "whatever was answered to what was told of them"
    assert not (folder / "mail/Acme.eml").exists()
    assert (await owner.get(f"/contacts/{contact}")).status == 404
    assert (await owner.post(f"/contacts/{contact}/restore")).status in (404, 409)
    assert (await owner.get(f"/privacy/requests/{ready['id']}/file")).status == 409
    assert (await owner.get(f"/privacy/requests/{whole['id']}/file")).status == 409
    assert not list((folder / f"exports/{acme.tenant_id}").iterdir())
    # The log has no gap, and what is emptied in it says so.
    events = (await owner.get("/events", after=0, limit=200)).body
    assert {e["type"] for e in events["data"]} >= {"record.erased"}
    seqs = [e["seq"] for e in events["data"]]
    assert seqs == sorted(seqs)
    assert "Lovelace" not in str(events)
    # What a restored backup is held against lies in the store, with ids only.
    entry = json.loads((folder / f"erasures/{acme.tenant_id}/{erased.body['id']}.json").read_text())
    assert (entry["subject_kind"], entry["subject_id"]) == ("contact", contact)
    log = [e["action"] for e in (await owner.get("/audit", subject_id=contact)).body["data"]]
    assert set(log) >= {"erasure.done", "erasure.asked", "export.downloaded", "export.asked"}
    # The other company has all of its own.
    has = {"contact_emails", "mail_messages", "invitations", "letters", "outgoing_deliveries"}
    assert set(await where_it_stands(admin, globex, EMAIL)) >= has
    assert await admin.fetchval(answers, globex.tenant_id) == ["Welcome, A. L.", f"Known: {EMAIL.upper()}", "Fine"]
    assert (folder / "mail/Globex.eml").exists()


async def _gone(path: Path) -> bool:
    return not path.exists()


async def test_a_former_member_is_erased_and_a_company_after_its_week(stack: Stack, admin: asyncpg.Connection) -> None:
    server = stack.server
    hooli, rival = await make_company(server.hub.db, "Hooli"), await make_company(server.hub.db, "Initech")
    owner, rep = server.as_member(hooli, "owner"), hooli.members["rep"]
    await known(stack, hooli)
    await known(stack, rival)
    person = {"subject_kind": "member", "subject_id": str(rep), "confirm": "Rep of Hooli"}
    early = await owner.post("/privacy/erasures", person)
    assert (early.status, early.error) == (409, "member_is_active")
    assert (await owner.patch(f"/members/{rep}", {"status": "deactivated"})).status == 200
    await admin.execute(
        "INSERT INTO sso_identities (user_id, issuer, subject, email) VALUES ($1, 'https://id.test', 'x', 'rep@hooli.test')", rep
    )
    letter = (
        "INSERT INTO letters (tenant_id, template, to_address, subject, state) VALUES ($1, 'reset', $2, 'A new password', 'sent')"
    )
    for address in ("Rep@Hooli.test", "rep@initech.test"):
        await admin.execute(letter, UUID(int=0), address)
    export = await owner.post("/privacy/exports", {"subject_kind": "member", "subject_id": str(rep)})
    assert (await done(owner, export.body["id"]))["counts"]["people"] == 1
    asked = await owner.post("/privacy/erasures", person)
    assert (await done(owner, asked.body["id"]))["counts"]["account"] == 1
    shown = next(m for m in (await owner.get("/members")).body["data"] if m["id"] == str(rep))
    assert shown["name"] == "Erased person"
    assert "rep@hooli.test" not in str(shown)
    assert await where_it_stands(admin, hooli, "rep@hooli.test") == {}
    for table in ("sso_identities", "user_passwords", "signups", "known_devices", "users", "letters"):
        assert await admin.fetchval(f"SELECT count(*) FROM {table} t WHERE t::text ILIKE '%rep@hooli.test%'") == 0

    assert await admin.fetchval("SELECT count(*) FROM letters WHERE to_address = 'rep@initech.test'") == 1

    # The whole company, by its owner only, and not before a week is over, in which it can be taken back.
    whole = {"subject_kind": "company", "confirm": "Hooli"}
    assert (await server.as_member(hooli, "admin").post("/privacy/erasures", whole)).status == 403
    number = "INSERT INTO numbers (tenant_id, e164, provider_sid, state) VALUES ($1, '+14155550199', 'PN1', 'active')"
    await admin.execute(number, hooli.tenant_id)
    assert (await owner.post("/privacy/erasures", whole)).error == "numbers_are_held"
    await admin.execute("DELETE FROM numbers WHERE tenant_id = $1", hooli.tenant_id)
    first = await owner.post("/privacy/erasures", whole)
    assert first.body["state"] == "waiting"
    due = datetime.fromisoformat(first.body["due_at"])
    assert due > datetime.now(UTC) + timedelta(days=6)
    assert (await owner.post("/privacy/erasures", whole)).error == "under_way"
    assert (await owner.post(f"/privacy/requests/{first.body['id']}/cancel")).body["state"] == "canceled"
    export = await owner.post("/privacy/exports", {"subject_kind": "company"})
    counts = (await done(owner, export.body["id"]))["counts"]
    assert counts["contacts"] == 1
    assert counts["files"] >= 2
    columns = "tenant_id, name, name_lc, base, permissions"
    sql = f"INSERT INTO roles ({columns}) VALUES ($1, 'Closer', 'closer', 'rep', '{{}}') RETURNING id"
    role = await admin.fetchval(sql, hooli.tenant_id)
    await admin.execute("UPDATE members SET role_id = $2 WHERE tenant_id = $1 AND role = 'rep'", hooli.tenant_id, role)
    assert (await owner.post("/teams", {"name": "Closers", "member_ids": [str(hooli.members["manager"])]})).status == 201
    again = await owner.post("/privacy/erasures", whole)
    await admin.execute("UPDATE privacy_requests SET due_at = now() WHERE id = $1", UUID(again.body["id"]))
    await admin.execute("UPDATE jobs SET run_at = now() WHERE args ->> 'request_id' = $1", again.body["id"])

    async def is_gone() -> bool:
        return not await admin.fetchval("SELECT EXISTS (SELECT FROM tenants WHERE tenant_id = $1)", hooli.tenant_id)

    await until(is_gone)
    left = await where_it_stands(admin, hooli, "")
    assert set(left) <= {"access_changes"}
    assert await admin.fetchval("SELECT count(*) FROM users WHERE email_lc LIKE '%@hooli.test' OR email_lc LIKE 'erased-%'") == 0
    assert not list((Path(stack.settings.objects) / f"recordings/{hooli.tenant_id}").glob("*"))
    assert (await server.as_member(rival, "owner").get("/contacts")).body["data"] != []


async def test_what_is_older_than_it_is_kept_goes_each_night(stack: Stack, admin: asyncpg.Connection) -> None:
    server = stack.server
    acme, globex = await make_company(server.hub.db, "Umbrella"), await make_company(server.hub.db, "Tyrell")
    owner, folder = server.as_member(acme, "owner"), Path(stack.settings.objects)
    contact, recording = await known(stack, acme)
    await known(stack, globex)
    assert (await owner.put("/privacy/retention", {"mail_days": 3})).field("mail_days").startswith("Input should be greater")
    kept = {"mail_days": 90, "calls_days": 90, "recordings_days": 60, "audit_days": 365}
    settings = await owner.put("/privacy/retention", kept)
    assert (settings.status, settings.body["mail_days"], settings.body["events_days"]) == (200, 90, None)
    old = (acme.tenant_id, globex.tenant_id)
    await admin.execute("UPDATE mail_threads SET last_at = now() - interval '91 days' WHERE tenant_id = ANY ($1)", old)
    await admin.execute("UPDATE calls SET ended_at = now() - interval '91 days' WHERE tenant_id = ANY ($1)", old)
    await admin.execute("UPDATE recordings SET created_at = now() - interval '61 days' WHERE tenant_id = ANY ($1)", old)

    async def night() -> None:
        async with tenant_tx(server.hub.db, acme.who("owner")) as tx:
            await tx.defer("privacy.retain", {})

    async def taken() -> dict[str, int]:
        found = (await owner.get("/privacy/requests")).body["data"]
        counts: Counter[str] = Counter()
        for one in found:
            counts.update(one["counts"])
        return dict(counts)

    async def calls_are_gone() -> bool:
        # A call goes when its recording is gone everywhere, which may be the night after.
        if "calls" not in await taken():
            await night()
            return False
        return True

    await until(calls_are_gone)
    assert (await taken()).items() >= {"mail": 1, "calls": 1}.items()
    assert set(await taken()) == {"mail", "recordings", "calls"}
    assert not (folder / "mail/Umbrella.eml").exists()
    assert not (folder / f"recordings/{acme.tenant_id}/{recording}.wav").exists()
    assert (await owner.get(f"/contacts/{contact}")).status == 200
    assert await admin.fetchval("SELECT count(*) FROM calls WHERE tenant_id = $1", globex.tenant_id) == 1
    [changed] = (await owner.get("/audit", action="retention.")).body["data"]
    assert changed["details"]["retention"]["mail_days"] == 90


async def test_a_restored_backup_is_erased_again(
    stack: Stack, admin: asyncpg.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    server, folder = stack.server, Path(stack.settings.objects)
    acme, gone = await make_company(server.hub.db, "Stark"), await make_company(server.hub.db, "Wayne")
    contact, _ = await known(stack, acme)
    await known(stack, gone)
    rep = acme.members["rep"]
    subjects = [("contact", UUID(contact), acme), ("member", rep, acme), ("company", gone.tenant_id, gone)]
    lines = [erasing.manifest_entry(c.tenant_id, UUID(int=n), kind, subject) for n, (kind, subject, c) in enumerate(subjects)]
    manifest = folder.parent / "manifest.jsonl"
    manifest.write_bytes(b"".join(lines))
    assert await shell.run(Namespace(list=False, replay=manifest), stack.settings) == 0
    assert "3 erasures in the manifest, 3 of them done again" in capsys.readouterr().out
    assert set(await where_it_stands(admin, acme, EMAIL, PHONE, "lovelace", "rep@stark.test")) == {"suppressions"}
    assert await admin.fetchval("SELECT count(*) FROM tenants WHERE tenant_id = $1", gone.tenant_id) == 0
    # Once more does no harm, and what is no manifest is said to be none.
    assert await shell.run(Namespace(list=False, replay=manifest), stack.settings) == 0
    assert "0 of them done again" in capsys.readouterr().out
    manifest.write_text("hello")
    with pytest.raises(shell.NoManifest, match="no line of a manifest: hello"):
        await shell.run(Namespace(list=False, replay=manifest), stack.settings)
    # What the store has by now is what this file's tests have erased.
    assert await shell.run(Namespace(list=True, replay=None), stack.settings) == 0
    # The worker of this stack says on the same output what it does.
    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    assert all(set(one) == {"erasure", "tenant_id", "subject_kind", "subject_id"} for one in listed)
