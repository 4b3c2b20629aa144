"""Every statement that could grow with a company, run in a large one beside another: along indexes, and touching little.

The other has a quarter of the rows of the largest tables, spread over the same time. Each statement is planned as for these
very values and as for any values (what Postgres may keep for a prepared statement), as the app role in a tenant's
transaction, and undone again.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import pytest
import pytest_asyncio

from hub.contacts.models import ContactFilter
from hub.contacts.queries import list_contacts
from hub.db import Database, Tx, tenant_tx
from hub.embedded import PostgresServer
from hub.http.paging import DEFAULT_LIMIT
from hub.sqlfiles import SQL_DIR, load_sql
from tests.conftest import cloned_database
from tests.plan_cases import Big, Params, reads, writes
from tests.plan_reasons import NOT_LOOKED_AT

pytestmark = pytest.mark.asyncio(loop_scope="module")

FILL = (Path(__file__).parent / "big_company.sql").read_text()
# Pages of 8 KiB touched. 3,000 of them take three milliseconds or so from memory.
BUFFERS = 3000
SEARCH_BUFFERS = 1500
# Statements over some hundreds of rows at once, and what ends all of a person's sessions.
BATCH_BUFFERS = 10_000
BATCHES = {"update_contacts", "find_by_phone", "find_by_email", "lock_contacts", "delete_contacts", "revoke_all_sessions"}
# A quarter of a thousand rows of what one person hands over to another.
BATCHES |= {"give_contacts", "give_tasks", "give_conversations", "give_enrolments", "give_callbacks", "join_queues"}
BATCHES |= {"end_other_sessions", "end_others"}
# Up to ten thousand events at once, which somebody asks for by hand.
BATCHES |= {"replay_span"}
# Tables that do not grow with a company's work, or are emptied behind it, so that reading them whole may be the best way.
SMALL = {
    "billing_accounts",
    "billing_invoices",
    "billing_usage",
    "billing_reports",
    "billing_differences",
    "sso_providers",
    "sso_domains",
    "sign_in_rules",
    "dispositions",
    "alert_rules",
    "voice_settings",
    "line_choices",
    "permit_settings",
    "quiet_days",
    "leases",
    "mailboxes",
    "mailbox_changes",
    "mailbox_labels",
    "mailbox_leases",
    "mail_privacy_rules",
    "oauth_states",
    "members",
    "numbers",
    "number_routes",
    "roles",
    "teams",
    "team_members",
    "users",
    "presence",
    "presence_sockets",
    "invitations",
    "invitation_teams",
    "handovers",
    "hubs",
    "tenants",
    "tenant_counters",
    "sequence_settings",
    "tracking_settings",
    "imports",
    "import_chunks",
    "import_created",
    "privacy_requests",
    "retention_settings",
    "notification_choices",
    "outgoing_endpoints",
    "notification_hours",
    "push_subscriptions",
}
# Run after `plan_for_these_values`, so that no kept plan is ever used.
PLANNED_EACH_TIME = {
    "calls.list_calls",
    "contacts.list_contacts",
    "dialer.fill_batch",
    "dialer.list_items",
    "enrolments.page_of_contacts",
    "mail.list_threads",
    "mail.list_threads_of_contact",
    "mail_sends.list_sends",
    "permits.list_suppressions",
    "audit.list_entries",
    "audit.export_entries",
    "realtime.read_visible_events",
    "recordings.list_recordings",
    "recordings.search_recordings",
}

_numbers = itertools.count(1)

# A quarter of the rows, in blocks, so that those who belong together stay and every kind is there.
THINNED = """CREATE FUNCTION pg_temp.thinned(first int, last int) RETURNS SETOF int LANGUAGE sql AS
    'SELECT n FROM generate_series(first, last) AS n WHERE n / 100 % 4 = 0'"""


async def fill(admin: asyncpg.Connection, slug: str, series: str = "generate_series") -> UUID:
    tenant_id: UUID = await admin.fetchval("SELECT create_company($1)", slug)
    filling = FILL.replace("{tenant}", str(tenant_id)).replace("{slug}", slug).replace("{series}", series)
    await admin.execute(filling)
    return tenant_id


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def big(postgres: PostgresServer) -> AsyncIterator[Big]:
    """A large company and one of a quarter of its size in one database, with statistics."""
    async with cloned_database(postgres) as database:
        admin = await asyncpg.connect(database.admin_url)
        await admin.execute(THINNED)
        tenant_id, _ = await fill(admin, "acme"), await fill(admin, "globex", "pg_temp.thinned")
        await admin.execute("VACUUM (ANALYZE)")

        async def one(sql: str) -> UUID:
            found: UUID = await admin.fetchval(sql, tenant_id)
            return found

        some = await admin.fetch("SELECT id FROM contacts WHERE tenant_id = $1 ORDER BY id OFFSET 20000 LIMIT 200", tenant_id)
        db = await Database.open(database.app_url, max_size=2)
        yield Big(
            db=db,
            tenant_id=tenant_id,
            rep=await one("SELECT user_id FROM members WHERE tenant_id = $1 AND role = 'owner'"),
            rare=await one("SELECT owner_id FROM contacts WHERE tenant_id = $1 GROUP BY 1 HAVING count(*) BETWEEN 5 AND 20"),
            contact=some[100]["id"],
            busy_contact=await one("SELECT contact_id FROM activities WHERE tenant_id = $1 GROUP BY 1 HAVING count(*) > 900"),
            call=await one("SELECT id FROM calls WHERE tenant_id = $1 AND state = 'completed' LIMIT 1"),
            live_call=await one("SELECT id FROM calls WHERE tenant_id = $1 AND state = 'ringing' LIMIT 1"),
            job=await one("SELECT id FROM jobs WHERE tenant_id = $1 AND state = 'ready' LIMIT 1"),
            dead_job=await one("SELECT id FROM jobs WHERE tenant_id = $1 AND state = 'dead' LIMIT 1"),
            import_id=await one("SELECT id FROM imports WHERE tenant_id = $1 ORDER BY created_at DESC LIMIT 1"),
            task=await one("SELECT id FROM tasks WHERE tenant_id = $1 AND done_at IS NULL LIMIT 1"),
            some_contacts=[row["id"] for row in some],
            hub_id=UUID(int=5),
        )
        await db.close()
        await admin.close()


class _Undo(Exception):
    """Ends a transaction without a trace."""


def literal(value: Any) -> str:
    """A parameter as it stands in EXECUTE."""
    if value is None:
        return "NULL"
    if isinstance(value, bool | int | float):
        return str(value).lower()
    if isinstance(value, list):
        return literal("{" + ",".join('"' + str(item).replace('"', '\\"') + '"' for item in value) + "}")
    if isinstance(value, bytes):
        return f"'\\x{value.hex()}'"
    if isinstance(value, timedelta):
        return f"'{value.total_seconds()} seconds'"
    return "'" + str(value).replace("'", "''") + "'"


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


async def explain(big: Big, key: str, params: Params, *, warm_with: Params | None = None) -> dict[str, Any]:
    """The plan of a statement as it was run, and undone.

    Planned for these values; or, with `warm_with`, prepared and run with those until Postgres may keep a plan for any.
    """
    feature, name = key.split(".")
    return await explain_sql(big, *load_sql(feature)[name].compile(params), params, warm_with=warm_with)


async def explain_sql(
    big: Big, sql: str, names: Sequence[str], params: Params, *, warm_with: Params | None = None
) -> dict[str, Any]:
    """The same for a statement with its parameters' names."""
    prepared = f"looked_at_{next(_numbers)}"

    def execute(values: Params) -> str:
        given = {"tenant_id": big.tenant_id, "user_id": big.rep, **values}
        args = ", ".join(literal(given[n]) for n in names)
        return f"EXECUTE {prepared}{f'({args})' if args else ''}"

    plan: dict[str, Any] = {}
    with suppress(_Undo):
        async with tenant_tx(big.db, big.who) as tx:
            await tx.conn.execute(f"SET LOCAL plan_cache_mode = {'auto' if warm_with else 'force_custom_plan'}")
            await tx.conn.execute(f"PREPARE {prepared} AS {sql}")
            for _ in range(6 if warm_with else 0):
                await tx.conn.execute(execute(warm_with or {}))
            explained = await tx.conn.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {execute(params)}")
            plan = orjson.loads(explained)[0]["Plan"]
            await tx.conn.execute(f"DEALLOCATE {prepared}")
            raise _Undo
    return plan


def buffers(plan: dict[str, Any]) -> int:
    touched: int = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    return touched


def read_whole(plan: dict[str, Any]) -> set[str]:
    """The tables that a plan reads from end to end, other than those that stay small."""
    scans = [n for n in nodes(plan) if n["Node Type"] == "Seq Scan" and n["Actual Loops"] > 0]
    # The weeks of the log that are still to come are empty.
    return {n["Relation Name"] for n in scans if not (n["Relation Name"].startswith("events_") and n["Actual Rows"] == 0)} - SMALL


async def test_every_statement_is_looked_at_or_there_is_a_reason(big: Big) -> None:
    features = [path.stem for path in (SQL_DIR / "queries").glob("*.sql")]
    there = {f"{feature}.{name}" for feature in features for name in load_sql(feature)}
    looked_at = set(reads(big)) | set(writes(big))
    assert there == looked_at | set(NOT_LOOKED_AT)
    assert not looked_at & set(NOT_LOOKED_AT)


def check(key: str, params: Params, plan: dict[str, Any]) -> None:
    name = key.split(".")[1]
    bound = SEARCH_BUFFERS if name == "search_contacts" else BATCH_BUFFERS if name in BATCHES else BUFFERS
    said = {k: str(v)[:60] for k, v in params.items()}
    assert not read_whole(plan), f"{key} {said} reads {read_whole(plan)} from end to end"
    assert buffers(plan) <= bound, f"{key} {said} touches {buffers(plan)} pages"


async def test_what_is_read_is_found_along_indexes(big: Big) -> None:
    for key, cases in reads(big).items():
        first: dict[str, Params] = {}
        for params in cases:
            check(key, params, await explain(big, key, params))
            if key not in PLANNED_EACH_TIME:
                feature, name = key.split(".")
                sql, _ = load_sql(feature)[name].compile(params)
                check(key, params, await explain(big, key, params, warm_with=first.setdefault(sql, params)))


async def test_what_is_written_is_found_along_indexes(big: Big) -> None:
    for key, cases in writes(big).items():
        for params in cases:
            check(key, params, await explain(big, key, params))


# What somebody might write, by what is wrong with it.
BAD = {
    "no index for the condition": "SELECT id FROM events WHERE tenant_id = $1 AND type = 'none such'",
    "looking again for each row": "SELECT (SELECT count(*) FROM tasks t WHERE t.tenant_id = c.tenant_id AND t.contact_id = c.id) "
    "FROM contacts c WHERE c.tenant_id = $1",
    "an order without an index": "SELECT * FROM events WHERE tenant_id = $1 ORDER BY frame, seq LIMIT 51",
    "work for each row of a table": "UPDATE activities SET body = body WHERE tenant_id = $1",
}


async def test_bad_statements_would_be_found_out(big: Big) -> None:
    for wrong, sql in BAD.items():
        plan = await explain_sql(big, sql, ["tenant_id"], {})
        with pytest.raises(AssertionError, match=r"from end to end|pages"):
            check(f"bad.{wrong}", {}, plan)


async def test_the_usual_page_is_planned_once_and_well(big: Big) -> None:
    sql, names = load_sql("contacts")["list_contacts"].compile({"limit": 50, "usual_limit": True, "sort_created_at_desc": True})
    planned = "SELECT generic_plans FROM pg_prepared_statements WHERE statement = $1"
    async with tenant_tx(big.db, big.who) as tx:
        # Postgres looks at five plans for the very values before it settles for one for any.
        for _ in range(7):
            page = orjson.loads(await list_contacts(tx, ContactFilter(limit=DEFAULT_LIMIT)))
        assert (len(page["data"]), page["next_cursor"] is None) == (DEFAULT_LIMIT, False)
        assert await tx.conn.fetchval(planned, sql) >= 1
        await tx.conn.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        args = [{"tenant_id": big.tenant_id, "limit": 50}[name] for name in names]
        explained = await tx.conn.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", *args)
        assert buffers(orjson.loads(explained)[0]["Plan"]) <= BUFFERS


async def test_a_filtered_list_is_never_read_by_a_plan_kept_for_any_values(big: Big) -> None:
    rare: Params = {"limit": 50, "usual_limit": True, "sort_name": True, "stage": "lead", "tag": "rare"}
    sql, names = load_sql("contacts")["list_contacts"].compile(rare)
    args = [{"tenant_id": big.tenant_id, **rare}[n] for n in names]

    async def touched(tx: Tx) -> int:
        explained = await tx.conn.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", *args)
        return buffers(orjson.loads(explained)[0]["Plan"])

    async with tenant_tx(big.db, big.who) as tx:
        await list_contacts(tx, ContactFilter(stage="lead", tag="rare", sort="name"))
        assert await tx.conn.fetchval("SHOW plan_cache_mode") == "force_custom_plan"
        assert await touched(tx) <= BUFFERS
    async with tenant_tx(big.db, big.who) as tx:
        assert await tx.conn.fetchval("SHOW plan_cache_mode") == "auto", "it ends with the transaction"
