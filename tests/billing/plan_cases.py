"""What the statements of plans and billing are asked in the large company of tests.test_plans."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

Params = dict[str, Any]

NOW = datetime.now(UTC)
ANY = UUID(int=9)
DAYS: Params = {"since": NOW - timedelta(days=3), "until": NOW}
ACCOUNT: Params = {
    "plan": "pro",
    "every": "month",
    "seats": 5,
    "status": "active",
    "customer_id": "cus_1",
    "subscription_id": "sub_1",
    "trial_ends_at": NOW,
    "period_starts_at": NOW,
    "period_ends_at": NOW,
    "cancel_at": None,
    "ended_at": None,
    "ended_unpaid": False,
    "past_due_since": None,
    "card": "",
    "coupon": "",
    "balance_minor": 0,
    "currency": "usd",
    "others": "[]",
    "read_at": NOW,
}


def reads() -> dict[str, list[Params]]:
    """The reads, by feature and name, with what to ask."""
    page: Params = {"limit": 51}
    return {
        "plans.get_plan": [{}],
        "plans.lock_plan": [{}],
        "plans.count_seats": [{}],
        "billing.get_account": [{}],
        "billing.lock_account": [{}],
        "billing.get_account_json": [{}],
        "billing.get_standing_json": [{}],
        "billing.list_invoices": [page, page | {"after_at": NOW, "after_id": ANY}],
        "billing.get_invoice": [{"id": ANY}],
        "billing.list_differences": [{}],
        "billing.count_people": [{}],
        "billing.who_pays": [{}],
        "billing.company_and_owner": [{}],
        "billing.last_told_at": [{}],
        "billing.is_mirroring_due": [{}],
        "billing.billing_tenant_of": [{"customer": "cus_1"}],
        "billing.billing_restricted": [{}],
        "billing.billing_due": [{"now": NOW, "limit": 500}],
        "billing.billing_customers": [{}],
        "billing.billing_plans": [{}],
        "billing.used_minutes": [DAYS],
        "billing.used_messages": [DAYS],
        "billing.waiting_reports": [{}],
        "billing.usage_since": [{"since": NOW}],
        "billing.reported_within": [DAYS],
        "billing.billing_to_tell": [{"limit": 500}],
        "downgrading.plan_and_rests": [{}],
        "downgrading.what_is_in_use": [{"no_webhooks": "The plan has none."}],
        "downgrading.own_roles": [{}],
        "downgrading.people_with_keys": [{}],
        "downgrading.running_webhooks": [{}],
    }


def writes() -> dict[str, list[Params]]:
    """The writes that look for what they change."""
    standing: Params = {"standing": "active", "reason": "", "changes_at": None, "next_look_at": None, "told": "", "now": NOW}
    return {
        "billing.note_customer": [{"customer": "cus_1", "name": "Acme", "email": "owner@acme.test"}],
        "billing.note_told": [{"name": "Acme", "email": "owner@acme.test"}],
        "billing.note_checkout_page": [{"page": "cs_1"}],
        "billing.give_report_up": [{"id": ANY, "why": "too old"}],
        "downgrading.write_rests": [{"rests": ["sso"]}],
        "downgrading.trim_role": [{"id": ANY, "permissions": ["contacts:read"]}],
        "downgrading.untrim_role": [{"id": ANY}],
        "downgrading.loosen_sso": [{}],
        "outgoing.wake_rested": [{"reason": "The plan has none."}],
        "billing.write_account": [ACCOUNT],
        "billing.write_standing": [standing],
        "billing.forget_drafts": [{"provider_ids": ["in_1"]}],
        "billing.note_reported": [{"id": ANY}],
        "billing.billing_close_accounts": [{}],
    }


# What only adds rows.
INSERTS = [f"billing.{name}" for name in ("write_invoices", "note_difference", "count_usage", "write_report")]
NOT_LOOKED_AT = {
    "billing.billing_open_accounts": "it looks for companies without an account, which are few, in a table of companies"
}
