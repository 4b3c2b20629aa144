"""Text messages out and in, against the sandbox."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import ClientSession

from hub.db import tenant_tx
from hub.messages.keywords import keyword_of
from tests.conftest import Company
from tests.harness import FROM_NUMBER, Api, until
from tests.numbers.conftest import Caller, signed
from tests.stack import Stack

_sids = itertools.count(1)


async def contact(api: Api, e164: str = "+12025550199", name: str = "Ada") -> str:
    return str((await api.post("/contacts", {"first_name": name, "phones": [{"e164": e164}]})).body["id"])


async def thread(api: Api, contact_id: str) -> list[dict[str, Any]]:
    """The conversation, oldest first."""
    return list(reversed((await api.get(f"/contacts/{contact_id}/messages")).body["data"]))


async def settled(api: Api, contact_id: str, *states: str) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        last = (await thread(api, contact_id))[-1]
        return last if last["state"] in states else None

    found: dict[str, Any] = await until(look)
    return found


async def write(caller: Caller, body: str, **more: str) -> None:
    """The caller writes to the number."""
    fields = {"MessageSid": f"SM{next(_sids):032}", "From": caller.from_, "To": caller.e164, "Body": body, "NumMedia": "0"}
    await caller.post(f"/numbers/{caller.number}/sms", **(fields | more))


async def test_a_message_is_sent_once_and_followed_until_it_is_delivered(stack: Stack, owner: Api) -> None:
    ada = await contact(owner)
    async with stack.worker():
        sent = await owner.post(f"/contacts/{ada}/messages", {"body": "See you at ten"})
        assert (sent.status, sent.body["state"], sent.body["from"]) == (201, "queued", FROM_NUMBER)
        done = await settled(owner, ada, "delivered", "failed", "undelivered")
    assert (done["state"], done["error"]) == ("delivered", None)
    assert len(await thread(owner, ada)) == 1
    line = (await owner.get(f"/contacts/{ada}/timeline")).body["data"]
    assert [(a["kind"], a["body"], a["message"]["state"]) for a in line] == [("sms", "See you at ten", "delivered")]


@pytest.mark.parametrize(
    ("to", "state", "said"),
    [
        ("+12025550196", "undelivered", "switched off"),
        ("+12025550198", "failed", "no longer in service"),
        ("+12025550150", "failed", ""),
    ],
)
async def test_what_does_not_arrive_says_why_in_words(stack: Stack, owner: Api, to: str, state: str, said: str) -> None:
    ada = await contact(owner, to)
    async with stack.worker():
        await owner.post(f"/contacts/{ada}/messages", {"body": "Hello"})
        done = await settled(owner, ada, "delivered", "failed", "undelivered")
    assert done["state"] == state
    assert said in done["error"] and done["error"]


async def test_a_message_whose_answer_was_lost_is_not_sent_again(stack: Stack, owner: Api) -> None:
    ada = await contact(owner, "+12025550152")
    async with stack.worker():
        await owner.post(f"/contacts/{ada}/messages", {"body": "Only once"})
        await until(lambda: is_settled(owner, ada))
    async with ClientSession() as session:
        listed = await (await session.get(f"{stack.sandbox.url}/_sandbox/messages")).json()
    assert [m["body"] for m in listed["messages"] if m["to"] == "+12025550152"] == ["Only once"]


async def is_settled(api: Api, contact_id: str) -> bool:
    return (await thread(api, contact_id))[-1]["state"] in ("delivered", "failed", "undelivered")


async def test_reports_that_come_twice_and_in_the_wrong_order_change_nothing_wrong(stack: Stack, owner: Api) -> None:
    ada = await contact(owner, "+12025550156")
    async with stack.worker():
        await owner.post(f"/contacts/{ada}/messages", {"body": "Hello"})
        await settled(owner, ada, "delivered")


async def test_an_answer_comes_into_the_same_conversation_unread(stack: Stack, caller: Caller, acme: Company, owner: Api) -> None:
    ada = await contact(owner)
    async with stack.worker():
        await owner.post(f"/contacts/{ada}/messages", {"body": "Ten?", "from": caller.e164})
        await settled(owner, ada, "delivered")
        sid = f"SM{next(_sids):032}"
        await write(caller, "Fine", MessageSid=sid)
        await write(caller, "Fine", MessageSid=sid)
        await settled(owner, ada, "received")
    assert [(m["direction"], m["body"]) for m in await thread(owner, ada)] == [("outbound", "Ten?"), ("inbound", "Fine")]
    threads = (await owner.get("/messages/threads", unread=True)).body["data"]
    assert [(t["contact"]["name"], t["unread"], t["last"]["body"]) for t in threads] == [("Ada", 1, "Fine")]
    assert [n["kind"] for n in (await owner.get("/notifications")).body["data"]] == ["message"], "who wrote last is told"
    await owner.post(f"/messages/threads/{ada}/read")
    assert (await owner.get("/messages/threads", unread=True)).body["data"] == []
    again = await owner.post(f"/contacts/{ada}/messages", {"body": "Good"})
    assert again.body["from"] == caller.e164, "the conversation stays with its number"


async def test_stop_is_obeyed_confirmed_once_and_taken_back_by_start(
    stack: Stack, caller: Caller, acme: Company, owner: Api
) -> None:
    ada = await contact(owner)
    async with stack.worker():
        await write(caller, " Stop. ")
        await write(caller, "STOP")
        await until(lambda: count(owner, ada, 3))
        told = [m["body"] for m in await thread(owner, ada) if m["direction"] == "outbound"]
        assert len(told) == 1 and "opted out" in told[0]
        refused = await owner.post(f"/contacts/{ada}/messages", {"body": "One more thing"})
        assert (refused.status, refused.error) == (403, "not_permitted")
        assert refused.body["details"]["permit"]["code"] in ("suppressed", "consent_denied")
        override = await owner.post(f"/contacts/{ada}/messages", {"body": "But", "override": {"reason": "I want to"}})
        assert override.status == 403, "nobody overrides the contact's own word"
        await write(caller, "Start")
        await until(lambda: count(owner, ada, 5))
        assert (await owner.post(f"/contacts/{ada}/messages", {"body": "Welcome back"})).status == 201


async def count(api: Api, contact_id: str, wanted: int) -> bool:
    return len(await thread(api, contact_id)) == wanted


async def test_help_is_answered_and_yes_is_an_ordinary_word(stack: Stack, caller: Caller, owner: Api) -> None:
    ada = await contact(owner)
    async with stack.worker():
        await write(caller, "Yes")
        await until(lambda: count(owner, ada, 1))
        await write(caller, "HELP")
        await until(lambda: count(owner, ada, 3))
    assert "Reply STOP" in (await thread(owner, ada))[-1]["body"]
    assert (await owner.get("/messages/threads", unread=True)).body["data"][0]["unread"] == 1


@pytest.mark.parametrize(
    ("body", "keyword"),
    [
        ("stop", "stop"),
        ("STOP!", "stop"),
        ("Opt-out", "stop"),
        ("  unsubscribe\n", "stop"),
        ("please stop calling", None),
        ("Unstop", "start"),
        ("info?", "help"),
        ("", None),
        ("the end", None),
    ],
)
def test_only_the_word_alone_counts(body: str, keyword: str | None) -> None:
    assert keyword_of(body) == keyword


async def test_in_quiet_hours_a_message_waits_and_says_so_and_can_be_taken_back(stack: Stack, acme: Company, owner: Api) -> None:
    ada = await contact(owner)
    async with tenant_tx(stack.server.hub.db, acme.who("owner")) as tx:
        await tx.conn.execute(
            "INSERT INTO quiet_days (tenant_id, day, name) SELECT $1, (now() + n * interval '1 day')::date, 'Holiday'"
            " FROM generate_series(-1, 1) AS n",
            acme.tenant_id,
        )
        await tx.conn.execute("UPDATE permit_settings SET practice = false WHERE tenant_id = $1", acme.tenant_id)
    waits = await owner.post(f"/contacts/{ada}/messages", {"body": "Happy holidays"})
    assert (waits.status, waits.body["state"]) == (201, "scheduled"), waits.body
    assert waits.body["send_at"] and "Holiday" in waits.body["held_for"]
    taken = await owner.delete(f"/messages/{waits.body['id']}")
    assert (taken.status, taken.body["state"]) == (200, "canceled")
    assert (await owner.delete(f"/messages/{waits.body['id']}")).body["state"] == "canceled"


async def test_a_message_that_waited_is_sent_when_its_time_has_come(stack: Stack, acme: Company, owner: Api) -> None:
    ada = await contact(owner)
    quiet = "INSERT INTO quiet_days (tenant_id, day, name) SELECT $1, (now() + n * interval '1 day')::date, 'Holiday'"
    async with tenant_tx(stack.server.hub.db, acme.who("owner")) as tx:
        await tx.conn.execute("UPDATE permit_settings SET practice = false WHERE tenant_id = $1", acme.tenant_id)
        await tx.conn.execute(quiet + " FROM generate_series(-1, 1) AS n", acme.tenant_id)
    waits = (await owner.post(f"/contacts/{ada}/messages", {"body": "Happy holidays"})).body
    assert waits["state"] == "scheduled"
    async with tenant_tx(stack.server.hub.db, acme.who("owner")) as tx:
        await tx.conn.execute("UPDATE messages SET send_at = now() - interval '1 s' WHERE tenant_id = $1", acme.tenant_id)
        await tx.conn.execute("UPDATE jobs SET run_at = now() WHERE tenant_id = $1 AND kind = 'messages.send'", acme.tenant_id)
    async with stack.worker():
        # It is still a holiday: the decision is made again, and the message waits on.
        await until(lambda: waits_longer(owner, ada))
        async with tenant_tx(stack.server.hub.db, acme.who("owner")) as tx:
            await tx.conn.execute("UPDATE permit_settings SET practice = true WHERE tenant_id = $1", acme.tenant_id)
            await tx.conn.execute("UPDATE messages SET send_at = now() - interval '1 s' WHERE tenant_id = $1", acme.tenant_id)
            await tx.conn.execute("UPDATE jobs SET run_at = now() WHERE tenant_id = $1 AND state = 'ready'", acme.tenant_id)
        await settled(owner, ada, "delivered")


async def waits_longer(api: Api, contact_id: str) -> bool:
    last = (await thread(api, contact_id))[-1]
    return last["state"] == "scheduled" and datetime.fromisoformat(last["send_at"]) > datetime.now(UTC)


async def test_a_message_for_another_companys_number_is_not_taken_in(
    stack: Stack, caller: Caller, globex: Company, owner: Api
) -> None:
    fields = {"MessageSid": "SM" + "e" * 32, "From": "+12025550199", "To": caller.e164, "Body": "Hi", "NumMedia": "0"}
    path = f"/webhooks/twilio/{globex.tenant_id}/numbers/{caller.number}/sms"
    assert (await signed(stack, path, fields))[0] == 204
    async with stack.worker():
        await write(caller, "Hello")
        await until(lambda: has_threads(owner))
    assert (await stack.server.as_member(globex, "owner").get("/messages/threads")).body["data"] == []


async def has_threads(api: Api) -> bool:
    return bool((await api.get("/messages/threads")).body["data"])
