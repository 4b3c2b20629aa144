"""The writes of templates. One's own are one's own; shared ones are everybody's to use, their owner's and managers' to change."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import asyncpg
import orjson

from hub.db import Tx
from hub.errors import Conflict, Forbidden, Invalid, NotFound, PreconditionFailed
from hub.events import TENANT, only_user
from hub.sqlfiles import load_sql
from hub.templates import queries
from hub.templates.events import TemplateArchived, TemplateCreated, TemplateUpdated
from hub.templates.models import TemplateIn, TemplatePatch
from hub.templates.rendering import check

_SQL = load_sql("templates")


@dataclass(frozen=True, slots=True)
class TemplateText:
    """The present text of a template."""

    template_id: UUID
    version: int
    subject: str
    html: str


def missing() -> NotFound:
    """The error for a template that is not there, or is somebody else's own."""
    return NotFound("There is no such template.", code="template_not_found")


async def create_template(tx: Tx, given: TemplateIn) -> tuple[str, int]:
    """Keep a new template; its JSON and its version for If-Match.

    Raises TemplateProblem for a text that can't be read, Conflict for a name or shortcut that is taken.
    """
    if given.shortcut is not None and given.kind != "snippet":
        raise Invalid.field("shortcut", "Only snippets have one.")
    check(given.subject, given.html)
    template_id: UUID = await tx.fetchval(
        _SQL["insert_template"],
        kind=given.kind,
        name=given.name,
        folder=given.folder,
        shortcut=given.shortcut,
        shared=given.shared,
    )
    await tx.execute(_SQL["insert_version"], id=template_id, version=1, subject=given.subject, html=given.html)
    text, etag = await _told(tx, template_id)
    tx.emit(TemplateCreated(template_id, {"template": orjson.Fragment(text)}, _audience(tx, given.shared, tx.who.user_id)))
    return text, etag


async def update_template(tx: Tx, template_id: UUID, patch: TemplatePatch, if_match: int | None) -> tuple[str, int]:
    """Change a template; a changed text becomes its next version. Its JSON and its version for If-Match.

    Raises NotFound, Forbidden for somebody else's, PreconditionFailed when it was changed meanwhile, TemplateProblem, Conflict.
    """
    row = await _own(tx, template_id)
    if if_match is not None and if_match != row["etag"]:
        raise PreconditionFailed("Somebody else has changed this template. Load it again.")
    wanted = patch.model_fields_set
    if "shortcut" in wanted and patch.shortcut is not None and row["kind"] != "snippet":
        raise Invalid.field("shortcut", "Only snippets have one.")
    subject = row["subject"] if patch.subject is None else patch.subject
    html = row["html"] if patch.html is None else patch.html
    current: int | None = None
    if (subject, html) != (row["subject"], row["html"]):
        check(subject, html)
        current = row["current_version"] + 1
        await tx.execute(_SQL["insert_version"], id=template_id, version=current, subject=subject, html=html)
    if patch.archived is not None:
        await tx.execute(_SQL["archive_template"], id=template_id, archived=patch.archived)
    await tx.execute(
        _SQL["update_template"],
        id=template_id,
        name=patch.name,
        folder=patch.folder,
        shared=patch.shared,
        sets_shortcut="shortcut" in wanted,
        shortcut=patch.shortcut,
        current_version=current,
    )
    text, etag = await _told(tx, template_id)
    data = {"template": orjson.Fragment(text)}
    shared = row["shared"] if patch.shared is None else patch.shared
    if row["shared"] and not shared:
        tx.emit(TemplateArchived(template_id, data))
    event = TemplateArchived if patch.archived else TemplateUpdated
    tx.emit(event(template_id, data, _audience(tx, shared, row["owner_id"])))
    return text, etag


async def delete_template(tx: Tx, template_id: UUID) -> None:
    """Put a template away. What was written from it keeps it, and it can be brought back. Raises NotFound, Forbidden."""
    row = await _own(tx, template_id)
    if row["archived_at"] is not None:
        return
    await tx.execute(_SQL["archive_template"], id=template_id, archived=True)
    text, _ = await _told(tx, template_id)
    data = {"template": orjson.Fragment(text)}
    tx.emit(TemplateArchived(template_id, data, _audience(tx, row["shared"], row["owner_id"])))


async def get_text(tx: Tx, template_id: UUID) -> TemplateText:
    """A template's present text, for what sends by itself as well. Raises NotFound."""
    row = await queries.get_template(tx, template_id, sees_all=tx.who.role == "system")
    if row is None:
        raise missing()
    return TemplateText(template_id, row["version"], row["subject"], row["html"])


async def note_use(tx: Tx, send_id: UUID, template_id: UUID, version: int) -> None:
    """Note that a mail was written from a version of a template, for its results."""
    await tx.execute(_SQL["note_use"], send_id=send_id, template_id=template_id, version=version)


async def use_in_draft(tx: Tx, template_id: UUID, draft_id: UUID) -> None:
    """Note that one writes a draft of one's own from a template; the last one counts. Raises NotFound, Conflict for the draft."""
    row = await queries.get_template(tx, template_id)
    if row is None:
        raise missing()
    if not await tx.fetchval(_SQL["is_own_draft"], draft_id=draft_id):
        raise Conflict("There is no such draft of yours; it may have been sent.", code="no_such_draft")
    await note_use(tx, draft_id, template_id, row["version"])


async def _own(tx: Tx, template_id: UUID) -> asyncpg.Record:
    row = await tx.fetchrow(_SQL["lock_template"], id=template_id)
    if row is None:
        raise missing()
    if row["owner_id"] != tx.who.user_id and not tx.who.is_manager:
        raise Forbidden("Shared templates are changed by who wrote them and by managers. Save a copy of your own.")
    return row


async def _told(tx: Tx, template_id: UUID) -> tuple[str, int]:
    row = await queries.get_template(tx, template_id, sees_all=True)
    assert row is not None
    return row["json"], row["etag"]


def _audience(tx: Tx, shared: bool, owner_id: UUID | None) -> str:
    return TENANT if shared or owner_id is None else only_user(owner_id)
