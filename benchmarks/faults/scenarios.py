"""The stories of what breaks: servers, links and processes."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable

from benchmarks.faults.play import SHORT_S, Scenario
from benchmarks.faults.processes import END_S
from benchmarks.faults.world import World


async def _rounds(seconds: float, at_least: int, one: Callable[[int], Awaitable[None]]) -> None:
    """Again and again for so many seconds, but so many times at least; once in a short run."""
    is_short = seconds < SHORT_S
    end = time.monotonic() + (0 if is_short else seconds)
    number = 0
    while number < (1 if is_short else at_least) or time.monotonic() < end:
        await one(number)
        number += 1


# -- Redis


async def redis_killed(world: World, seconds: float) -> None:
    """kill -9, and back with what its append-only file has."""

    async def one(_: int) -> None:
        await world.house.kill_redis()
        await asyncio.sleep(min(seconds / 2, 3))
        await world.house.start_redis()
        await asyncio.sleep(min(seconds / 4, 2))

    await _rounds(seconds, 1, one)


async def redis_emptied(world: World, seconds: float) -> None:
    """kill -9, and back with nothing."""

    async def one(_: int) -> None:
        await world.house.kill_redis(forget=True)
        await world.house.start_redis()
        await asyncio.sleep(min(seconds / 2, 2))

    await _rounds(seconds, 2, one)


async def redis_hung(world: World, seconds: float) -> None:
    """SIGSTOP: connections stand, nobody answers."""

    async def one(_: int) -> None:
        world.house.signal_redis(signal.SIGSTOP)
        await asyncio.sleep(min(seconds, 6))
        world.house.signal_redis(signal.SIGCONT)
        await asyncio.sleep(min(seconds / 4, 1))

    await _rounds(seconds, 1, one)


async def redis_partitioned(world: World, seconds: float) -> None:
    """One hub and the workers see no Redis; then every connection to it is forgotten on the way."""
    house = world.house
    for link in house.links_to("redis", "hub-1", *(worker.name for worker in house.workers)):
        link.hang()
    await asyncio.sleep(seconds / 2)
    for link in house.links_to("redis"):
        await link.heal()
        link.forget()
    await asyncio.sleep(seconds / 2)


# -- Postgres


async def postgres_restarted(world: World, seconds: float) -> None:
    """A restart in order, as for an update."""

    async def one(_: int) -> None:
        await world.house.start_postgres()
        await asyncio.sleep(min(seconds / 2, 3))

    await _rounds(seconds, 1, one)


async def postgres_killed(world: World, seconds: float) -> None:
    """kill -9 of every process of it, down for a while, then it recovers from its log."""

    async def one(_: int) -> None:
        await world.house.kill_postgres()
        await asyncio.sleep(min(seconds / 2, 3))
        await world.house.start_postgres()
        await asyncio.sleep(min(seconds / 2, 3))

    await _rounds(seconds, 1, one)


async def postgres_hung(world: World, seconds: float) -> None:
    """SIGSTOP of every process of it."""
    world.house.pause_postgres()
    await asyncio.sleep(min(seconds, 20))
    world.house.resume_postgres()


async def postgres_partitioned(world: World, seconds: float) -> None:
    """One hub and the workers lose it without a word, then get it back."""
    house = world.house
    for link in house.links_to("postgres", "hub-1", *(worker.name for worker in house.workers)):
        link.hang()
    await asyncio.sleep(seconds)


async def postgres_forgotten(world: World, seconds: float) -> None:
    """Every connection to it is forgotten on the way: what is sent arrives nowhere. New connections work."""

    async def one(_: int) -> None:
        for link in world.house.links_to("postgres"):
            link.forget()
        await asyncio.sleep(min(seconds, 10))

    await _rounds(seconds, 1, one)


async def answers_lost(world: World, seconds: float) -> None:
    """What is asked arrives and is done; the answers do not, and then the connections break."""

    async def one(_: int) -> None:
        for link in world.house.links_to("postgres"):
            link.hang("back")
        await asyncio.sleep(0.2)
        for link in world.house.links_to("postgres"):
            link.cut()
            await link.heal()
        for hub in world.house.hubs:
            link = world.house.links[f"clients to {hub.name}"]
            link.hang("back")
            await asyncio.sleep(0.2)
            link.cut()
            await link.heal()
        await asyncio.sleep(0.2)

    await _rounds(seconds, 2, one)


async def out_of_connections(world: World, seconds: float) -> None:
    """Postgres gives the application no connection any more, and ends those it has."""
    admin = await world.house.admin()
    try:
        await admin.execute("ALTER ROLE ringside_app CONNECTION LIMIT 1")
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'ringside_app'")
            await asyncio.sleep(0.2)
    finally:
        await admin.execute("ALTER ROLE ringside_app CONNECTION LIMIT -1")
        await admin.close()


async def read_only(world: World, seconds: float) -> None:
    """Postgres takes no writes, as a replica that was asked by mistake, or after a failover."""
    admin = await world.house.admin()
    try:
        await admin.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        await admin.execute("SELECT pg_reload_conf()")
        await asyncio.sleep(seconds)
    finally:
        await admin.execute("ALTER SYSTEM RESET default_transaction_read_only")
        await admin.execute("SELECT pg_reload_conf()")
        await admin.close()


async def bad_lines(world: World, seconds: float) -> None:
    """Every link between the parts is late, and breaks now and then in the middle of anything."""
    for name, link in world.house.links.items():
        if not name.startswith("clients"):
            link.delay_s, link.lossy = 0.01, 0.003
    await asyncio.sleep(seconds)


# -- processes


async def hub_killed(world: World, seconds: float) -> None:
    """kill -9 of one hub after the other, at any moment."""

    async def one(number: int) -> None:
        hub = world.house.hubs[number % len(world.house.hubs)]
        hub.kill()
        await asyncio.sleep(min(seconds / 2, 1))
        await world.house.ready(hub.name)

    await _rounds(seconds, 2, one)


async def hub_stopped(world: World, seconds: float) -> None:
    """SIGSTOP: one hub does nothing for a while and then goes on, with what it believed before."""
    hub = world.house.hubs[0]
    hub.pause()
    await asyncio.sleep(min(seconds, 20))
    hub.resume()


async def worker_killed(world: World, seconds: float) -> None:
    """kill -9 of a worker, at any moment; calls are being placed."""

    async def one(number: int) -> None:
        world.call_somebody()
        await asyncio.sleep(0.15 + 0.1 * (number % 3))
        world.house.workers[number % len(world.house.workers)].kill()
        await asyncio.sleep(min(seconds / 2, 2))

    await _rounds(seconds, 1, one)


async def worker_stopped(world: World, seconds: float) -> None:
    """SIGSTOP of one worker for longer than its leases: another does its jobs, and then it goes on with them."""
    worker = world.house.workers[0]
    worker.pause()
    # The leases of the jobs it had are over after three seconds; the rest comes back by the sweep.
    await asyncio.sleep(max(seconds, 4.0))
    worker.resume()


async def rolling_restart(world: World, seconds: float) -> None:
    """One hub after the other is stopped in order and started again. Every request that was taken is answered."""

    async def one(_: int) -> None:
        # To start a hub is most of what a short run of this costs.
        for hub in world.house.hubs[: 1 if seconds < SHORT_S else None]:
            code = await hub.end(END_S * world.patience)
            if code != 0:
                raise RuntimeError(f"{hub.name} ended with {code}")
            await hub.start()
            await world.house.ready(hub.name)

    await _rounds(seconds, 1, one)


BREAKING = (
    Scenario("redis-killed", "Redis is killed and comes back", redis_killed),
    Scenario("redis-emptied", "Redis comes back with nothing", redis_emptied),
    Scenario("redis-hung", "Redis hangs", redis_hung),
    Scenario("redis-partitioned", "Redis cannot be reached, and then all connections to it are dead", redis_partitioned),
    Scenario("postgres-restarted", "Postgres is restarted", postgres_restarted),
    Scenario("postgres-killed", "Postgres is killed, and recovers", postgres_killed),
    Scenario("postgres-hung", "Postgres hangs", postgres_hung),
    Scenario("postgres-partitioned", "one hub and the workers cannot reach Postgres", postgres_partitioned, is_long=True),
    Scenario(
        "postgres-forgotten", "all connections to Postgres are dead without a word", postgres_forgotten, within_s=60, is_long=True
    ),
    Scenario("answers-lost", "requests arrive, their answers do not", answers_lost),
    Scenario("out-of-connections", "Postgres has no connection left", out_of_connections),
    Scenario("read-only", "Postgres takes no writes", read_only),
    Scenario("bad-lines", "all links are late and break", bad_lines),
    Scenario("hub-killed", "a hub is killed", hub_killed),
    Scenario("hub-stopped", "a hub stops for a while", hub_stopped),
    Scenario("worker-killed", "a worker is killed", worker_killed, calls_each=8),
    Scenario("worker-stopped", "a worker stops for longer than its leases", worker_stopped),
    Scenario("rolling-restart", "hubs are restarted in order, one after the other", rolling_restart, is_strict=True),
)
