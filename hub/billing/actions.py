"""The writes on a company's account: what was fetched is recorded, and the standing that follows from it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import orjson

from hub.billing.differences import note_difference
from hub.billing.downgrading import settle
from hub.billing.events import BillingChanged, InvoicesChanged
from hub.billing.letters import write_letters
from hub.billing.office import Office
from hub.billing.standing import WARNING, Facts, Standing, stand
from hub.db import Tx
from hub.events import MANAGERS
from hub.plans.table import PLANS, TRIAL_DAYS
from hub.sqlfiles import load_sql
from integrations.payments import Customer, Subscription

_SQL = load_sql("billing")
Fields = dict[str, Any]
# What a comparison with the provider looks at.
COMPARED = ("plan", "every", "seats", "status", "subscription_id", "cancel_at", "ended_at", "trial_ends_at")
_SHOWN = ("plan", "seats", "standing", "reason", "changes_at")


async def record(tx: Tx, before: asyncpg.Record, customer: Customer | None, office: Office, *, compares: bool = False) -> bool:
    """Write what was fetched after `before` was read; False when somebody else has written meanwhile: fetch again.

    `compares` notes every difference that nobody had told us of; a second plan is noted, and told of, when it is first seen. A
    customer that the provider does not know (another account, or one that was made anew) begins with a trial again, since no
    company is locked out for that; it is noted always.
    """
    if customer is not None:
        office = office.by_test_clock(customer.clock_shows)
    row, now = await tx.fetchrow(_SQL["lock_account"]), office.now()
    if row is None:
        return True
    if row["version"] != before["version"] or row["customer_id"] != before["customer_id"]:
        return False
    fields = _unknown(row, now) if customer is None else _known(row, customer, now)
    others = [] if customer is None else [asdict(each) for each in customer.others]
    had = {each["id"] for each in orjson.loads(row["others"])}
    new = [each for each in others if each["id"] not in had]
    await _note_differences(tx, row, fields, customer, new, compares=compares)
    await tx.execute(_SQL["write_account"], **fields, others=orjson.dumps(others).decode(), read_at=before["read_at"])
    await settle(tx)
    if new:
        await write_letters(tx, "second_plan", stand(facts_of(row), now), office)
    if customer is not None and (await _write_invoices(tx, customer) or {each["id"] for each in others} != had):
        tx.emit(InvoicesChanged(None, {"at": now}, audience=MANAGERS))
    await restand(tx, row, office)
    return True


async def look(tx: Tx, office: Office) -> None:
    """See whether time has changed how the company stands."""
    row = await tx.fetchrow(_SQL["lock_account"])
    if row is not None:
        await restand(tx, row, office)


async def restand(tx: Tx, before: asyncpg.Record, office: Office) -> None:
    """Let the standing follow from what is written now. `before` is the row as it was before this transaction changed it."""
    row, now = await tx.fetchrow(_SQL["lock_account"]), office.now()
    assert row is not None
    standing = stand(facts_of(row), now)
    told, look_at = row["told"], standing.until
    is_free = standing.name == "trial" and row["status"] == "none"
    if is_free and standing.until is not None:
        warn_at = standing.until - WARNING
        if now >= warn_at and told != "trial_ending":
            told = "trial_ending"
            await write_letters(tx, "trial_ending", standing, office)
        elif now < warn_at:
            look_at = warn_at
    if (standing.name, standing.reason) != (before["standing"], before["reason"]):
        letter = _letter(before, standing)
        if letter:
            told = letter
            await write_letters(tx, letter, standing, office)
    await tx.execute(
        _SQL["write_standing"],
        standing=standing.name,
        reason=standing.reason,
        changes_at=standing.until,
        next_look_at=look_at,
        told=told,
        now=now,
    )
    after = await tx.fetchrow(_SQL["lock_account"])
    assert after is not None
    if any(before[name] != after[name] for name in _SHOWN):
        text = await tx.fetchval(_SQL["get_standing_json"])
        tx.emit(BillingChanged(None, {"plan": orjson.Fragment(text)}))


def facts_of(row: asyncpg.Record) -> Facts:
    """What the standing follows from."""
    return Facts(row["status"], row["trial_ends_at"], row["past_due_since"], row["ended_at"], row["ended_unpaid"])


def _letter(before: asyncpg.Record, after: Standing) -> str:
    if after.name in ("grace", "suspended"):
        return {"grace": "payment_failed", "suspended": "suspended"}[after.name]
    if after.name == "read_only":
        return {"trial_over": "trial_over", "canceled": "plan_ended"}.get(after.reason, "read_only")
    return "recovered" if before["standing"] in ("grace", "read_only", "suspended") and after.name == "active" else ""


def _known(row: asyncpg.Record, customer: Customer, now: datetime) -> Fields:
    fields = _kept(row) | {"card": customer.card, "balance_minor": customer.balance_minor, "currency": customer.currency}
    bought = customer.subscription
    if bought is None:
        return fields | {"status": "none", "subscription_id": None} | dict.fromkeys(_OF_A_SUBSCRIPTION)
    unpaid = bought.status in ("past_due", "unpaid")
    return fields | {
        # A subscription that somebody made by hand, for something that we do not sell, is for what they had.
        "plan": bought.plan if bought.plan in PLANS else row["plan"],
        "every": bought.every if bought.every in ("month", "year") else row["every"],
        "seats": bought.seats,
        "status": bought.status,
        "subscription_id": bought.id,
        "trial_ends_at": bought.trial_ends_at or row["trial_ends_at"],
        "period_starts_at": bought.period_starts_at,
        "period_ends_at": bought.period_ends_at,
        "cancel_at": bought.cancel_at if bought.is_live else None,
        "ended_at": bought.ended_at,
        "ended_unpaid": bought.status == "canceled" and _was_unpaid(bought),
        "past_due_since": (bought.unpaid_since or row["past_due_since"] or now) if unpaid else None,
        "coupon": bought.coupon,
    }


def _was_unpaid(bought: Subscription) -> bool:
    return bought.reason in ("payment_failed", "payment_disputed")


_OF_A_SUBSCRIPTION = ("period_starts_at", "period_ends_at", "cancel_at", "ended_at", "past_due_since")


def _unknown(row: asyncpg.Record, now: datetime) -> Fields:
    again = max(row["trial_ends_at"], now + timedelta(days=TRIAL_DAYS))
    gone: Fields = dict.fromkeys((*_OF_A_SUBSCRIPTION, "customer_id", "subscription_id"))
    return _kept(row) | gone | {"status": "none", "trial_ends_at": again, "card": "", "coupon": "", "ended_unpaid": False}


def _kept(row: asyncpg.Record) -> Fields:
    names = ("plan", "every", "seats", "status", "customer_id", "subscription_id", "trial_ends_at", *_OF_A_SUBSCRIPTION)
    more = ("ended_unpaid", "card", "coupon", "balance_minor", "currency")
    return {name: row[name] for name in (*names, *more)}


async def _note_differences(
    tx: Tx, row: asyncpg.Record, fields: Fields, customer: Customer | None, others: list[Fields], *, compares: bool
) -> None:
    """What nobody had told us of; `others` are those that are new, which are wrong however they became known."""
    found: list[tuple[str, Any, Any, bool]] = []
    if customer is None:
        found = [("customer_id", row["customer_id"], None, True)]
    elif compares:
        found = [(name, row[name], fields[name], True) for name in COMPARED if row[name] != fields[name]]
    if others:
        found.append(("other_subscriptions", "", ", ".join(each["id"] for each in others), False))
    for name, ours, theirs, mended in found:
        words = {"ours": "" if ours is None else str(ours), "theirs": "" if theirs is None else str(theirs)}
        await note_difference(tx, name, **words, mended=mended)


async def _write_invoices(tx: Tx, customer: Customer) -> bool:
    bills = customer.invoices
    ids = [each.id for each in bills]
    # A draft that is not among the newest has been deleted: drafts live for an hour.
    gone = await tx.execute(_SQL["forget_drafts"], provider_ids=ids)
    written = await tx.execute(
        _SQL["write_invoices"],
        provider_ids=ids,
        numbers=[each.number for each in bills],
        statuses=[each.status for each in bills],
        totals=[each.total_minor for each in bills],
        dues=[each.due_minor for each in bills],
        paids=[each.paid_minor for each in bills],
        currencies=[each.currency for each in bills],
        starts=[each.period_start for each in bills],
        ends=[each.period_end for each in bills],
        attempts=[each.attempts for each in bills],
        next_attempts=[each.next_attempt_at for each in bills],
        created=[each.created_at for each in bills],
    )
    return bool(gone + written)
