"""One worker, or two, with everything up."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import aiohttp
import orjson
import pytest
from redis.asyncio import Redis

from hub.db import Database, tenant_tx
from hub.embedded import ValkeyServer
from hub.errors import NotFound, Unavailable
from hub.jobs.actions import retry_job
from hub.queue import QUEUE
from hub.who import Who
from integrations.errors import Rejected, Transient
from tests.conftest import Company, TestDatabase
from tests.harness import make_settings
from tests.loop_clock import LIMIT_S, let_pass
from tests.patience import PATIENCE_S
from tests.workers.kit import Ground, defer, defer_at_once, eventually, note, until_heard, working
from workers.job import Deps, Handler, Permanent, Registry, Run, job
from workers.ledger import Ledger
from workers.run import ALIVE_KEY
from workers.runner import Runner


@job("test.note")
async def take_note(run: Run) -> None:
    async with run.finish() as tx:
        await note(tx, run.job, "done")


def failing(exc: Exception, *, times: int = 10**6, max_attempts: int = 3) -> Handler:
    """A handler that fails a number of times, then works."""

    @job("test.fails", max_attempts=max_attempts, backoff_s=0.02)
    async def fail(run: Run) -> None:
        if run.job.attempts <= times:
            async with run.tx() as tx:
                await note(tx, run.job, f"try {run.job.attempts}")
            raise exc
        async with run.finish() as tx:
            await note(tx, run.job, "done")

    return fail


async def test_a_job_runs_after_the_commit_with_its_company_and_request(
    database: TestDatabase, ground: Ground, hinting_db: Database, valkey: ValkeyServer, acme: Company
) -> None:
    seen: list[tuple[Who, dict[str, object]]] = []

    @job("test.look")
    async def look(run: Run) -> None:
        seen.append((run.who, dict(run.job.args)))

    async with working(database, valkey.url, look):
        who = Who(acme.tenant_id, acme.members["rep"], "rep", request_id="req-12345678")
        async with tenant_tx(hinting_db, who) as tx:
            job_id = await tx.defer("test.look", {"n": 1})
        assert job_id is not None
        await ground.until_state(job_id, "done")
    assert seen == [(Who.system(acme.tenant_id, "req-12345678"), {"n": 1})]


async def test_a_job_that_was_rolled_back_never_runs(
    database: TestDatabase, ground: Ground, hinting_db: Database, valkey: ValkeyServer, acme: Company
) -> None:
    async with working(database, valkey.url, take_note):
        with pytest.raises(NotFound):
            async with tenant_tx(hinting_db, acme.who()) as tx:
                await tx.defer("test.note", {})
                raise NotFound("nothing here")
        after = await defer(hinting_db, acme, "test.note")
        await ground.until_state(after, "done")
        assert await ground.effects() == ["done"]
        assert await ground.conn.fetchval("SELECT count(*) FROM jobs") == 1


async def test_two_workers_do_each_of_a_hundred_jobs_once(
    database: TestDatabase, ground: Ground, hinting_db: Database, valkey: ValkeyServer, acme: Company, globex: Company
) -> None:
    async with working(database, valkey.url, take_note) as one, working(database, valkey.url, take_note) as two:
        assert one.name != two.name
        ids = await defer_at_once(hinting_db, "test.note", *[acme, globex] * 50)
        for job_id in ids:
            await ground.until_state(job_id, "done")
        assert len(await ground.effects()) == 100
        assert await ground.conn.fetchval("SELECT max(attempts) FROM jobs") == 1


async def test_a_job_deferred_by_a_job_runs_too(
    database: TestDatabase, ground: Ground, hinting_db: Database, valkey: ValkeyServer, acme: Company
) -> None:
    @job("test.first")
    async def first(run: Run) -> None:
        async with run.finish() as tx:
            await tx.defer("test.note", {}, key="second")

    async with working(database, valkey.url, first, take_note):
        await ground.until_state(await defer(hinting_db, acme, "test.first"), "done")
        second = await ground.conn.fetchval("SELECT id FROM jobs WHERE kind = 'test.note'")
        await ground.until_state(second, "done")


async def test_a_job_waits_for_its_time(
    database: TestDatabase,
    ground: Ground,
    hinting_db: Database,
    valkey: ValkeyServer,
    acme: Company,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Nobody looks for what is overdue: it starts because its time has come.
    monkeypatch.setattr("workers.sweep.SWEEP_S", 3600.0)
    async with working(database, valkey.url, take_note) as worker:
        await until_heard(valkey, worker.name)
        due = datetime.now(UTC) + timedelta(seconds=0.6)
        row = await ground.until_state(await defer(hinting_db, acme, "test.note", run_at=due), "done")
    assert row["started_at"] - due >= timedelta(milliseconds=-50)


@pytest.mark.parametrize("exc", [Transient("busy"), RuntimeError("a slip"), Unavailable("later", retry_after_s=0)])
async def test_what_may_pass_is_tried_again(
    database: TestDatabase, ground: Ground, hinting_db: Database, valkey: ValkeyServer, acme: Company, exc: Exception
) -> None:
    async with working(database, valkey.url, failing(exc, times=2)):
        job_id = await defer(hinting_db, acme, "test.fails")
        row = await ground.until_state(job_id, "done", "dead")
    assert await ground.effects(job_id) == ["try 1", "try 2", "done"]
    assert (row["state"], row["attempts"], row["last_error"]) == ("done", 3, None)


async def test_after_the_last_attempt_it_is_a_dead_letter_until_an_admin_retries_it(
    database: TestDatabase, ground: Ground, hinting_db: Database, valkey: ValkeyServer, acme: Company
) -> None:
    async with working(database, valkey.url, failing(RuntimeError("still broken"))):
        job_id = await defer(hinting_db, acme, "test.fails")
        row = await ground.until_state(job_id, "dead")
        assert (row["attempts"], row["max_attempts"], row["last_error"]) == (3, 3, "RuntimeError: still broken")
        async with tenant_tx(hinting_db, acme.who("admin")) as tx:
            await retry_job(tx, job_id)

        async def died_again() -> bool:
            return len(await ground.events("job.dead")) == 2

        await eventually(died_again, "it is dead again")
    assert await ground.effects(job_id) == ["try 1", "try 2", "try 3"] * 2


@pytest.mark.parametrize(
    "exc", [Permanent("no such number"), Rejected("21211", "no such number", 400), NotFound("no such number")]
)
async def test_what_will_not_pass_is_a_dead_letter_at_once(
    database: TestDatabase, ground: Ground, hinting_db: Database, valkey: ValkeyServer, acme: Company, exc: Exception
) -> None:
    async with working(database, valkey.url, failing(exc)):
        job_id = await defer(hinting_db, acme, "test.fails")
        row = await ground.until_state(job_id, "dead")
    assert (row["attempts"], row["last_error"]) == (1, "no such number")


async def test_a_provider_that_asks_for_a_pause_gets_it(
    database: TestDatabase, ground: Ground, hinting_db: Database, valkey: ValkeyServer, acme: Company
) -> None:
    async with working(database, valkey.url, failing(Transient("slow down", retry_after=300))):
        job_id = await defer(hinting_db, acme, "test.fails")
        await ground.until_effect(job_id, "try 1")
        row = await ground.until_state(job_id, "ready")
    assert row["last_error"] == "slow down"
    assert row["run_at"] - row["started_at"] >= timedelta(seconds=300)


async def test_a_kind_that_no_worker_knows_is_said_so(
    database: TestDatabase, ground: Ground, hinting_db: Database, valkey: ValkeyServer, acme: Company
) -> None:
    async with working(database, valkey.url, take_note):
        job_id = await defer(hinting_db, acme, "test.unheard_of", max_attempts=1)
        row = await ground.until_state(job_id, "dead")
    assert "test.unheard_of" in row["last_error"]


async def test_a_handler_that_takes_too_long_is_stopped_and_tried_again(
    database: TestDatabase, ground: Ground, hinting_db: Database, valkey: ValkeyServer, acme: Company
) -> None:
    @job("test.hangs", timeout_s=LIMIT_S, backoff_s=0.02)
    async def hang(run: Run) -> None:
        if run.job.attempts == 1:
            let_pass(LIMIT_S)
            await asyncio.Event().wait()

    async with working(database, valkey.url, hang):
        row = await ground.until_state(await defer(hinting_db, acme, "test.hangs"), "done", "dead")
    assert (row["state"], row["attempts"]) == ("done", 2)


async def test_a_long_job_that_extends_its_lease_is_left_alone(
    database: TestDatabase, ground: Ground, hinting_db: Database, valkey: ValkeyServer, acme: Company
) -> None:
    @job("test.long", timeout_s=LIMIT_S)
    async def long(run: Run) -> None:
        for _ in range(4):
            async with run.tx() as tx:
                await run.extend(tx)
            let_pass(LIMIT_S / 2)

    async with working(database, valkey.url, long):
        row = await ground.until_state(await defer(hinting_db, acme, "test.long"), "done", "dead")
    assert (row["state"], row["attempts"]) == ("done", 1)


async def test_a_handler_that_lost_its_lease_leaves_no_trace(
    database: TestDatabase, ground: Ground, hinting_db: Database, valkey: ValkeyServer, acme: Company
) -> None:
    overtaken, go_on = asyncio.Event(), asyncio.Event()

    @job("test.slow")
    async def slow(run: Run) -> None:
        if run.job.attempts == 1:
            overtaken.set()
            await go_on.wait()
        async with run.finish() as tx:
            await note(tx, run.job, f"try {run.job.attempts}")
        go_on.set()

    async with working(database, valkey.url, slow), working(database, valkey.url, slow):
        job_id = await defer(hinting_db, acme, "test.slow")
        await asyncio.wait_for(overtaken.wait(), PATIENCE_S)
        await ground.run_lease_out(job_id)
        row = await ground.until_state(job_id, "done")
    assert await ground.effects(job_id) == ["try 2"]
    assert row["attempts"] == 2


async def test_a_job_that_kills_its_workers_is_buried_in_the_end(
    database: TestDatabase, ground: Ground, hinting_db: Database, valkey: ValkeyServer, acme: Company
) -> None:
    job_id = await defer(hinting_db, acme, "test.note", max_attempts=2)
    await ground.conn.execute(
        "UPDATE jobs SET state = 'running', attempts = 2, leased_by = 'gone', lease_until = now() WHERE id = $1", job_id
    )
    async with working(database, valkey.url, take_note):
        row = await ground.until_state(job_id, "dead", "done")
    assert (row["state"], row["attempts"] - row["pardoned"]) == ("dead", 2)
    assert "worker died" in row["last_error"]
    assert await ground.effects() == []


async def test_a_worker_that_stops_lets_its_job_end(
    database: TestDatabase, ground: Ground, hinting_db: Database, valkey: ValkeyServer, acme: Company
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    @job("test.slow")
    async def slow(run: Run) -> None:
        begun.set()
        await go_on.wait()
        async with run.finish() as tx:
            await note(tx, run.job, "done")

    async with working(database, valkey.url, slow) as worker:
        job_id = await defer(hinting_db, acme, "test.slow")
        await asyncio.wait_for(begun.wait(), PATIENCE_S)
        worker.stop_event.set()
        late = await defer(hinting_db, acme, "test.slow")
        go_on.set()
        await worker.stop()
    assert await ground.effects(job_id) == ["done"]
    assert (await ground.job(late))["attempts"] == 0


async def test_a_worker_that_stops_gives_back_what_does_not_end_and_another_does_it(
    database: TestDatabase, ground: Ground, hinting_db: Database, valkey: ValkeyServer, acme: Company
) -> None:
    begun = asyncio.Event()

    @job("test.slow")
    async def stuck(_run: Run) -> None:
        begun.set()
        await asyncio.Event().wait()

    async with working(database, valkey.url, stuck, grace_s=0.05) as worker:
        job_id = await defer(hinting_db, acme, "test.slow", max_attempts=1)
        await asyncio.wait_for(begun.wait(), PATIENCE_S)
        await worker.stop()
    row = await ground.job(job_id)
    assert (row["state"], row["attempts"] - row["pardoned"], row["last_error"]) == ("ready", 0, None)

    @job("test.slow")
    async def quick(_run: Run) -> None:
        return

    async with working(database, valkey.url, quick):
        await ground.until_state(job_id, "done")


async def test_what_was_taken_from_the_queue_at_the_last_moment_is_left_to_another_worker(
    ground: Ground, db: Database, acme: Company
) -> None:
    job_id = await defer(db, acme, "test.note")
    deps = Deps(db, make_settings(ground.database.app_url, "redis://127.0.0.1:1"))
    runner = Runner(Ledger(db, "one", {}), Registry([take_note]), deps, max_jobs=2)
    await runner.drain(0)
    runner.start(acme.tenant_id, [job_id], "hint")
    assert runner.running == 0
    assert (await ground.job(job_id))["attempts"] == 0


async def test_no_more_jobs_run_at_once_than_there_are_slots(
    database: TestDatabase,
    ground: Ground,
    hinting_db: Database,
    valkey: ValkeyServer,
    acme: Company,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The queue alone gives slots out: what it gave while the sweep did so as well would be begun besides.
    monkeypatch.setattr("workers.sweep.FORGOTTEN_S", LIMIT_S)
    running, most, go_on = 0, 0, asyncio.Event()

    @job("test.slow")
    async def slow(_run: Run) -> None:
        nonlocal running, most
        running, most = running + 1, max(most, running + 1)
        await go_on.wait()
        running -= 1

    async def full() -> bool:
        return running == 3

    async with working(database, valkey.url, slow, jobs=3) as worker:
        await until_heard(valkey, worker.name)
        ids = [await defer(hinting_db, acme, "test.slow") for _ in range(12)]
        await eventually(full, "three jobs run")
        go_on.set()
        for job_id in ids:
            await ground.until_state(job_id, "done")
    assert most == 3


async def test_a_worker_shows_that_it_lives_and_what_it_does(
    database: TestDatabase, ground: Ground, hinting_db: Database, valkey: ValkeyServer, acme: Company
) -> None:
    redis = Redis.from_url(valkey.url)
    async with working(database, valkey.url, take_note) as worker:

        async def shown() -> bytes | None:
            found: bytes | None = await redis.get(ALIVE_KEY + worker.name)
            return found

        assert orjson.loads(await eventually(shown, "the worker is in Redis"))["name"] == worker.name
        assert await ground.conn.fetchval("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'ringside worker'") > 0
        await ground.until_state(await defer(hinting_db, acme, "test.note"), "done")

        async def counted() -> bool:
            async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{worker.metrics_port}/metrics") as answer:
                text = await answer.text()
            return (
                'ringside_job_attempts_total{kind="test.note",result="done"}' in text and "ringside_jobs_oldest_seconds" in text
            )

        await eventually(counted, "the job is counted")
    assert await redis.get(ALIVE_KEY + worker.name) is None
    await redis.aclose()


async def test_finishing_twice_is_a_mistake_that_undoes_nothing(
    database: TestDatabase, ground: Ground, hinting_db: Database, valkey: ValkeyServer, acme: Company
) -> None:
    @job("test.twice")
    async def twice(run: Run) -> None:
        for _ in range(2):
            async with run.finish() as tx:
                await note(tx, run.job, "done")

    async with working(database, valkey.url, twice):
        job_id: UUID = await defer(hinting_db, acme, "test.twice")
        row = await ground.until_state(job_id, "done", "dead")
    assert (row["state"], await ground.effects()) == ("done", ["done"])


async def test_a_hint_for_what_does_not_exist_does_no_harm(
    database: TestDatabase, ground: Ground, hinting_db: Database, valkey: ValkeyServer, acme: Company
) -> None:
    redis = Redis.from_url(valkey.url)
    async with working(database, valkey.url, take_note):
        for body in (
            b"not json",
            orjson.dumps({"t": None, "f": "run_job", "a": [str(uuid4()), str(uuid4())], "k": {}, "et": 0}),
            orjson.dumps({"t": None, "f": "run_job", "a": ["x"], "k": {}, "et": 0}),
        ):
            key = uuid4().hex
            await redis.set("arq:job:" + key, body, px=60_000)
            await redis.zadd(QUEUE, {key: 1})

        async def empty() -> bool:
            waiting: int = await redis.zcard(QUEUE)
            return waiting == 0

        await eventually(empty, "the queue is empty")
        await ground.until_state(await defer(hinting_db, acme, "test.note"), "done")
    await redis.aclose()


def test_a_kind_has_one_handler() -> None:
    with pytest.raises(RuntimeError, match=r"test\.note"):
        Registry([take_note, take_note])
