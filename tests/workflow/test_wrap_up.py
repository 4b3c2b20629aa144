"""Wrap-ups that end by themselves."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson

from hub.db import Database, tenant_tx
from hub.presence import queries
from hub.presence.actions import TIME_IS_UP, end_wrap_ups
from hub.who import Who
from tests.conftest import Company
from tests.harness import Api
from tests.workflow.kit import events, make_call, run_sql, wrap_up


async def person(db: Database, company: Company) -> dict[str, Any]:
    async with tenant_tx(db, Who.system(company.tenant_id)) as tx:
        text = await queries.person_json(tx, company.members["rep"])
    assert text is not None
    found: dict[str, Any] = orjson.loads(text)
    return found


def lasts(found: dict[str, Any]) -> timedelta:
    return datetime.fromisoformat(found["until"]) - datetime.fromisoformat(found["since"])


async def let_it_pass(db: Database, company: Company) -> None:
    await run_sql(db, company, "UPDATE presence SET until = now() WHERE until IS NOT NULL")


async def test_a_wrap_up_says_when_it_ends_and_then_does(db: Database, acme: Company, rep: Api) -> None:
    call = await make_call(db, acme)
    await wrap_up(db, acme, call, uuid4())
    now = await person(db, acme)
    assert (now["state"], lasts(now)) == ("wrap_up", timedelta(seconds=60))
    assert await end_wrap_ups(db) == []
    await let_it_pass(db, acme)
    assert await end_wrap_ups(db) == [(acme.tenant_id, acme.members["rep"])]
    after = await person(db, acme)
    assert (after["state"], after["until"], after["reason"], after["call"]) == ("online", None, TIME_IS_UP, None)
    assert (await events(rep, "presence."))[-1]["data"]["person"] == after
    assert await end_wrap_ups(db) == []


async def test_the_company_says_how_long_it_lasts(db: Database, acme: Company, globex: Company) -> None:
    await run_sql(db, acme, "INSERT INTO voice_settings (tenant_id, wrap_up_s) VALUES ($1, 5)", acme.tenant_id)
    await run_sql(db, globex, "INSERT INTO voice_settings (tenant_id, wrap_up_s) VALUES ($1, 0)", globex.tenant_id)
    for company in (acme, globex):
        await wrap_up(db, company, await make_call(db, company), uuid4())
    assert lasts(await person(db, acme)) == timedelta(seconds=5)
    assert (await person(db, globex))["until"] is None


async def test_who_needs_longer_takes_it(db: Database, acme: Company, rep: Api) -> None:
    assert (await rep.post("/presence/extend", {"seconds": 30})).error == "not_in_wrap_up"
    await wrap_up(db, acme, await make_call(db, acme), uuid4())
    longer = (await rep.post("/presence/extend", {"seconds": 30})).body
    assert lasts(longer) == timedelta(seconds=90)
    assert (await events(rep, "presence."))[-1]["data"]["person"] == longer
    await let_it_pass(db, acme)
    await rep.post("/presence/extend", {"seconds": 30})
    assert await end_wrap_ups(db) == [], "it was extended in time"


async def test_a_disposition_ends_it_at_once(db: Database, acme: Company, rep: Api) -> None:
    call = await make_call(db, acme)
    await wrap_up(db, acme, call, uuid4())
    await rep.put(f"/calls/{call}/disposition", {"disposition": "busy"})
    after = await person(db, acme)
    assert (after["state"], after["until"]) == ("online", None)


async def test_choosing_a_state_ends_it(db: Database, acme: Company, rep: Api) -> None:
    await wrap_up(db, acme, await make_call(db, acme), uuid4())
    assert (await rep.put("/presence", {"state": "away"})).body["until"] is None
