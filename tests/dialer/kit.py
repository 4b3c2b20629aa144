"""What the dialer's tests share: contacts, a rep at their desk, calls that go as told, without a telephone."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import orjson

from hub.calls.moves import move_call
from hub.calls.reading import lock_call
from hub.calls.states import CallState
from hub.contacts.actions import create_contact
from hub.contacts.models import ContactIn
from hub.db import Database, tenant_tx
from hub.dialer import actions
from hub.dialer.models import QueueIn
from hub.presence import actions as presence
from hub.presence.queries import beat
from hub.sqlfiles import Statement
from hub.who import Role, Who
from tests.conftest import Company


def sql(text: str) -> Statement:
    """A statement of a test."""
    return Statement("test", text)


class Desk:
    """One company's dialer, with a rep who is there."""

    def __init__(self, db: Database, company: Company, role: Role = "rep") -> None:
        self.db = db
        self.company = company
        self.who = company.who(role)
        self.hub_id = uuid4()

    async def contacts(self, count: int, **fields: Any) -> list[UUID]:
        """New contacts, each with a number of their own unless `phones` says otherwise."""
        made = []
        async with tenant_tx(self.db, self.who) as tx:
            for n in range(count):
                given = {"first_name": f"Contact{n}", "phones": [{"e164": f"+1212555{_next():04d}"}]} | fields
                contact_id, _, _ = await create_contact(tx, ContactIn.model_validate(given))
                made.append(contact_id)
        return made

    async def queue(self, contact_ids: list[UUID], *, start: bool = True, **settings: Any) -> UUID:
        """A running queue of these contacts."""
        given = {"name": "Leads", "contact_ids": contact_ids} | settings
        async with tenant_tx(self.db, self.company.who("owner")) as tx:
            queue_id, _ = await actions.create_queue(tx, QueueIn.model_validate(given))
            if start:
                await actions.set_state(tx, queue_id, "running")
        return queue_id

    async def arrive(self) -> None:
        """The rep opens the console."""
        assert self.who.user_id is not None
        # Who is at no hub that is there, any hub that runs beside the test soon takes offline.
        await beat(self.db, self.hub_id, "test", 3600)
        async with tenant_tx(self.db, self.who) as tx:
            await presence.arrive(tx, self.who.user_id, self.hub_id)

    async def go(self) -> None:
        """The rep closes it."""
        assert self.who.user_id is not None
        async with tenant_tx(self.db, self.who) as tx:
            await presence.leave(tx, self.who.user_id, self.hub_id)

    async def join(self, queue_id: UUID, lines: int | None = None) -> dict[str, Any]:
        """The rep's new session."""
        await self.arrive()
        return await self.act("join", queue_id, lines)

    async def act(self, verb: str, *args: Any, who: Who | None = None) -> dict[str, Any]:
        """What a rep does; the session afterwards."""
        async with tenant_tx(self.db, who or self.who) as tx:
            found: dict[str, Any] = orjson.loads(await getattr(actions, verb)(tx, *args))
        return found

    async def session(self, session_id: str) -> dict[str, Any]:
        """The session as clients get it."""
        return await self.act("read_session", UUID(session_id))

    async def look(self, session_id: str) -> dict[str, Any]:
        """What the duty or the end of a call does; the session afterwards."""
        async with tenant_tx(self.db, Who.system(self.company.tenant_id)) as tx:
            await actions.look(tx, UUID(session_id))
        return await self.session(session_id)

    async def call(self, call_id: str | UUID, *states: CallState, answered_by: str | None = None) -> None:
        """A call goes through these states."""
        async with tenant_tx(self.db, Who.system(self.company.tenant_id)) as tx:
            for state in states:
                call = await lock_call(tx, UUID(str(call_id)))
                assert call is not None
                await move_call(tx, call, state, answered_by=answered_by)

    async def items(self, queue_id: UUID) -> dict[UUID, dict[str, Any]]:
        """The items of a queue by contact."""
        rows = await self.fetch("SELECT * FROM dial_items WHERE tenant_id = :tenant_id AND queue_id = :q ORDER BY id", q=queue_id)
        return {row["contact_id"]: row for row in rows}

    async def fetch(self, text: str, **params: Any) -> list[dict[str, Any]]:
        """Rows of the company."""
        async with tenant_tx(self.db, self.who) as tx:
            return [dict(row) for row in await tx.fetch(sql(text), **params)]

    async def run(self, text: str, **params: Any) -> None:
        """Change something behind everybody's back."""
        async with tenant_tx(self.db, self.who) as tx:
            await tx.execute(sql(text), **params)

    async def events(self, kind: str) -> list[dict[str, Any]]:
        """The data of the logged events of a type, in order."""
        rows = await self.fetch("SELECT frame FROM events WHERE tenant_id = :tenant_id AND type = :kind ORDER BY seq", kind=kind)
        return [orjson.loads(row["frame"])["data"] for row in rows]


_numbers = iter(range(10_000))


def _next() -> int:
    return next(_numbers)
