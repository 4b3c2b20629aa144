"""Two reps do anything in any order, calls come to anything, contacts are stopped, queues paused: what always holds."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.calls import actions as calls
from hub.db import Database, tenant_tx
from hub.embedded import PostgresServer
from hub.errors import HubError
from hub.permits import actions as permits
from hub.presence import actions as presence
from tests.conftest import cloned_database, make_company
from tests.dialer.kit import Desk

CONTACTS = 5
VERBS = ("join", "dial", "skip", "pause", "resume", "leave", "callback")
ENDS = ("busy", "no_answer", "failed", "canceled", "completed")

STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(VERBS), st.integers(0, 1)),
        st.tuples(st.just("answered"), st.integers(0, 1)),
        st.tuples(st.sampled_from(ENDS), st.integers(0, 1)),
        st.tuples(st.sampled_from(["look", "look", "countdown", "free", "go", "arrive", "gone"]), st.integers(0, 1)),
        st.tuples(st.sampled_from(["due", "queue_paused", "queue_running", "stop_list"]), st.integers(0, CONTACTS - 1)),
    ),
    min_size=10,
    max_size=50,
)


class House:
    """Two desks, one queue, and everything that can happen."""

    def __init__(self, desks: list[Desk], queue_id: UUID, contact_ids: list[UUID]) -> None:
        self.desks = desks
        self.queue_id = queue_id
        self.contact_ids = contact_ids
        self.sessions: list[str | None] = [None, None]

    async def live(self, n: int) -> UUID:
        """The rep's newest session, or one that is not there."""
        return UUID(self.sessions[n]) if self.sessions[n] else UUID(int=1)

    async def step(self, what: str, n: int) -> None:
        """One thing happens. What may not be done now is refused in words."""
        desk = self.desks[n] if n < 2 else self.desks[0]
        owner = desk.company.who("owner")
        if what == "join":
            self.sessions[n] = (await desk.join(self.queue_id))["id"]
        elif what in ("dial", "pause", "resume", "leave"):
            await desk.act(what, await self.live(n))
        elif what == "skip":
            await desk.act("skip", await self.live(n), "no")
        elif what == "callback":
            await desk.act("call_back", await self.live(n), datetime.now(UTC) + timedelta(hours=1))
        elif what == "answered" or what in ENDS:
            await self.telephone(desk, "in_progress" if what == "answered" else what)
        elif what == "look" and self.sessions[n]:
            await desk.look(str(self.sessions[n]))
        elif what == "countdown":
            await desk.run("UPDATE dial_sessions SET dial_at = now() WHERE tenant_id = :tenant_id AND dial_at IS NOT NULL")
        elif what == "free":
            async with tenant_tx(desk.db, desk.who) as tx:
                assert desk.who.user_id
                if (await presence.hold(tx, desk.who.user_id)).state == "wrap_up":
                    await presence.free(tx, desk.who.user_id)
        elif what in ("go", "arrive"):
            await getattr(desk, what)()
        elif what == "gone":
            await desk.go()
            for table in ("presence", "dial_sessions"):
                await desk.run(
                    f"UPDATE {table} SET since = since - interval '1 minute' WHERE tenant_id = :tenant_id AND user_id = :user_id"
                )
        elif what == "due":
            await desk.run("UPDATE dial_items SET not_before = now() WHERE tenant_id = :tenant_id AND not_before IS NOT NULL")
            await desk.run("UPDATE dial_sessions SET look_at = now() WHERE tenant_id = :tenant_id AND look_at IS NOT NULL")
        elif what.startswith("queue_"):
            await desk.act("set_state", self.queue_id, what.removeprefix("queue_"), who=owner)
        elif what == "stop_list":
            async with tenant_tx(desk.db, owner) as tx:
                await permits.suppress(tx, "contact", str(self.contact_ids[n]), "no", "contact")

    async def telephone(self, desk: Desk, state: Any) -> None:
        """Something becomes of the rep's call."""
        found = await desk.fetch(
            "SELECT id FROM calls WHERE tenant_id = :tenant_id AND user_id = :user_id "
            "AND state IN ('queued', 'dialing', 'ringing', 'in_progress')"
        )
        for row in found:
            async with tenant_tx(desk.db, desk.who) as tx:
                call = await calls.lock_call(tx, row["id"])
                assert call is not None
            await desk.call(row["id"], state)


# Every row is something that must never be.
NEVER = {
    "a contact in nobody's hands that is held": """
        SELECT 1 FROM dial_items i LEFT JOIN dial_sessions s ON s.tenant_id = i.tenant_id AND s.id = i.claimed_by
        WHERE i.tenant_id = :tenant_id AND i.state IN ('claimed', 'dialing') AND (s.id IS NULL OR s.state = 'ended')""",
    "a session with a next contact that is not its own": """
        SELECT 1 FROM dial_sessions s JOIN dial_items i ON i.tenant_id = s.tenant_id AND i.id = s.next_item_id
        WHERE s.tenant_id = :tenant_id AND (i.claimed_by IS DISTINCT FROM s.id OR i.state <> 'claimed')""",
    "a claimed contact that is nobody's next": """
        SELECT 1 FROM dial_items i JOIN dial_sessions s ON s.tenant_id = i.tenant_id AND s.id = i.claimed_by
        WHERE i.tenant_id = :tenant_id AND i.state = 'claimed' AND s.next_item_id IS DISTINCT FROM i.id""",
    "somebody waiting for a call with nobody prepared": """
        SELECT 1 FROM dial_sessions s WHERE s.tenant_id = :tenant_id AND (s.state = 'ready') AND s.next_item_id IS NULL""",
    "somebody paused who holds a contact": """
        SELECT 1 FROM dial_sessions s
        WHERE s.tenant_id = :tenant_id AND s.state IN ('paused', 'ended') AND s.next_item_id IS NOT NULL""",
    "as many attempts as calls, no more": """
        SELECT 1 FROM dial_items i WHERE i.tenant_id = :tenant_id AND i.attempts <>
            (SELECT count(*) FROM calls c WHERE c.tenant_id = i.tenant_id AND c.queue_item_id = i.id)""",
    "a call without a permit that was used": """
        SELECT 1 FROM calls c LEFT JOIN permits p ON p.tenant_id = c.tenant_id AND p.id = c.permit_id
        WHERE c.tenant_id = :tenant_id AND (p.id IS NULL OR NOT p.allowed OR p.used_at IS NULL)""",
    "one permit for two calls": """
        SELECT permit_id FROM calls c WHERE c.tenant_id = :tenant_id GROUP BY 1 HAVING count(*) > 1""",
    "a skip without a reason": """
        SELECT 1 FROM dial_items i
        WHERE i.tenant_id = :tenant_id AND i.state = 'skipped' AND (i.reason IS NULL OR i.reason_code IS NULL)""",
    "an open attempt of a session that has ended": """
        SELECT 1 FROM dial_attempts a JOIN dial_sessions s ON s.tenant_id = a.tenant_id AND s.id = a.session_id
        WHERE a.tenant_id = :tenant_id AND a.settled_at IS NULL AND s.state = 'ended'""",
}


async def check(desk: Desk) -> None:
    for what, text in NEVER.items():
        assert await desk.fetch(text) == [], what


async def settle_everything(house: House) -> None:
    """All calls end, everybody leaves: nothing may be left in anybody's hands."""
    for n, desk in enumerate(house.desks):
        if house.sessions[n]:
            # The first wish keeps the end of a call from leading to the next one.
            await desk.act("leave", UUID(house.sessions[n]))
            await house.telephone(desk, "completed")
            await desk.look(str(house.sessions[n]))
            await desk.act("leave", UUID(house.sessions[n]))
    held = "SELECT 1 FROM dial_items WHERE tenant_id = :tenant_id AND state IN ('claimed', 'dialing')"
    assert await house.desks[0].fetch(held) == []
    leases = "SELECT 1 FROM leases l WHERE l.tenant_id = :tenant_id AND l.call_id IS NULL AND l.lease_until > clock_timestamp()"
    assert await house.desks[0].fetch(leases) == []


@pytest.fixture
def play(postgres: PostgresServer) -> Iterator[Callable[[list[tuple[str, int]]], None]]:
    """Plays a story, each in a company of its own."""
    loop = asyncio.new_event_loop()
    places = contextlib.AsyncExitStack()
    numbers = itertools.count(1)

    async def open_database() -> Database:
        database = await places.enter_async_context(cloned_database(postgres))
        opened = await Database.open(database.app_url, max_size=2)
        places.push_async_callback(opened.close)
        return opened

    db = loop.run_until_complete(open_database())

    async def story(steps: list[tuple[str, int]]) -> None:
        company = await make_company(db, f"Acme{next(numbers)}")
        desks = [Desk(db, company, "rep"), Desk(db, company, "manager")]
        contact_ids = await desks[0].contacts(CONTACTS)
        queue_id = await desks[0].queue(contact_ids, countdown_s=0, retry={"attempts": 3})
        house = House(desks, queue_id, contact_ids)
        for what, n in steps:
            with contextlib.suppress(HubError):
                await house.step(what, n)
            await check(desks[0])
        await settle_everything(house)
        await check(desks[0])

    yield lambda steps: loop.run_until_complete(story(steps))
    loop.run_until_complete(places.aclose())
    loop.close()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_happens_the_books_are_right(
    play: Callable[[list[tuple[str, int]]], None], steps: list[tuple[str, int]]
) -> None:
    try:
        play(steps)
    except asyncpg.PostgresError as exc:  # pragma: no cover - says what the statement was about
        raise AssertionError(str(exc)) from exc
