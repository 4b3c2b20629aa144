"""What the tests of sequences share: a company with a mailbox, contacts, a clock that is set by hand, mail that goes as told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson

from hub.clock import Clock
from hub.contacts.actions import create_contact
from hub.contacts.models import ContactIn
from hub.db import Database, Tx, tenant_tx
from hub.sequences import actions, queries, scheduling
from hub.sequences.models import EnrolIn, SequenceIn
from hub.sqlfiles import Statement
from hub.who import Who
from tests.conftest import Company

MONDAY = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)  # half past nine in New York

_WORDS = {"subject": "Hello {{ contact.first_name }}", "html": "<p>How are you?</p>"}


def always(now: datetime) -> dict[str, Any]:
    """A schedule that is open at any time. Nothing is planned into the last seconds of a day: midnight is far from `now`."""
    zone = "UTC" if 2 <= now.hour < 22 else "Etc/GMT-12"
    return {"days": {str(day): [0, 1440] for day in range(1, 8)}, "zone": zone}


def sql(text: str) -> Statement:
    """A statement of a test."""
    return Statement("test", text)


def email(**fields: Any) -> dict[str, Any]:
    """An email step."""
    return {"kind": "email", "variants": [dict(_WORDS)]} | fields


class Office:
    """One company that writes, with a clock of its own."""

    def __init__(self, db: Database, company: Company, now: datetime = MONDAY) -> None:
        self.db = db
        self.company = company
        self.who = company.who("rep")
        self.now = now
        self._number = 0

    @property
    def clock(self) -> Clock:
        """A clock that shows `now`, and all but stands still."""
        return Clock(self.now, datetime.now(UTC), 0.001)

    def tx(self, who: Who | None = None) -> Any:
        """A transaction of the rep."""
        return tenant_tx(self.db, who or self.who)

    async def mailbox(self, address: str = "rep@acme.test", **caps: Any) -> UUID:
        """A mailbox that may send."""
        given = {"per_hour": 60, "per_day": 400, "per_week": 2000, "min_gap_s": 0} | caps
        mailbox_id = uuid4()
        async with self.tx() as tx:
            await tx.execute(
                sql(
                    "INSERT INTO mailboxes (tenant_id, id, user_id, kind, address, address_lc, state, per_hour, per_day,"
                    " per_week, min_gap_s) VALUES (:tenant_id, :id, :user_id, 'gmail', :address, lower(:address), 'active',"
                    " :per_hour, :per_day, :per_week, :min_gap_s)"
                ),
                id=mailbox_id,
                address=address,
                **given,
            )
        return mailbox_id

    async def contacts(self, count: int, **fields: Any) -> list[UUID]:
        """New contacts in New York, each with an address of their own."""
        made = []
        async with self.tx() as tx:
            for _ in range(count):
                self._number += 1
                given = {
                    "first_name": f"Pat{self._number}",
                    "emails": [{"address": f"pat{self._number}@firm{self._number}.example"}],
                    "phones": [{"e164": f"+1212555{self._number:04d}"}],
                }
                contact_id, _, _ = await create_contact(tx, ContactIn.model_validate(given | fields))
                made.append(contact_id)
        return made

    async def sequence(self, steps: list[dict[str, Any]] | None = None, *, start: bool = True, **fields: Any) -> UUID:
        """A sequence that runs, always open unless it says otherwise."""
        given = {"name": "Welcome", "schedule": always(self.now), "steps": steps if steps is not None else [email()]} | fields
        async with self.tx() as tx:
            sequence_id, _, _ = await actions.create_sequence(tx, SequenceIn.model_validate_json(orjson.dumps(given)))
            if start:
                await actions.set_state(tx, sequence_id, "active", self.now)
        return sequence_id

    async def enrol(self, sequence_id: UUID, contact_ids: list[UUID], **fields: Any) -> dict[str, Any]:
        """Enrol contacts; the answer."""
        async with self.tx() as tx:
            text = await actions.enrol(tx, sequence_id, EnrolIn.model_validate({"contact_ids": contact_ids} | fields), self.now)
        told: dict[str, Any] = orjson.loads(text)
        return told

    async def tick(self, *, after: timedelta | None = None, sent: bool = True) -> int:
        """One round of the scheduler, `after` so long; then whatever waits is sent, unless it is not to be."""
        if after is not None:
            self.now += after
        done = await scheduling.tick(self.db, self.clock, 500)
        if sent:
            await self.send_all()
        return done

    async def send_all(self, state: str = "sent", error: str | None = None) -> None:
        """What the worker and the provider would do: mail that waits is sent."""
        async with self.tx() as tx:
            await tx.execute(
                sql(
                    "UPDATE mail_sends SET state = :state, error = :error, sent_at = now(), asked_at = now()"
                    " WHERE tenant_id = :tenant_id AND state = 'queued'"
                ),
                state=state,
                error=error,
            )

    async def run_for(self, days: float) -> None:
        """Let time pass from one due moment to the next."""
        until = self.now + timedelta(days=days)
        while True:
            while await self.tick():
                pass
            [row] = await self.rows(
                "SELECT min(CASE state WHEN 'active' THEN due_at ELSE resume_at END) AS next"
                " FROM enrolments WHERE tenant_id = :tenant_id AND state IN ('active', 'paused') AND phase <> 'settle'"
            )
            if row["next"] is None or row["next"] > until:
                self.now = until
                return
            self.now = max(self.now, row["next"]) + timedelta(milliseconds=1)

    async def rows(self, text: str, **params: Any) -> list[asyncpg.Record]:
        """What the database says."""
        async with self.tx() as tx:
            tx_: Tx = tx
            return await tx_.fetch(sql(text), **params)

    async def enrolments(self, contact_id: UUID | None = None) -> list[dict[str, Any]]:
        """Every enrolment with its steps, in order."""
        rows = await self.rows("SELECT id, contact_id FROM enrolments WHERE tenant_id = :tenant_id ORDER BY id")
        async with self.tx() as tx:
            return [
                orjson.loads(await queries.read_enrolment_with_runs(tx, row["id"]))
                for row in rows
                if contact_id in (None, row["contact_id"])
            ]

    async def mails(self) -> list[asyncpg.Record]:
        """Every mail that was asked for."""
        return await self.rows("SELECT * FROM mail_sends WHERE tenant_id = :tenant_id ORDER BY created_at, id")
