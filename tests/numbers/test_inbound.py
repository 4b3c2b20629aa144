"""Calls that come in: who is rung, who takes them, and what becomes of those that nobody takes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from hub.inbound.hours import is_open
from hub.lines.kinds import identity_of
from tests.conftest import Company
from tests.harness import Api, RunningHub, until
from tests.numbers.conftest import Caller, add_number, come, signed
from tests.stack import Stack


def client(company: Company, role: str) -> str:
    return f"client:sim-{identity_of(company.tenant_id, company.members[role])}"


def rung(answer: Any) -> list[str]:
    dial = answer.find("Dial")
    assert dial is not None, [child.tag for child in answer]
    return [f"client:{(each.text or '').strip()}" if each.tag == "Client" else (each.text or "").strip() for each in dial]


async def only_call(api: Api) -> dict[str, Any]:
    calls = (await api.get("/calls")).body["data"]
    assert len(calls) == 1
    call: dict[str, Any] = calls[0]
    return call


async def team_of(api: Api, *members: UUID) -> str:
    return str((await api.post("/teams", {"name": "Front desk", "member_ids": [str(m) for m in members]})).body["id"])


async def test_a_rep_is_rung_and_takes_the_call(caller: Caller, acme: Company, owner: Api, stack: Stack) -> None:
    await owner.patch(f"/numbers/{caller.number}", {"user_id": str(acme.members["rep"])})
    await come(stack, acme, "rep", "manager")
    answer = await caller.ring()
    assert rung(answer) == [client(acme, "rep")]
    call = await only_call(owner)
    assert (call["direction"], call["state"], call["user_id"], call["from"]) == ("inbound", "ringing", None, "+12025550199")
    dial = answer.find("Dial")
    assert dial is not None
    picked = await caller.follow(dial[0].get("url", ""), CallSid="CA" + "b" * 32, To=client(acme, "rep"), From=caller.from_)
    assert picked is not None and len(picked) == 0
    call = await only_call(owner)
    assert (call["state"], call["user_id"]) == ("in_progress", str(acme.members["rep"]))
    routed = await caller.follow(dial.get("action", ""), CallSid=caller.sid, DialCallStatus="completed")
    assert routed is not None and routed.findtext("Dial/Conference", "").strip() == f"ringside-{call['id']}"
    room = routed.find("Dial/Conference")
    assert room is not None and room.get("endConferenceOnExit") == "true"
    floor = (await owner.get("/floor")).body
    assert next(p for p in floor["people"] if p["user"]["id"] == str(acme.members["rep"]))["state"] == "on_call"


async def test_the_same_webhook_again_gets_the_same_answer_and_makes_nothing_twice(
    caller: Caller, acme: Company, owner: Api, stack: Stack
) -> None:
    await owner.patch(f"/numbers/{caller.number}", {"user_id": str(acme.members["rep"])})
    await come(stack, acme, "rep")
    assert rung(await caller.ring()) == rung(await caller.ring()) == [client(acme, "rep")]
    await only_call(owner)
    assert len((await owner.get("/contacts")).body["data"]) == 1


async def test_a_known_number_is_its_contact_and_a_hidden_one_the_unknown_caller(caller: Caller, owner: Api) -> None:
    ada = (await owner.post("/contacts", {"first_name": "Ada", "phones": [{"e164": caller.from_}]})).body["id"]
    await caller.ring()
    assert (await only_call(owner))["contact_id"] == ada
    for sid in ("c", "d"):
        caller.sid, caller.from_ = "CA" + sid * 32, "anonymous"
        await caller.ring()
    unknown = {call["contact_name"] for call in (await owner.get("/calls")).body["data"]} - {"Ada"}
    assert unknown == {"Unknown caller"}
    assert len((await owner.get("/contacts")).body["data"]) == 2


async def test_a_team_is_rung_in_turn_and_then_the_voicemail(caller: Caller, acme: Company, owner: Api, stack: Stack) -> None:
    team = await team_of(owner, acme.members["manager"], acme.members["rep"], acme.members["admin"])
    await owner.patch(
        f"/numbers/{caller.number}", {"routing": {"kind": "team_in_turn", "team_id": team, "greeting": "Hello there"}}
    )
    await come(stack, acme, "rep", "manager")
    answer = await caller.ring()
    assert rung(answer) == [client(acme, "manager")], "the first of the team; the admin is not there"
    action = answer.find("Dial").get("action", "")  # type: ignore[union-attr]
    second = await caller.follow(action, CallSid=caller.sid, DialCallStatus="no-answer")
    assert rung(second) == [client(acme, "rep")]
    third = await caller.follow(action, CallSid=caller.sid, DialCallStatus="busy")
    assert third is not None and [child.tag for child in third] == ["Say", "Record", "Hangup"]
    assert third.findtext("Say") == "Hello there"


async def test_a_whole_team_is_rung_at_once_but_for_those_who_are_busy(
    caller: Caller, acme: Company, owner: Api, stack: Stack
) -> None:
    team = await team_of(owner, *acme.members.values())
    await owner.patch(f"/numbers/{caller.number}", {"team_id": team})
    await come(stack, acme, "rep", "manager", "admin")
    await stack.server.as_member(acme, "admin").put("/presence", {"state": "away"})
    answer = await caller.ring()
    assert set(rung(answer)) == {client(acme, "rep"), client(acme, "manager")}
    other = Caller(stack, acme, await add_number(stack, acme, "+14155550102"), "+14155550102", sid="CA" + "e" * 32)
    await owner.patch(f"/numbers/{other.number}", {"team_id": team})
    assert (await other.ring()).find("Record") is not None, "everybody is being rung already"


async def test_who_is_second_to_answer_is_told_so(caller: Caller, acme: Company, owner: Api, stack: Stack) -> None:
    team = await team_of(owner, acme.members["rep"], acme.members["manager"])
    await owner.patch(f"/numbers/{caller.number}", {"team_id": team})
    await come(stack, acme, "rep", "manager")
    url = (await caller.ring()).find("Dial")[0].get("url", "")  # type: ignore[index]
    await caller.follow(url, CallSid="CA" + "b" * 32, To=client(acme, "manager"), From=caller.from_)
    late = await caller.follow(url, CallSid="CA" + "c" * 32, To=client(acme, "rep"), From=caller.from_)
    assert late is not None and [child.tag for child in late] == ["Say", "Hangup"]
    assert (await only_call(owner))["user_id"] == str(acme.members["manager"])


async def test_who_is_rung_on_their_own_telephone_takes_the_call_by_a_key(
    caller: Caller, acme: Company, owner: Api, stack: Stack
) -> None:
    rep = stack.server.as_member(acme, "rep")
    assert (await rep.put("/voice/line", {"kind": "bridge", "phone": "+12025550111"})).status == 200
    await owner.patch(f"/numbers/{caller.number}", {"user_id": str(acme.members["rep"])})
    await come(stack, acme, "rep")
    answer = await caller.ring()
    assert rung(answer) == ["+12025550111"]
    url = answer.find("Dial")[0].get("url", "")  # type: ignore[index]
    leg = {"CallSid": "CA" + "b" * 32, "To": "+12025550111", "From": caller.from_}
    asked = await caller.follow(url, **leg)
    assert asked is not None and [child.tag for child in asked] == ["Gather", "Hangup"]
    assert (await only_call(owner))["user_id"] is None, "a voicemail would have got as far"
    await caller.follow(asked[0].get("action", ""), **leg, Digits="1")
    assert (await only_call(owner))["user_id"] == str(acme.members["rep"])


async def test_a_missed_call_is_a_task_and_a_notification_and_stands_in_the_timeline(
    caller: Caller, acme: Company, owner: Api, stack: Stack
) -> None:
    await owner.patch(f"/numbers/{caller.number}", {"user_id": str(acme.members["rep"]), "routing": {"voicemail": False}})
    answer = await caller.ring()
    assert [child.tag for child in answer] == ["Say", "Hangup"]
    async with stack.worker():
        await caller.hang_up()
        await until(lambda: ended(owner))
    call = await only_call(owner)
    assert (call["state"], call["outcome"]) == ("no_answer", "no_answer")
    tasks = (await owner.get("/tasks")).body["data"]
    assert [(t["kind"], t["assignee"]["id"], t["contact"]["id"]) for t in tasks] == [
        ("missed_call", str(acme.members["rep"]), call["contact_id"])
    ]
    told = (await stack.server.as_member(acme, "rep").get("/notifications")).body["data"]
    assert [n["kind"] for n in told] == ["missed_call"]
    timeline = (await owner.get(f"/contacts/{call['contact_id']}/timeline")).body["data"]
    assert [(a["kind"], a["call"]["outcome"]) for a in timeline if a["kind"] == "call"] == [("call", "no_answer")]


async def ended(api: Api) -> bool:
    return bool((await only_call(api))["ended_at"])


async def test_a_caller_who_gives_up_while_it_rings_is_a_missed_call(
    caller: Caller, acme: Company, owner: Api, stack: Stack
) -> None:
    await owner.patch(f"/numbers/{caller.number}", {"user_id": str(acme.members["rep"])})
    await come(stack, acme, "rep")
    await caller.ring()
    async with stack.worker():
        await caller.hang_up()
        await caller.hang_up()
        await until(lambda: ended(owner))
    assert (await only_call(owner))["outcome"] == "no_answer"
    assert len((await owner.get("/tasks")).body["data"]) == 1


async def test_outside_its_hours_the_number_rings_nobody(caller: Caller, acme: Company, owner: Api, stack: Stack) -> None:
    await owner.patch(
        f"/numbers/{caller.number}",
        {"user_id": str(acme.members["rep"]), "routing": {"hours": {}, "closed_greeting": "We are closed"}},
    )
    await come(stack, acme, "rep")
    answer = await caller.ring()
    assert answer.findtext("Say") == "We are closed"


@pytest.mark.parametrize(
    ("at", "open_"),
    [
        ("2026-03-06T13:59:00+00:00", False),  # Friday, 08:59 in New York
        ("2026-03-06T14:00:00+00:00", True),
        ("2026-03-09T13:00:00+00:00", True),  # Monday, after the clocks went forward
        ("2026-03-09T21:00:00+00:00", False),  # 17:00: the end does not belong to it
        ("2026-03-08T15:00:00+00:00", False),  # Sunday
    ],
)
def test_hours_are_by_the_numbers_own_clock(at: str, open_: bool) -> None:
    week = {day: [{"from": "09:00", "to": "17:00"}] for day in ("mon", "tue", "wed", "thu", "fri")}
    assert is_open(week, "America/New_York", datetime.fromisoformat(at)) is open_
    assert is_open(None, "America/New_York", datetime.now(UTC))


async def test_a_webhook_that_is_forged_or_for_another_companys_number_does_nothing(
    caller: Caller, globex: Company, owner: Api, stack: Stack, server: RunningHub
) -> None:
    theirs = f"/webhooks/twilio/{globex.tenant_id}/numbers/{caller.number}/voice"
    fields = {"CallSid": "CA" + "f" * 32, "From": "+12025550199", "To": caller.e164, "CallStatus": "ringing"}
    status, text = await signed(stack, theirs, fields)
    assert status == 200 and "Reject" in text
    answer = await server.client().call(
        "POST", f"/webhooks/twilio/{caller.company.tenant_id}/numbers/{caller.number}/voice", data=fields
    )
    assert answer.status == 403
    for company in (caller.company, globex):
        assert (await server.as_member(company, "owner").get("/calls")).body["data"] == []


async def test_a_call_to_the_installations_number_goes_to_whoever_called_from_it(
    stack: Stack, acme: Company, globex: Company, owner: Api
) -> None:
    ada = (await owner.post("/contacts", {"first_name": "Ada", "phones": [{"e164": "+12025550199"}]})).body["id"]
    fields = {"CallSid": "CA" + "f" * 32, "From": "+12025550199", "To": "+14155550100", "CallStatus": "ringing"}
    path = "/webhooks/twilio/shared/numbers/voice"
    assert "Reject" in (await signed(stack, path, fields))[1]
    placed = await owner.post("/calls", {"contact_id": ada})
    assert placed.status == 201, placed.body
    await owner.post(f"/calls/{placed.body['id']}/hangup")
    assert "Reject" not in (await signed(stack, path, fields))[1]
    inbound = [c for c in (await owner.get("/calls")).body["data"] if c["direction"] == "inbound"]
    assert [c["contact_id"] for c in inbound] == [ada]
