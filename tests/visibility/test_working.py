"""Working where everybody sees only their own: with one's own contacts all goes on, with others' nothing is to be done."""

from __future__ import annotations

import itertools

import pytest

from hub.db import tenant_tx
from hub.sqlfiles import Statement
from hub.who import Who
from tests.harness import Api, RunningHub
from tests.visibility.kit import Zoo, a_zoo

pytestmark = pytest.mark.asyncio(loop_scope="module")

_RING = Statement(
    "ring",
    "INSERT INTO inbound_rings (tenant_id, call_id, user_id, address, until) "
    "VALUES (:tenant_id, :call_id, :person_id, 'client:loner', now())",
)
_numbers = itertools.count(1)


def api(server: RunningHub, zoo: Zoo, name: str) -> Api:
    role, user_id = zoo.people[name]
    return server.as_member(zoo.company, role, user_id=user_id)


async def test_with_ones_own_contacts_all_goes_on(server: RunningHub) -> None:
    zoo = await a_zoo(server.hub.db, f"Own{next(_numbers)}")
    await api(server, zoo, "owner").put("/visibility", {"visibility": "own"})
    rep, me = api(server, zoo, "rep"), str(zoo.people["rep"][1])
    phones = [{"e164": "+12025550144"}]
    given = {
        "first_name": "Grace",
        "owner_id": me,
        "phones": phones,
        "emails": [{"address": "grace@example.com"}],
        "tags": ["new"],
    }
    made = await rep.post("/contacts", given)
    assert made.status == 201, made.body
    contact = f"/contacts/{made.body['id']}"
    assert (await rep.patch(contact, {"title": "Admiral", "tags": ["old"], "emails": []})).status == 200
    assert (await rep.post(f"{contact}/notes", {"body": "likes nanoseconds"})).status == 201
    call = await rep.post("/calls", {"contact_id": made.body["id"]})
    assert call.status == 201, call.body
    await rep.post(f"/calls/{call.body['id']}/hangup")
    assert (await rep.put(f"/calls/{call.body['id']}/disposition", {"disposition": "connected"})).status == 200
    assert (await rep.post(f"{contact}/messages", {"body": "See you"})).status == 201
    task = await rep.post("/tasks", {"title": "Send the wire", "contact_id": made.body["id"]})
    assert (task.status, (await rep.post(f"/tasks/{task.body['id']}/done")).status) == (201, 200)
    assert (await rep.put(f"{contact}/consent", {"channel": "call", "state": "granted"})).status == 200
    assert [one["id"] for one in (await rep.get("/search", q="grace")).body["data"]] == [made.body["id"]]
    assert len((await api(server, zoo, "manager").get(f"{contact}/timeline")).body["data"]) >= 3, "who manages the team sees it"
    assert (await api(server, zoo, "loner").get(f"{contact}/timeline")).body.get("data", []) == []
    # What is nobody's is everybody's; whoever takes it has it for themselves.
    free = f"/contacts/{zoo.ids['nobody']}"
    assert (await rep.patch(free, {"owner_id": me})).status == 200
    assert (await api(server, zoo, "loner").get(free)).status == 404
    assert (await rep.call("DELETE", contact)).status in (204, 403)


async def test_with_what_is_hidden_nothing_is_to_be_done(server: RunningHub) -> None:
    zoo = await a_zoo(server.hub.db, f"Hidden{next(_numbers)}")
    await api(server, zoo, "owner").put("/visibility", {"visibility": "own"})
    loner, theirs = api(server, zoo, "loner"), zoo.ids["rep"]
    tried = [
        await loner.patch(f"/contacts/{theirs}", {"title": "Mine"}),
        await loner.post(f"/contacts/{theirs}/notes", {"body": "mine"}),
        await loner.post("/calls", {"contact_id": str(theirs)}),
        await loner.patch(f"/calls/{theirs}", {"note": "mine"}),
        await loner.post(f"/contacts/{theirs}/messages", {"body": "mine"}),
        await loner.post("/tasks", {"title": "mine", "contact_id": str(theirs)}),
        await loner.patch(f"/tasks/{theirs}", {"title": "mine"}),
        await loner.put(f"/contacts/{theirs}/consent", {"channel": "call", "state": "denied"}),
        await loner.post(f"/contacts/{theirs}/lease", {"purpose": "call"}),
        await loner.post(f"/enrolments/{theirs}/stop", {}),
        await loner.put(f"/mail/threads/{theirs}/assignee", {"user_id": None}),
        await loner.put(f"/calls/{theirs}/disposition", {"disposition": "connected"}),
    ]
    assert {(answer.status, answer.body.get("error")) for answer in tried if answer.status not in (404, 422)} == set()
    assert zoo.words["rep"] not in str([answer.body for answer in tried])
    # Who was rung for a call sees it, and not whose contact called.
    async with tenant_tx(server.hub.db, Who.system(zoo.company.tenant_id)) as tx:
        await tx.execute(_RING, call_id=theirs, person_id=zoo.people["loner"][1])
    seen = await loner.get(f"/calls/{theirs}")
    assert (seen.status, seen.body["contact_name"][:8]) == (200, "+1202555")
    assert (await loner.get(f"/contacts/{theirs}")).status == 404
