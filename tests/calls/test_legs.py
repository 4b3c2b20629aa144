"""The rep's leg: how it is asked for, what its end means, and what becomes of webhooks that come wrong or never."""

from __future__ import annotations

from uuid import UUID

from redis.asyncio import Redis

from hub.calls import joining
from hub.db import tenant_tx
from hub.who import Who
from integrations.ports import AddParticipant
from integrations.sandbox.twilio import CallbackHabit
from integrations.twilio import TwilioTelephony
from tests.calls.kit import ENDLESS, ENDLESS_TOO, House, joined, leg_of
from tests.conftest import TestDatabase, make_company
from tests.harness import until
from tests.stack import running_stack

OWN_PHONE = ENDLESS_TOO


async def test_a_bridge_rings_the_rep_first_and_then_the_contact(house: House) -> None:
    chosen = await house.api("rep").put("/voice/line", {"kind": "bridge", "phone": OWN_PHONE})
    assert (chosen.body["kind"], chosen.body["in_use"], chosen.body["phone"]) == ("bridge", "bridge", OWN_PHONE)
    call = await house.talking()
    assert house.dialed() == [OWN_PHONE, ENDLESS]
    assert (call["line_kind"], leg_of(call, "rep")["phone"]) == ("bridge", OWN_PHONE)
    await house.hearing(call["id"], contact=["rep"], rep=["contact"])


async def test_a_rep_who_does_not_answer_cancels_the_call_before_the_contact_is_dialed(house: House) -> None:
    await house.api("rep").put("/voice/line", {"kind": "bridge", "phone": "+12025550145"})
    call = await house.ended((await house.place())["id"])
    assert (call["state"], call["error"]) == ("canceled", "The telephone +12025550145 was busy.")
    assert house.dialed() == ["+12025550145"]


async def test_the_call_ends_when_its_rep_hangs_up(house: House) -> None:
    call = await house.talking()
    await house.play(str((await house.leg(leg_of(call, "rep")["id"]))["provider_sid"]), "hangup")
    over = await house.ended(call["id"])
    assert (over["outcome"], over["legs"]) == ("connected", [])
    await house.idle()
    assert all(each.is_over for each in house.stack.sandbox.calls)


async def test_everybody_leaves_when_the_contact_hangs_up(house: House) -> None:
    call = await house.talking()
    await house.play(next(each.sid for each in house.stack.sandbox.calls if each.to == ENDLESS), "hangup")
    await house.ended(call["id"])
    await house.idle()
    assert all(each.is_over for each in house.stack.sandbox.calls)
    assert (await house.leg(leg_of(call, "rep")["id"]))["state"] == "left"


async def test_the_reps_leg_is_let_go_when_the_contact_does_not_answer(house: House) -> None:
    call = await house.ended((await house.place(number="+12025550105"))["id"])
    assert call["outcome"] == "busy"
    await house.idle()
    assert all(each.is_over for each in house.stack.sandbox.calls)


async def test_leg_callbacks_that_are_late_repeated_forged_or_anothers_change_nothing(house: House) -> None:
    call = await house.talking()
    leg_id = leg_of(call, "rep")["id"]
    sid = str((await house.leg(leg_id))["provider_sid"])
    globex = await make_company(house.stack.server.hub.db, "Globex")
    account = house.stack.sandbox.account_sid
    own = f"/webhooks/twilio/{house.company.tenant_id}/calls/{call['id']}/legs/{leg_id}/status"
    late = {"CallSid": sid, "CallStatus": "ringing", "SequenceNumber": "1", "AccountSid": account}
    over = {"CallSid": sid, "CallStatus": "completed", "SequenceNumber": "9", "AccountSid": account}
    assert (await house.signed(own, "guessed", **over)).status == 403
    foreign = f"/webhooks/twilio/{globex.tenant_id}/calls/{call['id']}/legs/{leg_id}/status"
    assert (await house.signed(foreign, **over)).status == 204
    assert (await house.signed(own, **(over | {"CallSid": "CA" + "f" * 32}))).status == 204
    for _ in range(2):
        assert (await house.signed(own, **late)).status == 204
    await house.idle()
    now = await house.call(call["id"])
    assert now["state"] == "in_progress" and joined(now, "rep")


async def test_legs_whose_callbacks_never_come_are_settled_by_asking(database: TestDatabase, valkey_url: str) -> None:
    habit = CallbackHabit(is_sent=False)
    async with (
        running_stack(database.app_url, valkey_url, sandbox={"callbacks": habit}, call_silence_s=0.5) as stack,
        stack.worker(),
    ):
        house = House(stack, await make_company(stack.server.hub.db, "Acme"))
        call = await house.talking()
        await house.play(str((await house.leg(leg_of(call, "rep")["id"]))["provider_sid"]), "hangup")
        assert (await house.ended(call["id"]))["outcome"] == "connected"


async def test_a_worker_killed_between_asking_and_recording_rings_nobody_twice(database: TestDatabase, valkey_url: str) -> None:
    async with running_stack(database.app_url, valkey_url, call_silence_s=0.5) as stack:
        house = House(stack, await make_company(stack.server.hub.db, "Acme"))
        call = await house.place()
        call_id, leg_id = UUID(call["id"]), UUID(leg_of(call, "rep")["id"])
        # What the killed worker had done: the intent is written, the provider has the leg, and nobody wrote that down.
        async with tenant_tx(stack.server.hub.db, Who.system(house.company.tenant_id)) as tx:
            plan = await joining.begin_join(tx, stack.settings, call_id, leg_id)
        assert plan.kind == "ring"
        account = stack.settings.twilio
        assert account is not None
        redis: Redis = Redis.from_url(valkey_url)
        async with TwilioTelephony.open(
            account.account_sid, account.auth_token, redis, api_url=account.api_url, calls_per_s=100
        ) as telephony:
            path = joining.leg_path(house.company.tenant_id, call_id, leg_id)
            await telephony.add_participant(
                AddParticipant(
                    conference=joining.conference_name(call_id),
                    to=plan.to,
                    from_=plan.from_,
                    status_callback_url=stack.settings.public_url + path + "?lost=1",
                    label=str(leg_id),
                )
            )
        await redis.aclose()
        async with stack.worker():
            await house.until(call["id"], lambda now: now["state"] == "in_progress" and joined(now, "rep"))
            await house.hearing(call["id"], contact=["rep"], rep=["contact"])
            assert sorted(to.startswith("client:") for to in house.dialed()) == [False, True]


async def test_a_rep_who_can_not_be_reached_is_free_again(house: House) -> None:
    await house.api("rep").put("/voice/line", {"kind": "bridge", "phone": "+12025550108"})
    call = await house.ended((await house.place())["id"])
    assert (call["state"], call["error"]) == ("canceled", "The telephone +12025550108 could not be reached.")
    await until(lambda: _is_free(house))


async def _is_free(house: House) -> bool:
    return bool((await house.person("rep"))["state"] != "on_call")
