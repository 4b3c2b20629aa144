"""The calls resource of the API, version 2010-04-01."""

import asyncio
import re
from typing import Final

from aiohttp import web

from integrations.sandbox.twilio import refusals
from integrations.sandbox.twilio.calls import Call, CallBook, Detection, Instructions, RecordingWish
from integrations.sandbox.twilio.courier import Callback
from integrations.sandbox.twilio.door import Door, Pace, Route, Visit
from integrations.sandbox.twilio.exchange import Exchange
from integrations.sandbox.twilio.listing import is_equal, is_within, page_of
from integrations.sandbox.twilio.numbers import NumberBook
from integrations.sandbox.twilio.outcomes import CLIENT, Clients, Plan, plan_for
from integrations.sandbox.twilio.wording import Form, flag, gone, is_web_address, number, reply, text, words

E164: Final = re.compile(r"\+[1-9]\d{6,14}")
_IDENTITY: Final = re.compile(r"client:\S{1,121}")
_DEFAULT_RING_S: Final = 60
_AMD_MODES: Final = frozenset({"Enable", "DetectMessageEnd"})


class CallMaker:
    """What outgoing legs have in common, however they are asked for."""

    def __init__(self, account_sid: str, numbers: NumberBook, clients: Clients, pace: Pace) -> None:
        self._account_sid = account_sid
        self._numbers = numbers
        self._clients = clients
        self._pace = pace

    def plan_for(self, address: str) -> Plan:
        """Return what becomes of a call to a number or a browser."""
        if address.startswith(CLIENT):
            return self._clients.plan_for(address)
        return plan_for(address) if E164.fullmatch(address) else Plan("no number at all", ending="failed", rings=False)

    def make(self, form: Form) -> Call:
        """Return the call that a form asks for. Raises a refusal, also for the rate and the number's script."""
        to, from_ = text(form, "To"), text(form, "From")
        if not to:
            raise refusals.no_to()
        if not from_:
            raise refusals.no_from()
        to_client, from_client = bool(_IDENTITY.fullmatch(to)), bool(_IDENTITY.fullmatch(from_))
        if not to_client and (not E164.fullmatch(to) or plan_for(to).http == "invalid"):
            raise refusals.invalid_to(to)
        if not E164.fullmatch(from_) and not (from_client and to_client):
            raise refusals.invalid_from(from_)
        if not from_client and not self._numbers.may_be_shown(from_):
            raise refusals.foreign_from(from_)
        plan = self.plan_for(to)
        call = Call(
            account_sid=self._account_sid,
            to=to,
            from_=from_,
            plan=plan,
            ring_limit_s=number(form, "Timeout", _DEFAULT_RING_S),
            time_limit_s=number(form, "TimeLimit", 0),
            detection=_detection_of(form),
            recording=_recording_of(form),
            status_callback=callback_of(form, "StatusCallback", {"completed"}),
        )
        if plan.http == "rate_limited":
            raise refusals.too_many()
        self._pace.take()
        if plan.http == "error":
            raise refusals.broken()
        return call


class CallsApi:
    """The handlers of the resource."""

    def __init__(self, door: Door, book: CallBook, exchange: Exchange, maker: CallMaker) -> None:
        self._door = door
        self._book = book
        self._exchange = exchange
        self._maker = maker

    def routes(self) -> list[Route]:
        """Return the routes of the resource."""
        one = "/Calls/{sid:CA\\w+}.json"
        return [
            Route("POST", "/Calls.json", "calls.create", self.create),
            Route("GET", "/Calls.json", "calls.list", self.list),
            Route("GET", one, "calls.fetch", self.fetch),
            Route("POST", one, "calls.update", self.update),
            Route("DELETE", one, "calls.delete", self.delete),
        ]

    async def create(self, visit: Visit) -> web.StreamResponse:
        """Place a call."""
        instructions = _instructions_of(visit.form)
        if not instructions.twiml and not is_web_address(instructions.url):
            # Whom it is for is looked at first.
            _check_parties(visit.form)
            raise refusals.invalid_url(instructions.url)
        call = self._maker.make(visit.form)
        call.instructions = instructions
        self._book.add(call)
        resource = call.as_resource()
        self._exchange.dial(call)
        if call.plan.http == "lost":
            return await self._door.lose(visit.request)
        return reply(resource, 201)

    async def fetch(self, visit: Visit) -> web.StreamResponse:
        """Return one call."""
        return reply(self._find(visit).as_resource())

    async def update(self, visit: Visit) -> web.StreamResponse:
        """End a call, or give it other instructions: it leaves what it is in, and follows them."""
        call = self._find(visit)
        status = text(visit.form, "Status")
        if status not in ("", "completed", "canceled"):
            raise refusals.invalid_status(status)
        if call.is_over:
            raise refusals.not_in_progress()
        if status == "canceled" and call.status == "in-progress":
            raise refusals.not_in_progress()
        instructions = _instructions_of(visit.form)
        if visit.form.get("StatusCallback"):
            call.status_callback = callback_of(visit.form, "StatusCallback", call.status_callback.events or {"completed"})
        if status:
            self._exchange.end(call, "completed" if call.status == "in-progress" else "canceled")
        elif instructions.twiml or instructions.url:
            # An incoming call may be sent elsewhere while it still rings.
            if call.status != "in-progress" and call.direction != "inbound":
                raise refusals.not_in_progress()
            if not instructions.twiml and not is_web_address(instructions.url):
                raise refusals.invalid_url(instructions.url)
            self._exchange.redirect(call, instructions)
            # One turn of the loop is enough for the first verb to begin.
            await asyncio.sleep(0)
        return reply(call.as_resource())

    async def list(self, visit: Visit) -> web.StreamResponse:
        """Return a page of calls, newest first."""
        query = visit.request.query
        matching = (
            call
            for call in self._book.newest_first(query.get("To"))
            if is_equal(query, To=call.to, From=call.from_, Status=call.status, ParentCallSid=call.parent_sid or "")
            and is_within(call.started_at, query, "StartTime")
            and is_within(call.ended_at, query, "EndTime")
        )
        return reply(page_of("calls", matching, visit.request.path, query))

    async def delete(self, visit: Visit) -> web.StreamResponse:
        """Forget a call that is over."""
        call = self._find(visit)
        if not call.is_over:
            raise refusals.Refusal(400, 20009, "Cannot delete this resource before it is complete")
        self._book.remove(call.sid)
        return gone()

    def _find(self, visit: Visit) -> Call:
        call = self._book.get(visit.part("sid"))
        if call is None:
            raise visit.not_found()
        return call


def callback_of(form: Form, name: str, usual: "set[str] | frozenset[str]") -> Callback:
    """Return where events go: three fields with a common beginning. Raises the refusal of a bad address."""
    url = text(form, name)
    if url and not is_web_address(url):
        raise refusals.invalid_callback(url)
    method = "GET" if text(form, f"{name}Method").upper() == "GET" else "POST"
    return Callback(url, method, words(form, f"{name}Event", usual))


def _check_parties(form: Form) -> None:
    if not text(form, "To"):
        raise refusals.no_to()
    if not text(form, "From"):
        raise refusals.no_from()


def _instructions_of(form: Form) -> Instructions:
    method = "GET" if text(form, "Method").upper() == "GET" else "POST"
    fallback_method = "GET" if text(form, "FallbackMethod").upper() == "GET" else "POST"
    twiml = text(form, "Twiml")
    # Where both are given, Twilio follows the document.
    url = "" if twiml else text(form, "Url")
    return Instructions(twiml, url, method, text(form, "FallbackUrl"), fallback_method)


def _detection_of(form: Form) -> Detection | None:
    mode = text(form, "MachineDetection")
    if mode not in _AMD_MODES:
        return None
    # Participants have a name of their own for the same callback.
    name = "AmdStatusCallback" if text(form, "AmdStatusCallback") else "AsyncAmdStatusCallback"
    callback = callback_of(form, name, set())
    told = Callback(callback.url, callback.method, frozenset({"amd"}))
    return Detection(mode == "DetectMessageEnd", flag(form, "AsyncAmd") or name == "AmdStatusCallback", told)


def _recording_of(form: Form) -> RecordingWish | None:
    if not flag(form, "Record"):
        return None
    channels = 2 if text(form, "RecordingChannels") == "dual" else 1
    callback = callback_of(form, "RecordingStatusCallback", {"completed"})
    return RecordingWish(channels, "OutboundAPI", callback, text(form, "RecordingTrack") or "both")
