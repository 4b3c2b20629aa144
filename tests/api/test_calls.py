"""Calls from the button to the timeline: hub, worker, the real SDK, the sandbox, its signed callbacks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import pytest
from twilio.request_validator import RequestValidator

from hub.calls.states import LIVE, MOVES, CallState, is_live, may_move, outcome_of
from hub.db import tenant_tx
from hub.sqlfiles import Statement
from integrations.sandbox.twilio import CallbackHabit
from tests.conftest import Company, TestDatabase, make_company
from tests.harness import Answer, Api, until
from tests.stack import Stack, running_stack

STATES = Statement(
    "states",
    "SELECT frame::json -> 'data' -> 'call' ->> 'state' AS state FROM events "
    "WHERE tenant_id = :tenant_id AND type = 'call.state_changed' ORDER BY seq",
)


UNFINISHED = Statement("busy", "SELECT count(*) FROM jobs WHERE tenant_id = :tenant_id AND state IN ('ready', 'running')")


@pytest.fixture
async def stack(database: TestDatabase, valkey_url: str) -> AsyncIterator[Stack]:
    async with running_stack(database.app_url, valkey_url) as running:
        yield running


@pytest.fixture
async def acme(stack: Stack) -> Company:
    return await make_company(stack.server.hub.db, "Acme")


@pytest.fixture
async def rep(stack: Stack, acme: Company) -> Api:
    return stack.server.as_member(acme, "rep")


def ids(answer: Answer) -> list[str]:
    return [c["id"] for c in answer.body["data"]]


async def contact(api: Api, *numbers: str) -> str:
    answer = await api.post("/contacts", {"first_name": "Ada", "phones": [{"e164": n} for n in numbers]})
    assert answer.status == 201, answer.body
    contact_id: str = answer.body["id"]
    return contact_id


async def place(api: Api, contact_id: str, **more: str) -> dict[str, Any]:
    answer = await api.post("/calls", {"contact_id": contact_id, **more})
    assert answer.status == 201, answer.body
    call: dict[str, Any] = answer.body
    return call


async def ended(api: Api, call_id: str) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        call: dict[str, Any] = (await api.get(f"/calls/{call_id}")).body
        return None if is_live(call["state"]) else call

    found: dict[str, Any] = await until(look)
    return found


async def reached(api: Api, call_id: str, state: CallState) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        call: dict[str, Any] = (await api.get(f"/calls/{call_id}")).body
        return call if call["state"] == state else None

    found: dict[str, Any] = await until(look)
    return found


def dialed(stack: Stack) -> list[str]:
    """The telephone numbers that were called; the rep's robot has none."""
    return [call.to for call in stack.sandbox.calls if call.to.startswith("+")]


async def states_of(stack: Stack, company: Company) -> list[str]:
    async with tenant_tx(stack.server.hub.db, company.who()) as tx:
        return [row["state"] for row in await tx.fetch(STATES)]


@pytest.mark.parametrize(
    ("number", "state", "outcome", "path"),
    [
        ("+12025550101", "completed", "connected", ["queued", "dialing", "ringing", "in_progress", "completed"]),
        ("+12025550105", "busy", "busy", ["queued", "dialing", "ringing", "busy"]),
        ("+12025550106", "no_answer", "no_answer", ["queued", "dialing", "ringing", "no_answer"]),
        ("+12025550108", "failed", "failed", ["queued", "dialing", "failed"]),
        ("+12025550109", "completed", "connected", ["queued", "dialing", "ringing", "in_progress", "completed"]),
        ("+12025550156", "completed", "connected", None),
    ],
)
async def test_a_call_goes_through_its_states_to_its_outcome(
    stack: Stack, acme: Company, rep: Api, number: str, state: str, outcome: str, path: list[str] | None
) -> None:
    async with stack.worker():
        placed = await place(rep, await contact(rep, number))
        assert (placed["state"], placed["to"], placed["from"]) == ("queued", number, stack.settings.twilio.from_number)  # type: ignore[union-attr]
        call = await ended(rep, placed["id"])
    assert (call["state"], call["outcome"]) == (state, outcome)
    seen = await states_of(stack, acme)
    order = ["queued", "dialing", "ringing", "in_progress", state]
    assert seen == [s for s in order if s in seen], "states only move forward, each once"
    if path is not None:
        # A callback may be overtaken by the next one; what it told is then skipped, never undone.
        assert set(seen) <= set(path)
        assert seen[0] == "queued" and seen[-1] == path[-1]
    if outcome == "connected":
        assert call["answered_at"] <= call["ended_at"]
    timeline = (await rep.get(f"/contacts/{call['contact_id']}/timeline")).body["data"]
    assert [(a["kind"], a["call"]["state"]) for a in timeline] == [("call", state)]
    assert dialed(stack) == [number]


async def test_a_refused_number_says_why(stack: Stack, rep: Api) -> None:
    async with stack.worker():
        call = await ended(rep, (await place(rep, await contact(rep, "+12025550150")))["id"])
    assert call["state"] == "failed"
    assert "+12025550150, is not valid" in call["error"]


async def test_hanging_up_ends_the_call_and_the_wrap_up_ends_with_the_disposition(stack: Stack, acme: Company, rep: Api) -> None:
    async with stack.worker():
        placed = await place(rep, await contact(rep, "+12025550154"))
        await reached(rep, placed["id"], "in_progress")
        early = await rep.put(f"/calls/{placed['id']}/disposition", {"disposition": "connected"})
        assert early.body["disposition"] == "connected"
        assert (await rep.post(f"/calls/{placed['id']}/hangup")).status == 202
        call = await ended(rep, placed["id"])
    assert call["outcome"] == "connected"
    done = await rep.put(f"/calls/{placed['id']}/disposition", {"disposition": "meeting_booked", "note": "Tuesday at ten"})
    assert (done.body["disposition"], done.body["note"]) == ("meeting_booked", "Tuesday at ten")
    again = await rep.post(f"/calls/{placed['id']}/hangup")
    assert (again.status, again.body["state"]) == (202, call["state"])
    # From the call on, and not from midnight, which may have come in between.
    floor = (await rep.get("/floor", since=placed["started_at"])).body
    assert floor["today"]["by_disposition"] == {"meeting_booked": 1}
    assert floor["live_calls"] == []


async def test_a_call_that_waits_is_canceled_at_once(stack: Stack, rep: Api) -> None:
    placed = await place(rep, await contact(rep, "+12025550101"))
    hung_up = await rep.post(f"/calls/{placed['id']}/hangup")
    assert hung_up.body["state"] == "canceled"
    async with stack.worker():
        other = await place(rep, await contact(rep, "+12025550105"))
        await ended(rep, other["id"])
    assert dialed(stack) == ["+12025550105"]


async def test_two_reps_can_not_call_one_contact_at_once(stack: Stack, acme: Company, rep: Api) -> None:
    whom = await contact(rep, "+12025550154")
    others = [stack.server.as_member(acme, role) for role in ("owner", "admin", "manager")]
    answers: list[Answer] = await asyncio.gather(*(api.post("/calls", {"contact_id": whom}) for api in [rep, *others]))
    assert sorted(a.status for a in answers) == [201, 409, 409, 409]
    assert {a.error for a in answers if a.status == 409} == {"contact_is_on_a_call"}


async def test_a_rep_is_on_one_call_at_a_time(stack: Stack, rep: Api) -> None:
    await place(rep, await contact(rep, "+12025550154"))
    second = await rep.post("/calls", {"contact_id": await contact(rep, "+12025550101")})
    assert (second.status, second.error) == (409, "already_on_a_call")


async def test_only_the_contacts_own_numbers_are_called(stack: Stack, rep: Api) -> None:
    whom = await contact(rep, "+12025550101", "+442079460958")
    assert (await rep.post("/calls", {"contact_id": whom, "phone": "+12025550105"})).field("phone")
    assert "not a telephone number" in (await rep.post("/calls", {"contact_id": whom, "phone": "call me"})).field("phone")
    assert (await place(rep, whom, phone="+44 20 7946 0958"))["to"] == "+442079460958"
    silent = (await rep.post("/contacts", {"first_name": "No", "last_name": "Phone"})).body["id"]
    assert "no telephone number" in (await rep.post("/calls", {"contact_id": silent})).field("contact_id")
    assert (await rep.post("/calls", {"contact_id": "0" * 32})).status == 404


async def test_a_lost_answer_never_makes_a_second_call(database: TestDatabase, valkey_url: str) -> None:
    # The sandbox accepts the call and never answers the request; the callbacks that would settle it are not sent either.
    habit = CallbackHabit(is_sent=False)
    async with running_stack(
        database.app_url, valkey_url, sandbox={"callbacks": habit, "hang_s": 60}, call_silence_s=1.0
    ) as stack:
        acme = await make_company(stack.server.hub.db, "Acme")
        rep = stack.server.as_member(acme, "rep")
        async with stack.worker():
            placed = await place(rep, await contact(rep, "+12025550152"))

            async def settled() -> bool:
                return (await rep.get(f"/calls/{placed['id']}")).body["state"] not in ("queued", "dialing")

            await until(settled)
        assert dialed(stack) == ["+12025550152"]


async def test_a_call_without_callbacks_is_settled_by_asking(database: TestDatabase, valkey_url: str) -> None:
    async with running_stack(database.app_url, valkey_url, call_silence_s=0.5) as stack:
        acme = await make_company(stack.server.hub.db, "Acme")
        rep = stack.server.as_member(acme, "rep")
        async with stack.worker():
            call = await ended(rep, (await place(rep, await contact(rep, "+12025550155")))["id"])
    assert call["outcome"] == "connected"


async def test_a_call_the_provider_does_not_know_any_more_is_ended_with_the_reason(
    database: TestDatabase, valkey_url: str
) -> None:
    async with running_stack(database.app_url, valkey_url, call_silence_s=0.5) as stack:
        acme = await make_company(stack.server.hub.db, "Acme")
        rep = stack.server.as_member(acme, "rep")
        async with stack.worker():
            placed = await place(rep, await contact(rep, "+12025550154"))
            await reached(rep, placed["id"], "in_progress")
            await stack.restart_sandbox()
            call = await ended(rep, placed["id"])
    assert call["state"] == "failed"
    assert "does not know this call" in call["error"]


async def signed(stack: Stack, path: str, token: str, **fields: str) -> Answer:
    url = stack.settings.public_url + path
    signature = RequestValidator(token).compute_signature(url, fields)
    headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
    return await stack.server.client().call("POST", path, data=urlencode(fields), headers=headers)


async def test_forged_foreign_and_repeated_callbacks_change_nothing(stack: Stack, acme: Company, rep: Api) -> None:
    globex = await make_company(stack.server.hub.db, "Globex")
    placed = await place(rep, await contact(rep, "+12025550154"))
    async with stack.worker():
        await reached(rep, placed["id"], "in_progress")
        sid = next(call.sid for call in stack.sandbox.calls if call.to == "+12025550154")
        fields = {"CallSid": sid, "CallStatus": "completed", "SequenceNumber": "9", "AccountSid": stack.sandbox.account_sid}
        own = f"/webhooks/twilio/{acme.tenant_id}/calls/{placed['id']}/status"
        forged = await signed(stack, own, "guessed token", **fields)
        assert (forged.status, forged.error) == (403, "bad_signature")
        bare = await stack.server.client().call("POST", own, data=b"{}", headers={"Content-Type": "application/json"})
        assert bare.status == 403
        foreign = f"/webhooks/twilio/{globex.tenant_id}/calls/{placed['id']}/status"
        assert (await signed(stack, foreign, stack.sandbox.auth_token, **fields)).status == 204
        nobody = f"/webhooks/twilio/{placed['id']}/calls/{placed['id']}/status"
        assert (await signed(stack, nobody, stack.sandbox.auth_token, **fields)).status == 404
        other = fields | {"CallSid": "CA" + "f" * 32}
        assert (await signed(stack, own, stack.sandbox.auth_token, **other)).status == 204
        late = fields | {"CallStatus": "ringing", "SequenceNumber": "1"}
        for _ in range(2):
            assert (await signed(stack, own, stack.sandbox.auth_token, **late)).status == 204

        async def idle() -> bool:
            async with tenant_tx(stack.server.hub.db, acme.who()) as tx:
                busy = Statement(
                    "busy", "SELECT count(*) FROM jobs WHERE tenant_id = :tenant_id AND state IN ('ready', 'running')"
                )
                return bool(await tx.fetchval(busy) == 0)

        await until(idle)
        assert (await rep.get(f"/calls/{placed['id']}")).body["state"] == "in_progress"


async def test_another_companys_call_is_a_404(stack: Stack, rep: Api) -> None:
    globex = await make_company(stack.server.hub.db, "Globex")
    stranger = stack.server.as_member(globex, "owner")
    placed = await place(rep, await contact(rep, "+12025550154"))
    for method, path, body in [
        ("GET", "", None),
        ("POST", "/hangup", {}),
        ("PUT", "/disposition", {"disposition": "connected"}),
    ]:
        assert (await stranger.call(method, f"/calls/{placed['id']}{path}", json=body)).status == 404
    assert (await stranger.post("/calls", {"contact_id": placed["contact_id"]})).status == 404
    assert (await stranger.get("/calls")).body["data"] == []
    assert (await stranger.get("/floor")).body["live_calls"] == []


async def test_a_colleagues_call_is_the_managers_to_end(stack: Stack, acme: Company, rep: Api) -> None:
    manager = stack.server.as_member(acme, "manager")
    placed = await place(manager, await contact(rep, "+12025550154"))
    assert (await rep.post(f"/calls/{placed['id']}/hangup")).status == 403
    mine = await place(rep, await contact(rep, "+12025550104"))
    assert (await manager.post(f"/calls/{mine['id']}/hangup")).body["state"] == "canceled"


async def test_calls_are_listed_by_contact_rep_state_and_time(stack: Stack, acme: Company, rep: Api) -> None:
    first = await place(rep, await contact(rep, "+12025550101"))
    await rep.post(f"/calls/{first['id']}/hangup")
    second = await place(rep, await contact(rep, "+12025550102"))
    assert ids(await rep.get("/calls")) == [second["id"], first["id"]]
    assert ids(await rep.get("/calls", contact_id=first["contact_id"])) == [first["id"]]
    assert ids(await rep.get("/calls", state="queued,dialing")) == [second["id"]]
    assert ids(await rep.get("/calls", user_id=acme.members["owner"])) == []
    assert ids(await rep.get("/calls", since=second["started_at"])) == [second["id"]]
    page = await rep.get("/calls", limit=1)
    assert ids(await rep.get("/calls", limit=1, cursor=page.body["next_cursor"])) == [first["id"]]
    assert (await rep.get("/calls", state="asleep")).status == 422
    assert len((await rep.get("/dispositions")).body["data"]) == 8


def test_no_move_leads_back_and_nothing_follows_an_end() -> None:
    for state, following in MOVES.items():
        assert state not in following
        assert is_live(state) or not following
        for after in following:
            assert state not in MOVES[after]
            assert may_move(state, after)
    assert outcome_of("completed", "machine_start") == "voicemail"
    assert all(outcome_of(state, None) is None for state in LIVE)
