"""The sandbox on the wire: refusals, callbacks, and the contact's end of the line."""

import json
from collections.abc import AsyncIterator, Callable
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from aiohttp import ClientSession, encode_basic_auth

import integrations.sandbox.twilio as package
from integrations.ports import PlaceCall
from integrations.sandbox.twilio import CallbackHabit, Sandbox, SandboxSettings
from integrations.sandbox.twilio.outcomes import plan_for, table
from integrations.twilio import TwilioTelephony
from tests.integrations.conftest import FROM, Receiver, StartSandbox, Still, eventually
from tests.integrations.specification import SPECS, CheckingProxy

PERSON = "+18602913904"
NEVER_ENDS = "+12025550154"
TALKING = '<Response><Pause length="36000"/></Response>'
ALL_EVENTS = ["initiated", "ringing", "answered", "completed"]

ACall = Callable[[str], PlaceCall]


class Wire:
    """Plain HTTP to a sandbox, without the SDK."""

    def __init__(self, session: ClientSession, sandbox: Sandbox) -> None:
        self.session = session
        self.sandbox = sandbox
        self.auth = {"Authorization": encode_basic_auth(sandbox.account_sid, sandbox.auth_token)}

    async def send(self, method: str, path: str, form: Any = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        url = f"{self.sandbox.url}/2010-04-01/Accounts/{self.sandbox.account_sid}/{path}"
        sent = self.auth if headers is None else headers
        async with self.session.request(method, url, data=form, headers=sent) as response:
            return response.status, await response.json()

    async def create(self, **form: Any) -> tuple[int, Any]:
        usual = {"To": NEVER_ENDS, "From": FROM, "Twiml": TALKING}
        return await self.send("POST", "Calls.json", {k: v for k, v in (usual | form).items() if v is not None})

    async def act(self, sid: str, event: str) -> tuple[int, Any]:
        async with self.session.post(f"{self.sandbox.url}/_sandbox/calls/{sid}/{event}") as response:
            return response.status, await response.json()


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


@pytest.fixture
def wire(session: ClientSession, sandbox: Sandbox) -> Wire:
    return Wire(session, sandbox)


@pytest.fixture
def slow_wire(session: ClientSession, slow_sandbox: Sandbox) -> Wire:
    return Wire(session, slow_sandbox)


# Refusals


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"To": None}, 21201),
        ({"To": "12"}, 21211),
        ({"To": "+12025550150"}, 21211),
        ({"From": None}, 21213),
        ({"From": "me"}, 21212),
        ({"Twiml": None}, 21205),
        ({"Twiml": None, "Url": "somewhere"}, 21205),
        ({"Twiml": None, "Url": "http://[x"}, 21205),
        ({"StatusCallback": "somewhere"}, 21609),
    ],
)
async def test_an_invalid_call_is_refused_as_twilio_would(wire: Wire, form: dict[str, str | None], code: int) -> None:
    status, answer = await wire.create(**form)

    assert (status, answer["code"], answer["status"]) == (400, code, 400)
    assert answer["more_info"] == f"https://www.twilio.com/docs/errors/{code}"
    assert answer["message"]


async def test_a_number_that_the_account_does_not_own_is_refused(session: ClientSession, start: StartSandbox) -> None:
    wire = Wire(session, await start(SandboxSettings(from_numbers=frozenset({FROM}))))

    assert (await wire.create())[0] == 201
    assert (await wire.create(From="+12025550101"))[1]["code"] == 21210


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer x"}, {"Authorization": "Basic ?"}])
async def test_without_the_credentials_nothing_is_answered(wire: Wire, header: dict[str, str]) -> None:
    for method, path in (("GET", "Calls.json"), ("POST", "Calls.json"), ("GET", "Calls/CA1.json")):
        status, answer = await wire.send(method, path, headers=header)
        assert (status, answer["code"]) == (401, 20003)


async def test_what_does_not_exist_is_not_found(wire: Wire, session: ClientSession) -> None:
    assert (await wire.send("GET", f"Calls/CA{'0' * 32}.json"))[1]["code"] == 20404
    assert (await wire.send("GET", "Faxes.json"))[0] == 404
    assert (await wire.send("DELETE", "Calls.json"))[0] == 405
    other = f"{wire.sandbox.url}/2010-04-01/Accounts/AC{'1' * 32}/Calls.json"
    async with session.get(other, headers=wire.auth) as response:
        assert response.status == 404


async def test_more_creations_than_allowed_a_second_are_turned_away(
    session: ClientSession, start: StartSandbox, still: Still
) -> None:
    wire = Wire(session, await start(SandboxSettings(calls_per_s=2)))
    statuses = [(await wire.create())[0] for _ in range(3)]

    assert statuses == [201, 201, 429]
    still.now += 1.0
    assert (await wire.create())[0] == 201


async def test_a_call_is_changed_only_as_its_status_allows(slow_wire: Wire) -> None:
    sid = (await slow_wire.create())[1]["sid"]
    path = f"Calls/{sid}.json"

    assert (await slow_wire.send("POST", path, {"Status": "ringing"}))[1]["code"] == 21218
    assert (await slow_wire.send("POST", path, {"Twiml": TALKING}))[1]["code"] == 21220
    await slow_wire.act(sid, "answer")
    assert (await slow_wire.send("POST", path, {"Status": "canceled"}))[1]["code"] == 21220
    assert (await slow_wire.send("POST", path, {"Twiml": TALKING}))[1]["status"] == "in-progress"
    hung_up = await slow_wire.send("POST", path, {"Twiml": "<Response><Hangup/></Response>"})
    assert hung_up[1]["status"] == "completed"
    assert (await slow_wire.send("POST", path, {"Status": "completed"}))[1]["code"] == 21220


async def test_lists_are_filtered_and_paged(slow_wire: Wire) -> None:
    first = (await slow_wire.create())[1]["sid"]
    await slow_wire.act(first, "answer")
    waiting = [(await slow_wire.create())[1]["sid"] for _ in range(2)]

    async def listed(query: str) -> list[str]:
        return [call["sid"] for call in (await slow_wire.send("GET", f"Calls.json?{query}"))[1]["calls"]]

    newest_first = [*reversed(waiting), first]
    assert await listed("") == newest_first
    assert await listed("Status=in-progress") == [first]
    assert await listed("StartTime%3E=2020-01-01") == [first]
    assert await listed("StartTime%3C=2020-01-01") == []
    assert await listed("StartTime=2020-01-01") == []
    assert await listed("EndTime%3E=2020-01-01T00:00:00Z") == []
    assert await listed("ParentCallSid=CA1") == []
    assert (await slow_wire.send("GET", "Calls.json?StartTime=soon"))[0] == 400
    page = (await slow_wire.send("GET", "Calls.json?PageSize=2"))[1]
    assert (page["start"], page["end"], page["previous_page_uri"]) == (0, 1, None)
    await slow_wire.create()
    rest = (await slow_wire.send("GET", page["next_page_uri"].split("/", 4)[4]))[1]
    assert [call["sid"] for call in rest["calls"]] == [first]
    assert (rest["page"], rest["next_page_uri"]) == (1, None)
    assert "Page=0" in rest["previous_page_uri"]


# Callbacks


async def test_callbacks_come_signed_numbered_and_in_order(telephony: TwilioTelephony, receiver: Receiver, a_call: ACall) -> None:
    placed = await telephony.place_call(a_call(PERSON))
    await eventually(lambda: len(receiver.of(placed.sid)) == 4)

    assert receiver.statuses(placed.sid) == ["initiated", "ringing", "in-progress", "completed"]
    got = receiver.of(placed.sid)
    assert [each.update.sequence_number for each in got] == [0, 1, 2, 3]
    assert all(each.is_genuine and each.update.at for each in got)
    assert [each.update.duration_s is None for each in got] == [True, True, True, False]


@pytest.mark.skipif(not SPECS.is_dir(), reason="../shared/provider-specs is missing: callbacks were not compared with it")
@pytest.mark.parametrize(("to", "sample"), [(PERSON, "call_completed_with_amd"), ("+18602913905", "call_busy")])
async def test_callbacks_have_the_fields_of_recorded_ones(
    telephony: TwilioTelephony, receiver: Receiver, to: str, sample: str
) -> None:
    recorded = json.loads((SPECS / "twilio_callback_samples.json").read_text())[sample]
    placed = await telephony.place_call(PlaceCall(to, FROM, receiver.url, conference="room", machine_detection="detect"))
    await eventually(lambda: recorded["example"]["CallStatus"] in receiver.statuses(placed.sid))

    last = receiver.of(placed.sid)[-1].update.raw
    assert set(last) - set(recorded["fields"]) == {"CallbackSource"} - set(recorded["fields"])
    assert set(recorded["fields"]) <= set(last)
    for name in ("SequenceNumber", "SipResponseCode", "Direction", "AnsweredBy"):
        assert last.get(name) == recorded["example"].get(name, last.get(name))
    assert parsedate_to_datetime(last["Timestamp"]).tzinfo is not None
    assert int(last["Duration"]) == -(-int(last["CallDuration"]) // 60)
    assert (last["FromCountry"], last["ToCountry"]) == ("US", "US")


async def test_only_the_events_asked_for_are_sent_and_completed_unless_told_otherwise(wire: Wire, receiver: Receiver) -> None:
    usual = (await wire.create(To=PERSON, StatusCallback=receiver.url))[1]["sid"]
    some = (await wire.create(To=PERSON, StatusCallback=receiver.url, StatusCallbackEvent="answered"))[1]["sid"]

    await eventually(lambda: all(call.is_over for call in wire.sandbox.calls))
    await eventually(lambda: receiver.of(usual) and receiver.of(some))
    assert [call.events_sent for call in wire.sandbox.calls] == [1, 1]
    assert receiver.statuses(usual) == ["completed"]
    assert receiver.statuses(some) == ["in-progress"]


async def test_callbacks_can_be_asked_for_with_get(wire: Wire, receiver: Receiver) -> None:
    sid = (await wire.create(To=PERSON, StatusCallback=f"{receiver.url}?call=7", StatusCallbackMethod="GET"))[1]["sid"]

    await eventually(lambda: receiver.of(sid))
    assert receiver.of(sid)[0].is_genuine
    assert receiver.of(sid)[0].update.raw["call"] == "7"


async def test_a_callback_that_fails_is_tried_once_more(wire: Wire, receiver: Receiver) -> None:
    receiver.answers = [503, 200]
    again = (await wire.create(To=PERSON, StatusCallback=receiver.url))[1]["sid"]
    await eventually(lambda: len(receiver.of(again)) == 2)

    lost = (await wire.create(To=PERSON, StatusCallback="http://127.0.0.1:1/"))[1]["sid"]
    [call] = [call for call in wire.sandbox.calls if call.sid == lost]
    await eventually(lambda: len(call.deliveries) == 2)
    assert [each.http_status for each in call.deliveries] == [None, None]


async def test_a_scripted_number_sends_callbacks_twice_and_in_the_wrong_order(
    telephony: TwilioTelephony, receiver: Receiver, a_call: ACall
) -> None:
    placed = await telephony.place_call(a_call("+12025550156"))

    await eventually(lambda: len(receiver.of(placed.sid)) == 8)
    assert [each.update.sequence_number for each in receiver.of(placed.sid)] == [1, 1, 0, 0, 3, 3, 2, 2]
    assert all(each.is_genuine for each in receiver.of(placed.sid))


async def test_a_scripted_number_sends_no_callbacks(
    telephony: TwilioTelephony, receiver: Receiver, sandbox: Sandbox, a_call: ACall
) -> None:
    placed = await telephony.place_call(a_call("+12025550155"))

    await eventually(lambda: sandbox.calls[0].status == "completed")
    assert receiver.of(placed.sid) == []


async def test_a_sandbox_can_make_every_callback_late_and_twice(
    session: ClientSession, start: StartSandbox, receiver: Receiver
) -> None:
    habit = CallbackHabit(copies=2, delay_s=0.2)
    wire = Wire(session, await start(SandboxSettings(speed=500.0, callbacks=habit)))
    sid = (await wire.create(To=PERSON, StatusCallback=receiver.url))[1]["sid"]

    [call] = wire.sandbox.calls
    await eventually(lambda: len(call.deliveries) == 2)
    assert receiver.statuses(sid) == ["completed", "completed"]
    assert call.ended_at is not None
    assert (call.deliveries[0].at - call.ended_at).total_seconds() >= 0.2


# The contact's end of the line


async def test_a_call_can_be_answered_and_hung_up_by_hand(
    slow_telephony: TwilioTelephony, slow_wire: Wire, receiver: Receiver, a_call: ACall
) -> None:
    sid = (await slow_telephony.place_call(a_call(NEVER_ENDS))).sid

    assert (await slow_wire.act(sid, "answer"))[1]["status"] == "in-progress"
    assert (await slow_wire.act(sid, "answer"))[0] == 409
    assert (await slow_wire.act(sid, "hangup"))[1]["status"] == "completed"
    assert (await slow_wire.act(sid, "hangup"))[0] == 409
    await eventually(lambda: len(receiver.of(sid)) == 4)
    assert receiver.statuses(sid) == ["initiated", "ringing", "in-progress", "completed"]


@pytest.mark.parametrize(
    ("event", "status"), [("hangup", "busy"), ("busy", "busy"), ("no-answer", "no-answer"), ("fail", "failed")]
)
async def test_a_call_can_end_unanswered_by_hand(slow_wire: Wire, event: str, status: str) -> None:
    sid = (await slow_wire.create())[1]["sid"]

    assert (await slow_wire.act(sid, event))[1]["status"] == status


async def test_what_a_contact_can_not_do_is_not_found(wire: Wire) -> None:
    sid = (await wire.create())[1]["sid"]

    assert (await wire.act(sid, "dance"))[0] == 404
    assert (await wire.act("CA0", "answer"))[0] == 404


async def test_the_calls_so_far_can_be_read_with_their_callbacks(
    telephony: TwilioTelephony, wire: Wire, receiver: Receiver, session: ClientSession, a_call: ACall
) -> None:
    placed = await telephony.place_call(a_call(PERSON))
    await eventually(lambda: wire.sandbox.calls[0].deliveries[3:])

    async with session.get(f"{wire.sandbox.url}/_sandbox/calls") as response:
        [call] = (await response.json())["calls"]
    assert call["sid"] == placed.sid
    assert call["twiml"] == wire.sandbox.calls[0].twiml
    assert ">room</Conference>" in call["twiml"]
    assert [each["http_status"] for each in call["callbacks"]] == [204] * 4


async def test_the_page_and_the_docstring_tell_the_table_of_outcomes(wire: Wire, session: ClientSession) -> None:
    async with session.get(wire.sandbox.url) as response:
        page = await response.text()

    for who, says in table():
        assert f"<th>{who}</th><td>{says}</td>" in page
        assert any(who in line and says in line for line in (package.__doc__ or "").splitlines()), who


def test_a_person_talks_for_twenty_to_sixty_seconds_by_the_number() -> None:
    assert plan_for("+18602910000").talk_s == 20.0
    assert plan_for("+18602910040").talk_s == 60.0
    assert plan_for("+18602910041").talk_s == 20.0


async def test_the_specification_check_does_complain_when_something_is_wrong(
    proxy: CheckingProxy, session: ClientSession, sandbox: Sandbox
) -> None:
    if not SPECS.is_dir():
        pytest.skip("../shared/provider-specs is missing")
    url = f"{proxy.url}/2010-04-01/Accounts/{sandbox.account_sid}/Calls.json?Colour=red"
    auth = {"Authorization": encode_basic_auth(sandbox.account_sid, sandbox.auth_token)}
    async with session.get(url, headers=auth):
        pass
    async with session.post(url.partition("?")[0], headers=auth, data={"To": PERSON, "Tune": "x"}):
        pass

    assert len(proxy.complaints) == 2
    proxy.complaints.clear()
