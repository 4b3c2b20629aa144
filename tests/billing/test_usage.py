"""What is paid by use: reported once each, late or not; what is too old is given up in words; and totals are compared."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hub.billing import usage
from hub.billing.office import Office
from hub.db import tenant_tx
from hub.who import Who
from integrations.payments import Payments
from tests.billing.kit import Bank
from tests.conftest import Company
from workers import billing

_CALL = """
INSERT INTO calls (tenant_id, contact_id, user_id, state, to_number, from_number, created_at, answered_at, ended_at)
VALUES ($1, $2, $3, 'completed', '+1', '+1', now() - $4 * interval '1 day',
        now() - $4 * interval '1 day', now() - $4 * interval '1 day' + interval '61 seconds')
"""
_MESSAGE = """
INSERT INTO messages (tenant_id, contact_id, direction, to_number, from_number, body, state)
VALUES ($1, $2, 'outbound', '+1', '+1', 'hello', 'sent')
"""
_OLD_REPORT = """
WITH day AS (INSERT INTO billing_usage (tenant_id, meter, day, counted) VALUES ($1, 'sms', $2, 9))
INSERT INTO billing_reports (tenant_id, meter, day, quantity, at) VALUES ($1, 'sms', $2, 9, $3)
"""


async def test_late_use_is_billed_late_old_use_is_given_up_and_totals_are_compared(bank: Bank, acme: Company) -> None:
    owner = bank.server.as_member(acme, "owner")
    await bank.open()
    await bank.pass_days(15)
    await bank.buy(owner, "pro", 4)
    contact = (await owner.post("/contacts", {"first_name": "Ada"})).body["id"]
    [account] = await bank.rows(acme, "SELECT * FROM billing_accounts WHERE tenant_id = $1")
    now = datetime.fromtimestamp(bank.sandbox.world.clock.now(), UTC)
    old = now - timedelta(days=36)
    async with tenant_tx(bank.deps.db, Who.system(acme.tenant_id)) as tx:
        # They were customers before as well: this is a period among others.
        await tx.conn.execute("UPDATE billing_accounts SET metered_since = now() - interval '9 days'")
        for days in (0, 2):
            await tx.conn.execute(_CALL, acme.tenant_id, contact, acme.members["rep"], days)
        await tx.conn.execute(_MESSAGE, acme.tenant_id, contact)
        await tx.conn.execute(_OLD_REPORT, acme.tenant_id, old.date(), old)

    await billing.count_usage.function(bank.deps)
    await bank.jobs()

    # Each once, by an identifier of its own; what ended in the period before is billed with this one, and not never.
    told = list(bank.sandbox.world.store.all("billing.meter_event"))
    assert sorted((each["event_name"], each["payload"]["value"]) for each in told) == [
        ("ringside_call_minutes", "2"),
        ("ringside_call_minutes", "2"),
        ("ringside_sms", "1"),
    ]
    reports = await bank.rows(acme, "SELECT id, refused FROM billing_reports WHERE tenant_id = $1 AND sent_at IS NOT NULL")
    assert {each["identifier"] for each in told} == {str(each["id"]) for each in reports}
    began = int(account["period_starts_at"].timestamp())
    assert min(each["timestamp"] for each in told) == began

    # What Stripe takes no more is given up, once and in words, and keeps nothing else from being reported.
    [given_up] = await bank.rows(acme, "SELECT refused FROM billing_reports WHERE tenant_id = $1 AND refused <> ''")
    assert given_up["refused"] == "Stripe takes what was used within the last 35 days only."
    await usage.report(bank.deps.db, payments_of(bank), acme.tenant_id)
    found = (await owner.get("/billing")).body
    assert [(each["field"], each["mended"]) for each in found["differences"]] == [("used_sms", False)]
    assert "too long ago to be reported" in found["differences"][0]["ours"]
    assert {each["meter"]: each["quantity"] for each in found["used"]} == {"call_minutes": 4, "sms": 1}

    # Each night the totals are compared; a difference is said once. So many were never reported by us:
    await payments_of(bank).report_usage(account["customer_id"], "sms", 5, "by hand", now)
    bank.sandbox.advance(2 * 24 * 3600)
    async with tenant_tx(bank.deps.db, Who.system(acme.tenant_id)) as tx:
        await tx.conn.execute("UPDATE billing_reports SET sent_at = sent_at - interval '2 hours'")
    for _ in range(2):
        await usage.compare(bank.deps.db, payments_of(bank), Office.of(bank.deps.settings), acme.tenant_id)
    newest = (await owner.get("/billing")).body["differences"]
    assert [(each["field"], each["ours"], each["theirs"]) for each in newest[:-1]] == [("used_sms", "1", "6")]


def payments_of(bank: Bank) -> Payments:
    """What the bank's worker reports to."""
    assert bank.deps.payments is not None
    return bank.deps.payments
