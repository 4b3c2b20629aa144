"""A sales floor at work: `./ringside bench load --users 100 --minutes 10`.

A whole Ringside (one hub, one worker, the telephone's sandbox, with the limits of production), a company of 50,000 contacts, and
locust's users (loadtests/): reps who list, search, open, call, note; managers who watch; mobiles that lose the line.
It ends with 1 when the promise is broken: the API's p95 over 200 ms, an event later than 500 ms on a screen (p95), any error, or
memory that grows. The aims are 50 and 100 ms. `--report FOLDER` draws what happened.

All of it needs half a core. On a machine that is busy with something else most of the time is waiting for one, which the table
says; `--first` lets it run before all else there (Linux, as root), and the rest of the machine wait.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson

from benchmarks import cores
from benchmarks.api_company import fill
from benchmarks.children import on_leash
from benchmarks.figures import percentile
from benchmarks.ground import ROOT, Ground, Member, open_ground
from benchmarks.load_story import Memory, Story
from benchmarks.results import Result, machine, report
from hub.auth.tokens import Tokens

API_PROMISE_MS, EVENT_PROMISE_MS = 200.0, 500.0
API_AIM_MS, EVENT_AIM_MS = 50.0, 100.0
GROWTH_PERCENT = 10.0
# Shorter runs end while caches and pools still fill.
JUDGED_FROM_S = 180.0
CALLS_SPEED = 20.0
# Starting and stopping the users, on a machine that has much else to do.
_END_S = 180.0
WORDS = ("ada bel", "gus", "firm 1234", "cortonb", "4152000", "home77", "mia gar")


def options(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark."""
    parser.add_argument("--users", type=int, default=100, metavar="N", help="how many people (default 100)")
    parser.add_argument("--minutes", type=float, default=10.0, metavar="M", help="for how long (default 10)")
    parser.add_argument("--contacts", type=int, default=50_000, metavar="N", help="contacts of the company (default 50000)")
    parser.add_argument("--first", action="store_true", help="run before all else on this machine (root)")
    parser.add_argument("--report", type=Path, metavar="FOLDER", help="draw a report there")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")


async def measure(given: argparse.Namespace) -> int:
    """Run it and print; 1 when the promise was broken."""
    about = machine()
    seconds = max(2.0, given.minutes * 60)
    with tempfile.TemporaryDirectory(prefix="ringside-load-") as name:
        folder = Path(name)
        env = {"RINGSIDE_LOG_LEVEL": "info", "RINGSIDE_LIMITS": ""}
        opened = open_ground(workers=1, sandbox_speed=CALLS_SPEED, extra_env=env, log_path=folder / "log")
        async with opened as ground:
            await _write_plan(ground, folder, given.users, given.contacts, seconds)
            memory = Memory({"hub": ground.hub_pid, "worker": ground.worker_pids[0]})
            first = given.first and cores.before_others(os.getpid())
            watching = asyncio.create_task(memory.watch())
            shares = {
                **{name: cores.Share(pid) for name, pid in memory.pids.items()},
                "Postgres": cores.Share(ground.postgres_pid, family=True),
            }
            try:
                used = await _run(folder, given.users, seconds)
                used |= {name: (share.share, share.waited) for name, share in shares.items()}
            finally:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)
        story = Story.read(folder / "seen.json", memory, warm_up_s=min(20.0, seconds / 4))
    facts = {
        "users": f"{given.users} for {seconds:.0f} s: reps 70 %, managers 10 %, mobiles 20 %; {given.contacts:,} contacts",
        "requests": f"{len(story.requests):,} counted, after {story.warm_up_s:.0f} s of warming up",
        "deliveries": f"{sum(story.delivered.values()):,} events on screens; {story.reconnected} broken lines taken up again",
        "cores used": ", ".join(f"{name} {cpu:.2f}" for name, (cpu, _) in used.items()),
        # The postmaster itself has nothing to do.
        "ready but without a core": ", ".join(f"{name} {wait:.2f}" for name, (_, wait) in used.items() if name != "Postgres")
        + (" of the time, though before all else that ran here" if first else " of the time"),
        "aims": f"API {API_AIM_MS:.0f} ms {_word(story.api_p95(), API_AIM_MS)}, "
        f"event {EVENT_AIM_MS:.0f} ms {_word(story.event_p95(), EVENT_AIM_MS)}",
    }
    results = judged(story, seconds)
    if given.report is not None:
        drawing = importlib.import_module("benchmarks.load_report")  # matplotlib is for developers only
        drawing.draw(given.report, story, results, {**facts, **about})
        print(f"the report is {given.report / 'index.html'}")
    facts |= {f"error {n}": f"{times} times: {what}" for n, (what, times) in enumerate(story.errors, 1)}
    return report("A sales floor at work", results, json_path=given.json, facts=facts, about=about)


def judged(story: Story, seconds: float) -> list[Result]:
    """The figures, and which of them are promised."""
    results = [
        Result("API, all routes: p95", story.api_p95(), "ms", API_PROMISE_MS, at_most=True),
        Result("event on a screen: p95", story.event_p95(), "ms", EVENT_PROMISE_MS, at_most=True),
        Result("errors", float(sum(times for _, times in story.errors)), "", 0.0, at_most=True),
    ]
    goal = GROWTH_PERCENT if seconds >= JUDGED_FROM_S else None
    for name, (early, late) in story.memory.held().items():
        results += [
            Result(f"memory of the {name}: early on", early, "MB"),
            Result(f"memory of the {name}: at the end", late, "MB"),
            Result(f"memory of the {name}: growth", (late / early - 1) * 100, "%", goal, at_most=True),
        ]
    results.append(Result("requests", story.a_second(seconds), "a second"))
    results.append(Result("event on a screen: p50", story.event_percentile(0.5), "ms"))
    for kind, took in sorted(story.by_kind().items()):
        results.append(Result(f"API, as a {kind} sees it: p95 of {len(took):,}", percentile(took, 0.95), "ms"))
    for route, took in sorted(story.by_route().items()):
        results.append(Result(f"{route}: p95 of {len(took):,}", percentile(took, 0.95), "ms"))
    return results


def _word(value: float, aim: float) -> str:
    return "met" if value <= aim else "missed"


async def _write_plan(ground: Ground, folder: Path, users: int, contacts: int, seconds: float) -> None:
    people = users + 2
    tenant_id, manager, reps = await ground.company("At work", reps=people)
    await fill(ground.admin_url, tenant_id, [rep.user_id for rep in reps], contacts, contacts * 2, live_calls=0)
    ids = await _callable_contacts(ground, tenant_id, min(contacts // 2, people * 400))
    each = max(1, len(ids) // people)
    plan = {
        "url": ground.url,
        "reps": [
            _person(ground, tenant_id, rep, ids[number * each : (number + 1) * each], seconds) for number, rep in enumerate(reps)
        ],
        "managers": [_person(ground, tenant_id, manager, (), seconds)],
        "mobiles": [_person(ground, tenant_id, rep, (), seconds) for rep in reversed(reps)],
        "words": WORDS,
        "out": str(folder / "seen.json"),
    }
    (folder / "plan.json").write_bytes(orjson.dumps(plan))


def _person(ground: Ground, tenant_id: UUID, member: Member, contacts: Sequence[str], seconds: float) -> Mapping[str, Any]:
    token = Tokens(ground.settings.key("access-token")).issue(
        user_id=member.user_id,
        tenant_id=tenant_id,
        role=member.role,
        session_id=uuid4(),
        name=member.role.title(),
        lifetime_s=int(seconds) + 900,
    )
    return {"user_id": str(member.user_id), "token": token, "contacts": contacts}


async def _callable_contacts(ground: Ground, tenant_id: UUID, count: int) -> list[str]:
    """Contacts who answer: the sandbox goes by the last digit."""
    admin = await asyncpg.connect(ground.admin_url)
    rows = await admin.fetch(
        "SELECT contact_id FROM contact_phones WHERE tenant_id = $1 AND right(e164, 1) < '5' ORDER BY contact_id LIMIT $2",
        tenant_id,
        count,
    )
    await admin.close()
    return [str(row["contact_id"]) for row in rows]


async def _run(folder: Path, users: int, seconds: float) -> dict[str, tuple[float, float]]:
    """Run locust to its end; the share of a core it used, and waited for. Raises RuntimeError when it breaks or does not end."""
    command = [sys.executable, "-m", "locust", "-f", str(ROOT / "loadtests" / "locustfile.py"), "--headless", "--only-summary"]
    command += ["-u", str(users), "-r", str(max(2, users // 8)), "-t", f"{max(2, round(seconds))}s", "--stop-timeout", "30"]
    command += ["--exit-code-on-error", "0"]
    env = {**os.environ, "RINGSIDE_LOAD_PLAN": str(folder / "plan.json"), "PYTHONPATH": str(ROOT)}
    with (folder / "locust.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(*on_leash(command), cwd=ROOT, env=env, stdout=log, stderr=log)
        share = cores.Share(process.pid)
        used = (0.0, 0.0)
        try:
            async with asyncio.timeout(seconds + _END_S):
                ended = asyncio.create_task(process.wait())
                while not ended.done():
                    with contextlib.suppress(OSError, IndexError):
                        used = (share.share, share.waited)
                    await asyncio.wait([ended], timeout=1)
        except TimeoutError:
            raise RuntimeError("locust did not end in time") from None
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode or not (folder / "seen.json").exists():
        raise RuntimeError(f"locust ended with {process.returncode}: {(folder / 'locust.log').read_text()[-2000:]}")
    return {"locust": used}
