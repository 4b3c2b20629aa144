"""The browser's telephone: its token, being rung, and calling in."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import jwt
import pytest

from hub.lines.kinds import identity_of
from tests.calls.kit import House, joined, leg_of
from tests.conftest import TestDatabase, make_company
from tests.stack import running_stack

KEYS = {"api_key_sid": "SK" + "1" * 32, "api_key_secret": "the secret of the key, long enough", "twiml_app_sid": "AP" + "1" * 32}


@pytest.fixture
async def house(database: TestDatabase, valkey_url: str) -> AsyncIterator[House]:
    """A house with a softphone, which the rep has chosen."""
    async with running_stack(database.app_url, valkey_url, account=KEYS) as stack, stack.worker():
        house = House(stack, await make_company(stack.server.hub.db, "Acme"))
        chosen = await house.api("rep").put("/voice/line", {"kind": "softphone"})
        assert (chosen.body["kinds"], chosen.body["in_use"]) == (["simulated", "softphone", "bridge"], "softphone")
        yield house


def identity(house: House) -> str:
    return identity_of(house.company.tenant_id, house.company.members["rep"])


async def register(house: House) -> None:
    async with house.stack.server.client().session.post(
        f"{house.stack.sandbox.url}/_sandbox/clients", json={"identity": identity(house), "answer_after_s": 0.1}
    ) as answer:
        assert answer.status == 201


async def test_a_token_lets_its_person_be_rung_and_call_the_application(house: House) -> None:
    given = (await house.api("rep").post("/voice/token")).body
    claims = jwt.decode(given["token"], KEYS["api_key_secret"], algorithms=["HS256"])
    assert claims["grants"]["identity"] == given["identity"] == identity(house)
    assert claims["grants"]["voice"]["incoming"] == {"allow": True}
    assert claims["grants"]["voice"]["outgoing"]["application_sid"] == KEYS["twiml_app_sid"]
    assert 0 < claims["exp"] - time.time() <= given["expires_in"]


async def test_a_call_rings_the_reps_browser(house: House) -> None:
    await register(house)
    call = await house.talking()
    assert (call["line_kind"], leg_of(call, "rep")["phone"]) == ("softphone", None)
    assert f"client:{identity(house)}" in house.dialed()
    await house.hearing(call["id"], contact=["rep"], rep=["contact"])


async def test_a_browser_that_is_not_open_ends_the_call_with_the_reason(house: House) -> None:
    call = await house.ended((await house.place())["id"])
    assert call["error"] == "The softphone did not answer."
    assert call["state"] in ("canceled", "completed", "no_answer")
    await house.idle()
    assert all(each.is_over for each in house.stack.sandbox.calls)


async def test_a_browser_that_calls_finds_its_own_call_only(house: House) -> None:
    asked = {"CallSid": "CA" + "7" * 32, "CallStatus": "ringing", "To": ""}
    for caller in (identity(house), "nobody", "0" * 32 + "_" + "0" * 32):
        answer = await house.signed("/webhooks/twilio/voice", From=f"client:{caller}", **asked)
        assert (answer.status, "no call for you" in answer.body) == (200, True)
    assert (await house.signed("/webhooks/twilio/voice", "guessed", From=f"client:{identity(house)}", **asked)).status == 403
    await register(house)
    call = await house.talking()
    again = await house.signed("/webhooks/twilio/voice", From=f"client:{identity(house)}", **asked)
    assert "no call for you" in again.body, "who is in the call is not let in twice"
    assert joined(await house.call(call["id"]), "rep")
