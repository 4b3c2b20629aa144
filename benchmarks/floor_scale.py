"""How much one hub holds: idle sockets, a storm of reconnecting clients, the feeds of a thousand tenants."""

from __future__ import annotations

import asyncio
import math
import sys
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

import asyncpg

from benchmarks.cores import Share, resident_mb
from benchmarks.floor_crowd import Crowd, Trouble
from benchmarks.floor_ground import Company, Server, companies, hub_server
from benchmarks.ground import Ground
from benchmarks.results import Result

IDLE_GOAL_MB = 400.0
STORM_GOAL_S = 5.0
BEHIND = 500
_WATCH_S = 10.0
# A session that has become idle counts its last transactions 10 s later (Postgres' PGSTAT_IDLE_INTERVAL).
_COUNTED_S = 11.0
_PART_S = 300.0
_WRITTEN_S = 120.0
T = TypeVar("T")


async def scale(ground: Ground, *, idle: int, storm: int, tenants: int) -> list[Result]:
    """Those that are not 0, one after the other, at the same hub. What cannot be measured is said, and counts as missed."""
    results: list[Result] = []
    async with hub_server(ground) as server:
        for part, size in ((idle_sockets, idle), (feeds, tenants), (reconnects, storm)):
            if not size:
                continue
            began = time.monotonic()
            try:
                results += await _within(_PART_S, "this part of the benchmark", part(ground, server, size))
                # That they leave is written down one by one, and would be counted in what comes next.
                await _people_here(ground, 0)
            except (Trouble, OSError, RuntimeError) as problem:
                print(f"{part.__name__}, {size:,}: {problem}", file=sys.stderr, flush=True)
                results.append(Result(f"{part.__name__}, {size:,}: ran to its end", math.nan, "", 1))
            print(f"{part.__name__}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return results


async def _within(seconds: float, what: str, work: Coroutine[Any, Any, T]) -> T:
    """What the work gives. Raises Trouble, which says what took too long."""
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError:
        raise Trouble(f"{what} took longer than {seconds:.0f} s") from None


async def idle_sockets(ground: Ground, server: Server, count: int) -> list[Result]:
    """Sockets that are only there, of a hundred companies; the memory of the hub, and its CPU while they are pinged."""
    before = resident_mb(server.pid)
    people = await companies(ground, min(100, count))
    crowd = Crowd(server.port)
    try:
        began = time.monotonic()
        for number, company in enumerate(people):
            await crowd.join(company.group(server), count // len(people) + (number < count % len(people)))
        connected_s = time.monotonic() - began
        await crowd.quiet(within_s=60)
        calm = Share(server.pid)
        # More than an interval of pings, so that every socket was asked once.
        await asyncio.sleep(20)
        share, held = calm.share, resident_mb(server.pid)
        lost = sum(ear.lost is not None for ear in crowd.ears)
    finally:
        crowd.close()
    await asyncio.sleep(1)
    return [
        Result(f"{count:,} idle sockets: hub's memory", held, "MB", IDLE_GOAL_MB, at_most=True),
        Result(f"{count:,} idle sockets: memory for each", (held - before) * 1000 / count, "kB"),
        Result(f"{count:,} idle sockets: hub's share of its core", share, "of 1"),
        Result(f"{count:,} idle sockets: connected", count / connected_s, "sockets/s"),
        Result(f"{count:,} idle sockets: came again before they were ready", crowd.came_again, "times"),
        Result(f"{count:,} idle sockets: lost", lost, "sockets", 0, at_most=True),
    ]


async def reconnects(ground: Ground, server: Server, count: int) -> list[Result]:
    """As many people who come back at once, each some hundred events behind: until the last has all it missed.

    They were away for so long that it was written; that each of them is here again is written, and told to all, meanwhile.
    """
    (company,) = await companies(ground, 1, people=count)
    name, crowd = str(company.tenant_id), Crowd(server.port)
    try:
        (ready,) = await crowd.join(company.group(server), 1)
        crowd.close()
        await _people_here(ground, 0)
        answer = await server.write(do="burst", tenants=[name], events=BEHIND, batch=100)
        missed = sorted(seq for seq, _ in answer["at"][name])
        wanted = {name: range(missed[0], missed[-1] + 1)}
        working, began = Share(server.pid), time.monotonic()
        cursor = {"epoch": ready["epoch"], "seq": missed[0] - 1}
        await crowd.join(company.group(server), count, cursor=cursor, at_once=count)
        connected_s = time.monotonic() - began
        ended = await crowd.until_caught_up(wanted, 60)
        cpu_s = working.used_s
        crowd.check(wanted, still_hearing=True)
    finally:
        crowd.close()
    title = f"{count:,} reconnecting at once, {BEHIND} events behind"
    return [
        Result(f"{title}: all caught up", ended - began, "s", STORM_GOAL_S, at_most=True),
        Result(f"{title}: all ready", connected_s, "s"),
        Result(f"{title}: came again before they were ready", crowd.came_again, "times"),
        Result(f"{title}: hub's CPU for all", cpu_s, "s"),
    ]


async def feeds(ground: Ground, server: Server, count: int) -> list[Result]:
    """Companies with a socket each, and nothing happening: what reaches Postgres, beside what does with one company."""
    first, *others = await companies(ground, count)
    crowd = Crowd(server.port)
    try:
        await crowd.join(first.group(server), 1)
        one_s, _, _ = await _transactions(ground, server, 1)
        room = asyncio.Semaphore(50)

        async def connect(company: Company) -> None:
            async with room:
                await crowd.join(company.group(server), 1)

        await asyncio.gather(*(connect(company) for company in others))
        all_s, hub, postgres = await _transactions(ground, server, count)
    finally:
        crowd.close()
    each = (all_s - one_s) / max(len(others), 1)
    return [
        Result(f"{count:,} tenants' feeds: transactions in the database", all_s, "a second"),
        Result("1 tenant's feed: transactions in the database", one_s, "a second"),
        Result(f"{count:,} tenants' feeds: more for each tenant", each, "a second", 0.01, at_most=True),
        Result(f"{count:,} tenants' feeds: hub's share of its core", hub, "of 1"),
        Result(f"{count:,} tenants' feeds: Postgres' share of a core", postgres, "of 1"),
    ]


async def _transactions(ground: Ground, server: Server, people: int) -> tuple[float, float, float]:
    """Transactions a second of everybody in the database (one statement of the floor's ticks is one), and the hub's and Postgres'
    shares of a core, while so many people are here and nothing happens. Raises Trouble."""
    count = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"
    await _people_here(ground, people)
    admin = await asyncpg.connect(ground.admin_url)
    try:
        # What it does after so many came is counted here, too, and is not the hub's.
        await admin.execute("ALTER SYSTEM SET autovacuum = off")
        await admin.execute("SELECT pg_reload_conf()")
        await asyncio.sleep(_COUNTED_S)
        hub, postgres, began = Share(server.pid), Share(server.postgres_pid, family=True), time.monotonic()
        before = await admin.fetchval(count)
        await asyncio.sleep(_WATCH_S)
        took_s = time.monotonic() - began
        return (await admin.fetchval(count) - before) / took_s, hub.share, postgres.share
    finally:
        await admin.execute("ALTER SYSTEM RESET autovacuum")
        await admin.execute("SELECT pg_reload_conf()")
        await admin.close()


async def _people_here(ground: Ground, people: int) -> None:
    """Wait until it is written of so many people that they are here: that, too, is work and an event. Raises Trouble."""
    here = -1
    admin = await asyncpg.connect(ground.admin_url)
    try:
        async with asyncio.timeout(_WRITTEN_S):
            while (here := await admin.fetchval("SELECT count(*) FROM presence_sockets")) != people:  # noqa: ASYNC110 - it happens elsewhere
                await asyncio.sleep(0.2)
    except TimeoutError:
        said = f"of {here:,} people it is written that they are here, not of {people:,}, after {_WRITTEN_S:.0f} s"
        raise Trouble(said) from None
    finally:
        await admin.close()
