"""The Stripe sandbox's API: what it takes, what it refuses and how, and that it keeps to Stripe's own description."""

import asyncio
import json
from collections.abc import Awaitable
from typing import Any

import pytest
import stripe
from aiohttp import ClientSession

from integrations.sandbox.stripe.api import HANDLERS
from integrations.sandbox.stripe.contract import contract
from integrations.sandbox.stripe.operations import OPERATIONS
from integrations.sandbox.stripe.shorten import shortened
from tests.integrations.stripe_kit import Shop
from tests.integrations.stripe_specification import specification


def test_the_contract_is_what_stripe_publishes() -> None:
    described = specification()
    if described is None:
        pytest.skip("Stripe's OpenAPI document (shared/provider-specs) is not here")
    short = shortened(described.document)

    assert (short["version"], short["trees"], short["operations"]) == (
        contract().version,
        contract().trees,
        contract().operations,
    )
    for operation in OPERATIONS:
        known = short["trees"][short["operations"][operation.name]]["properties"]
        assert operation.honours - {"expand"} <= set(known), operation.name


def test_every_operation_is_done_by_somebody() -> None:
    assert set(HANDLERS) == {each.name for each in OPERATIONS}


async def test_the_sdk_says_what_is_wrong_with_a_request(shop: Shop) -> None:
    async def refused(call: Awaitable[object]) -> Any:
        with pytest.raises(stripe.StripeError) as caught:
            await call
        return caught.value

    customers, prices = shop.v1.customers, shop.v1.prices
    unknown = await refused(customers.create_async({"nickname": "Ada"}))
    assert (unknown.http_status, unknown.code, unknown.param) == (400, "parameter_unknown", "nickname")
    deep = await refused(customers.create_async({"invoice_settings": {"colour": "red"}}))
    assert deep.param == "invoice_settings[colour]"
    missing = await refused(prices.create_async({"unit_amount": 5}))
    assert (missing.code, missing.param) == ("parameter_missing", "currency")
    number = await refused(prices.create_async({"currency": "usd", "unit_amount": "five", "product": "prod_1"}))
    assert (number.code, number.param) == ("parameter_invalid_integer", "unit_amount")
    choice = await refused(shop.v1.coupons.create_async({"duration": "always", "percent_off": 5}))
    assert choice.param == "duration"
    nobody = await refused(customers.retrieve_async("cus_nobody"))
    assert (nobody.http_status, nobody.code) == (404, "resource_missing")
    inside = await refused(shop.subscribe("cus_nobody"))
    assert (inside.http_status, inside.code, inside.param) == (400, "resource_missing", "customer")
    elsewhere = await refused(customers.create_async({"cash_balance": {"settings": {"reconciliation_mode": "manual"}}}))
    assert elsewhere.code == "sandbox_unsupported"
    stranger = stripe.StripeClient("sk_test_stranger", base_addresses={"api": shop.sandbox.url}, http_client=shop.http)
    assert isinstance(await refused(stranger.v1.customers.list_async()), stripe.AuthenticationError)


async def test_the_same_key_gets_the_same_answer_and_another_request_an_error(shop: Shop) -> None:
    options = {"idempotency_key": "signup-1"}

    first = await shop.v1.customers.create_async({"name": "Ada"}, options)
    again = await shop.v1.customers.create_async({"name": "Ada"}, options)

    assert first.id == again.id
    assert shop.http.last_headers["idempotent-replayed"] == "true"
    with pytest.raises(stripe.IdempotencyError):
        await shop.v1.customers.create_async({"name": "Grace"}, options)
    # A refusal is an answer, too.
    for _ in range(2):
        with pytest.raises(stripe.CardError):
            await shop.v1.payment_methods.attach_async("pm_card_chargeDeclined", {"customer": first.id}, {"idempotency_key": "2"})


async def test_lists_go_from_page_to_page(shop: Shop) -> None:
    made = [(await shop.v1.customers.create_async({"name": f"{number}", "email": "same@example.com"})).id for number in range(5)]

    page = await shop.v1.customers.list_async({"limit": 2})
    found = [each.id async for each in page.auto_paging_iter()]

    assert found == made[::-1]
    before = await shop.v1.customers.list_async({"ending_before": made[1], "limit": 2})
    assert [each.id for each in before.data] == [made[3], made[2]]
    assert len((await shop.v1.customers.list_async({"email": "same@example.com", "created": {"gte": 1}})).data) == 5
    with pytest.raises(stripe.InvalidRequestError):
        await shop.v1.customers.list_async({"limit": 101})


async def test_search_finds_by_metadata(shop: Shop) -> None:
    customer = await shop.v1.customers.create_async({"name": "Ada", "email": "ada@example.com", "metadata": {"tenant": "42"}})
    await shop.v1.customers.create_async({"name": "Grace", "metadata": {"tenant": "43"}})

    found = await shop.v1.customers.search_async({"query": "metadata['tenant']:'42' AND email~\"ada\""})

    assert [each.id for each in found.data] == [customer.id]
    with pytest.raises(stripe.InvalidRequestError):
        await shop.v1.customers.search_async({"query": "tenant is 42"})


async def test_metadata_is_merged_and_taken_away(shop: Shop) -> None:
    customer = await shop.v1.customers.create_async({"metadata": {"a": "1", "b": "2"}, "address": {"country": "DE"}})

    changed = await shop.v1.customers.update_async(customer.id, {"metadata": {"a": "", "c": "3"}, "description": "Ours"})

    assert changed.metadata.to_dict() == {"b": "2", "c": "3"}
    assert (await shop.v1.customers.update_async(customer.id, {"metadata": ""})).metadata.to_dict() == {}


async def test_things_are_expanded_in_place_of_their_ids(shop: Shop) -> None:
    customer = await shop.customer()
    subscription = await shop.subscribe(customer.id)

    found = await shop.v1.subscriptions.retrieve_async(subscription.id, {"expand": ["items.data.price.product"]})
    assert found["items"].data[0].price.product.name == "Pro"
    whole = ["subscriptions", "tax_ids", "invoice_settings.default_payment_method"]
    customer = await shop.v1.customers.retrieve_async(customer.id, {"expand": whole})
    assert customer.subscriptions.data[0].id == subscription.id
    assert customer.invoice_settings.default_payment_method.card.last4 == "4242"
    with pytest.raises(stripe.InvalidRequestError, match="more than 4 levels"):
        await shop.v1.subscriptions.list_async({"expand": ["data.items.data.price.product"]})
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        await shop.v1.subscriptions.retrieve_async(subscription.id, {"expand": ["colour"]})


async def test_cards_do_what_their_numbers_say(shop: Shop) -> None:
    customer = await shop.customer(card=None)

    with pytest.raises(stripe.CardError) as refused:
        await shop.give_card(customer.id, "pm_card_chargeDeclinedInsufficientFunds")
    assert refused.value.error is not None
    assert (refused.value.code, refused.value.error.decline_code) == ("card_declined", "insufficient_funds")
    with pytest.raises(stripe.InvalidRequestError, match="no attached payment source"):
        await shop.subscribe(customer.id)
    card = await shop.v1.payment_methods.create_async({"type": "card", "card": {"token": "tok_visa"}})
    await shop.v1.payment_methods.attach_async(card.id, {"customer": customer.id})
    assert len((await shop.v1.customers.payment_methods.list_async(customer.id)).data) == 1
    assert (await shop.subscribe(customer.id, default_payment_method=card.id)).status == "active"
    await shop.v1.payment_methods.detach_async(card.id)
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        await shop.v1.payment_methods.attach_async(card.id, {"customer": customer.id})
    failing = await shop.customer("pm_card_chargeCustomerFail")
    assert (await shop.subscribe(failing.id)).status == "incomplete"


async def test_tax_ids_are_looked_at_and_looked_up(shop: Shop) -> None:
    customer = await shop.customer(card=None, tax_id_data=[{"type": "eu_vat", "value": "DE123456789"}])

    with pytest.raises(stripe.InvalidRequestError) as refused:
        await shop.v1.customers.tax_ids.create_async(customer.id, {"type": "eu_vat", "value": "12"})
    assert refused.value.code == "tax_id_invalid"
    shop.sandbox.advance(2)
    listed = await shop.v1.customers.tax_ids.list_async(customer.id)
    assert [each.verification.status for each in listed.data] == ["verified"]
    assert (await shop.v1.customers.tax_ids.delete_async(customer.id, listed.data[0].id)).deleted


async def test_a_balance_pays_first(shop: Shop) -> None:
    customer = await shop.customer()
    await shop.v1.customers.balance_transactions.create_async(customer.id, {"amount": -2_000, "currency": "usd"})

    subscription = await shop.subscribe(customer.id, expand=["latest_invoice"])

    invoice = subscription.latest_invoice
    assert (invoice.total, invoice.amount_due, invoice.starting_balance, invoice.ending_balance) == (9_000, 7_000, -2_000, 0)
    moves = await shop.v1.customers.balance_transactions.list_async(customer.id)
    assert [(each.type, each.amount) for each in moves.data] == [("applied_to_invoice", 2_000), ("adjustment", -2_000)]


async def test_invoices_by_hand_go_through_their_states(shop: Shop) -> None:
    customer = await shop.customer()
    await shop.v1.invoice_items.create_async(
        {"customer": customer.id, "amount": 700, "currency": "usd", "description": "Training"}
    )
    draft = await shop.v1.invoices.create_async({"customer": customer.id, "pending_invoice_items_behavior": "include"})
    assert (draft.status, draft.total, draft.number) == ("draft", 700, None)
    opened = await shop.v1.invoices.finalize_invoice_async(draft.id)
    assert (opened.status, bool(opened.number)) == ("open", True)
    lines = await shop.v1.invoices.line_items.list_async(opened.id)
    assert [each.description for each in lines.data] == ["Training"]
    paid = await shop.v1.invoices.pay_async(opened.id)
    assert (paid.status, paid.amount_paid, paid.amount_remaining) == ("paid", 700, 0)
    payment = (await shop.v1.invoice_payments.list_async({"invoice": paid.id})).data[0]
    assert (await shop.v1.payment_intents.retrieve_async(payment.payment.payment_intent)).status == "succeeded"
    with pytest.raises(stripe.InvalidRequestError, match="already paid"):
        await shop.v1.invoices.pay_async(paid.id)

    other = await shop.v1.invoices.create_async({"customer": customer.id})
    item = {"customer": customer.id, "amount": 900, "currency": "usd", "invoice": other.id}
    await shop.v1.invoice_items.create_async(item)
    await shop.v1.invoices.finalize_invoice_async(other.id)
    assert (await shop.v1.invoices.mark_uncollectible_async(other.id)).status == "uncollectible"
    assert (await shop.v1.invoices.void_invoice_async(other.id)).status == "void"
    unwanted = await shop.v1.invoices.create_async({"customer": customer.id})
    assert (await shop.v1.invoices.delete_async(unwanted.id)).deleted


async def test_prices_are_found_by_their_keys_which_can_move(shop: Shop) -> None:
    found = await shop.v1.prices.list_async({"lookup_keys": ["pro_month", "basic_year"], "expand": ["data.product"]})
    assert {each.product.name for each in found.data} == {"Pro", "Basic"}
    product = found.data[0].product.id
    taken = {"currency": "usd", "unit_amount": 9, "product": product, "lookup_key": "pro_month"}
    with pytest.raises(stripe.InvalidRequestError, match="lookup key"):
        await shop.v1.prices.create_async(taken)
    moved = await shop.v1.prices.create_async(taken | {"transfer_lookup_key": True})
    assert moved.lookup_key == "pro_month"
    tiers = [{"up_to": 10, "unit_amount": 100}, {"up_to": "inf", "unit_amount": 50}]
    tiered = {"currency": "usd", "product": product, "recurring": {"interval": "month"}, "billing_scheme": "tiered"}
    price = await shop.v1.prices.create_async(tiered | {"tiers_mode": "graduated", "tiers": tiers, "expand": ["tiers"]})
    customer = await shop.customer()
    shop.prices["tiered"] = price.id
    assert (await shop.subscribe(customer.id, "tiered", 12, expand=["latest_invoice"])).latest_invoice.total == 1_100


async def test_faults_come_on_request(shop: Shop) -> None:
    shop.sandbox.fail("customers.create", "429")
    with pytest.raises(stripe.RateLimitError):
        await shop.v1.customers.create_async({})
    shop.sandbox.fail("customers.*", "500")
    with pytest.raises(stripe.APIError):
        await shop.v1.customers.list_async()
    # With retries allowed the SDK gets over all of them, and the key sees to it that it is done once.
    patient = stripe.StripeClient(
        shop.sandbox.settings.secret_key, base_addresses={"api": shop.sandbox.url}, http_client=shop.http, max_network_retries=2
    )
    before = shop.sandbox.calls.get("customers.create", 0)
    shop.sandbox.fail("customers.create", "lost")
    shop.sandbox.fail("customers.create", "409")
    await patient.v1.customers.create_async({"name": "Once"})
    assert shop.sandbox.calls["customers.create"] == before + 1

    shop.sandbox.fail("customers.create", "hang")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await shop.v1.customers.create_async({})


async def test_too_many_requests_are_too_many(shop: Shop) -> None:
    shop.sandbox.settings.requests_per_s = 1
    with pytest.raises(stripe.RateLimitError):
        await asyncio.gather(*(shop.v1.customers.list_async() for _ in range(10)))


async def test_nothing_typed_at_the_handles_breaks_them(shop: Shop) -> None:
    paths = ("clock", "deliveries", "webhooks", "faults", "cards/pm_1", "webhooks/we_1/rotate", "events/evt_1/resend")
    async with ClientSession(shop.sandbox.url) as session:
        for path in paths:
            for body in (b"", b"[]", b"nonsense", json.dumps({"seconds": "x", "kind": 3, "url": 5, "keep_s": "y"}).encode()):
                async with session.post(f"/_sandbox/{path}", data=body) as response:
                    assert response.status < 500, (path, body)
        async with session.put("/_sandbox/settings", json={"after_retries": "unpaid", "retry_after_days": [1, 2]}) as response:
            assert (await response.json())["retry_after_days"] == [1, 2]
        async with session.get("/") as response:
            assert "4242424242424242" in await response.text()
