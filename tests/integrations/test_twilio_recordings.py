"""Recordings, machine detection and answer addresses through the telephony port, against the sandbox."""

from __future__ import annotations

import io
import wave
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from integrations.errors import Rejected, Transient
from integrations.metrics import ProviderMetrics
from integrations.objects import open_objects
from integrations.ports import AmdUpdate, PlaceCall, ProviderCall, RecordingUpdate, Say
from integrations.twilio import Renderer, TwilioTelephony, TwilioWebhook
from tests.integrations.conftest import FROM, Application, Hand, eventually, guard_for_tests

NEVER_ENDS = "+12025550154"
DROPS_AFTER_4_S = "+12025550109"
VOICEMAIL = "+18602913907"
webhook = TwilioWebhook("")

Updates = Callable[[], list[RecordingUpdate]]


@pytest.fixture
def call(application: Application) -> PlaceCall:
    return PlaceCall(NEVER_ENDS, FROM, f"{application.url}/call", conference="room")


@pytest.fixture
def updates(application: Application) -> Updates:
    """What was told of recordings so far."""
    return lambda: [webhook.read_recording(fields) for fields in application.at("/recording")]


async def answered(telephony: TwilioTelephony, application: Application, call: PlaceCall) -> ProviderCall:
    placed = await telephony.place_call(call)
    await eventually(lambda: application.at("/call", CallSid=placed.sid, CallStatus="in-progress"))
    return placed


async def read(telephony: TwilioTelephony, sid: str) -> bytes:
    return b"".join([piece async for piece in telephony.download_recording(sid)])


async def test_a_call_is_recorded_in_two_channels_from_the_answer_on(
    telephony: TwilioTelephony, application: Application, call: PlaceCall, updates: Updates
) -> None:
    placed = await telephony.place_call(
        replace(call, to=DROPS_AFTER_4_S, record=True, recording_callback_url=f"{application.url}/recording")
    )
    await eventually(lambda: any(each.status == "completed" for each in updates()))

    done = updates()[-1]
    assert [each.status for each in updates()] == ["recording", "completed"]
    assert (done.call_sid, done.channels) == (placed.sid, 2)
    with wave.open(io.BytesIO(await read(telephony, done.recording_sid))) as sound:
        assert sound.getnchannels() == 2


async def test_recording_starts_pauses_goes_on_and_stops_while_people_talk(
    telephony: TwilioTelephony, application: Application, call: PlaceCall, updates: Updates
) -> None:
    placed = await answered(telephony, application, call)

    sid = await telephony.start_recording(placed.sid, f"{application.url}/recording")
    assert await telephony.start_recording(placed.sid, f"{application.url}/recording") == sid, "one recording, not two"
    for paused in (True, True, False, False):
        await telephony.pause_recording(placed.sid, sid, paused)
    await telephony.stop_recording(placed.sid, sid)
    await telephony.stop_recording(placed.sid, sid)

    await eventually(lambda: any(each.status in ("completed", "absent") for each in updates()))
    assert {each.recording_sid for each in updates()} == {sid}
    await telephony.hang_up(placed.sid)
    await telephony.stop_recording(placed.sid, sid)


async def test_a_recording_goes_into_the_object_store_and_is_deleted_at_the_provider(
    telephony: TwilioTelephony, application: Application, call: PlaceCall, updates: Updates, tmp_path: Path
) -> None:
    wanted = replace(call, to=DROPS_AFTER_4_S, record=True, recording_callback_url=f"{application.url}/recording")
    await telephony.place_call(wanted)
    await eventually(lambda: any(each.status == "completed" for each in updates()))
    sid = updates()[-1].recording_sid
    store = open_objects(str(tmp_path), {})

    size = await store.put("recordings/one.wav", telephony.download_recording(sid), "audio/wav")

    assert size == await store.size("recordings/one.wav") == len(await read(telephony, sid))
    await telephony.delete_recording(sid)
    await telephony.delete_recording(sid)
    with pytest.raises(Rejected) as gone:
        await read(telephony, sid)
    assert gone.value.status == 404


async def test_a_call_that_is_over_can_not_be_recorded(
    telephony: TwilioTelephony, application: Application, call: PlaceCall
) -> None:
    placed = await answered(telephony, application, call)
    await telephony.hang_up(placed.sid)

    with pytest.raises(Rejected) as refused:
        await telephony.start_recording(placed.sid, f"{application.url}/recording")
    assert refused.value.code == "21220"


async def test_a_download_that_breaks_off_is_transient(metrics: ProviderMetrics) -> None:
    async def broken(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000000"})
        await response.prepare(request)
        await response.write(b"x" * 200_000)
        assert request.transport is not None
        request.transport.abort()
        return response

    app = web.Application()
    app.router.add_get("/{path:.*}", broken)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with TwilioTelephony("AC" + "0" * 32, "token", guard_for_tests(metrics), api_url=url) as telephony:
        with pytest.raises(Transient, match="broke off") as failed:
            await read(telephony, "RE" + "0" * 32)
    await runner.cleanup()
    assert (failed.value.provider, failed.value.operation) == ("twilio", "recordings.download")


@pytest.mark.parametrize(("machine_detection", "greeting_ended"), [("detect", False), ("message_end", True)])
async def test_who_answered_is_told_while_the_call_goes_on(
    telephony: TwilioTelephony, application: Application, call: PlaceCall, machine_detection: str, greeting_ended: bool
) -> None:
    asked = replace(
        call,
        to=VOICEMAIL,
        machine_detection=machine_detection,  # type: ignore[arg-type]  # one of the three
        amd_callback_url=f"{application.url}/amd",
    )
    placed = await answered(telephony, application, asked)
    await eventually(lambda: application.at("/amd"))

    update = webhook.read_amd(application.at("/amd")[0])

    assert isinstance(update, AmdUpdate)
    assert (update.sid, update.answered_by, update.greeting_ended) == (placed.sid, "machine", greeting_ended)


async def test_an_answered_call_asks_what_to_do(
    telephony: TwilioTelephony, application: Application, call: PlaceCall, hand: Hand
) -> None:
    application.answers["/answered"] = Renderer().render([Say("Hello")])
    asked = replace(call, conference=None, answer_url=f"{application.url}/answered")

    placed = await telephony.place_call(asked)

    await eventually(lambda: application.at("/answered", CallSid=placed.sid))
    inbound = webhook.read_inbound_call(application.at("/answered")[0])
    assert (inbound.sid, inbound.to, inbound.from_) == (placed.sid, NEVER_ENDS, FROM)
    assert dict(inbound.parameters) == {}
