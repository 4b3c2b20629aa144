"""Reads of templates. JSON is built by Postgres and passed through as text."""

from __future__ import annotations

from uuid import UUID

import asyncpg

from hub.db import Tx
from hub.http.paging import page, read_cursor
from hub.sqlfiles import load_sql
from hub.templates.models import TemplateFilter

_SQL = load_sql("templates")
_SORT = "name"


async def list_templates(tx: Tx, asked: TemplateFilter) -> str:
    """A page of one's own and the shared templates as JSON text, by name."""
    after = read_cursor(asked.cursor, _SORT)
    rows = await tx.fetch(
        _SQL["list_templates"],
        limit=asked.limit + 1,
        live=None if asked.archived else True,
        archived=True if asked.archived else None,
        kind=asked.kind,
        folder=asked.folder.strip().lower() if asked.folder is not None else None,
        name=asked.name.strip().lower() if asked.name else None,
        after=after.key if after else None,
        after_id=after.id if after else None,
    )
    return page(rows, asked.limit, _SORT)


async def get_template(tx: Tx, template_id: UUID, *, sees_all: bool = False) -> asyncpg.Record | None:
    """A template (json, etag, version, subject, html) that who asks may see, or any; None when there is none."""
    return await tx.fetchrow(_SQL["get_template"], id=template_id, sees_all=sees_all)


async def list_versions(tx: Tx, template_id: UUID) -> str:
    """Every text of a template as JSON text."""
    text: str = await tx.fetchval(_SQL["list_versions"], id=template_id)
    return '{"data":' + text + "}"


async def results(tx: Tx, template_id: UUID) -> str:
    """What became of a template's mail as JSON text."""
    text: str = await tx.fetchval(_SQL["results"], id=template_id)
    return text


async def custom_names(tx: Tx) -> list[str]:
    """The names of contacts' own fields."""
    return [row["name"] for row in await tx.fetch(_SQL["custom_names"])]
