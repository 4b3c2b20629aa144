"""Messages in the sandbox through the unmodified SDK, every exchange held to Twilio's specification."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

import integrations.sandbox.twilio as package
from integrations.sandbox.twilio import Sandbox, SandboxSettings
from integrations.sandbox.twilio.messages import message_table
from tests.harness import until
from tests.integrations.conftest import FROM, Application, Hand, StartSandbox, eventually

CONTACT = "+18602913904"

# https://www.twilio.com/docs/messaging/guides/track-outbound-message-status
OF_STATES = {"AccountSid", "ApiVersion", "From", "MessageSid", "MessageStatus", "SmsSid", "SmsStatus", "To"}
# https://www.twilio.com/docs/messaging/guides/webhook-request
OF_INBOUND = {
    "AccountSid", "ApiVersion", "Body", "From", "FromCity", "FromCountry", "FromState", "FromZip", "MessageSid",
    "NumMedia", "NumSegments", "SmsMessageSid", "SmsSid", "SmsStatus", "To", "ToCity", "ToCountry", "ToState", "ToZip",
}  # fmt: skip


@pytest.fixture
async def sandbox(start: StartSandbox) -> AsyncIterator[Sandbox]:
    """A sandbox that owns a number and lets no other write."""
    yield await start(SandboxSettings(speed=50.0, calls_per_s=100.0, from_numbers=frozenset({FROM})))


async def send(twilio: Client, **options: Any) -> Any:
    return await twilio.messages.create_async(**({"to": CONTACT, "from_": FROM, "body": "Hello"} | options))


async def test_a_message_waits_is_sent_and_is_delivered(twilio: Client, application: Application) -> None:
    sent = await send(twilio, status_callback=f"{application.url}/sms")
    assert (sent.status, sent.direction, sent.num_segments, sent.num_media) == ("queued", "outbound-api", "1", "0")

    await eventually(lambda: len(application.at("/sms")) == 2)
    told = application.at("/sms")
    assert [each["MessageStatus"] for each in told] == ["sent", "delivered"]
    assert all(set(each) == OF_STATES for each in told)
    fetched = await twilio.messages(sent.sid).fetch_async()
    assert (fetched.status, fetched.error_code, fetched.body) == ("delivered", None, "Hello")
    assert fetched.date_sent is not None


@pytest.mark.parametrize(
    ("to", "states", "code"),
    [("+18602913906", ["sent", "undelivered"], 30003), ("+18602913908", ["failed"], 30005)],
)
async def test_the_number_decides_what_becomes_of_a_message(
    twilio: Client, application: Application, to: str, states: list[str], code: int
) -> None:
    sent = await send(twilio, to=to, status_callback=f"{application.url}/sms")

    await eventually(lambda: application.at("/sms", MessageStatus=states[-1]))
    assert [each["MessageStatus"] for each in application.at("/sms")] == states
    assert application.at("/sms")[-1]["ErrorCode"] == str(code)
    assert (await twilio.messages(sent.sid).fetch_async()).error_code == code


async def test_states_can_come_twice_in_the_wrong_order_or_not_at_all(
    twilio: Client, sandbox: Sandbox, application: Application, hand: Hand
) -> None:
    await send(twilio, to="+12025550156", status_callback=f"{application.url}/sms")
    silent = await send(twilio, to="+12025550155", status_callback=f"{application.url}/silent")

    await eventually(lambda: len(application.at("/sms")) == 4)
    assert [each["MessageStatus"] for each in application.at("/sms")] == ["delivered", "delivered", "sent", "sent"]

    async def are_delivered() -> list[dict[str, Any]]:
        # The silent one was sent later, and nothing but the sandbox says how far it is.
        messages: list[dict[str, Any]] = (await hand.get("messages"))["messages"]
        return messages if {each["status"] for each in messages} == {"delivered"} else []

    assert {each["sid"] for each in await until(are_delivered) if each["callbacks"] == []} == {silent.sid}


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"to": "12"}, 21211),
        ({"to": "+12025550150"}, 21211),
        ({"from_": "+12025550101"}, 21606),
        ({"body": ""}, 21602),
        ({"body": "x" * 1601}, 21617),
        ({"status_callback": "somewhere"}, 21609),
        ({"to": "+12025550151"}, 20500),
        ({"to": "+12025550153"}, 20429),
    ],
)
async def test_a_message_is_refused_with_twilios_code(twilio: Client, given: dict[str, str], code: int) -> None:
    with pytest.raises(TwilioRestException) as refused:
        await send(twilio, **given)

    assert refused.value.code == code
    assert await twilio.messages.list_async() == []


async def test_whoever_says_stop_is_written_to_no_more_until_start(twilio: Client, hand: Hand) -> None:
    await hand.post("messages", {"from": CONTACT, "to": FROM, "body": " Stop "})

    with pytest.raises(TwilioRestException) as refused:
        await send(twilio)
    assert refused.value.code == 21610

    await hand.post("messages", {"from": CONTACT, "to": FROM, "body": "start"})
    assert (await send(twilio)).status == "queued"


async def test_a_message_from_outside_is_told_and_can_be_answered(twilio: Client, application: Application, hand: Hand) -> None:
    [owned] = await twilio.incoming_phone_numbers.list_async()
    await twilio.incoming_phone_numbers(owned.sid).update_async(sms_url=f"{application.url}/sms")
    application.answers["/sms"] = "<Response><Message>We will call you</Message></Response>"

    status, told = await hand.post("messages", {"from": CONTACT, "to": FROM, "body": "Call me", "media": ["https://x/a.jpg"]})

    assert (status, told["direction"], told["status"]) == (201, "inbound", "received")
    await eventually(lambda: application.at("/sms"))
    [fields] = application.at("/sms")
    assert set(fields) == OF_INBOUND | {"MediaUrl0", "MediaContentType0"}
    assert (fields["MessageSid"], fields["Body"], fields["NumMedia"]) == (told["sid"], "Call me", "1")
    assert (fields["From"], fields["FromCountry"], fields["SmsStatus"]) == (CONTACT, "US", "received")

    async def replies() -> list[Any]:
        return list(await twilio.messages.list_async(to=CONTACT, from_=FROM))

    while not (found := await replies()):
        pass
    assert [(each.body, each.direction) for each in found] == [("We will call you", "outbound-reply")]
    assert (await hand.post("messages", {"from": CONTACT, "to": "+19995550100", "body": "?"}))[0] == 404


async def test_messages_are_listed_redacted_and_deleted(twilio: Client) -> None:
    long = await send(twilio, body="é" * 160 + "x")
    strange = await send(twilio, body="漢" * 71)
    other = await send(twilio, to="+18602913903", media_url=["https://x/a.jpg"])

    assert (long.num_segments, strange.num_segments) == ("2", "2")
    assert other.sid.startswith("MM")
    assert [each.sid for each in await twilio.messages.list_async(to=CONTACT)] == [strange.sid, long.sid]
    assert (await twilio.messages(long.sid).update_async(body="")).body == ""
    await twilio.messages(other.sid).delete_async()
    assert {each.sid for each in await twilio.messages.list_async()} == {long.sid, strange.sid}


def test_the_docstring_tells_what_becomes_of_messages() -> None:
    for who, says in message_table():
        assert any(who in line and says in line for line in (package.__doc__ or "").splitlines()), who
