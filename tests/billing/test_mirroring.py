"""Webhooks lost, late, twice, backwards and forged; what the night finds; what is counted; what stands still unpaid."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

from hub.billing.mirroring import mirror
from hub.billing.office import Office
from hub.db import tenant_tx
from hub.plans import PlanLimit, check_seats
from hub.who import Who
from integrations.payments import Wanted
from integrations.sandbox.stripe.notifying import rotate, signature
from tests.billing.kit import DECLINED_LATER, Bank, standing
from tests.conftest import Company
from tests.harness import until
from tests.integrations.stripe_kit import post
from tests.patience import PATIENCE_S
from workers import billing
from workers.job import Deps, Registry, Run, job
from workers.ledger import Ledger
from workers.runner import Runner


async def test_events_may_come_twice_backwards_and_signed_with_either_secret(bank: Bank, acme: Company) -> None:
    owner = bank.server.as_member(acme, "owner")
    await bank.open()
    bank.sandbox.courier.habit.copies = 3
    bank.sandbox.courier.habit.reversed_by = 10_000
    await bank_buys_unseen(bank, acme)
    bank.sandbox.courier.habit.reversed_by = 0
    bank.sandbox.courier.release()
    await bank.work()
    account = (await owner.get("/billing")).body["account"]
    assert (account["status"], account["plan"], account["seats"]) == ("trialing", "pro", 6)
    stored = await bank.rows(acme, "SELECT dedupe_key FROM webhook_deliveries WHERE tenant_id = $1 AND provider = 'stripe'")
    assert len(stored) == len({row["dedupe_key"] for row in stored}) > 3
    await bank.server.hub.restrictions.look_at_plans(bank.deps.db)
    policy = (await owner.get("/billing")).headers["RateLimit-Policy"]
    assert '"tenant";q=200000' in policy  # twice the usual, as the plan says
    # The same again changes nothing, and nobody is told.
    before = await bank.rows(acme, "SELECT version FROM billing_accounts WHERE tenant_id = $1")
    for event in bank.sandbox.events:
        bank.sandbox.courier.resend(event)
    await bank.work()
    assert await bank.rows(acme, "SELECT version FROM billing_accounts WHERE tenant_id = $1") == before

    # While the secret is rotated, both sign; one that is unknown here does not.
    endpoint = next(iter(bank.sandbox.world.store.all("webhook_endpoint")))
    rotate(endpoint, 600)
    thing = b'{"id":"cus_x","object":"customer"}'
    body = b'{"object":"event","id":"evt_x","type":"customer.updated","created":1,"data":{"object":%s}}' % thing
    secrets = [each["secret"] for each in endpoint["_secrets"]]
    client = bank.server.client()
    for signed, status in (
        (signature(body, secrets, int(time.time())), 204),
        (signature(body, secrets[:1], int(time.time())), 403),
        (signature(body, secrets, int(time.time()) - 600), 403),
        (signature(body, secrets, int(time.time()) + 600), 403),
        ("", 403),
    ):
        answer = await client.call("POST", "/webhooks/stripe", data=body, headers={"Stripe-Signature": signed})
        assert answer.status == status
    odd = b"{}"
    headers = {"Stripe-Signature": signature(odd, secrets, int(time.time()))}
    assert (await client.call("POST", "/webhooks/stripe", data=odd, headers=headers)).status == 422


async def bank_buys_unseen(bank: Bank, company: Company) -> None:
    """A purchase and a change of seats that no webhook has told of yet."""
    owner = bank.server.as_member(company, "owner")
    answer = await owner.post("/billing/checkout", {"plan": "pro", "every": "month", "seats": 4})
    assert (await post(answer.body["url"], card="4242424242424242"))[0] == 303
    subscription = next(iter(bank.sandbox.world.store.all("subscription")))["id"]
    payments = bank.deps.payments
    assert payments is not None
    await payments.change(subscription, Wanted("pro", "month", 6), datetime.now(UTC))


async def test_the_night_finds_what_was_never_told_reports_and_mends_it(bank: Bank, acme: Company) -> None:
    owner = bank.server.as_member(acme, "owner")
    await bank.open()
    await bank.buy(owner, "pro", 5)
    bank.sandbox.courier.habit.is_sent = False
    shown = (await owner.post("/billing/preview", {"plan": "pro", "every": "month", "seats": 9})).body
    subscription = next(iter(bank.sandbox.world.store.all("subscription")))["id"]
    payments = bank.deps.payments
    assert payments is not None
    await payments.change(subscription, Wanted("enterprise", "month", 9), datetime.fromisoformat(shown["at"]))
    assert (await owner.get("/billing")).body["account"]["seats"] == 5

    await billing.compare_accounts.function(bank.deps)
    await billing.compare_accounts.function(bank.deps)
    await bank.jobs()

    found = (await owner.get("/billing")).body
    assert (found["account"]["plan"], found["account"]["seats"]) == ("enterprise", 9)
    told = {(each["field"], each["ours"], each["theirs"], each["mended"]) for each in found["differences"]}
    assert told == {("seats", "5", "9", True), ("plan", "pro", "enterprise", True)}

    # Stripe knows nothing of the customer: the company goes on with a trial, and the operator reads of it.
    bank.sandbox.world.store = type(bank.sandbox.world.store)()
    await mirror(bank.deps.db, payments, Office.of(bank.deps.settings), acme.tenant_id, compares=True)
    found = (await owner.get("/billing")).body
    assert (found["account"]["standing"], found["account"]["is_subscribed"]) == ("trial", False)
    assert "customer_id" in {each["field"] for each in found["differences"]}


async def test_the_older_answer_never_replaces_the_newer(bank: Bank, acme: Company) -> None:
    owner = bank.server.as_member(acme, "owner")
    await bank.open()
    await bank.buy(owner, "pro", 4)
    subscription = next(iter(bank.sandbox.world.store.all("subscription")))["id"]
    bank.sandbox.courier.habit.is_sent = False
    payments, office = bank.deps.payments, Office.of(bank.deps.settings)
    assert payments is not None

    # This one reads the old state, and is slow to say so; meanwhile the seats change and are fetched by another.
    bank.sandbox.fail("customers.retrieve", "slow", 1, delay_s=0.3)
    asked = bank.sandbox.calls["subscriptions.list"]
    slow = asyncio.create_task(mirror(bank.deps.db, payments, office, acme.tenant_id))

    async def has_read() -> bool:
        return bank.sandbox.calls["subscriptions.list"] > asked

    await until(has_read)
    await payments.change(subscription, Wanted("pro", "month", 7), datetime.now(UTC))
    await mirror(bank.deps.db, payments, office, acme.tenant_id)
    await slow

    assert (await owner.get("/billing")).body["account"]["seats"] == 7


async def test_minutes_and_messages_are_reported_once_whatever_is_lost(bank: Bank, acme: Company) -> None:
    owner = bank.server.as_member(acme, "owner")
    await bank.open()
    await bank.pass_days(60)
    await bank.buy(owner, "pro", 4)
    contact = (await owner.post("/contacts", {"first_name": "Ada"})).body["id"]
    async with tenant_tx(bank.deps.db, acme.who("owner")) as tx:
        for seconds in (1, 60, 61):
            await tx.conn.execute(
                "INSERT INTO calls (tenant_id, contact_id, user_id, state, to_number, from_number, answered_at, ended_at) "
                "VALUES ($1, $2, $3, 'completed', '+1', '+1', now() - make_interval(secs => $4), now())",
                acme.tenant_id,
                contact,
                acme.members["rep"],
                seconds,
            )
        for state in ("delivered", "sent", "failed"):
            await tx.conn.execute(
                "INSERT INTO messages (tenant_id, contact_id, direction, to_number, from_number, body, state) "
                "VALUES ($1, $2, 'outbound', '+1', '+1', 'hello', $3)",
                acme.tenant_id,
                contact,
                state,
            )

    bank.sandbox.fail("billing.meter_events.create", "lost", 1)
    await billing.count_usage.function(bank.deps)
    await bank.jobs()
    await billing.count_usage.function(bank.deps)
    await bank.jobs()

    told = [(each["event_name"], each["payload"]["value"]) for each in bank.sandbox.world.store.all("billing.meter_event")]
    assert sorted(told) == [("ringside_call_minutes", "4"), ("ringside_sms", "2")]
    used = {each["meter"]: (each["quantity"], each["amount_minor"]) for each in (await owner.get("/billing")).body["used"]}
    assert used == {"call_minutes": (4, 6), "sms": (2, 2)}


async def test_nothing_goes_out_for_a_company_that_has_not_paid(bank: Bank, acme: Company, globex: Company) -> None:
    owner = bank.server.as_member(acme, "owner")
    bank.sandbox.settings.after_retries = "past_due"
    await bank.open()
    await bank.buy(owner, "pro", 4, card=DECLINED_LATER)
    await bank.buy(bank.server.as_member(globex, "owner"), "pro", 4)
    await bank.pass_days(30)
    assert (await standing(owner))[0] == "read_only"
    sent: list[str] = []

    @job("messages.send")
    async def send(run: Run) -> None:
        sent.append(str(run.job.tenant_id))

    async def attempt(deps: Deps) -> None:
        ledger = Ledger(bank.deps.db, "a sender", {})
        runner = Runner(ledger, Registry([send]), deps, max_jobs=2)
        for each in await ledger.due(overdue_s=-0.001, limit=10):
            runner.start(each.tenant_id, [each.id], "sweep")
        await runner.drain(PATIENCE_S)

    for company in (acme, globex):
        async with tenant_tx(bank.deps.db, Who.system(company.tenant_id)) as tx:
            await tx.defer("messages.send", {})
    await attempt(bank.deps)

    assert sent == [str(globex.tenant_id)]
    sql = "SELECT state, run_at > now() AS waits FROM jobs WHERE tenant_id = $1 AND kind = 'messages.send'"
    [row] = await bank.rows(acme, sql)
    assert (row["state"], row["waits"]) == ("ready", True)


async def test_two_people_can_not_take_the_last_seat(bank: Bank, acme: Company) -> None:
    await bank.open()
    await bank.buy(bank.server.as_member(acme, "owner"), "basic", 5)

    async def join(name: str) -> bool:
        try:
            async with tenant_tx(bank.deps.db, acme.who("owner")) as tx:
                await check_seats(tx)
                await tx.conn.execute("SELECT create_member($1, $2, $3, '!', 'rep')", acme.tenant_id, f"{name}@a.test", name)
        except PlanLimit:
            return False
        return True

    assert sorted(await asyncio.gather(*(join(name) for name in ("ada", "bob", "eve")))) == [False, False, True]
    owner = bank.server.as_member(acme, "owner")
    wanted = {"plan": "enterprise", "every": "month", "seats": 100_000}
    for at, status in (
        ("0001-01-01T00:00:00+14:00", 422),
        ("9999-12-31T23:59:59-14:00", 422),
        ("2026-01-01T00:00:00", 422),
        ("1990-01-01T00:00:00Z", 200),  # during a trial nothing is reckoned from a moment
    ):
        assert (await owner.post("/billing/change", wanted | {"at": at})).status == status, at
    assert (await owner.post("/billing/preview", wanted)).status == 200
    answer = await owner.post("/billing/codes", {"code": "NONE"})
    assert (answer.status, "no such code" in answer.field("code")) == (422, True)
