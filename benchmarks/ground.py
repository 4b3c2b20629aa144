"""A whole Ringside to measure: servers of its own in a folder that goes away, each part a process as in production."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from uuid import UUID, uuid4

import asyncpg
from aiohttp import ClientError, ClientSession

from benchmarks.children import end, on_leash
from hub.auth.tokens import Tokens
from hub.config import Settings
from hub.db import Database, tenant_tx
from hub.embedded import PostgresServer, start_postgres, start_valkey
from hub.listening import free_port
from hub.migrate import migrate
from hub.permits.actions import begin_in_practice
from hub.who import Role, Who

ROOT = Path(__file__).resolve().parent.parent
FROM_NUMBER = "+14155550100"
# How fast it starts is not what is measured, and other things may run beside.
READY_S = 120.0


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of the measured company, with a token of their own."""

    user_id: UUID
    role: Role
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ground:
    """What is running, and how to reach it."""

    settings: Settings
    db: Database
    sandbox_url: str
    url: str
    # With mail: Gmail's sandbox, how the owner of the database gets in, and the workers' processes.
    gmail_url: str = ""
    admin_url: str = ""
    worker_pids: tuple[int, ...] = ()
    # For those who put processes on cores of their own, or watch their memory.
    hub_pid: int = 0
    postgres_pid: int = 0

    async def company(self, name: str, *, reps: int) -> tuple[UUID, Member, list[Member]]:
        """A company with a manager and so many reps: its id, the manager, the reps."""
        async with self.db.acquire() as conn:
            tenant_id: UUID = await conn.fetchval("SELECT create_company($1)", name)
            people: list[Member] = []
            for number, role in enumerate(["manager", *["rep"] * reps]):
                address = f"{role}{number}@{tenant_id.hex}.test"
                user_id = await conn.fetchval(
                    "SELECT create_member($1, $2, $3, $4, $5)", tenant_id, address, f"{role.title()} {number}", "!", role
                )
                people.append(self.member(tenant_id, user_id, role))  # type: ignore[arg-type]
        # Whatever the time of day where this runs: the sandbox's numbers belong to nobody.
        async with tenant_tx(self.db, Who.system(tenant_id)) as tx:
            await begin_in_practice(tx)
        return tenant_id, people[0], people[1:]

    def member(self, tenant_id: UUID, user_id: UUID, role: Role) -> Member:
        """A member that exists, with a token that nobody signed in for."""
        tokens = Tokens(self.settings.key("access-token"))
        token = tokens.issue(user_id=user_id, tenant_id=tenant_id, role=role, session_id=uuid4(), name=role.title())
        return Member(user_id, role, token)


@asynccontextmanager
async def open_ground(
    *,
    workers: int = 1,
    sandbox_speed: float = 100.0,
    worker_jobs: int = 20,
    mail: bool = False,
    extra_env: Mapping[str, str] = MappingProxyType({}),
    log_path: Path | None = None,
    work: Sequence[str] = ("hub.cli", "worker"),
) -> AsyncIterator[Ground]:
    """Start Postgres, Valkey, the telephone sandbox (with `mail` Gmail's, too), one hub and the workers; stop them and forget
    the data at the end. `extra_env` goes over the settings; `log_path` takes what hub and workers log (else the terminal); `work`
    is the workers' module and its arguments."""
    # As root the embedded servers run as another account, which must get through.
    folder = Path(tempfile.mkdtemp(prefix="ringside-bench-"))
    folder.chmod(0o755)
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        postgres = stack.enter_context(start_postgres(folder / "postgres"))
        valkey = stack.enter_context(start_valkey(folder / "valkey"))
        await _migrated(postgres)
        account = {"TWILIO_ACCOUNT_SID": "AC" + secrets.token_hex(16), "TWILIO_AUTH_TOKEN": secrets.token_hex(16)}
        port, sandbox_port = free_port(), free_port()
        env = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("RINGSIDE_", "TWILIO_", "GOOGLE_", "DATABASE_"))},
            **account,
            "DATABASE_URL": postgres.url_for("ringside_app"),
            "REDIS_URL": valkey.url,
            "RINGSIDE_SECRET": secrets.token_hex(24),
            "RINGSIDE_PORT": str(port),
            "RINGSIDE_LOG": "json",
            "RINGSIDE_LOG_LEVEL": "warning",
            # One client asks here for as much as a whole company would.
            "RINGSIDE_LIMITS": "off",
            "RINGSIDE_WORKER_JOBS": str(worker_jobs),
            "RINGSIDE_OBJECTS": str(folder / "objects"),
            "TWILIO_API_URL": f"http://127.0.0.1:{sandbox_port}",
            "TWILIO_FROM": FROM_NUMBER,
            "TWILIO_CALLS_PER_SECOND": "1000",
            "PYTHONPATH": str(ROOT),
        }
        limits = ["--speed", str(sandbox_speed), "--calls-per-second", "1000"]
        telephone = ["-m", "integrations.sandbox.twilio", "--port", str(sandbox_port), *limits]
        if mail:
            gmail_port, pushed_to = free_port(), f"http://127.0.0.1:{port}/webhooks/google/push"
            env |= _google(f"http://127.0.0.1:{gmail_port}", pushed_to)
            gmail = ["-m", "integrations.sandbox.gmail", "--port", str(gmail_port), "--people", "silent", "--push-url", pushed_to]
            await stack.enter_async_context(_process(gmail, env))
        env |= extra_env
        await stack.enter_async_context(_process(telephone, env))
        hub_pid = await stack.enter_async_context(_process(["-m", "hub.cli", "serve"], env, log_path))
        pids = [await stack.enter_async_context(_process(["-m", *work], env, log_path)) for _ in range(workers)]
        settings = Settings.from_env(env)
        db = await Database.open(settings.database_url, max_size=4, name="ringside bench")
        stack.push_async_callback(db.close)
        await _ready(f"{settings.public_url}/readyz")
        yield Ground(
            settings,
            db,
            env["TWILIO_API_URL"],
            settings.public_url,
            env.get("GOOGLE_API_URL", ""),
            postgres.admin_url,
            tuple(pids),
            hub_pid,
            postgres.pid,
        )


def _google(url: str, pushed_to: str) -> dict[str, str]:
    """The environment of an installation whose Gmail is the sandbox."""
    return {
        "GOOGLE_CLIENT_ID": "ringside-demo.apps.googleusercontent.com",
        "GOOGLE_CLIENT_SECRET": "GOCSPX-sandbox",
        "GOOGLE_API_URL": url,
        "GOOGLE_OAUTH_URL": url,
        "GOOGLE_PUSH_TOPIC": "projects/ringside-demo/topics/mail",
        "GOOGLE_PUSH_ACCOUNT": "mail-push@ringside-demo.iam.gserviceaccount.com",
        "GOOGLE_PUSH_AUDIENCE": pushed_to,
    }


async def _migrated(postgres: PostgresServer) -> None:
    await migrate(postgres.url_for("ringside_owner"), postgres.admin_url)
    conn = await asyncpg.connect(postgres.admin_url)
    await conn.execute("ANALYZE")
    await conn.close()


@asynccontextmanager
async def _process(arguments: list[str], env: dict[str, str], log_path: Path | None = None) -> AsyncIterator[int]:
    with contextlib.ExitStack() as opened:
        log = opened.enter_context(log_path.open("ab")) if log_path else None
        process = await asyncio.create_subprocess_exec(
            *on_leash([sys.executable, *arguments]),
            cwd=ROOT,
            env=env,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process.pid
    finally:
        await end(process)


async def _ready(url: str) -> None:
    deadline = time.monotonic() + READY_S
    async with ClientSession() as session:
        while time.monotonic() < deadline:
            with contextlib.suppress(ClientError):
                async with session.get(url) as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(0.05)
    raise RuntimeError(f"the hub was not ready within {READY_S:.0f} s")
