"""Queues: what goes in, in which order they come out, who may change them, and how far they are."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest

from hub.contacts.actions import delete_contact
from hub.contacts.models import ContactFilter
from hub.contacts.queries import list_contacts
from hub.db import Database, tenant_tx
from hub.dialer import actions, preparing, queries, queues
from hub.dialer.models import ItemQuery, QueueIn, QueuePatch, SavedFilter
from hub.dialer.sessions import lock_session
from hub.dialer.states import MOVES, may_move
from hub.errors import Conflict, Forbidden, NotFound
from hub.who import Who
from tests.conftest import Company
from tests.dialer.kit import Desk, sql
from tests.processor import backend_s, backends_s


@pytest.fixture
async def desk(db: Database, acme: Company) -> Desk:
    return Desk(db, acme)


async def fill(desk: Desk, queue_id: UUID) -> None:
    """Do the job that turns a saved filter into items."""
    more = True
    while more:
        async with tenant_tx(desk.db, Who.system(desk.company.tenant_id)) as tx:
            more = await queues.fill_batch(tx, queue_id)


async def filtered(desk: Desk, **saved: Any) -> UUID:
    async with tenant_tx(desk.db, desk.company.who("owner")) as tx:
        queue_id, text = await actions.create_queue(tx, QueueIn(name="Saved", filter=SavedFilter(**saved)))
    assert orjson.loads(text)["fill"]["state"] == "filling"
    await fill(desk, queue_id)
    return queue_id


async def in_queue(desk: Desk, queue_id: UUID) -> set[UUID]:
    return set(await desk.items(queue_id))


async def progress(desk: Desk, queue_id: UUID) -> dict[str, Any]:
    async with tenant_tx(desk.db, desk.who) as tx:
        found: dict[str, Any] = orjson.loads(await queries.progress(tx, queue_id, 1))
    return found


async def test_a_saved_filter_finds_whom_the_list_finds(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "BATCH", 3)
    await desk.contacts(4, stage="lead", tags=["VIP"], company="Zenith")
    await desk.contacts(4, stage="lead", company="Zenobia")
    await desk.contacts(3, stage="customer", tags=["vip"], owner_id=desk.who.user_id)
    yesterday = datetime.now(UTC) - timedelta(days=1)
    for asked in (
        {},
        {"stage": "lead"},
        {"tag": "vip"},
        {"company": "zen"},
        {"company": "Zenith"},
        {"owner_id": desk.who.user_id},
        {"stage": "lead", "tag": "vip"},
        {"updated_since": yesterday},
        {"stage": "none such"},
    ):
        async with tenant_tx(desk.db, desk.who) as tx:
            listed = orjson.loads(await list_contacts(tx, ContactFilter(limit=100, **asked)))["data"]
        assert await in_queue(desk, await filtered(desk, **asked)) == {UUID(c["id"]) for c in listed}, asked


async def test_a_saved_search_pages_through_everybody_it_finds(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "BATCH", 5)
    found = await desk.contacts(12, company="Zenith Works")
    await desk.contacts(5, company="Other")
    some = await desk.contacts(3, company="Zenith Works", stage="lead")
    assert await in_queue(desk, await filtered(desk, q="zenith")) == {*found, *some}
    assert await in_queue(desk, await filtered(desk, q="zenith", stage="lead")) == set(some)
    assert await in_queue(desk, await filtered(desk, q="Zénith wor")) == {*found, *some}
    assert await in_queue(desk, await filtered(desk, q="%")) == set()


async def test_who_has_no_number_is_skipped_and_the_queue_says_so(desk: Desk) -> None:
    ids = await desk.contacts(2, phones=[])
    queue_id = await desk.queue(ids + await desk.contacts(1))
    assert {i["reason_code"] for c, i in (await desk.items(queue_id)).items() if c in ids} == {"no_number"}
    found = await progress(desk, queue_id)
    assert found["skipped"] == [{"code": "no_number", "items": 2}] and found["counts"]["waiting"] == 1


async def test_a_contact_stands_in_a_queue_once_and_unknown_ones_are_refused(desk: Desk, globex: Company) -> None:
    ids = await desk.contacts(2)
    queue_id = await desk.queue([ids[0], ids[0]])
    await desk.act("add_items", queue_id, ids, who=desk.company.who("owner"))
    assert await in_queue(desk, queue_id) == set(ids)
    [theirs] = await Desk(desk.db, globex).contacts(1)
    with pytest.raises(Conflict, match="1 of these 1"):
        await desk.queue([theirs])
    async with tenant_tx(desk.db, desk.who) as tx:
        await delete_contact(tx, ids[0])
    with pytest.raises(Conflict, match="1 of these 2"):
        await desk.queue(ids)
    session = await desk.join(queue_id)
    assert session["next"]["contact"]["id"] == str(ids[1])
    assert (await desk.items(queue_id))[ids[0]]["reason_code"] == "contact_gone"


async def order_of(desk: Desk, queue_id: UUID, count: int) -> list[UUID]:
    """The contacts in the order in which they would be called."""
    await desk.arrive()
    session = await desk.act("join", queue_id, None)
    called = []
    for _ in range(count):
        called.append(UUID(session["next"]["contact"]["id"]))
        session = await desk.act("skip", UUID(session["id"]), "only looking")
    return called


async def test_the_orders_by_age_and_name(desk: Desk) -> None:
    ids = []
    for name in ("Cyd", "Ada", "Bob"):
        ids += await desk.contacts(1, first_name=name)
    assert await order_of(desk, await desk.queue(ids, order="oldest"), 3) == ids
    await desk.run("UPDATE dial_sessions SET state = 'ended', ended_at = now() WHERE tenant_id = :tenant_id AND state <> 'ended'")
    assert await order_of(desk, await desk.queue(ids, order="newest"), 3) == ids[::-1]
    await desk.run("UPDATE dial_sessions SET state = 'ended', ended_at = now() WHERE tenant_id = :tenant_id AND state <> 'ended'")
    assert await order_of(desk, await desk.queue(ids, order="name"), 3) == [ids[1], ids[2], ids[0]]


async def test_by_local_time_those_come_first_whose_day_ends_first(desk: Desk) -> None:
    # By what the clocks there say now, whenever this runs: zones in which it is day, the latest first.
    zones = ["Pacific/Auckland", "Asia/Tokyo", "Asia/Dubai", "Europe/Berlin", "America/New_York", "America/Los_Angeles"]
    ids = await desk.contacts(len(zones))
    queue_id = await desk.queue(ids)
    for contact_id, zone in zip(ids, zones, strict=True):
        await desk.run(
            "UPDATE dial_items SET zone_key = :z WHERE tenant_id = :tenant_id AND contact_id = :c", z=zone, c=contact_id
        )
    await desk.run("UPDATE permit_settings SET practice = false WHERE tenant_id = :tenant_id")
    async with tenant_tx(desk.db, desk.who) as tx:
        # In the transaction that claims: it is the same time for both, also when an hour is just over.
        rows = await tx.fetch(
            sql(
                "SELECT z, (extract(hour FROM now() AT TIME ZONE z) * 60 + extract(minute FROM now() AT TIME ZONE z))::int "
                "AS minute FROM unnest(:zones::text[]) AS z"
            ),
            zones=zones,
        )
        day = sorted((r for r in rows if 480 <= r["minute"] < 1260), key=lambda r: -r["minute"])
        session_id = await tx.fetchval(preparing._SQL["insert_session"], queue_id=queue_id, lines=1)
        session = await lock_session(tx, session_id)
        assert session is not None
        facts = await preparing.facts_of(tx, queue_id)
        called = []
        while (item := await preparing.claim(tx, session, facts)) is not None:
            called.append(zones[ids.index(item["contact_id"])])
    assert called == [r["z"] for r in day]


async def test_a_number_in_several_zones_is_open_only_while_all_are(desk: Desk) -> None:
    rows = await desk.fetch(
        "SELECT at, dial_minutes_left('America/Denver,America/New_York', at, 480, 1260) AS both, "
        "dial_minutes_left('America/Denver', at, 480, 1260) AS denver, "
        "dial_minutes_left('America/New_York', at, 480, 1260) AS york, "
        "dial_minutes_left('', at, 480, 1260) AS nowhere "
        "FROM generate_series(timestamptz '2026-03-07 00:00Z', timestamptz '2026-03-09 23:45Z', interval '15 minutes') AS at"
    )
    assert all(r["both"] == min(r["denver"], r["york"]) and r["nowhere"] == 1440 for r in rows)
    assert any(r["both"] > 0 for r in rows) and any(r["denver"] > 0 >= r["york"] for r in rows)


async def test_unknown_zones_are_left_out(desk: Desk) -> None:
    [row] = await desk.fetch(
        "SELECT dial_zone_key(ARRAY['Nowhere/Land', 'Europe/Berlin', 'America/Chicago', '', 'Europe/Berlin']) AS k"
    )
    assert row["k"] == "America/Chicago,Europe/Berlin"


async def test_a_colleagues_queue_is_changed_by_managers_only(desk: Desk, globex: Company) -> None:
    queue_id = await desk.queue(await desk.contacts(1), start=False)
    for verb, more in (
        ("set_state", ("running",)),
        ("update_queue", (QueuePatch(name="Mine"),)),
        ("add_items", ([UUID(int=1)],)),
    ):
        with pytest.raises(Forbidden):
            await desk.act(verb, queue_id, *more)
    stranger = globex.who("owner")
    with pytest.raises(NotFound):
        await desk.act("set_state", queue_id, "running", who=stranger)
    changed = await desk.act(
        "update_queue",
        queue_id,
        QueuePatch(name="Ours", lines=2, order="name", members=[desk.company.members["rep"]], retry={"attempts": 5}),
        who=desk.company.who("manager"),
    )
    assert (changed["name"], changed["lines"], changed["order"]) == ("Ours", 2, "name")
    assert [m["id"] for m in changed["members"]] == [str(desk.company.members["rep"])]
    assert changed["retry"] == {"busy_s": None, "no_answer_s": None, "attempts": 5}


async def test_a_queue_goes_when_nobody_telephones_from_it(desk: Desk) -> None:
    queue_id = await desk.queue(await desk.contacts(2))
    session = await desk.join(queue_id)
    dialing = await desk.act("dial", UUID(session["id"]))
    owner = desk.company.who("owner")
    with pytest.raises(Conflict):
        async with tenant_tx(desk.db, owner) as tx:
            await actions.delete_queue(tx, queue_id)
    await desk.call(dialing["call_id"], "busy")
    await desk.look(session["id"])
    async with tenant_tx(desk.db, owner) as tx:
        await actions.delete_queue(tx, queue_id)
    ended = await desk.look(session["id"])
    assert ended["state"] == "ended" and ended["note"] == "The queue was deleted."
    with pytest.raises(NotFound):
        await desk.act("read_queue", queue_id)
    assert {i["state"] for i in (await desk.items(queue_id)).values()} == {"waiting"}


async def test_state_and_events_are_the_same_and_counts_follow(desk: Desk) -> None:
    queue_id = await desk.queue(await desk.contacts(3))
    session = await desk.join(queue_id)
    await desk.act("skip", UUID(session["id"]), "a competitor")
    assert await queries.queues_moved(desk.db, 15, 10) == [(desk.company.tenant_id, queue_id)]
    for told in (True, False):
        async with tenant_tx(desk.db, Who.system(desk.company.tenant_id)) as tx:
            assert await queues.recount(tx, queue_id) is told
    [event] = await desk.events("queue.progressed")
    fresh = await desk.act("read_queue", queue_id)
    assert {**event["queue"], "counted_at": None} == {**fresh, "counted_at": None}
    assert fresh["counts"] == (await progress(desk, queue_id))["counts"]
    assert fresh["counts"] | {"skipped": 1, "claimed": 1, "waiting": 1, "total": 3} == fresh["counts"]
    told_of = (await desk.events("dial_session.changed"))[-1]["session"]
    now = await desk.session(session["id"])
    assert {**told_of, "look_at": None} == {**now, "look_at": None}


async def test_items_are_listed_page_by_page_and_by_state(desk: Desk) -> None:
    ids = await desk.contacts(5)
    queue_id = await desk.queue(ids)
    async with tenant_tx(desk.db, desk.who) as tx:
        first = orjson.loads(await queries.list_items(tx, queue_id, ItemQuery(limit=3)))
        rest = orjson.loads(await queries.list_items(tx, queue_id, ItemQuery(limit=3, cursor=first["next_cursor"])))
        none = orjson.loads(await queries.list_items(tx, queue_id, ItemQuery(state="done")))
    assert [i["contact"]["id"] for i in first["data"] + rest["data"]] == [str(i) for i in ids]
    assert rest["next_cursor"] is None and none["data"] == []


async def test_a_hundred_thousand_contacts_become_a_queue_and_the_first_is_ready_at_once(desk: Desk) -> None:
    # Some at a time: a statement of all of them takes longer than a statement may, on a machine that has much to do.
    for first in range(0, 100_000, 5_000):
        await desk.run(
            "WITH made AS (INSERT INTO contacts (tenant_id, first_name, last_name) SELECT :tenant_id, 'Ada', 'No' || n "
            "FROM generate_series(:first::int + 1, :first::int + 5000) AS n RETURNING id) "
            "INSERT INTO contact_phones (tenant_id, contact_id, position, e164, time_zones) "
            "SELECT :tenant_id, id, 0, '+1212' || 5000000 + :first::int + row_number() OVER (), '{America/New_York}' FROM made",
            first=first,
        )
    async with desk.db.acquire() as conn:
        begun = await backends_s(conn) + time.thread_time()
        queue_id = await filtered(desk)
        took_s = await backends_s(conn) + time.thread_time() - begun
    counts = (await desk.act("read_queue", queue_id))["counts"]
    assert counts["waiting"] == counts["total"] == 100_000
    assert took_s < 40, f"filling took {took_s:.1f} s"
    await desk.act("set_state", queue_id, "running", who=desk.company.who("owner"))
    await desk.arrive()
    async with tenant_tx(desk.db, desk.who) as tx:
        begun = await backend_s(tx.conn) + time.thread_time()
        session = orjson.loads(await actions.join(tx, queue_id, None))
        assert await backend_s(tx.conn) + time.thread_time() - begun < 1
    assert session["next"] is not None


def test_a_session_that_has_ended_stays_ended_and_every_other_state_can_end() -> None:
    assert MOVES["ended"] == frozenset()
    for state, following in MOVES.items():
        assert state not in following
        assert state == "ended" or may_move(state, "ended")
        assert not may_move(state, "talking") or state == "dialing"
