"""The telephony port on the real SDK, against the sandbox, every exchange held to Twilio's specification."""

import asyncio
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from integrations.errors import RateLimited, Rejected, Transient
from integrations.metrics import ProviderMetrics
from integrations.ports import FINAL_STATES, PlaceCall
from integrations.sandbox.twilio import Sandbox, SandboxSettings
from integrations.twilio import TwilioTelephony
from integrations.twilio.http import HttpClient, error_of
from integrations.waiting import seconds_of
from tests.integrations.conftest import FROM, Receiver, StartSandbox, eventually, guard_for_tests
from tests.integrations.specification import SPECS
from tests.loop_clock import given_up_after

PERSON = "+18602913904"
NEVER_ENDS = "+12025550154"

ACall = Callable[[str], PlaceCall]


@pytest.mark.skipif(not SPECS.is_dir(), reason="../shared/provider-specs is missing: answers were not compared with it")
async def test_the_specification_is_there_to_compare_with() -> None:
    assert (SPECS / "twilio_api_v2010.json").is_file()


async def test_a_placed_call_waits_rings_is_talked_on_and_ends(
    telephony: TwilioTelephony, receiver: Receiver, a_call: ACall
) -> None:
    began = asyncio.get_running_loop().time()
    placed = await telephony.place_call(a_call(PERSON))

    assert (placed.to, placed.from_, placed.state, placed.started_at) == (PERSON, FROM, "dialing", None)
    await eventually(lambda: "completed" in receiver.statuses(placed.sid))
    ended = await telephony.fetch_call(placed.sid)
    assert ended is not None
    assert ended.state == "completed"
    # In the sandbox's seconds, of which fifty make one of ours.
    lived_s = (asyncio.get_running_loop().time() - began) * 50
    assert ended.duration_s is not None and 29 <= ended.duration_s <= round(lived_s)
    assert ended.started_at is not None and ended.ended_at is not None
    assert ended.answered_by is None


@pytest.mark.parametrize(
    ("to", "state"),
    [("+18602913905", "busy"), ("+18602913906", "no_answer"), ("+18602913908", "failed"), ("+18602913909", "completed")],
)
async def test_the_last_digit_decides_how_a_call_ends(
    telephony: TwilioTelephony, receiver: Receiver, a_call: ACall, to: str, state: str
) -> None:
    placed = await telephony.place_call(a_call(to))

    await eventually(lambda: any(each.update.state in FINAL_STATES for each in receiver.of(placed.sid)))
    ended = await telephony.fetch_call(placed.sid)
    assert ended is not None and ended.state == state


async def test_a_ringing_phone_is_given_up_after_the_callers_timeout(telephony: TwilioTelephony, receiver: Receiver) -> None:
    placed = await telephony.place_call(PlaceCall(PERSON, FROM, receiver.url, twiml="<Response/>", timeout_s=1))

    await eventually(lambda: "no-answer" in receiver.statuses(placed.sid))


async def test_machine_detection_is_off_until_asked_for(telephony: TwilioTelephony, receiver: Receiver, a_call: ACall) -> None:
    voicemail = "+18602913907"
    plain = await telephony.place_call(a_call(voicemail))
    detecting = await telephony.place_call(
        PlaceCall(voicemail, FROM, receiver.url, conference="room", machine_detection="detect")
    )

    for call in (plain, detecting):
        await eventually(lambda sid=call.sid: "completed" in receiver.statuses(sid))  # type: ignore[misc]
    assert receiver.of(plain.sid)[-1].update.answered_by is None
    assert receiver.of(detecting.sid)[-1].update.answered_by == "machine_start"
    fetched = await telephony.fetch_call(detecting.sid)
    assert fetched is not None and fetched.answered_by == "machine_start"


async def test_hanging_up_completes_a_call_that_is_talked_on(
    telephony: TwilioTelephony, receiver: Receiver, a_call: ACall
) -> None:
    placed = await telephony.place_call(a_call(NEVER_ENDS))
    await eventually(lambda: "in-progress" in receiver.statuses(placed.sid))

    ended = await telephony.hang_up(placed.sid)

    assert ended.state == "completed"
    await eventually(lambda: receiver.statuses(placed.sid)[-1] == "completed")


async def test_hanging_up_before_an_answer_cancels_and_may_be_repeated(slow_telephony: TwilioTelephony, a_call: ACall) -> None:
    placed = await slow_telephony.place_call(a_call(NEVER_ENDS))

    assert (await slow_telephony.hang_up(placed.sid)).state == "canceled"
    assert (await slow_telephony.hang_up(placed.sid)).state == "canceled"


async def test_a_call_that_still_waits_is_found(slow_telephony: TwilioTelephony, a_call: ACall) -> None:
    before = datetime.now(UTC)
    waiting = await slow_telephony.place_call(a_call(PERSON))

    [found] = await slow_telephony.find_calls(PERSON, FROM, before)

    assert (found.sid, found.status, found.started_at) == (waiting.sid, "queued", None)


async def test_a_call_that_twilio_does_not_know_is_none_and_can_not_be_hung_up(telephony: TwilioTelephony) -> None:
    unknown = "CA" + "0" * 32

    assert await telephony.fetch_call(unknown) is None
    with pytest.raises(Rejected) as refused:
        await telephony.hang_up(unknown)
    assert (refused.value.code, refused.value.status) == ("20404", 404)


async def test_an_invalid_number_is_rejected_with_twilios_code(
    telephony: TwilioTelephony, a_call: ACall, sandbox: Sandbox
) -> None:
    with pytest.raises(Rejected) as refused:
        await telephony.place_call(a_call("+12025550150"))

    assert (refused.value.code, refused.value.status) == ("21211", 400)
    assert (refused.value.provider, refused.value.operation) == ("twilio", "calls.create")
    assert str(refused.value).startswith("twilio calls.create: The phone number")
    assert not sandbox.calls


async def test_a_server_error_is_transient_and_ambiguous_and_not_repeated(
    telephony: TwilioTelephony, a_call: ACall, registry: CollectorRegistry
) -> None:
    with pytest.raises(Transient) as failed:
        await telephony.place_call(a_call("+12025550151"))

    assert failed.value.ambiguous
    labels = {"provider": "twilio", "operation": "calls.create", "result": "transient"}
    assert registry.get_sample_value("ringside_provider_calls_total", labels) == 1


async def test_too_many_requests_say_when_to_come_back(telephony: TwilioTelephony, a_call: ACall) -> None:
    with pytest.raises(RateLimited) as limited:
        await telephony.place_call(a_call("+12025550153"))

    assert limited.value.retry_after == 1.0
    assert not limited.value.ambiguous


async def test_a_lost_answer_is_ambiguous_and_the_call_can_be_found_again(
    sandbox: Sandbox, a_call: ACall, metrics: ProviderMetrics
) -> None:
    lost = "+12025550152"
    before = datetime.now(UTC)
    guard = guard_for_tests(metrics)
    async with TwilioTelephony(sandbox.account_sid, sandbox.auth_token, guard, api_url=sandbox.url) as telephony:
        with pytest.raises(Transient) as failed:
            await given_up_after(guard.timeout_s, telephony.place_call(a_call(lost)), lambda: sandbox.calls)

        assert failed.value.ambiguous
        [found] = await telephony.find_calls(lost, FROM, before)
        assert found.sid == sandbox.calls[0].sid
        assert await telephony.find_calls(lost, "+12025550199", before) == []
        assert await telephony.find_calls(lost, FROM, before + timedelta(minutes=1)) == []


async def test_a_connection_that_breaks_before_the_answer_is_ambiguous(
    start: StartSandbox, a_call: ACall, metrics: ProviderMetrics
) -> None:
    sandbox = await start(SandboxSettings(speed=50.0, hang_s=0.05))
    async with TwilioTelephony(
        sandbox.account_sid, sandbox.auth_token, guard_for_tests(metrics), api_url=sandbox.url
    ) as telephony:
        with pytest.raises(Transient) as failed:
            await telephony.place_call(a_call("+12025550152"))
    assert failed.value.ambiguous


async def test_a_host_that_is_not_there_is_not_ambiguous(a_call: ACall, metrics: ProviderMetrics) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        async with TwilioTelephony("AC" + "0" * 32, "token", guard_for_tests(metrics), api_url=url) as telephony:
            with pytest.raises(Transient) as failed:
                await telephony.place_call(a_call(PERSON))
    assert not failed.value.ambiguous


async def test_live_and_ended_calls_are_both_found_once(telephony: TwilioTelephony, receiver: Receiver, a_call: ACall) -> None:
    before = datetime.now(UTC)
    ended = await telephony.place_call(a_call(PERSON))
    await eventually(lambda: "completed" in receiver.statuses(ended.sid))
    live = await telephony.place_call(a_call(PERSON))
    await telephony.place_call(a_call(NEVER_ENDS))

    found = await telephony.find_calls(PERSON, FROM, before)

    assert {call.sid for call in found} == {ended.sid, live.sid}
    assert len(found) == 2


async def test_a_long_list_is_read_over_all_its_pages(telephony: TwilioTelephony, sandbox: Sandbox, a_call: ACall) -> None:
    for _ in range(5):
        await telephony.place_call(a_call(NEVER_ENDS))

    instances = await telephony._calls.list_async(to=NEVER_ENDS, page_size=2)

    assert [each.sid for each in instances] == [call.sid for call in sandbox.calls]


async def test_a_dead_token_is_a_credential_fault(
    sandbox: Sandbox, metrics: ProviderMetrics, registry: CollectorRegistry
) -> None:
    guard = guard_for_tests(metrics)
    async with TwilioTelephony(sandbox.account_sid, "dead", guard, api_url=sandbox.url) as telephony:
        with pytest.raises(Rejected) as refused:
            await telephony.fetch_call("CA" + "0" * 32)

    assert refused.value.is_credential_fault and refused.value.code == "20003"
    assert registry.get_sample_value("ringside_provider_credential_faults_total", {"provider": "twilio"}) == 1


async def test_the_usual_guard_paces_call_creations(sandbox: Sandbox, a_call: ACall, metrics: ProviderMetrics) -> None:
    loop = asyncio.get_running_loop()
    async with TwilioTelephony.open(
        sandbox.account_sid, sandbox.auth_token, None, api_url=sandbox.url, calls_per_s=10.0, metrics=metrics
    ) as telephony:
        started = loop.time()
        await asyncio.gather(*(telephony.place_call(a_call(PERSON)) for _ in range(4)))

    assert loop.time() - started >= 0.3


async def test_an_answer_that_is_not_twilios_is_ambiguous(a_call: ACall, metrics: ProviderMetrics) -> None:
    async def page(request: web.Request) -> web.Response:
        return web.Response(status=201, text="<html>A proxy says hello.</html>")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", page)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/behind/"
    async with TwilioTelephony("AC" + "0" * 32, "token", guard_for_tests(metrics), api_url=url) as telephony:
        with pytest.raises(Transient) as failed:
            await telephony.place_call(a_call(PERSON))
    await runner.cleanup()
    assert failed.value.ambiguous and "unreadable" in failed.value.message


async def test_only_the_host_of_a_request_is_changed() -> None:
    sent = "https://api.twilio.com/2010-04-01/Accounts/AC1/Calls.json?StartTime%3E=2026-01-01&To=%2B1202"
    redirected = HttpClient(api_url="http://127.0.0.1:9/twilio/")
    plain = HttpClient()

    assert str(redirected._direct(sent)).startswith("http://127.0.0.1:9/twilio/2010-04-01/Accounts/AC1/Calls.json?")
    assert redirected._direct(sent).query == {"StartTime>": "2026-01-01", "To": "+1202"}
    assert str(plain._direct(sent).origin()) == "https://api.twilio.com"
    await redirected.close()
    await plain.close()


def test_the_client_is_built_inside_a_running_loop_or_not_at_all() -> None:
    with pytest.raises(RuntimeError):
        HttpClient()


def test_a_call_needs_one_thing_to_do_when_answered() -> None:
    with pytest.raises(ValueError, match="either"):
        PlaceCall(PERSON, FROM, "http://hub/status")
    with pytest.raises(ValueError, match="either"):
        PlaceCall(PERSON, FROM, "http://hub/status", conference="room", twiml="<Response/>")


def test_errors_are_read_in_every_shape_that_twilio_and_proxies_use() -> None:
    problem = error_of(400, '{"type": "x", "title": "Bad", "status": 400, "code": 21211}', None)
    assert isinstance(problem, Rejected) and (problem.code, problem.message) == ("21211", "Bad")
    html = error_of(502, "<html>", "3")
    assert isinstance(html, Transient) and html.retry_after == 3.0 and html.ambiguous
    odd = error_of(404, "[]", None)
    assert isinstance(odd, Rejected) and odd.code == "404"


def test_retry_after_may_be_seconds_or_a_date() -> None:
    assert seconds_of("7") == 7.0
    assert seconds_of("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    assert seconds_of("soon") is None
    assert seconds_of(None) is None
