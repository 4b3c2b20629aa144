"""What Stripe does not have: a page to read, and handles to make things happen and to see what did. No credentials."""

from dataclasses import asdict
from html import escape
from typing import Any, cast

import orjson
from aiohttp import web

from integrations.sandbox.stripe.cards import TEST_CARDS
from integrations.sandbox.stripe.faults import KINDS, Fault, Faults, Kind
from integrations.sandbox.stripe.notifying import Courier, make_endpoint, rotate
from integrations.sandbox.stripe.pages import framed
from integrations.sandbox.stripe.refusals import Refusal, invalid
from integrations.sandbox.stripe.renewing import advance_world
from integrations.sandbox.stripe.store import Thing
from integrations.sandbox.stripe.world import World

_SETTINGS = ("retry_after_days", "after_retries", "webhook_retry_s", "webhook_tries", "requests_per_s")


class Control:
    """The page and the handles of the sandbox itself."""

    def __init__(self, world: World, faults: Faults, courier: Courier) -> None:
        self._world = world
        self._faults = faults
        self._courier = courier

    def routes(self) -> list[web.RouteDef]:
        """Return the sandbox's own routes."""
        return [
            web.get("/", self.page),
            web.get("/_sandbox/clock", self.clock),
            web.post("/_sandbox/clock", self.advance),
            web.get("/_sandbox/things/{kind}", self.things),
            web.post("/_sandbox/cards/{id}", self.change_card),
            web.get("/_sandbox/deliveries", self.deliveries),
            web.post("/_sandbox/deliveries", self.habit),
            web.post("/_sandbox/deliveries/release", self.release),
            web.post("/_sandbox/events/{id}/resend", self.resend),
            web.post("/_sandbox/webhooks", self.add_endpoint),
            web.post("/_sandbox/webhooks/{id}/rotate", self.rotate),
            web.put("/_sandbox/settings", self.settings),
            web.get("/_sandbox/faults", self.faults),
            web.post("/_sandbox/faults", self.add_fault),
            web.delete("/_sandbox/faults", self.clear_faults),
        ]

    async def page(self, request: web.Request) -> web.Response:
        """Show what each card does."""
        rows = "".join(
            f"<tr><th>{card.number}</th><th>{escape(card.names[0])}</th><td>{escape(card.habit)}</td></tr>" for card in TEST_CARDS
        )
        return web.Response(text=framed("Stripe sandbox", f"<table>{rows}</table>"), content_type="text/html")

    async def clock(self, request: web.Request) -> web.Response:
        """Tell what time it is here."""
        return _told({"now": self._world.clock.now(), "speed": self._world.clock.speed})

    async def advance(self, request: web.Request) -> web.Response:
        """Move on by `{"seconds"}`: everything that is due until then happens, in order."""
        seconds = (await _body(request)).get("seconds")
        if not isinstance(seconds, int | float) or not 0 < seconds < 10**9:
            raise invalid("`seconds` must be a positive number.", "seconds")
        now = self._world.clock.advance(seconds)
        advance_world(self._world)
        return _told({"now": now})

    async def things(self, request: web.Request) -> web.Response:
        """Return all things of a kind, such as `subscription`, with what is the sandbox's own."""
        return _told({"things": list(self._world.store.all(request.match_info["kind"]))})

    async def change_card(self, request: web.Request) -> web.Response:
        """Let a card that is attached do something else from now on: `{"habit"}`: pays, later or authenticated."""
        body, card_id = await _body(request), request.match_info["id"]
        habit = body.get("habit")
        if habit not in ("pays", "later", "authenticated"):
            raise invalid("`habit` must be pays, later or authenticated.", "habit")
        with self._world.work() as work:
            method = work.get("payment_method", card_id, "id", status=404)
            method |= {"_habit": habit, "_reason": "generic_decline"}
        return _told({"id": card_id, "habit": habit})

    async def deliveries(self, request: web.Request) -> web.Response:
        """Return what was sent to endpoints, oldest first, and what became of it."""
        return _told({"deliveries": [asdict(each) for each in self._courier.log], "waiting": self._courier.waiting})

    async def habit(self, request: web.Request) -> web.Response:
        """Let deliveries go wrong: `{"copies", "reversed_by", "is_sent", "skew_s"}`."""
        for name, value in (await _body(request)).items():
            if name not in ("copies", "reversed_by", "is_sent", "skew_s") or not isinstance(value, int):
                raise invalid("Deliveries have no such habit.", name)
            setattr(self._courier.habit, name, value)
        return _told(asdict(self._courier.habit))

    async def release(self, request: web.Request) -> web.Response:
        """Send what is held back, the latest first."""
        self._courier.release()
        return _told({"waiting": self._courier.waiting})

    async def resend(self, request: web.Request) -> web.Response:
        """Send an event again."""
        self._courier.resend(self._find(request.match_info["id"], "event"))
        return _told({"waiting": self._courier.waiting})

    async def add_endpoint(self, request: web.Request) -> web.Response:
        """Make an endpoint with a secret that is known: `{"url", "secret", "events"}`."""
        body = await _body(request)
        url, secret, events = (
            body.get("url"),
            body.get("secret") or self._world.settings.webhook_secret,
            body.get("events") or ["*"],
        )
        if not isinstance(url, str) or not isinstance(secret, str) or not isinstance(events, list):
            raise invalid("`url` and `secret` are strings, `events` a list of them.", "url")
        return _told({"id": make_endpoint(self._world, url, secret, events)["id"]}, 201)

    async def rotate(self, request: web.Request) -> web.Response:
        """Give an endpoint a new secret; the old one is good for `{"keep_s"}` more seconds."""
        keep_s = (await _body(request)).get("keep_s", 24 * 3_600)
        if not isinstance(keep_s, int) or keep_s < 0:
            raise invalid("`keep_s` must be a number of seconds.", "keep_s")
        return _told({"secret": rotate(self._find(request.match_info["id"], "webhook_endpoint"), keep_s)})

    async def settings(self, request: web.Request) -> web.Response:
        """Change `retry_after_days`, `after_retries`, `webhook_retry_s`, `webhook_tries` or `requests_per_s`."""
        for name, value in (await _body(request)).items():
            if name not in _SETTINGS:
                raise invalid("There is no such setting.", name)
            usual = getattr(self._world.settings, name)
            if isinstance(usual, tuple):
                fits = isinstance(value, list) and all(isinstance(each, int | float) for each in value)
            elif isinstance(usual, str):
                fits = value in ("cancel", "unpaid", "past_due")
            else:
                fits = isinstance(value, int | float)
            if not fits:
                raise invalid("The setting can't be that.", name)
            setattr(self._world.settings, name, tuple(value) if isinstance(value, list) else value)
        return _told({name: getattr(self._world.settings, name) for name in _SETTINGS})

    async def faults(self, request: web.Request) -> web.Response:
        """Return the faults that are still to come."""
        return _told({"faults": [asdict(each) for each in self._faults.waiting]})

    async def add_fault(self, request: web.Request) -> web.Response:
        """Let something go wrong: `{"operation", "kind", "times", "delay_s"}`."""
        body = await _body(request)
        kind, operation = body.get("kind"), body.get("operation", "*")
        times, delay_s = body.get("times", 1), body.get("delay_s", 0.0)
        if kind not in KINDS:
            raise invalid(f"`kind` must be one of {', '.join(sorted(KINDS))}.", "kind")
        if not isinstance(operation, str) or not isinstance(times, int) or not isinstance(delay_s, int | float):
            raise invalid("`operation` is a string, `times` and `delay_s` are numbers.", "operation")
        self._faults.add(Fault(operation, cast(Kind, kind), times, float(delay_s)))
        return _told({"waiting": len(self._faults.waiting)}, 201)

    async def clear_faults(self, request: web.Request) -> web.Response:
        """Let everything go right again."""
        self._faults.clear()
        return _told({"waiting": 0})

    def _find(self, thing_id: str, kind: str) -> Thing:
        found = self._world.store.find(thing_id)
        if found is None or found["object"] != kind:
            raise Refusal(f"No such {kind}: '{thing_id}'", status=404)
        return found


def _told(body: dict[str, Any], status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(body), status=status, content_type="application/json")


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = orjson.loads(await request.read() or b"{}")
    except orjson.JSONDecodeError:
        raise invalid("The body must be JSON.") from None
    if not isinstance(body, dict):
        raise invalid("The body must be an object.")
    return body
