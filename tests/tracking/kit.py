"""The ground of the tests of templates, tracking, unsubscribing and bounces: companies in one database, mail that went out."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from aiohttp import ClientSession

from hub.bounces.actions import record_bounce
from hub.db import Database, tenant_tx
from hub.tracking.actions import judge_hits
from hub.tracking.domains import note_checked
from hub.tracking.models import TrackingSettings
from hub.tracking.sending import Outgoing, Prepared, prepare
from hub.unsubscribes.actions import unsubscribe
from hub.who import Who
from integrations.mime import Bounce
from tests.conftest import Company, make_company
from tests.harness import Api, RunningHub
from tests.mail.kit import insert_mailbox, make_contact

_numbers = itertools.count(1)

PEOPLE = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Thunderbird/140.0"


@dataclass
class Desk:
    """A company of one test, and its mail."""

    server: RunningHub
    company: Company

    @property
    def db(self) -> Database:
        return self.server.hub.db

    def api(self, role: Any = "rep") -> Api:
        """A member's client."""
        return self.server.as_member(self.company, role)

    async def rows(self, sql: str, *args: Any) -> list[dict[str, Any]]:
        """Rows, as the company."""
        async with tenant_tx(self.db, Who.system(self.company.tenant_id)) as tx:
            return [dict(row) for row in await tx.conn.fetch(sql, *args)]

    async def mailbox(self, address: str = "rep@acme.example.com") -> UUID:
        """A mailbox of the rep's, which everybody sees."""
        async with tenant_tx(self.db, Who.system(self.company.tenant_id)) as tx:
            mailbox_id: UUID = await tx.conn.fetchval("SELECT uuidv7()")
            await insert_mailbox(tx, mailbox_id, self.company, "rep", "gmail", address, "everyone", None)
        return mailbox_id

    async def contact(self, *addresses: str, name: str = "Ada") -> UUID:
        """A contact with these addresses."""
        return await make_contact(self.db, self.company, *addresses, name=name)

    async def sent(self, mailbox_id: UUID, to: str, contact_id: UUID | None = None, *, at: datetime | None = None) -> UUID:
        """A mail that went out."""
        rows = await self.rows(
            "INSERT INTO mail_sends (tenant_id, mailbox_id, user_id, contact_id, state, source, recipients_to,"
            " subject, message_id, sent_at)"
            " VALUES ($1, $2, $3, $4, 'sent', 'sequence', $5, 'Hello', $6, coalesce($7, now())) RETURNING id",
            self.company.tenant_id,
            mailbox_id,
            self.company.members["rep"],
            contact_id,
            orjson.dumps([{"name": "", "address": to}]).decode(),
            f"<{next(_numbers)}@acme.example.com>",
            at,
        )
        send_id: UUID = rows[0]["id"]
        return send_id

    async def prepare(
        self,
        send_id: UUID,
        to: str | Sequence[str],
        html: str,
        *,
        contact_id: UUID | None = None,
        bulk: bool = True,
        text: str = "Hello",
    ) -> Prepared:
        """What is really sent."""
        recipients = [to] if isinstance(to, str) else list(to)
        mail = Outgoing(send_id, UUID(int=1), "rep@acme.example.com", contact_id, recipients, html, text, bulk)
        async with tenant_tx(self.db, Who.system(self.company.tenant_id)) as tx:
            return await prepare(tx, self.server.settings, mail)

    async def track(self, **settings: Any) -> None:
        """The company's settings of tracking."""
        given = TrackingSettings.model_validate({"opens": "on", "clicks": "on"} | settings)
        answer = await self.api("owner").put("/tracking/settings", given.model_dump())
        assert answer.status == 200, answer.body

    async def fetch(self, path: str, *, method: str = "GET", agent: str = PEOPLE) -> tuple[int, str, bytes]:
        """Whoever has the address asks for it: the status, where it leads, and what came."""
        async with (
            ClientSession() as session,
            session.request(
                method,
                self.server.url + path,
                headers={"User-Agent": agent} if agent else {},
                allow_redirects=False,
                skip_auto_headers=["User-Agent"],
            ) as answer,
        ):
            return answer.status, answer.headers.get("Location", ""), await answer.read()

    async def post(self, path: str, **fields: str) -> tuple[int, str]:
        """A form is posted, by a mail program or from the page."""
        async with ClientSession() as session, session.post(self.server.url + path, data=fields) as answer:
            return answer.status, await answer.text()

    async def sent_long_ago(self, send_id: UUID, minutes: int = 60) -> None:
        """The mail has lain there for a while."""
        await self.rows(
            "UPDATE tracked_sends SET sent_at = now() - make_interval(mins => $2) WHERE send_id = $1 RETURNING 1",
            send_id,
            minutes,
        )

    async def judge(self, send_id: UUID) -> None:
        """The job's work, now."""
        async with tenant_tx(self.db, Who.system(self.company.tenant_id)) as tx:
            await judge_hits(tx, send_id, ["tenant"])

    async def counts(self, send_id: UUID) -> tuple[int, int, int, int]:
        """People's opens and clicks, machines' opens and clicks."""
        row = (await self.rows("SELECT * FROM tracked_sends WHERE send_id = $1", send_id))[0]
        return row["open_count"], row["click_count"], row["bot_open_count"], row["bot_click_count"]

    async def events(self, like: str) -> list[str]:
        """Types of events, in order."""
        return [row["type"] for row in await self.rows("SELECT type FROM events WHERE type LIKE $1 ORDER BY seq", like)]


async def new_desk(server: RunningHub) -> Desk:
    """A company nobody has used."""
    return Desk(server, await make_company(server.hub.db, f"Acme{next(_numbers)}"))


async def a_template(server: RunningHub, company: Company) -> str:
    """A shared template, for the table of endpoints."""
    await server.as_member(company, "owner").post("/contacts", {"first_name": "Ada", "custom": {"renewal": "2027"}})
    given = {"name": f"First touch {next(_numbers)}", "subject": "Hello", "shared": True}
    answer = await server.as_member(company, "owner").post("/templates", given)
    assert answer.status == 201, answer.body
    return str(answer.body["id"])


async def a_tracked_send(server: RunningHub, company: Company) -> str:
    """A mail that came back and whose reader unsubscribed, for the table of endpoints."""
    desk = Desk(server, company)
    await desk.track(domain="links.acme.example.com")
    reader = f"reader{next(_numbers)}@mail.example.com"
    mailbox_id = await desk.mailbox(f"rep{next(_numbers)}@acme.example.com")
    send_id = await desk.sent(mailbox_id, reader)
    await desk.prepare(send_id, reader, "<p>Hello</p>")
    async with tenant_tx(desk.db, Who.system(company.tenant_id)) as tx:
        await note_checked(tx, "links.acme.example.com", None)
        await unsubscribe(tx, reader, "page", contact_id=None, send_id=send_id)
        await record_bounce(tx, mailbox_id, Bounce(reader, "4.2.2", False, "", "full"), send_id)
    return str(send_id)
