"""Starting and stopping a Stripe sandbox, and what a test can do with it in the same process."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from aiohttp import web

from integrations.sandbox.faults import ConnectionDrops, ConnectionHangs
from integrations.sandbox.stripe.api import Api, Request
from integrations.sandbox.stripe.control import Control
from integrations.sandbox.stripe.faults import Fault, Faults, Kind
from integrations.sandbox.stripe.front import Front
from integrations.sandbox.stripe.notifying import Courier, make_endpoint
from integrations.sandbox.stripe.refusals import Refusal
from integrations.sandbox.stripe.renewing import advance_world
from integrations.sandbox.stripe.settings import StripeSettings
from integrations.sandbox.stripe.state import State
from integrations.sandbox.stripe.store import Thing
from integrations.sandbox.stripe.world import World

_TICK_S: Final = 0.25
_LARGEST: Final = 4 * 1024 * 1024
_SAVE_EVERY: Final = 4

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class StripeSandbox:
    """A Stripe for one machine; `url` is where it listens: `async with StripeSandbox() as sandbox`. Build it in the loop."""

    def __init__(self, settings: StripeSettings | None = None) -> None:
        self.settings = settings or StripeSettings()
        self.world = World(self.settings)
        self.faults = Faults()
        self.courier = Courier(self.world)
        self.world.told = self.courier.tell
        self.url = ""
        self._api = Api(self.world, self.faults)
        self._closing = asyncio.Event()
        self._ticking: asyncio.Task[None] | None = None
        self._state = State(self.settings.state, self.world) if self.settings.state else None
        app = web.Application(middlewares=[self._errors], client_max_size=_LARGEST)
        app.add_routes(Control(self.world, self.faults, self.courier).routes())
        app.add_routes(Front(self.world).routes())
        app.router.add_route("*", "/v1/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)

    @property
    def calls(self) -> dict[str, int]:
        """How many requests of each operation were let in."""
        return self._api.calls

    @property
    def events(self) -> list[Thing]:
        """Everything that has happened, oldest first."""
        return list(self.world.store.all("event"))

    def fail(self, operation: str, kind: Kind, times: int = 1, *, delay_s: float = 0.0) -> None:
        """Let the next requests go wrong, see `faults.Fault`."""
        self.faults.add(Fault(operation, kind, times, delay_s))

    def advance(self, seconds: float) -> int:
        """Move the sandbox's own clock on; everything that is due happens. Returns what time it is then."""
        now = self.world.clock.advance(seconds)
        advance_world(self.world)
        return now

    def send_events_to(self, url: str, secret: str = "", events: list[str] | None = None) -> str:
        """Make an endpoint with a secret that is known; its id."""
        return str(make_endpoint(self.world, url, secret or self.settings.webhook_secret, events or ["*"])["id"])

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.settings.host, self.settings.port, backlog=1024)
        await site.start()
        self.url = self.world.url = f"http://{self.settings.host}:{self._runner.addresses[0][1]}"
        if self._state is not None:
            self._state.restore()
        if self.settings.webhook_url:
            self.send_events_to(self.settings.webhook_url)
        self._ticking = asyncio.create_task(self._tick())

    async def close(self) -> None:
        """Stop time and deliveries, let go of those that hang, and stop listening."""
        self._closing.set()
        if self._ticking is not None:
            self._ticking.cancel()
            # What went wrong in the background is told now.
            with suppress(asyncio.CancelledError):
                await self._ticking
        await self.courier.close()
        await self._runner.cleanup()
        if self._state is not None and self.url:
            self._state.save()

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except OSError:
            await self.close()
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def _tick(self) -> None:
        ticks = 0
        while True:
            await asyncio.sleep(_TICK_S)
            advance_world(self.world)
            ticks += 1
            if self._state is not None and ticks % _SAVE_EVERY == 0:
                self._state.save()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Request(request.method, request.path, request.rel_url.raw_query_string, headers, await request.read())
        answer = self._api.answer(asked)
        if answer.delay_s:
            await asyncio.sleep(answer.delay_s)
        if answer.is_lost:
            raise ConnectionDrops
        return web.Response(status=answer.status, body=answer.body, headers=answer.headers)

    @web.middleware
    async def _errors(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refusal as refusal:
            return web.json_response(refusal.body(), status=refusal.status)
        except (ConnectionHangs, ConnectionDrops) as fate:
            if isinstance(fate, ConnectionHangs):
                await self._closing.wait()
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
