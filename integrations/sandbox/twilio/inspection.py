"""What Twilio does not have: a page to read, and a hand on the contact's end of the line."""

from dataclasses import asdict
from html import escape
from typing import Any, Final

from aiohttp import web

from integrations.sandbox.twilio import refusals
from integrations.sandbox.twilio.calls import Call, CallBook
from integrations.sandbox.twilio.exchange import Exchange
from integrations.sandbox.twilio.outcomes import table

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
<p><a href="/_sandbox/calls">The calls so far</a>. <code>POST /_sandbox/calls/&lt;sid&gt;/&lt;event&gt;</code> plays
the contact: {events}.</p>
</html>
"""

# What a contact can do, and the status a call ends with. Hanging up is told apart below.
_ENDINGS: Final = {"busy": "busy", "no-answer": "no-answer", "fail": "failed", "hangup": "completed"}


class Inspection:
    """The pages and handles of the sandbox itself."""

    def __init__(self, book: CallBook, exchange: Exchange) -> None:
        self._book = book
        self._exchange = exchange

    def routes(self) -> list[web.RouteDef]:
        """Return the sandbox's own routes."""
        return [
            web.get("/", self.page),
            web.get("/_sandbox/calls", self.calls),
            web.post("/_sandbox/calls/{sid}/{event}", self.act),
        ]

    async def page(self, request: web.Request) -> web.Response:
        """Show what each number does."""
        rows = "".join(f"<tr><th>{escape(who)}</th><td>{escape(says)}</td></tr>" for who, says in table())
        events = ", ".join(f"<code>{event}</code>" for event in ("answer", *_ENDINGS))
        return web.Response(text=_PAGE.format(rows=rows, events=events), content_type="text/html")

    async def calls(self, request: web.Request) -> web.Response:
        """Return the calls, newest first, each with its script and its callbacks."""
        return web.json_response({"calls": [_described(call) for call in self._book.newest_first()]})

    async def act(self, request: web.Request) -> web.Response:
        """Do something as the contact. 409 when the call is past it."""
        call = self._book.get(request.match_info["sid"])
        event = request.match_info["event"]
        if call is None or event not in ("answer", *_ENDINGS):
            raise refusals.not_found(request.path)
        # Declining a ringing phone reads as busy on the other side.
        ending = "busy" if event == "hangup" and call.status != "in-progress" else _ENDINGS.get(event, "")
        done = self._exchange.end(call, ending) if ending else self._exchange.answer(call)
        return web.json_response(_described(call), status=200 if done else 409)


def _described(call: Call) -> dict[str, Any]:
    callbacks = [asdict(delivery) | {"at": delivery.at.isoformat()} for delivery in call.deliveries]
    return call.as_resource() | {"plan": call.plan.says, "twiml": call.twiml, "callbacks": callbacks}
