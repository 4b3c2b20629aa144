"""`ringside doctor`: looks at the whole set-up and says in words what is wrong and what to do about it."""

import asyncio
import contextlib
import importlib.metadata
import re
import ssl
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import aiohttp
import asyncpg
import redis.asyncio
import redis.exceptions
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hub.config import Settings
from hub.environment import SettingsError
from hub.listening import url_host
from hub.migrate import MigrationError, pending_versions
from hub.redis import Nodes, is_cluster, new_client
from hub.sqlfiles import SQL_DIR

State = Literal["ok", "warning", "wrong"]
PATIENCE_S = 5.0
CLOCK_TOLERANCE_S = 1.0
LATE_JOB_S = 60.0
WORKER_KEYS = "{ringside}:worker:"
# below these a published weakness is open
SAFE_VERSIONS = {"aiohttp": (3, 14, 3), "python-socketio": (5, 16, 2), "PyJWT": (2, 15)}
SHOWN_VERSIONS = ("asyncpg", "redis", "arq", "pydantic", "uvloop", "twilio")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``advice`` is what to do when it isn't ok."""

    name: str
    state: State
    text: str
    advice: str = ""


Check = Callable[[Settings], AsyncIterator[Finding]]


async def examine(env: Mapping[str, str], why_incomplete: str = "") -> list[Finding]:
    """Look at everything that can be looked at with these settings (``why_incomplete`` says why some are missing)."""
    findings = [check_python(), *check_libraries()]
    try:
        settings = Settings.from_env(env)
    except SettingsError as problem:
        return [*findings, Finding("settings", "wrong", why_incomplete or str(problem))]
    findings.append(Finding("settings", "ok", f"complete; the hub is to be at {settings.public_url}"))
    findings += [check_provider(settings), check_google(settings), check_stripe(settings), check_seals(settings)]
    checks: tuple[Check, ...] = (check_database, check_redis, check_hub)
    for group in await asyncio.gather(*(collect(check, settings) for check in checks)):
        findings += group
    return findings


async def collect(check: Check, settings: Settings) -> list[Finding]:
    """All findings of one check; a check that itself breaks is a finding too."""
    findings: list[Finding] = []
    try:
        async for finding in check(settings):
            findings.append(finding)
    except Exception as problem:  # a doctor who faints helps nobody
        name = check.__name__.removeprefix("check_")
        findings.append(Finding(name, "wrong", f"the check failed: {type(problem).__name__}: {problem}"))
    return findings


def check_python() -> Finding:
    """Which Python this is (the launcher refuses what is too old)."""
    return Finding("python", "ok", f"Python {'.'.join(map(str, sys.version_info[:3]))} at {sys.executable}")


def check_libraries() -> list[Finding]:
    """The libraries are there and past their known holes."""
    findings = []
    for name, floor in SAFE_VERSIONS.items():
        version = _installed(name)
        if _numbers(version) < floor:
            text = f"{name} {version} is older than {'.'.join(map(str, floor))}, which closed a hole"
            findings.append(Finding(name, "wrong", text, "Install what requirements/base.lock names."))
    shown = ", ".join(f"{name} {_installed(name)}" for name in (*SAFE_VERSIONS, *SHOWN_VERSIONS))
    return findings or [Finding("libraries", "ok", shown)]


def check_provider(settings: Settings) -> Finding:
    """Which Twilio calls go through."""
    if settings.twilio is None:
        advice = "Set TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and TWILIO_FROM to place calls."
        return Finding("twilio", "warning", "no account", advice)
    where = f"the sandbox at {settings.twilio.api_url}" if settings.twilio.api_url else "the real one"
    return Finding("twilio", "ok", f"{where}, from {settings.twilio.from_number}")


def check_google(settings: Settings) -> Finding:
    """Whose mailboxes can be connected, and whether Google says when mail has come."""
    google = settings.google
    if google is None:
        advice = "Set GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET to connect Gmail; other mailboxes need nothing here."
        return Finding("gmail", "warning", "no OAuth client", advice)
    where = f"the sandbox at {google.api_url}" if google.api_url else "the real one"
    back = f"back to {settings.public_url}/oauth/google"
    if not google.topic:
        advice = "Set GOOGLE_PUSH_TOPIC, GOOGLE_PUSH_ACCOUNT and GOOGLE_PUSH_AUDIENCE to hear of mail at once."
        return Finding("gmail", "warning", f"{where}, {back}; mailboxes are asked every few seconds", advice)
    if not google.api_url and not settings.public_url.startswith("https://"):
        advice = "Google sends people and pushes to https:// addresses only: set RINGSIDE_PUBLIC_URL."
        return Finding("gmail", "wrong", f"{where}, but this hub is at {settings.public_url}", advice)
    return Finding("gmail", "ok", f"{where}, {back}; pushes through {google.topic}")


def check_stripe(settings: Settings) -> Finding:
    """Who collects the money, if companies pay at all."""
    stripe = settings.stripe
    if stripe is None:
        return Finding("stripe", "ok", "not set up: companies pay nothing, and no plan limits them")
    where = f"the sandbox at {stripe.api_url}" if stripe.api_url else "the real one"
    hook = f"{settings.public_url}/webhooks/stripe"
    if not stripe.api_url and not settings.public_url.startswith("https://"):
        advice = "Stripe sends webhooks to https:// addresses only: set RINGSIDE_PUBLIC_URL."
        return Finding("stripe", "wrong", f"{where}, but its webhooks should come to {hook}", advice)
    secrets = "two secrets, as while one is rotated" if len(stripe.webhook_secrets) > 1 else "one secret"
    return Finding("stripe", "ok", f"{where}; webhooks to {hook}, {secrets}")


def check_seals(settings: Settings) -> Finding:
    """With what the mailboxes' credentials are sealed."""
    if not settings.seal_keys:
        advice = "Set RINGSIDE_SEAL_KEYS before RINGSIDE_SECRET is ever changed, or every mailbox must be connected again."
        return Finding("seals", "ok", "credentials are sealed with RINGSIDE_SECRET", advice)
    first, *older = settings.seal_keys
    return Finding(
        "seals", "ok", f"credentials are sealed with the key {first}" + (f", opened with {', '.join(older)}" * bool(older))
    )


async def check_database(settings: Settings) -> AsyncIterator[Finding]:
    """Postgres answers, is of a release we know, keeps companies apart, is up to date, and tells the same time."""
    try:
        connection = await asyncpg.connect(settings.database_url, timeout=PATIENCE_S, statement_cache_size=0)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as problem:
        yield Finding("postgres", "wrong", f"can't connect: {problem}", "Is it running, and is DATABASE_URL right?")
        return
    try:
        number = int(await connection.fetchval("SHOW server_version_num")) // 10_000
        known = number in range(15, 19)
        advice = "" if known else "Ringside is tested with Postgres 15 to 18."
        yield Finding(
            "postgres", "ok" if known else "warning", f"Postgres {await connection.fetchval('SHOW server_version')}", advice
        )
        yield await _role(connection)
        yield await _clock(connection)
        yield await _migrations(settings)
        if (SQL_DIR / "lint.sql").is_file():
            yield await _lint(connection)
        yield await _jobs(connection)
    finally:
        await connection.close(timeout=PATIENCE_S)


async def _role(connection: "asyncpg.Connection[Any]") -> Finding:
    row = await connection.fetchrow(
        "SELECT rolname AS name, rolsuper AS super, rolbypassrls AS bypass,"
        " (SELECT count(*) FROM pg_class WHERE relowner = r.oid) + (SELECT count(*) FROM pg_proc WHERE proowner = r.oid) AS owned"
        " FROM pg_roles r WHERE rolname = current_user"
    )
    if row is None:
        return Finding("role", "wrong", "the current role is not in pg_roles")
    faults = [
        text
        for is_so, text in (
            (row["super"], "is a superuser"),
            (row["bypass"], "bypasses row-level security"),
            (row["owned"], f"owns {row['owned']} tables or functions"),
        )
        if is_so
    ]
    if faults:
        text = f"{row['name']} {' and '.join(faults)}: companies are not kept apart"
        return Finding("role", "wrong", text, "Let DATABASE_URL connect as ringside_app, which `ringside migrate` makes.")
    return Finding("role", "ok", f"{row['name']} owns nothing and bypasses nothing")


async def _clock(connection: "asyncpg.Connection[Any]") -> Finding:
    before = time.time()
    theirs = (await connection.fetchval("SELECT clock_timestamp()")).timestamp()
    after = time.time()
    # A slow answer tells nothing of the clocks: only what lies outside of the time it took is a difference for certain.
    difference = min(theirs - before, 0.0) + max(theirs - after, 0.0)
    if abs(difference) > CLOCK_TOLERANCE_S:
        text = f"the database's clock is {abs(difference):.1f} s {'ahead' if difference > 0 else 'behind'}"
        return Finding("clock", "warning", text, "Run NTP (chrony, systemd-timesyncd) on both machines.")
    most = max(abs(theirs - before), abs(theirs - after))
    return Finding("clock", "ok", f"at most {most * 1000:.0f} ms from the database's")


async def _migrations(settings: Settings) -> Finding:
    try:
        missing = await pending_versions(settings.database_url)
    except MigrationError as problem:
        return Finding("migrations", "wrong", str(problem))
    except asyncpg.PostgresError as problem:
        return Finding("migrations", "wrong", f"can't be read: {problem}", "Run `ringside migrate` with DATABASE_OWNER_URL.")
    if missing:
        return Finding("migrations", "wrong", f"to be applied: {', '.join(missing)}", "Run `ringside migrate`.")
    return Finding("migrations", "ok", "the database is up to date")


async def _lint(connection: "asyncpg.Connection[Any]") -> Finding:
    faults = await connection.fetch((SQL_DIR / "lint.sql").read_text(encoding="utf-8"))
    if faults:
        first = "; ".join(" ".join(str(part) for part in row.values()) for row in faults[:5])
        return Finding(
            "isolation", "wrong", f"{len(faults)} breaches of the rules: {first}", "Somebody changed the schema by hand."
        )
    return Finding("isolation", "ok", "every table, view, function and grant follows the rules")


async def _jobs(connection: "asyncpg.Connection[Any]") -> Finding:
    try:
        census = await connection.fetch("SELECT state, jobs, oldest_s FROM jobs_census()")
    except asyncpg.PostgresError as problem:
        return Finding("jobs", "wrong", f"the jobs can't be counted: {problem}", "Run `ringside migrate`.")
    count = {row["state"]: row["jobs"] for row in census}
    late = max((row["oldest_s"] for row in census if row["state"] == "ready"), default=0.0)
    if late > LATE_JOB_S:
        text = f"{count['ready']} jobs wait, the oldest for {late:.0f} s"
        return Finding("jobs", "warning", text, "Start a worker (`ringside worker`), or another one.")
    if count.get("dead"):
        text = f"{count['dead']} jobs have failed for good"
        return Finding("jobs", "warning", text, "Administrators see why, and can retry or drop them, under Jobs in the console.")
    return Finding("jobs", "ok", "none waits longer than it should")


async def check_redis(settings: Settings) -> AsyncIterator[Finding]:
    """Redis answers, keeps what it is told, and throws nothing away."""
    client = new_client(settings.redis_url, connect_s=PATIENCE_S, answer_s=PATIENCE_S)
    async with contextlib.aclosing(client):
        try:
            if is_cluster(settings.redis_url):
                finding, infos = await _cluster(settings.redis_url)
                yield finding
            else:
                infos = [await client.info()]
        except (OSError, redis.exceptions.RedisError) as problem:
            yield Finding(
                "redis", "wrong", f"can't connect: {problem}", "Is it running, and is REDIS_URL right? Without it all is slower."
            )
            return
        name = "Valkey" if "valkey_version" in infos[0] else "Redis"
        yield Finding("redis", "ok", f"{name} {infos[0].get('valkey_version') or infos[0]['redis_version']}")
        if all(info.get("aof_enabled") for info in infos):
            yield Finding("persistence", "ok", "append-only file is on")
        else:
            yield Finding(
                "persistence", "warning", "append-only file is off: a restart forgets queued hints", "Set `appendonly yes`."
            )
        policies = sorted({str(info.get("maxmemory_policy", "unknown")) for info in infos})
        if policies == ["noeviction"]:
            yield Finding("eviction", "ok", "noeviction")
        else:
            text = f"maxmemory-policy is {', '.join(policies)}"
            yield Finding("eviction", "wrong", text, "Set `maxmemory-policy noeviction`: a job must not vanish.")
        yield await _workers(client)


async def _cluster(url: str) -> tuple[Finding, list[Mapping[str, Any]]]:
    """Is there somebody for every slot; and what each master says of itself."""
    async with contextlib.aclosing(Nodes(url)) as nodes:
        await nodes.look()
        infos: list[Mapping[str, Any]] = [await nodes.client(node).info() for node in sorted(nodes.masters)]
        if nodes.complete:
            return Finding("cluster", "ok", f"{len(infos)} masters serve all slots"), infos
        return Finding("cluster", "wrong", "nobody serves some slots", "Start the lost node, or fail over to its replica."), infos


async def _workers(client: "redis.asyncio.Redis") -> Finding:
    """Each worker renews its own key every few seconds."""
    seen = [key async for key in client.scan_iter(match=f"{WORKER_KEYS}*", count=500)]
    names = sorted(key.decode().removeprefix(WORKER_KEYS) for key in seen)
    if not names:
        return Finding(
            "worker", "warning", "none is alive: calls are not placed, imports not read", "Start one: `ringside worker`."
        )
    return Finding("worker", "ok", f"{len(names)} alive: {', '.join(names)}")


async def check_hub(settings: Settings) -> AsyncIterator[Finding]:
    """The hub answers, and its websocket opens, at its own address and through the proxy in front of it."""
    own = f"http://{url_host(settings.host)}:{settings.port}"
    patience = aiohttp.ClientTimeout(total=PATIENCE_S)
    async with aiohttp.ClientSession(timeout=patience) as session:
        yield await _ready(session, own)
        for url in dict.fromkeys((own, settings.public_url)):
            name = "websocket" if url == own else "proxy"
            yield await _websocket(session, name, url)


async def _ready(session: aiohttp.ClientSession, url: str) -> Finding:
    try:
        async with session.get(f"{url}/readyz") as answer:
            text = (await answer.text())[:300].strip()
            if answer.status == 200:
                return Finding("hub", "ok", f"{url} is ready")
            if answer.status == 503:
                return Finding("hub", "wrong", f"{url} is not ready: {text}", "The part it names is not there.")
            return Finding(
                "hub", "wrong", f"{url}/readyz answers {answer.status}", "Another program has this port: set RINGSIDE_PORT."
            )
    except (aiohttp.ClientConnectorError, TimeoutError, OSError):
        return Finding(
            "hub", "warning", f"nobody answers at {url}; the port is free", "Start it: `./ringside up` or `ringside serve`."
        )
    except aiohttp.ClientError as problem:
        return Finding("hub", "wrong", f"{url}: {problem}", "Another program has this port: set RINGSIDE_PORT.")


async def _websocket(session: aiohttp.ClientSession, name: str, url: str) -> Finding:
    place = f"{url}/socket.io/"
    try:
        async with session.ws_connect(f"{place}?EIO=4&transport=websocket") as socket:
            opening = await socket.receive_str(timeout=PATIENCE_S)
    except aiohttp.WSServerHandshakeError as problem:
        advice = "The proxy must pass Upgrade on (nginx: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade)."
        return Finding(name, "wrong", f"{place} answers {problem.status} instead of opening a websocket", advice)
    except (aiohttp.ClientConnectorCertificateError, ssl.SSLError) as problem:
        return Finding(
            name, "wrong", f"{url}: the certificate is not trusted: {problem}", "Renew it, or install its authority here."
        )
    except (aiohttp.ClientError, OSError, TimeoutError, TypeError) as problem:
        state: State = "warning" if name == "websocket" else "wrong"
        return Finding(
            name, state, f"{place} can't be opened: {problem or type(problem).__name__}", "Is the hub, or the proxy, running?"
        )
    if not opening.startswith("0{"):
        return Finding(name, "wrong", f"{place} is not a Socket.IO server", "RINGSIDE_PUBLIC_URL leads to another program.")
    return Finding(name, "ok", f"{place} opens")


def _installed(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "missing"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def as_json(findings: list[Finding], data: Path) -> dict[str, Any]:
    """The findings for programs."""
    worst = "wrong" if any(f.state == "wrong" for f in findings) else "ok"
    return {"state": worst, "data": str(data), "findings": [asdict(finding) for finding in findings]}


def show(findings: list[Finding]) -> None:
    """The findings for people."""
    console = Console(highlight=False)
    marks = {"ok": "[green]✓[/]", "warning": "[yellow]![/]", "wrong": "[red]✗[/]"}
    table = Table.grid(padding=(0, 2))
    for finding in findings:
        text = escape(finding.text) + (f"\n[dim]{escape(finding.advice)}[/]" if finding.advice else "")
        table.add_row(marks[finding.state], finding.name, text)
    console.print(table)
    count = sum(finding.state == "wrong" for finding in findings)
    console.print(f"\n{count} wrong" if count else "\nNothing is wrong.")
