"""`ringside doctor` tells a set-up that works from one that doesn't, and what to do about it."""

import asyncio
import shutil
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import asyncpg
import pytest
import redis
from aiohttp import web

from hub import doctor
from hub.config import Settings
from hub.embedded import PostgresServer, ValkeyServer, start_postgres, start_valkey
from hub.migrate import migrate
from tests.launcher.servers import eventually
from tests.ports import free_ports


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A short-lived folder that everybody may enter, so that nothing is kept elsewhere."""
    path = Path(tempfile.mkdtemp(prefix="ringside-doctor-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def postgres(folder: Path) -> Iterator[PostgresServer]:
    with start_postgres(folder, durable=False) as server:
        # in a thread of its own: other tests' loops must not be disturbed
        making = threading.Thread(target=asyncio.run, args=[migrate(server.url_for("ringside_owner"), server.admin_url)])
        making.start()
        making.join()
        yield server


@pytest.fixture(scope="module")
def valkey(folder: Path) -> Iterator[ValkeyServer]:
    with start_valkey(folder, durable=True) as server:
        yield server


@pytest.fixture
def env(postgres: PostgresServer, valkey: ValkeyServer) -> dict[str, str]:
    """Settings of a set-up that is all right, except that nothing serves."""
    [port] = free_ports(1)
    return {
        "DATABASE_URL": postgres.url_for("ringside_app"),
        "REDIS_URL": valkey.url,
        "RINGSIDE_SECRET": "s" * 40,
        "RINGSIDE_PORT": str(port),
    }


async def states(env: dict[str, str]) -> dict[str, doctor.State]:
    """What the doctor finds, by name."""
    return {finding.name: finding.state for finding in await doctor.examine(env)}


@asynccontextmanager
async def server(port: str, *, sockets: bool = True, ready: int = 200) -> AsyncIterator[None]:
    """Something that answers like a hub."""

    async def readyz(request: web.Request) -> web.Response:
        return web.json_response({"ready": ready == 200}, status=ready)

    async def engine(request: web.Request) -> web.WebSocketResponse:
        opened = web.WebSocketResponse()
        await opened.prepare(request)
        await opened.send_str('0{"sid":"x"}')
        await opened.close()
        return opened

    app = web.Application()
    app.router.add_get("/readyz", readyz)
    if sockets:
        app.router.add_get("/socket.io/", engine)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(port)).start()
    yield
    await runner.cleanup()


async def test_a_good_set_up_has_nothing_wrong(env: dict[str, str]) -> None:
    async with server(env["RINGSIDE_PORT"]):
        found = await states(env)
    assert [name for name, state in found.items() if state == "wrong"] == []
    for name in (
        "libraries",
        "settings",
        "postgres",
        "role",
        "clock",
        "migrations",
        "redis",
        "persistence",
        "eviction",
        "hub",
        "websocket",
    ):
        assert found[name] == "ok", name


async def test_a_port_without_a_hub_is_a_warning_and_a_proxy_without_one_is_wrong(env: dict[str, str]) -> None:
    found = await states(env | {"RINGSIDE_PUBLIC_URL": f"http://127.0.0.1:{env['RINGSIDE_PORT']}/below"})
    assert (found["hub"], found["websocket"], found["proxy"]) == ("warning", "warning", "wrong")


async def test_a_proxy_that_does_not_pass_websockets_on_is_explained(env: dict[str, str]) -> None:
    async with server(env["RINGSIDE_PORT"], sockets=False):
        findings = {finding.name: finding for finding in await doctor.examine(env)}
    assert findings["websocket"].state == "wrong"
    assert "Upgrade" in findings["websocket"].advice


async def test_a_hub_that_is_not_ready_is_wrong(env: dict[str, str]) -> None:
    async with server(env["RINGSIDE_PORT"], ready=503):
        assert (await states(env))["hub"] == "wrong"


async def test_a_superuser_is_no_role_for_the_hub(env: dict[str, str], postgres: PostgresServer) -> None:
    found = {finding.name: finding for finding in await doctor.examine(env | {"DATABASE_URL": postgres.admin_url})}
    assert found["role"].state == "wrong"
    assert "is a superuser and bypasses row-level security" in found["role"].text


@pytest.mark.parametrize(
    ("theirs", "slow_s", "state"), [(0.0, 0.0, "ok"), (3.0, 5.0, "ok"), (-2.0, 0.0, "warning"), (7.0, 5.0, "warning")]
)
async def test_only_a_difference_of_the_clocks_is_warned_of_and_no_slow_answer(
    monkeypatch: pytest.MonkeyPatch, theirs: float, slow_s: float, state: str
) -> None:
    class Asked:
        async def fetchval(self, _query: str) -> datetime:
            return datetime.fromtimestamp(1_000_000.0 + theirs, UTC)

    moments = iter((1_000_000.0, 1_000_000.0 + slow_s))
    monkeypatch.setattr(doctor, "time", SimpleNamespace(time=lambda: next(moments)))
    assert (await doctor._clock(Asked())).state == state  # type: ignore[arg-type]


async def test_an_empty_database_is_to_be_migrated(env: dict[str, str], postgres: PostgresServer) -> None:
    connection = await asyncpg.connect(postgres.admin_url)
    await connection.execute("CREATE DATABASE empty")
    await connection.close()
    found = {
        finding.name: finding for finding in await doctor.examine(env | {"DATABASE_URL": postgres.url_for(database="empty")})
    }
    assert found["migrations"].state == "wrong"
    assert "0001_" in found["migrations"].text


async def test_a_redis_that_forgets_or_evicts_is_named(env: dict[str, str], valkey: ValkeyServer) -> None:
    client = redis.Redis.from_url(valkey.url)
    client.config_set("maxmemory-policy", "allkeys-lru")
    client.config_set("appendonly", "no")
    try:
        found = await states(env)
    finally:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("appendonly", "yes")
        # Valkey refuses to end before its first append-only file is written
        await asyncio.to_thread(eventually, lambda: not _rewrites(client), "the append-only file is there again")
    assert (found["redis"], found["persistence"], found["eviction"]) == ("ok", "warning", "wrong")


def _rewrites(client: redis.Redis) -> bool:
    info = client.info("persistence")
    assert isinstance(info, dict)
    return bool(info["aof_rewrite_in_progress"] or info["aof_rewrite_scheduled"])


async def test_servers_that_do_not_answer_are_named(env: dict[str, str], tmp_path: Path) -> None:
    gone = {"DATABASE_URL": f"postgresql://ringside_app@/ringside?host={tmp_path}", "REDIS_URL": f"unix://{tmp_path}/none.sock"}
    found = await states(env | gone)
    assert (found["postgres"], found["redis"]) == ("wrong", "wrong")


@pytest.mark.parametrize(
    ("more", "state", "words"),
    [
        ({}, "warning", "no OAuth client"),
        ({"GOOGLE_CLIENT_ID": "id"}, "warning", "asked every few seconds"),
        ({"GOOGLE_CLIENT_ID": "id", "PUSHES": "yes"}, "wrong", "http://127.0.0.1"),
        ({"GOOGLE_CLIENT_ID": "id", "PUSHES": "yes", "RINGSIDE_PUBLIC_URL": "https://hub.example"}, "ok", "the real one"),
        ({"GOOGLE_CLIENT_ID": "id", "PUSHES": "yes", "GOOGLE_API_URL": "http://127.0.0.1:1"}, "ok", "the sandbox"),
    ],
)
def test_what_is_set_up_of_gmail_is_told(more: dict[str, str], state: str, words: str) -> None:
    env = {"DATABASE_URL": "postgresql://", "REDIS_URL": "redis://", "RINGSIDE_SECRET": "s" * 40, "GOOGLE_CLIENT_SECRET": "x"}
    if more.pop("PUSHES", ""):
        env |= {"GOOGLE_PUSH_TOPIC": "projects/p/topics/t", "GOOGLE_PUSH_ACCOUNT": "p@x", "GOOGLE_PUSH_AUDIENCE": "https://hub"}

    finding = doctor.check_google(Settings.from_env(env | more))

    assert (finding.state, words in finding.text) == (state, True)


def test_the_sealing_key_is_named_and_never_shown() -> None:
    env = {"DATABASE_URL": "postgresql://", "REDIS_URL": "redis://", "RINGSIDE_SECRET": "s" * 40}
    finding = doctor.check_seals(Settings.from_env(env | {"RINGSIDE_SEAL_KEYS": f"2027={'n' * 40},2026={'o' * 40}"}))

    assert "2027" in finding.text and "2026" in finding.text
    assert "nnn" not in finding.text
    assert "RINGSIDE_SECRET" in doctor.check_seals(Settings.from_env(env)).text


def test_the_doctor_says_who_is_paid_and_where_webhooks_should_come() -> None:
    env = {"DATABASE_URL": "postgresql://", "REDIS_URL": "redis://", "RINGSIDE_SECRET": "s" * 40}
    assert "no plan limits" in doctor.check_stripe(Settings.from_env(env)).text
    env |= {"STRIPE_SECRET_KEY": "sk_live_x", "STRIPE_WEBHOOK_SECRET": "whsec_new, whsec_old"}
    assert doctor.check_stripe(Settings.from_env(env)).state == "wrong"
    found = doctor.check_stripe(Settings.from_env(env | {"RINGSIDE_PUBLIC_URL": "https://hub.example.com"}))
    assert (found.state, "https://hub.example.com/webhooks/stripe, two secrets" in found.text) == ("ok", True)
    assert "whsec" not in found.text and "sk_live" not in found.text


async def test_missing_settings_are_named() -> None:
    findings = await doctor.examine({}, "nothing runs here")
    assert findings[-1].text == "nothing runs here"
    assert doctor.as_json(findings, Path("/data"))["state"] == "wrong"


def test_the_report_for_people_has_every_finding(capsys: pytest.CaptureFixture[str]) -> None:
    doctor.show(
        [doctor.Finding("clock", "warning", "is [red] behind", "Run NTP."), doctor.Finding("redis", "wrong", "can't connect")]
    )
    said = capsys.readouterr().out
    assert "is [red] behind" in said and "Run NTP." in said and "1 wrong" in said
