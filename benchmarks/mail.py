"""How fast mail and sequences are: `./ringside bench mail`.

Everything on one machine: postgres, valkey, the hub, one worker, Gmail's sandbox.
1. The first sync of a mailbox with so many messages, and the worker's memory meanwhile.
2. From an answer that arrives at Gmail (which pushes) to the rep's screen, and to the sequence that it stops.
3. So many mailboxes, so many messages a second over all of them: until each is on the screen.
4. Moments for 100,000 enrolments, found by the scheduler.
5. With --crashes: workers that die at every kind of boundary; then what went out is held against what should have.
The peer, in the same run: the bare client, listing and fetching the same messages without a product around it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import structlog
from aiohttp import ClientSession, ClientTimeout

from benchmarks.crashes import SEQUENCE_RULES, carnage
from benchmarks.figures import Figure, percentile
from benchmarks.ground import Ground, Member, open_ground
from benchmarks.listener import listening
from hub.clock import Clock
from hub.config import Settings
from hub.db import Database
from hub.embedded import start_postgres
from hub.mail import delivering
from hub.migrate import migrate
from hub.providers import google_client
from hub.sealing import Seals
from hub.sequences.scheduling import plan_due
from integrations.mailboxes import open_mail

SCREEN_GOAL_MS = 2000.0
FIRST_SYNC_GOAL_S = 180.0
PLAN_GOAL_S = 10.0
MAILBOXES = 100
A_SECOND = 20


@dataclass(slots=True)
class Screen:
    """When something was first seen on a screen, by a word that names it."""

    seen: dict[str, float] = field(default_factory=dict)

    def see(self, event: dict[str, Any], at: float) -> None:
        """Take in an event that arrived at `at` (seconds of the wall clock)."""
        data = event["data"]
        if event["type"] == "mail.received":
            self.seen.setdefault(data["thread"]["subject"], at)
        elif event["type"] == "enrolment.changed" and data["enrolment"]["state"] == "stopped":
            self.seen.setdefault(data["enrolment"]["id"], at)

    async def all_of(self, names: list[str], within_s: float) -> None:
        """Wait until all of these were seen, or the time is up."""
        end = time.monotonic() + within_s
        while time.monotonic() < end and any(name not in self.seen for name in names):  # noqa: ASYNC110 - cheap, and plain
            await asyncio.sleep(0.05)


async def add_mailbox(
    ground: Ground, session: ClientSession, admin: asyncpg.Connection[Any], rep: Member, tenant_id: UUID
) -> Any:
    """A mailbox at the sandbox, as if the rep had just connected it: (id, address, refresh token)."""
    mailbox_id = uuid4()
    address = f"rep-{mailbox_id.hex[:10]}@ringside.example"
    async with session.post(f"{ground.gmail_url}/_sandbox/mailboxes", json={"address": address}) as answer:
        made = await answer.json()
    sealed = Seals(ground.settings).seal(made["refresh_token"], tenant_id=tenant_id, kind="mailbox", row_id=mailbox_id)
    await admin.execute(
        """INSERT INTO mailboxes (tenant_id, id, user_id, kind, address, address_lc, display_name, state, visibility, sealed,
            cursor, first_sync, connected_at, next_measure_at)
        VALUES ($1, $2, $3, 'gmail', $4, $4, 'Rep', 'active', 'everyone', $5, $6, '{"state": "done", "done": 0, "total": 0}',
            now(), now() + interval '1 day')""",
        tenant_id,
        mailbox_id,
        rep.user_id,
        address,
        sealed,
        made["history_id"],
    )
    await admin.execute(
        "INSERT INTO jobs (tenant_id, kind, args, max_attempts) VALUES ($1, 'mailboxes.watch', $2, 20)",
        tenant_id,
        json.dumps({"mailbox_id": str(mailbox_id)}),
    )
    return mailbox_id, address, made["refresh_token"]


async def first_sync(
    ground: Ground, session: ClientSession, admin: asyncpg.Connection[Any], count: int
) -> tuple[float, float, int, float]:
    """Seconds, the worker's growth in MiB, how many messages there are, and seconds of the bare client."""
    tenant_id, _, (rep, *_) = await ground.company("First sync", reps=1)
    mailbox_id, address, token = await add_mailbox(ground, session, admin, rep, tenant_id)
    seeded = {"address": address, "count": count, "days": 60}
    async with session.post(f"{ground.gmail_url}/_sandbox/seed", json=seeded) as answer:
        answer.raise_for_status()
    before = _resident_mib(ground.worker_pids[0])
    began = time.monotonic()
    await admin.execute(
        'UPDATE mailboxes SET state = \'syncing\', first_sync = \'{"state": "waiting", "total": null, "done": 0}\','
        " next_poll_at = now() WHERE id = $1",
        mailbox_id,
    )
    most = before
    while await admin.fetchval("SELECT first_sync ->> 'state' FROM mailboxes WHERE id = $1", mailbox_id) != "done":
        await asyncio.sleep(0.1)
        most = max(most, _resident_mib(ground.worker_pids[0]))
        if time.monotonic() - began > 600:
            break
    took = time.monotonic() - began
    stored = await admin.fetchval("SELECT count(*) FROM mail_messages WHERE mailbox_id = $1", mailbox_id)
    return took, most - before, stored, await _bare(ground, address, token)


async def _bare(ground: Ground, address: str, token: str) -> float:
    """The client alone: everything listed, a thousand messages fetched; scaled to a second for each thousand."""
    async with open_mail(google_client(ground.settings), None) as parts:
        mailbox = parts.mailboxes.gmail(address, token)
        began = time.monotonic()
        page = await mailbox.list_messages(limit=500)
        for start in range(0, len(page.refs), 25):
            await mailbox.fetch(page.refs[start : start + 25])
        await mailbox.close()
        return (time.monotonic() - began) * 2


async def pushes(ground: Ground, session: ClientSession, admin: asyncpg.Connection[Any], count: int) -> list[Figure]:
    """Answers one after the other: to the screen, and to the sequence that they stop."""
    tenant_id, _, (rep, *_) = await ground.company("Pushes", reps=1)
    mailbox_id, address, _ = await add_mailbox(ground, session, admin, rep, tenant_id)
    await _enrol(admin, tenant_id, rep.user_id, mailbox_id, count)
    rows = await admin.fetch(
        "SELECT e.id, a.address FROM enrolments e"
        " JOIN contact_emails a ON a.tenant_id = e.tenant_id AND a.contact_id = e.contact_id"
        " WHERE e.tenant_id = $1 ORDER BY e.id",
        tenant_id,
    )
    await _watched(admin, [mailbox_id])
    screen, stops, shown = Screen(), Figure("push to stopped", [], SCREEN_GOAL_MS), Figure("push to screen", [], SCREEN_GOAL_MS)
    async with ClientSession() as live, listening(live, ground.url, rep.token, screen.see):
        for row in rows:
            subject = f"Answer {row['id']}"
            sent_at = time.time()
            await _deliver(session, ground, address, row["address"], subject)
            await screen.all_of([subject, str(row["id"])], 15)
            shown.values_ms.append((screen.seen.get(subject, float("inf")) - sent_at) * 1000)  # type: ignore[attr-defined]
            stops.values_ms.append((screen.seen.get(str(row["id"]), float("inf")) - sent_at) * 1000)  # type: ignore[attr-defined]
            await asyncio.sleep(random.uniform(0, 0.2))  # noqa: S311 - answers do not come by the clock
    return [shown, stops]


async def many(ground: Ground, session: ClientSession, admin: asyncpg.Connection[Any], seconds: float) -> tuple[Figure, int, int]:
    """Messages to many mailboxes at once: their way to the screen, how many came, how many were sent."""
    tenant_id, _, (rep, *_) = await ground.company("Many", reps=1)
    boxes = [await add_mailbox(ground, session, admin, rep, tenant_id) for _ in range(MAILBOXES)]
    await _watched(admin, [box[0] for box in boxes])
    screen, sent = Screen(), dict[str, float]()
    dice = random.Random(4)  # noqa: S311
    async with ClientSession() as live, listening(live, ground.url, rep.token, screen.see):
        began = time.monotonic()
        for number in range(int(seconds * A_SECOND)):
            subject = f"Message {number}"
            sent[subject] = time.time()
            await _deliver(session, ground, dice.choice(boxes)[1], f"somebody{number}@customer.example", subject)
            await asyncio.sleep(max(0.0, began + (number + 1) / A_SECOND - time.monotonic()))
        await screen.all_of(list(sent), 60)
    values = [(screen.seen[subject] - at) * 1000 for subject, at in sent.items() if subject in screen.seen]
    figure = Figure(f"{MAILBOXES} mailboxes, {A_SECOND} messages/s: to the screen", values, SCREEN_GOAL_MS)
    return figure, len(values), len(sent)


async def _watched(admin: asyncpg.Connection[Any], mailbox_ids: list[UUID]) -> None:
    """Wait until Gmail pushes for these."""
    unwatched = "SELECT count(*) FROM mailboxes WHERE id = ANY ($1) AND watch_until IS NULL"
    while await admin.fetchval(unwatched, mailbox_ids):  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.1)


async def _deliver(session: ClientSession, ground: Ground, address: str, sender: str, subject: str) -> None:
    message = {"address": address, "from": sender, "subject": subject, "text": "Sounds good, tell me more."}
    async with session.post(f"{ground.gmail_url}/_sandbox/deliver", json=message) as answer:
        answer.raise_for_status()


async def _enrol(admin: asyncpg.Connection[Any], tenant_id: UUID, user_id: UUID, mailbox_id: UUID, count: int) -> None:
    """A sequence with a mail in an hour, and so many contacts in it."""
    await admin.execute("INSERT INTO sequence_settings (tenant_id) VALUES ($1) ON CONFLICT DO NOTHING", tenant_id)
    sequence_id = await admin.fetchval(
        "INSERT INTO sequences (tenant_id, name, state, schedule, stop_on, owner_id)"
        " VALUES ($1, 'Measured', 'active', $2, $3, $4) RETURNING id",
        tenant_id,
        json.dumps(SEQUENCE_RULES["schedule"]),
        json.dumps(SEQUENCE_RULES["stop_on"]),
        user_id,
    )
    step_id = await admin.fetchval(
        "INSERT INTO sequence_steps (tenant_id, sequence_id, position, kind, wait_minutes) VALUES ($1, $2, 1, 'email', 1440)"
        " RETURNING id",
        tenant_id,
        sequence_id,
    )
    await admin.execute(
        "INSERT INTO step_variants (tenant_id, step_id, label, subject, html) VALUES ($1, $2, 'A', 'Hello', '<p>Hello</p>')",
        tenant_id,
        step_id,
    )
    await admin.execute(
        """
        WITH people AS (
            INSERT INTO contacts (tenant_id, first_name, last_name)
            SELECT $1, 'Contact', n::text FROM generate_series(1, $5::int) AS n RETURNING id, last_name
        ), addresses AS (
            INSERT INTO contact_emails (tenant_id, contact_id, position, address)
            SELECT $1, id, 0,
                'c' || last_name || '-' || substr(id::text, 25) || '@customer' || (last_name::int % 997) || '.example'
            FROM people
        )
        INSERT INTO enrolments
            (tenant_id, sequence_id, contact_id, user_id, mailbox_id, step_id, base_at, due_at, domain_lc, zone)
        SELECT $1, $2, p.id, $3, $4, $6, now(), now(), 'customer' || (p.last_name::int % 997) || '.example',
            (ARRAY['America/New_York', 'Europe/Berlin', 'America/Los_Angeles', 'Asia/Tokyo'])[1 + p.last_name::int % 4]
        FROM people p
        """,
        tenant_id,
        sequence_id,
        user_id,
        mailbox_id,
        count,
        step_id,
    )


async def planned(app_url: str, admin_url: str, count: int) -> tuple[float, int]:
    """Seconds that the scheduler takes to find moments for so many enrolments, and how many it found."""
    admin = await asyncpg.connect(admin_url)
    db = await Database.open(app_url, max_size=4)
    tenant_id = await admin.fetchval("SELECT create_company('Planning')")
    rep = await admin.fetchval("SELECT create_member($1, 'rep@planning.test', 'Rep', '!', 'rep')", tenant_id)
    boxes = []
    for number in range(20):
        boxes.append(
            await admin.fetchval(
                "INSERT INTO mailboxes (tenant_id, user_id, kind, address, address_lc, state, visibility, per_hour, per_day,"
                " per_week, min_gap_s) VALUES ($1, $2, 'gmail', $3, $3, 'active', 'everyone', 500, 4000, 20000, 5) RETURNING id",
                tenant_id,
                rep,
                f"box{number}@planning.test",
            )
        )
    for box in boxes:
        await _enrol(admin, tenant_id, rep, box, count // len(boxes))
    await admin.execute("ANALYZE enrolments, contacts, contact_emails")
    began = time.monotonic()
    await plan_due(db, Clock(), count)
    took = time.monotonic() - began
    done = await admin.fetchval("SELECT count(*) FROM enrolments WHERE phase = 'act' AND tenant_id = $1", tenant_id)
    await db.close()
    await admin.close()
    return took, done


def _resident_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


async def measure(given: argparse.Namespace) -> int:
    """Run it all and print the table; the exit code says whether nothing was lost or sent twice, not whether it was fast."""
    facts: dict[str, Any] = {"at": datetime.now(UTC).isoformat()}
    fine = True
    say: Callable[[str], None] = print
    if not given.crashes_only:
        async with open_ground(mail=True) as ground:
            admin = await asyncpg.connect(ground.admin_url)
            async with ClientSession(timeout=ClientTimeout(total=120)) as session:
                figures = await pushes(ground, session, admin, given.answers)
                figure, came, sent = await many(ground, session, admin, given.seconds)
                took, grew, stored, bare = await first_sync(ground, session, admin, given.messages)
            await admin.close()
        for one in [*figures, figure]:
            say(one.line())
            facts[one.name] = {share: percentile(one.values_ms, share) for share in (0.5, 0.95, 1.0)}
        say(f"of {sent} messages to {MAILBOXES} mailboxes {came} came to the screen")
        say(
            f"first sync of {given.messages} messages: {took:.1f} s ({given.messages / took:.0f}/s), the worker grew by"
            f" {grew:.0f} MiB"
            f"  goal {FIRST_SYNC_GOAL_S:.0f} s: {'met' if took <= FIRST_SYNC_GOAL_S else 'MISSED'}"
        )
        say(
            f"the bare client fetches 1,000 messages in {bare:.1f} s, the product takes in 1,000 in"
            f" {took / given.messages * 1000:.1f} s: it keeps to Gmail's quota of 3,000 a minute"
        )
        facts |= {
            "first_sync_s": took,
            "first_sync_mib": grew,
            "first_sync_stored": stored,
            "bare_s": bare,
            "came": came,
            "sent": sent,
        }
        fine = came == sent
    with tempfile.TemporaryDirectory(prefix="ringside-bench-") as folder:
        Path(folder).chmod(0o755)
        with start_postgres(Path(folder) / "postgres") as postgres:
            await migrate(postgres.url_for("ringside_owner"), postgres.admin_url)
            app_url = postgres.url_for("ringside_app")
            if not given.crashes_only:
                took, done = await planned(app_url, postgres.admin_url, given.enrolments)
                verdict = "met" if took <= PLAN_GOAL_S else "MISSED"
                say(f"{done} of {given.enrolments} enrolments planned in {took:.1f} s  goal {PLAN_GOAL_S:.0f} s: {verdict}")
                facts |= {"planned": done, "planned_s": took}
                fine = fine and done == given.enrolments
            if given.crashes:
                fine = await crashes(app_url, postgres.admin_url, given, facts) and fine
    if given.json:
        Path(given.json).write_text(json.dumps(facts, indent=2) + "\n")
    return 0 if fine else 1


async def crashes(app_url: str, admin_url: str, given: argparse.Namespace, facts: dict[str, Any]) -> bool:
    """Have so many workers die, a few hundred over each sequence, and reckon up."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    # The last words of the dead.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL + 1)
    # What a dead worker had on its way has arrived when the next one is born: nobody has to wait for it.
    delivering.DOUBT_S = 0.0
    settings = replace(
        Settings.from_env({"DATABASE_URL": app_url, "REDIS_URL": "redis://127.0.0.1:9", "RINGSIDE_SECRET": "b" * 40})
    )
    deaths, sent, wrong, round_, began = 0, 0, list[str](), 0, time.monotonic()
    while deaths < given.crashes:
        round_ += 1
        async with carnage(app_url, admin_url, settings, contacts=60, answering=15) as ground:
            await ground.run(min(500, given.crashes - deaths), seed=given.seed + round_)
            reckoning = await ground.reckon()
        deaths, sent = deaths + reckoning.deaths, sent + reckoning.sent
        wrong += reckoning.faults
        print(f"  after {round_} sequences: {deaths} deaths, {len(wrong)} wrong", flush=True)
        await _forget(admin_url)
    took = timedelta(seconds=round(time.monotonic() - began))
    print(f"{deaths} workers died over {round_} sequences in {took}: {sent} mails, {len(wrong)} twice, forgotten or after a stop")
    for fault in wrong[:20]:
        print(f"  {fault}")
    facts |= {"deaths": deaths, "mails": sent, "faults": wrong}
    return not wrong


async def _forget(admin_url: str) -> None:
    """The next sequence begins in an empty company."""
    admin = await asyncpg.connect(admin_url)
    await admin.execute("TRUNCATE tenants CASCADE")
    await admin.close()


def options(parser: argparse.ArgumentParser) -> None:
    """--messages, --answers, --seconds, --enrolments, --crashes, --seed, --json"""
    parser.add_argument("--messages", type=int, default=10_000, help="in the mailbox that is taken in (default 10,000)")
    parser.add_argument("--answers", type=int, default=40, help="answers whose way is timed (default 40)")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long many mailboxes get mail (default 20)")
    parser.add_argument("--enrolments", type=int, default=100_000, help="to be planned (default 100,000)")
    parser.add_argument("--crashes", type=int, default=0, help="how many workers die, such as 10000 (default none)")
    parser.add_argument("--crashes-only", action="store_true", help="nothing but that")
    parser.add_argument("--seed", type=int, default=1, help="another seed is another carnage")
    parser.add_argument("--json", metavar="FILE", help="write what was measured there as well")
