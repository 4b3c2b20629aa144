"""The ledger: claims, leases, fences."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.db import Database, tenant_tx
from hub.errors import Conflict
from hub.jobs.actions import drop_job, retry_job
from tests.conftest import Company
from tests.workers.kit import Ground, defer, note
from workers.ledger import MAX_BACKOFF_S, Job, Ledger, LostLease, backoff_s


def ledger(db: Database, worker: str = "one") -> Ledger:
    return Ledger(db, worker, {"test.long": 3600.0})


async def claim(db: Database, company: Company, job_id: UUID, worker: str = "one") -> Job:
    job = await ledger(db, worker).claim(company.tenant_id, job_id)
    assert job is not None
    return job


async def test_a_claimed_job_carries_what_was_deferred(db: Database, ground: Ground, acme: Company) -> None:
    who = acme.who()
    job_id = await defer(db, acme, "test.x", {"contact": "Zoë"}, max_attempts=3)
    job = await claim(db, acme, job_id)
    assert (job.id, job.kind, job.args, job.attempts, job.max_attempts) == (job_id, "test.x", {"contact": "Zoë"}, 1, 3)
    assert job.created_by == who.user_id and job.tenant_id == acme.tenant_id


async def test_ten_claims_at_once_and_one_gets_it(db: Database, ground: Ground, acme: Company) -> None:
    job_id = await defer(db, acme, "test.x")
    claims = await asyncio.gather(*[ledger(db, f"worker {n}").claim(acme.tenant_id, job_id) for n in range(10)])
    assert len([job for job in claims if job is not None]) == 1


async def test_a_job_is_not_claimed_before_it_is_due_nor_by_another_company(
    db: Database, ground: Ground, acme: Company, globex: Company
) -> None:
    later = await defer(db, acme, "test.x", run_at=datetime.now(UTC) + timedelta(minutes=1))
    now = await defer(db, acme, "test.x")
    assert await ledger(db).claim(acme.tenant_id, later) is None
    assert await ledger(db).claim(globex.tenant_id, now) is None
    assert [job.id for job in await ledger(db).due(overdue_s=0, limit=10)] == [now]


async def test_a_job_whose_lease_ran_out_is_due_and_can_be_taken_over(db: Database, ground: Ground, acme: Company) -> None:
    job_id = await defer(db, acme, "test.x")
    await claim(db, acme, job_id)
    assert await ledger(db).due(overdue_s=0, limit=10) == []
    assert await ledger(db, "two").claim(acme.tenant_id, job_id) is None
    await ground.run_lease_out(job_id)
    assert [job.id for job in await ledger(db).due(overdue_s=0, limit=10)] == [job_id]
    assert (await claim(db, acme, job_id, "two")).attempts == 2


async def test_the_lease_is_as_long_as_its_kind_needs(db: Database, ground: Ground, acme: Company) -> None:
    job_id = await defer(db, acme, "test.long")
    await claim(db, acme, job_id)
    row = await ground.job(job_id)
    assert row["lease_until"] - row["started_at"] == timedelta(hours=1)


async def test_effects_and_the_end_of_a_job_are_one(db: Database, ground: Ground, acme: Company) -> None:
    job_id = await defer(db, acme, "test.x")
    job = await claim(db, acme, job_id)
    with pytest.raises(Conflict):
        async with ledger(db).finish(job, acme.who()) as tx:
            await note(tx, job, "half")
            raise Conflict("no")
    assert (await ground.job(job_id))["state"] == "running"
    assert await ground.effects() == []
    async with ledger(db).finish(job, acme.who()) as tx:
        await note(tx, job, "whole")
    assert (await ground.job(job_id))["state"] == "done"
    assert await ground.effects() == ["whole"]


async def test_a_worker_that_lost_its_lease_can_record_nothing(db: Database, ground: Ground, acme: Company) -> None:
    job_id = await defer(db, acme, "test.x")
    slow = await claim(db, acme, job_id)
    await ground.run_lease_out(job_id)
    taken_over = await claim(db, acme, job_id)  # even by the same worker: the attempt tells them apart
    one = ledger(db)
    with pytest.raises(LostLease):
        async with one.finish(slow, acme.who()) as tx:
            await note(tx, slow, "late")
    with pytest.raises(LostLease):
        await one.retry(slow, "late", delay_s=0, max_attempts=8)
    with pytest.raises(LostLease):
        await one.bury(slow, "late", max_attempts=8)
    with pytest.raises(LostLease):
        await one.release(slow)
    with pytest.raises(LostLease):
        async with tenant_tx(db, acme.who()) as tx:
            await one.extend(tx, slow, 60)
    async with one.finish(taken_over, acme.who()) as tx:
        await note(tx, taken_over, "in time")
    assert await ground.effects() == ["in time"]
    assert await ground.events("job.dead") == []


async def test_nobody_takes_a_job_over_while_its_effects_are_written(db: Database, ground: Ground, acme: Company) -> None:
    job_id = await defer(db, acme, "test.x")
    job = await claim(db, acme, job_id)
    await ground.run_lease_out(job_id)
    async with ledger(db).finish(job, acme.who()) as tx:
        await note(tx, job, "done")
        assert await ledger(db, "two").claim(acme.tenant_id, job_id) is None
    assert await ledger(db, "two").claim(acme.tenant_id, job_id) is None
    assert await ground.effects() == ["done"]


async def test_an_extended_lease_lasts_longer(db: Database, ground: Ground, acme: Company) -> None:
    job_id = await defer(db, acme, "test.x")
    job = await claim(db, acme, job_id)
    before = (await ground.job(job_id))["lease_until"]
    async with tenant_tx(db, acme.who()) as tx:
        await ledger(db).extend(tx, job, 600)
    assert (await ground.job(job_id))["lease_until"] > before + timedelta(minutes=5)


async def test_a_released_job_is_due_at_once_and_loses_no_attempt(db: Database, ground: Ground, acme: Company) -> None:
    job_id = await defer(db, acme, "test.x")
    for _ in range(5):
        await ledger(db).release(await claim(db, acme, job_id))
    assert (await claim(db, acme, job_id)).attempts == 1


async def test_a_dead_letter_keeps_its_reason_and_tells_the_managers(db: Database, ground: Ground, acme: Company) -> None:
    job_id = await defer(db, acme, "test.x", {"a": 1})
    await ledger(db).bury(await claim(db, acme, job_id), "no\x00 such number", max_attempts=8)
    row = await ground.job(job_id)
    assert (row["state"], row["last_error"]) == ("dead", "no such number")
    (event,) = await ground.events("job.dead")
    assert event["audience"] == "managers" and event["subject"] == {"kind": "job", "id": str(job_id)}
    shown = event["data"]["job"]
    assert {
        "state": "dead",
        "attempts": 1,
        "max_attempts": 8,
        "args": {"a": 1},
        "last_error": "no such number",
    }.items() <= shown.items()


@pytest.mark.parametrize("attempt", [1, 2, 5, 9, 60])
def test_pauses_double_within_bounds_and_never_undercut_what_was_asked(attempt: int) -> None:
    whole = min(0.5 * 2 ** (attempt - 1), MAX_BACKOFF_S)
    for _ in range(50):
        assert whole / 2 <= backoff_s(attempt, 0.5) <= whole
        assert backoff_s(attempt, 0.5, at_least_s=1000) >= 1000
        assert backoff_s(attempt, 0.5, at_least_s=0) <= whole


STEPS = [
    "claim a",
    "claim b",
    "finish",
    "finish old",
    "retry",
    "bury",
    "release",
    "lease runs out",
    "becomes due",
    "admin retries",
]
STEPS += ["admin drops"]


@dataclass(frozen=True)
class Claim:
    """An attempt and the ledger of the worker that made it."""

    job: Job
    of: Ledger


@dataclass
class Model:
    """What the ledger should say."""

    state: str = "ready"
    due: bool = True
    tries: int = 0
    lapsed: bool = False
    holder: Claim | None = None
    former: list[Claim] = field(default_factory=list)
    done: int = 0


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(STEPS), min_size=3, max_size=25))
async def test_whatever_happens_the_ledger_is_as_its_model(
    db: Database, ground: Ground, acme: Company, globex: Company, steps: list[str]
) -> None:
    job_id = await defer(db, acme, "test.x")
    model = Model()
    for step in steps:
        await take_step(step, model, db, ground, acme, job_id)
        row = await ground.job(job_id)
        assert (row["state"], row["attempts"] - row["pardoned"]) == (model.state, model.tries)
        assert (row["lease_until"] is not None) == (model.state == "running")
        assert (row["finished_at"] is not None) == (model.state in ("done", "dead", "dropped"))
        assert await ground.effects(job_id) == ["done"] * model.done
        assert model.done <= 1


async def take_step(step: str, model: Model, db: Database, ground: Ground, acme: Company, job_id: UUID) -> None:
    """Do one thing to the job and to its model."""
    holder = model.holder
    if step.startswith("claim"):
        mine = ledger(db, step)
        job = await mine.claim(acme.tenant_id, job_id)
        allowed = (model.state == "ready" and model.due) or (model.state == "running" and model.lapsed)
        assert (job is not None) == allowed
        if job is not None:
            if holder:
                model.former.append(holder)
            model.state, model.holder, model.tries, model.lapsed = "running", Claim(job, mine), model.tries + 1, False
            assert job.attempts == model.tries
    elif step == "finish old" and model.former:
        late = model.former[-1]
        with pytest.raises(LostLease):
            async with late.of.finish(late.job, acme.who()) as tx:
                await note(tx, late.job, "late")
    elif step == "lease runs out":
        await ground.run_lease_out(job_id)
        model.lapsed = model.state == "running"
    elif step == "becomes due" and model.state == "ready":
        await ground.make_due(job_id)
        model.due = True
    elif step.startswith("admin"):
        await admin_step(step, model, db, acme, job_id)
    elif holder and step in ("finish", "retry", "bury", "release"):
        mine, job = holder.of, holder.job
        if step == "finish":
            async with mine.finish(job, acme.who()) as tx:
                await note(tx, job, "done")
            model.state, model.done = "done", model.done + 1
        elif step == "retry":
            await mine.retry(job, "later", delay_s=3600, max_attempts=8)
            model.state, model.due = "ready", False
        elif step == "bury":
            await mine.bury(job, "never", max_attempts=8)
            model.state = "dead"
        else:
            await mine.release(job)
            model.state, model.due, model.tries = "ready", True, model.tries - 1
        model.former.append(holder)
        model.holder = None


async def admin_step(step: str, model: Model, db: Database, acme: Company, job_id: UUID) -> None:
    """Retry or drop as an admin, where that is allowed."""
    act, allowed = (retry_job, ("dead",)) if step == "admin retries" else (drop_job, ("dead", "ready"))
    if model.state not in allowed:
        with pytest.raises(Conflict):
            async with tenant_tx(db, acme.who("admin")) as tx:
                await act(tx, job_id)
        return
    async with tenant_tx(db, acme.who("admin")) as tx:
        await act(tx, job_id)
    if step == "admin retries":
        model.state, model.due, model.tries = "ready", True, 0
    else:
        model.state = "dropped"
