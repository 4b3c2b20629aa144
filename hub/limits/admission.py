"""All limits of one process, and the middleware that asks them before anything else looks at a request."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from uuid import UUID

from aiohttp import web
from aiohttp.typedefs import Middleware
from redis.asyncio import Redis

from hub.config import Network
from hub.errors import HubError, TooMany
from hub.http.caller import caller_of
from hub.http.endpoint import Endpoint
from hub.limits.doorman import Doorman
from hub.limits.gate import Counted, Gate
from hub.limits.limiter import AddressLimit, Limited, Limiter
from hub.limits.seats import SEAT, Full, Seats
from hub.limits.settings import Limits
from hub.limits.shared import Shared

# Of a pool's connections, so many are never one company's: others find one at once.
RESERVE = 4

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class UnsupportedEncoding(HubError):
    """A compressed body: a few of its bytes could be very many."""

    code = "unsupported_encoding"
    status = 415

    @property
    def headers(self) -> dict[str, str]:
        """RFC 9110, section 15.5.16: say what is taken."""
        return {"Accept-Encoding": "identity"}


class Admission:
    """The limits of one process. `slots` are the connections of the pool that members' requests use."""

    def __init__(self, limits: Limits, trusted: tuple[Network, ...] = (), *, slots: int = 16) -> None:
        self.limits = limits
        self.limiter = Limiter(limits)
        self.seats = Seats(self.limiter)
        self.doorman = Doorman(limits, trusted)
        self.gate = Gate(slots, reserve=RESERVE, queue=limits.queue_tenant) if limits.enforced else None
        self._uploads = Counted(limits.uploads_tenant)
        self._trusted = trusted
        self._shared: Shared | None = None

    def start(self, redis: Redis) -> None:
        """Count together with the other processes, and look after the connections."""
        self.doorman.start()
        if self.limits.enforced:
            self._shared = Shared(self.limiter.meters, redis)
            self._shared.start()

    async def stop(self) -> None:
        """Stop both."""
        await self.doorman.stop()
        if self._shared is not None:
            await self._shared.stop()
            self._shared = None

    # -- what the edge asks

    def stranger(self, request: web.Request, cost: float = 1.0, by: AddressLimit = "address") -> None:
        """Count a request without a good token. Raises Limited."""
        if self.limits.enforced:
            self.limiter.address(self.address_of(request), cost, by)

    @asynccontextmanager
    async def upload(self, tenant_id: UUID) -> AsyncIterator[None]:
        """A file that is taken in. Raises TooMany when the company has several under way."""
        if not self.limits.enforced:
            yield
            return
        if not self._uploads.take(tenant_id):
            message = f"Your company is sending {self.limits.uploads_tenant} files already. Try again when one is done."
            raise TooMany(message, retry_after_s=5, code="too_many_uploads")
        try:
            yield
        finally:
            self._uploads.give_back(tenant_id)

    # -- around every request

    def middleware(self) -> Middleware:
        """Stands inside the one that turns errors into answers."""

        @web.middleware
        async def admit(request: web.Request, handler: Handler) -> web.StreamResponse:
            guest = self.doorman.begins(request)
            path = request.path
            try:
                if "Content-Encoding" in request.headers and request.headers["Content-Encoding"].lower() != "identity":
                    raise UnsupportedEncoding("Send the body as it is, without a Content-Encoding.")
                if path.startswith("/api/v1/") or path in ("/healthz", "/readyz"):
                    return await handler(request)
                if not path.startswith("/socket.io/"):
                    if not path.startswith(("/webhooks/", "/u/", "/t/", "/oauth/")):  # those are endpoints, and counted as such
                        self.stranger(request, by="pages")
                    return await handler(request)
                seat = await self.seats.knock(self.address_of(request))
                request[SEAT] = seat
                if guest is not None:
                    self.doorman.talks(guest)
                try:
                    return await handler(request)
                finally:
                    seat.leave()
            except (Limited, Full) as refusal:
                refusal.hang_up = not await self.limiter.hold(refusal)
                raise
            finally:
                if guest is not None:
                    self.doorman.ends(guest)

        return admit

    def address_of(self, request: web.Request) -> str:
        """Where a request comes from; trusted proxies are looked through."""
        return caller_of(request, self._trusted)[0]


def counts_as(endpoint: Endpoint) -> AddressLimit:
    """The limit by address that an endpoint without a token counts towards."""
    if endpoint.path.startswith("/webhooks/"):
        return "webhooks"
    return "pages" if endpoint.path.startswith(("/u/", "/t/", "/api/v1/media/")) else "address"
