"""The way in: who is asking, what goes wrong on request, and refusals in Twilio's words."""

import asyncio
import base64
import binascii
import hmac
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from integrations.sandbox.twilio import refusals
from integrations.sandbox.twilio.faults import Faults
from integrations.sandbox.twilio.settings import SandboxSettings
from integrations.sandbox.twilio.wording import API_VERSION, Form, new_sid

_ROOT: Final = f"/{API_VERSION}/Accounts/{{account}}"


@dataclass(frozen=True, slots=True)
class Visit:
    """A request that was let in."""

    request: web.Request
    form: Form

    def part(self, name: str) -> str:
        """Return a part of the path."""
        return self.request.match_info[name]

    def not_found(self) -> refusals.Refusal:
        """Return the refusal for what is not there."""
        return refusals.not_found(self.request.path)


Handle = Callable[[Visit], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation of the API. `path` follows the account's."""

    method: str
    path: str
    operation: str
    handle: Handle


class Pace:
    """How many calls may be made a second."""

    def __init__(self, per_s: float) -> None:
        self._per_s = per_s
        self._made: deque[float] = deque()

    def take(self) -> None:
        """Count one. Raises the refusal 429 when there were too many within the last second."""
        now = time.monotonic()
        while self._made and self._made[0] <= now - 1.0:
            self._made.popleft()
        if len(self._made) >= self._per_s:
            raise refusals.too_many()
        self._made.append(now)


class Door:
    """Lets requests in: checks the credentials, and makes the faults that were asked for."""

    def __init__(self, settings: SandboxSettings, faults: Faults) -> None:
        self._settings = settings
        self._faults = faults
        self._closing = asyncio.Event()
        self._expected = f"{settings.account_sid}:{settings.auth_token}".encode()

    def close(self) -> None:
        """Let go of the requests that are being kept waiting."""
        self._closing.set()

    def lead_to(self, routes: Iterable[Route]) -> list[web.RouteDef]:
        """Return the routes behind the door."""
        return [web.route(route.method, _ROOT + route.path, self._opening_to(route)) for route in routes]

    async def lose(self, request: web.Request) -> web.Response:
        """Never answer: break the connection off in the end."""
        try:
            async with asyncio.timeout(self._settings.hang_s):
                await self._closing.wait()
        except TimeoutError:
            pass
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    def _opening_to(self, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def enter(request: web.Request) -> web.StreamResponse:
            if not hmac.compare_digest(_basic_credentials(request.headers.get("Authorization", "")), self._expected):
                raise refusals.unauthenticated()
            if request.match_info["account"] != self._settings.account_sid:
                raise refusals.not_found(request.path)
            visit = Visit(request, await request.post())
            fault = self._faults.next_for(route.operation) if self._faults.waiting else None
            if fault is None:
                return await route.handle(visit)
            if fault.kind == "500":
                raise refusals.broken()
            if fault.kind == "429":
                raise refusals.too_many(max(1, round(fault.delay_s)))
            if fault.kind == "hang":
                return await self.lose(request)
            response = await route.handle(visit)
            if fault.kind == "lost":
                return await self.lose(request)
            await asyncio.sleep(fault.delay_s)
            return response

        return enter


@web.middleware
async def twilio_errors(request: web.Request, handler: Any) -> web.StreamResponse:
    """Answer refusals, and paths that do not exist, as Twilio does."""
    try:
        response: web.StreamResponse = await handler(request)
    except refusals.Refusal as refusal:
        response = refusal.response()
    except web.HTTPNotFound:
        response = refusals.not_found(request.path).response()
    except web.HTTPMethodNotAllowed:
        response = refusals.Refusal(405, 20004, "Method not allowed").response()
    response.headers["Twilio-Request-Id"] = new_sid("RQ")
    return response


def _basic_credentials(header: str) -> bytes:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return b""
