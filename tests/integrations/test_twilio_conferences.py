"""Conferences through the telephony port: the real SDK, against the sandbox, every exchange held to the specification."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from integrations.errors import Rejected, Transient
from integrations.metrics import ProviderMetrics
from integrations.ports import AddParticipant, Conference, Participant, PlaceCall, Play, Say
from integrations.sandbox.twilio import Sandbox
from integrations.twilio import Renderer, TwilioTelephony, TwilioWebhook
from tests.integrations.conftest import FROM, Application, Hand, eventually, guard_for_tests
from tests.integrations.specification import CheckingProxy
from tests.loop_clock import given_up_after
from tests.patience import PATIENCE_S

PERSON = "+18602913904"
NEVER_ENDS = "+12025550154"
webhook = TwilioWebhook("")


def a_leg(application: Application, label: str, **more: Any) -> AddParticipant:
    values: dict[str, Any] = {
        "conference": "room",
        "to": f"client:sim-{label}",
        "from_": FROM,
        "status_callback_url": f"{application.url}/leg",
        "conference_callback_url": f"{application.url}/room",
        "label": label,
    }
    return AddParticipant(**(values | more))


async def present(telephony: TwilioTelephony, count: int) -> dict[str, Participant]:
    """Wait until so many are in the room, and return them by label; the contact has none."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    while True:
        sid = await telephony.find_conference("room")
        found = await telephony.list_participants(sid) if sid else []
        if len(found) == count and all(each.state == "in_progress" for each in found):
            return {each.label or "contact": each for each in found}
        assert asyncio.get_running_loop().time() < deadline, found
        await asyncio.sleep(0.01)


@pytest.fixture
def contact(application: Application) -> PlaceCall:
    return PlaceCall(
        NEVER_ENDS, FROM, f"{application.url}/contact", conference="room", conference_callback_url=f"{application.url}/room"
    )


async def test_a_rep_and_a_contact_talk_in_a_conference_that_ends_with_the_contact(
    telephony: TwilioTelephony, application: Application, contact: PlaceCall
) -> None:
    assert await telephony.find_conference("room") is None
    rep = await telephony.add_participant(a_leg(application, "rep"))
    assert (rep.label, rep.muted, rep.on_hold, rep.coaching, rep.coach_sid) == ("rep", False, False, False, None)
    called = await telephony.place_call(contact)
    people = await present(telephony, 2)
    assert {each.call_sid for each in people.values()} == {rep.call_sid, called.sid}
    assert await telephony.find_conference("room") == rep.conference_sid

    await telephony.hang_up(called.sid)

    await eventually(lambda: application.at("/room", StatusCallbackEvent="conference-end"))
    await eventually(lambda: application.at("/leg", CallStatus="completed"))
    assert await telephony.find_conference("room") is None
    assert await telephony.list_participants(rep.conference_sid) == []
    events = [webhook.read_participant(fields) for fields in application.at("/room")]
    assert [(each.event, each.label) for each in events if each.event != "start"] == [
        ("join", "rep"),
        ("join", None),
        ("leave", None),
        ("leave", "rep"),
        ("end", None),
    ]
    assert {(each.conference, each.conference_sid) for each in events} == {("room", rep.conference_sid)}
    assert [each.sequence_number for each in events] == list(range(1, len(events) + 1))
    states = [webhook.read_call(fields).state for fields in application.at("/leg", CallSid=rep.call_sid)]
    assert states == ["in_progress", "completed"]


async def test_a_manager_listens_whispers_and_barges(
    telephony: TwilioTelephony, application: Application, contact: PlaceCall, hand: Hand
) -> None:
    rep = await telephony.add_participant(a_leg(application, "rep"))
    called = await telephony.place_call(contact)
    await present(telephony, 2)
    manager = await telephony.add_participant(a_leg(application, "manager", muted=True, coach_sid=rep.call_sid))
    people = await present(telephony, 3)
    assert (people["manager"].muted, people["manager"].coaching, people["manager"].coach_sid) == (True, True, rep.call_sid)

    async def heard_by(sid: str) -> set[str]:
        [room] = (await hand.get("conferences?name=room"))["conferences"]
        [ears] = [each["hears"] for each in room["participants"] if each["call_sid"] == sid]
        return set(ears)

    async def change(**changes: Any) -> Participant:
        return await telephony.update_participant(rep.conference_sid, manager.call_sid, **changes)

    assert manager.call_sid not in await heard_by(rep.call_sid) | await heard_by(called.sid), "listening is silent"
    whispering = await change(muted=False)
    assert (whispering.muted, whispering.coaching) == (False, True)
    assert manager.call_sid in await heard_by(rep.call_sid)
    assert manager.call_sid not in await heard_by(called.sid)
    barging = await change(coaching=False)
    assert (barging.coaching, barging.coach_sid) == (False, None)
    assert manager.call_sid in await heard_by(called.sid)
    again = await change(coach_sid=rep.call_sid, muted=True)
    assert (again.coaching, again.muted) == (True, True)

    await telephony.remove_participant(rep.conference_sid, manager.call_sid)
    await telephony.remove_participant(rep.conference_sid, manager.call_sid)
    assert set(await present(telephony, 2)) == {"rep", "contact"}


async def test_a_contact_is_held_and_let_back(telephony: TwilioTelephony, application: Application, contact: PlaceCall) -> None:
    rep = await telephony.add_participant(a_leg(application, "rep"))
    called = await telephony.place_call(contact)
    await present(telephony, 2)
    application.answers["/music"] = Renderer().render([Play(f"{application.url}/music.wav")])

    held = await telephony.update_participant(rep.conference_sid, called.sid, hold=True, hold_url=f"{application.url}/music")
    back = await telephony.update_participant(rep.conference_sid, called.sid, hold=False)

    assert (held.on_hold, back.on_hold) == (True, False)
    await eventually(lambda: application.at("/room", StatusCallbackEvent="participant-unhold"))
    events = [webhook.read_participant(fields) for fields in application.at("/room", CallSid=called.sid)]
    assert [(each.event, each.hold) for each in events][-2:] == [("hold", True), ("unhold", False)]


async def test_one_participant_hears_an_announcement(
    telephony: TwilioTelephony, application: Application, contact: PlaceCall, hand: Hand
) -> None:
    rep = await telephony.add_participant(a_leg(application, "rep"))
    called = await telephony.place_call(contact)
    await present(telephony, 2)
    application.answers["/drop"] = Renderer().render([Say("Hello")])

    await telephony.announce(rep.conference_sid, called.sid, f"{application.url}/drop")

    await eventually(lambda: application.at("/drop"))
    await eventually(lambda: application.at("/room", StatusCallbackEvent="announcement-end"))
    told = webhook.read_participant(application.at("/room", StatusCallbackEvent="announcement-end")[0])
    assert told.event == "announcement_end"


async def test_an_open_line_moves_from_room_to_room_by_redirecting_it(
    telephony: TwilioTelephony, application: Application
) -> None:
    line = await telephony.add_participant(a_leg(application, "line", conference="line"))
    await eventually(lambda: application.at("/room", StatusCallbackEvent="participant-join"))

    moved = await telephony.redirect(line.call_sid, [Conference("room", label="rep")])

    assert (moved.sid, moved.state) == (line.call_sid, "in_progress")
    people = await present(telephony, 1)
    assert people["rep"].call_sid == line.call_sid
    await telephony.hang_up(line.call_sid)
    with pytest.raises(Rejected) as refused:
        await telephony.redirect(line.call_sid, [Conference("room")])
    assert refused.value.code == "21220"


async def test_ending_a_conference_ends_its_calls_and_may_be_asked_twice(
    telephony: TwilioTelephony, application: Application, contact: PlaceCall
) -> None:
    rep = await telephony.add_participant(a_leg(application, "rep"))
    called = await telephony.place_call(contact)
    await present(telephony, 2)

    await telephony.end_conference(rep.conference_sid)
    await telephony.end_conference(rep.conference_sid)
    await telephony.end_conference("CF" + "0" * 32)

    for sid in (rep.call_sid, called.sid):
        ended = await telephony.fetch_call(sid)
        assert ended is not None and ended.state == "completed"
    with pytest.raises(Rejected) as gone:
        await telephony.update_participant(rep.conference_sid, rep.call_sid, muted=True)
    assert gone.value.status == 404


async def test_a_participant_is_never_asked_for_twice(
    telephony: TwilioTelephony, application: Application, hand: Hand, sandbox: Sandbox
) -> None:
    await hand.post("faults", {"operation": "participants.create", "kind": "500", "times": 1})

    with pytest.raises(Transient) as failed:
        await telephony.add_participant(a_leg(application, "rep"))

    assert failed.value.ambiguous
    assert not sandbox.calls


async def test_a_participant_whose_answer_was_lost_is_found_by_its_label(
    sandbox: Sandbox, application: Application, hand: Hand, metrics: ProviderMetrics
) -> None:
    await hand.post("faults", {"operation": "participants.create", "kind": "lost", "times": 1})
    guard = guard_for_tests(metrics)
    async with TwilioTelephony(sandbox.account_sid, sandbox.auth_token, guard, api_url=sandbox.url) as telephony:
        with pytest.raises(Transient) as failed:
            asking = telephony.add_participant(a_leg(application, "rep"))
            await given_up_after(guard.timeout_s, asking, lambda: sandbox.calls)

        assert failed.value.ambiguous
        people = await present(telephony, 1)
        assert people["rep"].call_sid == sandbox.calls[0].sid


async def test_a_read_is_asked_again_after_a_failure(telephony: TwilioTelephony, application: Application, hand: Hand) -> None:
    rep = await telephony.add_participant(a_leg(application, "rep"))
    await present(telephony, 1)
    assert (await hand.post("faults", {"operation": "*", "kind": "500", "times": 2}))[0] == 200

    [found] = await telephony.list_participants(rep.conference_sid)

    assert found.call_sid == rep.call_sid


async def test_calls_and_participants_share_one_budget(
    sandbox: Sandbox, proxy: CheckingProxy, application: Application, contact: PlaceCall, metrics: ProviderMetrics
) -> None:
    clock: Callable[[], float] = asyncio.get_running_loop().time
    async with TwilioTelephony.open(
        sandbox.account_sid, sandbox.auth_token, None, api_url=proxy.url, calls_per_s=10.0, metrics=metrics
    ) as telephony:
        started = clock()
        await asyncio.gather(
            telephony.place_call(contact),
            telephony.add_participant(a_leg(application, "one")),
            telephony.add_participant(a_leg(application, "two")),
            telephony.place_call(contact),
        )

    assert clock() - started >= 0.3
