"""Open lines: they outlive calls, and calls move them."""

from __future__ import annotations

from typing import Any

from tests.calls.kit import ENDLESS, House, joined
from tests.harness import until


async def opened(house: House) -> dict[str, Any]:
    answer = await house.api("rep").post("/lines")
    assert (answer.status, answer.body["kind"]) == (201, "simulated")
    return await line_is(house, answer.body["id"], "open")


async def line_is(house: House, line_id: str, state: str) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        line: dict[str, Any] = (await house.api("rep").get(f"/lines/{line_id}")).body
        return line if line["state"] == state else None

    found: dict[str, Any] = await until(look)
    return found


async def parked(house: House, line_id: str) -> bool:
    async with house.stack.server.client().session.get(
        f"{house.stack.sandbox.url}/_sandbox/conferences", params={"name": f"ringside-line-{line_id}"}
    ) as answer:
        rooms = (await answer.json())["conferences"]
    return bool(rooms) and len(rooms[0]["participants"]) == 1


async def test_a_line_survives_the_calls_it_is_in(house: House) -> None:
    line = await opened(house)
    again = await house.api("rep").post("/lines")
    assert again.body["id"] == line["id"], "there is one for each rep"
    for _ in range(2):
        call = await house.talking()
        await house.hearing(call["id"], contact=["rep"], rep=["contact"])
        assert (await line_is(house, line["id"], "open"))["call_id"] == call["id"]
        refused = await house.api("rep").delete(f"/lines/{line['id']}")
        assert (refused.status, refused.error) == (409, "line_in_a_call")
        sid = next(each.sid for each in house.stack.sandbox.calls if each.to == ENDLESS and not each.is_over)
        await house.play(sid, "hangup")
        assert (await house.ended(call["id"]))["outcome"] == "connected"
        await until(lambda: parked(house, line["id"]))
    assert [to.startswith("client:") for to in house.dialed()].count(True) == 1, "the rep was rung once"
    assert (await house.api("rep").delete(f"/lines/{line['id']}")).status == 202
    assert (await line_is(house, line["id"], "ended"))["error"] is None


async def test_a_call_that_nobody_answers_gives_the_line_back(house: House) -> None:
    line = await opened(house)
    call = await house.ended((await house.place(number="+12025550105"))["id"])
    assert call["outcome"] == "busy"
    await until(lambda: parked(house, line["id"]))
    assert (await line_is(house, line["id"], "open"))["call_id"] is None


async def test_a_rep_who_leaves_the_line_leaves_the_call(house: House) -> None:
    line = await opened(house)
    call = await house.talking()
    sid = next(each.sid for each in house.stack.sandbox.calls if each.to.startswith("client:"))
    await house.play(sid, "hangup")
    assert (await house.ended(call["id"]))["outcome"] == "connected"
    assert (await line_is(house, line["id"], "ended"))["error"] == "The softphone hung up."


async def test_a_manager_whispers_on_an_open_line(house: House) -> None:
    await opened(house)
    call = await house.talking()
    await house.api("manager").post(f"/calls/{call['id']}/supervise", {"mode": "whisper"})
    await house.until(call["id"], lambda now: joined(now, "supervisor"))
    await house.hearing(call["id"], contact=["rep"], rep=["contact", "supervisor"], supervisor=["contact", "rep"])
    await house.api("rep").post(f"/calls/{call['id']}/hold", {"on": True})
    await house.hearing(call["id"], contact=[], rep=["supervisor"], supervisor=["rep"])


async def test_a_line_that_is_not_answered_says_so(house: House) -> None:
    await house.api("rep").put("/voice/line", {"kind": "bridge", "phone": "+12025550145"})
    line = (await house.api("rep").post("/lines")).body
    assert (await line_is(house, line["id"], "ended"))["error"] == "The telephone +12025550145 was busy."
    assert (await house.api("rep").delete(f"/lines/{line['id']}")).status == 202, "ending it again changes nothing"
    others = await house.api("admin").get("/lines/" + "0" * 32)
    assert (others.status, others.error) == (404, "line_not_found")


async def test_what_can_not_be_chosen_is_refused_in_words(house: House) -> None:
    rep = house.api("rep")
    assert (await rep.get("/voice/line")).body["kinds"] == ["simulated", "bridge"]
    assert "not set up" in (await rep.put("/voice/line", {"kind": "softphone"})).field("kind")
    assert "give its number" in (await rep.put("/voice/line", {"kind": "bridge"})).field("phone")
    assert "telephone number" in (await rep.put("/voice/line", {"kind": "bridge", "phone": "here"})).field("phone")
    token = await rep.post("/voice/token")
    assert token.status == 503 and "TWILIO_API_KEY_SID" in token.body["message"]
    assert (await rep.put("/voice/settings", {"ring_s": 20})).status == 403
    assert (await house.api("owner").put("/voice/settings", {"ring_s": 5})).status == 422
