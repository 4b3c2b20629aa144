"""Faults on request, the rate limit, and many calls at once."""

import asyncio
import time
from typing import Any

import pytest
from aiohttp import ClientError, ClientSession, ClientTimeout, encode_basic_auth
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from integrations.sandbox.twilio import Sandbox, SandboxSettings
from tests.harness import until
from tests.integrations.conftest import FROM, Application, Elsewhere, Hand, StartSandbox, Still, eventually
from tests.loop_clock import let_pass

NEVER_ENDS = "+12025550154"
ROOM = '<Response><Dial><Conference endConferenceOnExit="true">{}</Conference></Dial></Response>'


async def place(twilio: Client, **options: Any) -> Any:
    return await twilio.calls.create_async(**({"to": NEVER_ENDS, "from_": FROM, "twiml": "<Response/>"} | options))


@pytest.mark.parametrize(("kind", "code"), [("500", 20500), ("429", 20429)])
async def test_an_operation_is_refused_as_often_as_asked_for(
    twilio: Client, sandbox: Sandbox, hand: Hand, kind: str, code: int
) -> None:
    await hand.post("faults", {"operation": "calls.create", "kind": kind, "times": 2})

    for _ in range(2):
        with pytest.raises(TwilioRestException) as refused:
            await place(twilio)
        assert (refused.value.status, refused.value.code) == (int(kind), code)
    assert sandbox.calls == []
    assert (await place(twilio)).status == "queued"
    assert await hand.get("faults") == {"faults": []}


async def test_a_fault_may_be_meant_for_all_of_a_resource(twilio: Client, sandbox: Sandbox, hand: Hand) -> None:
    await hand.post("faults", {"operation": "participants.*", "times": 1})

    call = await place(twilio)
    with pytest.raises(TwilioRestException):
        await twilio.conferences("room").participants.create_async(to="client:sim-rep", from_=FROM)
    assert [each.sid for each in sandbox.calls] == [call.sid]


async def test_a_slow_answer_comes_late_and_one_that_hangs_never(sandbox: Sandbox, hand: Hand) -> None:
    url = f"{sandbox.url}/2010-04-01/Accounts/{sandbox.account_sid}/Calls.json"
    auth = {"Authorization": encode_basic_auth(sandbox.account_sid, sandbox.auth_token)}
    form = {"To": NEVER_ENDS, "From": FROM, "Twiml": "<Response/>"}

    async def create() -> int:
        session = ClientSession(timeout=ClientTimeout(total=20.0))
        async with session, session.post(url, headers=auth, data=form) as response:
            return response.status

    await hand.post("faults", {"operation": "calls.create", "kind": "slow", "delay_s": 0.1})
    started = time.monotonic()
    assert await create() == 201
    assert time.monotonic() - started >= 0.1

    async def are_taken() -> bool:
        return not (await hand.get("faults"))["faults"]

    for kind, calls in (("hang", 1), ("lost", 2)):
        await hand.post("faults", {"operation": "calls.create", "kind": kind})
        asked = asyncio.create_task(create())
        await until(are_taken)
        let_pass(20.0)
        with pytest.raises((ClientError, TimeoutError)):
            await asked
        assert len(sandbox.calls) == calls


async def test_a_fault_that_does_not_exist_is_refused(hand: Hand) -> None:
    wrong: list[Any] = [{"kind": "smoke"}, {"times": "often"}, {"delay_s": True}, []]
    for body in wrong:
        assert (await hand.post("faults", body))[0] == 400


async def test_calls_and_participants_share_one_rate(start: StartSandbox, still: Still) -> None:
    sandbox = await start(SandboxSettings(calls_per_s=2))
    http = Elsewhere(sandbox.url)
    twilio = Client(sandbox.account_sid, sandbox.auth_token, http_client=http)
    await place(twilio)
    await twilio.conferences("room").participants.create_async(to="client:sim-rep", from_=FROM)

    with pytest.raises(TwilioRestException) as refused:
        await twilio.conferences("room").participants.create_async(to="client:sim-rep", from_=FROM)
    assert (refused.value.status, refused.value.code) == (429, 20429)
    await http.close()


async def test_hundreds_of_conferences_at_once_lose_nothing(start: StartSandbox, application: Application) -> None:
    count = 200
    sandbox = await start(SandboxSettings(speed=50.0, calls_per_s=10_000))
    http = Elsewhere(sandbox.url)
    twilio = Client(sandbox.account_sid, sandbox.auth_token, http_client=http)

    async def one(number: int) -> None:
        # The rep first: a contact does not talk for long here, and must not have left before somebody joins.
        await twilio.conferences(f"room-{number}").participants.create_async(
            to="client:sim-rep", from_=FROM, status_callback=f"{application.url}/rep"
        )
        await place(
            twilio, to=f"+1860291{number:03}4", twiml=ROOM.format(f"room-{number}"),
            status_callback=f"{application.url}/contact", status_callback_event=["initiated", "ringing", "answered", "completed"],
        )  # fmt: skip

    for batch in range(0, count, 20):
        await asyncio.gather(*(one(number) for number in range(batch, batch + 20)))

    await eventually(lambda: len(application.at("/rep", CallStatus="completed")) == count)
    await eventually(lambda: len(application.at("/contact")) == 4 * count)
    assert all(call.is_over for call in sandbox.calls)
    assert all(conference.is_over for conference in sandbox.conferences)
    assert len(sandbox.calls) == 2 * count
    await http.close()
