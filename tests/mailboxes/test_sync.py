"""Mail is taken in: the old mail first, the new as it comes, and what is missing is shown and mended."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from hub.config import Settings
from hub.mailboxes import syncing
from tests.conftest import Company, TestDatabase
from tests.harness import Api, until
from tests.mailboxes.conftest import ADA, TAKING_IN_S, House, nobodys_turn, settled
from tests.workers.kit import environment
from workers import mailbox_history


async def test_a_mailbox_is_connected_and_its_old_mail_taken_in(
    house: House, acme: Company, rep: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Longer than any machine has been up, whose clock begins at nought: what is said is the first it has to say.
    monkeypatch.setattr(mailbox_history, "_SAY_S", 1e9)
    seeded = house.gmail.seed(ADA, 120, days=30).messages.values()
    there = sum(not {"SPAM", "TRASH", "DRAFT"} & set(message.labels) for message in seeded)
    mailbox_id = await house.connect(rep, since_days=60)
    begun = (await rep.get(f"/mailboxes/{mailbox_id}")).body
    assert (begun["address"], begun["state"], begun["visibility"]) == (ADA, "connecting", "private")
    assert (begun["meter"]["behind"], begun["meter"]["state"]) == (None, "first_sync"), "nothing is green before it was measured"
    async with house.worker():
        done = await settled(rep, mailbox_id, "current")
    assert (done["state"], done["error"], done["meter"]["behind"]) == ("active", None, 0)
    assert done["meter"]["first_sync"] == {"state": "done", "done": there, "total": there}
    events = (await rep.get("/events", after=0, limit=500)).body["data"]
    said = [event["data"]["mailbox"]["meter"]["first_sync"] for event in events if event["type"] == "mailbox.meter_changed"]
    assert any(first["state"] == "running" and 0 < first["done"] < there for first in said)
    assert done["meter"]["words"] == "Nothing is missing." and done["meter"]["measured_at"]
    assert len(await house.subjects(acme)) == there
    newest = await house.rows(acme, "SELECT received_at FROM mail_messages WHERE tenant_id = $1 ORDER BY created_at LIMIT 5")
    oldest = await house.rows(acme, "SELECT received_at FROM mail_messages WHERE tenant_id = $1 ORDER BY created_at DESC LIMIT 5")
    assert min(row["received_at"] for row in newest) > max(row["received_at"] for row in oldest), "the newest came first"
    assert len(list((Path(house.settings.objects) / "mail").rglob("*.eml"))) == there


async def test_new_mail_is_here_by_its_push_and_not_when_it_is_looked_for(
    house: House, acme: Company, rep: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It is never the poll's turn, so that what comes has come by its push.
    monkeypatch.setattr(syncing, "poll_due", nobodys_turn)
    mailbox_id = await house.connect(rep)
    async with house.worker():
        await settled(rep, mailbox_id, "current")
        await until(lambda: watched(house))
        house.deliver("Shall we talk?")
        await until(lambda: has(house, acme, "Shall we talk?"))
        asked = "SELECT args ->> 'by' FROM jobs WHERE tenant_id = $1 AND kind = 'mailboxes.sync'"
        assert {by for (by,) in await house.rows(acme, asked)} == {"push"}
        pushes = await until(
            lambda: house.rows(acme, "SELECT 1 FROM mailboxes WHERE tenant_id = $1 AND last_push_at IS NOT NULL")
        )
        assert pushes
        for number in range(12):
            house.deliver(f"Number {number}")
        await until(lambda: has(house, acme, "Number 11"))
    assert sorted(await house.subjects(acme)) == sorted({*await house.subjects(acme)}), "each is here once"


async def watched(house: House) -> bool:
    return house.gmail.calls.get("watch", 0) > 0


async def has(house: House, company: Company, subject: str) -> bool:
    return subject in await house.subjects(company)


async def test_without_pushes_it_is_asked_again_and_again(house: House, acme: Company, rep: Api) -> None:
    house.gmail.push_to("")
    mailbox_id = await house.connect(rep)
    async with house.worker():
        await settled(rep, mailbox_id, "current")
        house.deliver("Nobody told you of this")
        due = "SELECT next_poll_at - now() AS wait FROM mailboxes WHERE tenant_id = $1"
        assert (await house.rows(acme, due))[0]["wait"].total_seconds() <= 7.0, "it is asked within ten seconds"
        await house.rows(acme, "UPDATE mailboxes SET next_poll_at = now() WHERE tenant_id = $1 RETURNING id")
        await until(lambda: has(house, acme, "Nobody told you of this"))


async def test_when_the_history_is_gone_nothing_is_lost_and_nothing_comes_twice(house: House, acme: Company, rep: Api) -> None:
    house.gmail.seed(ADA, 30, days=20)
    mailbox_id = await house.connect(rep)
    async with house.worker():
        await settled(rep, mailbox_id, "current")
    house.deliver("While nobody looked")
    house.gmail.mailboxes[ADA].forget_history()
    house.deliver("And afterwards")
    async with house.worker():
        await until(lambda: has(house, acme, "And afterwards"), seconds=TAKING_IN_S)
        await until(lambda: has(house, acme, "While nobody looked"))
        done = await settled(rep, mailbox_id, "current")
    assert len(await house.subjects(acme)) == 32
    assert done["meter"]["first_sync"]["state"] == "done" and done["state"] == "active"


async def worker_process(settings: Settings) -> Process:
    """A worker in a process of its own, to be killed."""
    assert settings.google is not None
    env = {
        **os.environ,
        **environment(settings.database_url, settings.redis_url),
        "RINGSIDE_SECRET": settings.secret,
        "RINGSIDE_OBJECTS": settings.objects,
        "GOOGLE_CLIENT_ID": settings.google.client_id,
        "GOOGLE_CLIENT_SECRET": settings.google.client_secret,
        "GOOGLE_API_URL": settings.google.api_url,
        "GOOGLE_OAUTH_URL": settings.google.oauth_url,
    }
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hub.cli", "worker", env=env, stdout=DEVNULL, stderr=DEVNULL
    )


@asynccontextmanager
async def nothing_stored_after(database: TestDatabase, count: int) -> AsyncIterator[None]:
    """As long as the block lasts, whoever stores more messages than this waits."""
    owner = await asyncpg.connect(database.owner_url)
    try:
        await owner.execute(
            "SELECT pg_advisory_lock(1);"
            "CREATE FUNCTION halt() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" IF (SELECT count(*) FROM mail_messages) >= {count} THEN PERFORM pg_advisory_xact_lock_shared(1); END IF;"
            " RETURN NEW; END $$;"
            " CREATE TRIGGER halt BEFORE INSERT ON mail_messages FOR EACH ROW EXECUTE FUNCTION halt()"
        )
        yield
    finally:
        await owner.close()


async def test_a_first_sync_goes_on_where_a_worker_was_killed(
    house: House, acme: Company, rep: Api, database: TestDatabase
) -> None:
    there = len(house.gmail.seed(ADA, 220, days=30).messages)
    mailbox_id = await house.connect(rep)

    async def some() -> bool:
        return len(await house.subjects(acme)) >= 25

    # It has not taken in everything by the time it is killed, however long that takes.
    async with nothing_stored_after(database, 50):
        killed = await worker_process(house.settings)
        await until(some, seconds=TAKING_IN_S)
        killed.kill()
        await killed.wait()
    taken = len(await house.subjects(acme))
    assert taken < there
    # What a killed worker held comes back after its time; here its time is up at once.
    await house.rows(acme, "UPDATE mailbox_leases SET until = now() WHERE tenant_id = $1 RETURNING 1")
    await house.rows(acme, "UPDATE jobs SET lease_until = now() WHERE tenant_id = $1 AND state = 'running' RETURNING 1")
    async with house.worker():
        done = await settled(rep, mailbox_id, "current")
    stored = len(await house.subjects(acme))
    assert done["meter"]["first_sync"] == {"state": "done", "done": stored, "total": stored}
    copies = await house.rows(acme, "SELECT 1 FROM mail_copies WHERE tenant_id = $1")
    assert len(copies) == stored, "each once"


async def meters(api: Api) -> list[dict[str, Any]]:
    """What the meter has shown, in its order."""
    events = (await api.get("/events", limit=200)).body["data"]
    return [event["data"]["mailbox"]["meter"] for event in events if event["type"] == "mailbox.meter_changed"]


async def test_what_the_provider_never_told_of_is_measured_shown_and_mended(house: House, acme: Company, rep: Api) -> None:
    mailbox_id = await house.connect(rep)
    async with house.worker():
        await settled(rep, mailbox_id, "current")
    house.gmail.push_to("")
    came_at = int(time.time() - 600)
    house.deliver("Lost on the way", at_ms=came_at * 1000)
    # The provider says that nothing has happened since.
    history = str(house.gmail.mailboxes[ADA].history_id)
    await house.rows(acme, "UPDATE mailboxes SET cursor = $2 WHERE tenant_id = $1 RETURNING id", history)
    async with house.worker():
        assert (await rep.post(f"/mailboxes/{mailbox_id}/sync")).status == 202
        await until(lambda: has(house, acme, "Lost on the way"))
        await settled(rep, mailbox_id, "current")
    behind = [meter for meter in await meters(rep) if meter["behind"]]
    assert {meter["behind"] for meter in behind} == {1}
    oldest_s = behind[0]["oldest_s"]
    assert 600 <= oldest_s <= time.time() - came_at + 1, "by the clock, in whole seconds"
    assert behind[0]["words"] == f"Behind by 1 message, the oldest by {oldest_s} s."


async def is_behind_by(api: Api, mailbox_id: str, count: int) -> bool:
    meter: dict[str, Any] = (await api.get(f"/mailboxes/{mailbox_id}")).body["meter"]
    return (meter["state"], meter["behind"]) == ("behind", count)


async def test_a_message_that_cannot_be_stored_keeps_no_other_back_and_counts_as_missing(
    house: House, acme: Company, rep: Api, database: TestDatabase
) -> None:
    owner = await asyncpg.connect(database.owner_url)
    await owner.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF NEW.subject = 'Poison' THEN RAISE 'not this one'; END IF; RETURN NEW; END $$;"
        " CREATE TRIGGER refuse BEFORE INSERT ON mail_messages FOR EACH ROW EXECUTE FUNCTION refuse()"
    )
    for subject in ("One", "Poison", "Two"):
        house.deliver(subject)
    mailbox_id = await house.connect(rep)
    async with house.worker():
        # While the first two are on their way, it is behind by all three.
        await until(lambda: is_behind_by(rep, mailbox_id, 1))
        assert sorted(await house.subjects(acme)) == ["One", "Two"]
        assert (await rep.get(f"/mailboxes/{mailbox_id}")).body["state"] == "active"
        await owner.execute("DROP TRIGGER refuse ON mail_messages")
        assert (await rep.post(f"/mailboxes/{mailbox_id}/sync")).status == 202
        await until(lambda: has(house, acme, "Poison"))
    await owner.close()


async def test_a_provider_that_cannot_be_asked_is_shown_and_then_well_again(house: House, acme: Company, rep: Api) -> None:
    mailbox_id = await house.connect(rep)
    async with house.worker():
        await settled(rep, mailbox_id, "current")
        house.gmail.fail("history.list", "400", times=1000)
        due = "UPDATE mailboxes SET next_poll_at = now(), failures = greatest(failures, 2) WHERE tenant_id = $1 RETURNING id"

        async def is_failing() -> dict[str, Any] | None:
            # Again and again: one that is being asked at the moment, and still finds its provider well, would forget both.
            await house.rows(acme, due)
            return await state(rep, mailbox_id, "failing")

        await until(is_failing)
        failing = (await rep.get(f"/mailboxes/{mailbox_id}")).body
        assert (failing["state"], failing["meter"]["state"]) == ("failing", "failing")
        assert failing["error"] and failing["error"] in failing["meter"]["words"]
        house.gmail.faults.clear()
        house.deliver("Well again")
        await house.rows(acme, "UPDATE mailboxes SET next_poll_at = now() WHERE tenant_id = $1 RETURNING id")
        await until(lambda: has(house, acme, "Well again"))
        assert (await until(lambda: state(rep, mailbox_id, "active")))["error"] is None


async def state(api: Api, mailbox_id: str, wanted: str) -> dict[str, Any] | None:
    found: dict[str, Any] = (await api.get(f"/mailboxes/{mailbox_id}")).body
    return found if found["state"] == wanted else None
