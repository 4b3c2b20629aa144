"""A sequence that is carried out by workers that keep dying, and the reckoning at the end: nothing twice, nothing forgotten."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson

from benchmarks.mortality import Counted, Life, MortalDatabase, MortalMailboxes
from hub.clock import Clock
from hub.config import GoogleSettings, Settings
from hub.db import Database
from hub.mail import delivering
from hub.providers import google_client
from hub.sealing import Seals
from hub.sequences.scheduling import tick
from integrations.mailboxes import open_mail
from integrations.sandbox.gmail import GmailSandbox, GmailSettings, SandboxClock
from workers.job import Deps
from workers.ledger import Ledger
from workers.runner import Runner
from workers.settings import JOBS

# Three mails and a task. The second mail goes on in the first one's thread.
STEPS = ("email", "email", "task", "email")
SUBJECTS = ("First {{ contact.first_name }}", "", "", "Last {{ contact.first_name }}")
# A Monday morning, in everybody's zone.
BEGINS = datetime(2031, 3, 3, 9, 0, tzinfo=UTC)
_AT_ONCE = 4
# How many steps a mortal worker lives at the most.
_LONGEST: dict[Counted, int] = {"all": 90, "commits": 12, "requests": 6}
SEQUENCE_RULES = {
    "schedule": {
        "days": {str(day): [0, 1440] for day in range(1, 8)},
        "holidays": "",
        "zone": "UTC",
        "fallback": "UTC",
    },
    "stop_on": {
        "reply": True,
        "bounce": True,
        "unsubscribe": True,
        "meeting": True,
        "colleague_contact": False,
        "stage": [],
    },
}


@dataclass(frozen=True, slots=True)
class HandClock(Clock):
    """A clock that shows what it is told."""

    moments: list[datetime] = field(default_factory=lambda: [BEGINS])

    def now(self) -> datetime:
        """The last moment it was told."""
        return self.moments[-1]


@dataclass
class Carnage:
    """A company with one sequence, everybody enrolled, and a provider; workers are born and die."""

    admin: asyncpg.Connection[Any]
    db: Database
    deps: Deps
    sandbox: GmailSandbox
    clock: HandClock
    tenant_id: UUID
    mailbox_ids: list[UUID]
    addresses: dict[UUID, str]
    lives: int = 0
    deaths: Counter[str] = field(default_factory=Counter)

    async def live(self, steps: int | None, counted: Counted = "all", *, heals: bool = True) -> Life:
        """One worker's life: it works until nothing is left to be done, or until it dies. Then everything `heals`."""
        self.lives += 1
        life = Life(steps, counted)
        db = MortalDatabase(self.db.pool, life)
        assert self.deps.mailboxes is not None
        deps = replace(self.deps, db=db, mailboxes=MortalMailboxes(self.deps.mailboxes, life), clock=self.clock)
        ledger = Ledger(db, f"worker {self.lives}", {})
        runner = Runner(ledger, JOBS, deps, max_jobs=_AT_ONCE)
        working = asyncio.create_task(self._work(db, ledger, runner))
        dying = asyncio.create_task(life.over.wait())
        await asyncio.wait({working, dying}, return_when=asyncio.FIRST_COMPLETED)
        died = life.over.is_set()
        life.over.set()
        working.cancel()
        dying.cancel()
        (ended, _) = await asyncio.gather(working, dying, return_exceptions=True)
        await runner.drain(0)
        await life.settle()
        if died:
            self.deaths[life.where] += 1
            if heals:
                await self.heal()
        elif isinstance(ended, BaseException):
            raise ended
        return life

    async def _work(self, db: Database, ledger: Ledger, runner: Runner) -> None:
        while True:
            done = await tick(db, self.clock, 1000)
            done += await delivering.send_due(db, self.clock.now())
            done += await delivering.resume_unsettled(db)
            due = await ledger.due(overdue_s=-0.001, limit=200)
            for job in due:
                while not runner.room.free:
                    await runner.freed(1.0)
                runner.start(job.tenant_id, [job.id], "sweep")
            while runner.running:  # noqa: ASYNC110 - the runner tells nobody
                await asyncio.sleep(0.001)
            if not done and not due:
                return

    async def heal(self) -> None:
        """Let the time pass after which a dead worker's work is somebody else's."""
        await let_time_pass(self.admin)

    async def sync(self) -> None:
        """Ask for what has come in."""
        await self.admin.execute(
            """
            INSERT INTO jobs (tenant_id, kind, args, max_attempts)
            SELECT b.tenant_id, 'mailboxes.sync', jsonb_build_object('mailbox_id', b.id), 20 FROM mailboxes b
            WHERE b.tenant_id = $1 AND NOT EXISTS (
                SELECT FROM jobs j WHERE j.kind = 'mailboxes.sync' AND j.state IN ('ready', 'running')
                  AND j.args ->> 'mailbox_id' = b.id::text)
            """,
            self.tenant_id,
        )

    async def go_on(self) -> bool:
        """Set the clock to when something is to be done next, if nothing is to be done now; False when all is done."""
        due = await self.admin.fetchval("SELECT min(due_at) FROM enrolments WHERE state = 'active'")
        if due is not None and due > self.clock.now():
            self.clock.moments.append(due + timedelta(milliseconds=1))
        return due is not None

    async def run(self, kills: int, *, seed: int = 1) -> None:
        """Carry the sequence out with so many deaths, and then in peace."""
        dice = random.Random(seed)  # noqa: S311 - which worker dies where
        while sum(self.deaths.values()) < kills and await self.go_on():
            if dice.random() < 0.2:
                await self.sync()
            if dice.random() < 0.1:
                self.sandbox.fail("messages.send", dice.choice(["lost", "500", "drop", "429"]))
            counted = dice.choice(tuple(_LONGEST))
            await self.live(dice.randint(1, _LONGEST[counted]), counted)
        self.sandbox.faults.clear()
        await self.in_peace()

    async def in_peace(self) -> None:
        """Let workers that do not die do what is left."""
        for _ in range(1000):
            await self.heal()
            await self.live(None)
            # Whoever has answered is heard before anybody goes on.
            await self.sync()
            await self.live(None)
            if not await self.go_on():
                return
        raise AssertionError("it does not come to an end")

    async def reckon(self) -> Reckoning:
        """What went out, held against what should have."""
        sent = Counter((letter.head.to[0].lower(), letter.head.subject) for letter in self.sandbox.sent)
        rows = await self.admin.fetch(
            """
            SELECT r.id, r.state, r.send_id, s.position, s.kind, e.contact_id, e.state AS enrolment,
                m.state AS send_state, m.message_id, e.state = 'stopped' AND m.asked_at > e.changed_at AS is_late,
                (SELECT count(*) FROM tasks t WHERE t.tenant_id = r.tenant_id AND t.contact_id = e.contact_id) AS tasks
            FROM enrolments e
            JOIN sequence_steps s ON s.tenant_id = e.tenant_id AND s.sequence_id = e.sequence_id
            LEFT JOIN step_runs r ON r.tenant_id = e.tenant_id AND r.enrolment_id = e.id AND r.step_id = s.id
            LEFT JOIN mail_sends m ON m.tenant_id = r.tenant_id AND m.id = r.send_id
            """
        )
        gone_out = Counter(letter.original_id or letter.message_id for letter in self.sandbox.sent)
        forgotten = [
            f"{self.addresses[row['contact_id']]} step {row['position']}: {row['enrolment']} {row['state']} {row['send_state']}"
            for row in rows
            if row["enrolment"] not in ("stopped", "finished")
            or (row["enrolment"] == "finished" and row["state"] != "done")
            or (row["enrolment"] == "finished" and row["kind"] == "email" and gone_out[row["message_id"]] != 1)
        ]
        late = [f"{self.addresses[row['contact_id']]} step {row['position']}" for row in rows if row["is_late"]]
        tasks = {row["contact_id"]: row["tasks"] for row in rows}
        twice = [f"{to}: {subject!r} {count} times" for (to, subject), count in sent.items() if count > 1]
        twice += [f"{self.addresses[one]}: {count} tasks" for one, count in tasks.items() if count > 1]
        states = Counter(row["enrolment"] for row in rows if row["position"] == 1)
        return Reckoning(sum(self.deaths.values()), len(self.sandbox.sent), dict(states), twice, forgotten, late)


@dataclass(frozen=True, slots=True)
class Reckoning:
    """How it came out: `twice`, `forgotten` and `late` (begun after the stop) say what should not be, in words."""

    deaths: int
    sent: int
    states: dict[str, int]
    twice: list[str]
    forgotten: list[str]
    late: list[str]

    @property
    def faults(self) -> list[str]:
        """Everything that should not be."""
        return [*self.twice, *self.forgotten, *self.late]


async def let_time_pass(admin: asyncpg.Connection[Any]) -> None:
    """As if the time had passed after which a dead worker's work is somebody else's: leases, pauses, second looks."""
    await admin.execute(
        """
        UPDATE jobs SET lease_until = now() - interval '1 ms' WHERE state = 'running';
        UPDATE jobs SET run_at = now() WHERE state = 'ready' AND run_at > now();
        UPDATE mailbox_leases SET until = now() - interval '1 ms' WHERE until > now();
        UPDATE mailboxes SET queued_at = NULL;
        UPDATE mail_sends s SET look_at = now() WHERE s.state IN ('queued', 'sending') AND NOT EXISTS (
            SELECT FROM jobs j WHERE j.kind = 'mail.send' AND j.state IN ('ready', 'running')
              AND j.args ->> 'send_id' = s.id::text);
        UPDATE step_runs SET look_at = now() WHERE state = 'intended';
        """
    )


@asynccontextmanager
async def carnage(
    app_url: str, admin_url: str, settings: Settings, *, contacts: int, answering: int = 0, tenant_id: UUID | None = None
) -> AsyncIterator[Carnage]:
    """A company with so many contacts in a sequence, `answering` of whom answer the first mail."""
    admin = await asyncpg.connect(admin_url)
    db = await Database.open(app_url, min_size=_AT_ONCE, max_size=_AT_ONCE + 4)
    try:
        # Whoever answers does so at once.
        async with GmailSandbox(GmailSettings(clock=SandboxClock(speed=1e9))) as sandbox:
            google = GoogleSettings(
                sandbox.settings.client_id, sandbox.settings.client_secret, api_url=sandbox.url, oauth_url=sandbox.url
            )
            settings = replace(settings, google=google)
            seals = Seals(settings)
            async with open_mail(google_client(settings), None) as parts:
                clock = HandClock()
                deps = Deps(db, settings, mailboxes=parts.mailboxes, seals=seals, clock=clock)
                tenant = tenant_id or await db_company(db)
                mailbox_ids, addresses = await _furnish(admin, seals, sandbox, tenant, contacts, answering)
                yield Carnage(admin, db, deps, sandbox, clock, tenant, mailbox_ids, addresses)
    finally:
        await db.close()
        await admin.close()


async def db_company(db: Database) -> UUID:
    """A company with one rep."""
    async with db.acquire() as conn:
        tenant_id: UUID = await conn.fetchval("SELECT create_company('Carnage')")
        await conn.fetchval("SELECT create_member($1, 'rep@carnage.test', 'Rep', '!', 'rep')", tenant_id)
    return tenant_id


async def _furnish(
    admin: asyncpg.Connection[Any], seals: Seals, sandbox: GmailSandbox, tenant_id: UUID, contacts: int, answering: int
) -> tuple[list[UUID], dict[UUID, str]]:
    rep = await admin.fetchval("SELECT user_id FROM members WHERE tenant_id = $1 ORDER BY role DESC LIMIT 1", tenant_id)
    with suppress(asyncpg.UniqueViolationError):
        await admin.execute("INSERT INTO sequence_settings (tenant_id) VALUES ($1)", tenant_id)
        await admin.execute("INSERT INTO permit_settings (tenant_id, practice) VALUES ($1, true)", tenant_id)
    # Gmail lets a mailbox send two or three a second.
    mailbox_ids = [await connect_mailbox(admin, seals, sandbox, tenant_id, rep) for _ in range(max(1, min(8, contacts // 3)))]
    sequence_id, first = await _sequence(admin, tenant_id, rep)
    addresses: dict[UUID, str] = {}
    for number in range(contacts):
        contact_id = await admin.fetchval(
            "INSERT INTO contacts (tenant_id, first_name, last_name) VALUES ($1, $2, 'Customer') RETURNING id",
            tenant_id,
            f"Number {number}",
        )
        addresses[contact_id] = f"{'reply' if number < answering else 'silent'}-{number}@customer{number % 7}.test"
    await admin.executemany(
        "INSERT INTO contact_emails (tenant_id, contact_id, position, address) VALUES ($1, $2, 0, $3)",
        [(tenant_id, contact_id, to) for contact_id, to in addresses.items()],
    )
    await admin.executemany(
        "INSERT INTO enrolments"
        " (tenant_id, sequence_id, contact_id, user_id, mailbox_id, step_id, base_at, due_at, domain_lc, zone)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, 'UTC')",
        [
            (tenant_id, sequence_id, one, rep, mailbox_ids[place % len(mailbox_ids)], first, BEGINS, to.rpartition("@")[2])
            for place, (one, to) in enumerate(addresses.items())
        ],
    )
    return mailbox_ids, addresses


async def connect_mailbox(
    admin: asyncpg.Connection[Any], seals: Seals, sandbox: GmailSandbox, tenant_id: UUID, rep: UUID
) -> UUID:
    """A mailbox at the sandbox, as if its owner had connected it; its id."""
    mailbox_id = uuid4()
    address = f"rep-{mailbox_id.hex[:8]}@carnage.test"
    sealed = seals.seal(sandbox.add_mailbox(address), tenant_id=tenant_id, kind="mailbox", row_id=mailbox_id)
    cursor = str(sandbox.mailboxes[address].history_id)
    await admin.execute(
        """INSERT INTO mailboxes (tenant_id, id, user_id, kind, address, address_lc, display_name, state, visibility, sealed,
            cursor, first_sync, connected_at, next_poll_at, next_measure_at, per_hour, per_day, per_week, min_gap_s)
        VALUES ($1, $2, $3, 'gmail', $4, $4, 'Rep', 'active', 'everyone', $5, $6, '{"state": "done", "done": 0, "total": 0}',
            now(), now() + interval '1 day', now() + interval '1 day', 10000, 100000, 500000, 0)""",
        tenant_id,
        mailbox_id,
        rep,
        address,
        sealed,
        cursor,
    )
    return mailbox_id


async def _sequence(admin: asyncpg.Connection[Any], tenant_id: UUID, rep: UUID) -> tuple[UUID, UUID]:
    """The sequence, and its first step."""
    sequence_id: UUID = await admin.fetchval(
        "INSERT INTO sequences (tenant_id, name, state, schedule, stop_on, owner_id) VALUES ($1, 'Carnage', 'active', $2, $3, $4)"
        " RETURNING id",
        tenant_id,
        orjson.dumps(SEQUENCE_RULES["schedule"]).decode(),
        orjson.dumps(SEQUENCE_RULES["stop_on"]).decode(),
        rep,
    )
    made: list[UUID] = []
    for place, (kind, subject) in enumerate(zip(STEPS, SUBJECTS, strict=True), start=1):
        step_id = await admin.fetchval(
            "INSERT INTO sequence_steps (tenant_id, sequence_id, position, kind, wait_minutes, thread, note)"
            " VALUES ($1, $2, $3, $4, 60, $5, 'Look them up') RETURNING id",
            tenant_id,
            sequence_id,
            place,
            kind,
            "new" if subject or kind != "email" else "reply",
        )
        made.append(step_id)
        if kind == "email":
            await admin.execute(
                "INSERT INTO step_variants (tenant_id, step_id, label, subject, html)"
                " VALUES ($1, $2, 'A', $3, '<p>Good morning {{ contact.first_name }}</p>')",
                tenant_id,
                step_id,
                subject,
            )
    return sequence_id, made[0]
