"""Billing meters: events that say what was used, and what they add up to: https://docs.stripe.com/billing/subscriptions/usage-based"""

from decimal import Decimal, InvalidOperation
from typing import Any, Final

from integrations.sandbox.stripe.asking import Ask, Handler
from integrations.sandbox.stripe.periods import DAY_S
from integrations.sandbox.stripe.refusals import Refusal, invalid, missing
from integrations.sandbox.stripe.store import Thing
from integrations.sandbox.stripe.world import Work, random_text

_OLDEST_S: Final = 35 * DAY_S
_NEWEST_S: Final = 300
_ONCE_S: Final = DAY_S


def usage(work: Work, meter_id: str, customer: str, start: int, end: int) -> int:
    """Return what a customer has used from `start` to before `end`, in whole units."""
    meter = work.store.find(meter_id)
    assert meter is not None
    return int(_aggregated(work, meter, customer, start, end))


def _aggregated(work: Work, meter: Thing, customer: str, start: int, end: int) -> Decimal:
    events = [
        each for each in work.store.owned("billing.meter_event", f"{meter['id']}:{customer}") if start <= each["timestamp"] < end
    ]
    formula = meter["default_aggregation"]["formula"]
    if formula == "count":
        return Decimal(len(events))
    values = [Decimal(each["payload"][meter["value_settings"]["event_payload_key"]]) for each in events]
    if formula == "last":
        # Of events of the same second the later one.
        return max(enumerate(values), key=lambda each: (events[each[0]]["timestamp"], each[0]))[1] if values else Decimal(0)
    return sum(values, Decimal(0))


def _create_meter(ask: Ask) -> Thing:
    work, params = ask.work, ask.params
    name = params["event_name"]
    if any(each["event_name"] == name and each["status"] == "active" for each in work.store.all("billing.meter")):
        raise invalid(f"A meter with the event name {name} already exists.", "event_name", "resource_already_exists")
    now = work.now()
    meter = work.new("billing.meter", "mtr", now, event_name=name, display_name=params["display_name"], updated=now)
    meter |= {"customer_mapping": params.get("customer_mapping") or {"type": "by_id", "event_payload_key": "stripe_customer_id"}}
    meter |= {"default_aggregation": params["default_aggregation"], "status": "active"}
    meter |= {"value_settings": params.get("value_settings") or {"event_payload_key": "value"}}
    meter |= {"status_transitions": {"deactivated_at": None}, "event_time_window": params.get("event_time_window")}
    work.store.add(meter)
    return meter


def _update_meter(ask: Ask) -> Thing:
    meter = ask.named("billing.meter", "id")
    meter |= ask.given("display_name")
    return meter


def _switch(status: str) -> Handler:
    def switching(ask: Ask) -> Thing:
        meter = ask.named("billing.meter", "id")
        if meter["status"] == status:
            raise invalid(f"The meter is already {status}.", "id")
        meter |= {"status": status, "updated": ask.work.now()}
        meter["status_transitions"] = {"deactivated_at": ask.work.now() if status == "inactive" else None}
        return meter

    return switching


def _record(ask: Ask) -> Thing:
    work, params = ask.work, ask.params
    name, payload = params["event_name"], params["payload"]
    meter = next((each for each in work.store.all("billing.meter") if each["event_name"] == name), None)
    if meter is None:
        raise invalid(f"No active meter found for event name {name}.", "event_name", "billing_meter_event_no_meter")
    if meter["status"] != "active":
        raise invalid("This meter is inactive.", "event_name", "archived_meter")
    mapping = meter["customer_mapping"]["event_payload_key"]
    if mapping not in payload:
        raise missing(f"payload[{mapping}]")
    customer = work.get("customer", payload[mapping], f"payload[{mapping}]")
    key = meter["value_settings"]["event_payload_key"]
    if meter["default_aggregation"]["formula"] != "count":
        _refuse_odd(payload.get(key), key)
    now = work.now(customer)
    timestamp = params.get("timestamp", now)
    if timestamp > now + _NEWEST_S:
        raise invalid("The timestamp is too far in the future.", "timestamp", "timestamp_in_future")
    if timestamp < now - _OLDEST_S:
        raise invalid("The timestamp is too far in the past.", "timestamp", "timestamp_too_far_in_past")
    identifier = params.get("identifier") or random_text(24)
    # Stripe promises that an identifier counts once within a day at least.
    if any(each["created"] > now - _ONCE_S for each in work.store.owned("billing.meter_event", f"id:{identifier}")):
        raise Refusal(f"An event already exists with identifier {identifier}.", param="identifier", code="duplicate_meter_event")
    made = work.new(
        "billing.meter_event", "mev", now, event_name=name, identifier=identifier, payload=payload, timestamp=timestamp
    )
    made["_meter"] = meter["id"]
    return work.store.add(made, f"{meter['id']}:{customer['id']}", f"id:{identifier}")


def _refuse_odd(value: Any, key: str) -> None:
    if value is None:
        raise missing(f"payload[{key}]")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise invalid("The value must be a number.", f"payload[{key}]", "meter_event_value_not_numeric") from None
    if not number.is_finite() or number < 0:
        raise invalid("The value must not be negative.", f"payload[{key}]")


def _adjust(ask: Ask) -> dict[str, Any]:
    work, name = ask.work, ask.params["event_name"]
    identifier = (ask.params.get("cancel") or {}).get("identifier")
    if not identifier:
        raise missing("cancel[identifier]")
    found = [each for each in work.store.owned("billing.meter_event", f"id:{identifier}") if each["event_name"] == name]
    if not found:
        raise invalid(f"No meter event has the identifier {identifier}.", "cancel[identifier]", "resource_missing")
    for each in found:
        each["_deleted"] = True
    return {
        "object": "billing.meter_event_adjustment",
        "cancel": {"identifier": identifier},
        "event_name": name,
        "livemode": False,
        "status": "complete",
        "type": "cancel",
    }


def _summaries(ask: Ask) -> dict[str, Any]:
    meter, params = ask.named("billing.meter", "id"), ask.params
    start, end, window = params["start_time"], params["end_time"], params.get("value_grouping_window")
    if start >= end:
        raise invalid("The start time must be before the end time.", "start_time")
    step = {"hour": 3_600, "day": DAY_S, None: 60}[window]
    for name in ("start_time", "end_time"):
        if params[name] % step:
            raise invalid(f"Must align with {window or 'minute'} boundaries.", name)
    bounds = list(range(start, end, step if window else end - start))
    found = []
    for begin in bounds:
        until = begin + (step if window else end - start)
        value = _aggregated(ask.work, meter, params["customer"], begin, until)
        summary = {"id": f"mtrusg_{meter['id'][-12:]}_{begin}", "object": "billing.meter_event_summary", "livemode": False}
        summary |= {
            "aggregated_value": float(value),
            "start_time": begin,
            "end_time": until,
            "meter": meter["id"],
            "created": begin,
        }
        if value or not window:
            found.append(summary)
    page = ask.page(found)
    for each in page["data"]:
        del each["created"]
    return page


def _list_meters(ask: Ask) -> dict[str, Any]:
    status = ask.params.get("status")
    return ask.page(each for each in ask.work.store.all("billing.meter") if status in (None, each["status"]))


HANDLERS: Final[dict[str, Handler]] = {
    "billing.meters.create": _create_meter,
    "billing.meters.update": _update_meter,
    "billing.meters.retrieve": lambda ask: ask.named("billing.meter", "id"),
    "billing.meters.list": _list_meters,
    "billing.meters.deactivate": _switch("inactive"),
    "billing.meters.reactivate": _switch("active"),
    "billing.meters.event_summaries": _summaries,
    "billing.meter_events.create": _record,
    "billing.meter_event_adjustments.create": _adjust,
}
