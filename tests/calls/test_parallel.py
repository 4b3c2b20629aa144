"""Several calls at once of which one becomes the rep's, and machines that answer."""

from __future__ import annotations

from uuid import UUID

from hub.calls import actions
from hub.calls.states import is_live
from hub.db import tenant_tx
from tests.calls.kit import ENDLESS, ENDLESS_TOO, House, joined
from tests.harness import until


async def parallel(house: House, *numbers: str) -> list[str]:
    contacts = [await house.contact(number) for number in numbers]
    async with tenant_tx(house.stack.server.hub.db, house.company.who("rep")) as tx:
        return [
            str(await actions.place_call(tx, UUID(contact), from_number="+14155550100", holds_rep=False)) for contact in contacts
        ]


async def test_the_first_who_answers_gets_the_rep_and_the_others_are_told_and_let_go(house: House) -> None:
    # Whoever answers first stays, however long it takes to look.
    ids = await parallel(house, ENDLESS, ENDLESS_TOO, ENDLESS)

    async def won() -> str | None:
        calls = [await house.call(call_id) for call_id in ids]
        return next((call["id"] for call in calls if joined(call, "rep")), None)

    winner: str = await until(won)
    await house.hearing(winner, contact=["rep"], rep=["contact"])
    assert (await house.person("rep"))["call"]["id"] == winner
    losers = [await house.ended(call_id) for call_id in ids if call_id != winner]
    assert {call["outcome"] for call in losers} <= {"abandoned", "canceled", "no_answer"}
    for call in losers:
        if call["outcome"] == "abandoned":
            assert call["error"] in (None, "It was answered while the rep was on another call.")
    assert is_live((await house.call(winner))["state"])


async def test_the_answer_of_a_parallel_call_is_the_same_when_it_is_asked_for_twice(house: House) -> None:
    (first,) = await parallel(house, "+12025550154")
    await house.until(first, lambda now: joined(now, "rep"))
    sid = next(call.sid for call in house.stack.sandbox.calls if call.to == "+12025550154")
    path = f"/webhooks/twilio/{house.company.tenant_id}/calls/{first}/answered"
    asked = {"CallSid": sid, "To": "+12025550154", "From": "+14155550100", "CallStatus": "in-progress"}
    assert f"ringside-{first}</Conference>" in (await house.signed(path, **asked)).body
    assert (await house.signed(path, "guessed", **asked)).status == 403
    assert (await house.signed(path, **(asked | {"CallSid": "CA" + "f" * 32}))).status == 404
    elsewhere = path.replace(str(house.company.tenant_id), "0" * 32)
    assert (await house.signed(elsewhere, **asked)).status == 404


async def test_somebody_who_answers_while_the_rep_talks_hears_a_short_word_and_counts_as_abandoned(house: House) -> None:
    called, other = UUID(await house.contact(ENDLESS)), UUID(await house.contact(ENDLESS_TOO))
    # Both at once: nobody is dialed before the rep is gone.
    async with tenant_tx(house.stack.server.hub.db, house.company.who("rep")) as tx:
        call_id = str(await actions.place_call(tx, called, from_number="+14155550100", holds_rep=False))
        own = str(await actions.place_call(tx, other))
    call = await house.ended(call_id)
    assert (call["outcome"], call["error"]) == ("abandoned", "It was answered while the rep was on another call.")
    heard = next(each.heard for each in house.stack.sandbox.calls if each.to == ENDLESS)
    assert any("nobody is free to talk" in str(words) for words in heard)
    assert (await house.person("rep"))["call"]["id"] == own


async def test_a_machine_that_answers_makes_the_call_a_voicemail(house: House) -> None:
    await house.api("owner").put("/voice/settings", {"machine_detection": True})
    call = await house.ended((await house.place(number="+12025550107"))["id"])
    assert (call["answered_by"], call["outcome"]) == ("machine", "voicemail")
    person = await house.talking(number="+12025550154")
    known = await house.until(person["id"], lambda now: now["answered_by"] is not None)
    assert known["answered_by"] == "human"
