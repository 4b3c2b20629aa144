"""Several lines at once, and the cap on abandoned calls that they never pass."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.calls.placing import parallel_answer
from hub.db import Database, tenant_tx
from hub.dialer import pacing, preparing, queries
from hub.dialer.sessions import lock_session
from hub.embedded import PostgresServer
from hub.who import Who
from tests.conftest import Company, cloned_database, make_company
from tests.dialer.kit import Desk


@pytest.fixture
async def desk(db: Database, acme: Company) -> Desk:
    return Desk(db, acme)


async def open_line(desk: Desk) -> None:
    """The rep's line is open and parked."""
    await desk.run(
        "INSERT INTO lines (tenant_id, user_id, kind, address, from_number, state, opened_at) "
        "VALUES (:tenant_id, :user_id, 'simulated', 'client:sim-x', '+14155550100', 'open', now())"
    )


async def answered_so_far(desk: Desk, queue_id: UUID, answered: int, abandoned: int = 0, days_ago: int = 0) -> None:
    await desk.run(
        "INSERT INTO dial_days (tenant_id, queue_id, period, day, answered, abandoned) "
        "VALUES (:tenant_id, :q, 0, (now() AT TIME ZONE 'UTC')::date - :ago::int, :answered, :abandoned)",
        q=queue_id,
        answered=answered,
        abandoned=abandoned,
        ago=days_ago,
    )


async def leeway(desk: Desk, queue_id: UUID, wanted: int = 5) -> queries.Leeway:
    async with tenant_tx(desk.db, desk.who) as tx:
        return await queries.leeway(tx, queue_id, wanted)


async def answer(desk: Desk, call_id: str) -> bool:
    """Somebody answers a parallel call: whether the rep is theirs."""
    async with tenant_tx(desk.db, Who.system(desk.company.tenant_id)) as tx:
        return await parallel_answer(tx, UUID(call_id), f"CA{UUID(call_id).hex}")


@pytest.mark.parametrize(
    ("answered", "abandoned", "lines"),
    [(0, 0, 1), (64, 0, 1), (65, 0, 2), (97, 0, 3), (162, 0, 5), (162, 3, 1), (2000, 58, 2), (2000, 60, 1)],
)
async def test_the_lines_allowed_leave_room_for_every_one_of_them_being_abandoned(
    desk: Desk, answered: int, abandoned: int, lines: int
) -> None:
    queue_id = await desk.queue(await desk.contacts(1), lines=5)
    await answered_so_far(desk, queue_id, answered, abandoned)
    left = await leeway(desk, queue_id)
    assert left.lines == lines
    worst = (abandoned + lines) / (answered + lines)
    assert lines == 1 or worst <= 0.03


async def test_the_last_thirty_days_are_held_to_the_cap_as_well(desk: Desk) -> None:
    queue_id = await desk.queue(await desk.contacts(1), lines=5)
    await answered_so_far(desk, queue_id, 5000, days_ago=40)
    await answered_so_far(desk, queue_id, 40, 1)
    assert (await leeway(desk, queue_id)).lines == 1


async def test_without_an_open_line_there_is_one_call_at_a_time_and_the_session_says_why(desk: Desk) -> None:
    queue_id = await desk.queue(await desk.contacts(4), lines=3)
    await answered_so_far(desk, queue_id, 500)
    session = await desk.join(queue_id)
    dialing = await desk.act("dial", UUID(session["id"]))
    assert dialing["lines"] == 3 and dialing["lines_used"] == 1 and "Open your line" in dialing["lines_note"]


async def test_the_first_who_answers_gets_the_rep_and_the_others_are_given_up(desk: Desk) -> None:
    ids = await desk.contacts(5)
    queue_id = await desk.queue(ids, lines=3)
    await answered_so_far(desk, queue_id, 500)
    await open_line(desk)
    session = await desk.join(queue_id)
    dialing = await desk.act("dial", UUID(session["id"]))
    assert dialing["lines_used"] == 3 and dialing["call_id"] is None
    first, second, third = [card["call_id"] for card in dialing["current"]]
    rows = await desk.fetch("SELECT machine_detection, ring_s, holds_rep FROM calls WHERE tenant_id = :tenant_id")
    assert {(r["machine_detection"], r["ring_s"], r["holds_rep"]) for r in rows} == {("detect", 25, False)}
    assert (await leeway(desk, queue_id)).under_way == 3
    for call_id in (first, second, third):
        await desk.call(call_id, "dialing", "ringing")
    assert await answer(desk, second)
    talking = await desk.look(session["id"])
    assert talking["state"] == "talking" and talking["call_id"] == second
    for call_id in (first, third):
        await desk.run("UPDATE calls SET hangup_asked_at = now() WHERE tenant_id = :tenant_id AND id = :c", c=UUID(call_id))
        await desk.call(call_id, "canceled")
    await desk.look(session["id"])
    await desk.call(second, "completed", answered_by="human")
    assert (await desk.look(session["id"]))["state"] == "wrap_up"
    results = await desk.fetch("SELECT call_id, result FROM dial_attempts WHERE tenant_id = :tenant_id")
    assert {str(r["call_id"]): r["result"] for r in results} == {first: "not_needed", second: "connected", third: "not_needed"}
    items = await desk.items(queue_id)
    assert sorted(i["state"] for i in items.values()) == ["claimed", "done", "waiting", "waiting", "waiting"]
    left = await leeway(desk, queue_id)
    assert (left.answered, left.abandoned, left.under_way) == (501, 0, 0)


async def test_a_second_answer_is_abandoned_counted_and_the_queue_falls_to_one_line(desk: Desk) -> None:
    ids = await desk.contacts(8)
    queue_id = await desk.queue(ids, lines=3, countdown_s=0)
    await answered_so_far(desk, queue_id, 100)
    await open_line(desk)
    session = await desk.join(queue_id)
    dialing = await desk.act("dial", UUID(session["id"]))
    first, second, third = [card["call_id"] for card in dialing["current"]]
    for call_id in (first, second, third):
        await desk.call(call_id, "dialing", "ringing")
    assert await answer(desk, first)
    assert not await answer(desk, second) and not await answer(desk, second), "asked again, the answer stays"
    assert not await answer(desk, third)
    await desk.look(session["id"])
    left = await leeway(desk, queue_id)
    assert (left.answered, left.abandoned) == (102, 2), "who talks counts as answered when the call is over"
    for call_id in (second, third, first):
        await desk.call(call_id, "completed")
    wrap_up = await desk.look(session["id"])
    assert wrap_up["state"] == "wrap_up"
    item = next(i for i in (await desk.items(queue_id)).values() if str(i["call_id"]) == second)
    assert item["last_outcome"] == "abandoned" and "no rep was free" in item["reason"]
    again = await desk.act("dial", UUID(session["id"]))
    assert again["lines_used"] == 1 and "near its limit" in again["lines_note"]
    [fell] = await desk.events("queue.fell_to_one_line")
    assert fell["pace"]["abandoned"] == 2 and fell["pace"]["lines"] == 1 and fell["queue"]["one_line_since"]


async def test_two_sessions_never_count_on_the_same_leeway(desk: Desk) -> None:
    queue_id = await desk.queue(await desk.contacts(12), lines=4)
    await answered_so_far(desk, queue_id, 130)
    other = Desk(desk.db, desk.company, "manager")
    for one in (desk, other):
        await open_line(one)
    sessions = [await one.join(queue_id) for one in (desk, other)]
    both = await asyncio.gather(*(one.act("dial", UUID(s["id"])) for one, s in zip((desk, other), sessions, strict=True)))
    assert sorted(s["lines_used"] for s in both) == [1, 4]


# What becomes of a parallel call: nobody answers, a rep talks to them, a machine answers, they are abandoned.
@dataclass
class Campaign:
    """A campaign as the property sees it: calls under way, and the books by period."""

    open: list[UUID] = field(default_factory=list)
    placed: int = 0


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("dial"), st.integers(1, 5)),
        st.tuples(st.sampled_from(["unanswered", "talks", "machine", "abandoned"]), st.integers(0, 30)),
        # Well answered for a while, so that several lines are allowed at all.
        st.tuples(st.just("good_day"), st.integers(20, 400)),
        st.tuples(st.just("later"), st.integers(1, 20)),
    ),
    min_size=5,
    max_size=60,
)


async def attempt(desk: Desk, campaign: Campaign, session_id: UUID, queue_id: UUID, *, is_parallel: bool) -> None:
    """One more call, as far as the cap is concerned."""
    campaign.placed += 1
    [call] = await desk.fetch(
        "INSERT INTO calls (tenant_id, contact_id, user_id, to_number, from_number, state, holds_rep) "
        "SELECT :tenant_id, contact_id, :user_id, '+12125550100', '', 'completed', false "
        "FROM dial_items WHERE tenant_id = :tenant_id AND queue_id = :q LIMIT 1 RETURNING id",
        q=queue_id,
    )
    [item] = await desk.fetch("SELECT id FROM dial_items WHERE tenant_id = :tenant_id AND queue_id = :q LIMIT 1", q=queue_id)
    async with tenant_tx(desk.db, desk.who) as tx:
        session = await lock_session(tx, session_id)
        assert session is not None
        await pacing.note_placed(tx, session, call["id"], item["id"], campaign.placed, is_parallel=is_parallel)
    campaign.open.append(call["id"])


async def come_to(desk: Desk, call_id: UUID, what: str) -> None:
    """What becomes of a call."""
    async with tenant_tx(desk.db, desk.who) as tx:
        if what == "talks":
            await pacing.note_connected(tx, call_id)
            await pacing.note_settled(tx, call_id, "connected")
        elif what == "abandoned":
            await pacing.note_abandoned(tx, call_id)
            await pacing.note_settled(tx, call_id, "abandoned")
        else:
            await pacing.note_settled(tx, call_id, "voicemail" if what == "machine" else "no_answer")


async def within_the_cap(desk: Desk) -> bool:
    """Whether each period's abandoned calls are within three percent of its answered ones."""
    rows = await desk.fetch(
        "SELECT sum(abandoned)::int AS abandoned, sum(answered)::int AS answered FROM dial_days "
        "WHERE tenant_id = :tenant_id GROUP BY queue_id, period"
    )
    return all(row["abandoned"] * 1000 <= 30 * row["answered"] for row in rows)


async def play(desk: Desk, steps: list[tuple[str, int]], check: Callable[[], Awaitable[None]]) -> None:
    """A campaign in which whatever is drawn happens; several lines only as far as the dialer allows them."""
    queue_id = await desk.queue(await desk.contacts(1), lines=5)
    await open_line(desk)
    session_id = UUID((await desk.join(queue_id, 5))["id"])
    campaign = Campaign()
    for what, n in steps:
        if what == "dial":
            async with tenant_tx(desk.db, desk.who) as tx:
                session = await lock_session(tx, session_id)
                assert session is not None
                session.lines = n
                lines = await pacing.lines_for(tx, session, await preparing.facts_of(tx, queue_id))
            for _ in range(lines if lines > 1 else 0):
                await attempt(desk, campaign, session_id, queue_id, is_parallel=True)
        elif what == "good_day":
            await desk.run(
                "INSERT INTO dial_days AS d (tenant_id, queue_id, period, day, answered) "
                "SELECT :tenant_id, q.id, floor(extract(epoch FROM now() - q.started_at) / 2592000)::int, "
                "(now() AT TIME ZONE 'UTC')::date, :n FROM dial_queues q WHERE q.tenant_id = :tenant_id AND q.id = :q "
                "ON CONFLICT (tenant_id, queue_id, period, day) DO UPDATE SET answered = d.answered + excluded.answered",
                n=n,
                q=queue_id,
            )
        elif what == "later":
            # So many days pass: everything there is becomes older.
            await desk.run(
                "UPDATE dial_queues SET started_at = started_at - make_interval(days => :n) WHERE tenant_id = :tenant_id", n=n
            )
            await desk.run("UPDATE dial_days SET day = day - 1000 - :n::int WHERE tenant_id = :tenant_id", n=n)
            await desk.run("UPDATE dial_days SET day = day + 1000 WHERE tenant_id = :tenant_id")
        elif campaign.open:
            await come_to(desk, campaign.open.pop(n % len(campaign.open)), what)
        await check()
    # The worst there is: everybody who is still being called answers, and nobody is there for any of them.
    for call_id in campaign.open:
        await come_to(desk, call_id, "abandoned")
        await check()


@pytest.fixture
def run_play(postgres: PostgresServer) -> Iterator[Callable[[list[tuple[str, int]]], None]]:
    """Plays a campaign, each in a company of its own."""
    loop = asyncio.new_event_loop()
    places = contextlib.AsyncExitStack()

    async def open_database() -> Database:
        database = await places.enter_async_context(cloned_database(postgres))
        opened = await Database.open(database.app_url, max_size=2)
        places.push_async_callback(opened.close)
        return opened

    db = loop.run_until_complete(open_database())
    numbers = itertools.count(1)

    async def one(steps: list[tuple[str, int]]) -> None:
        desk = Desk(db, await make_company(db, f"Acme{next(numbers)}"))

        async def check() -> None:
            assert await within_the_cap(desk)

        await play(desk, steps, check)

    yield lambda steps: loop.run_until_complete(one(steps))
    loop.run_until_complete(places.aclose())
    loop.close()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_people_do_no_period_of_a_campaign_passes_the_cap(run_play: Any, steps: list[tuple[str, int]]) -> None:
    run_play(steps)
