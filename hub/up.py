"""`ringside up`: everything on one machine, from nothing to a ready address, kept running until told to stop."""

import asyncio
import contextlib
import functools
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import hub
from hub.config import Settings
from hub.datadir import LOCK, clear_running, find_running, load_secrets, make_data_dir, write_running
from hub.embedded import AlreadyRunning, EmbeddedError, PostgresServer, ValkeyServer, start_postgres, start_valkey
from hub.embedded.processes import FolderLock
from hub.environment import SettingsError
from hub.listening import (
    DEFAULT_PORT,
    PortError,
    choose_port,
    free_port,
    is_loopback,
    is_open,
    is_ready,
    reachable_host,
    url_host,
)
from hub.migrate import MigrationError, migrate, pending_versions
from hub.post.settings import page_path
from hub.seed import Login, seed_demo
from hub.supervisor import Service, Terminal
from hub.up_report import machine_line, print_table
from hub.up_sandboxes import NAMES, Sandbox, sandbox_settings, sandboxes

READY_PATIENCE_S = 60.0
STOP_PATIENCE_S = 6.0
TRIES = 3  # a child that dies this often before it was ready has a reason that won't go away


class UpError(Exception):
    """`up` can't go on; the message is for the user."""


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked on the command line. ``port`` None means the default, or the next free one."""

    data: Path
    port: int | None = None
    workers: int = 1
    demo: bool = True
    as_json: bool = False


@dataclass(slots=True)
class Running:
    """What has been started so far, in order, and how to reach it."""

    env: dict[str, str]
    postgres: PostgresServer | None = None
    valkey: ValkeyServer | None = None
    services: list[Service] = field(default_factory=list)
    logins: list[Login] = field(default_factory=list)
    sandbox: dict[str, str] = field(default_factory=dict)


class Stopped(Exception):
    """Ctrl-C, or a signal, before everything was up."""


class Up:
    """One `ringside up` from its first to its last second."""

    def __init__(self, options: Options, environ: Mapping[str, str]) -> None:
        self.options, self.environ = options, environ
        self.terminal = Terminal()
        self.stopping = asyncio.Event()
        self.running = Running(env={})
        self.logs = options.data / "logs"
        self.home = Path(hub.__file__).resolve().parent.parent

    async def run(self) -> int:
        """Start everything, say so, and keep it running; the exit code."""
        options = self.options
        make_data_dir(options.data)
        self.logs.mkdir(mode=0o700, exist_ok=True)
        with self._signals(), held(options.data):
            try:
                began = time.monotonic()
                await self._start()
                self._announce(time.monotonic() - began)
                await self._watch()
            except Stopped:
                pass
            finally:
                await self._stop()
        return 0

    # --- starting ------------------------------------------------------------------------------------------

    async def _start(self) -> None:
        port, options = self._choose_port(), self.options
        await self._start_servers()
        self.running.env = env = self._environment(port)
        owner, admin = self._owner_urls()
        async with self._step("Database"):
            await self._bring_up_to_date(owner, admin, env)
        await together(
            *(self._start_sandbox(one, env) for one in sandboxes(self.environ, env, options.data, demo=options.demo)),
            self._add_demo(owner, env),
            self._start_programs(env),
        )

    async def _add_demo(self, owner: str, env: dict[str, str]) -> None:
        if not self.options.demo:
            return
        async with self._step("Demo companies"):
            settings = Settings.from_env(env | {"DATABASE_OWNER_URL": owner})
            self.running.logins = await seed_demo(settings)
        if not is_loopback(settings.host):
            self.terminal.say("! Anybody who reaches this machine knows the demo's passwords: use --no-demo for real work")

    def _choose_port(self) -> int:
        port, asked = choose_port(self.environ.get("RINGSIDE_HOST") or "127.0.0.1", self.options.port), self.options.port
        if asked is None and port != DEFAULT_PORT:
            self.terminal.say(f"Port {DEFAULT_PORT} is taken; using {port}")
        return port

    async def _start_servers(self) -> None:
        """The embedded servers that no URL replaces, both at once."""
        data, running = self.options.data, self.running

        async def postgres() -> None:
            async with self._step("Postgres"):
                running.postgres = await asyncio.to_thread(start_postgres, data)

        async def valkey() -> None:
            async with self._step("Valkey"):
                running.valkey = await asyncio.to_thread(start_valkey, data)

        wanted = [] if self.environ.get("DATABASE_URL") else [postgres()]
        wanted += [] if self.environ.get("REDIS_URL") else [valkey()]
        await together(*wanted)

    def _environment(self, port: int) -> dict[str, str]:
        """The settings our programs run with: the caller's, completed by what we started."""
        kept, given, running = load_secrets(self.options.data), self.environ, self.running
        host = given.get("RINGSIDE_HOST") or "127.0.0.1"
        env = {
            "RINGSIDE_SECRET": kept["secret"],
            "RINGSIDE_HOST": host,
            "RINGSIDE_LOG": "pretty" if sys.stderr.isatty() else "json",
            **given,
            "RINGSIDE_PORT": str(port),
            "RINGSIDE_METRICS_PORT": str(free_port(host)),
        }
        env.setdefault("RINGSIDE_PUBLIC_URL", f"http://{url_host(host)}:{port}")
        env.setdefault("RINGSIDE_OBJECTS", str((self.options.data / "objects").absolute()))
        if running.postgres is not None:
            env["DATABASE_URL"] = running.postgres.url_for("ringside_app")
        if running.valkey is not None:
            env["REDIS_URL"] = running.valkey.url
        hub_url = f"http://{url_host(reachable_host(host))}:{port}"
        env |= sandbox_settings(given, kept, hub_url, demo=self.options.demo)
        if not given.get("SMTP_URL"):
            env.setdefault("RINGSIDE_OUTBOX_PAGE", "yes")
        for name in ("DATABASE_OWNER_URL", "DATABASE_ADMIN_URL"):  # the programs don't need them
            env.pop(name, None)
        return env

    def _owner_urls(self) -> tuple[str, str]:
        postgres = self.running.postgres
        if postgres is not None:
            return postgres.url_for("ringside_owner"), postgres.admin_url
        return self.environ.get("DATABASE_OWNER_URL", ""), self.environ.get("DATABASE_ADMIN_URL", "")

    async def _bring_up_to_date(self, owner: str, admin: str, env: Mapping[str, str]) -> None:
        if owner:
            await migrate(owner, admin or None)
            return
        missing = await pending_versions(env["DATABASE_URL"])
        if missing:
            raise UpError(
                f"The database lacks the migrations {', '.join(missing)}. Set DATABASE_OWNER_URL (the role ringside_owner) "
                "so that they can be applied."
            )

    async def _start_sandbox(self, sandbox: Sandbox, env: Mapping[str, str]) -> None:
        name, port = sandbox.name, sandbox.port
        async with self._step(f"{name.title()} sandbox"):
            own = {key: value for key, value in env.items() if not key.startswith(("DATABASE_", "REDIS_", "RINGSIDE_"))}
            arguments = ["--port", str(port), "--speed", self._sandbox_speed(), *sandbox.arguments]
            service = self._service(name, ["-m", f"integrations.sandbox.{name}", *arguments], own)
            await self._begin(service, lambda: is_open("127.0.0.1", port))
            self.running.sandbox[name] = sandbox.url

    def _sandbox_speed(self) -> str:
        text = self.environ.get("RINGSIDE_SANDBOX_SPEED") or "1"
        try:
            speed = float(text)
        except ValueError:
            speed = 0.0
        if not 0.1 <= speed <= 1000:
            raise UpError(f"RINGSIDE_SANDBOX_SPEED is {text!r}; it should be a number from 0.1 to 1000.")
        return str(speed)

    async def _start_programs(self, env: dict[str, str]) -> None:
        host, port = env["RINGSIDE_HOST"], int(env["RINGSIDE_PORT"])
        reached = reachable_host(host)
        server = self._service("hub", ["-m", "hub.cli", "serve"], env)
        async with self._step("Hub and workers"):
            starting = [self._begin(server, lambda: is_ready(reached, port))]
            for number in range(1, self.options.workers + 1):
                own_port = free_port(host)
                worker = self._service(
                    f"worker-{number}", ["-m", "hub.cli", "worker"], env | {"RINGSIDE_METRICS_PORT": str(own_port)}
                )
                starting.append(self._begin(worker, functools.partial(is_open, reached, own_port)))
            await together(*starting)

    def _service(self, name: str, arguments: list[str], env: Mapping[str, str]) -> Service:
        return Service(
            name,
            [sys.executable, *arguments],
            env=env,
            cwd=self.home,
            log_path=self.logs / f"{name}.log",
            terminal=self.terminal,
        )

    async def _begin(self, service: Service, ready: Callable[[], Awaitable[bool]]) -> None:
        """Start a service and wait until ``ready()`` says so."""
        self.running.services.append(service)
        await service.start()
        deadline = time.monotonic() + READY_PATIENCE_S
        while not await ready():
            if self.stopping.is_set():
                raise Stopped
            if service.starts > TRIES or time.monotonic() > deadline:
                raise UpError(f"{service.name} does not come up; the end of {service.log_path}:\n{service.last_words()}")
            await asyncio.sleep(0.03)

    # --- running -------------------------------------------------------------------------------------------

    def _announce(self, seconds: float) -> None:
        options, running = self.options, self.running
        owner, admin = self._owner_urls()
        state = machine_line(running.env, running.logins, running.sandbox, owner, admin, options.data)
        settings = Settings.from_env(running.env)
        if settings.outbox_page:
            state["outbox"] = settings.public_url + page_path(settings.key("outbox-page"))
        state["pid"] = os.getpid()
        state["pids"] = {service.name: service.pid for service in running.services}
        for name, server in (("postgres", running.postgres), ("valkey", running.valkey)):
            if server is not None:
                state["pids"][name] = server.pid
        write_running(options.data, state | {"env": running.env})
        self.terminal.flush()
        if options.as_json:
            sys.stdout.write(json.dumps(state) + "\n")
            sys.stdout.flush()
        else:
            print_table(state, seconds)
        self.terminal.shows_logs = True

    async def _watch(self) -> None:
        """Bring back the embedded servers when they die; the services look after themselves."""
        servers = [server for server in (self.running.valkey, self.running.postgres) if server is not None]
        pauses = dict.fromkeys(servers, 0.0)
        while not self.stopping.is_set():
            for server in servers:
                if server.running:
                    continue
                name = type(server).__name__.removesuffix("Server")
                self.terminal.log(name.lower(), "died; starting it again")
                try:
                    await asyncio.to_thread(server.restart)
                except Exception as problem:  # whatever it is, the next try may succeed
                    self.terminal.log(name.lower(), str(problem))
                    pauses[server] = min(10.0, pauses[server] * 2 + 0.5)
                    await self._pause(pauses[server])
                else:
                    pauses[server] = 0.0
            await self._pause(0.1)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.stopping.wait(), seconds)

    # --- stopping ------------------------------------------------------------------------------------------

    async def _stop(self) -> None:
        """Hub and workers first, then the sandboxes they may be talking to, then the servers under them all."""
        running = self.running
        clear_running(self.options.data)
        programs = [service for service in running.services if service.name not in NAMES]
        for group in (programs, [service for service in running.services if service.name in NAMES]):
            await asyncio.gather(*(service.stop(STOP_PATIENCE_S) for service in group))
        servers = [server for server in (running.valkey, running.postgres) if server is not None]
        await asyncio.gather(*(asyncio.to_thread(server.stop) for server in servers))
        self.terminal.flush()

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # under nohup it stays ignored
                loop.add_signal_handler(number, self._asked_to_stop)
        yield

    def _asked_to_stop(self) -> None:
        if not self.stopping.is_set():
            self.terminal.say("Stopping (once more: at once)")
            self.stopping.set()
            return
        for service in self.running.services:
            service.kill()
        for server in (self.running.valkey, self.running.postgres):
            if server is not None:
                server.kill()

    @contextlib.asynccontextmanager
    async def _step(self, title: str) -> AsyncIterator[None]:
        if self.stopping.is_set():
            raise Stopped
        began = time.monotonic()
        yield
        self.terminal.say(f"✓ {title} {time.monotonic() - began:.1f} s")
        if self.stopping.is_set():
            raise Stopped


async def together(*work: Awaitable[None]) -> None:
    """Do all of it at once, wait for all of it even when some fails (so that it can be stopped), then raise the first failure."""
    for problem in await asyncio.gather(*work, return_exceptions=True):
        if isinstance(problem, BaseException):
            raise problem


@contextlib.contextmanager
def held(data: Path) -> Iterator[None]:
    """The data folder is ours, or UpError says whose it is."""
    lock = FolderLock(data / LOCK)
    try:
        lock.acquire("Ringside is already running")
    except AlreadyRunning as problem:
        state = find_running(data) or {}
        where = f" at {state['url']}" if "url" in state else f" on {data}"
        raise UpError(f"Ringside is already running{where} (pid {problem.pid}). Stop it, or give another --data.") from problem
    try:
        yield
    finally:
        lock.release()


def run(options: Options, environ: Mapping[str, str]) -> int:
    """Run `up` to its end; the exit code."""

    async def main() -> int:
        return await Up(options, environ).run()

    try:
        return asyncio.run(main())
    except (UpError, PortError, EmbeddedError, MigrationError, SettingsError) as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
