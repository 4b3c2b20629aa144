"""Teams, and the company's numbers: searched for, bought once, assigned, routed, given back."""

from __future__ import annotations

from typing import Any

from aiohttp import ClientSession

from tests.conftest import Company
from tests.harness import FROM_NUMBER, Api, until
from tests.stack import Stack


async def owned(stack: Stack, e164: str) -> list[Any]:
    """What the provider says that the account has."""
    numbers = stack.server.hub.providers.numbers
    assert numbers is not None
    return list(await numbers.list(e164))


async def fault(stack: Stack, operation: str, kind: str) -> None:
    async with ClientSession() as session:
        answer = await session.post(
            f"{stack.sandbox.url}/_sandbox/faults", json={"operation": operation, "kind": kind, "times": 1}
        )
        assert answer.status < 300, await answer.text()


async def reaches(api: Api, number_id: str, *states: str) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        found: dict[str, Any] = (await api.get(f"/numbers/{number_id}")).body
        return found if found["state"] in states else None

    found: dict[str, Any] = await until(look)
    return found


async def some_number(api: Api, area_code: str = "415") -> str:
    found = await api.get("/numbers/available", area_code=area_code)
    assert found.status == 200, found.body
    e164: str = found.body["data"][0]["e164"]
    assert e164.startswith(f"+1{area_code}")
    return e164


async def test_the_shared_number_is_everybodys(stack: Stack, owner: Api) -> None:
    listed = (await owner.get("/numbers")).body["data"]
    assert [(n["id"], n["e164"], n["shared"]) for n in listed] == [(None, FROM_NUMBER, True)]


async def test_a_number_is_found_bought_and_given_back(stack: Stack, owner: Api, acme: Company) -> None:
    e164 = await some_number(owner)
    async with stack.worker():
        asked = await owner.post("/numbers", {"e164": e164, "label": "Main line"})
        assert (asked.status, asked.body["state"], asked.body["region"], asked.body["time_zone"]) == (
            202,
            "buying",
            "CA",
            "America/Los_Angeles",
        )
        bought = await reaches(owner, asked.body["id"], "active", "failed")
        assert bought["state"] == "active", bought
        there = await owned(stack, e164)
        assert [f"/webhooks/twilio/{acme.tenant_id}/numbers/{bought['id']}/voice" in n.voice_url for n in there] == [True]
        given = await owner.delete(f"/numbers/{bought['id']}")
        assert given.status == 202
        await reaches(owner, bought["id"], "released")
    assert await owned(stack, e164) == []
    assert len((await owner.get("/numbers")).body["data"]) == 1
    assert len((await owner.get("/numbers", every=True)).body["data"]) == 2


async def test_a_number_whose_answer_was_lost_is_bought_once(stack: Stack, owner: Api) -> None:
    e164 = await some_number(owner, "212")
    await fault(stack, "numbers.create", "lost")
    async with stack.worker():
        asked = await owner.post("/numbers", {"e164": e164})
        bought = await reaches(owner, asked.body["id"], "active", "failed")
    assert bought["state"] == "active", bought
    assert len(await owned(stack, e164)) == 1


async def test_two_companies_never_get_the_same_number(stack: Stack, owner: Api, globex: Company) -> None:
    e164 = await some_number(owner)
    theirs = stack.server.as_member(globex, "owner")
    assert (await owner.post("/numbers", {"e164": e164})).status == 202
    for api in (owner, theirs):
        again = await api.post("/numbers", {"e164": e164})
        assert (again.status, again.error) == (409, "number_is_taken")
    assert (await owner.post("/numbers", {"e164": FROM_NUMBER})).status == 409
    wrong = await owner.post("/numbers", {"e164": "12"})
    assert (wrong.status, bool(wrong.field("e164"))) == (422, True)


async def test_a_number_is_assigned_and_routed(stack: Stack, owner: Api, acme: Company, globex: Company) -> None:
    number = (await owner.post("/numbers", {"e164": await some_number(owner)})).body["id"]
    rep = str(acme.members["rep"])
    given = await owner.patch(f"/numbers/{number}", {"user_id": rep, "label": "Ann"})
    assert (given.body["user"]["id"], given.body["team"], given.body["routing"]["kind"]) == (rep, None, "assigned")
    team = (await owner.post("/teams", {"name": "Closers", "member_ids": [rep]})).body
    week = {"mon": [{"from": "09:00", "to": "12:00"}, {"from": "13:00", "to": "17:00"}]}
    routing = {"kind": "team_in_turn", "team_id": team["id"], "hours": week, "ring_s": 15, "greeting": "Hi"}
    moved = (await owner.patch(f"/numbers/{number}", {"team_id": team["id"], "routing": routing})).body
    assert (moved["user"], moved["team"]["id"]) == (None, team["id"])
    assert (moved["routing"]["team"]["id"], moved["routing"]["hours"], moved["routing"]["ring_s"]) == (team["id"], week, 15)
    always = (await owner.patch(f"/numbers/{number}", {"routing": {"hours": None}})).body
    assert (always["routing"]["hours"], always["routing"]["kind"]) == (None, "team_in_turn")
    in_use = await owner.delete(f"/teams/{team['id']}")
    assert (in_use.status, in_use.error) == (409, "team_is_in_use")
    stale = await owner.patch(f"/numbers/{number}", {"label": "x"}, headers={"If-Match": '"1"'})
    assert stale.status == 412
    for bad in (
        {"user_id": rep, "team_id": team["id"]},
        {"routing": {"kind": "rep"}},
        {"routing": {"hours": {"mon": [{"from": "17:00", "to": "09:00"}]}}},
        {"time_zone": "Mars/Olympus"},
        {"user_id": str(globex.members["rep"])},
    ):
        assert (await owner.patch(f"/numbers/{number}", bad)).status == 422, bad


async def test_teams_are_made_renamed_and_deleted(stack: Stack, owner: Api, acme: Company, globex: Company) -> None:
    rep, manager = str(acme.members["rep"]), str(acme.members["manager"])
    team = (await owner.post("/teams", {"name": "Closers", "member_ids": [manager, rep, manager]})).body
    assert [m["id"] for m in team["members"]] == [manager, rep], "in the order in which they are rung"
    assert (await owner.post("/teams", {"name": "closers"})).error == "team_exists"
    renamed = (await owner.patch(f"/teams/{team['id']}", {"name": "Openers"})).body
    assert (renamed["name"], len(renamed["members"])) == ("Openers", 2)
    stranger = await owner.patch(f"/teams/{team['id']}", {"member_ids": [str(globex.members["rep"])]})
    assert stranger.status == 422
    assert (await owner.patch(f"/teams/{team['id']}", {"member_ids": []})).body["members"] == []
    assert (await owner.delete(f"/teams/{team['id']}")).status == 204
    assert (await owner.get("/teams")).body["data"] == []
