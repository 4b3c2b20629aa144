"""What was found stops every hub, until an operator's clean run; and canaries are in nobody's way."""

from __future__ import annotations

from typing import Any

import aiohttp
import asyncpg
import pytest
from prometheus_client import REGISTRY

from hub.app import api_endpoints
from hub.auth.tokens import Tokens
from hub.canary import shell
from hub.canary.attempts import LAYERS, Attempt, Look
from hub.canary.looking import clear, look, write_down
from hub.canary.pair import open_pair
from hub.canary.tables import FOR_ALL_COMPANIES, undone
from hub.db import Database
from hub.sqlfiles import Statement, load_sql
from tests.canary.conftest import House
from tests.conftest import TestDatabase
from tests.harness import make_settings, running_hub
from workers.canary import try_isolation
from workers.job import Deps

SQL = load_sql("canary")
# What erases, in the company of the transaction and nowhere else; the canaries hold it to that.
FOR_THE_CURRENT = {
    *("erase_contact", "erase_member", "erase_from_events", "erase_company", "erase_traces", "purge_old"),
    *("member_by_address", "invitation_accept", "rename_oneself"),
    *("sees", "sees_call", "sees_thing", "seen_people", "member_sees", "member_sees_thing", "sight_of_member", "sights"),
    *("narrow_events", "set_visibility"),
    *("sso_connected", "sso_disconnect_member", "sso_end_others", "sso_end_ours", "sso_make_member", "sso_prove_domain"),
    *("second_factor_lacking", "second_factor_end_others"),
}


async def readiness(url: str) -> tuple[int, Any]:
    """What a load balancer is told of isolation."""
    async with aiohttp.ClientSession() as http, http.get(url + "/readyz") as answer:
        return answer.status, (await answer.json())["parts"]["isolation"]


async def as_owner(database: TestDatabase, statement: str) -> None:
    conn = await asyncpg.connect(database.owner_url)
    await conn.execute(statement)
    await conn.close()


def counted(layer: str) -> float:
    return REGISTRY.get_sample_value("ringside_isolation_breaches_total", {"layer": layer}) or 0.0


async def test_a_breach_stops_every_hub_until_a_clean_run_clears_it(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    tools = house.tools
    async with running_hub(make_settings(house.database.app_url, tools.settings.redis_url)) as other:
        assert await readiness(other.url) == (200, "ok")
        await as_owner(house.database, "CREATE POLICY wide ON contacts FOR SELECT TO ringside_app USING (true)")
        before = counted("sql")
        assert await clear(tools.db) == 0
        # A worker's turn, as it comes every minute or so.
        await try_isolation.function(Deps(tools.db, tools.settings, objects=tools.objects))
        assert counted("sql") > before
        for url in (house.server.url, other.url):
            status, words = await readiness(url)
            assert status == 503 and "from one company into another" in words and "sql: SELECT FROM contacts" in words
        await as_owner(house.database, "DROP POLICY wide ON contacts")
        # The canaries alone do not clear it; an operator does.
        await write_down(tools.db, await look(tools, turn=0))
        assert (await readiness(other.url))[0] == 503
        seen, cleared = await shell.examine(tools.settings)
        assert (seen.breaches, seen.unchecked, set(seen.by_layer())) == ([], [], set(LAYERS))
        assert cleared > 0 and REGISTRY.get_sample_value("ringside_isolation_checked_timestamp_seconds")
        assert await readiness(other.url) == (200, "ok")
    shell.show(seen, cleared)
    assert "Nothing came through in" in capsys.readouterr().out
    written = shell.as_json(seen, cleared)
    assert written["state"] == "closed"
    assert "DELETE /api/v1/recordings/{id} with the other's id" in {one["tried"] for one in written["attempts"]}


async def test_without_a_hub_what_needs_one_is_left_out_and_nothing_is_cleared(db: Database, database: TestDatabase) -> None:
    await open_pair(db, None)
    breach = Look([Attempt("http", "GET /x", "200", "open")])
    await write_down(db, breach)
    settings = make_settings(database.app_url, "redis://127.0.0.1:1/0", canary_url="http://127.0.0.1:9")
    seen, cleared = await shell.examine(settings)
    assert {one.layer for one in seen.unchecked} == {"http", "objects", "sockets", "replay", "presence"} and cleared == 0
    assert shell.as_json(seen, cleared)["state"] == "unchecked"


async def test_canaries_are_made_once_and_are_in_no_list_of_companies(db: Database) -> None:
    pair = await open_pair(db, None)
    assert await open_pair(db, None) == pair
    assert await db.system_fetch(Statement("all", "SELECT * FROM find_companies(NULL)")) == []
    assert await db.system_fetch(Statement("census", "SELECT * FROM jobs_census()")) == []
    assert await db.system_fetch(Statement("due", "SELECT * FROM jobs_due(0, 10)")) == []
    assert {one.mark for one in pair} == {f"canary{one.tenant_id.hex}" for one in pair}


async def test_every_function_with_others_rights_is_tried_or_known_to_be_for_all_companies(db: Database) -> None:
    pair = await open_pair(db, None)
    async with undone(db, pair[0].who) as tx:
        names = {row["name"] for row in await tx.fetch(SQL["targets"]) if row["kind"] == "function"}
    assert names >= FOR_ALL_COMPANIES, "these are gone"
    # What is not for all companies answers for the current one only: it says so in its name, and the canaries hold it to that.
    tried = {name for name in names - FOR_ALL_COMPANIES if not name.startswith("search_")}
    assert tried - FOR_THE_CURRENT == set()


def test_the_endpoints_that_are_asked_are_most_of_those_with_an_id() -> None:
    settings = make_settings("", "")
    asked = {"GET", "PATCH", "DELETE"}
    with_id = [e for e in api_endpoints(settings, Tokens(b"\0" * 32)) if "{id}" in e.path and e.method in asked]
    assert len(with_id) > 60
