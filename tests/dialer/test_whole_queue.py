"""A rep works a whole queue over HTTP: hub, workers, the real SDK, the sandbox, its signed callbacks. A worker dies meanwhile."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hub.db import tenant_tx
from hub.who import Role
from tests.conftest import Company, TestDatabase, make_company
from tests.dialer.kit import sql
from tests.harness import SECRET, Api, until
from tests.patience import PATIENCE_S
from tests.realtime.kit import Client
from tests.stack import Stack, running_stack

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
async def stack(database: TestDatabase, valkey_url: str) -> AsyncIterator[Stack]:
    async with running_stack(database.app_url, valkey_url, sandbox={"speed": 60}) as running:
        yield running


@pytest.fixture
async def acme(stack: Stack) -> Company:
    return await make_company(stack.server.hub.db, "Acme")


@pytest.fixture
async def rep(stack: Stack, acme: Company) -> Api:
    return stack.server.as_member(acme, "rep")


@asynccontextmanager
async def at_desk(stack: Stack, company: Company) -> AsyncIterator[Client]:
    """The rep's console is open."""
    client = await Client.connect(stack.server.url, stack.server.token(company, "rep"))
    try:
        yield client
    finally:
        await client.close()


async def contacts(api: Api, numbers: list[str]) -> dict[str, str]:
    """A contact for each number, by number; one without any for an empty one."""
    made = {}
    for number in numbers:
        phones = [{"e164": number}] if number else []
        answer = await api.post("/contacts", {"first_name": f"Contact {number[-4:]}", "phones": phones})
        assert answer.status == 201, answer.body
        made[number] = answer.body["id"]
    return made


async def running_queue(manager: Api, contact_ids: list[str], **more: Any) -> str:
    """A queue of these contacts that reps may work."""
    queue = await manager.post("/queues", {"name": "Leads", "contact_ids": contact_ids, "countdown_s": 0} | more)
    assert queue.status == 201, queue.body
    assert (await manager.post(f"/queues/{queue.body['id']}/start")).status == 200
    queue_id: str = queue.body["id"]
    return queue_id


async def work(rep: Api, session_id: str) -> dict[str, Any]:
    """Do what a rep does, and nothing else, until there is nobody left to call; the session then.

    However long all of it takes: what must not happen is that nothing goes on.
    """
    seen: tuple[Any, ...] = ()

    async def next_thing() -> dict[str, Any] | None:
        session: dict[str, Any] = (await rep.get(f"/dial-sessions/{session_id}")).body
        if session["state"] == "ready" and session["dial_at"] is None:
            await rep.post(f"/dial-sessions/{session_id}/dial")
        elif session["state"] == "talking":
            await rep.post(f"/calls/{session['call_id']}/hangup")
        elif session["state"] == "wrap_up":
            await rep.put(f"/calls/{session['call_id']}/disposition", {"disposition": "meeting_booked"})
        elif session["state"] == "paused":
            raise AssertionError(f"nobody paused: {session['note']}")
        return session if is_over(session) or progress_of(session) != seen else None

    while True:
        session: dict[str, Any] = await until(next_thing)
        if is_over(session):
            return session
        seen = progress_of(session)


def is_over(session: dict[str, Any]) -> bool:
    return session["state"] == "ended" or "waits for their time" in (session["note"] or "")


def progress_of(session: dict[str, Any]) -> tuple[Any, ...]:
    """What is another as soon as a session has gone on."""
    return session["state"], session["calls"], session["call_id"], (session["next"] or {}).get("item_id")


@asynccontextmanager
async def worker_process(stack: Stack, database: TestDatabase, redis_url: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker as a process of its own, that can be killed."""
    account = stack.settings.twilio
    assert account is not None
    env = {
        **os.environ,
        "DATABASE_URL": database.app_url,
        "REDIS_URL": redis_url,
        "RINGSIDE_SECRET": SECRET,
        "RINGSIDE_PUBLIC_URL": stack.settings.public_url,
        "TWILIO_ACCOUNT_SID": account.account_sid,
        "TWILIO_AUTH_TOKEN": account.auth_token,
        "TWILIO_API_URL": account.api_url,
        "TWILIO_FROM": account.from_number,
        "TWILIO_CALLS_PER_SECOND": "1000",
        "PYTHONPATH": str(ROOT),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hub.cli", "worker", env=env, cwd=ROOT, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()


async def rows(stack: Stack, company: Company, text: str) -> list[dict[str, Any]]:
    async with tenant_tx(stack.server.hub.db, company.who("owner")) as tx:
        return [dict(row) for row in await tx.fetch(sql(text))]


async def check_books(stack: Stack, company: Company, called: list[str]) -> None:
    """Each number was called exactly once, with a permit of its own that was used; nothing is left in anybody's hands."""
    rung = Counter(call.to for call in stack.sandbox.calls if call.to.startswith("+"))
    assert rung == Counter(called)
    calls = await rows(
        stack,
        company,
        "SELECT c.to_number, c.state, p.allowed, p.used_at FROM calls c LEFT JOIN permits p "
        "ON p.tenant_id = c.tenant_id AND p.id = c.permit_id WHERE c.tenant_id = :tenant_id",
    )
    assert Counter(c["to_number"] for c in calls) == Counter(called)
    assert all(c["allowed"] and c["used_at"] is not None for c in calls)
    assert all(c["state"] not in ("queued", "dialing", "ringing", "in_progress") for c in calls)
    held = "SELECT 1 FROM dial_items WHERE tenant_id = :tenant_id AND state IN ('claimed', 'dialing')"
    assert await rows(stack, company, held) == []
    unsettled = "SELECT 1 FROM dial_attempts WHERE tenant_id = :tenant_id AND settled_at IS NULL"
    assert await rows(stack, company, unsettled) == []


async def test_a_queue_of_thirty_with_all_outcomes_over_http_while_a_worker_is_killed(
    stack: Stack, acme: Company, rep: Api, database: TestDatabase, valkey_url: str
) -> None:
    manager = stack.server.as_member(acme, "manager")
    numbers = [f"+120255501{n:02d}" for n in range(30)]
    by_number = await contacts(manager, [*numbers, ""])
    stopped = numbers[:2]
    for number in stopped:
        given = {"kind": "phone", "value": number, "reason": "asked us to stop"}
        assert (await manager.post("/suppressions", given)).status == 201
    queue_id = await running_queue(manager, list(by_number.values()))
    async with at_desk(stack, acme), worker_process(stack, database, valkey_url) as doomed:
        joined = await rep.post(f"/queues/{queue_id}/sessions")
        assert joined.status == 201, joined.body

        async def is_half_way() -> bool:
            return len({c.to for c in stack.sandbox.calls}) > 10

        async def kill_half_way() -> None:
            # As long as the rep gets on.
            await until(is_half_way, seconds=10 * PATIENCE_S)
            doomed.send_signal(signal.SIGKILL)
            await doomed.wait()
            async with stack.worker():
                await over.wait()

        over = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(kill_half_way())
            session = await work(rep, joined.body["id"])
            progress = (await rep.get(f"/queues/{queue_id}/progress")).body

            async def is_told() -> bool:
                counts: dict[str, int] = (await rep.get(f"/queues/{queue_id}")).body["counts"]
                return bool(counts == progress["counts"])

            await until(is_told)
            over.set()
    await check_books(stack, acme, numbers[2:])
    assert session["calls"] == 28
    assert progress["counts"]["skipped"] == 3 and progress["counts"]["done"] + progress["counts"]["later"] == 28
    outcomes = {o["outcome"]: o["items"] for o in progress["outcomes"]}
    assert outcomes["busy"] == outcomes["no_answer"] == outcomes["failed"] == 3 and sum(outcomes.values()) == 28
    assert {s["code"]: s["items"] for s in progress["skipped"]}["no_number"] == 1
    skipped = (await rep.get(f"/queues/{queue_id}/items", state="skipped")).body["data"]
    assert all(item["reason"] for item in skipped)
    refused = (await manager.get("/permits", allowed="false")).body["data"]
    explained = {permit["explanation"] for permit in refused}
    assert {i["reason"] for i in skipped if i["reason_code"] != "no_number"} <= explained


async def test_four_reps_share_a_queue_and_nobody_is_called_twice(stack: Stack, acme: Company) -> None:
    manager = stack.server.as_member(acme, "manager")
    numbers = [f"+120255502{n:02d}" for n in range(24)]
    queue_id = await running_queue(manager, list((await contacts(manager, numbers)).values()))
    roles: tuple[Role, ...] = ("owner", "admin", "manager", "rep")
    tables = [await Client.connect(stack.server.url, stack.server.token(acme, role)) for role in roles]
    try:
        async with stack.worker(), stack.worker():
            reps = [stack.server.as_member(acme, role) for role in roles]
            # Everybody has somebody to call before anybody calls: nobody comes when the others are through.
            joined = await asyncio.gather(*(rep.post(f"/queues/{queue_id}/sessions") for rep in reps))
            assert [(answer.status, answer.body["state"]) for answer in joined] == [(201, "ready")] * len(reps)
            working = (work(rep, answer.body["id"]) for rep, answer in zip(reps, joined, strict=True))
            sessions = await asyncio.gather(*working)
    finally:
        for client in tables:
            await client.close()
    await check_books(stack, acme, numbers)
    assert sum(s["calls"] for s in sessions) == 24 and all(s["calls"] > 0 for s in sessions)


async def test_with_several_lines_somebody_is_always_there_for_who_answers_first(stack: Stack, acme: Company, rep: Api) -> None:
    manager = stack.server.as_member(acme, "manager")
    numbers = [f"+120255503{n:02d}" for n in range(20)]
    queue_id = await running_queue(manager, list((await contacts(manager, numbers)).values()), lines=3)
    # A well answered campaign, so that the cap leaves room.
    async with tenant_tx(stack.server.hub.db, acme.who("owner")) as tx:
        text = "INSERT INTO dial_days (tenant_id, queue_id, period, day, answered) SELECT :tenant_id, id, 0, now()::date, 2000"
        await tx.execute(sql(text + " FROM dial_queues WHERE tenant_id = :tenant_id"))
    async with at_desk(stack, acme), stack.worker():
        opened = await rep.post("/lines")
        assert opened.status in (200, 201), opened.body

        async def is_open() -> bool:
            return bool((await rows(stack, acme, "SELECT 1 FROM lines WHERE tenant_id = :tenant_id AND state = 'open'")) != [])

        await until(is_open)
        joined = await rep.post(f"/queues/{queue_id}/sessions", {"lines": 3})
        session = await work(rep, joined.body["id"])
        progress = (await rep.get(f"/queues/{queue_id}/progress")).body
    rung = Counter(call.to for call in stack.sandbox.calls if call.to in numbers)
    assert rung == Counter(numbers), "each exactly once"
    attempts = await rows(
        stack,
        acme,
        "SELECT a.is_parallel, a.result, c.holds_rep, c.abandoned_at IS NOT NULL AS is_abandoned FROM dial_attempts a "
        "JOIN calls c ON c.tenant_id = a.tenant_id AND c.id = a.call_id WHERE a.tenant_id = :tenant_id",
    )
    assert len(attempts) == session["calls"] == 20 and sum(a["is_parallel"] for a in attempts) >= 15
    assert all(a["result"] is not None for a in attempts)
    results = Counter(a["result"] for a in attempts)
    assert results["connected"] > 0 and results["abandoned"] == sum(
        a["is_abandoned"] and a["result"] != "voicemail" for a in attempts
    )
    pace = progress["pace"]
    assert pace["abandoned"] * 1000 <= 30 * pace["answered"] and pace["under_way"] == 0
