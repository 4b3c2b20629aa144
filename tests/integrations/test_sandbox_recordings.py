"""Recordings, transcriptions and machine detection in the sandbox, through the unmodified SDK."""

import io
import wave
from typing import Any

import pytest
from aiohttp import ClientSession, encode_basic_auth
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from integrations.sandbox.twilio import Sandbox
from integrations.sandbox.twilio.transcriptions import message_of
from tests.integrations.conftest import FROM, Application, Hand, eventually, let_live

NEVER_ENDS = "+12025550154"
PERSON = "+18602913904"
VOICEMAIL = "+18602913907"
TALKING = '<Response><Pause length="36000"/></Response>'

# https://www.twilio.com/docs/voice/api/recording#recording-status-callback
OF_RECORDINGS = {
    "AccountSid", "CallSid", "ErrorCode", "RecordingChannels", "RecordingDuration", "RecordingSid", "RecordingSource",
    "RecordingStartTime", "RecordingStatus", "RecordingTrack", "RecordingUrl",
}  # fmt: skip


async def download(sandbox: Sandbox, path: str, with_credentials: bool = True) -> tuple[int, bytes]:
    headers = {"Authorization": encode_basic_auth(sandbox.account_sid, sandbox.auth_token)} if with_credentials else {}
    async with ClientSession() as session, session.get(f"{sandbox.url}{path}", headers=headers) as response:
        return response.status, await response.read()


async def talking(twilio: Client, sandbox: Sandbox, **options: Any) -> Any:
    """A call that is being talked on."""
    call = await twilio.calls.create_async(**({"to": NEVER_ENDS, "from_": FROM, "twiml": TALKING} | options))
    await eventually(lambda: sandbox.calls[0].is_answered)
    return call


async def test_a_call_is_recorded_in_two_channels_and_can_be_heard_when_it_is_complete(
    slow_twilio: Client, slow_sandbox: Sandbox, slow_hand: Hand, application: Application
) -> None:
    twilio, sandbox = slow_twilio, slow_sandbox
    call = await twilio.calls.create_async(
        to=PERSON, from_=FROM, twiml=TALKING, record=True, recording_channels="dual",
        recording_status_callback=f"{application.url}/tape",
        recording_status_callback_event=["in-progress", "completed", "absent"],
    )  # fmt: skip

    await slow_hand.post(f"calls/{call.sid}/answer")
    [recording] = sandbox._recordings.of_call(call.sid)
    await eventually(lambda: recording.deliveries)

    # So long does this person talk, and a second until what was taken down can be heard.
    let_live(sandbox, 29)
    await eventually(lambda: recording.status == "processing")
    let_live(sandbox, 1)

    await eventually(lambda: application.at("/tape", RecordingStatus="completed"))
    first, last = application.at("/tape")
    assert set(first) == set(last) == OF_RECORDINGS
    assert (first["RecordingStatus"], first["CallSid"]) == ("in-progress", call.sid)
    assert (last["RecordingChannels"], last["RecordingSource"], last["ErrorCode"]) == ("2", "OutboundAPI", "0")
    assert last["RecordingDuration"] == "29"
    [listed] = await twilio.calls(call.sid).recordings.list_async()
    fetched = await twilio.recordings(listed.sid).fetch_async()
    assert (fetched.status, fetched.duration, fetched.channels) == ("completed", last["RecordingDuration"], 2)
    assert last["RecordingUrl"] == fetched.media_url == f"{sandbox.url}{fetched.uri.removesuffix('.json')}"

    status, sound = await download(sandbox, fetched.uri.replace(".json", ".wav?RequestedChannels=2"))
    with wave.open(io.BytesIO(sound)) as file:
        assert (status, file.getnchannels(), file.getsampwidth(), file.getframerate()) == (200, 2, 2, 8000)
        assert file.getnframes() == int(last["RecordingDuration"]) * 8000
        frame = file.readframes(400)[-4:]
    assert frame[:2] != frame[2:]
    assert (await download(sandbox, fetched.uri.replace(".json", ".wav"), with_credentials=False))[0] == 401


async def test_a_recording_is_started_paused_resumed_stopped_and_deleted(
    slow_twilio: Client, slow_sandbox: Sandbox, slow_hand: Hand, application: Application
) -> None:
    twilio, sandbox = slow_twilio, slow_sandbox
    call = await twilio.calls.create_async(to=NEVER_ENDS, from_=FROM, twiml=TALKING)
    await slow_hand.post(f"calls/{call.sid}/answer")
    tapes = twilio.calls(call.sid).recordings
    tape = await tapes.create_async(recording_channels="dual", recording_status_callback=f"{application.url}/tape")
    assert (tape.status, tape.source, tape.channels, tape.track) == ("in-progress", "StartCallRecordingAPI", 2, "both")

    let_live(sandbox, 3)
    assert (await tapes(tape.sid).update_async(status="paused", pause_behavior="silence")).status == "paused"
    let_live(sandbox, 5)
    assert (await tapes("Twilio.CURRENT").update_async(status="in-progress")).status == "in-progress"
    assert (await tapes("Twilio.CURRENT").update_async(status="stopped")).status == "stopped"
    let_live(sandbox, 1)

    await eventually(lambda: application.at("/tape"))
    assert [each["RecordingStatus"] for each in application.at("/tape")] == ["completed"]
    _, sound = await download(sandbox, f"/2010-04-01/Accounts/{sandbox.account_sid}/Recordings/{tape.sid}")
    with wave.open(io.BytesIO(sound)) as file:
        assert file.getnframes() == 8 * 8000
        quiet = file.readframes(file.getnframes()).count(bytes(32000))
        assert quiet == 5
    with pytest.raises(TwilioRestException) as refused:
        await tapes(tape.sid).update_async(status="paused")
    assert refused.value.code == 21220
    await twilio.recordings(tape.sid).delete_async()
    assert await twilio.recordings.list_async(call_sid=call.sid) == []


async def test_only_a_call_that_is_talked_on_can_be_recorded(twilio: Client, sandbox: Sandbox, hand: Hand) -> None:
    call = await talking(twilio, sandbox)
    await hand.post(f"calls/{call.sid}/hangup")

    with pytest.raises(TwilioRestException) as refused:
        await twilio.calls(call.sid).recordings.create_async()
    assert refused.value.code == 21220


async def test_a_message_is_taken_down_and_transcribed(
    slow_twilio: Client, slow_sandbox: Sandbox, slow_hand: Hand, application: Application
) -> None:
    twilio, sandbox = slow_twilio, slow_sandbox
    application.answers["/thanks"] = "<Response><Hangup/></Response>"
    twiml = (
        f'<Response><Record maxLength="60" action="{application.url}/thanks" transcribe="true"'
        f' transcribeCallback="{application.url}/words" recordingStatusCallback="{application.url}/tape"/></Response>'
    )
    call = await twilio.calls.create_async(to=NEVER_ENDS, from_=FROM, twiml=twiml)
    await slow_hand.post(f"calls/{call.sid}/answer")
    await eventually(lambda: "beep" in sandbox.calls[0].heard)
    [recording] = sandbox._recordings.of_call(call.sid)

    # Eight seconds of words and five of silence; a second until they can be heard, and two until they can be read.
    let_live(sandbox, 13)
    await eventually(lambda: sandbox.calls[0].is_over)
    let_live(sandbox, 1)
    await eventually(lambda: recording.deliveries)
    let_live(sandbox, 2)

    await eventually(lambda: application.at("/words"))
    [thanks], [tape], [words] = application.at("/thanks"), application.at("/tape"), application.at("/words")
    assert (tape["RecordingSource"], tape["RecordingChannels"], tape["CallSid"]) == ("RecordVerb", "1", call.sid)
    assert thanks["RecordingSid"] == tape["RecordingSid"] == words["RecordingSid"]
    assert thanks["RecordingDuration"] == "13"
    assert words["TranscriptionStatus"] == "completed"
    assert words["TranscriptionText"] == message_of(sandbox.calls[0])
    assert call.sid in words["TranscriptionText"]
    [listed] = await twilio.recordings(tape["RecordingSid"]).transcriptions.list_async()
    fetched = await twilio.transcriptions(listed.sid).fetch_async()
    assert (fetched.sid, fetched.transcription_text) == (words["TranscriptionSid"], words["TranscriptionText"])


async def test_a_key_ends_a_message_and_so_does_hanging_up(
    twilio: Client, sandbox: Sandbox, application: Application, hand: Hand
) -> None:
    twiml = f'<Response><Record timeout="36000" action="{application.url}/thanks"/></Response>'
    for digits in ("#", ""):
        call = await talking(twilio, sandbox, twiml=twiml)
        await eventually(lambda: "beep" in sandbox.calls[0].heard)
        if digits:
            await hand.post(f"calls/{call.sid}/digits", {"digits": digits})
        else:
            await hand.post(f"calls/{call.sid}/hangup")
        await eventually(lambda sid=call.sid: application.at("/thanks", CallSid=sid))  # type: ignore[misc]
        assert application.at("/thanks", CallSid=call.sid)[0]["Digits"] == (digits or "hangup")


async def test_a_call_is_transcribed_while_it_goes_on(twilio: Client, sandbox: Sandbox, application: Application) -> None:
    call = await talking(twilio, sandbox)
    live = await twilio.calls(call.sid).transcriptions.create_async(
        status_callback_url=f"{application.url}/live", track="both_tracks"
    )
    assert live.status == "in-progress"

    await eventually(lambda: len(application.at("/live", TranscriptionEvent="transcription-content")) >= 2)
    assert (await twilio.calls(call.sid).transcriptions(live.sid).update_async(status="stopped")).status == "stopped"

    await eventually(lambda: application.at("/live", TranscriptionEvent="transcription-stopped"))
    told = application.at("/live")
    assert told[0]["TranscriptionEvent"] == "transcription-started"
    assert {each["Track"] for each in told if "Track" in each} == {"inbound_track", "outbound_track"}
    assert [int(each["SequenceId"]) for each in told] == list(range(1, len(told) + 1))


@pytest.mark.parametrize(
    ("to", "mode", "found"),
    [
        (PERSON, "Enable", "human"),
        (VOICEMAIL, "Enable", "machine_start"),
        (VOICEMAIL, "DetectMessageEnd", "machine_end_beep"),
        ("+12025550157", "Enable", "fax"),
        ("+12025550158", "DetectMessageEnd", "unknown"),
    ],
)
async def test_what_answered_is_told_asynchronously(
    twilio: Client, sandbox: Sandbox, application: Application, to: str, mode: str, found: str
) -> None:
    call = await twilio.calls.create_async(
        to=to, from_=FROM, twiml=TALKING, machine_detection=mode, async_amd="true",
        async_amd_status_callback=f"{application.url}/amd",
    )  # fmt: skip

    await eventually(lambda: application.at("/amd"))
    [told] = application.at("/amd")
    assert set(told) == {"AccountSid", "CallSid", "AnsweredBy", "MachineDetectionDuration"}
    assert (told["CallSid"], told["AnsweredBy"]) == (call.sid, found)
    assert 1000 <= int(told["MachineDetectionDuration"]) <= 10_000
    assert (await twilio.calls(call.sid).fetch_async()).answered_by == found


async def test_without_async_the_instructions_wait_for_the_detection(
    twilio: Client, sandbox: Sandbox, application: Application
) -> None:
    application.answers["/answered"] = TALKING
    await twilio.calls.create_async(to=VOICEMAIL, from_=FROM, url=f"{application.url}/answered", machine_detection="Enable")

    await eventually(lambda: application.at("/answered"))
    assert application.at("/answered")[0]["AnsweredBy"] == "machine_start"


async def test_a_voicemail_drop_is_played_after_the_beep_and_ends_the_call(
    slow_twilio: Client, slow_sandbox: Sandbox, slow_hand: Hand, application: Application
) -> None:
    twilio, sandbox = slow_twilio, slow_sandbox
    application.answers["/drop"] = "<Response><Say>Sorry that I missed you</Say><Hangup/></Response>"
    call = await twilio.calls.create_async(
        to=VOICEMAIL, from_=FROM, twiml="<Response><Dial><Conference>room</Conference></Dial></Response>",
        machine_detection="DetectMessageEnd", async_amd="true", async_amd_status_callback=f"{application.url}/amd",
    )  # fmt: skip
    await slow_hand.post(f"calls/{call.sid}/answer")
    await eventually(lambda: sandbox.conferences and sandbox.conferences[0].present)
    # The greeting ends with a beep after nine seconds; the machine itself hangs up after twenty-five.
    let_live(sandbox, 9)
    await eventually(lambda: application.at("/amd"))

    await twilio.calls(call.sid).update_async(url=f"{application.url}/drop")
    await eventually(lambda: sandbox.calls[0].heard)
    let_live(sandbox, 10)

    await eventually(lambda: sandbox.calls[0].is_over)
    assert sandbox.calls[0].heard == ["say: Sorry that I missed you"]
    assert sandbox.conferences[0].is_over
