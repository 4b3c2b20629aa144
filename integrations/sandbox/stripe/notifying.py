"""Events and webhook endpoints: signed deliveries that are repeated until somebody takes them.

https://docs.stripe.com/webhooks#verify-manually: `t=<seconds>,v1=<HMAC-SHA256 of "<seconds>.<body>">`, one v1 a secret.
"""

import asyncio
import hashlib
import hmac
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from aiohttp import ClientError, ClientSession, ClientTimeout

from integrations.sandbox.stripe.asking import Ask, Handler, deleted, merge_metadata
from integrations.sandbox.stripe.refusals import invalid
from integrations.sandbox.stripe.shapes import shown
from integrations.sandbox.stripe.store import Thing
from integrations.sandbox.stripe.world import World, random_text

_TIMEOUT_S: Final = 10.0
_KEPT: Final = 5_000
_LONGEST_PAUSE_S: Final = 60.0


def signature(body: bytes, secrets: list[str], at: int) -> str:
    """Return the `Stripe-Signature` of a body, one v1 for every secret."""
    signed = f"{at}.".encode() + body
    found = [hmac.new(each.encode(), signed, hashlib.sha256).hexdigest() for each in secrets]
    return ",".join([f"t={at}", *(f"v1={each}" for each in found)])


@dataclass(slots=True)
class Delivery:
    """An event on its way to an endpoint: the status of every attempt, 0 where nobody answered."""

    event: str
    kind: str
    endpoint: str
    statuses: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Habit:
    """How deliveries go wrong: each `copies` times; held back and sent backwards `reversed_by` at a time; not at all."""

    copies: int = 1
    reversed_by: int = 0
    is_sent: bool = True
    # Added to the signature's time, in seconds: a replay from the past, or a clock that is wrong.
    skew_s: int = 0


class Courier:
    """Sends events to the endpoints that want them."""

    def __init__(self, world: World) -> None:
        self.habit = Habit()
        self.log: deque[Delivery] = deque(maxlen=_KEPT)
        self._world = world
        self._session: ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: list[tuple[Thing, Thing]] = []

    @property
    def waiting(self) -> int:
        """How many deliveries are on their way or held back."""
        return len(self._tasks) + len(self._held)

    def tell(self, events: list[Thing]) -> None:
        """Send events to all endpoints that want them."""
        for event in events:
            for endpoint in self._world.store.all("webhook_endpoint"):
                wanted = endpoint["enabled_events"]
                if endpoint["status"] == "enabled" and ("*" in wanted or event["type"] in wanted):
                    self._take(event, endpoint)

    def resend(self, event: Thing) -> None:
        """Send an event again, as the dashboard's button does."""
        for endpoint in self._world.store.all("webhook_endpoint"):
            self._start(event, endpoint)

    def release(self) -> None:
        """Send what is held back, the latest first."""
        held, self._held = self._held, []
        for event, endpoint in reversed(held):
            self._start(event, endpoint)

    async def close(self) -> None:
        """Drop what is still on its way."""
        running = list(self._tasks)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def _take(self, event: Thing, endpoint: Thing) -> None:
        if not self.habit.is_sent:
            return
        if self.habit.reversed_by:
            self._held.append((event, endpoint))
            if len(self._held) >= self.habit.reversed_by:
                self.release()
            return
        for _ in range(self.habit.copies):
            self._start(event, endpoint)

    def _start(self, event: Thing, endpoint: Thing) -> None:
        event["pending_webhooks"] += 1
        delivery = Delivery(event["id"], event["type"], endpoint["id"])
        self.log.append(delivery)
        task = asyncio.get_running_loop().create_task(self._deliver(event, endpoint, delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, event: Thing, endpoint: Thing, delivery: Delivery) -> None:
        settings = self._world.settings
        pause_s = settings.webhook_retry_s
        for _ in range(settings.webhook_tries):
            if await self._post(event, endpoint, delivery):
                event["pending_webhooks"] -= 1
                return
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    async def _post(self, event: Thing, endpoint: Thing, delivery: Delivery) -> bool:
        if self._session is None:
            self._session = ClientSession(timeout=ClientTimeout(total=_TIMEOUT_S))
        body = orjson.dumps(shown(self._world.store, event), option=orjson.OPT_INDENT_2)
        now = int(time.time())
        secrets = [each["secret"] for each in endpoint["_secrets"] if each["until"] is None or each["until"] > now]
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature(body, secrets, now + self.habit.skew_s),
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        try:
            async with self._session.post(endpoint["url"], data=body, headers=headers, allow_redirects=False) as response:
                delivery.statuses.append(response.status)
        except (ClientError, OSError, TimeoutError):
            delivery.statuses.append(0)
        return 200 <= delivery.statuses[-1] < 300


def make_endpoint(world: World, url: str, secret: str, events: list[str], **fields: Any) -> Thing:
    """Make an endpoint with a secret that is known already."""
    with world.work() as work:
        return _made(work.new("webhook_endpoint", "we", work.now(), url=url), secret, events, work, **fields)


def _made(endpoint: Thing, secret: str, events: list[str], work: Any, **fields: Any) -> Thing:
    endpoint |= {"enabled_events": events, "metadata": {}, "status": "enabled", "_secrets": [{"secret": secret, "until": None}]}
    kept: Thing = work.store.add(endpoint | fields)
    return kept


def rotate(endpoint: Thing, keep_s: int) -> str:
    """Give an endpoint a new secret; the old one signs, too, for so many of our seconds. Return the new one."""
    until = int(time.time()) + keep_s
    fresh = f"whsec_{random_text(32)}"
    for each in endpoint["_secrets"]:
        each["until"] = until if each["until"] is None else min(each["until"], until)
    endpoint["_secrets"].insert(0, {"secret": fresh, "until": None})
    return fresh


def _create(ask: Ask) -> dict[str, Any]:
    params = ask.params
    secret = f"whsec_{random_text(32)}"
    if not params["url"].startswith(("http://", "https://")):
        raise invalid("Invalid URL: An explicit scheme (such as https) must be provided.", "url", "url_invalid")
    endpoint = ask.work.new("webhook_endpoint", "we", ask.work.now(), url=params["url"])
    made = _made(endpoint, secret, params["enabled_events"], ask.work, **ask.given("api_version", "description"))
    merge_metadata(made, params.get("metadata"))
    # The secret is shown this once.
    return shown(ask.work.store, made) | {"secret": secret}


def _update(ask: Ask) -> Thing:
    endpoint = ask.named("webhook_endpoint", "webhook_endpoint")
    endpoint |= ask.given("description", "enabled_events", "url")
    if "disabled" in ask.params:
        endpoint["status"] = "disabled" if ask.params["disabled"] else "enabled"
    merge_metadata(endpoint, ask.params.get("metadata"))
    return endpoint


def _delete(ask: Ask) -> dict[str, Any]:
    endpoint = ask.named("webhook_endpoint", "webhook_endpoint")
    endpoint["_deleted"] = True
    return deleted(endpoint)


def _events(ask: Ask) -> dict[str, Any]:
    params = ask.params
    wanted, kinds = params.get("type"), params.get("types")

    def fits(kind: str) -> bool:
        if kinds is not None and kind not in kinds:
            return False
        return wanted is None or kind == wanted or (wanted.endswith("*") and kind.startswith(wanted[:-1]))

    return ask.page(each for each in ask.work.store.all("event") if fits(each["type"]))


HANDLERS: Final[dict[str, Handler]] = {
    "events.list": _events,
    "events.retrieve": lambda ask: ask.named("event", "id"),
    "webhook_endpoints.create": _create,
    "webhook_endpoints.update": _update,
    "webhook_endpoints.delete": _delete,
    "webhook_endpoints.retrieve": lambda ask: ask.named("webhook_endpoint", "webhook_endpoint"),
    "webhook_endpoints.list": lambda ask: ask.page(ask.work.store.all("webhook_endpoint")),
}
