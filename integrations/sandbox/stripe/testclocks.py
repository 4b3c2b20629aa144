"""Test clocks: customers with a time of their own: https://docs.stripe.com/billing/testing/test-clocks"""

import asyncio
from typing import Any, Final

from integrations.sandbox.stripe.asking import Ask, Handler, deleted
from integrations.sandbox.stripe.periods import DAY_S, period_end
from integrations.sandbox.stripe.refusals import Refusal, invalid
from integrations.sandbox.stripe.renewing import run_due
from integrations.sandbox.stripe.store import Thing
from integrations.sandbox.stripe.world import World

_KIND: Final = "test_helpers.test_clock"
_LASTS_S: Final = 30 * DAY_S


def _create(ask: Ask) -> Thing:
    now = ask.work.now()
    clock = ask.work.new(_KIND, "clock", now, deletes_after=now + _LASTS_S, frozen_time=ask.params["frozen_time"])
    clock |= {"name": ask.params.get("name"), "status": "ready", "status_details": {}}
    ask.work.store.add(clock)
    ask.work.emit("test_helpers.test_clock.created", clock)
    return clock


def _advance(ask: Ask) -> Thing:
    clock, until = ask.named("test_clock", "test_clock", kind=_KIND), ask.params["frozen_time"]
    if clock["status"] != "ready":
        raise Refusal("The test clock is advancing.", status=429, code="rate_limit")
    if until <= clock["frozen_time"]:
        raise invalid("The new time must be after the clock's current time.", "frozen_time")
    furthest = _furthest(ask, clock)
    if furthest is not None and until > furthest:
        raise invalid(
            "You cannot advance a test clock by more than two intervals of its shortest subscription at once.", "frozen_time"
        )
    clock |= {"status": "advancing", "status_details": {"advancing": {"target_frozen_time": until}}}
    ask.work.emit("test_helpers.test_clock.advancing", clock)
    asyncio.get_running_loop().call_soon(advance, ask.work.world, clock["id"], until)
    return clock


def _furthest(ask: Ask, clock: Thing) -> int | None:
    """Two intervals of the shortest subscription is as far as a clock may go at once."""
    found = []
    for subscription in ask.work.store.owned("subscription", clock["id"]):
        for item in ask.work.store.owned("subscription_item", subscription["id"]):
            price = ask.work.store.find(item["price"])
            if price is not None and subscription["status"] not in ("canceled", "incomplete_expired"):
                now = clock["frozen_time"]
                once = period_end(now, price["recurring"], now)
                found.append(max(period_end(once, price["recurring"], now), item["current_period_end"]))
    return min(found, default=None)


def advance(world: World, clock_id: str, until: int) -> None:
    """Let everything happen that is due by a clock until a moment, in order, and let the clock be ready then."""

    def reached(moment: int) -> None:
        clock = world.store.find(clock_id)
        assert clock is not None
        clock["frozen_time"] = moment

    run_due(world, clock_id, until, reached)
    with world.work() as work:
        clock = work.store.find(clock_id)
        assert clock is not None
        clock |= {"frozen_time": until, "status": "ready", "status_details": {}}
        work.emit("test_helpers.test_clock.ready", clock)


def _delete(ask: Ask) -> dict[str, Any]:
    """Take a clock away, and its customers with it."""
    clock = ask.named("test_clock", "test_clock", kind=_KIND)
    for customer in ask.work.store.owned("customer", clock["id"]):
        for subscription in ask.work.store.owned("subscription", customer["id"]):
            subscription["_deleted"] = True
        customer["_deleted"] = True
    clock["_deleted"] = True
    return deleted(clock)


HANDLERS: Final[dict[str, Handler]] = {
    "test_clocks.create": _create,
    "test_clocks.retrieve": lambda ask: ask.named("test_clock", "test_clock", kind=_KIND),
    "test_clocks.list": lambda ask: ask.page(ask.work.store.all(_KIND)),
    "test_clocks.advance": _advance,
    "test_clocks.delete": _delete,
}
