"""One company's flood of jobs, or its long ones, must not keep another's waiting."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import UUID

import pytest
from redis.asyncio import Redis

from hub.db import Database
from hub.embedded import ValkeyServer
from hub.limits.gate import SHARE
from hub.queue import RING_LENGTH, TURNS, decode_popped, pop_command, push_command, ring_key
from tests.conftest import Company, TestDatabase
from tests.loop_clock import LIMIT_S
from tests.workers.kit import Ground, defer, eventually, until_heard, working
from workers.job import Run, job
from workers.ledger import DueJob, Ledger
from workers.slots import ABOUT_S, FRESH_S, Holders, Room, choose, spare_slots

A, B, C = UUID(int=1), UUID(int=2), UUID(int=3)
FLOOD = 60


def jobs_of(*tenant_ids: UUID) -> list[UUID]:
    """An id for each, which says whose it is."""
    return [UUID(int=tenant_id.int << 64 | number) for number, tenant_id in enumerate(tenant_ids)]


async def popped(
    redis: Redis, *, free: int, spare: int = 0, share: int = 0, fresh: dict[UUID, int] | None = None, **held: int
) -> dict[UUID, list[UUID]]:
    """What a worker with this room gets."""
    holding = {{"a": A, "b": B, "c": C}[name]: count for name, count in held.items()}
    command = pop_command(free=free, spare=spare, held=holding, share=share, fresh=fresh)
    return decode_popped(await redis.execute_command(*command))  # type: ignore[no-untyped-call]


async def test_companies_take_turns_whatever_each_has_queued(valkey: ValkeyServer) -> None:
    of_a, of_b = jobs_of(*[A] * 50), jobs_of(*[B] * 3)
    async with Redis.from_url(valkey.url) as redis:
        await redis.execute_command(*push_command(A, of_a))
        await redis.execute_command(*push_command(B, of_b))
        turns = [await popped(redis, free=1) for _ in range(8)]
        assert [next(iter(turn)) for turn in turns] == [A, B, A, B, A, B, A, A]
        assert [turn[A] for turn in turns if A in turn] == [[job_id] for job_id in of_a[:5]]
        assert await popped(redis, free=100) == {A: of_a[5:]}
        assert await redis.exists(TURNS, ring_key(A), ring_key(B)) == 0


async def test_whoever_holds_fewest_slots_is_next_and_spare_ones_are_for_those_with_none(valkey: ValkeyServer) -> None:
    async with Redis.from_url(valkey.url) as redis:
        await redis.execute_command(*push_command(A, jobs_of(*[A] * 9)))
        await redis.execute_command(*push_command(B, jobs_of(*[B] * 9)))
        # Of four free slots those go to B that make it hold as many as A.
        assert {tenant: len(jobs) for tenant, jobs in (await popped(redis, free=4, a=3, b=0)).items()} == {B: 3, A: 1}
        # Full: nobody who holds a slot gets a spare one, a newcomer gets one of them.
        assert await popped(redis, free=0, spare=2, a=3, b=1) == {}
        await redis.execute_command(*push_command(C, jobs_of(C, C)))
        assert {tenant: len(jobs) for tenant, jobs in (await popped(redis, free=0, spare=2, a=3, b=1)).items()} == {C: 1}


async def test_while_others_are_about_a_company_begins_no_more_than_its_share_at_once(valkey: ValkeyServer) -> None:
    async with Redis.from_url(valkey.url) as redis:
        await redis.execute_command(*push_command(A, jobs_of(*[A] * 9)))
        assert await popped(redis, free=8, a=2, b=1, share=2, fresh={A: 2, B: 0}) == {}
        # What goes on for longer holds a slot and is not fresh: two more may begin.
        assert {tenant: len(jobs) for tenant, jobs in (await popped(redis, free=8, a=5, share=2, fresh={A: 0})).items()} == {A: 2}
        await redis.execute_command(*push_command(B, jobs_of(*[B] * 9)))
        taken = await popped(redis, free=8, a=2, share=2, fresh={A: 1})
        assert {tenant: len(jobs) for tenant, jobs in taken.items()} == {A: 1, B: 2}
        # Somebody held back in front keeps nobody waiting behind.
        assert list(await popped(redis, free=1, a=2, share=2, fresh={A: 2})) == [B]


def test_only_what_began_just_now_beside_others_is_held_back() -> None:
    now = 100.0
    holders = Holders(2, clock=lambda: now)
    for job_id in jobs_of(*[A] * 3):
        holders.take(A, job_id)
    assert holders.room(7, 2) == Room(7, 2, {A: 3}), "a lone company may have every slot"
    [of_b] = jobs_of(B)
    holders.take(B, of_b)
    beside = holders.room(6, 2)
    assert (beside.held, beside.share, beside.fresh, beside.is_held_back) == ({A: 3, B: 1}, 2, {A: 3, B: 1}, True)
    assert choose([DueJob(A, job_id, 0) for job_id in jobs_of(*[A] * 5)], beside) == []
    now += 2 * FRESH_S
    later = holders.room(6, 2)
    assert (later.fresh, later.is_held_back) == ({A: 0, B: 0}, False)
    assert len(choose([DueJob(A, job_id, 0) for job_id in jobs_of(*[A] * 5)], later)) == 2
    holders.give_back(B, of_b)
    assert holders.room(7, 2).share == 2, "who was here a moment ago is about"
    now += ABOUT_S + 0.1
    assert holders.room(7, 2).share == 0


async def test_a_ring_is_bounded_and_only_an_empty_one_is_reminded(valkey: ValkeyServer) -> None:
    async with Redis.from_url(valkey.url) as redis:
        for _ in range(RING_LENGTH // 1000 + 2):
            await redis.execute_command(*push_command(A, jobs_of(*[A] * 1000)))
        assert await redis.llen(ring_key(A)) == RING_LENGTH
        assert await redis.execute_command(*push_command(A, jobs_of(A), only_if_empty=True)) == 0
        assert await redis.execute_command(*push_command(B, jobs_of(B), only_if_empty=True)) == 1
        assert await redis.lrange(TURNS, 0, -1) == [str(A).encode(), str(B).encode()]
        # Turns that somebody deleted come back with the next job.
        await redis.delete(TURNS)
        await redis.execute_command(*push_command(B, jobs_of(B)))
        assert B in await popped(redis, free=1)


def test_the_sweep_gives_slots_out_by_the_same_rule() -> None:
    due = [DueJob(A, job_id, 0) for job_id in jobs_of(*[A] * 20)] + [DueJob(B, job_id, 0) for job_id in jobs_of(*[B] * 2)]
    assert [one.tenant_id for one in choose(due, Room(4, 1, {A: 2}))][:3] == [B, B, A]
    assert {one.tenant_id for one in choose(due, Room(2, 0, {}))} == {A, B}
    assert [one.tenant_id for one in choose(due, Room(0, 3, {A: 5}))] == [B]
    assert choose(due, Room(0, 3, {A: 5, B: 1})) == []
    assert len(choose(due, Room(100, 1, {}))) == 22


async def test_the_ledger_lists_due_jobs_company_by_company(db: Database, ground: Ground, acme: Company, globex: Company) -> None:
    await flood(ground, acme)
    mine = [await defer(db, globex, "test.x") for _ in range(2)]
    listed = await Ledger(db, "one", {}).due(overdue_s=0, limit=10)
    assert [one.tenant_id for one in listed] == [acme.tenant_id, globex.tenant_id] * 2 + [acme.tenant_id] * 6
    assert [one.id for one in listed if one.tenant_id == globex.tenant_id] == mine
    assert len(await Ledger(db, "one", {}).due(overdue_s=0, limit=FLOOD + 10)) == FLOOD + 2


async def flood(ground: Ground, company: Company, kind: str = "test.mark", count: int = FLOOD) -> list[UUID]:
    """So many jobs of a company that have been due for a minute; their ids."""
    rows = await ground.conn.fetch(
        "INSERT INTO jobs (tenant_id, kind, run_at, created_at) SELECT $1, $2, now() - interval '1 minute',"
        " now() - interval '1 minute' FROM generate_series(1, $3::int) RETURNING id",
        company.tenant_id,
        kind,
        count,
    )
    return [row["id"] for row in rows]


@pytest.mark.parametrize("redis_is", ["up", "down"])
async def test_with_one_slot_the_other_company_starts_among_the_first(
    database: TestDatabase,
    ground: Ground,
    hinting_db: Database,
    db: Database,
    valkey: ValkeyServer,
    acme: Company,
    globex: Company,
    tmp_path: Path,
    redis_is: str,
) -> None:
    order: list[UUID] = []

    @job("test.mark")
    async def mark(run: Run) -> None:
        order.append(run.job.tenant_id)

    if redis_is == "up":
        queued = [await defer(hinting_db, acme, "test.mark") for _ in range(FLOOD)]
        last = await defer(hinting_db, globex, "test.mark")
        async with Redis.from_url(valkey.url) as redis:
            await eventually(lambda: _waits(redis, globex), "the hints are in Redis")
    else:
        queued = await flood(ground, acme)
        last = await defer(db, globex, "test.mark")
    url = valkey.url if redis_is == "up" else f"unix://{tmp_path}/nobody.sock"
    async with working(database, url, mark, jobs=1):
        await ground.until_state(last, "done")
        assert order.index(globex.tenant_id) < 5
        if redis_is == "up":
            for job_id in queued:
                await ground.until_state(job_id, "done")
    if redis_is == "up":
        assert len(order) == FLOOD + 1


async def _waits(redis: Redis, company: Company) -> bool:
    return bool(await redis.exists(ring_key(company.tenant_id)))


async def until_all_wait(valkey: ValkeyServer) -> None:
    """Wait until a worker does nothing but wait for the bell: between two looks, nobody has asked what there is to take."""

    async def asked(redis: Redis) -> tuple[int, bool]:
        stats, clients = await redis.info("commandstats"), await redis.client_list()
        return stats["cmdstat_eval"]["calls"], any(client["cmd"] == "xread" and "b" in client["flags"] for client in clients)

    async with Redis.from_url(valkey.url) as redis:

        async def none_asks() -> bool:
            before, _ = await asked(redis)
            await asyncio.sleep(0.05)
            after, waits = await asked(redis)
            return waits and before == after

        await eventually(none_asks, "a full worker asks for nothing until somebody comes")


@pytest.mark.parametrize("redis_is", ["up", "down"])
async def test_long_jobs_in_every_slot_keep_only_their_own_company_waiting(
    database: TestDatabase,
    ground: Ground,
    hinting_db: Database,
    valkey: ValkeyServer,
    acme: Company,
    globex: Company,
    tmp_path: Path,
    redis_is: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    running, go_on = 0, asyncio.Event()

    @job("test.long")
    async def long(_run: Run) -> None:
        nonlocal running
        running += 1
        await go_on.wait()

    @job("test.short")
    async def short(_run: Run) -> None:
        return

    async def all_slots_are_taken() -> bool:
        return running == 4

    if redis_is == "up":
        # The queue alone gives slots out: what it gave while the sweep did so as well would be begun besides.
        monkeypatch.setattr("workers.sweep.FORGOTTEN_S", LIMIT_S)
    url = valkey.url if redis_is == "up" else f"unix://{tmp_path}/nobody.sock"
    async with working(database, url, long, short, jobs=4) as worker:
        if redis_is == "up":
            await until_heard(valkey, worker.name)
        held = [await defer(hinting_db, acme, "test.long") for _ in range(12)]
        await eventually(all_slots_are_taken, "a lone company's jobs take every slot")
        for _ in range(3):
            await ground.until_state(await defer(hinting_db, globex, "test.short"), "done")
        assert running == 4
        if redis_is == "up":
            await until_all_wait(valkey)
            last = await defer(hinting_db, globex, "test.short")
            await ground.until_state(last, "done")
        go_on.set()
        for job_id in held:
            await ground.until_state(job_id, "done")
    assert running == 12


async def test_short_jobs_leave_room_beside_others_and_long_ones_take_it(
    database: TestDatabase,
    ground: Ground,
    hinting_db: Database,
    valkey: ValkeyServer,
    acme: Company,
    globex: Company,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A job is fresh until it is said to be no more, however slow the machine is; and the queue alone gives slots out.
    monkeypatch.setattr("workers.slots.FRESH_S", LIMIT_S)
    monkeypatch.setattr("workers.sweep.FORGOTTEN_S", LIMIT_S)
    running, most, go_on = 0, 0, asyncio.Event()

    lone: list[bool] = []

    @job("test.stays")
    async def stays(run: Run) -> None:
        lone.append(not run.is_beside_others)
        await go_on.wait()

    @job("test.short")
    async def short(run: Run) -> None:
        nonlocal running, most
        assert run.is_beside_others
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1

    @job("test.long")
    async def long(_run: Run) -> None:
        nonlocal running
        running += 1
        await go_on.wait()

    async def the_free_slots_are_taken() -> bool:
        return running == 7

    async def has_begun() -> bool:
        return bool(lone)

    async def its_share_is_taken() -> bool:
        return running == SHARE

    async with working(database, valkey.url, stays, short, long, jobs=8) as worker:
        await until_heard(valkey, worker.name)
        held = [await defer(hinting_db, globex, "test.stays")]
        await eventually(has_begun, "the first job began")
        for job_id in [await defer(hinting_db, acme, "test.short") for _ in range(FLOOD)]:
            await ground.until_state(job_id, "done")
        assert 1 <= most <= SHARE
        assert lone == [True], "when it began nobody else was about"
        held += [await defer(hinting_db, acme, "test.long") for _ in range(9)]
        await eventually(its_share_is_taken, "as many began as may be fresh")
        monkeypatch.setattr("workers.slots.FRESH_S", FRESH_S)
        await eventually(the_free_slots_are_taken, "what waits for somebody else is not held back")
        go_on.set()
        for job_id in held:
            await ground.until_state(job_id, "done")


def test_a_quarter_of_the_slots_is_spare_and_never_none() -> None:
    assert [spare_slots(jobs) for jobs in (1, 4, 10, 20)] == [1, 1, 2, 5]
