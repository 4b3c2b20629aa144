"""The calls resource of the API, version 2010-04-01."""

import asyncio
import base64
import binascii
import hmac
import re
import time
from collections import deque
from typing import Any, Final

from aiohttp import web
from multidict import MultiDictProxy
from yarl import URL

from integrations.sandbox.twilio import refusals
from integrations.sandbox.twilio.calls import API_VERSION, Call, CallBook, new_sid
from integrations.sandbox.twilio.exchange import Exchange
from integrations.sandbox.twilio.listing import page_of
from integrations.sandbox.twilio.outcomes import plan_for
from integrations.sandbox.twilio.settings import SandboxSettings

_E164: Final = re.compile(r"\+[1-9]\d{6,14}")
_DEFAULT_RING_S: Final = 60


class CallsApi:
    """The handlers, and the rules that stand before them."""

    def __init__(self, settings: SandboxSettings, book: CallBook, exchange: Exchange) -> None:
        self._settings = settings
        self._book = book
        self._exchange = exchange
        self._created: deque[float] = deque()
        self._closing = asyncio.Event()

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the resource."""
        root = f"/{API_VERSION}/Accounts/{{account}}"
        return [
            web.post(f"{root}/Calls.json", self.create),
            web.get(f"{root}/Calls.json", self.list),
            web.get(f"{root}/Calls/{{sid:CA\\w+}}.json", self.fetch),
            web.post(f"{root}/Calls/{{sid:CA\\w+}}.json", self.update),
        ]

    def release(self) -> None:
        """Let go of the requests that are being kept waiting."""
        self._closing.set()

    async def create(self, request: web.Request) -> web.Response:
        """Place a call."""
        form = await self._admit(request)
        call = self._call_of(form)
        if call.plan.http == "rate_limited" or not self._has_room():
            raise refusals.too_many()
        if call.plan.http == "error":
            raise refusals.broken()
        self._book.add(call)
        resource = call.as_resource()
        self._exchange.dial(call)
        if call.plan.http == "lost":
            await self._lose(request)
        return web.json_response(resource, status=201)

    async def fetch(self, request: web.Request) -> web.Response:
        """Return one call."""
        await self._admit(request)
        return web.json_response(self._find(request).as_resource())

    async def update(self, request: web.Request) -> web.Response:
        """End a call, or give it other TwiML."""
        form = await self._admit(request)
        call = self._find(request)
        status = _text(form, "Status")
        if status not in ("", "completed", "canceled"):
            raise refusals.invalid_status(status)
        if call.is_over:
            raise refusals.not_in_progress()
        if status == "canceled" and call.status == "in-progress":
            raise refusals.not_in_progress()
        if status:
            self._exchange.end(call, "completed" if call.status == "in-progress" else "canceled")
        elif twiml := _text(form, "Twiml"):
            if call.status != "in-progress":
                raise refusals.not_in_progress()
            call.twiml = twiml
            if "<Hangup" in twiml:
                self._exchange.end(call, "completed")
        return web.json_response(call.as_resource())

    async def list(self, request: web.Request) -> web.Response:
        """Return a page of calls, newest first."""
        await self._admit(request)
        return web.json_response(page_of(self._book.newest_first(), request.path, request.query))

    async def _admit(self, request: web.Request) -> MultiDictProxy[Any]:
        credentials = _basic_credentials(request.headers.get("Authorization", ""))
        expected = f"{self._settings.account_sid}:{self._settings.auth_token}".encode()
        if not hmac.compare_digest(credentials, expected):
            raise refusals.unauthenticated()
        if request.match_info["account"] != self._settings.account_sid:
            raise refusals.not_found(request.path)
        return await request.post()

    def _find(self, request: web.Request) -> Call:
        call = self._book.get(request.match_info["sid"])
        if call is None:
            raise refusals.not_found(request.path)
        return call

    def _call_of(self, form: MultiDictProxy[Any]) -> Call:
        to, from_ = _text(form, "To"), _text(form, "From")
        if not to:
            raise refusals.no_to()
        if not from_:
            raise refusals.no_from()
        if not _E164.fullmatch(to) or plan_for(to).http == "invalid":
            raise refusals.invalid_to(to)
        if not _E164.fullmatch(from_):
            raise refusals.invalid_from(from_)
        if self._settings.from_numbers is not None and from_ not in self._settings.from_numbers:
            raise refusals.foreign_from(from_)
        url, twiml, callback = _text(form, "Url"), _text(form, "Twiml"), _text(form, "StatusCallback")
        if not twiml and not _is_web_address(url):
            raise refusals.invalid_url(url)
        if callback and not _is_web_address(callback):
            raise refusals.invalid_callback(callback)
        ring_limit = _text(form, "Timeout")
        return Call(
            account_sid=self._settings.account_sid,
            to=to,
            from_=from_,
            plan=plan_for(to),
            ring_limit_s=int(ring_limit) if ring_limit.isdigit() else _DEFAULT_RING_S,
            detects_machine=_text(form, "MachineDetection") in ("Enable", "DetectMessageEnd"),
            twiml=twiml,
            status_callback=callback,
            status_callback_method=_text(form, "StatusCallbackMethod") or "POST",
            status_callback_events=frozenset(map(str, form.getall("StatusCallbackEvent", ["completed"]))),
        )

    def _has_room(self) -> bool:
        now = time.monotonic()
        while self._created and self._created[0] <= now - 1.0:
            self._created.popleft()
        if len(self._created) >= self._settings.calls_per_s:
            return False
        self._created.append(now)
        return True

    async def _lose(self, request: web.Request) -> None:
        try:
            async with asyncio.timeout(self._settings.hang_s):
                await self._closing.wait()
        except TimeoutError:
            pass
        if request.transport is not None:
            request.transport.abort()


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


def _text(form: MultiDictProxy[Any], name: str) -> str:
    return str(form.get(name, "")).strip()


def _basic_credentials(header: str) -> bytes:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _is_web_address(text: str) -> bool:
    try:
        url = URL(text)
    except ValueError:
        return False
    return url.scheme in ("http", "https") and bool(url.host)
