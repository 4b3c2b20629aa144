"""Members: who may change whom, what is announced, and how soon it holds."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from hub.who import Role
from tests.api import lasting
from tests.conftest import Company, make_company
from tests.harness import Answer, Api, RunningHub

pytestmark = pytest.mark.asyncio(loop_scope="module")
_numbers = itertools.count(1)


server, acme = lasting.server, lasting.acme


@pytest_asyncio.fixture(loop_scope="module")
async def owner(server: RunningHub, acme: Company) -> Api:
    return server.as_member(acme, "owner")


@pytest_asyncio.fixture(loop_scope="module")
async def admin(server: RunningHub, acme: Company) -> Api:
    return server.as_member(acme, "admin")


async def change(api: Api, company: Company, member: str, **fields: Any) -> Answer:
    return await api.patch(f"/members/{company.members[member]}", fields)


async def announced(owner: Api) -> list[tuple[str, str, str]]:
    """Name, role and status of each member.updated, in order."""
    events = (await owner.get("/events", after=0)).body["data"]
    members = [event["data"]["member"] for event in events if event["type"] == "member.updated"]
    return [(m["name"].split()[0], m["role"], m["status"]) for m in members]


async def refused_within_a_second(api: Api) -> str:
    """The code with which the client's token is refused."""

    async def look() -> str | None:
        answer = await api.get("/contacts")
        return answer.error if answer.status == 401 else None

    code: str = await api.within_a_second(look)
    return code


async def test_members_are_listed_by_name_page_by_page(owner: Api, acme: Company) -> None:
    everybody = (await owner.get("/members")).body["data"]
    assert [m["name"].split()[0] for m in everybody] == ["Admin", "Manager", "Owner", "Rep"]
    assert everybody[3] == {
        "id": str(acme.members["rep"]),
        "name": f"Rep of {acme.name}",
        "email": f"rep@{acme.name.lower()}.test",
        "role": "rep",
        "role_id": None,
        "role_name": None,
        "status": "active",
    }
    first = (await owner.get("/members", limit=3)).body
    rest = (await owner.get("/members", limit=3, cursor=first["next_cursor"])).body
    assert (first["data"] + rest["data"], rest["next_cursor"]) == (everybody, None)


async def test_a_changed_role_is_announced_with_the_member_as_they_are_now(owner: Api, acme: Company) -> None:
    answer = await change(owner, acme, "rep", role="manager")
    assert (answer.status, answer.body["role"], answer.body["status"]) == (200, "manager", "active")
    assert await announced(owner) == [("Rep", "manager", "active")]


async def test_a_change_that_changes_nothing_is_not_announced(owner: Api, acme: Company) -> None:
    for fields in ({}, {"role": "rep"}, {"status": "active"}, {"role": None, "status": None}):
        assert (await change(owner, acme, "rep", **fields)).status == 200
    assert await announced(owner) == []


@pytest.mark.parametrize("role", ["manager", "rep"])
async def test_managers_and_reps_change_nobody(server: RunningHub, acme: Company, role: Role) -> None:
    api = server.as_member(acme, role)
    for member in acme.members:
        assert (await change(api, acme, member, role="rep")).status == 403
    assert (await api.get("/members")).status == 200


async def test_an_admin_changes_everybody_but_owners_and_makes_none(owner: Api, admin: Api, acme: Company) -> None:
    assert (await change(admin, acme, "rep", role="manager")).status == 200
    assert (await change(admin, acme, "manager", status="deactivated")).status == 200
    for fields in ({"role": "admin"}, {"status": "deactivated"}):
        answer = await change(admin, acme, "owner", **fields)
        assert (answer.status, answer.body["message"]) == (403, "Only an owner can make, change or deactivate an owner.")
    for member in ("rep", "admin"):
        assert (await change(admin, acme, member, role="owner")).status == 403
    assert await announced(owner) == [("Rep", "manager", "active"), ("Manager", "manager", "deactivated")]


async def test_the_last_active_owner_stays(owner: Api, acme: Company) -> None:
    for fields in ({"role": "admin"}, {"status": "deactivated"}):
        answer = await change(owner, acme, "owner", **fields)
        assert (answer.status, answer.error) == (409, "last_owner")
    assert (await change(owner, acme, "rep", role="owner")).status == 200
    assert (await change(owner, acme, "rep", status="deactivated")).status == 200
    # One who is deactivated does not count.
    assert (await change(owner, acme, "owner", role="rep")).error == "last_owner"
    assert (await change(owner, acme, "rep", status="active")).status == 200
    assert (await change(owner, acme, "owner", role="rep")).status == 200


async def test_two_owners_who_demote_each_other_at_once_leave_one(server: RunningHub, acme: Company) -> None:
    one = server.as_member(acme, "owner")
    assert (await change(one, acme, "rep", role="owner")).status == 200
    two = server.client(server.token(acme, "owner", user_id=acme.members["rep"]))
    answers = await asyncio.gather(change(one, acme, "rep", role="admin"), change(two, acme, "owner", role="admin"))
    assert sorted(a.status for a in answers) == [200, 409]
    left = [m for m in (await server.as_member(acme, "manager").get("/members")).body["data"] if m["role"] == "owner"]
    assert len(left) == 1


async def test_who_is_deactivated_is_out_within_a_second_and_may_come_back(server: RunningHub, owner: Api, acme: Company) -> None:
    rep = server.as_member(acme, "rep")
    assert (await rep.get("/contacts")).status == 200
    await change(owner, acme, "rep", status="deactivated")
    assert await refused_within_a_second(rep) == "deactivated"
    await change(owner, acme, "rep", status="active")

    async def back() -> bool:
        return (await rep.get("/contacts")).status == 200

    assert await rep.within_a_second(back)


async def test_who_loses_a_role_loses_what_it_allows_within_a_second(server: RunningHub, owner: Api, acme: Company) -> None:
    admin = server.as_member(acme, "admin")
    assert (await admin.get("/admin/jobs")).status == 200
    await change(owner, acme, "admin", role="rep")
    assert await refused_within_a_second(admin) == "role_changed"
    fresh = server.client(server.token(acme, "rep", user_id=acme.members["admin"]))
    assert (await fresh.get("/contacts")).status == 200
    assert (await fresh.get("/admin/jobs")).status == 403


async def test_another_companys_member_is_the_same_404_as_none(server: RunningHub, acme: Company) -> None:
    globex = await make_company(server.hub.db, f"Globex{next(_numbers)}")
    stranger = server.as_member(globex, "owner")
    theirs, nobodys = await change(stranger, acme, "rep", role="manager"), await stranger.patch(f"/members/{uuid4()}", {})
    assert (theirs.status, theirs.error, theirs.body["message"]) == (404, "member_not_found", nobodys.body["message"])
    assert all("globex" in m["email"] for m in (await stranger.get("/members")).body["data"])


@pytest.mark.parametrize("fields", [{"role": "king"}, {"role": "system"}, {"status": "gone"}, {"email": "a@b.c"}, {"role": 7}])
async def test_a_wrong_change_names_the_field(owner: Api, acme: Company, fields: dict[str, Any]) -> None:
    answer = await change(owner, acme, "rep", **fields)
    assert answer.status == 422
    assert answer.field(next(iter(fields)))
