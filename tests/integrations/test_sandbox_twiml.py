"""What a leg does with its TwiML, through the unmodified SDK."""

from typing import Any

import pytest
from twilio.rest import Client
from twilio.twiml.voice_response import Dial, VoiceResponse

from integrations.sandbox.twilio import Sandbox, SandboxSettings
from integrations.sandbox.twilio.audio import seconds_of, tone
from integrations.sandbox.twilio.calls import Call
from tests.integrations.conftest import FROM, Application, Elsewhere, Hand, StartSandbox, eventually, let_live

NEVER_ENDS = "+12025550154"
BUSY = "+18602913905"

# https://www.twilio.com/docs/voice/twiml#request-parameters
OF_REQUESTS = {"AccountSid", "ApiVersion", "CallSid", "CallStatus", "Called", "Caller", "Direction", "From", "To"} | {
    f"{party}{part}" for party in ("Called", "Caller", "From", "To") for part in ("City", "Country", "State", "Zip")
}


def leg(sandbox: Sandbox, sid: str) -> Call:
    """Return a call as the sandbox has it."""
    return next(call for call in sandbox.calls if call.sid == sid)


async def place(twilio: Client, twiml: VoiceResponse | str, **options: Any) -> str:
    """Place a call that is answered and stays."""
    given = {"to": NEVER_ENDS, "from_": FROM} | options
    return str((await twilio.calls.create_async(twiml=str(twiml), **given)).sid)


async def over(sandbox: Sandbox, sid: str) -> Call:
    """Wait for the end of a call."""
    await eventually(lambda: leg(sandbox, sid).is_over)
    return leg(sandbox, sid)


async def test_a_leg_hears_what_its_document_says_and_is_hung_up_at_its_end(
    twilio: Client, sandbox: Sandbox, application: Application
) -> None:
    application.answers["/hello.wav"] = tone(2, 1)
    response = VoiceResponse()
    response.say("Good morning")
    response.pause(length=2)
    response.play(f"{application.url}/hello.wav", loop=2)
    response.play(digits="12#")

    call = await over(sandbox, await place(twilio, response))

    play = f"play: {application.url}/hello.wav"
    assert call.heard == ["say: Good morning", play, play, "digits: 12#"]
    assert call.status == "completed"
    assert call.duration_s is not None and call.duration_s >= 6


async def test_a_url_is_asked_with_all_fields_when_the_call_is_answered(
    twilio: Client, sandbox: Sandbox, application: Application
) -> None:
    application.answers["/answered"] = "<Response><Redirect method='GET'>next?step=2</Redirect></Response>"
    application.answers["/next"] = "<Response><Say>Two</Say></Response>"

    placed = await twilio.calls.create_async(to=NEVER_ENDS, from_=FROM, url=f"{application.url}/answered")
    call = await over(sandbox, placed.sid)

    [asked] = application.at("/answered")
    assert set(asked) == OF_REQUESTS
    assert (asked["CallStatus"], asked["Direction"]) == ("in-progress", "outbound-api")
    [again] = application.at("/next")
    assert again["step"] == "2"
    assert [each.method for each in application.heard] == ["POST", "GET"]
    assert call.heard == ["say: Two"]


async def test_without_a_readable_document_the_call_ends_and_the_reason_is_noted(
    twilio: Client, sandbox: Sandbox, application: Application
) -> None:
    application.answers["/page"] = "<html>"
    application.answers["/good"] = "<Response><Say>Sorry</Say></Response>"
    page = await twilio.calls.create_async(to=NEVER_ENDS, from_=FROM, url=f"{application.url}/page")
    inline = await place(twilio, "<Response>")
    nobody = await twilio.calls.create_async(to=NEVER_ENDS, from_=FROM, url="http://127.0.0.1:1/")
    saved = await twilio.calls.create_async(
        to=NEVER_ENDS, from_=FROM, url="http://127.0.0.1:1/", fallback_url=f"{application.url}/good"
    )

    assert (await over(sandbox, page.sid)).warnings[0].startswith("12100: ")
    assert (await over(sandbox, inline)).warnings[0].startswith("12100: ")
    assert (await over(sandbox, nobody.sid)).warnings == ["11200: http://127.0.0.1:1/ answered nothing"]
    assert (await over(sandbox, saved.sid)).heard == ["say: Sorry"]
    assert application.at("/good")[0]["ErrorCode"] == "11200"


async def test_a_call_ends_at_its_time_limit(slow_twilio: Client, slow_sandbox: Sandbox, slow_hand: Hand) -> None:
    sid = await place(slow_twilio, '<Response><Pause length="36000"/></Response>', time_limit=3)
    await slow_hand.post(f"calls/{sid}/answer")

    let_live(slow_sandbox, 3)

    call = await over(slow_sandbox, sid)
    assert (call.status, call.duration_s) == ("completed", 3)


async def test_what_is_not_understood_is_skipped_and_noted(twilio: Client, sandbox: Sandbox) -> None:
    call = await over(sandbox, await place(twilio, "<Response><Dance/><Say>On</Say></Response>"))

    assert call.warnings == ["12200: Dance is not understood"]
    assert call.heard == ["say: On"]


async def test_keys_that_are_pressed_are_gathered(twilio: Client, sandbox: Sandbox, application: Application, hand: Hand) -> None:
    application.answers["/menu"] = "<Response><Say>Thanks</Say></Response>"
    response = VoiceResponse()
    gather = response.gather(num_digits=2, action=f"{application.url}/menu", timeout=3600)
    gather.say("Press two keys")
    sid = await place(twilio, response)
    await eventually(lambda: leg(sandbox, sid).heard)

    await hand.post(f"calls/{sid}/digits", {"digits": "42"})

    call = await over(sandbox, sid)
    assert application.at("/menu")[0]["Digits"] == "42"
    assert call.heard == ["say: Press two keys", "say: Thanks"]


async def test_a_gather_without_keys_falls_through(twilio: Client, sandbox: Sandbox, application: Application) -> None:
    response = VoiceResponse()
    response.gather(action=f"{application.url}/menu", timeout=1)
    response.say("Nothing")

    call = await over(sandbox, await place(twilio, response))

    assert call.heard == ["say: Nothing"]
    assert application.at("/menu") == []


async def test_all_ring_and_the_first_to_answer_is_connected(twilio: Client, sandbox: Sandbox, application: Application) -> None:
    application.answers["/done"] = "<Response><Say>After</Say></Response>"
    dial = Dial(action=f"{application.url}/done", timeout=20)
    dial.client("sim-rep", status_callback=f"{application.url}/leg", status_callback_event="initiated answered completed")
    dial.number("+18602913902", status_callback=f"{application.url}/leg", status_callback_event="completed")
    response = VoiceResponse()
    response.append(dial)
    sid = await place(twilio, response)
    await eventually(lambda: len(sandbox.calls) == 3 and sandbox.calls[0].is_over)

    number, robot = sandbox.calls[0], sandbox.calls[1]
    assert (number.status, robot.status, robot.to) == ("no-answer", "in-progress", "client:sim-rep")
    assert {(call.parent_sid, call.direction) for call in (number, robot)} == {(sid, "outbound-dial")}
    listed = await twilio.calls.list_async(parent_call_sid=sid)
    assert [each.sid for each in listed] == [number.sid, robot.sid]

    await twilio.calls(robot.sid).update_async(status="completed")

    call = await over(sandbox, sid)
    [done] = application.at("/done")
    assert (done["DialCallStatus"], done["DialCallSid"], done["DialBridged"]) == ("completed", robot.sid, "true")
    assert int(done["DialCallDuration"]) >= 1
    assert call.heard == ["say: After"]
    await eventually(lambda: len(application.at("/leg")) == 4)
    assert {each["ParentCallSid"] for each in application.at("/leg")} == {sid}


async def test_a_dial_that_nobody_answers_tells_why(twilio: Client, sandbox: Sandbox, application: Application) -> None:
    application.answers["/done"] = "<Response/>"
    for target, status in ((BUSY, "busy"), ("client:nobody", "no-answer"), ("+18602913908", "failed")):
        noun = f"<Client>{target[7:]}</Client>" if target.startswith("client:") else f"<Number>{target}</Number>"
        sid = await place(twilio, f'<Response><Dial action="{application.url}/done">{noun}</Dial></Response>')
        await over(sandbox, sid)
        told = application.at("/done", CallSid=sid)[0]
        assert (told["DialCallStatus"], told["DialBridged"]) == (status, "false")


async def test_hanging_up_ends_those_who_were_dialed(twilio: Client, sandbox: Sandbox) -> None:
    sid = await place(twilio, "<Response><Dial><Client>sim-rep</Client></Dial></Response>")
    await eventually(lambda: len(sandbox.calls) == 2 and sandbox.calls[0].is_answered)

    await twilio.calls(sid).update_async(status="completed")

    assert [call.status for call in sandbox.calls] == ["completed", "completed"]


async def test_the_one_who_was_dialed_can_be_sent_elsewhere(twilio: Client, sandbox: Sandbox) -> None:
    sid = await place(twilio, "<Response><Dial><Client>sim-rep</Client></Dial><Say>Alone</Say></Response>")
    await eventually(lambda: len(sandbox.calls) == 2 and sandbox.calls[0].is_answered)
    child = sandbox.calls[0]

    await twilio.calls(child.sid).update_async(twiml="<Response><Say>Here</Say><Pause length='3600'/></Response>")

    assert (await over(sandbox, sid)).heard == ["say: Alone"]
    await eventually(lambda: child.heard)
    assert (child.status, child.heard) == ("in-progress", ["say: Here"])


async def test_a_screen_is_heard_before_the_legs_are_connected(
    twilio: Client, sandbox: Sandbox, application: Application
) -> None:
    application.answers["/screen"] = "<Response><Say>A call from Ada</Say></Response>"
    noun = f'<Number url="{application.url}/screen">+12025550154</Number>'
    sid = await place(twilio, f"<Response><Dial>{noun}</Dial></Response>")

    await eventually(lambda: len(sandbox.calls) == 2 and sandbox.calls[0].occupation is not None)
    assert sandbox.calls[0].heard == ["say: A call from Ada"]
    assert leg(sandbox, sid).status == "in-progress"


async def test_webhooks_can_be_signed_with_a_shared_key(start: StartSandbox, application: Application) -> None:
    application.shared_keys["HK1"] = "secret"
    sandbox = await start(SandboxSettings(speed=50.0, signing_key=("HK1", "secret")))
    http = Elsewhere(sandbox.url)
    twilio = Client(sandbox.account_sid, sandbox.auth_token, http_client=http)

    await twilio.calls.create_async(
        to=NEVER_ENDS, from_=FROM, url=f"{application.url}/voice?a=b%20c", status_callback=f"{application.url}/status"
    )

    await eventually(lambda: application.at("/status"))
    assert [each.is_genuine for each in application.heard] == [True, True]
    await http.close()


async def test_somebody_who_waits_hears_music_until_the_conference_starts(
    twilio: Client, sandbox: Sandbox, application: Application
) -> None:
    application.answers["/music"] = "<Response><Say>One moment</Say><Pause length='36000'/><Say>Never</Say></Response>"
    room = f'<Conference waitUrl="{application.url}/music">room</Conference>'
    sid = await place(twilio, f"<Response><Dial>{room}</Dial></Response>")
    await eventually(lambda: leg(sandbox, sid).heard)

    await twilio.conferences("room").participants.create_async(to="client:sim-rep", from_=FROM, wait_url="")
    await eventually(lambda: sandbox.conferences[0].status == "in-progress")

    assert leg(sandbox, sid).heard == ["say: One moment"]
    assert [each.waiting for each in sandbox.conferences[0].present] == [None, None]


@pytest.mark.parametrize(("channels", "seconds"), [(1, 1), (2, 7)])
def test_a_tone_is_a_real_wav_file_of_its_length(channels: int, seconds: int) -> None:
    sound = tone(seconds, channels)

    assert seconds_of(sound) == seconds
    assert len(sound) == 44 + seconds * 8000 * 2 * channels
