"""Templates and snippets over HTTP."""

from __future__ import annotations

import re
from typing import Any

from hub.db import Tx
from hub.errors import Invalid
from hub.http.endpoint import Reply, Req, Routes
from hub.mailboxes.queries import may_see_mail
from hub.mailboxes.queries import missing as mailbox_missing
from hub.templates import actions, queries
from hub.templates.facts import VARIABLES, facts_for, facts_of_sender
from hub.templates.models import (
    PreviewIn,
    Template,
    TemplateFilter,
    TemplateIn,
    TemplatePage,
    TemplatePatch,
    TemplatePreview,
    TemplateResults,
    TemplateVersions,
    UseIn,
    Variables,
)
from hub.templates.rendering import TemplateProblem, preview

routes = Routes("templates")


def _tagged(text: str, version: int, status: int = 200) -> Reply:
    return Reply(text, status, {"ETag": f'"{version}"'})


@routes.get("/templates", query=TemplateFilter, returns=TemplatePage, allow="templates:read")
async def list_templates(tx: Tx, req: Req[TemplateFilter, None]) -> Reply:
    """One's own templates and snippets and the shared ones, by name."""
    return Reply(await queries.list_templates(tx, req.query))


@routes.post("/templates", body=TemplateIn, returns=Template, status=201, allow="templates:write")
async def create_template(tx: Tx, req: Req[None, TemplateIn]) -> Reply:
    """Keep a template or snippet."""
    return _tagged(*await actions.create_template(tx, req.body), 201)


@routes.get("/templates/variables", returns=Variables, allow="templates:read")
async def list_template_variables(tx: Tx, req: Req[None, None]) -> Reply:
    """What templates may name, with the contacts' own fields."""
    known = [{"name": name, "title": title} for name, title in VARIABLES]
    for name in await queries.custom_names(tx):
        path = f".{name}" if re.fullmatch(r"[A-Za-z_][\w-]*", name) else f"[{name!r}]"
        known.append({"name": f"contact.custom{path}", "title": f"The contact's own field {name}"})
    return Reply({"data": known})


@routes.post("/templates/preview", body=PreviewIn, returns=TemplatePreview, allow="templates:read", errors=(404,))
async def preview_template(tx: Tx, req: Req[None, PreviewIn]) -> Reply:
    """Fill a text in as it would be sent, and say what would stop it. Without a contact every value of theirs is missing."""
    given = req.body
    if given.mailbox_id is not None and not await may_see_mail(tx, given.mailbox_id):
        raise mailbox_missing()
    if given.contact_id is not None:
        facts = await facts_for(tx, given.contact_id, user_id=req.who.user_id, mailbox_id=given.mailbox_id)
    else:
        facts = await facts_of_sender(tx, user_id=req.who.user_id, mailbox_id=given.mailbox_id)
    try:
        shown, problems = preview(given.subject, given.html, facts)
    except TemplateProblem as exc:
        return Reply({"subject": "", "html": "", "text": "", "problems": [{"variable": exc.part, "message": exc.message}]})
    found = [{"variable": problem.variable, "message": problem.message} for problem in problems]
    return Reply({"subject": shown.subject, "html": shown.html, "text": shown.text, "problems": found})


@routes.get("/templates/{id}", returns=Template, allow="templates:read")
async def get_template(tx: Tx, req: Req[None, None]) -> Reply:
    """One template, with its version as ETag."""
    row = await queries.get_template(tx, req.id())
    if row is None:
        raise actions.missing()
    return _tagged(row["json"], row["etag"])


@routes.patch("/templates/{id}", body=TemplatePatch, returns=Template, allow="templates:write", errors=(409, 412))
async def update_template(tx: Tx, req: Req[None, TemplatePatch]) -> Reply:
    """Change a template; a changed text is its next version. If-Match guards against overwriting somebody else's change."""
    return _tagged(*await actions.update_template(tx, req.id(), req.body, _if_match(req)))


@routes.delete("/templates/{id}", status=204, allow="templates:write")
async def delete_template(tx: Tx, req: Req[None, None]) -> Reply:
    """Put a template away; it can be brought back (PATCH archived false)."""
    await actions.delete_template(tx, req.id())
    return Reply()


@routes.get("/templates/{id}/versions", returns=TemplateVersions, allow="templates:read")
async def list_template_versions(tx: Tx, req: Req[None, None]) -> Reply:
    """Every text that a template has had, newest first."""
    if await queries.get_template(tx, req.id()) is None:
        raise actions.missing()
    return Reply(await queries.list_versions(tx, req.id()))


@routes.post("/templates/{id}/uses", body=UseIn, status=204, allow="templates:read")
async def use_template(tx: Tx, req: Req[None, UseIn]) -> Reply:
    """Note that a draft of one's own is written from a template, so that its mail counts in the results."""
    await actions.use_in_draft(tx, req.id(), req.body.draft_id)
    return Reply()


@routes.get("/templates/{id}/results", returns=TemplateResults, allow="templates:read")
async def get_template_results(tx: Tx, req: Req[None, None]) -> Reply:
    """What became of the mail that was written from a template, by version. Machines' opens and clicks do not count."""
    if await queries.get_template(tx, req.id()) is None:
        raise actions.missing()
    return Reply(await queries.results(tx, req.id()))


def _if_match(req: Req[None, Any]) -> int | None:
    given = req.http.headers.get("If-Match", "*").strip()
    if given == "*":
        return None
    match = re.fullmatch(r'(?:W/)?"?(\d{1,9})"?', given)
    if match is None:
        raise Invalid.field("If-Match", "Send the ETag of the template as it was given, or leave the header out.")
    return int(match.group(1))
