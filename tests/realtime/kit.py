"""What the tests of the live floor share: hubs on real ports, clients that keep what they hear, events to commit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import socketio
from aiohttp import web
from pydantic import BaseModel

from hub.auth.tokens import Tokens
from hub.config import Settings
from hub.db import Database, tenant_tx
from hub.events import TENANT, Event
from hub.hints import RedisHints
from hub.http.edge import Edge
from hub.http.middleware import observe
from hub.limits.admission import Admission
from hub.limits.doorman import DoorSite
from hub.presence.routes import routes as presence_routes
from hub.realtime.limits import Limits
from hub.realtime.routes import routes as event_routes
from hub.realtime.server import Realtime
from hub.who import Role, Who
from tests.conftest import Company
from tests.patience import PATIENCE_S

KEY = b"k" * 32
NOWHERE = "redis://127.0.0.1:1/0"
"""A Redis that is down."""


class Anything(BaseModel):
    """Any data."""


@dataclass(frozen=True, slots=True)
class Noted(Event):
    """Something to see. Not in the catalogue: only these tests know of it."""

    type = "test.noted"
    subject_kind = "test"
    data_model = Anything


async def eventually(look: Callable[[], Any], what: str, within_s: float = PATIENCE_S) -> Any:
    """Wait until `look` gives something true; it, or a failure that says what did not happen."""
    deadline = time.monotonic() + within_s
    while True:
        found = look()
        if isinstance(found, Awaitable):
            found = await found
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"did not happen within {within_s} s: {what}")
        await asyncio.sleep(0.01)


def settings(redis_url: str, database_url: str = "postgresql://unused") -> Settings:
    """Settings of one hub."""
    return Settings.from_env({"DATABASE_URL": database_url, "REDIS_URL": redis_url, "RINGSIDE_SECRET": "s" * 32})


@dataclass(slots=True)
class HubProcess:
    """A running hub: its own pool, hints and sockets, as a process of its own would have."""

    db: Database
    hints: RedisHints
    realtime: Realtime
    tokens: Tokens
    port: int
    runner: web.AppRunner
    running: bool = True

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    async def stop(self) -> None:
        """Stop in order."""
        if self.running:
            self.running = False
            await self.realtime.stop()
            await self.runner.cleanup()
            await self.hints.stop()
            await self.db.close()

    async def die(self) -> None:
        """Stop without a word to anybody, as kill -9 does: nothing is written to the database any more."""
        self.running = False
        self.db.pool.terminate()
        await self.realtime.stop()
        await self.runner.cleanup()
        await self.hints.stop()


@asynccontextmanager
async def hub_process(
    database_url: str, redis_url: str, *, limits: Limits | None = None, port: int = 0, admission: Admission | None = None
) -> AsyncIterator[HubProcess]:
    """Start a hub on a port of its own, with `admission` behind its door."""
    hints = RedisHints(redis_url)
    db = await Database.open(database_url, notifier=hints, max_size=5)
    tokens = Tokens(KEY)
    realtime = Realtime(settings(redis_url, database_url), db, tokens, hints, limits=limits)
    app = web.Application(middlewares=[observe, admission.middleware()] if admission else [observe])
    Edge(db, realtime.access).mount(app, [*event_routes.endpoints, *presence_routes.endpoints])
    realtime.attach(app)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await realtime.start()
    site = DoorSite(runner, admission.doorman, "127.0.0.1", port) if admission else web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    hub = HubProcess(db, hints, realtime, tokens, int(runner.addresses[0][1]), runner)
    if admission:
        admission.doorman.start()
    try:
        yield hub
    finally:
        if admission:
            await admission.doorman.stop()
        await hub.stop()


def token_for(company: Company, role: Role = "rep", *, lifetime_s: int = 600, session_id: UUID | None = None) -> str:
    """An access token of a member."""
    return Tokens(KEY).issue(
        user_id=company.members[role],
        tenant_id=company.tenant_id,
        role=role,
        session_id=session_id or uuid4(),
        name=f"{role.title()} of {company.name}",
        lifetime_s=lifetime_s,
    )


@dataclass(slots=True)
class Client:
    """A real Socket.IO client that keeps everything it hears, in order."""

    heard: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    refused: Any = None
    disconnected: bool = False
    sio: Any = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    async def connect(cls, url: str, token: str | None, cursor: dict[str, Any] | None = None) -> Client:
        """Connect, and wait for `ready` (or for the refusal)."""
        client = cls()
        client.sio = sio = socketio.AsyncClient(reconnection=False)
        for name in ("ready", "event", "resync", "bye"):
            sio.on(name, client._keep(name))
        sio.on("connect_error", client._on_refused)
        sio.on("disconnect", client._on_disconnect)
        auth: dict[str, Any] = {} if token is None else {"token": token}
        if cursor is not None:
            auth["cursor"] = cursor
        try:
            await sio.connect(url, auth=auth, transports=["websocket"], wait_timeout=PATIENCE_S)
        except socketio.exceptions.ConnectionError:
            if client.refused is None:
                raise
            return client
        await client.until(lambda: client.of("ready"), "ready")
        return client

    def _keep(self, name: str) -> Callable[[dict[str, Any]], Awaitable[None]]:
        async def keep(data: dict[str, Any]) -> None:
            self.heard.append((name, data))
            self._news.set()

        return keep

    async def _on_refused(self, data: Any) -> None:
        self.refused = data

    async def _on_disconnect(self, *_: Any) -> None:
        self.disconnected = True
        self._news.set()

    def of(self, name: str) -> list[dict[str, Any]]:
        """What was heard of one name."""
        return [data for heard, data in self.heard if heard == name]

    @property
    def ready(self) -> dict[str, Any]:
        """The server's first word."""
        return self.of("ready")[0]

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events, in the order they came."""
        return self.of("event")

    @property
    def seqs(self) -> list[int]:
        """Their sequence numbers."""
        return [event["seq"] for event in self.events]

    @property
    def notes(self) -> list[Any]:
        """What the test's own events say."""
        return [event["data"]["n"] for event in self.events if event["type"] == "test.noted"]

    @property
    def cursor(self) -> dict[str, Any]:
        """Where this client stands."""
        return {"epoch": self.ready["epoch"], "seq": self.seqs[-1] if self.events else self.ready["seq"]}

    async def until(self, look: Callable[[], Any], what: str, within_s: float = PATIENCE_S) -> Any:
        """Wait until something was heard."""
        deadline = time.monotonic() + within_s
        while not (found := look()):
            self._news.clear()
            try:
                async with asyncio.timeout(max(deadline - time.monotonic(), 0)):
                    await self._news.wait()
            except TimeoutError:
                raise AssertionError(f"did not happen within {within_s} s: {what}; heard {self.heard[-5:]}") from None
        return found

    async def until_noted(self, n: Any, within_s: float = PATIENCE_S) -> None:
        """Wait for one of the test's own events."""
        await self.until(lambda: n in self.notes, f"the event {n!r}", within_s)

    async def until_heard(self, count: int, within_s: float = PATIENCE_S) -> None:
        """Wait for so many events."""
        await self.until(lambda: len(self.events) >= count, f"{count} events", within_s)

    async def until_gone(self, within_s: float = PATIENCE_S) -> None:
        """Wait until the server has ended the connection."""
        await self.until(lambda: self.disconnected, "the end of the connection", within_s)

    async def close(self) -> None:
        """Hang up."""
        await self.sio.disconnect()


@asynccontextmanager
async def clients(*wanted: Awaitable[Client]) -> AsyncIterator[Sequence[Client]]:
    """Several clients, closed at the end."""
    made = await asyncio.gather(*wanted)
    try:
        yield made
    finally:
        await asyncio.gather(*(client.close() for client in made), return_exceptions=True)


async def note(db: Database, company: Company, n: Any, *, audience: str = TENANT, who: Who | None = None, **more: Any) -> None:
    """Commit one event."""
    async with tenant_tx(db, who or Who.system(company.tenant_id)) as tx:
        tx.emit(Noted(None, {"n": n, **more}, audience))


async def head_of(db: Database, company: Company) -> dict[str, Any]:
    """Where a company's log stands, as a cursor."""
    async with tenant_tx(db, Who.system(company.tenant_id)) as tx:
        row = await tx.conn.fetchrow("SELECT epoch, seq FROM tenant_counters")
    assert row is not None
    return {"epoch": str(row["epoch"]), "seq": row["seq"]}
