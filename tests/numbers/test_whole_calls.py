"""Calls that really come in: from the sandbox, through a bought number, to a rep and into a conference."""

from __future__ import annotations

from typing import Any

from aiohttp import ClientSession

from tests.conftest import Company
from tests.harness import Api, until
from tests.numbers.conftest import come
from tests.numbers.test_numbers import reaches, some_number
from tests.stack import Stack


async def buy(api: Api) -> dict[str, Any]:
    asked = await api.post("/numbers", {"e164": await some_number(api)})
    return await reaches(api, asked.body["id"], "active", "failed")


async def sandbox(stack: Stack, method: str, path: str, **body: Any) -> Any:
    async with ClientSession() as session:
        answer = await session.request(method, stack.sandbox.url + path, json=body)
        assert answer.status < 300, await answer.text()
        return await answer.json()


def caller_of(number: dict[str, Any]) -> dict[str, Any]:
    """Somebody who calls this number and stays, however long it takes until they are answered and whatever they hear."""
    return {"from": "+12025550199", "to": number["e164"], "talk_s": None, "patience_s": 36_000}


async def call_like(api: Api, **wanted: Any) -> dict[str, Any]:
    """The only call, once it is like this."""

    async def look() -> dict[str, Any] | None:
        calls = (await api.get("/calls")).body["data"]
        return next((c for c in calls if all(c[name] == value for name, value in wanted.items())), None)

    found: dict[str, Any] = await until(look)
    return found


async def test_a_call_comes_in_is_taken_and_is_a_conference(stack: Stack, owner: Api, acme: Company) -> None:
    async with stack.worker():
        number = await buy(owner)
        await owner.patch(f"/numbers/{number['id']}", {"user_id": str(acme.members["rep"])})
        await come(stack, acme, "rep")
        await sandbox(stack, "POST", "/_sandbox/inbound", **caller_of(number))
        call = await call_like(owner, state="in_progress", user_id=str(acme.members["rep"]))

        async def two_in_the_room() -> bool:
            rooms = await sandbox(stack, "GET", f"/_sandbox/conferences?name=ringside-{call['id']}")
            return any(len(room["participants"]) == 2 for room in rooms["conferences"])

        await until(two_in_the_room)
        await owner.post(f"/calls/{call['id']}/hangup")
        ended = await call_like(owner, state="completed")
    assert ended["outcome"] == "connected"
    assert (await owner.get("/tasks")).body["data"] == []


async def test_a_call_that_nobody_takes_leaves_a_message_and_a_task(stack: Stack, owner: Api, acme: Company) -> None:
    async with stack.worker():
        number = await buy(owner)
        await owner.patch(f"/numbers/{number['id']}", {"user_id": str(acme.members["rep"])})
        await sandbox(stack, "POST", "/_sandbox/inbound", **caller_of(number))
        await call_like(owner, state="no_answer", outcome="no_answer")
        rep = stack.server.as_member(acme, "rep")

        async def told() -> bool:
            kinds = {n["kind"] for n in (await rep.get("/notifications")).body["data"]}
            return kinds == {"missed_call", "voicemail"}

        await until(told)
    assert [t["kind"] for t in (await owner.get("/tasks")).body["data"]] == ["missed_call"]


async def test_an_answer_by_text_comes_in(stack: Stack, owner: Api) -> None:
    async with stack.worker():
        number = await buy(owner)
        await sandbox(stack, "POST", "/_sandbox/messages", **{"from": "+12025550199", "to": number["e164"], "body": "Hello?"})

        async def came() -> list[Any]:
            return list((await owner.get("/messages/threads", unread=True)).body["data"])

        assert [t["last"]["body"] for t in await until(came)] == ["Hello?"]
        await sandbox(stack, "POST", "/_sandbox/messages", **{"from": "+12025550199", "to": number["e164"], "body": "STOP"})

        async def refused() -> bool:
            contact = (await owner.get("/contacts")).body["data"][0]["id"]
            return (await owner.post(f"/contacts/{contact}/messages", {"body": "Hi"})).status == 403

        await until(refused)
