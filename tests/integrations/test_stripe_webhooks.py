"""Events of the Stripe sandbox: signed, repeated until they are taken, twice and in the wrong order when asked."""

import asyncio
import json
import time

import pytest
import stripe
from aiohttp import ClientSession

from tests.integrations.conftest import eventually
from tests.integrations.stripe_kit import Endpoint, Shop

_SECRET = "whsec_known"


async def _handle(shop: Shop, method: str, path: str, **body: object) -> dict[str, object]:
    async with ClientSession() as session, session.request(method, f"{shop.sandbox.url}/_sandbox/{path}", json=body) as response:
        answer: dict[str, object] = await response.json()
    return answer


def _kinds(endpoint: Endpoint) -> list[str]:
    return [json.loads(body)["type"] for body, _ in endpoint.taken]


async def test_the_sdk_believes_what_is_sent(shop: Shop, endpoint: Endpoint) -> None:
    shop.sandbox.send_events_to(endpoint.url, _SECRET, ["customer.created"])

    customer = await shop.customer()
    await eventually(lambda: endpoint.taken)

    body, signature = endpoint.taken[0]
    event = shop.client.construct_event(body, signature, _SECRET)
    assert (event.type, event.data.object["id"]) == ("customer.created", customer.id)
    assert (await shop.v1.events.retrieve_async(event.id)).type == "customer.created"
    with pytest.raises(stripe.SignatureVerificationError):
        shop.client.construct_event(body + b" ", signature, _SECRET)
    await eventually(lambda: shop.sandbox.courier.waiting == 0)
    assert _kinds(endpoint) == ["customer.created"]


async def test_an_endpoint_made_by_the_api_tells_its_secret_once(shop: Shop, endpoint: Endpoint) -> None:
    made = await shop.v1.webhook_endpoints.create_async({"url": endpoint.url, "enabled_events": ["product.created"]})
    await shop.v1.products.create_async({"name": "Enterprise"})
    await eventually(lambda: endpoint.taken)

    assert shop.client.construct_event(*endpoint.taken[0], made.secret).type == "product.created"
    again = await shop.v1.webhook_endpoints.retrieve_async(made.id)
    assert "secret" not in again.to_dict()
    await shop.v1.webhook_endpoints.delete_async(made.id)
    await shop.v1.products.create_async({"name": "Another"})
    assert shop.sandbox.courier.waiting == 0


async def test_while_secrets_rotate_both_are_good(shop: Shop, endpoint: Endpoint) -> None:
    name = shop.sandbox.send_events_to(endpoint.url, _SECRET, ["product.created"])
    fresh = str((await _handle(shop, "POST", f"webhooks/{name}/rotate", keep_s=60))["secret"])

    await shop.v1.products.create_async({"name": "Enterprise"})
    await eventually(lambda: endpoint.taken)

    for secret in (_SECRET, fresh):
        assert shop.client.construct_event(*endpoint.taken[0], secret).type == "product.created"
    await _handle(shop, "POST", f"webhooks/{name}/rotate", keep_s=0)
    await shop.v1.products.create_async({"name": "Later"})
    await eventually(lambda: len(endpoint.taken) == 2)
    with pytest.raises(stripe.SignatureVerificationError):
        shop.client.construct_event(*endpoint.taken[1], _SECRET)


async def test_what_is_not_taken_comes_again(shop: Shop, endpoint: Endpoint) -> None:
    endpoint.answers = [500, 503]
    shop.sandbox.send_events_to(endpoint.url, _SECRET, ["product.created"])

    await shop.v1.products.create_async({"name": "Enterprise"})
    await eventually(lambda: len(endpoint.taken) == 3)
    await eventually(lambda: shop.sandbox.courier.waiting == 0)

    told = (await _handle(shop, "GET", "deliveries"))["deliveries"]
    assert isinstance(told, list)
    assert told[-1]["statuses"] == [500, 503, 200]
    assert len({body for body, _ in endpoint.taken[:2]}) == 1


async def test_twice_backwards_late_and_again_on_request(shop: Shop, endpoint: Endpoint) -> None:
    shop.sandbox.send_events_to(endpoint.url, _SECRET, ["product.created", "product.updated"])
    await _handle(shop, "POST", "deliveries", copies=2)
    product = await shop.v1.products.create_async({"name": "Enterprise"})
    await eventually(lambda: len(endpoint.taken) == 2)
    assert _kinds(endpoint) == ["product.created"] * 2

    await _handle(shop, "POST", "deliveries", copies=1, reversed_by=2, skew_s=-900)
    await shop.v1.products.update_async(product.id, {"name": "First"})
    await shop.v1.products.update_async(product.id, {"name": "Second"})
    await eventually(lambda: len(endpoint.taken) == 4)
    names = [json.loads(body)["data"]["object"]["name"] for body, _ in endpoint.taken[2:]]
    assert sorted(names) == ["First", "Second"]
    with pytest.raises(stripe.SignatureVerificationError, match="tolerance"):
        shop.client.construct_event(*endpoint.taken[2], _SECRET)

    await _handle(shop, "POST", "deliveries", reversed_by=0, skew_s=0)
    event = json.loads(endpoint.taken[0][0])["id"]
    await _handle(shop, "POST", f"events/{event}/resend")
    await eventually(lambda: len(endpoint.taken) == 5)
    assert json.loads(endpoint.taken[4][0])["id"] == event


async def test_changes_say_what_was_before(shop: Shop) -> None:
    customer = await shop.customer(card=None)
    await shop.v1.customers.update_async(customer.id, {"name": "Grace", "metadata": {"tenant": "1"}})
    await shop.v1.customers.update_async(customer.id, {"name": "Grace"})

    events = await shop.v1.events.list_async({"type": "customer.updated"})

    assert [each.data.previous_attributes.to_dict() for each in events.data] == [{"metadata": {}, "name": "Ada"}]
    assert events.data[0].request.id.startswith("req_")
    some = await shop.v1.events.list_async({"types": ["customer.created", "product.created"], "limit": 2})
    assert some.has_more


async def test_time_passes_faster_when_it_is_told_to(shop: Shop) -> None:
    before = int(time.time())
    told = await _handle(shop, "POST", "clock", seconds=3_600)
    await asyncio.sleep(0)

    assert int(str(told["now"])) >= before + 3_600
    assert (await shop.v1.customers.create_async({"name": "Later"})).created >= before + 3_600
