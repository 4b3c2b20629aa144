"""Text messages of a sequence, through the real worker and the telephone sandbox: once, permitted, and none after an answer."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import ClientSession

from hub.db import tenant_tx
from hub.sequences import acting
from tests.conftest import Company
from tests.harness import Api, until
from tests.numbers.conftest import Caller, acme, caller, owner, server, stack
from tests.sequences.kit import Office
from tests.stack import Stack

__all__ = ["acme", "caller", "owner", "server", "stack"]

PAT = "+12025550199"
_sids = itertools.count(1)


def sms(words: str = "Hi {{ contact.first_name }}, a word?", **fields: Any) -> dict[str, Any]:
    return {"kind": "sms", "variants": [{"html": f"<p>{words}</p>"}]} | fields


class Desk(Office):
    """A company whose worker and telephone are real."""

    def __init__(self, stack: Stack, company: Company) -> None:
        super().__init__(stack.server.hub.db, company, datetime.now(UTC))

    async def one(self) -> dict[str, Any]:
        """The enrolment of the one contact."""
        [found] = await self.enrolments()
        return found

    async def begin(self, steps: list[dict[str, Any]], **fields: Any) -> None:
        """Enrol Pat."""
        pat = await self.contacts(1, phones=[{"e164": PAT}])
        told = await self.enrol(await self.sequence(steps, **fields), pat)
        assert told["enrolled"] == 1, told

    async def has(self, *states: str) -> dict[str, Any]:
        """Waits until the steps are in these states; the enrolment."""

        async def look() -> dict[str, Any] | None:
            found = await self.one()
            return found if [run["state"] for run in found["runs"]] == list(states) else None

        found: dict[str, Any] = await until(look)
        return found

    async def messages(self) -> list[Any]:
        """What was written to the contact, and what came."""
        return await self.rows("SELECT * FROM messages WHERE tenant_id = :tenant_id ORDER BY created_at, id")


async def sent(stack: Stack) -> list[str]:
    """What the provider was asked to send to Pat."""
    async with ClientSession() as session, session.get(f"{stack.sandbox.url}/_sandbox/messages") as answer:
        listed = await answer.json()
    return [one["body"] for one in listed["messages"] if one["to"] == PAT]


async def answer(caller: Caller, body: str) -> None:
    """Pat writes to the company's number."""
    fields = {"MessageSid": f"SM{next(_sids):032}", "From": PAT, "To": caller.e164, "Body": body, "NumMedia": "0"}
    await caller.post(f"/numbers/{caller.number}/sms", **fields)


async def test_a_step_is_sent_once_and_an_answer_stops_the_sequence(stack: Stack, acme: Company, caller: Caller) -> None:
    """Given two texts a day apart, when Pat answers the first, then it went out once and the second never does."""
    desk = Desk(stack, acme)
    await desk.begin([sms(), sms("Still there?", wait_minutes=1440)])
    async with stack.worker(), stack.worker():
        await desk.has("done", "planned")
        await until(lambda: _delivered(desk))
        assert await sent(stack) == ["Hi Pat1, a word?"]
        await answer(caller, "Call me tomorrow")
        ended = await desk.has("done", "canceled")
    assert (ended["state"], ended["reason"], ended["words"]) == ("stopped", "reply", "They answered by text message.")
    assert [run["replied_at"] is not None for run in ended["runs"]] == [True, False]
    assert await sent(stack) == ["Hi Pat1, a word?"]
    told = await desk.rows("SELECT kind FROM notifications WHERE tenant_id = :tenant_id AND user_id = :user_id ORDER BY kind")
    assert [row["kind"] for row in told] == ["message", "sequence_stopped"]


async def _delivered(desk: Desk) -> bool:
    states: list[str] = [row["state"] for row in await desk.messages()]
    return states == ["delivered"]


async def test_an_answer_stops_only_what_is_to_stop_on_it_and_stop_always_does(
    stack: Stack, acme: Company, caller: Caller
) -> None:
    desk = Desk(stack, acme)
    await desk.begin([sms(), sms("Still there?", wait_minutes=1440)], stop_on={"reply": False})
    async with stack.worker():
        await desk.has("done", "planned")
        await answer(caller, "Who is this?")
        await until(lambda: _came(desk, 1))
        marked = await until(lambda: _replied(desk))
        assert marked["state"] == "active"
        await answer(caller, "STOP")
        ended = await desk.has("done", "canceled")
    assert (ended["state"], ended["reason"], ended["words"]) == ("stopped", "unsubscribe", "They texted STOP.")


async def _came(desk: Desk, count: int) -> bool:
    came = [row for row in await desk.messages() if row["direction"] == "inbound"]
    return len(came) == count


async def _replied(desk: Desk) -> dict[str, Any] | None:
    found = await desk.one()
    return found if found["runs"][0]["replied_at"] else None


async def test_what_may_not_be_written_is_left_out_and_says_why(stack: Stack, acme: Company, owner: Api) -> None:
    """Given a number on the suppression list, then the text is skipped with the permit's words, and the sequence goes on."""
    desk = Desk(stack, acme)
    suppressed = await owner.post(
        "/suppressions", {"kind": "phone", "value": PAT, "reason": "They asked for it.", "channel": "sms"}
    )
    assert suppressed.status in (200, 201), suppressed.body
    await desk.begin([sms(), {"kind": "task", "note": "Write a letter"}])
    async with stack.worker():
        ended = await desk.has("skipped", "done")
    assert ended["state"] == "finished"
    assert "suppression list" in ended["runs"][0]["words"] or "They asked for it" in ended["runs"][0]["words"], ended["runs"][0]
    assert await sent(stack) == [] and await desk.messages() == []


async def test_a_text_that_waits_for_the_morning_is_taken_back_by_an_answer(
    stack: Stack, acme: Company, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given quiet days, when Pat writes before the text that was written may go, then it never goes."""
    desk = Desk(stack, acme)
    async with tenant_tx(desk.db, acme.who("owner")) as tx:
        await tx.conn.execute(
            "INSERT INTO quiet_days (tenant_id, day, name) SELECT $1, (now() + n * interval '1 day')::date, 'Holiday'"
            " FROM generate_series(-1, 1) AS n",
            acme.tenant_id,
        )
        await tx.conn.execute("UPDATE permit_settings SET practice = false WHERE tenant_id = $1", acme.tenant_id)
    await desk.begin([sms(), sms("Still there?", wait_minutes=4320)])
    # The sequence keeps the quiet days as well: as if they had been added since the step was planned. However long the worker
    # takes to begin, the step is not late: it would be planned anew, for after the holidays.
    monkeypatch.setattr(acting, "LATE_S", 3600.0)
    async with tenant_tx(desk.db, acme.who("owner")) as tx:
        await tx.conn.execute("UPDATE enrolments SET phase = 'act', due_at = now() WHERE tenant_id = $1", acme.tenant_id)
    async with stack.worker():
        waiting = await desk.has("done", "planned")
        assert waiting["runs"][0]["words"].startswith("The message was written, and waits: "), waiting["runs"][0]
        assert [row["state"] for row in await desk.messages()] == ["scheduled"]
        await answer(caller, "No need to write")
        ended = await desk.has("canceled", "canceled")
    assert ended["reason"] == "reply"
    assert {row["state"] for row in await desk.messages() if row["direction"] == "outbound"} == {"canceled"}
    assert await sent(stack) == []
