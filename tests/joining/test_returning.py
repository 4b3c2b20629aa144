"""Seats, plans and what comes back with whom: two for one seat, an inviter who lost their role, somebody who was here before."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from tests.conftest import Company, TestDatabase
from tests.harness import RunningHub
from tests.joining.kit import PASSWORD, events_of, invited, joined, signed_in
from tests.mailboxes.kit import mailbox_at_a_server

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def on_a_plan(database: TestDatabase, company: Company, seats: int, standing: str = "active") -> None:
    conn = await asyncpg.connect(database.admin_url)
    try:
        await conn.execute(
            "INSERT INTO billing_accounts (tenant_id, plan, seats, standing, trial_ends_at) VALUES ($1, 'pro', $2, $3, now()) "
            "ON CONFLICT (tenant_id) DO UPDATE SET seats = $2, standing = $3",
            company.tenant_id, seats, standing,
        )  # fmt: skip
    finally:
        await conn.close()


async def test_two_at_the_door_and_one_seat(server: RunningHub, acme: Company, lasting_database: TestDatabase) -> None:
    owner, gone = server.as_member(acme, "owner"), acme.members["rep"]
    tokens = [(await invited(server, owner))[2] for _ in range(3)]
    assert (await owner.patch(f"/members/{gone}", {"status": "deactivated"})).status == 200
    # Three people are here, four seats: two are at the door and a third comes back at the same moment.
    await on_a_plan(lasting_database, acme, 4)

    async def join(token: str) -> tuple[int, Any]:
        answer = await server.client().post("/join", {"token": token, "name": "Ada", "password": PASSWORD})
        return answer.status, answer.body

    async def come_back() -> tuple[int, Any]:
        answer = await owner.patch(f"/members/{gone}", {"status": "active"})
        return answer.status // 100 * 100 + (2 if answer.status == 402 else 1), answer.body

    answers = await asyncio.gather(join(tokens[0]), join(tokens[1]), come_back())
    assert sorted(status for status, _ in answers) == [201, 402, 402], answers
    people = (await owner.get("/members")).body["data"]
    assert len([one for one in people if one["status"] == "active"]) == 4
    # Who was turned away used nothing up: with a seat more the same link lets them in.
    await on_a_plan(lasting_database, acme, 6)
    turned_away = [token for token, (status, _) in zip(tokens, answers[:2], strict=False) if status == 402]
    for token in turned_away:
        assert (await join(token))[0] == 201
    # Where nothing is to be changed before it is paid, nobody comes in by an older letter either.
    await on_a_plan(lasting_database, acme, 9, "read_only")
    status, said = await join(tokens[2])
    assert (status, said["error"], acme.name in said["message"], "paid" in said["message"]) == (402, "plan_limit", True, False)
    await on_a_plan(lasting_database, acme, 9)
    assert (await join(tokens[2]))[0] == 201


async def test_nobody_comes_in_as_more_than_who_invited_them_is_now(server: RunningHub, acme: Company) -> None:
    owner, admin = server.as_member(acme, "owner"), server.as_member(acme, "admin")
    _, _, as_admin = await invited(server, admin, role="admin")
    _, _, as_rep = await invited(server, admin, role="rep")
    assert (await owner.patch(f"/members/{acme.members['admin']}", {"role": "rep"})).status == 200
    refused = await server.client().post("/join", {"token": as_admin, "name": "Eve", "password": PASSWORD})
    assert (refused.status, refused.error) == (409, "beyond_inviter")
    assert (await server.client().post("/join", {"token": as_rep, "name": "Ada", "password": PASSWORD})).status == 201
    # What they were given back counts again.
    await owner.patch(f"/members/{acme.members['admin']}", {"role": "admin"})
    assert (await server.client().post("/join", {"token": as_admin, "name": "Ada", "password": PASSWORD})).status == 201


async def test_who_comes_back_finds_what_they_did_and_may_do_what_they_are_given_anew(server: RunningHub, acme: Company) -> None:
    owner = server.as_member(acme, "owner")
    west = (await owner.post("/teams", {"name": "West", "member_ids": [str(acme.members["manager"])]})).body["id"]
    ada, ada_id = await joined(server, acme, role="manager", team_ids=[west])
    heard = [event["data"]["team"]["members"] for event in await events_of(owner, "team.updated")]
    assert [[one["id"] for one in members] for members in heard] == [[str(acme.members["manager"]), str(ada_id)]]
    address = (await ada.get("/me")).body["user"]["email"]
    east = (await owner.post("/teams", {"name": "East", "member_ids": [str(ada_id)], "manager_ids": [str(ada_id)]})).body["id"]
    contact = (await ada.post("/contacts", {"first_name": "Ines"})).body["id"]
    assert (await owner.patch(f"/contacts/{contact}", {"owner_id": str(ada_id)})).status == 200
    assert (await ada.post(f"/contacts/{contact}/notes", {"body": "Likes tea"})).status == 201
    key = (await ada.post("/api-keys", {"name": "Mine", "scopes": ["contacts:read"]})).body["key"]
    mailbox = await mailbox_at_a_server(server.hub.db, acme, f"ada@{acme.name.lower()}.example", "rep", visibility="private")
    async with server.hub.db.acquire() as conn, conn.transaction():
        await conn.execute("SELECT set_config('ringside.tenant_id', $1, true)", str(acme.tenant_id))
        await conn.execute("UPDATE mailboxes SET user_id = $2 WHERE id = $1", mailbox, ada_id)

    assert (await ada.post("/company/leave")).status == 204
    # Until they are back their colleagues go on seeing them in their teams, and with them what is still in their name.
    teams = {one["id"]: one for one in (await owner.get("/teams")).body["data"]}
    assert [one["id"] for one in teams[east]["members"]] == [str(ada_id)]

    _, _, again = await invited(server, owner, email=address, role="rep", team_ids=[west])
    assert (await server.client().post("/join/again", {"token": again})).status == 201
    back = await signed_in(server, address)

    async def is_in() -> bool:
        return (await back.get("/me")).status == 200

    assert await back.within_a_second(is_in)
    me = (await back.get("/me")).body
    assert (me["user"]["id"], me["role"]) == (str(ada_id), "rep")
    # Theirs: what they did and what was in their name; their mailbox goes on.
    timeline = (await back.get(f"/contacts/{contact}/timeline")).body["data"]
    assert [one["actor"]["id"] for one in timeline if one["kind"] == "note"] == [str(ada_id)]
    assert (await back.get(f"/contacts/{contact}")).body["owner_id"] == str(ada_id)
    (box,) = (await back.get("/mailboxes")).body["data"]
    assert (box["id"], box["state"] == "paused") == (str(mailbox), False)
    # Given anew: the role, the teams, and no team to manage; the keys from before open nothing.
    teams = {one["id"]: one for one in (await owner.get("/teams")).body["data"]}
    assert teams[east]["members"] == []
    assert [(one["id"], one["is_manager"]) for one in teams[west]["members"]][1:] == [(str(ada_id), False)]
    told = [event["data"]["team"]["id"] for event in await events_of(owner, "team.updated")]
    assert told[-1] == east
    assert (await server.client(key).get("/contacts")).status == 401
