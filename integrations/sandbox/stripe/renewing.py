"""What time does to subscriptions and invoices: trials end, periods begin, drafts become open, payments are tried again."""

from collections.abc import Callable, Iterator
from typing import Final

from integrations.sandbox.stripe.changing import bill_last
from integrations.sandbox.stripe.collecting import collect, end, finalize_and_collect
from integrations.sandbox.stripe.invoices import DRAFT_S, close, finalize, make_invoice
from integrations.sandbox.stripe.items import full_line, is_metered, items_of, note_billed, price_of, used_line
from integrations.sandbox.stripe.periods import DAY_S, period_end
from integrations.sandbox.stripe.store import Store, Thing
from integrations.sandbox.stripe.subscribing import expire_incomplete
from integrations.sandbox.stripe.world import Work, World

_WARNING_S: Final = 3 * DAY_S
_INCOMPLETE_S: Final = 23 * 3_600
_RUNNING: Final = ("trialing", "active", "past_due", "unpaid")

# When something is due, what it is, and for which thing.
Due = tuple[int, Callable[[Work, Thing], None], str]


def run_due(world: World, clock: str | None, until: int, reached: Callable[[int], None]) -> None:
    """Let everything happen that is due until a moment, each at its time; `reached` is told of every such time."""
    while True:
        due = min(_dues(world.store, clock), key=lambda each: each[0], default=None)
        if due is None or due[0] > until:
            break
        moment, happen, thing_id = due
        reached(moment)
        with world.work(at=moment) as work:
            thing = work.store.find(thing_id)
            assert thing is not None
            happen(work, thing)
    reached(until)


def _dues(store: Store, clock: str | None) -> Iterator[Due]:
    for each in store.all("subscription"):
        if each["test_clock"] == clock:
            yield from _dues_of_subscription(store, each)
    for each in store.all("invoice"):
        if each["test_clock"] != clock:
            continue
        if each["status"] == "draft" and each["auto_advance"] and each["automatically_finalizes_at"] is not None:
            yield each["automatically_finalizes_at"], _finalize, each["id"]
        elif each["status"] == "open" and each["next_payment_attempt"] is not None:
            yield each["next_payment_attempt"], _retry, each["id"]
    if clock is None:
        for each in store.all("checkout.session"):
            if each["status"] == "open":
                yield each["expires_at"], expire_session, each["id"]
        for each in store.all("tax_id"):
            if each["verification"]["status"] == "pending":
                yield each["created"] + 1, _verify, each["id"]


def _dues_of_subscription(store: Store, each: Thing) -> Iterator[Due]:
    status, name = each["status"], each["id"]
    if status == "incomplete":
        yield each["created"] + _INCOMPLETE_S, expire_incomplete, name
    if status not in _RUNNING:
        return
    if each["cancel_at"] is not None:
        yield each["cancel_at"], _finish, name
    if status == "trialing" and not each["_warned"]:
        yield max(each["trial_end"] - _WARNING_S, each["trial_start"]), _warn, name
    pause = each["pause_collection"]
    if pause and pause["resumes_at"]:
        yield pause["resumes_at"], _collect_again, name
    yield min(item["current_period_end"] for item in store.owned("subscription_item", name)), renew, name


def _warn(work: Work, subscription: Thing) -> None:
    subscription["_warned"] = True
    work.emit("customer.subscription.trial_will_end", subscription)


def _collect_again(work: Work, subscription: Thing) -> None:
    subscription["pause_collection"] = None
    work.changed("customer.subscription.updated", subscription)


def _finish(work: Work, subscription: Thing) -> None:
    end(work, subscription, "cancellation_requested")
    bill_last(work, subscription)


def renew(work: Work, subscription: Thing) -> None:
    """Begin the next period of the items whose period is over, and make its invoice, a draft for an hour."""
    customer = work.store.find(subscription["customer"])
    assert customer is not None
    moment = min(each["current_period_end"] for each in items_of(work, subscription))
    if subscription["cancel_at"] is not None and subscription["cancel_at"] <= moment:
        _finish(work, subscription)
        return
    was_trial = subscription["status"] == "trialing"
    if was_trial:
        if not _goes_on(work, subscription, customer):
            return
        subscription |= {"status": "active", "billing_cycle_anchor": moment}
    lines, start = [], moment
    for item in items_of(work, subscription):
        if item["current_period_end"] != moment:
            continue
        price, start = price_of(work, item), item["current_period_start"]
        following = period_end(moment, price["recurring"], subscription["billing_cycle_anchor"])
        item |= {"current_period_start": moment, "current_period_end": following}
        if is_metered(price):
            if not was_trial:
                lines.append(used_line(work, subscription, item, start, moment))
        else:
            lines.append(full_line(work, subscription, item))
    invoice = make_invoice(
        work,
        customer,
        lines,
        reason="subscription_cycle",
        subscription=subscription,
        currency=subscription["currency"],
        period_start=start,
        period_end=moment,
        automatically_finalizes_at=moment + DRAFT_S,
        auto_advance=subscription["status"] != "unpaid",
    )
    note_billed(work, invoice)
    work.changed("customer.subscription.updated", subscription)
    _hold_back(work, subscription, invoice)


def _goes_on(work: Work, subscription: Thing, customer: Thing) -> bool:
    """A trial is over: does the subscription go on? Without a card that is as `trial_settings` say."""
    has_card = subscription["default_payment_method"] or customer["invoice_settings"]["default_payment_method"]
    wanted = ((subscription["trial_settings"] or {}).get("end_behavior") or {}).get("missing_payment_method", "create_invoice")
    if has_card or wanted == "create_invoice" or work.is_rehearsal:
        return True
    if wanted == "cancel":
        end(work, subscription, "")
    else:
        subscription["status"] = "paused"
        work.changed("customer.subscription.updated", subscription)
        work.emit("customer.subscription.paused", subscription)
    return False


def _hold_back(work: Work, subscription: Thing, invoice: Thing) -> None:
    pause = subscription["pause_collection"]
    if not pause or work.is_rehearsal:
        return
    if pause["behavior"] == "keep_as_draft":
        invoice |= {"auto_advance": False, "automatically_finalizes_at": None}
        return
    finalize(work, invoice)
    if invoice["status"] == "open":
        close(work, invoice, "void" if pause["behavior"] == "void" else "uncollectible")


def _finalize(work: Work, invoice: Thing) -> None:
    finalize_and_collect(work, invoice)


def _retry(work: Work, invoice: Thing) -> None:
    collect(work, invoice)


def _verify(work: Work, tax_id: Thing) -> None:
    # https://docs.stripe.com/billing/customer/tax-ids#test: these two say what the registry is to answer.
    digits = "".join(each for each in tax_id["value"] if each.isdigit())
    status = "unverified" if digits.endswith("111111111") else "verified"
    customer = work.store.find(tax_id["customer"])
    name = customer["name"] if customer is not None and status == "verified" else None
    tax_id["verification"] = {"status": status, "verified_address": None, "verified_name": name}
    work.changed("customer.tax_id.updated", tax_id)


def expire_session(work: Work, session: Thing) -> None:
    """A checkout nobody finished in time."""
    session |= {"status": "expired", "url": None}
    work.emit("checkout.session.expired", session)


def advance_world(world: World) -> None:
    """Let what is due by the sandbox's own clock happen."""
    run_due(world, None, world.clock.now(), lambda moment: None)
