"""The job ledger over HTTP."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from hub.db import Database, tenant_tx
from hub.who import Role
from tests.conftest import Company
from tests.harness import Api, RunningHub
from workers.ledger import Ledger


async def defer(db: Database, company: Company, kind: str = "test.x", n: int = 0) -> str:
    """Commit a job; its id."""
    async with tenant_tx(db, company.who()) as tx:
        return str(await tx.defer(kind, {"n": n}))


async def die(db: Database, company: Company, job_id: str, reason: str = "no such number") -> None:
    """Have the job fail for good."""
    ledger = Ledger(db, "worker", {})
    job = await ledger.claim(company.tenant_id, UUID(job_id))
    assert job is not None
    await ledger.bury(job, reason, max_attempts=8)


async def events(admin: Api) -> list[tuple[str, str]]:
    """Types of the events seen, with the job's state in each."""
    answer = await admin.get("/events", after=0)
    return [(event["type"], event["data"]["job"]["state"]) for event in answer.body["data"] if event["type"].startswith("job.")]


@pytest.mark.parametrize("role", ["manager", "rep"])
async def test_jobs_are_for_owners_and_admins(db: Database, acme: Company, hub: RunningHub, role: Role) -> None:
    job_id = await defer(db, acme)
    api = hub.as_member(acme, role)
    assert (await api.get("/admin/jobs")).status == 403
    assert (await api.post(f"/admin/jobs/{job_id}/retry")).status == 403
    assert (await api.post(f"/admin/jobs/{job_id}/drop")).status == 403


async def test_jobs_are_listed_newest_first_page_by_page(db: Database, acme: Company, globex: Company, hub: RunningHub) -> None:
    ids = [await defer(db, acme, n=n) for n in range(7)]
    await defer(db, globex)
    owner = hub.as_member(acme, "owner")
    seen: list[str] = []
    page = (await owner.get("/admin/jobs", limit=3)).body
    while True:
        seen += [job["id"] for job in page["data"]]
        if page["next_cursor"] is None:
            break
        page = (await owner.get("/admin/jobs", limit=3, cursor=page["next_cursor"])).body
    assert seen == ids[::-1]


async def test_jobs_are_filtered_by_state_and_kind(db: Database, acme: Company, hub: RunningHub) -> None:
    admin = hub.as_member(acme, "admin")
    dead, waiting, other = await defer(db, acme), await defer(db, acme), await defer(db, acme, "test.y")
    await die(db, acme, dead)
    for wanted, expected in (
        ({"state": "dead"}, [dead]),
        ({"state": "ready"}, [other, waiting]),
        ({"kind": "test.x"}, [waiting, dead]),
        ({"kind": "test.x", "state": "ready"}, [waiting]),
    ):
        assert [job["id"] for job in (await admin.get("/admin/jobs", **wanted)).body["data"]] == expected
    (job,) = (await admin.get("/admin/jobs", state="dead")).body["data"]
    assert (job["last_error"], job["attempts"], job["max_attempts"], job["args"]) == ("no such number", 1, 8, {"n": 0})
    assert (await admin.get("/admin/jobs", state="lost")).status == 422
    assert (await admin.get("/admin/jobs", cursor="nonsense")).status == 422


async def test_a_dead_letter_is_retried_with_all_its_attempts(db: Database, acme: Company, hub: RunningHub) -> None:
    admin = hub.as_member(acme, "admin")
    job_id = await defer(db, acme)
    await die(db, acme, job_id)
    answer = await admin.post(f"/admin/jobs/{job_id}/retry")
    assert (answer.status, answer.body["state"], answer.body["attempts"]) == (200, "ready", 0)
    assert answer.body["last_error"] == "no such number"  # until it has worked, the reason stays to be read
    assert await events(admin) == [("job.dead", "dead"), ("job.retried", "ready")]
    assert [due.id for due in await Ledger(db, "worker", {}).due(overdue_s=0, limit=9)] == [UUID(job_id)]


async def test_a_job_is_dropped_and_stays_so(db: Database, acme: Company, hub: RunningHub) -> None:
    admin = hub.as_member(acme, "admin")
    dead, waiting = await defer(db, acme), await defer(db, acme)
    await die(db, acme, dead)
    for job_id in (dead, waiting):
        answer = await admin.post(f"/admin/jobs/{job_id}/drop")
        assert (answer.status, answer.body["state"]) == (200, "dropped")
    assert await events(admin) == [("job.dead", "dead"), ("job.dropped", "dropped"), ("job.dropped", "dropped")]
    assert await Ledger(db, "worker", {}).due(overdue_s=0, limit=9) == []
    assert await events(hub.as_member(acme, "rep")) == []


async def test_what_the_state_forbids_is_said_in_words(db: Database, acme: Company, hub: RunningHub) -> None:
    admin = hub.as_member(acme, "admin")
    waiting, running, dropped = await defer(db, acme), await defer(db, acme), await defer(db, acme)
    await Ledger(db, "worker", {}).claim(acme.tenant_id, UUID(running))
    await admin.post(f"/admin/jobs/{dropped}/drop")
    for job_id, verb, words in (
        (waiting, "retry", "waiting for its turn"),
        (running, "retry", "running right now"),
        (running, "drop", "running right now"),
        (dropped, "drop", "was dropped"),
        (dropped, "retry", "was dropped"),
    ):
        answer = await admin.post(f"/admin/jobs/{job_id}/{verb}")
        assert answer.status == 409
        assert words in answer.body["message"]


async def test_another_companys_job_is_as_missing_as_none(db: Database, acme: Company, globex: Company, hub: RunningHub) -> None:
    theirs = await defer(db, globex)
    await die(db, globex, theirs)
    admin = hub.as_member(acme, "admin")
    for verb in ("retry", "drop"):
        answers = [await admin.post(f"/admin/jobs/{job_id}/{verb}") for job_id in (theirs, uuid4(), "no-uuid")]
        assert {(answer.status, answer.error) for answer in answers} == {(404, "not_found")}
        assert len({answer.body["message"] for answer in answers[:2]}) == 1
    (job,) = (await hub.as_member(globex, "admin").get("/admin/jobs")).body["data"]
    assert job["state"] == "dead"
