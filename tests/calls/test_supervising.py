"""A manager in a rep's call: who hears whom is what the provider's room shows."""

from __future__ import annotations

from tests.calls.kit import ENDLESS_TOO, House, joined, leg_of


async def test_the_contact_and_the_rep_hear_each_other(house: House) -> None:
    call = await house.talking()
    await house.hearing(call["id"], contact=["rep"], rep=["contact"])
    leg = leg_of(call, "rep")
    assert (leg["user"]["name"], leg["state"], leg["muted"], call["line_kind"]) == ("Rep of Acme", "joined", False, "simulated")


async def test_a_whisper_is_heard_by_the_rep_alone(house: House) -> None:
    call = await house.talking()
    manager = house.api("manager")
    path = f"/calls/{call['id']}/supervise"
    shown = await manager.post(path, {"mode": "whisper"})
    assert leg_of(shown.body, "supervisor")["mode"] == "whisper"
    await house.hearing(call["id"], contact=["rep"], rep=["contact", "supervisor"], supervisor=["contact", "rep"])

    await manager.post(path, {"mode": "listen"})
    await house.hearing(call["id"], contact=["rep"], rep=["contact"], supervisor=["contact", "rep"])

    await manager.post(path, {"mode": "barge"})
    await house.hearing(call["id"], contact=["rep", "supervisor"], rep=["contact", "supervisor"], supervisor=["contact", "rep"])

    assert (await manager.delete(path)).status == 200
    await house.hearing(call["id"], contact=["rep"], rep=["contact"])
    gone = await house.until(call["id"], lambda now: len(now["legs"]) == 1)
    assert gone["state"] == "in_progress", "the call goes on without its listener"
    done = [action for action in await house.audit(call["id"]) if action in ("listen", "whisper", "barge", "stopped")]
    assert done == ["whisper", "listen", "barge", "stopped"]


async def test_the_rep_sees_who_listens_unless_the_company_hides_it(house: House) -> None:
    call = await house.talking()
    await house.api("manager").post(f"/calls/{call['id']}/supervise", {"mode": "listen"})
    await house.until(call["id"], lambda now: joined(now, "supervisor"))
    assert joined((await house.api("rep").get(f"/calls/{call['id']}")).body, "supervisor")
    assert (await house.api("owner").put("/voice/settings", {"show_listeners": False})).status == 200
    assert not joined((await house.api("rep").get(f"/calls/{call['id']}")).body, "supervisor")
    listeners = (await house.api("manager").get(f"/calls/{call['id']}/listeners")).body["data"]
    assert [(leg["kind"], leg["mode"]) for leg in listeners] == [("supervisor", "listen")]
    assert (await house.api("rep").get(f"/calls/{call['id']}/listeners")).status == 403


async def test_nothing_told_to_all_names_a_hidden_listener(house: House) -> None:
    assert (await house.api("owner").put("/voice/settings", {"show_listeners": False})).status == 200
    call = await house.talking()
    await house.api("manager").post(f"/calls/{call['id']}/supervise", {"mode": "whisper"})
    await house.hearing(call["id"], contact=["rep"], rep=["contact", "supervisor"], supervisor=["contact", "rep"])
    await house.idle()
    for kind in ("call.updated", "call.state_changed", "presence.changed"):
        assert all("supervisor" not in frame for _, frame in await house.events(kind)), kind
    told = await house.events("call.listeners_changed")
    assert told and {audience for audience, _ in told} == {"managers"}
    actions = [entry["action"] for entry in (await house.api("rep").get(f"/calls/{call['id']}/audit")).body["data"]]
    assert "whisper" not in actions and actions == ["joined"]


async def test_only_managers_come_into_calls_and_not_into_their_own(house: House) -> None:
    call = await house.talking()
    path = f"/calls/{call['id']}/supervise"
    assert (await house.api("rep").post(path, {"mode": "listen"})).status == 403
    own = await house.talking("manager", ENDLESS_TOO)
    refused = await house.api("manager").post(f"/calls/{own['id']}/supervise", {"mode": "listen"})
    assert (refused.status, refused.error) == (409, "already_in_the_call")
    assert (await house.api("owner").delete(path)).status == 200, "leaving a call one is not in changes nothing"
    await house.api("rep").post(f"/calls/{call['id']}/hangup")
    await house.ended(call["id"])
    over = await house.api("manager").post(path, {"mode": "listen"})
    assert (over.status, over.error) == (409, "call_is_over")


async def test_listeners_leave_with_the_call(house: House) -> None:
    call = await house.talking()
    await house.api("manager").post(f"/calls/{call['id']}/supervise", {"mode": "barge"})
    await house.until(call["id"], lambda now: joined(now, "supervisor"))
    await house.api("rep").post(f"/calls/{call['id']}/hangup")
    assert (await house.ended(call["id"]))["outcome"] == "connected"
    await house.idle()
    assert all(each.is_over for each in house.stack.sandbox.calls)
