"""Reads of contacts. JSON is built by Postgres and passed through as text."""

from __future__ import annotations

from uuid import UUID

from hub.contacts.models import ContactFilter
from hub.db import Tx
from hub.http.paging import DEFAULT_LIMIT, read_cursor, write_cursor
from hub.sqlfiles import load_sql

_SQL = load_sql("contacts")
_CORE = load_sql("core")


async def list_contacts(tx: Tx, asked: ContactFilter) -> str:
    """A page of contacts as JSON text."""
    column, descending = asked.sort.lstrip("-"), asked.sort.startswith("-")
    order = column + ("_desc" if descending else "")
    after = read_cursor(asked.cursor, asked.sort)
    filters = {
        "owner_id": asked.owner_id,
        "stage": asked.stage,
        "tag": asked.tag.lower() if asked.tag else None,
        "company": asked.company.lower() if asked.company else None,
        "updated_since": asked.updated_since,
    }
    if any(value is not None for value in filters.values()):
        await tx.execute(_CORE["plan_for_these_values"])
    length = "usual_limit" if asked.limit == DEFAULT_LIMIT else "other_limit"
    params: dict[str, object] = {"limit": asked.limit, length: True, f"sort_{order}": True, **filters}
    if after is not None:
        params["after_id"] = after.id
        params[f"after_{order}"] = after.moment() if column.endswith("_at") else after.key
    row = await tx.fetchrow(_SQL["list_contacts"], **params)
    assert row is not None
    cursor = f'"{write_cursor(asked.sort, row["key"], row["id"])}"' if row["more"] else "null"
    return f'{{"data":[{row["data"]}],"next_cursor":{cursor}}}'


async def get_contact(tx: Tx, contact_id: UUID) -> tuple[str, int] | None:
    """A contact as JSON text with its version; None when there is none."""
    row = await tx.fetchrow(_SQL["get_contact"], id=contact_id)
    return (row["json"], row["version"]) if row else None


async def search_contacts(tx: Tx, query: str, limit: int) -> str:
    """The contacts that match what was typed, best first, as a JSON page."""
    rows = await tx.fetch(_SQL["search_contacts"], query=query, limit=limit)
    return '{"data":[' + ",".join(row["json"] for row in rows) + '],"next_cursor":null}'


async def facets(tx: Tx) -> str:
    """The values there are to filter by, as JSON text."""
    found: str = await tx.fetchval(_SQL["facets"])
    return found


async def contact_exists(tx: Tx, contact_id: UUID) -> bool:
    """Whether there is such a contact that is not deleted."""
    return bool(await tx.fetchval(_SQL["contact_exists"], id=contact_id))


async def contact_phone(tx: Tx, contact_id: UUID, e164: str | None) -> str | None:
    """The contact's number to call: the one asked for if it is theirs, else their first; None when there is none."""
    found: str | None = await tx.fetchval(_SQL["contact_phone"], id=contact_id, e164=e164)
    return found
