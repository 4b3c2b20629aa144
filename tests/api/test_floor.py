"""The floor: one moment of it, what follows that moment, and who sees which of it."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from hub.calls import dialing
from hub.calls.dialing import Heard
from hub.calls.states import is_live
from hub.db import tenant_tx
from hub.who import Role, Who
from tests.api import lasting
from tests.conftest import Company
from tests.harness import Api, RunningHub, until

pytestmark = pytest.mark.asyncio(loop_scope="module")
_numbers = itertools.count(1)
ROLES: tuple[Role, ...] = ("owner", "admin", "manager", "rep")


server, acme = lasting.server, lasting.acme


@pytest_asyncio.fixture(loop_scope="module")
async def manager(server: RunningHub, acme: Company) -> Api:
    return server.as_member(acme, "manager")


class Floor:
    """A client's picture of the floor, kept true by the events: what the console does."""

    def __init__(self, snapshot: dict[str, Any]) -> None:
        self.seq: int = snapshot["seq"]
        self.people = {person["user"]["id"]: person for person in snapshot["people"]}
        self.live_calls = {call["id"]: call for call in snapshot["live_calls"]}

    def apply(self, event: dict[str, Any]) -> None:
        assert event["seq"] > self.seq
        self.seq = event["seq"]
        data = event["data"]
        if event["type"] in ("call.state_changed", "call.disposition_set"):
            call = data["call"]
            self.live_calls.pop(call["id"], None)
            if is_live(call["state"]):
                self.live_calls[call["id"]] = call
            for person in self.people.values():
                if person["call"] and person["call"]["id"] == call["id"]:
                    person["call"] = call
        elif event["type"] == "presence.changed":
            self.people[data["person"]["user"]["id"]] = data["person"]
        elif event["type"] == "member.updated":
            member = data["member"]
            if member["status"] == "deactivated":
                self.people.pop(member["id"], None)
            elif member["id"] in self.people:
                self.people[member["id"]]["user"]["role"] = member["role"]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Floor) and (self.people, self.live_calls) == (other.people, other.live_calls)

    def __repr__(self) -> str:
        return f"{self.people} {self.live_calls}"


async def after(api: Api, seq: int) -> AsyncIterator[dict[str, Any]]:
    """The events that follow, page by page."""
    cursor: dict[str, str] = {"after": str(seq)}
    while True:
        page = (await api.get("/events", limit=20, **cursor)).body
        for event in page["data"]:
            yield event
        if page["next_cursor"] is None:
            return
        cursor = {"after": page["next_cursor"]}


async def step(server: RunningHub, company: Company, choice: random.Random, contacts: list[str]) -> None:
    """Something that happens on a floor; much of it is refused, as in life."""
    role = choice.choice(ROLES)
    api = server.as_member(company, role)
    kind = choice.randrange(8)
    if kind < 2:
        await api.post("/calls", {"contact_id": choice.choice(contacts)})
    elif kind == 2:
        await api.put("/presence", {"state": choice.choice(["online", "away"])})
    elif kind == 3:
        await api.post(f"/contacts/{choice.choice(contacts)}/notes", {"body": "tea"})
    elif kind == 4:
        member = company.members[choice.choice(["admin", "rep"])]
        await server.as_member(company, "owner").patch(f"/members/{member}", {"role": choice.choice(["admin", "manager", "rep"])})
    else:
        calls = (await api.get("/calls", limit=5)).body
        if not calls.get("data"):
            return
        call = choice.choice(calls["data"])
        if kind == 5:
            await api.post(f"/calls/{call['id']}/hangup")
        elif kind == 6:
            await api.put(f"/calls/{call['id']}/disposition", {"disposition": "callback", "note": str(choice.random())})
        else:
            heard = Heard(f"CA{call['id']}", choice.choice(["ringing", "in_progress", "completed", "busy"]))
            async with tenant_tx(server.hub.db, Who.system(company.tenant_id)) as tx:
                await dialing.hear(tx, UUID(call["id"]), heard)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_picture_and_the_events_after_it_are_the_next_picture(
    server: RunningHub, acme: Company, manager: Api, seed: int
) -> None:
    choice = random.Random(seed)  # the same every time
    owner = server.as_member(acme, "owner")
    contacts = [
        (await owner.post("/contacts", {"first_name": f"N{n}", "phones": [{"e164": f"+1202555010{n}"}]})).body["id"]
        for n in range(6)
    ]
    pictures: list[dict[str, Any]] = []
    done = asyncio.Event()

    async def look() -> None:
        while not done.is_set():
            pictures.append((await manager.get("/floor")).body)

    async def has_looked_twice(since: int) -> bool:
        # The second one was begun after that, and shows what happened until then.
        return len(pictures) >= since + 2

    async def work(n: int) -> None:
        own = random.Random(seed * 100 + n)
        for number in range(1, 16):
            await step(server, acme, own, contacts)
            # How much of that is refused depends on who comes first; this never is.
            assert (await owner.post(f"/contacts/{contacts[0]}/notes", {"body": "coffee"})).status == 201
            if number % 3 == 0:
                await until(partial(has_looked_twice, len(pictures)))

    looking = asyncio.create_task(look())
    await asyncio.gather(*(work(n) for n in range(3)))
    done.set()
    await looking
    for _ in range(10):
        await step(server, acme, choice, contacts)
    last = Floor((await manager.get("/floor")).body)
    assert last.seq > 50
    assert len({picture["seq"] for picture in pictures}) > 3, "they were taken while things happened"
    for picture in pictures[:: max(len(pictures) // 12, 1)]:
        floor = Floor(picture)
        async for event in after(manager, floor.seq):
            floor.apply(event)
        assert floor == last
        assert floor.seq == last.seq


async def test_what_is_for_managers_is_neither_in_a_reps_picture_nor_in_their_events(
    server: RunningHub, acme: Company, manager: Api
) -> None:
    rep, owner = server.as_member(acme, "rep"), server.as_member(acme, "owner")
    async with tenant_tx(server.hub.db, acme.who("owner")) as tx:
        job_id = await tx.defer("test.nothing", {})
    assert (await owner.post(f"/admin/jobs/{job_id}/drop")).status == 200
    await rep.put("/presence", {"state": "online"})
    seen: dict[str, tuple[list[str], list[str]]] = {}
    for name, api in (("rep", rep), ("manager", manager)):
        recent = (await api.get("/floor")).body["recent"]
        log = (await api.get("/events", after=0)).body["data"]
        assert recent == log[::-1], "the newest first, and the very same events"
        seen[name] = ([e["type"] for e in recent], [e["type"] for e in log])
    assert seen["rep"][1] == ["presence.changed"]
    assert seen["manager"][1] == ["job.dropped", "presence.changed"]


async def test_only_the_newest_fifty_events_are_recent(server: RunningHub, acme: Company, manager: Api) -> None:
    for n in range(26):
        await manager.post("/contacts", {"first_name": f"N{n}"})
        await manager.put("/presence", {"state": "away" if n % 2 else "online"})
    recent = [event["seq"] for event in (await manager.get("/floor")).body["recent"]]
    assert recent == list(range(52, 2, -1))


async def test_the_days_numbers_count_from_the_callers_midnight(server: RunningHub, acme: Company, manager: Api) -> None:
    contact = (await manager.post("/contacts", {"first_name": "Ada", "phones": [{"e164": "+12025550101"}]})).body["id"]
    call = (await manager.post("/calls", {"contact_id": contact})).body
    started = datetime.fromisoformat(call["started_at"])
    async with tenant_tx(server.hub.db, Who.system(acme.tenant_id)) as tx:
        await dialing.hear(tx, UUID(call["id"]), Heard("CA1", "completed", duration_s=0))
    await manager.put(f"/calls/{call['id']}/disposition", {"disposition": "meeting_booked"})
    before = (await manager.get("/floor", since=started.isoformat())).body["today"]
    later = (await manager.get("/floor", since=(started + timedelta(seconds=1)).isoformat())).body["today"]
    assert (before["calls"], before["connected"], before["by_outcome"]) == (1, 1, {"connected": 1})
    assert before["by_disposition"] == {"meeting_booked": 1}
    assert datetime.fromisoformat(before["since"]) == started
    assert (later["calls"], later["by_outcome"], later["by_disposition"], later["talk_s"]) == (0, {}, {}, 0)
    midnight = (await manager.get("/floor")).body["today"]["since"]
    assert datetime.fromisoformat(midnight).time() == datetime.min.time()


@pytest.mark.parametrize(
    ("since", "status"),
    [
        (timedelta(days=7, hours=23), 200),
        (timedelta(days=8, minutes=1), 422),
        (timedelta(days=-1), 200),
    ],
)
async def test_the_floor_looks_back_eight_days(manager: Api, since: timedelta, status: int) -> None:
    answer = await manager.get("/floor", since=(datetime.now(UTC) - since).isoformat())
    assert answer.status == status


@pytest.mark.parametrize(
    "since", ["yesterday", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-13-01", "", "NaN"]
)
async def test_a_since_that_is_no_time_is_named(manager: Api, since: str) -> None:
    answer = await manager.get("/floor", since=since)
    assert answer.status == 422
    assert answer.field("since")


async def test_who_is_deactivated_is_not_on_the_floor(server: RunningHub, acme: Company, manager: Api) -> None:
    owner = server.as_member(acme, "owner")
    await owner.patch(f"/members/{acme.members['rep']}", {"status": "deactivated"})
    people = (await manager.get("/floor")).body["people"]
    assert [p["user"]["role"] for p in people] == ["admin", "manager", "owner"]
    assert {p["state"] for p in people} == {"offline"}
