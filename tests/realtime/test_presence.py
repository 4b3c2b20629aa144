"""Presence: who is on the floor, over several hubs, some of which die."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import asyncpg
import orjson
import pytest

from hub.auth.tokens import Claims
from hub.db import Database, Tx, tenant_tx
from hub.errors import Conflict
from hub.presence import actions, queries
from hub.presence.events import PresenceChanged
from hub.presence.models import ChosenState, Person
from hub.presence.sockets import Attendance
from hub.realtime.limits import Limits
from hub.who import Who
from tests.beats import whole_beats
from tests.conftest import Company, TestDatabase
from tests.loop_clock import LIMIT_S, Clock
from tests.patience import PATIENCE_S
from tests.realtime.kit import NOWHERE, Client, HubProcess, clients, eventually, hub_process, token_for

# The leases are those of no machine that ever stands still: where one is to run out, it is brought to its end.
QUICK = Limits(absence_grace_s=0.3, lease_s=LIMIT_S, beat_s=0.3, reap_s=0.3, tick_s=0.1)
GRACEFUL = replace(QUICK, absence_grace_s=LIMIT_S)


@pytest.fixture
async def hub(database: TestDatabase) -> AsyncIterator[HubProcess]:
    """One hub without Redis and with little patience."""
    async with hub_process(database.app_url, NOWHERE, limits=QUICK) as running:
        yield running


async def person(db: Database, company: Company, role: str = "rep") -> dict[str, Any]:
    """A person as a fresh look shows them."""
    async with tenant_tx(db, Who.system(company.tenant_id)) as tx:
        text = await queries.person_json(tx, company.members[role])
    assert text is not None
    Person.model_validate_json(text)
    found: dict[str, Any] = orjson.loads(text)
    return found


async def until_state(
    db: Database, company: Company, state: str, role: str = "rep", within_s: float = PATIENCE_S
) -> dict[str, Any]:
    """Wait until a person is in a state; the person."""

    async def look() -> dict[str, Any] | None:
        found = await person(db, company, role)
        return found if found["state"] == state else None

    found: dict[str, Any] = await eventually(look, f"{role} is {state}", within_s)
    return found


async def make_call(tx: Tx, company: Company, role: str = "rep", *, state: str = "dialing") -> UUID:
    """A call of a member with a new contact."""
    contact_id = await tx.conn.fetchval(
        "INSERT INTO contacts (tenant_id, first_name, last_name) VALUES ($1, 'Ada', 'Lovelace') RETURNING id", company.tenant_id
    )
    call_id: UUID = await tx.conn.fetchval(
        "INSERT INTO calls (tenant_id, contact_id, user_id, state, to_number, from_number) "
        "VALUES ($1, $2, $3, $4, '+14155550100', '+14155550101') RETURNING id",
        company.tenant_id,
        contact_id,
        company.members[role],
        state,
    )
    return call_id


async def end_call(tx: Tx, call_id: UUID) -> None:
    """The call is over."""
    await tx.conn.execute("UPDATE calls SET state = 'completed', ended_at = now() WHERE id = $1", call_id)


def states_of(client: Client, user_id: UUID) -> list[str]:
    """The states of a person that a client heard of."""
    people = [event["data"]["person"] for event in client.events if event["type"] == "presence.changed"]
    return [p["state"] for p in people if p["user"]["id"] == str(user_id)]


async def test_a_person_is_online_with_the_first_socket_and_offline_with_the_last(hub: HubProcess, acme: Company) -> None:
    assert (await person(hub.db, acme))["state"] == "offline"
    async with clients(Client.connect(hub.url, token_for(acme, "manager"))) as (manager,):
        async with clients(Client.connect(hub.url, token_for(acme)), Client.connect(hub.url, token_for(acme))) as (first, second):
            await until_state(hub.db, acme, "online")
            await first.close()
            async with clients(Client.connect(hub.url, token_for(acme))) as (third,):
                await second.close()
                await manager.until(lambda: states_of(manager, acme.members["rep"]) == ["online"], "one event")
                assert (await person(hub.db, acme))["state"] == "online"
                await third.close()
        gone = await until_state(hub.db, acme, "offline")
        assert gone["reason"] == actions.LEFT
        await manager.until(lambda: states_of(manager, acme.members["rep"]) == ["online", "offline"], "two events")


async def test_a_reload_does_not_show(database: TestDatabase, acme: Company) -> None:
    async with (
        hub_process(database.app_url, NOWHERE, limits=Limits(absence_grace_s=30, tick_s=0.05)) as hub,
        clients(Client.connect(hub.url, token_for(acme, "manager"))) as (manager,),
    ):
        for _ in range(4):
            async with clients(Client.connect(hub.url, token_for(acme))):
                await until_state(hub.db, acme, "online")
        async with clients(Client.connect(hub.url, token_for(acme, "admin"))):
            await manager.until(lambda: states_of(manager, acme.members["admin"]), "the admin comes")
        assert states_of(manager, acme.members["rep"]) == ["online"]


async def until_told(db: Database, company: Company, role: str, *hubs: HubProcess) -> None:
    """Wait until the database has it that a person has sockets at these hubs and at no other."""

    async def look() -> bool:
        async with tenant_tx(db, Who.system(company.tenant_id)) as tx:
            rows = await tx.conn.fetch("SELECT hub_id FROM presence_sockets WHERE user_id = $1", company.members[role])
        return {row["hub_id"] for row in rows} == {hub.realtime.attendance.hub_id for hub in hubs}

    await eventually(look, f"where {role} is")


async def run_lease_out(database: TestDatabase, hub: HubProcess) -> None:
    """As if a hub had not been heard of for as long as its lease lasts."""
    admin = await asyncpg.connect(database.admin_url)
    late = "UPDATE hubs SET lease_until = now() - interval '1 second' WHERE hub_id = $1"
    assert await admin.execute(late, hub.realtime.attendance.hub_id) == "UPDATE 1"
    await admin.close()


async def test_moving_to_another_hub_does_not_show(
    database: TestDatabase, acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr("hub.presence.sockets.time", clock)
    async with (
        hub_process(database.app_url, NOWHERE, limits=GRACEFUL) as one,
        hub_process(database.app_url, NOWHERE, limits=GRACEFUL) as two,
        clients(Client.connect(two.url, token_for(acme, "manager"))) as (manager,),
    ):
        async with clients(Client.connect(one.url, token_for(acme))):
            await until_state(one.db, acme, "online")
        await eventually(lambda: not one.realtime.sockets.readers, "the first hub has lost them")
        # It has looked at who is away, and waits for them.
        await whole_beats(one.realtime.sweep)
        async with clients(Client.connect(two.url, token_for(acme))):
            await until_told(two.db, acme, "rep", one, two)
            clock.ahead_s = LIMIT_S
            await until_told(two.db, acme, "rep", two)
            assert (await person(two.db, acme))["state"] == "online"
            assert states_of(manager, acme.members["rep"]) == ["online"]


async def test_the_people_of_a_hub_that_dies_are_taken_offline_with_the_reason(database: TestDatabase, acme: Company) -> None:
    async with (
        hub_process(database.app_url, NOWHERE, limits=QUICK) as dying,
        hub_process(database.app_url, NOWHERE, limits=QUICK) as other,
        clients(Client.connect(other.url, token_for(acme, "manager"))) as (manager,),
        clients(Client.connect(dying.url, token_for(acme)), Client.connect(dying.url, token_for(acme, "admin"))),
        clients(Client.connect(other.url, token_for(acme, "admin"))),
    ):
        await until_state(other.db, acme, "online")
        await until_told(other.db, acme, "admin", dying, other)
        await dying.die()
        await run_lease_out(database, dying)
        gone = await until_state(other.db, acme, "offline")
        assert gone["reason"] == actions.HUB_LOST
        await manager.until(lambda: states_of(manager, acme.members["rep"])[-1:] == ["offline"], "the event")
        assert (await person(other.db, acme, "admin"))["state"] == "online"


async def test_a_beat_says_whether_the_lease_still_held(db: Database, database: TestDatabase) -> None:
    hub_id = uuid4()
    assert not await queries.beat(db, hub_id, "test", 600)
    assert await queries.beat(db, hub_id, "test", 600)
    admin = await asyncpg.connect(database.admin_url)
    await admin.execute("UPDATE hubs SET lease_until = now() - interval '1 second'")
    await admin.close()
    assert not await queries.beat(db, hub_id, "test", 600)


async def test_somebody_who_has_left_when_the_lease_runs_out_goes_offline(
    db: Database, acme: Company, database: TestDatabase
) -> None:
    attendance = Attendance(db, lease_s=600, grace_s=0)
    await attendance.beat()
    claims = Claims(acme.members["rep"], acme.tenant_id, "rep", uuid4(), "Rep", 0.0, 4e9)
    attendance.arrived(claims)
    await until_state(db, acme, "online")
    attendance.left(claims)
    admin = await asyncpg.connect(database.admin_url)
    await admin.execute("UPDATE hubs SET lease_until = now() - interval '1 second'")
    await admin.close()
    await attendance.beat()
    await until_state(db, acme, "offline")
    await attendance.stop()


async def test_a_hub_whose_lease_ran_out_says_again_who_is_there(hub: HubProcess, acme: Company, database: TestDatabase) -> None:
    async with clients(Client.connect(hub.url, token_for(acme))) as (client,):
        await until_state(hub.db, acme, "online")
        admin = await asyncpg.connect(database.admin_url)

        async def is_given_up() -> bool:
            # Its own beat may come between the two.
            await admin.execute("UPDATE hubs SET lease_until = now() - interval '1 second'")
            await actions.reap(hub.db)
            return "offline" in states_of(client, acme.members["rep"])

        await eventually(is_given_up, "offline, for a moment")
        await admin.execute("UPDATE hubs SET lease_until = now() - interval '1 second'")
        await admin.close()
        await until_state(hub.db, acme, "online")


async def test_people_of_a_hub_that_was_stopped_have_a_moment_to_come_back(database: TestDatabase, acme: Company) -> None:
    async with hub_process(database.app_url, NOWHERE, limits=QUICK) as watching:
        async with (
            hub_process(database.app_url, NOWHERE, limits=GRACEFUL) as stopping,
            clients(Client.connect(stopping.url, token_for(acme))),
        ):
            await until_state(watching.db, acme, "online")
            await stopping.stop()
            assert await actions.reap(watching.db) == 0
            assert (await person(watching.db, acme))["state"] == "online"
            await run_lease_out(database, stopping)
        gone = await until_state(watching.db, acme, "offline")
        assert gone["reason"] == actions.HUB_STOPPED


async def test_a_call_comes_before_sockets(hub: HubProcess, acme: Company) -> None:
    async with clients(Client.connect(hub.url, token_for(acme))):
        await until_state(hub.db, acme, "online")
        async with tenant_tx(hub.db, acme.who()) as tx:
            call_id = await make_call(tx, acme)
            await actions.on_call(tx, acme.members["rep"], call_id)
        on_call = await person(hub.db, acme)
        assert (on_call["state"], on_call["call"]["id"], on_call["call"]["contact_name"]) == (
            "on_call",
            str(call_id),
            "Ada Lovelace",
        )
        async with tenant_tx(hub.db, acme.who()) as tx:
            with pytest.raises(Conflict):
                await actions.set_state(tx, acme.members["rep"], "away")
    await eventually(lambda: not hub.realtime.attendance.here, "the last socket has been counted out")
    await actions.reap(hub.db)
    assert (await person(hub.db, acme))["state"] == "on_call"
    async with tenant_tx(hub.db, acme.who()) as tx:
        await end_call(tx, call_id)
        await actions.wrap_up(tx, acme.members["rep"], call_id)
    assert (await person(hub.db, acme))["state"] == "offline"


async def test_wrap_up_ends_with_a_choice_or_with_the_call_done(hub: HubProcess, acme: Company) -> None:
    rep = acme.members["rep"]
    async with clients(Client.connect(hub.url, token_for(acme))) as (client,):
        await until_state(hub.db, acme, "online")
        for end in ("free", "away"):
            async with tenant_tx(hub.db, acme.who()) as tx:
                call_id = await make_call(tx, acme)
                await actions.on_call(tx, rep, call_id)
            async with tenant_tx(hub.db, acme.who()) as tx:
                await end_call(tx, call_id)
                await actions.wrap_up(tx, rep, call_id)
            wrapping = await person(hub.db, acme)
            assert (wrapping["state"], wrapping["call"]["id"]) == ("wrap_up", str(call_id))
            async with tenant_tx(hub.db, acme.who()) as tx:
                await actions.wrap_up(tx, rep, call_id)  # a repeated callback
                await actions.free(tx, rep, uuid4())  # another call's
                if end == "free":
                    await actions.free(tx, rep, call_id)
                else:
                    await actions.set_state(tx, rep, "away")
        expected = ["online", "on_call", "wrap_up", "online", "on_call", "wrap_up", "away"]
        await client.until(lambda: states_of(client, rep) == expected, "the whole story")


async def test_a_call_that_ended_without_a_word_frees_its_rep_and_says_why(hub: HubProcess, acme: Company) -> None:
    async with clients(Client.connect(hub.url, token_for(acme))):
        await until_state(hub.db, acme, "online")
        async with tenant_tx(hub.db, acme.who()) as tx:
            call_id = await make_call(tx, acme)
            await actions.on_call(tx, acme.members["rep"], call_id)
            await end_call(tx, call_id)
        freed = await until_state(hub.db, acme, "online")
        assert freed["reason"] == actions.CALL_OVER


async def test_reapers_that_run_at_once_say_it_once(db: Database, acme: Company, globex: Company) -> None:
    dead_hub = uuid4()
    people = [(company, user) for company in (acme, globex) for user in company.members.values()]
    for company, user in people:
        async with tenant_tx(db, Who.system(company.tenant_id)) as tx:
            await actions.arrive(tx, user, dead_hub)
    freed = await asyncio.gather(*(actions.reap(db) for _ in range(4)))
    assert sum(freed) == len(people)
    for company in (acme, globex):
        async with tenant_tx(db, Who.system(company.tenant_id)) as tx:
            types = [row["type"] for row in await tx.conn.fetch("SELECT type FROM events")]
        assert types == ["presence.changed"] * 8


async def test_the_snapshot_and_the_events_after_it_are_the_fresh_snapshot(db: Database, acme: Company, globex: Company) -> None:
    """Whatever happens in whatever order: nothing changes without an event that carries the whole of it."""
    rng = random.Random(20261121)
    hubs = [uuid4(), uuid4()]
    roles = list(acme.members)
    choices: list[ChosenState] = ["online", "away"]
    calls: dict[str, UUID] = {}
    for hub_id in hubs:
        await queries.beat(db, hub_id, "test", 600)

    async def snapshot() -> tuple[int, dict[str, Any]]:
        async with tenant_tx(db, Who.system(acme.tenant_id)) as tx:
            seq = await tx.conn.fetchval("SELECT seq FROM tenant_counters")
            texts = [await queries.person_json(tx, user) for user in acme.members.values()]
        return seq, {p["user"]["id"]: p for p in map(orjson.loads, filter(None, texts))}

    async def act(tx: Tx, role: str) -> None:
        user, hub_id = acme.members[role], rng.choice(hubs)
        call_id = calls.get(role)
        step = rng.randrange(8)
        if step == 0:
            await actions.arrive(tx, user, hub_id)
        elif step == 1:
            await actions.leave(tx, user, hub_id)
        elif step == 2 and call_id is None:
            calls[role] = await make_call(tx, acme, role)
            await actions.on_call(tx, user, calls[role])
        elif step == 3 and call_id is not None:
            await end_call(tx, calls.pop(role))
            await actions.wrap_up(tx, user, call_id)
        elif step == 4:
            await actions.free(tx, user)
        elif step == 5:
            with suppress(Conflict):
                await actions.set_state(tx, user, rng.choice(choices))
        elif step == 6:
            await actions.reap_person(tx, user)
        elif step == 7 and call_id is not None:
            await end_call(tx, calls.pop(role))

    start, people = await snapshot()
    for round_ in range(40):
        for _ in range(rng.randrange(1, 8)):
            async with tenant_tx(db, Who.system(acme.tenant_id)) as tx:
                await act(tx, rng.choice(roles))
        now, fresh = await snapshot()
        async with tenant_tx(db, Who.system(acme.tenant_id)) as tx:
            frames = await tx.conn.fetch("SELECT frame FROM events WHERE seq > $1 AND seq <= $2 ORDER BY seq", start, now)
        for frame in map(orjson.loads, [row["frame"] for row in frames]):
            assert frame["type"] == "presence.changed"
            PresenceChanged.data_model.model_validate(frame["data"])
            changed = frame["data"]["person"]
            people[changed["user"]["id"]] = changed

        # What happens to the call itself is told by the call's own events.
        def without_call_details(all_of_them: dict[str, Any]) -> dict[str, Any]:
            return {key: {**p, "call": p["call"] and p["call"]["id"]} for key, p in all_of_them.items()}

        assert without_call_details(people) == without_call_details(fresh), f"round {round_}"
        start = now


async def test_presence_is_each_companys_own(hub: HubProcess, acme: Company, globex: Company) -> None:
    async with AsyncExitStack() as stack:
        (theirs,) = await stack.enter_async_context(clients(Client.connect(hub.url, token_for(globex, "manager"))))
        await stack.enter_async_context(clients(Client.connect(hub.url, token_for(acme))))
        await until_state(hub.db, acme, "online")
        await until_state(hub.db, globex, "online", "manager")
        await theirs.until(lambda: states_of(theirs, globex.members["manager"]), "their own")
        assert states_of(theirs, acme.members["rep"]) == []


async def test_presence_over_http(hub: HubProcess, acme: Company) -> None:
    headers = {"Authorization": f"Bearer {token_for(acme)}"}
    async with clients(Client.connect(hub.url, token_for(acme))), aiohttp.ClientSession(headers=headers) as http:
        await until_state(hub.db, acme, "online")
        for state in ("away", "away", "online"):
            async with http.put(f"{hub.url}/api/v1/presence", json={"state": state}) as answer:
                assert answer.status == 200
                assert Person.model_validate(await answer.json()).state == state
        for body in ({"state": "offline"}, {"state": "on_call"}, {}):
            async with http.put(f"{hub.url}/api/v1/presence", json=body) as answer:
                assert answer.status == 422
        async with tenant_tx(hub.db, acme.who()) as tx:
            await actions.on_call(tx, acme.members["rep"], await make_call(tx, acme))
        async with http.put(f"{hub.url}/api/v1/presence", json={"state": "away"}) as answer:
            assert (answer.status, (await answer.json())["error"]) == (409, "on_a_call")


async def test_a_person_who_chose_a_state_but_never_connects_goes_offline(
    hub: HubProcess, acme: Company, database: TestDatabase
) -> None:
    async with tenant_tx(hub.db, acme.who()) as tx:
        await actions.set_state(tx, acme.members["rep"], "away")
    await actions.reap(hub.db)
    assert (await person(hub.db, acme))["state"] == "away"
    admin = await asyncpg.connect(database.admin_url)
    await admin.execute("UPDATE presence SET since = since - interval '1 minute'")
    await admin.close()
    gone = await until_state(hub.db, acme, "offline")
    assert gone["reason"] == actions.NO_SOCKET
