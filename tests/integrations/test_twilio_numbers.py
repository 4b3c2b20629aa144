"""Numbers and text messages through their ports: the real SDK against the sandbox, every exchange held to the specification."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from integrations.errors import RateLimited, Rejected, Transient
from integrations.metrics import ProviderMetrics
from integrations.ports import SendMessage
from integrations.sandbox.twilio import Sandbox
from integrations.twilio import TwilioTelephony, TwilioWebhook
from integrations.twilio.messages import TwilioMessaging
from integrations.twilio.numbers import TwilioNumbers
from tests.integrations.conftest import FROM, Application, Hand, eventually, guard_for_tests
from tests.loop_clock import given_up_after

PERSON = "+18602913904"
webhook = TwilioWebhook("")


@pytest.fixture
def numbers(telephony: TwilioTelephony) -> TwilioNumbers:
    return telephony.numbers


@pytest.fixture
def messaging(telephony: TwilioTelephony) -> TwilioMessaging:
    return telephony.messaging


@pytest.fixture
def message(application: Application) -> SendMessage:
    return SendMessage(PERSON, FROM, "Hello, é", f"{application.url}/message")


async def test_a_number_is_looked_for_bought_sent_elsewhere_and_given_back(numbers: TwilioNumbers) -> None:
    offers = await numbers.search("US", area_code="415", limit=5)
    assert 0 < len(offers) <= 5
    assert {(each.e164[:5], each.country, each.locality, each.region) for each in offers} == {
        ("+1415", "US", "San Francisco", "CA")
    }
    assert all(each.voice and each.sms for each in offers)
    e164 = offers[0].e164

    bought = await numbers.buy(e164, "https://hub/voice", "https://hub/sms", "https://hub/status")
    assert (bought.e164, bought.voice, bought.sms) == (e164, True, True)
    assert (bought.voice_url, bought.sms_url) == ("https://hub/voice", "https://hub/sms")
    assert await numbers.list(e164) == [bought]
    assert bought in await numbers.list()
    assert e164 not in {each.e164 for each in await numbers.search("US", area_code="415", limit=5)}

    moved = await numbers.configure(bought.sid, "https://new/voice", "https://new/sms")
    assert (moved.sid, moved.voice_url, moved.sms_url) == (bought.sid, "https://new/voice", "https://new/sms")

    await numbers.release(bought.sid)
    await numbers.release(bought.sid)
    assert await numbers.list(e164) == []
    with pytest.raises(Rejected) as gone:
        await numbers.configure(bought.sid, "https://new/voice", "https://new/sms")
    assert gone.value.status == 404


async def test_numbers_are_found_by_kind_and_by_what_they_contain(numbers: TwilioNumbers) -> None:
    toll_free = await numbers.search("US", kind="toll_free", limit=3)
    assert toll_free and all(each.e164[2:5] in {"800", "833", "844", "855", "866", "877", "888"} for each in toll_free)
    some = await numbers.search("US", area_code="415", limit=1)
    ending = some[0].e164[-4:]
    assert all(ending in each.e164 for each in await numbers.search("US", area_code="415", contains=ending, limit=10))


async def test_a_country_without_numbers_has_none(numbers: TwilioNumbers) -> None:
    assert await numbers.search("AQ") == []


async def test_a_number_that_somebody_has_is_refused_in_words(numbers: TwilioNumbers) -> None:
    [offer] = await numbers.search("US", limit=1)
    await numbers.buy(offer.e164, "https://hub/voice", "https://hub/sms", "https://hub/status")

    with pytest.raises(Rejected) as refused:
        await numbers.buy(offer.e164, "https://hub/voice", "https://hub/sms", "https://hub/status")

    assert refused.value.code == "21422"
    assert offer.e164 in refused.value.message


async def test_a_purchase_is_never_repeated(numbers: TwilioNumbers, hand: Hand) -> None:
    [offer] = await numbers.search("US", limit=1)
    await hand.post("faults", {"operation": "numbers.create", "kind": "500", "times": 1})

    with pytest.raises(Transient) as failed:
        await numbers.buy(offer.e164, "https://hub/voice", "https://hub/sms", "https://hub/status")

    assert failed.value.ambiguous
    assert await numbers.list(offer.e164) == []


@pytest.mark.parametrize(
    ("to", "states", "error"),
    [
        (PERSON, ["sent", "delivered"], None),
        ("+18602913906", ["sent", "undelivered"], "The phone is switched off or out of reach."),
        ("+18602913908", ["failed"], "The number is unknown or no longer in service."),
    ],
)
async def test_a_message_goes_through_its_states(
    messaging: TwilioMessaging, application: Application, message: SendMessage, to: str, states: list[str], error: str | None
) -> None:
    sent = await messaging.send(SendMessage(to, message.from_, message.body, message.status_callback_url))
    assert (sent.state, sent.to, sent.from_, sent.body, sent.error) == ("queued", to, FROM, "Hello, é", None)

    await eventually(lambda: len(application.at("/message", MessageSid=sent.sid)) >= len(states))

    updates = [webhook.read_message(fields) for fields in application.at("/message", MessageSid=sent.sid)]
    assert [each.state for each in updates if each.status != "queued"] == states
    assert updates[-1].error == error
    now = await messaging.fetch(sent.sid)
    assert now is not None
    assert (now.state, now.error) == (states[-1], error)


async def test_a_message_that_twilio_does_not_know_is_none(messaging: TwilioMessaging) -> None:
    assert await messaging.fetch("SM" + "0" * 32) is None


async def test_a_message_whose_answer_was_lost_is_found_again(
    sandbox: Sandbox, application: Application, message: SendMessage, metrics: ProviderMetrics
) -> None:
    lost = SendMessage("+12025550152", FROM, "Hello", message.status_callback_url)
    before = datetime.now(UTC)
    guard = guard_for_tests(metrics)
    async with TwilioTelephony(sandbox.account_sid, sandbox.auth_token, guard, api_url=sandbox.url) as telephony:
        with pytest.raises(Transient) as failed:
            await given_up_after(guard.timeout_s, telephony.messaging.send(lost), lambda: application.at("/message"))

        assert failed.value.ambiguous
        [found] = await telephony.messaging.find(lost.to, FROM, before)
        assert found.body == "Hello"
        assert await telephony.messaging.find(lost.to, "+12025550199", before) == []
        assert await telephony.messaging.find(lost.to, FROM, before + timedelta(minutes=1)) == []


async def test_refusals_and_limits_of_messages_are_told_apart(messaging: TwilioMessaging, message: SendMessage) -> None:
    with pytest.raises(Rejected) as refused:
        await messaging.send(SendMessage("+12025550150", FROM, "Hello", message.status_callback_url))
    with pytest.raises(RateLimited) as limited:
        await messaging.send(SendMessage("+12025550153", FROM, "Hello", message.status_callback_url))

    assert (refused.value.code, refused.value.operation) == ("21211", "messages.create")
    assert limited.value.retry_after == 1.0


async def test_what_somebody_writes_is_read_and_stop_is_heeded(
    messaging: TwilioMessaging, numbers: TwilioNumbers, application: Application, hand: Hand, message: SendMessage
) -> None:
    [offer] = await numbers.search("US", limit=1)
    await numbers.buy(offer.e164, f"{application.url}/voice", f"{application.url}/sms", f"{application.url}/status")

    await hand.post("messages", {"from": PERSON, "to": offer.e164, "body": "Stop"})
    await eventually(lambda: application.at("/sms"))

    update = webhook.read_inbound_message(application.at("/sms")[0])
    assert (update.from_, update.to, update.body) == (PERSON, offer.e164, "Stop")
    with pytest.raises(Rejected) as refused:
        await messaging.send(SendMessage(PERSON, offer.e164, "Hello", message.status_callback_url))
    assert refused.value.code == "21610"


async def test_somebody_who_calls_in_is_read(numbers: TwilioNumbers, application: Application, hand: Hand) -> None:
    [offer] = await numbers.search("US", limit=1)
    await numbers.buy(offer.e164, f"{application.url}/voice", f"{application.url}/sms", f"{application.url}/status")
    application.answers["/voice"] = "<Response><Reject/></Response>"

    await hand.post("inbound", {"from": PERSON, "to": offer.e164})
    await eventually(lambda: application.at("/voice"))

    call = webhook.read_inbound_call(application.at("/voice")[0])
    assert (call.from_, call.to, dict(call.parameters)) == (PERSON, offer.e164, {})
