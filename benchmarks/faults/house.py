"""A whole Ringside with a link between any two of its parts: Postgres, Valkey, a provider, hubs and workers as processes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector

from benchmarks.faults.processes import Part, signal_family
from benchmarks.faults.proxy import Link
from benchmarks.faults.worker import COMMAND, TABLE
from benchmarks.ground import FROM_NUMBER
from hub.config import Settings
from hub.embedded import PostgresServer, ValkeyServer, start_postgres, start_valkey
from hub.listening import free_port
from hub.migrate import migrate

READY_S = 40.0
_DATABASE = "ringside"
_FAKETIME = "faketime/libfaketimeMT.so.1"


@dataclass
class House:
    """What is running. Links are named "hub-1 to postgres", "worker-1 to provider", "clients to hub-2" and so on."""

    folder: Path
    postgres: PostgresServer
    valkey: ValkeyServer
    settings: Settings
    sandbox_url: str
    links: dict[str, Link]
    parts: dict[str, Part]
    session: ClientSession
    hub_ports: dict[str, int]
    clock: Path | None = None
    """Says how wrong the clocks of the first hub and the first worker are; None when they are not to be set."""
    patience: float = 1.0
    """How many times longer than it should a hub may take to start, on a machine that has something else to do."""
    numbers: Any = field(default_factory=lambda: count(2_000_000))

    @property
    def hubs(self) -> list[Part]:
        """The hubs."""
        return [part for name, part in self.parts.items() if name.startswith("hub")]

    @property
    def workers(self) -> list[Part]:
        """The workers."""
        return [part for name, part in self.parts.items() if name.startswith("worker")]

    @property
    def urls(self) -> list[str]:
        """Where clients find the hubs: through a link each."""
        return [f"http://127.0.0.1:{self.links[f'clients to {hub.name}'].port}" for hub in self.hubs]

    @property
    def direct_urls(self) -> list[str]:
        """The hubs themselves: a connection that is refused is refused at once."""
        return [f"http://127.0.0.1:{port}" for port in self.hub_ports.values()]

    def links_to(self, target: str, *sources: str) -> list[Link]:
        """The links to a part, of all that use it or of those named."""
        chosen = [link for name, link in self.links.items() if name.endswith(f" to {target}")]
        return [link for link in chosen if not sources or link.name.split(" to ")[0] in sources]

    async def admin(self) -> asyncpg.Connection[Any]:
        """A connection that no link and no read-only setting touches."""
        return await asyncpg.connect(self.postgres.admin_url, server_settings={"default_transaction_read_only": "off"})

    # -- servers that fail

    async def kill_postgres(self) -> None:
        """kill -9 of all of Postgres: what was not on the disk is gone."""
        signal_family(self.postgres.pid, signal.SIGKILL)
        await asyncio.to_thread(self.postgres.kill)

    async def start_postgres(self) -> None:
        """Start Postgres again, or restart it in order."""
        await asyncio.to_thread(self.postgres.restart)

    def pause_postgres(self) -> None:
        """SIGSTOP of all of Postgres."""
        signal_family(self.postgres.pid, signal.SIGSTOP)

    def resume_postgres(self) -> None:
        """SIGCONT of all of Postgres."""
        signal_family(self.postgres.pid, signal.SIGCONT)

    async def kill_redis(self, *, forget: bool = False) -> None:
        """kill -9; with `forget` its append-only file goes as well."""
        await asyncio.to_thread(self.valkey.kill)
        if forget:
            for item in self.valkey.data_dir.iterdir():
                shutil.rmtree(item) if item.is_dir() else item.unlink()

    async def start_redis(self) -> None:
        """Start Valkey again."""
        await asyncio.to_thread(self.valkey.restart)

    def signal_redis(self, number: signal.Signals) -> None:
        """SIGSTOP or SIGCONT."""
        if self.valkey.pid:
            os.kill(self.valkey.pid, number)

    async def provider_fails(self, operation: str, kind: str, times: int) -> None:
        """Have the provider's next answers go wrong; see the sandbox's own page for the kinds."""
        body = {"operation": operation, "kind": kind, "times": times, "delay_s": 1.0}
        async with self.session.post(f"{self.sandbox_url}/_sandbox/faults", json=body) as answer:
            answer.raise_for_status()

    async def provider_heals(self) -> None:
        """No more faults of the provider's own."""
        async with self.session.delete(f"{self.sandbox_url}/_sandbox/faults") as answer:
            answer.raise_for_status()

    async def provider_calls(self) -> list[dict[str, Any]]:
        """The calls the provider knows of."""
        async with self.session.get(f"{self.sandbox_url}/_sandbox/calls") as answer:
            found: list[dict[str, Any]] = (await answer.json())["calls"]
            return found

    async def ready(self, *names: str) -> None:
        """Wait until the hubs (those named, or all) take requests. Raises RuntimeError when they do not."""
        for name in names or tuple(hub.name for hub in self.hubs):
            url = f"http://127.0.0.1:{self.hub_ports[name]}/readyz"
            await _ready(self.session, url, name, READY_S * self.patience)

    async def heal(self) -> None:
        """Everything runs and every link is well again."""
        for link in self.links.values():
            await link.heal()
        self.signal_redis(signal.SIGCONT)
        self.resume_postgres()
        if not self.postgres.running:
            await self.start_postgres()
        if not self.valkey.running:
            await self.start_redis()
        for part in self.parts.values():
            part.resume()
            await part.start()
        with contextlib.suppress(ClientError):
            await self.provider_heals()

    async def close(self) -> None:
        """End it all at once: nothing of it is needed any more, and a story of its own ends what is in use in order."""
        await asyncio.gather(*(part.close() for part in self.parts.values()), self.kill_postgres(), self.kill_redis())


@asynccontextmanager
async def open_house(
    *,
    hubs: int = 2,
    workers: int = 1,
    durable: bool = True,
    clocks: bool = False,
    folder: Path | None = None,
    logs: Path | None = None,
    env: Mapping[str, str] | None = None,
    patience: float = 1.0,
) -> AsyncIterator[House]:
    """Start it all, and stop and forget it at the end.

    `durable` is fsync; with `clocks` those of the first hub and the first worker can be set, where libfaketime is installed;
    `folder`, the caller's, takes the data, `logs` what the processes say, `env` is more of their settings. `patience` is for
    who does not ask how soon a hub is ready: so many times longer may it take.
    """
    made = folder or Path(tempfile.mkdtemp(prefix="ringside-faults-"))
    made.chmod(0o755)
    async with contextlib.AsyncExitStack() as stack:
        if folder is None:
            stack.callback(shutil.rmtree, made, ignore_errors=True)
        postgres = await asyncio.to_thread(start_postgres, made / "postgres", durable=durable)
        stack.callback(postgres.stop)
        valkey = await asyncio.to_thread(start_valkey, made / "valkey", durable=durable)
        stack.callback(valkey.stop)
        await migrate(postgres.url_for("ringside_owner"), postgres.admin_url)
        session = await stack.enter_async_context(ClientSession(connector=TCPConnector(limit=0), timeout=ClientTimeout(total=10)))
        house = await _furnish(stack, made, logs or made / "logs", postgres, valkey, session, hubs, workers, dict(env or {}))
        house.patience = patience
        admin = await house.admin()
        await admin.execute(TABLE)
        await admin.close()
        library = faketime_library() if clocks else None
        if library is not None:
            house.clock = made / "clock"
            house.clock.write_text("+0s\n")
            for part in (house.hubs[0], house.workers[0]):
                part.env |= _settable(library, house.clock)
        stack.push_async_callback(house.close)
        for part in house.parts.values():
            await part.start()
        await house.ready()
        yield house


async def _furnish(
    stack: contextlib.AsyncExitStack,
    folder: Path,
    logs: Path,
    postgres: PostgresServer,
    valkey: ValkeyServer,
    session: ClientSession,
    hubs: int,
    workers: int,
    more: dict[str, str],
) -> House:
    links: dict[str, Link] = {}

    async def link(source: str, target: str, *addresses: Any) -> Link:
        made = links[f"{source} to {target}"] = Link(f"{source} to {target}", *addresses)
        await made.open()
        stack.push_async_callback(made.close)
        return made

    sandbox_port = free_port()
    ports = {f"hub-{number}": free_port() for number in range(1, hubs + 1)}
    front = await link("provider", "hubs", *(("127.0.0.1", port) for port in ports.values()))
    account = {"TWILIO_ACCOUNT_SID": "AC" + secrets.token_hex(16), "TWILIO_AUTH_TOKEN": secrets.token_hex(16)}
    common = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("RINGSIDE_", "TWILIO_", "GOOGLE_", "DATABASE_", "REDIS_"))},
        **account,
        "RINGSIDE_SECRET": secrets.token_hex(24),
        "RINGSIDE_PUBLIC_URL": f"http://127.0.0.1:{front.port}",
        "RINGSIDE_LOG": "json",
        "RINGSIDE_LOG_LEVEL": "warning",
        "RINGSIDE_OBJECTS": str(folder / "objects"),
        "TWILIO_FROM": FROM_NUMBER,
        "TWILIO_CALLS_PER_SECOND": "1000",
        **more,
    }
    parts = {
        "provider": Part(
            "provider",
            ["-m", "integrations.sandbox.twilio", "--port", str(sandbox_port), "--speed", "100", "--calls-per-second", "1000"],
            common,
            logs / "provider.log",
        )
    }
    names = [*ports, *(f"worker-{number}" for number in range(1, workers + 1))]
    own: dict[str, str] = {}
    for name in names:
        database = await link(name, "postgres", postgres.socket_dir / ".s.PGSQL.5432")
        redis = await link(name, "redis", valkey.socket_path)
        provider = await link(name, "provider", ("127.0.0.1", sandbox_port))
        own = common | {
            "DATABASE_URL": f"postgresql://ringside_app@127.0.0.1:{database.port}/{_DATABASE}?sslmode=disable",
            "REDIS_URL": f"redis://127.0.0.1:{redis.port}/0",
            "TWILIO_API_URL": f"http://127.0.0.1:{provider.port}",
        }
        if name in ports:
            await link("clients", name, ("127.0.0.1", ports[name]))
            own["RINGSIDE_PORT"] = str(ports[name])
            parts[name] = Part(name, ["-m", "hub.cli", "serve"], own, logs / f"{name}.log")
        else:
            parts[name] = Part(name, COMMAND, own, logs / f"{name}.log")
    settings = Settings.from_env(own | {"DATABASE_URL": postgres.url_for("ringside_app"), "REDIS_URL": valkey.url})
    return House(folder, postgres, valkey, settings, f"http://127.0.0.1:{sandbox_port}", links, parts, session, ports)


def faketime_library() -> Path | None:
    """Debian's libfaketime, where it is installed."""
    return next(iter(sorted(Path("/usr/lib").glob(f"*/{_FAKETIME}"))), None)


def _settable(library: Path, clock: Path) -> dict[str, str]:
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        # The kernel's monotonic clock is not set with the other; timers and timeouts go by it.
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_NO_CACHE": "1",
    }


async def _ready(session: ClientSession, url: str, name: str, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        with contextlib.suppress(ClientError, OSError, TimeoutError):
            async with session.get(url, timeout=ClientTimeout(total=3)) as answer:
                # What else stops readiness (the canary's alarm) stops no hub from serving.
                if (await answer.json())["parts"]["postgres"] == "ok":
                    return
        await asyncio.sleep(0.05)
    raise RuntimeError(f"{name} was not ready within {within_s:.0f} s")
