"""Conferences in the sandbox through the unmodified SDK, every exchange held to Twilio's specification."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from integrations.sandbox.twilio import Sandbox
from tests.integrations.conftest import FROM, Application, Hand, eventually

NEVER_ENDS = "+12025550154"
PERSON = "+18602913904"
EVENTS = "start end join leave mute hold modify announcement"

# https://www.twilio.com/docs/voice/twiml/conference#attributes-status-callback-parameters
OF_ALL = {"AccountSid", "ConferenceSid", "FriendlyName", "SequenceNumber", "Timestamp", "StatusCallbackEvent"}
OF_PARTICIPANTS = OF_ALL | {"CallSid", "Muted", "Hold", "Coaching", "EndConferenceOnExit", "StartConferenceOnEnter"}
SOMETIMES = {"ParticipantLabel", "CallSidToCoach"}

Room = Callable[[], Awaitable[dict[str, Any]]]


def into(room: str, callback: str = "", **attributes: str) -> str:
    """Return the TwiML that puts a leg into a conference."""
    told = f' statusCallback="{callback}" statusCallbackEvent="{EVENTS}"' if callback else ""
    more = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<Response><Dial><Conference beep="false"{told}{more}>{room}</Conference></Dial></Response>'


async def connected(sandbox: Sandbox, room: str, count: int) -> None:
    await eventually(lambda: any(each.name == room and len(each.present) == count for each in sandbox.conferences))


@pytest.fixture
def room(hand: Hand) -> Room:
    """Look into the conference `room`."""

    async def look() -> dict[str, Any]:
        [found] = (await hand.get("conferences?name=room"))["conferences"]
        return dict(found)

    return look


async def test_a_contact_and_a_rep_meet_in_a_conference_and_hear_each_other(
    twilio: Client, sandbox: Sandbox, application: Application, room: Room
) -> None:
    contact = await twilio.calls.create_async(
        to=NEVER_ENDS, from_=FROM, twiml=into("room", f"{application.url}/room", endConferenceOnExit="true")
    )
    await connected(sandbox, "room", 1)
    assert (await room())["status"] == "init"
    assert (await room())["participants"][0]["hears"] == []

    rep = await twilio.conferences("room").participants.create_async(
        to="client:sim-rep", from_=FROM, label="rep", status_callback=f"{application.url}/rep",
        status_callback_event=["initiated", "ringing", "answered", "completed"],
    )  # fmt: skip
    assert (rep.status, rep.label, rep.coaching, rep.queue_time) == ("queued", "rep", False, "0")
    await connected(sandbox, "room", 2)

    seen = await room()
    assert seen["status"] == "in-progress"
    assert {each["call_sid"]: each["hears"] for each in seen["participants"]} == {
        contact.sid: [rep.call_sid],
        rep.call_sid: [contact.sid],
    }
    await eventually(lambda: len(application.at("/rep")) == 3)
    assert [each["CallStatus"] for each in application.at("/rep")] == ["initiated", "ringing", "in-progress"]
    assert application.at("/rep")[0]["To"] == "client:sim-rep"
    assert application.at("/rep")[0]["Direction"] == "outbound-api"

    await twilio.calls(contact.sid).update_async(status="completed")

    await eventually(lambda: application.at("/room", StatusCallbackEvent="conference-end"))
    await eventually(lambda: application.at("/rep", CallStatus="completed"))
    told = application.at("/room")
    assert [each["StatusCallbackEvent"] for each in told] == [
        "participant-join",
        "participant-join",
        "conference-start",
        "participant-leave",
        "participant-leave",
        "conference-end",
    ]
    assert [int(each["SequenceNumber"]) for each in told] == [1, 2, 3, 4, 5, 6]
    assert told[3]["ReasonParticipantLeft"] == "participant_hung_up"
    assert told[3]["ParticipantCallStatus"] == "completed"
    assert told[4]["ReasonParticipantLeft"] == "moderator_ended_conference"
    assert told[5]["ReasonConferenceEnded"] == "participant-with-end-conference-on-exit-left"
    assert told[5]["CallSidEndingConference"] == contact.sid
    over = await twilio.conferences(told[0]["ConferenceSid"]).fetch_async()
    assert (over.status, over.friendly_name, over.call_sid_ending_conference) == ("completed", "room", contact.sid)
    with pytest.raises(TwilioRestException) as gone:
        await twilio.conferences(over.sid).participants(rep.call_sid).fetch_async()
    assert (gone.value.status, gone.value.code) == (404, 20404)


async def test_conference_callbacks_have_the_documented_fields(
    twilio: Client, sandbox: Sandbox, application: Application
) -> None:
    twiml = into("room", f"{application.url}/room", participantLabel="contact")
    await twilio.calls.create_async(to=NEVER_ENDS, from_=FROM, twiml=twiml)
    await connected(sandbox, "room", 1)
    rep = await twilio.conferences("room").participants.create_async(to="client:sim-rep", from_=FROM)
    await connected(sandbox, "room", 2)
    participant = twilio.conferences(rep.conference_sid).participants(rep.call_sid)
    for change in ({"muted": True}, {"muted": False}, {"hold": True}, {"hold": False}, {"end_conference_on_exit": True}):
        await participant.update_async(**change)
    await participant.delete_async()

    await eventually(lambda: application.at("/room", StatusCallbackEvent="conference-end"))
    for told in application.at("/room"):
        event = told["StatusCallbackEvent"]
        if event == "conference-start":
            assert set(told) == OF_ALL
        elif event == "conference-end":
            assert set(told) == OF_ALL | {"ReasonConferenceEnded", "Reason", "CallSidEndingConference"}
        elif event == "participant-leave":
            assert set(told) - SOMETIMES == OF_PARTICIPANTS | {"ReasonParticipantLeft", "ParticipantCallStatus"}
        else:
            assert set(told) - SOMETIMES == OF_PARTICIPANTS
    events = [each["StatusCallbackEvent"] for each in application.at("/room", CallSid=rep.call_sid)]
    assert events == [
        "participant-join",
        "participant-mute",
        "participant-unmute",
        "participant-hold",
        "participant-unhold",
        "participant-modify",
        "participant-leave",
    ]
    end = application.at("/room")[-1]
    assert end["ReasonConferenceEnded"] == "participant-with-end-conference-on-exit-kicked"


async def test_only_the_first_to_join_decides_where_conference_events_go(
    twilio: Client, sandbox: Sandbox, application: Application
) -> None:
    await twilio.conferences("room").participants.create_async(to="client:sim-rep", from_=FROM)
    await connected(sandbox, "room", 1)
    await twilio.calls.create_async(to=NEVER_ENDS, from_=FROM, twiml=into("room", f"{application.url}/late"))
    await connected(sandbox, "room", 2)

    for conference in sandbox.conferences:
        await twilio.conferences(conference.sid).update_async(status="completed")

    assert [conference.deliveries for conference in sandbox.conferences] == [[]]
    assert application.heard == []


async def test_a_whisper_is_heard_by_the_rep_alone(twilio: Client, sandbox: Sandbox, room: Room) -> None:
    contact = await twilio.calls.create_async(to=NEVER_ENDS, from_=FROM, twiml=into("room"))
    rep = await twilio.conferences("room").participants.create_async(to="client:sim-rep", from_=FROM, label="rep")
    await connected(sandbox, "room", 2)
    manager = await twilio.conferences("room").participants.create_async(
        to="client:sim-manager", from_=FROM, label="manager", muted=True, coaching=True, call_sid_to_coach=rep.call_sid
    )
    await connected(sandbox, "room", 3)

    async def hears() -> dict[str, set[str]]:
        return {each["call_sid"]: set(each["hears"]) for each in (await room())["participants"]}

    async def manages(**change: Any) -> Any:
        return await twilio.conferences(rep.conference_sid).participants("manager").update_async(**change)

    both = {contact.sid, rep.call_sid}
    listening = await hears()
    assert listening == {contact.sid: {rep.call_sid}, rep.call_sid: {contact.sid}, manager.call_sid: both}

    whispering = await manages(muted=False)
    assert (whispering.coaching, whispering.call_sid_to_coach) == (True, rep.call_sid)
    assert (await hears())[rep.call_sid] == {contact.sid, manager.call_sid}
    assert (await hears())[contact.sid] == {rep.call_sid}

    barged = await manages(coaching=False)
    assert (barged.coaching, barged.call_sid_to_coach) == (False, None)
    assert (await hears())[contact.sid] == {rep.call_sid, manager.call_sid}

    await twilio.conferences(rep.conference_sid).participants(contact.sid).update_async(hold=True)
    assert await hears() == {
        contact.sid: set(),
        rep.call_sid: {manager.call_sid},
        manager.call_sid: {rep.call_sid},
    }
    assert [each.call_sid for each in await twilio.conferences(rep.conference_sid).participants.list_async(hold=True)] == [
        contact.sid
    ]


async def test_only_one_who_is_there_can_be_coached(twilio: Client, sandbox: Sandbox) -> None:
    rep = await twilio.conferences("room").participants.create_async(to="client:sim-rep", from_=FROM)
    await connected(sandbox, "room", 1)
    nobody = "CA" + "0" * 32

    for given in ({"coaching": True}, {"call_sid_to_coach": nobody}):
        with pytest.raises(TwilioRestException) as refused:
            await twilio.conferences("room").participants.create_async(to="client:sim-m", from_=FROM, **given)
        assert refused.value.status == 400
        with pytest.raises(TwilioRestException) as refused:
            await twilio.conferences(rep.conference_sid).participants(rep.call_sid).update_async(**given)
        assert refused.value.status == 400


async def test_a_label_finds_a_participant_and_is_not_given_twice(twilio: Client, sandbox: Sandbox) -> None:
    rep = await twilio.conferences("room").participants.create_async(to="client:sim-rep", from_=FROM, label="rep")

    assert (await twilio.conferences(rep.conference_sid).participants("rep").fetch_async()).call_sid == rep.call_sid
    with pytest.raises(TwilioRestException) as refused:
        await twilio.conferences("room").participants.create_async(to="client:sim-two", from_=FROM, label="rep")
    assert refused.value.code == 16025


async def test_conferences_are_found_by_name_and_status(twilio: Client, sandbox: Sandbox) -> None:
    for name in ("one", "two"):
        await twilio.conferences(name).participants.create_async(to="client:sim-rep", from_=FROM)
        await connected(sandbox, name, 1)
    [one] = await twilio.conferences.list_async(friendly_name="one")

    assert (one.friendly_name, one.status) == ("one", "init")
    assert await twilio.conferences.list_async(friendly_name="one", status="in-progress") == []
    ended = await twilio.conferences(one.sid).update_async(status="completed")
    assert (ended.status, ended.reason_conference_ended) == ("completed", "conference-ended-via-api")
    assert await twilio.conferences.list_async(friendly_name="one", status="init") == []
    assert await twilio.conferences(one.sid).participants.list_async() == []
    again = await twilio.conferences("one").participants.create_async(to="client:sim-rep", from_=FROM)
    assert again.conference_sid != one.sid
    with pytest.raises(TwilioRestException) as gone:
        await twilio.conferences(one.sid).participants.create_async(to="client:sim-rep", from_=FROM)
    assert gone.value.status == 404


async def test_a_leg_that_is_redirected_leaves_its_conference_and_goes_on(
    twilio: Client, sandbox: Sandbox, application: Application, room: Room
) -> None:
    rep = await twilio.conferences("line").participants.create_async(
        to="client:sim-rep", from_=FROM, conference_status_callback=f"{application.url}/line",
        conference_status_callback_event=["join", "leave", "end"],
    )  # fmt: skip
    await connected(sandbox, "line", 1)

    moved = await twilio.calls(rep.call_sid).update_async(twiml=into("room"))

    assert moved.status == "in-progress"
    assert [each["call_sid"] for each in (await room())["participants"]] == [rep.call_sid]
    await eventually(lambda: application.at("/line", StatusCallbackEvent="conference-end"))
    left = application.at("/line", StatusCallbackEvent="participant-leave")
    assert [each["ReasonParticipantLeft"] for each in left] == ["participant_updated_via_api"]
    assert left[0]["ParticipantCallStatus"] == "in-progress"

    application.answers["/back"] = into("line")
    await twilio.calls(rep.call_sid).update_async(url=f"{application.url}/back")
    await connected(sandbox, "line", 1)
    [asked] = application.at("/back")
    assert (asked["CallSid"], asked["CallStatus"], asked["Direction"]) == (rep.call_sid, "in-progress", "outbound-api")


async def test_a_participant_that_does_not_answer_is_told_as_not_added(
    twilio: Client, sandbox: Sandbox, application: Application
) -> None:
    nobody = await twilio.conferences("room").participants.create_async(
        to="client:somebody", from_=FROM, status_callback=f"{application.url}/leg",
        conference_status_callback=f"{application.url}/room", conference_status_callback_event=["leave"],
    )  # fmt: skip

    await eventually(lambda: application.at("/leg") and application.at("/room"))
    assert application.at("/leg")[0]["CallStatus"] == "no-answer"
    assert application.at("/leg")[0]["SipResponseCode"] == "480"
    assert application.at("/room")[0]["ReasonParticipantLeft"] == "participant_add_failed"
    assert (await twilio.calls(nobody.call_sid).fetch_async()).status == "no-answer"


async def test_a_registered_browser_rings_until_it_is_answered(twilio: Client, sandbox: Sandbox, hand: Hand) -> None:
    await hand.post("clients", {"identity": "t.u", "answer_after_s": None})
    rep = await twilio.conferences("room").participants.create_async(to="client:t.u", from_="client:hub", timeout=3600)
    await eventually(lambda: sandbox.calls[0].status == "ringing")
    assert (await twilio.conferences(rep.conference_sid).participants(rep.call_sid).fetch_async()).status == "ringing"

    await hand.post(f"calls/{rep.call_sid}/answer")

    assert (await twilio.conferences(rep.conference_sid).participants(rep.call_sid).fetch_async()).status == "connected"


async def test_a_participant_that_is_put_out_goes_on_after_its_dial(
    twilio: Client, sandbox: Sandbox, application: Application
) -> None:
    application.answers["/after"] = "<Response><Say>Goodbye</Say><Hangup/></Response>"
    twiml = into("room").replace("<Dial>", f'<Dial action="{application.url}/after">')
    contact = await twilio.calls.create_async(to=NEVER_ENDS, from_=FROM, twiml=twiml)
    rep = await twilio.conferences("room").participants.create_async(to="client:sim-rep", from_=FROM)
    await connected(sandbox, "room", 2)

    for sid in (contact.sid, rep.call_sid):
        await twilio.conferences(rep.conference_sid).participants(sid).delete_async()

    await eventually(lambda: all(call.is_over for call in sandbox.calls))
    assert application.at("/after")[0]["DialCallStatus"] == "completed"
    assert [call.heard for call in sandbox.calls if call.sid == contact.sid] == [["say: Goodbye"]]


async def test_an_announcement_is_played_to_one_participant(
    twilio: Client, sandbox: Sandbox, application: Application, room: Room
) -> None:
    application.answers["/notice"] = "<Response><Say>This call is recorded</Say></Response>"
    contact = await twilio.calls.create_async(to=NEVER_ENDS, from_=FROM, twiml=into("room", f"{application.url}/room"))
    await connected(sandbox, "room", 1)
    rep = await twilio.conferences("room").participants.create_async(to="client:sim-rep", from_=FROM)
    await connected(sandbox, "room", 2)

    await twilio.conferences(rep.conference_sid).participants(contact.sid).update_async(announce_url=f"{application.url}/notice")

    await eventually(lambda: application.at("/room", StatusCallbackEvent="announcement-end"))
    heard = {call.sid: call.heard for call in sandbox.calls}
    assert heard == {contact.sid: ["say: This call is recorded"], rep.call_sid: []}
    told = application.at("/room", StatusCallbackEvent="announcement-end")[0]
    assert (told["CallSid"], told["AnnounceUrl"]) == (contact.sid, f"{application.url}/notice")


async def test_somebody_who_waits_for_the_moderator_does_not_start_the_conference(
    twilio: Client, sandbox: Sandbox, room: Room
) -> None:
    for _ in range(2):
        await twilio.conferences("room").participants.create_async(
            to="client:sim-guest", from_=FROM, start_conference_on_enter=False
        )
    await connected(sandbox, "room", 2)
    assert (await room())["status"] == "init"

    await twilio.conferences("room").participants.create_async(to="client:sim-host", from_=FROM)

    await connected(sandbox, "room", 3)
    assert (await room())["status"] == "in-progress"


async def test_the_contacts_talk_time_ends_its_leg_and_the_conference(twilio: Client, sandbox: Sandbox) -> None:
    rep = await twilio.conferences("room").participants.create_async(to="client:sim-rep", from_=FROM)
    contact = await twilio.calls.create_async(to=PERSON, from_=FROM, twiml=into("room", endConferenceOnExit="true"))

    await eventually(lambda: all(call.is_over for call in sandbox.calls))
    assert {call.sid: call.status for call in sandbox.calls} == {contact.sid: "completed", rep.call_sid: "completed"}
