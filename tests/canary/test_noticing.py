"""The canaries notice: isolation is broken in one way after the other, and each is found where it was broken."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from aiohttp import ClientSession
from redis.asyncio import Redis

import hub.app
import hub.hints
from hub.auth.tokens import Claims
from hub.canary.attempts import Attempt
from hub.canary.channels import try_redis
from hub.canary.pair import Canary, Pair, open_pair
from hub.canary.requests import Asker, try_http, try_links
from hub.canary.sockets import chirp, try_sockets
from hub.canary.tables import try_jobs, try_sql
from hub.config import Settings
from hub.db import Database, tenant_tx
from hub.http.endpoint import Endpoint, Reply, Req, Routes
from hub.recordings.links import Link
from hub.sqlfiles import Statement
from hub.who import Who
from tests.canary.conftest import House
from tests.conftest import TestDatabase
from tests.harness import make_settings, running_hub
from tests.loop_clock import LIMIT_S, given_up_after


def opened(found: list[Attempt]) -> list[Attempt]:
    """What came through."""
    return [one for one in found if one.verdict == "open"]


def is_found(found: list[Attempt], beginning: str) -> bool:
    """Did something come through that was tried like this?"""
    return any(one.tried.startswith(beginning) for one in opened(found))


# Ways to break isolation in the catalogue, each with how what comes through was tried. All are broken together.
BREAKS = {
    "a table without row-level security": (
        "ALTER TABLE tasks DISABLE ROW LEVEL SECURITY; GRANT DELETE ON tasks TO ringside_app",
        "INSERT INTO tasks ",
    ),
    "a dropped policy, and a wide one in its place": (
        "DROP POLICY tenant_only ON contacts; CREATE POLICY tenant_only ON contacts TO ringside_app USING (true)",
        "SELECT FROM contacts ",
    ),
    "a policy that does not look at what is written": (
        "ALTER POLICY tenant_only ON recordings WITH CHECK (true)",
        "INSERT INTO recordings ",
    ),
    "a policy that lets rows be changed": (
        "CREATE POLICY wide ON calls FOR ALL TO ringside_app USING (true)",
        "UPDATE calls SET tenant_id = tenant_id ",
    ),
    "a policy without a context": (
        "ALTER POLICY tenant_only ON imports USING (CASE current_setting('ringside.tenant_id', true)"
        " WHEN '' THEN true ELSE tenant_id = current_setting('ringside.tenant_id')::uuid END)",
        "SELECT FROM imports LIMIT 1 without a context",
    ),
    "a foreign key that leaves the tenant out": (
        "ALTER TABLE mail_messages ADD UNIQUE (id);"
        "ALTER TABLE activities DROP CONSTRAINT activities_tenant_id_mail_message_id_fkey;"
        "ALTER TABLE activities ADD FOREIGN KEY (mail_message_id) REFERENCES mail_messages (id)",
        "UPDATE activities SET mail_message_id = ",
    ),
    "a view with its owner's rights": (
        "CREATE VIEW loose AS SELECT * FROM mailboxes; GRANT SELECT ON loose TO ringside_app; ALTER VIEW loose OWNER TO postgres",
        "SELECT FROM loose ",
    ),
    "a table that nobody protected": (
        "CREATE TABLE loose_notes (tenant_id uuid NOT NULL REFERENCES tenants); GRANT INSERT ON loose_notes TO ringside_app",
        "INSERT INTO loose_notes ",
    ),
    "a leaky function with others' rights": (
        "CREATE FUNCTION leaky(p_words text) RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER"
        " SET search_path = pg_catalog, public, pg_temp"
        " AS 'SELECT contact_id FROM contact_search WHERE terms LIKE ''%'' || p_words || ''%''';"
        "SELECT give_function_to('leaky(text)', 'ringside_search')",
        "SELECT string_agg(x::text, ' ') FROM leaky(",
    ),
    "a search that takes the tenant from who asks": (
        "CREATE OR REPLACE FUNCTION search_contacts_after(p_query text, p_after uuid, p_limit int)"
        " RETURNS TABLE (contact_id uuid) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp"
        " AS 'SELECT c.id FROM contacts c WHERE c.tenant_id = p_after'",
        "SELECT string_agg(x::text, ' ') FROM search_contacts_after(",
    ),
    "a ledger that is open to all": (
        "ALTER POLICY tenant_only ON jobs USING (true) WITH CHECK (true)",
        "claim the other's due job",
    ),
}  # fmt: skip


async def test_in_a_house_that_is_in_order_nothing_comes_through(db: Database, pair: Pair) -> None:
    for own, other in (pair, pair[::-1]):
        found = [*await try_sql(db, own, other), *await try_jobs(db, own, other)]
        assert {one.verdict for one in found} == {"closed"}, [one for one in found if one.verdict != "closed"][:5]
        assert len(found) > 500


async def test_each_break_in_the_catalogue_is_found(db: Database, pair: Pair, database: TestDatabase) -> None:
    conn = await asyncpg.connect(database.admin_url)
    try:
        for statements, _ in BREAKS.values():
            await conn.execute(
                f"SET ROLE ringside_owner; {statements.replace('ALTER VIEW', 'RESET ROLE; ALTER VIEW')}; RESET ROLE"
            )
    finally:
        await conn.close()
    left, right = pair
    found = [*await try_sql(db, left, right), *await try_jobs(db, left, right)]
    assert [name for name, (_, beginning) in BREAKS.items() if not is_found(found, beginning)] == []
    # Nothing of what was tried is left behind: the other has its contact and its job still, and nothing new.
    async with tenant_tx(db, right.who) as tx:
        kept = (
            "SELECT count(*) FROM contacts "
            " UNION ALL SELECT count(*) FROM jobs WHERE state = 'dropped' UNION ALL SELECT count(*) FROM tasks"
        )
        # The policies being open now, both companies' are seen.
        assert [row["count"] for row in await tx.fetch(Statement("kept", kept))] == [2, 2, 2]


@asynccontextmanager
async def bypassing(database: TestDatabase) -> AsyncIterator[None]:
    """The app role bypasses row-level security, as long as the block lasts."""
    conn = await asyncpg.connect(database.admin_url)
    try:
        await conn.execute("ALTER ROLE ringside_app BYPASSRLS")
        yield
    finally:
        await conn.execute("ALTER ROLE ringside_app NOBYPASSRLS")
        await conn.close()


async def test_a_role_that_bypasses_is_found(db: Database, pair: Pair, database: TestDatabase) -> None:
    async with bypassing(database):
        found = await try_sql(db, *pair)
    assert is_found(found, "the role that the server and the workers run as")
    assert is_found(found, "SELECT FROM contacts ") and is_found(found, "SELECT FROM users")


async def test_a_superuser_in_the_settings_is_found(pair: Pair, database: TestDatabase) -> None:
    owner = await Database.open(database.admin_url, max_size=2)
    try:
        found = await try_sql(owner, *pair)
    finally:
        await owner.close()
    assert is_found(found, "the role that the server and the workers run as")
    assert is_found(found, "DELETE FROM mail_messages ")


async def test_the_schemas_owner_in_the_settings_is_found(pair: Pair, database: TestDatabase) -> None:
    owner = await Database.open(database.owner_url, max_size=2)
    try:
        found = await try_sql(owner, *pair)
    finally:
        await owner.close()
    assert is_found(found, "SELECT FROM contacts ")


async def test_without_anything_of_ones_own_nothing_is_proved(db: Database, pair: Pair) -> None:
    gone = replace(pair[0], planted={**pair[0].planted, "contact": UUID(int=1)})
    found = await try_sql(db, gone, pair[1])
    assert [one.tried for one in found if one.verdict == "unchecked"] == ["one's own contact"]


def forgetful_routes(owner: Database) -> list[Endpoint]:
    """Endpoints that forget the tenant, over a connection that nothing holds back."""
    routes = Routes("forgetful")

    @routes.get("/forgetful/{id}", scope="db")
    async def forgetful(_db: Database, req: Req[None, None]) -> Reply:
        """A contact, whoever's it is."""
        rows = await owner.system_fetch(Statement("any", "SELECT id::text, last_name FROM contacts WHERE id = :id"), id=req.id())
        return Reply([dict(row) for row in rows])

    @routes.get("/forgetful", scope="db")
    async def forgetful_list(_db: Database, req: Req[None, None]) -> Reply:
        """Everybody's contacts."""
        return Reply([dict(row) for row in await owner.system_fetch(Statement("all", "SELECT id::text FROM contacts"))])

    return routes.endpoints


async def test_handlers_that_forget_the_tenant_are_found(
    database: TestDatabase, valkey_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = await Database.open(database.admin_url, max_size=2)
    endpoints = hub.app.api_endpoints

    def few_endpoints(*given: Any) -> list[Endpoint]:
        return [*(one for one in endpoints(*given) if one.tag in ("contacts", "recordings")), *forgetful_routes(owner)]

    monkeypatch.setattr(hub.app, "api_endpoints", few_endpoints)
    settings = make_settings(database.app_url, valkey_url)
    async with running_hub(settings) as server, ClientSession() as session:
        pair = await open_pair(server.hub.db, None)
        asker = Asker(session, replace(settings, canary_url=server.url), pair[0])
        found = await try_http(asker, *pair)
    await owner.close()
    monkeypatch.undo()
    async with running_hub(settings) as whole:
        assert (await whole.client().get("/sso/ways")).status == 200, "the next hub has its own document again"
    assert sorted(one.tried for one in opened(found)) == [
        "GET /api/v1/forgetful",
        "GET /api/v1/forgetful/{id} with the other's id",
    ]


async def test_a_hub_that_mixes_up_who_connects_is_found(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    tools, access = house.tools, house.server.hub.realtime.access
    pair = await open_pair(tools.db, tools.objects)
    verify = access.verify

    def mixed_up(token: str) -> Claims:
        return replace(verify(token), tenant_id=pair[1].tenant_id, user_id=pair[1].user_id)

    chirped: list[str] = []

    async def chirp_and_tell(db: Database, canary: Canary, note: str) -> None:
        await chirp(db, canary, note)
        chirped.append(note)

    monkeypatch.setattr(access, "verify", mixed_up)
    monkeypatch.setattr("hub.canary.sockets.chirp", chirp_and_tell)
    async with ClientSession() as session:
        left, right = (Asker(session, tools.settings, one) for one in pair)
        # Who is taken for another waits in vain for what happens to themselves.
        found = await given_up_after(LIMIT_S, try_sockets(tools.db, left, right, *pair), lambda: chirped)
    assert is_found(found, "connect and ask for the other's company")
    assert is_found(found, "go on with the other's token")
    assert is_found(found, "GET /api/v1/floor while the other is there")


async def test_a_link_that_opens_what_it_was_not_made_for_is_found(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = house.tools
    pair = await open_pair(tools.db, tools.objects)

    def any_key(_secret: bytes, _key: str, subject_id: UUID) -> Link:
        return Link(pair[1].tenant_id, subject_id, pair[1].user_id, 0)

    async with ClientSession() as session:
        asker = Asker(session, tools.settings, pair[0])
        assert opened(await try_links(asker, tools.settings, *pair)) == []
        monkeypatch.setattr("hub.recordings.routes.read_key", any_key)
        assert is_found(await try_links(asker, tools.settings, *pair), "the other's recording, with the key of one's own")


async def test_a_shared_channel_and_a_shared_key_are_found(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = house.tools
    pair = await open_pair(tools.db, tools.objects)
    assert opened(await try_redis(tools.db, tools.redis, *pair)) == []
    await tools.redis.set("ringside:last-search", f"the answer for {pair[1].mark}", ex=60)
    monkeypatch.setattr(hub.hints, "events_channel", lambda _tenant_id: "ringside:events")
    found = await try_redis(tools.db, tools.redis, *pair)
    await tools.redis.delete("ringside:last-search")
    assert len(opened(found)) == 2


async def test_without_redis_there_is_nothing_to_be_seen_in_it(db: Database, pair: Pair) -> None:
    redis: Redis = Redis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=1)
    found = await try_redis(db, redis, *pair)
    assert [one.verdict for one in found] == ["closed"] and "Redis is down" in found[0].came_back


def test_nobody_asks_a_hub_that_is_not_named() -> None:
    settings = {"DATABASE_URL": "postgresql://db", "REDIS_URL": "redis://", "RINGSIDE_SECRET": "-" * 32}
    assert Settings.from_env(settings).canary_url == "http://127.0.0.1:8080"
    assert Settings.from_env(settings | {"RINGSIDE_PUBLIC_URL": "https://hub.test/"}).canary_url == "https://hub.test"
    assert Settings.from_env(settings | {"RINGSIDE_CANARY_URL": "none"}).canary_url == ""


async def test_a_person_of_another_company_is_hidden(db: Database, pair: Pair) -> None:
    async with tenant_tx(db, Who.system(pair[0].tenant_id)) as tx:
        seen = await tx.fetch(Statement("people", "SELECT id FROM users"))
    assert [row["id"] for row in seen] == [pair[0].user_id]
