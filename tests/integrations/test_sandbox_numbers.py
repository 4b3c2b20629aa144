"""Numbers and incoming calls in the sandbox, through the unmodified SDK."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.rest import Client

from integrations.sandbox.twilio import Sandbox, SandboxSettings
from tests.integrations.conftest import FROM, Application, Elsewhere, Hand, StartSandbox, eventually, let_live

CALLER = "+18602913904"
# More of the calls' seconds than any test waits for: whoever calls in does not give up because the machine is busy.
PATIENT_S = 36_000
# https://www.twilio.com/docs/voice/twiml#request-parameters
OF_REQUESTS = {"AccountSid", "ApiVersion", "CallSid", "CallStatus", "Called", "Caller", "Direction", "From", "To"} | {
    f"{party}{part}" for party in ("Called", "Caller", "From", "To") for part in ("City", "Country", "State", "Zip")
}


@pytest.fixture
async def sandbox(start: StartSandbox) -> AsyncIterator[Sandbox]:
    """A sandbox that owns a number and lets no other call."""
    yield await start(SandboxSettings(speed=50.0, calls_per_s=100.0, from_numbers=frozenset({FROM})))


async def answering(twilio: Client, application: Application, twiml: str) -> None:
    """Let the application answer the calls to our number."""
    application.answers["/voice"] = twiml
    [owned] = await twilio.incoming_phone_numbers.list_async(phone_number=FROM)
    await twilio.incoming_phone_numbers(owned.sid).update_async(
        voice_url=f"{application.url}/voice", status_callback=f"{application.url}/status"
    )


async def comes_in(hand: Hand, **options: Any) -> dict[str, Any]:
    status, call = await hand.post("inbound", {"from": CALLER, "to": FROM, "patience_s": PATIENT_S, "talk_s": None} | options)
    assert status == 201, call
    return dict(call)


# Numbers


async def test_the_configured_numbers_are_owned_from_the_start(twilio: Client) -> None:
    [owned] = await twilio.incoming_phone_numbers.list_async()

    assert (owned.phone_number, owned.friendly_name, owned.voice_url) == (FROM, "(202) 555-0100", None)
    assert owned.capabilities["voice"] and owned.capabilities["sms"]


async def test_a_number_is_found_bought_configured_used_and_released(twilio: Client) -> None:
    found = await twilio.available_phone_numbers("US").local.list_async(area_code=415, limit=5)
    assert {each.phone_number[:5] for each in found} == {"+1415"}
    assert (found[0].locality, found[0].region, found[0].iso_country) == ("San Francisco", "CA", "US")
    wanted = found[0].phone_number
    with pytest.raises(TwilioRestException) as refused:
        await twilio.calls.create_async(to=CALLER, from_=wanted, twiml="<Response/>")
    assert refused.value.code == 21210

    bought = await twilio.incoming_phone_numbers.create_async(
        phone_number=wanted, voice_url="https://hub/voice", sms_url="https://hub/sms", status_callback="https://hub/status"
    )

    assert (bought.phone_number, bought.voice_url, bought.status) == (wanted, "https://hub/voice", "in-use")
    assert (await twilio.calls.create_async(to=CALLER, from_=wanted, twiml="<Response/>")).status == "queued"
    assert wanted not in [
        each.phone_number for each in await twilio.available_phone_numbers("US").local.list_async(area_code=415)
    ]
    changed = await twilio.incoming_phone_numbers(bought.sid).update_async(voice_url="", friendly_name="West")
    assert (changed.voice_url, changed.sms_url, changed.friendly_name) == (None, "https://hub/sms", "West")
    with pytest.raises(TwilioRestException) as taken:
        await twilio.incoming_phone_numbers.create_async(phone_number=wanted)
    assert taken.value.code == 21422

    await twilio.incoming_phone_numbers(bought.sid).delete_async()

    assert [each.phone_number for each in await twilio.incoming_phone_numbers.list_async()] == [FROM]
    with pytest.raises(TwilioRestException):
        await twilio.calls.create_async(to=CALLER, from_=wanted, twiml="<Response/>")


async def test_numbers_outlive_the_sandbox_where_they_are_kept(start: StartSandbox, tmp_path: Path) -> None:
    kept = SandboxSettings(owned_numbers=(FROM,), numbers_file=tmp_path / "numbers.json")

    async def with_twilio(act: Callable[[Client], Awaitable[Any]]) -> Any:
        sandbox = await start(kept)
        http = Elsewhere(sandbox.url)
        try:
            return await act(Client(sandbox.account_sid, sandbox.auth_token, http_client=http))
        finally:
            await http.close()

    async def buy(twilio: Client) -> dict[str, str | None]:
        bought = await twilio.incoming_phone_numbers.create_async(area_code="415", voice_url="https://hub/voice")
        [first] = await twilio.incoming_phone_numbers.list_async(phone_number=FROM)
        return {bought.sid: "https://hub/voice", first.sid: None}

    async def listed(twilio: Client) -> dict[str, str | None]:
        return {each.sid: each.voice_url for each in await twilio.incoming_phone_numbers.list_async()}

    assert await with_twilio(buy) == await with_twilio(listed)


async def test_any_number_of_an_area_can_be_bought(twilio: Client) -> None:
    assert (await twilio.incoming_phone_numbers.create_async(area_code="312")).phone_number.startswith("+1312")
    for given, code in (({"area_code": "999"}, 21452), ({"phone_number": "12"}, 21421), ({}, 21450)):
        with pytest.raises(TwilioRestException) as refused:
            await twilio.incoming_phone_numbers.create_async(**given)
        assert refused.value.code == code


async def test_numbers_are_searched_by_country_kind_and_pattern(twilio: Client) -> None:
    on_sale = twilio.available_phone_numbers

    assert {each.iso_country for each in await on_sale("CA").local.list_async(limit=60)} == {"CA"}
    assert {each.phone_number[:5] for each in await on_sale("US").toll_free.list_async(area_code=888, limit=3)} == {"+1888"}
    assert [each.phone_number for each in await on_sale("US").local.list_async(contains="206**550199")] == []
    assert [each.phone_number for each in await on_sale("US").local.list_async(contains="206%199$")] == ["+12065550199"]
    assert len(await on_sale("GB").mobile.list_async(page_size=30)) == 100
    # The SDK says no more of a list that it can't read.
    with pytest.raises(TwilioException, match="HTTP 404"):
        await on_sale("ZZ").local.list_async()


# Incoming calls


async def test_an_incoming_call_asks_the_numbers_url_and_follows_the_answer(
    twilio: Client, sandbox: Sandbox, application: Application, hand: Hand
) -> None:
    await answering(twilio, application, "<Response><Say>Welcome</Say><Dial><Client>sim-rep</Client></Dial></Response>")

    sid = (await comes_in(hand))["sid"]
    await eventually(lambda: len(sandbox.calls) == 2 and sandbox.calls[0].status == "in-progress")
    await hand.post(f"calls/{sid}/hangup")

    await eventually(lambda: application.at("/status"))
    [asked] = application.at("/voice")
    assert set(asked) == OF_REQUESTS
    assert (asked["CallSid"], asked["CallStatus"], asked["Direction"]) == (sid, "ringing", "inbound")
    assert (asked["From"], asked["To"]) == (CALLER, FROM)
    [told] = application.at("/status")
    assert (told["CallStatus"], told["Direction"], told["CallSid"]) == ("completed", "inbound", sid)
    child, call = sandbox.calls
    assert call.heard == ["say: Welcome"]
    assert (child.parent_sid, child.from_, child.to, child.status) == (sid, CALLER, "client:sim-rep", "completed")
    fetched = await twilio.calls(sid).fetch_async()
    assert (fetched.direction, fetched.phone_number_sid is not None) == ("inbound", True)


async def test_an_incoming_call_can_go_into_a_conference(
    twilio: Client, sandbox: Sandbox, application: Application, hand: Hand
) -> None:
    await answering(twilio, application, "<Response><Dial><Conference>room</Conference></Dial></Response>")
    await comes_in(hand)
    await twilio.conferences("room").participants.create_async(to="client:sim-rep", from_=FROM)

    await eventually(lambda: sandbox.conferences and sandbox.conferences[0].status == "in-progress")


@pytest.mark.parametrize(("twiml", "status"), [("<Reject/>", "no-answer"), ('<Reject reason="busy"/>', "busy")])
async def test_a_rejected_call_is_never_answered(
    twilio: Client, sandbox: Sandbox, application: Application, hand: Hand, twiml: str, status: str
) -> None:
    await answering(twilio, application, f"<Response>{twiml}</Response>")
    await comes_in(hand)

    await eventually(lambda: sandbox.calls[0].is_over)
    assert (sandbox.calls[0].status, sandbox.calls[0].is_answered) == (status, False)


async def test_answer_on_bridge_leaves_the_caller_ringing_until_somebody_picks_up(
    twilio: Client, sandbox: Sandbox, application: Application, hand: Hand
) -> None:
    await hand.post("clients", {"identity": "rep", "answer_after_s": None})
    dial = f'<Dial answerOnBridge="true" timeout="{PATIENT_S}" action="{application.url}/done"><Client>rep</Client></Dial>'
    await answering(twilio, application, f"<Response>{dial}</Response>")
    sid = (await comes_in(hand))["sid"]
    await eventually(lambda: len(sandbox.calls) == 2 and sandbox.calls[0].status == "ringing")
    assert sandbox.calls[1].status == "ringing"

    await hand.post(f"calls/{sandbox.calls[0].sid}/answer")
    assert sandbox.calls[1].status == "in-progress"

    await hand.post(f"calls/{sid}/hangup")
    await eventually(lambda: application.at("/done"))
    assert application.at("/done")[0]["DialCallStatus"] == "completed"
    assert sandbox.calls[0].status == "completed"


async def test_a_caller_gives_up_when_nobody_answers(
    twilio: Client, sandbox: Sandbox, application: Application, hand: Hand
) -> None:
    await hand.post("clients", {"identity": "rep", "answer_after_s": None})
    dial = f'<Dial answerOnBridge="true" timeout="{2 * PATIENT_S}"><Client>rep</Client></Dial>'
    await answering(twilio, application, f"<Response>{dial}</Response>")
    await comes_in(hand)
    await eventually(lambda: len(sandbox.calls) == 2 and sandbox.calls[0].status == "ringing")

    let_live(sandbox, PATIENT_S)

    await eventually(lambda: all(call.is_over for call in sandbox.calls))
    assert [call.status for call in sandbox.calls] == ["canceled", "no-answer"]


async def test_a_browser_asks_its_application_whom_to_call(sandbox: Sandbox, application: Application, hand: Hand) -> None:
    application.answers["/app"] = "<Response><Dial><Conference>room</Conference></Dial></Response>"

    await comes_in(hand, **{"from": "client:t.u", "to": "", "url": f"{application.url}/app", "parameters": {"call_id": "7"}})

    await eventually(lambda: sandbox.conferences and sandbox.conferences[0].present)
    [asked] = application.at("/app")
    assert (asked["From"], asked["call_id"], asked["Direction"]) == ("client:t.u", "7", "inbound")


async def test_a_number_without_a_url_or_a_caller_without_a_number_can_not_call(hand: Hand) -> None:
    assert (await hand.post("inbound", {"from": CALLER, "to": FROM}))[0] == 400
    assert (await hand.post("inbound", {"from": "x", "to": FROM, "url": "http://x/"}))[0] == 400
