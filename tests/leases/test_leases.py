"""Who is busy with a contact: taken, renewed, seen by colleagues, held by live calls, freed when the beats stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import UUID, uuid4

import orjson
import pytest

from hub.contacts.actions import create_contact, delete_contact
from hub.contacts.models import ContactIn
from hub.db import Database, tenant_tx
from hub.errors import Conflict, NotFound
from hub.leases import queries
from hub.leases.actions import LEASE_S, free_lost, hold_for_call, release, take
from hub.sqlfiles import Statement
from tests.conftest import Company, TestDatabase
from tests.harness import make_settings, until
from workers.cron import attend
from workers.job import Deps
from workers.leases import free_lost_leases
from workers.metrics import DUTIES

SAID = Statement(
    "said",
    "SELECT type, frame FROM events WHERE tenant_id = :tenant_id AND type IN ('lease.taken', 'lease.released') ORDER BY seq",
)
EXPIRE = Statement(
    "expire", "UPDATE leases SET lease_until = clock_timestamp() - interval '1 second' WHERE tenant_id = :tenant_id"
)
BEAT = Statement("beat", "UPDATE leases SET lease_until = clock_timestamp() + interval '1 hour' WHERE tenant_id = :tenant_id")
# From the beginning of the transaction that took it, and from now on: it was taken in between.
LASTS = Statement(
    "lasts",
    "SELECT extract(epoch FROM lease_until - now())::float8 AS at_most_s,"
    " extract(epoch FROM lease_until - clock_timestamp())::float8 AS at_least_s FROM leases WHERE tenant_id = :tenant_id",
)
END = Statement("end", "UPDATE calls SET state = 'completed', ended_at = now() WHERE tenant_id = :tenant_id AND id = :id")
CALL = Statement(
    "call",
    "INSERT INTO calls (tenant_id, contact_id, user_id, to_number, from_number)"
    " VALUES (:tenant_id, :contact_id, :user_id, '+12125550123', '+14155550100') RETURNING id",
)


@pytest.fixture
async def contact_id(db: Database, acme: Company) -> UUID:
    async with tenant_tx(db, acme.who()) as tx:
        made, _, _ = await create_contact(tx, ContactIn(first_name="Ada"))
    return made


async def said(db: Database, acme: Company) -> list[tuple[str, str, str]]:
    """Type, holder and purpose of what was told about leases."""
    async with tenant_tx(db, acme.who()) as tx:
        rows = await tx.fetch(SAID)
    leases = [(row["type"], orjson.loads(row["frame"])["data"]["lease"]) for row in rows]
    return [(kind, lease["user"]["name"], lease["purpose"]) for kind, lease in leases]


async def expire(db: Database, acme: Company) -> None:
    async with tenant_tx(db, acme.who()) as tx:
        await tx.execute(EXPIRE)


async def a_call(db: Database, acme: Company, contact_id: UUID) -> UUID:
    async with tenant_tx(db, acme.who()) as tx:
        made: UUID = await tx.fetchval(CALL, contact_id=contact_id)
    return made


async def held(db: Database, acme: Company) -> list[str]:
    """The names of those who hold something."""
    async with tenant_tx(db, acme.who()) as tx:
        return [lease["user"]["name"] for lease in orjson.loads(await queries.list_leases(tx))["data"]]


async def test_a_colleague_is_told_by_whom_and_what_for(db: Database, acme: Company, contact_id: UUID) -> None:
    rep, manager = acme.members["rep"], acme.members["manager"]
    async with tenant_tx(db, acme.who()) as tx:
        await take(tx, contact_id, rep, "email")
    with pytest.raises(Conflict) as refused:
        async with tenant_tx(db, acme.who("manager")) as tx:
            await take(tx, contact_id, manager, "call")
    assert (refused.value.code, refused.value.message) == ("contact_is_claimed", "Rep of Acme is writing to this contact.")
    assert refused.value.details["lease"]["user"] == {"id": str(rep), "name": "Rep of Acme"}
    assert await said(db, acme) == [("lease.taken", "Rep of Acme", "email")]


async def test_beats_are_silent_and_another_purpose_is_told(db: Database, acme: Company, contact_id: UUID) -> None:
    rep = acme.members["rep"]
    for purpose in ("dialer", "dialer", "call", "call"):
        async with tenant_tx(db, acme.who()) as tx:
            await take(tx, contact_id, rep, "dialer" if purpose == "dialer" else "call")
    assert await said(db, acme) == [("lease.taken", "Rep of Acme", "dialer"), ("lease.taken", "Rep of Acme", "call")]


async def test_giving_it_back_frees_it_at_once_for_one_telling(db: Database, acme: Company, contact_id: UUID) -> None:
    rep, manager = acme.members["rep"], acme.members["manager"]
    async with tenant_tx(db, acme.who()) as tx:
        await take(tx, contact_id, rep, "call")
        await release(tx, contact_id, manager)
        assert await queries.lease_of(tx, contact_id) is not None, "it is not the manager's to give"
        await release(tx, contact_id, rep)
        await release(tx, contact_id, rep)
    assert [kind for kind, _, _ in await said(db, acme)] == ["lease.taken", "lease.released"]
    async with tenant_tx(db, acme.who("manager")) as tx:
        await take(tx, contact_id, manager, "call")


async def test_one_that_ran_out_is_the_next_ones_at_once(db: Database, acme: Company, contact_id: UUID) -> None:
    async with tenant_tx(db, acme.who()) as tx:
        await take(tx, contact_id, acme.members["rep"], "call")
    await expire(db, acme)
    assert await held(db, acme) == []
    async with tenant_tx(db, acme.who("manager")) as tx:
        await take(tx, contact_id, acme.members["manager"], "email")
    assert await held(db, acme) == ["Manager of Acme"]


async def test_what_nobody_holds_is_taken_away_and_told_once(db: Database, acme: Company, contact_id: UUID) -> None:
    async with tenant_tx(db, acme.who()) as tx:
        await take(tx, contact_id, acme.members["rep"], "call")
    assert await free_lost(db) == 0
    await expire(db, acme)
    assert sum(await asyncio.gather(*(free_lost(db) for _ in range(4)))) == 1
    assert [kind for kind, _, _ in await said(db, acme)] == ["lease.taken", "lease.released"]


async def test_a_live_call_holds_it_without_beats_until_it_is_over(db: Database, acme: Company, contact_id: UUID) -> None:
    rep, manager = acme.members["rep"], acme.members["manager"]
    call_id = await a_call(db, acme, contact_id)
    async with tenant_tx(db, acme.who()) as tx:
        await hold_for_call(tx, contact_id, rep, call_id)
    await expire(db, acme)
    assert await free_lost(db) == 0
    assert await held(db, acme) == ["Rep of Acme"]
    with pytest.raises(Conflict, match="is on a call with this contact"):
        async with tenant_tx(db, acme.who("manager")) as tx:
            await take(tx, contact_id, manager, "sms")
    async with tenant_tx(db, acme.who()) as tx:
        await release(tx, contact_id, rep)
    assert await held(db, acme) == ["Rep of Acme"], "a live call holds on"
    async with tenant_tx(db, acme.who()) as tx:
        await tx.execute(END, id=call_id)
    assert await free_lost(db) == 1


async def test_an_inbound_call_takes_it_from_a_colleague(db: Database, acme: Company, contact_id: UUID) -> None:
    call_id = await a_call(db, acme, contact_id)
    async with tenant_tx(db, acme.who("manager")) as tx:
        await take(tx, contact_id, acme.members["manager"], "email")
    with pytest.raises(Conflict):
        async with tenant_tx(db, acme.who()) as tx:
            await hold_for_call(tx, contact_id, acme.members["rep"], call_id)
    async with tenant_tx(db, acme.who()) as tx:
        await hold_for_call(tx, contact_id, acme.members["rep"], call_id, force=True)
    assert await held(db, acme) == ["Rep of Acme"]
    assert (await said(db, acme))[-1] == ("lease.taken", "Rep of Acme", "call")


async def test_of_many_who_want_it_at_once_one_gets_it(db: Database, acme: Company, contact_id: UUID) -> None:
    async def want(member: UUID) -> bool:
        try:
            async with tenant_tx(db, acme.who()) as tx:
                await take(tx, contact_id, member, "call")
        except Conflict:
            return False
        return True

    assert sorted(await asyncio.gather(*map(want, acme.members.values()))) == [False, False, False, True]


async def test_there_is_nothing_to_take_of_another_company_or_of_the_deleted(
    db: Database, acme: Company, globex: Company, contact_id: UUID
) -> None:
    for company, wanted in ((globex, contact_id), (acme, uuid4())):
        with pytest.raises(NotFound):
            async with tenant_tx(db, company.who()) as tx:
                await take(tx, wanted, company.members["rep"], "call")
    async with tenant_tx(db, acme.who()) as tx:
        await delete_contact(tx, contact_id)
        with pytest.raises(NotFound):
            await take(tx, contact_id, acme.members["rep"], "call")


@pytest.fixture
async def duty(database: TestDatabase, db: Database, valkey_url: str) -> AsyncIterator[None]:
    """The duty as a worker does it."""
    task = asyncio.create_task(attend((free_lost_leases,), Deps(db, make_settings(database.app_url, valkey_url))))
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_within_fifteen_seconds_of_the_last_beat_it_is_free(
    db: Database, acme: Company, contact_id: UUID, duty: None
) -> None:
    async with tenant_tx(db, acme.who()) as tx:
        await take(tx, contact_id, acme.members["rep"], "call")
        [row] = await tx.fetch(LASTS)
        # As if the beats went on.
        await tx.execute(BEAT)
    assert row["at_least_s"] <= LEASE_S <= row["at_most_s"]
    assert LEASE_S >= 2 * 4, "a lost beat is forgiven: one comes every four seconds"
    assert LEASE_S + 2 * free_lost_leases.every_s <= 15

    async def rounds(number: int) -> None:
        """Wait until the duty has been done so often from its beginning to its end."""

        async def done() -> bool:
            return bool(looks() > before + number)

        before = looks()
        await until(done)

    looks = DUTIES.labels("free_lost_leases", "done")._value.get
    await rounds(1)
    assert [kind for kind, _, _ in await said(db, acme)] == ["lease.taken"]
    await expire(db, acme)
    await rounds(1)
    assert [kind for kind, _, _ in await said(db, acme)] == ["lease.taken", "lease.released"]
