"""Colleagues in a call, and calls that change hands."""

from __future__ import annotations

from typing import Any

import pytest

from hub.who import Role
from tests.calls.kit import ENDLESS_TOO, House, joined, leg_of
from tests.harness import until

OUTSIDE = ENDLESS_TOO


async def test_a_colleague_comes_into_the_call_and_is_taken_out_again(house: House) -> None:
    call = await house.talking()
    rep, admin = house.api("rep"), str(house.company.members["admin"])
    added = await rep.post(f"/calls/{call['id']}/participants", {"user_id": admin})
    assert (added.status, leg_of(added.body, "colleague")["state"]) == (202, "asked")
    await house.hearing(call["id"], contact=["colleague", "rep"], rep=["colleague", "contact"], colleague=["contact", "rep"])
    await house.until(call["id"], lambda now: joined(now, "colleague"))
    assert (await house.person("admin"))["call"]["id"] == call["id"]
    again = await rep.post(f"/calls/{call['id']}/participants", {"user_id": admin})
    assert (again.status, again.error) == (409, "already_in_the_call")
    leg_id = leg_of(await house.call(call["id"]), "colleague")["id"]
    assert (await rep.delete(f"/calls/{call['id']}/participants/{leg_id}")).status == 202
    await house.hearing(call["id"], contact=["rep"], rep=["contact"])
    assert (await house.call(call["id"]))["state"] == "in_progress"
    await until(lambda: _is_free(house, "admin"))


async def _is_free(house: House, role: Role) -> bool:
    return bool((await house.person(role))["call"] is None)


async def _has_left(house: House, leg: dict[str, Any]) -> bool:
    return (await house.leg(leg["id"]))["state"] not in ("asked", "ringing", "joined")


async def test_an_outside_number_that_does_not_answer_leaves_the_call_as_it_was(house: House) -> None:
    call = await house.talking()
    await house.api("rep").post(f"/calls/{call['id']}/participants", {"phone": "+1 202 555 0145"})
    failed = await house.until(call["id"], lambda now: leg_of(now, "colleague")["state"] == "failed")
    assert leg_of(failed, "colleague")["error"] == "The telephone +12025550145 was busy."
    assert failed["state"] == "in_progress" and joined(failed, "rep")
    wrong = await house.api("rep").post(f"/calls/{call['id']}/participants", {"phone": "nobody"})
    assert wrong.status == 422 and "not a telephone number" in wrong.field("phone")


async def test_a_warm_transfer_makes_the_call_the_colleagues_when_the_rep_leaves(house: House) -> None:
    call = await house.talking()
    rep, admin = house.api("rep"), str(house.company.members["admin"])
    path = f"/calls/{call['id']}/transfer"
    assert (await rep.post(f"{path}/complete")).error == "no_transfer"
    assert (await rep.post(path, {"user_id": admin, "kind": "warm"})).status == 202
    await house.until(call["id"], lambda now: joined(now, "colleague"))
    done = await rep.post(f"{path}/complete")
    assert (done.status, done.body["user_id"]) == (202, admin)
    # Until the provider says that it has ended, the leg of the rep who leaves is listed beside the colleague's.
    await house.until(call["id"], lambda now: leg_of(now, "rep")["user"]["id"] == admin)
    await house.hearing(call["id"], contact=["rep"], rep=["contact"])
    assert (await house.person("admin"))["state"] == "on_call"
    assert (await house.person("rep"))["call"] is None or (await house.person("rep"))["state"] == "wrap_up"
    said = await rep.put(f"/calls/{call['id']}/disposition", {"disposition": "connected"})
    assert said.status == 200, "whoever had the call may still say how it went"
    assert (await rep.post(f"/calls/{call['id']}/hangup")).status == 403, "and end it no more"
    await house.api("admin").post(f"/calls/{call['id']}/hangup")
    assert (await house.ended(call["id"]))["outcome"] == "connected"
    assert {"transfer_warm", "transferred"} <= set(await house.audit(call["id"]))


async def test_a_cold_transfer_leaves_at_once(house: House) -> None:
    call = await house.talking()
    admin = str(house.company.members["admin"])
    given = await house.api("rep").post(f"/calls/{call['id']}/transfer", {"user_id": admin, "kind": "cold"})
    assert given.body["user_id"] == admin
    # The call is the colleague's at once; the rep's telephone is free when the provider has hung it up.
    await until(lambda: _has_left(house, leg_of(call, "rep")))
    await house.hearing(call["id"], contact=["rep"], rep=["contact"])
    assert (await house.place("rep", "+12025550101"))["state"] == "queued", "the rep is free for the next call"
    assert (await house.person("admin"))["state"] == "on_call"


async def test_a_cold_transfer_to_an_outside_number_holds_no_rep(house: House) -> None:
    call = await house.talking()
    given = await house.api("rep").post(f"/calls/{call['id']}/transfer", {"phone": OUTSIDE, "kind": "cold"})
    assert given.status == 202
    await house.hearing(call["id"], contact=["colleague"], colleague=["contact"])
    assert (await house.call(call["id"]))["state"] == "in_progress"
    # They are out of the room before the provider has told of it.
    await until(lambda: _has_left(house, leg_of(call, "rep")))
    assert (await house.place("rep", "+12025550101"))["state"] == "queued"
    sid = next(each.sid for each in house.stack.sandbox.calls if each.to == OUTSIDE)
    await house.play(sid, "hangup")
    assert (await house.ended(call["id"]))["outcome"] == "connected", "it ends when the last of ours is gone"


@pytest.mark.parametrize("is_slow", [False, True])
async def test_a_cold_transfer_that_nobody_takes_ends_the_call_and_says_so(house: House, is_slow: bool) -> None:
    admin = house.api("admin")
    assert (await admin.put("/voice/line", {"kind": "bridge", "phone": "+12025550145"})).status == 200
    call = await house.talking()
    if is_slow:
        # The colleague's telephone is busy long before the provider has let the rep go.
        await house.break_provider("calls.update", "500", times=3)
    body = {"user_id": str(house.company.members["admin"]), "kind": "cold"}
    assert (await house.api("rep").post(f"/calls/{call['id']}/transfer", body)).status == 202
    over = await house.ended(call["id"])
    assert over["error"] == "It was handed over, and nobody took it. The telephone +12025550145 was busy."
    await until(lambda: _is_free(house, "admin"))
    tasks = (await admin.get("/tasks")).body["data"]
    assert [(task["kind"], task["call_id"]) for task in tasks] == [("missed_call", call["id"])]


async def test_a_colleague_on_another_call_is_not_rung(house: House) -> None:
    call = await house.talking()
    await house.talking("admin", ENDLESS_TOO)
    body = {"user_id": str(house.company.members["admin"])}
    for what in ("participants", "transfer"):
        refused = await house.api("rep").post(f"/calls/{call['id']}/{what}", body)
        assert (refused.status, refused.error) == (409, "colleague_is_busy")
    nobody = await house.api("rep").post(f"/calls/{call['id']}/participants", {"user_id": "0" * 32})
    assert "no such active member" in nobody.field("user_id")
    neither = await house.api("rep").post(f"/calls/{call['id']}/participants", {})
    assert neither.status == 422


async def test_a_call_whose_rep_drops_out_goes_on_with_the_colleague_who_is_in_it(house: House) -> None:
    call = await house.talking()
    admin = str(house.company.members["admin"])
    await house.api("rep").post(f"/calls/{call['id']}/participants", {"user_id": admin})
    await house.until(call["id"], lambda now: joined(now, "colleague"))
    await house.play(str((await house.leg(leg_of(call, "rep")["id"]))["provider_sid"]), "hangup")
    theirs = await house.until(call["id"], lambda now: now["user_id"] == admin)
    assert theirs["state"] == "in_progress"
    await house.hearing(call["id"], contact=["rep"], rep=["contact"])
