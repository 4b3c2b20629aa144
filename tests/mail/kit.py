"""The ground that the tests of mail stand on: mailboxes at the Gmail sandbox, and jobs that run when a test says so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import UUID

from hub.config import GoogleSettings, Settings
from hub.db import Database, tenant_tx
from hub.mail.receiving import store_message
from hub.mail.sending import queue_mail
from hub.mail.values import Arrived, MailOut, Stored
from hub.mailboxes.queries import get_row
from hub.mailboxes.rows import MailboxRow
from hub.providers import google_client
from hub.sealing import Seals
from hub.who import Role, Who
from integrations.mail import MessageRef
from integrations.mailboxes import open_mail
from integrations.mime import Address, read_message
from integrations.objects import open_objects
from integrations.sandbox.gmail.server import GmailSandbox
from tests.conftest import Company
from tests.harness import make_settings
from workers import mail, sequences
from workers.job import Deps, Registry
from workers.ledger import Ledger
from workers.runner import Runner

_REGISTRY = Registry.of(mail, sequences)


@dataclass
class Post:
    """A company's mail: its database, its mailboxes' provider, and the jobs."""

    db: Database
    company: Company
    sandbox: GmailSandbox
    settings: Settings
    deps: Deps

    async def mailbox(self, address: str, role: Role = "rep", *, visibility: str = "everyone") -> MailboxRow:
        """A member's Gmail mailbox that is connected and taken in."""
        token = self.sandbox.add_mailbox(address)
        async with tenant_tx(self.db, self.company.who(role)) as tx:
            mailbox_id: UUID = await tx.conn.fetchval("SELECT uuidv7()")
            sealed = Seals(self.settings).seal(token, tenant_id=self.company.tenant_id, kind="mailbox", row_id=mailbox_id)
            await insert_mailbox(tx, mailbox_id, self.company, role, "gmail", address, visibility, sealed)
            row = await get_row(tx, mailbox_id)
        assert row is not None
        return row

    async def queue(self, mailbox: MailboxRow, to: str, **more: Any) -> UUID:
        """Have a mail sent."""
        values: dict[str, Any] = {"subject": "Hello", "html": "<p>Good morning</p>"} | more
        async with tenant_tx(self.db, Who.system(self.company.tenant_id)) as tx:
            return await queue_mail(tx, MailOut(mailbox.id, (Address("", to),), **values))

    async def work(self, deps: Deps | None = None, *, hurry: bool = False) -> None:
        """Do every job of mail that is due (`hurry`: and those that wait for their next attempt), until none is left."""
        for _ in range(50):
            if hurry:
                await self.run("UPDATE jobs SET run_at = now() WHERE state = 'ready' AND run_at > now()")
            ledger = Ledger(self.db, "a worker", {})
            runner = Runner(ledger, _REGISTRY, deps or self.deps, max_jobs=4)
            due = await ledger.due(overdue_s=-0.001, limit=100)
            if not due:
                return
            for each in due:
                while not runner.room.free:
                    await runner.freed(1.0)
                runner.start(each.tenant_id, [each.id], "sweep")
            await runner.drain(60.0)
        raise AssertionError("the jobs do not come to an end")

    async def send(self, send_id: UUID) -> dict[str, Any]:
        """A mail as it stands."""
        return (await self.rows("SELECT * FROM mail_sends WHERE id = $1", send_id))[0]

    async def run(self, sql: str, *args: Any) -> None:
        """A statement as the company."""
        async with tenant_tx(self.db, Who.system(self.company.tenant_id)) as tx:
            await tx.conn.execute(sql, *args)

    async def rows(self, sql: str, *args: Any) -> list[dict[str, Any]]:
        """Rows, as the company."""
        async with tenant_tx(self.db, Who.system(self.company.tenant_id)) as tx:
            return [dict(row) for row in await tx.conn.fetch(sql, *args)]

    async def contact(self, *addresses: str, name: str = "Ada") -> UUID:
        """A contact with these addresses."""
        return await make_contact(self.db, self.company, *addresses, name=name)

    async def events(self) -> list[tuple[str, str]]:
        """Types and audiences of the events of mail, in their order."""
        rows = await self.rows("SELECT type, audience FROM events WHERE type LIKE 'mail.%' ORDER BY seq")
        return [(row["type"], row["audience"]) for row in rows]


async def make_contact(db: Database, company: Company, *addresses: str, name: str = "Ada") -> UUID:
    """A contact with these addresses."""
    async with tenant_tx(db, Who.system(company.tenant_id)) as tx:
        contact_id: UUID = await tx.conn.fetchval(
            "INSERT INTO contacts (tenant_id, first_name) VALUES ($1, $2) RETURNING id", company.tenant_id, name
        )
        for place, address in enumerate(addresses):
            await tx.conn.execute(
                "INSERT INTO contact_emails (tenant_id, contact_id, position, address) VALUES ($1, $2, $3, $4)",
                company.tenant_id,
                contact_id,
                place,
                address,
            )
    return contact_id


async def insert_mailbox(
    tx: Any, mailbox_id: UUID, company: Company, role: Role, kind: str, address: str, visibility: str, sealed: str | None
) -> None:
    """A mailbox that is connected; nobody but the test asks its provider."""
    await tx.conn.execute(
        "INSERT INTO mailboxes (tenant_id, id, user_id, kind, address, address_lc, display_name, state, visibility, sealed,"
        " first_sync, connected_at, next_poll_at, next_measure_at) VALUES ($1, $2, $3, $4, $5, lower($5), $6, 'active', $7, $8,"
        """ '{"state": "done", "done": 0, "total": 0}', now(), now() + interval '1 day', now() + interval '1 day')""",
        company.tenant_id,
        mailbox_id,
        company.members[role],
        kind,
        address,
        f"{role.title()} of {company.name}",
        visibility,
        sealed,
    )


@asynccontextmanager
async def opened_post(
    db: Database, database_url: str, company: Company, sandbox: GmailSandbox, files: Path
) -> AsyncIterator[Post]:
    """Mail for one company."""
    google = GoogleSettings(
        sandbox.settings.client_id, sandbox.settings.client_secret, api_url=sandbox.url, oauth_url=sandbox.url
    )
    settings = make_settings(database_url, "redis://127.0.0.1:9", google=google, objects=str(files), twilio=None)
    async with open_mail(google_client(settings), None) as parts:
        deps = Deps(db, settings, objects=open_objects(str(files), {}), mailboxes=parts.mailboxes, seals=Seals(settings))
        yield Post(db, company, sandbox, settings, deps)


def letter(
    subject: str = "Question",
    *,
    from_: str = "Ada <ada@example.com>",
    to: str = "rep@acme.test",
    text: str = "What does it cost?\n",
    message_id: str = "<a1@example.com>",
    in_reply_to: str = "",
    references: str = "",
    html: str = "",
    **headers: str,
) -> bytes:
    """A message as it comes."""
    mail_ = EmailMessage()
    mail_["From"], mail_["To"], mail_["Subject"] = from_, to, subject
    mail_["Date"] = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
    if message_id:
        mail_["Message-ID"] = message_id
    if in_reply_to:
        mail_["In-Reply-To"] = in_reply_to
    if references:
        mail_["References"] = references
    for name, value in headers.items():
        mail_[name.replace("_", "-")] = value
    mail_.set_content(text)
    if html:
        mail_.add_alternative(html, subtype="html")
    return mail_.as_bytes()


async def arrive(
    db: Database,
    company: Company,
    mailbox_id: UUID,
    raw: bytes,
    provider_id: str,
    thread_id: str = "",
    *,
    labels: frozenset[str] = frozenset({"inbox", "unread"}),
    **more: Any,
) -> Stored:
    """Take in a message."""
    async with tenant_tx(db, Who.system(company.tenant_id)) as tx:
        row = await get_row(tx, mailbox_id)
        assert row is not None
        ref = MessageRef(provider_id, thread_id)
        arrived = replace(Arrived(ref, labels, datetime.now(UTC), None, len(raw)), **more)
        return await store_message(tx, row, read_message(raw), arrived)
