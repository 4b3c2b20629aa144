"""People, numbers and moments for the tests of permits."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from hub.contacts.actions import create_contact
from hub.contacts.models import ContactIn
from hub.db import Database, Tx, tenant_tx
from hub.permits.actions import save_settings, set_quiet_days
from hub.permits.models import PermitSettings, QuietDay
from tests.conftest import Company

# A Wednesday, at 12:00 in New York and at 09:00 in Los Angeles.
NOON = datetime(2026, 6, 10, 16, 0, tzinfo=UTC)
MIDNIGHT = NOON + timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Said:
    """A decision as the database gives it."""

    allowed: bool
    code: str
    explanation: str
    rule_version: str
    facts: dict[str, Any]
    next_allowed_at: datetime | None
    expires_at: datetime | None
    overridable: bool


@dataclass
class Desk:
    """A company that is in earnest, and a contact of it."""

    db: Database
    company: Company
    contact_id: UUID = field(default_factory=lambda: UUID(int=0))

    async def contact(self, *numbers: str, email: str = "ada@mail.example.com") -> UUID:
        """Make a contact; the last one made is the one decided about."""
        given = {"first_name": "Ada", "phones": [{"e164": n} for n in numbers], "emails": [{"address": email}]}
        async with tenant_tx(self.db, self.company.who()) as tx:
            self.contact_id, _, _ = await create_contact(tx, ContactIn.model_validate(given))
        return self.contact_id

    async def decide(self, address: str = "+12125550123", at: datetime = NOON, channel: str = "call") -> Said:
        """What the database says about the contact at a moment."""
        async with tenant_tx(self.db, self.company.who()) as tx:
            row = await tx.conn.fetchrow("SELECT * FROM decide_outreach($1, $2, $3, $4)", self.contact_id, channel, address, at)
        assert row is not None
        return Said(**{**dict(row), "facts": orjson.loads(row["facts"])})

    async def called(self, at: datetime, number: str = "+12125550123", *, contact_id: UUID | None = None, **more: Any) -> None:
        """A call that was made, or what `more` says of it."""
        values = {"state": "completed", "asked_at": at, "direction": "outbound", "answered_at": None} | more
        async with tenant_tx(self.db, self.company.who()) as tx:
            await tx.conn.execute(
                "INSERT INTO calls (tenant_id, contact_id, user_id, to_number, from_number, created_at, state, asked_at,"
                " direction, answered_at) VALUES ($1, $2, $3, $4, '+14155550100', $5, $6, $7, $8, $9)",
                self.company.tenant_id,
                contact_id or self.contact_id,
                self.company.members["rep"],
                number,
                at,
                *(values[name] for name in ("state", "asked_at", "direction", "answered_at")),
            )

    async def settings(self, **given: Any) -> None:
        """The company's own rules."""
        async with tenant_tx(self.db, self.company.who("owner")) as tx:
            await save_settings(tx, PermitSettings.model_validate(given))

    async def quiet(self, *days: str) -> None:
        """The company's quiet days."""
        async with tenant_tx(self.db, self.company.who("owner")) as tx:
            await set_quiet_days(tx, [QuietDay.model_validate({"day": day, "name": "Stocktaking"}) for day in days])


async def events(tx: Tx, kind: str) -> list[dict[str, Any]]:
    """The data of the logged events of a type, in order."""
    rows = await tx.conn.fetch("SELECT frame FROM events WHERE tenant_id = $1 AND type = $2 ORDER BY seq", tx.who.tenant_id, kind)
    return [orjson.loads(row["frame"])["data"] for row in rows]
