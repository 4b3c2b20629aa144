"""Hold, mute, keys and notes while talking."""

from __future__ import annotations

from tests.calls.kit import House, leg_of
from tests.harness import until


async def test_a_held_contact_hears_nobody_until_the_call_goes_on(house: House) -> None:
    call = await house.talking()
    path = f"/calls/{call['id']}/hold"
    assert (await house.api("rep").post(path, {"on": True})).body["on_hold"] is True
    await house.hearing(call["id"], contact=[], rep=[])
    assert (await house.api("rep").post(path, {"on": False})).body["on_hold"] is False
    await house.hearing(call["id"], contact=["rep"], rep=["contact"])
    assert [action for action in await house.audit(call["id"]) if "hold" in action] == ["hold", "unhold"]


async def test_a_muted_rep_hears_and_is_not_heard(house: House) -> None:
    call = await house.talking()
    muted = await house.api("rep").post(f"/calls/{call['id']}/mute", {"on": True})
    assert leg_of(muted.body, "rep")["muted"] is True
    await house.hearing(call["id"], contact=[], rep=["contact"])
    await house.api("rep").post(f"/calls/{call['id']}/mute", {"on": False})
    await house.hearing(call["id"], contact=["rep"], rep=["contact"])


async def test_keys_are_heard_by_the_contacts_side(house: House) -> None:
    call = await house.talking()
    assert (await house.api("rep").post(f"/calls/{call['id']}/digits", {"digits": "1*2#"})).status == 202

    async def announced() -> list[str]:
        return list((await house.room(call["id"]))["contact"]["announced"])

    (url,) = await until(announced)
    path = url.removeprefix(house.stack.settings.public_url)
    answer = await house.signed(path, CallSid="CA" + "0" * 32)
    assert 'digits="1*2#"' in answer.body
    assert (await house.api("rep").post(f"/calls/{call['id']}/digits", {"digits": "call"})).status == 422


async def test_nothing_is_held_or_muted_before_or_after_the_talk(house: House) -> None:
    call = await house.talking()
    await house.api("rep").post(f"/calls/{call['id']}/hangup")
    await house.ended(call["id"])
    for what in ("hold", "mute"):
        refused = await house.api("rep").post(f"/calls/{call['id']}/{what}", {"on": True})
        assert (refused.status, refused.error) == (409, "call_is_over")


async def test_a_note_is_written_while_talking(house: House) -> None:
    call = await house.talking()
    written = await house.api("rep").patch(f"/calls/{call['id']}", {"note": "Wants a quote by Friday."})
    assert written.body["note"] == "Wants a quote by Friday."
    assert "quote by Friday" in (await house.events("call.updated"))[-1][1]
    assert (await house.api("manager").patch(f"/calls/{call['id']}", {"note": "x" * 10_001})).status == 422
