"""What the tests of the workflow share: calls as they were, and what was logged."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from hub.db import Database, tenant_tx
from hub.presence import actions as presence
from hub.presence.queries import beat
from hub.who import Who
from tests.conftest import Company
from tests.harness import Api

NUMBER = "+14155550100"


async def make_call(db: Database, company: Company, role: str = "rep", *, state: str = "completed", number: str = NUMBER) -> UUID:
    """A call of a member to a new contact, Ada Lovelace."""
    async with tenant_tx(db, Who.system(company.tenant_id)) as tx:
        contact_id = await tx.conn.fetchval(
            "INSERT INTO contacts (tenant_id, first_name, last_name, stage) VALUES ($1, 'Ada', 'Lovelace', 'lead') RETURNING id",
            company.tenant_id,
        )
        call_id: UUID = await tx.conn.fetchval(
            "INSERT INTO calls (tenant_id, contact_id, user_id, state, to_number, from_number) "
            "VALUES ($1, $2, $3, $4, $5, '+14155550101') RETURNING id",
            company.tenant_id,
            contact_id,
            company.members[role],
            state,
            number,
        )
    return call_id


async def wrap_up(db: Database, company: Company, call_id: UUID, hub_id: UUID) -> None:
    """The rep was on this call and writes it up now, at a hub that is there: whoever is at none is soon taken offline."""
    await beat(db, hub_id, "test", 3600)
    async with tenant_tx(db, Who.system(company.tenant_id)) as tx:
        rep = company.members["rep"]
        await presence.arrive(tx, rep, hub_id)
        await presence.on_call(tx, rep, call_id)
        await presence.wrap_up(tx, rep, call_id)


async def events(api: Api, prefix: str) -> list[dict[str, Any]]:
    """The events of some types that somebody may see, oldest first."""
    answer = await api.get("/events", after=0)
    return [event for event in answer.body["data"] if event["type"].startswith(prefix)]


async def run_sql(db: Database, company: Company, sql: str, *args: Any) -> None:
    """Change something behind the back of the rules, as when time passes."""
    async with tenant_tx(db, Who.system(company.tenant_id)) as tx:
        await tx.conn.execute(sql, *args)
