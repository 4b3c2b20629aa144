"""What Twilio does not have: a page to read, a hand on the other end of the line, and a look into every room."""

from dataclasses import asdict
from html import escape
from typing import Any, Final, cast

from aiohttp import web

from integrations.sandbox.twilio import refusals
from integrations.sandbox.twilio.calls import Call, CallBook
from integrations.sandbox.twilio.conferences import Conference, Conferences
from integrations.sandbox.twilio.exchange import Exchange
from integrations.sandbox.twilio.faults import KINDS, Fault, Faults, Kind
from integrations.sandbox.twilio.messages import message_table
from integrations.sandbox.twilio.outcomes import Clients, table
from integrations.sandbox.twilio.wording import reply

_PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Twilio sandbox</title>
<style>
  :root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }}
  body {{ max-width: 46rem; margin: 2rem auto; padding: 0 1rem }}
  th {{ text-align: left; font: 0.9rem ui-monospace, monospace; padding: 0.2rem 1.5rem 0.2rem 0; vertical-align: top }}
</style>
<h1>Twilio sandbox</h1>
<p>No call made here reaches a telephone. The number called decides what happens; scripted numbers come
first, every other number goes by its last digit.</p>
<table>{rows}</table>
<p>Messages are delivered, but for these:</p>
<table>{messages}</table>
<p><a href="/_sandbox/calls">The calls so far</a>, <a href="/_sandbox/conferences">the conferences</a>.
<code>POST /_sandbox/calls/&lt;sid&gt;/&lt;event&gt;</code> plays the contact: {events}.</p>
</html>
"""

# What a contact can do, and the status a call ends with. Hanging up is told apart below.
_ENDINGS: Final = {"busy": "busy", "no-answer": "no-answer", "fail": "failed", "hangup": "completed"}


class Inspection:
    """The pages and handles of the sandbox itself."""

    def __init__(self, book: CallBook, exchange: Exchange, conferences: Conferences, clients: Clients, faults: Faults) -> None:
        self._book = book
        self._exchange = exchange
        self._conferences = conferences
        self._clients = clients
        self._faults = faults

    def routes(self) -> list[web.RouteDef]:
        """Return the sandbox's own routes."""
        return [
            web.get("/", self.page),
            web.get("/_sandbox/calls", self.calls),
            web.get("/_sandbox/calls/{sid}", self.call),
            web.post("/_sandbox/calls/{sid}/digits", self.press),
            web.post("/_sandbox/calls/{sid}/{event}", self.act),
            web.get("/_sandbox/conferences", self.conferences),
            web.get("/_sandbox/faults", self.faults),
            web.post("/_sandbox/faults", self.add_fault),
            web.delete("/_sandbox/faults", self.clear_faults),
            web.post("/_sandbox/clients", self.register),
            web.delete("/_sandbox/clients/{identity}", self.unregister),
        ]

    async def page(self, request: web.Request) -> web.Response:
        """Show what each number does."""
        events = ", ".join(f"<code>{event}</code>" for event in ("answer", *_ENDINGS))
        return web.Response(
            text=_PAGE.format(rows=_rows(table()), messages=_rows(message_table()), events=events), content_type="text/html"
        )

    async def calls(self, request: web.Request) -> web.Response:
        """Return the calls, newest first, each with its script and its callbacks."""
        return reply({"calls": [described(call) for call in self._book.newest_first()]})

    async def call(self, request: web.Request) -> web.Response:
        """Return one call in the same way."""
        return reply(described(self._find(request)))

    async def act(self, request: web.Request) -> web.Response:
        """Do something as the one who is called. 409 when the call is past it."""
        call = self._find(request)
        event = request.match_info["event"]
        if event not in ("answer", *_ENDINGS):
            raise refusals.not_found(request.path)
        # Declining a ringing phone reads as busy on the other side.
        ending = "busy" if event == "hangup" and call.status != "in-progress" else _ENDINGS.get(event, "")
        done = self._exchange.end(call, ending) if ending else self._exchange.answer(call)
        return reply(described(call), 200 if done else 409)

    async def press(self, request: web.Request) -> web.Response:
        """Press keys, `{"digits": "12#"}`, as the one at the other end."""
        call = self._find(request)
        call.pressed += str((await json_body(request)).get("digits", ""))
        call.key_pressed.set()
        return reply(described(call), 409 if call.is_over else 200)

    async def conferences(self, request: web.Request) -> web.Response:
        """Return the live conferences (`?all=true`: the ended ones, too): who is in, and who hears whom."""
        asked = request.query
        shown = self._conferences.newest_first() if asked.get("all") == "true" else self._conferences.live()
        found = [_room(each) for each in shown if asked.get("name", each.name) == each.name]
        return reply({"conferences": found})

    async def faults(self, request: web.Request) -> web.Response:
        """Return the faults that are still to come."""
        return reply({"faults": [asdict(fault) for fault in self._faults.waiting]})

    async def add_fault(self, request: web.Request) -> web.Response:
        """Let the next requests go wrong: `{"operation", "kind", "times", "delay_s"}`."""
        body = await json_body(request)
        kind = str(body.get("kind", "500"))
        if kind not in KINDS:
            raise refusals.Refusal(400, 20001, f"kind is one of {', '.join(sorted(KINDS))}")
        operation = str(body.get("operation", "*"))
        times, delay_s = number_in(body, "times", 1), number_in(body, "delay_s", 0.0)
        self._faults.add(Fault(operation, cast(Kind, kind), int(times or 1), delay_s or 0.0))
        return await self.faults(request)

    async def clear_faults(self, request: web.Request) -> web.Response:
        """Let everything go right again."""
        self._faults.clear()
        return await self.faults(request)

    async def register(self, request: web.Request) -> web.Response:
        """Register a browser, `{"identity", "answer_after_s"}`: null lets it ring until it is answered by hand."""
        body = await json_body(request)
        after = number_in(body, "answer_after_s", 0.5)
        self._clients.register(str(body.get("identity", "")), after)
        return reply({"identity": body.get("identity"), "answer_after_s": after}, 201)

    async def unregister(self, request: web.Request) -> web.Response:
        """Take a registration back."""
        if not self._clients.forget(request.match_info["identity"]):
            raise refusals.not_found(request.path)
        return web.Response(status=204)

    def _find(self, request: web.Request) -> Call:
        call = self._book.get(request.match_info["sid"])
        if call is None:
            raise refusals.not_found(request.path)
        return call


async def json_body(request: web.Request) -> dict[str, Any]:
    """Return the JSON object that was sent. Raises a refusal when there is none."""
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise refusals.Refusal(400, 20001, "A JSON object was expected")
    return body


def number_in(body: dict[str, Any], name: str, default: float | None) -> float | None:
    """Return a number of a JSON object, or None where null is sent. Raises a refusal of anything else."""
    value = body.get(name, default)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise refusals.Refusal(400, 20001, f"{name} is a number")
    return None if value is None else float(value)


def _rows(rules: list[tuple[str, str]]) -> str:
    return "".join(f"<tr><th>{escape(who)}</th><td>{escape(says, quote=False)}</td></tr>" for who, says in rules)


def described(call: Call) -> dict[str, Any]:
    """Return a call with what Twilio would not tell of it."""
    callbacks = [asdict(delivery) | {"at": delivery.at.isoformat()} for delivery in call.deliveries]
    return call.as_resource() | {
        "plan": call.plan.says,
        "twiml": call.twiml,
        "url": call.instructions.url,
        "heard": call.heard,
        "warnings": call.warnings,
        "callbacks": callbacks,
    }


def _room(conference: Conference) -> dict[str, Any]:
    callbacks = [asdict(delivery) | {"at": delivery.at.isoformat()} for delivery in conference.deliveries]
    participants = [
        {
            "call_sid": each.sid,
            "to": each.call.to,
            "label": each.label or None,
            "status": each.status,
            "muted": each.muted,
            "hold": each.hold,
            "coaches": each.coach_sid or None,
            "end_conference_on_exit": each.ends,
            "hears": [speaker.sid for speaker in conference.heard_by(each)],
            "announced": each.announced,
        }
        for each in conference.seats.values()
    ]
    return conference.as_resource() | {"participants": participants, "callbacks": callbacks}
