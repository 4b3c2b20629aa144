"""The import endpoints."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from uuid import UUID

from hub.audit.actions import record
from hub.db import Database, Tx, tenant_tx
from hub.errors import TooLarge
from hub.http.endpoint import Reply, Req, Routes
from hub.http.paging import PageQuery
from hub.imports import actions, queries
from hub.imports.failures import stream_failures
from hub.imports.fields import FIELDS
from hub.imports.models import Import, ImportForm, ImportId, ImportPage, Preview, PreviewForm
from hub.imports.reading import HEAD_BYTES
from hub.imports.rows import BadRow, Row, choose_fields, make_plan, read_row
from hub.imports.upload import Form, Upload, look_at, pieces, read_choices, read_mapping
from hub.who import Who

routes = Routes("imports")

_SHOWN_ROWS = 20
_SAMPLES = 3
_SAMPLE_LENGTH = 80


@routes.post(
    "/imports", scope="db", upload=ImportForm, returns=ImportId, status=202, allow="contacts:import", errors=(TooLarge.status,)
)
async def create_import(db: Database, req: Req[None, None]) -> Reply:
    """Upload a CSV of contacts; a worker imports it."""
    form = Form()
    async with Upload(db, req.who) as upload:
        async for piece in pieces(req.http, form):
            await upload.add(piece, form.filename)
        import_id = await upload.queue(form.texts)
    return Reply({"id": import_id}, 202, {"Location": f"/api/v1/imports/{import_id}"})


@routes.post(
    "/imports/preview", scope="db", upload=PreviewForm, returns=Preview, allow="contacts:import", errors=(TooLarge.status,)
)
async def preview_import(db: Database, req: Req[None, None]) -> Reply:
    """Show how a file would be imported. Nothing is kept."""
    form, head = Form(), bytearray()
    async for piece in pieces(req.http, form):
        if len(head) < HEAD_BYTES:
            head += piece
    seen = await look_at(bytes(head[:HEAD_BYTES]), whole=form.size < HEAD_BYTES)
    # A preview also shows files in which nothing is recognised yet: that is what the mapping is for.
    texts = {name: text for name, text in form.texts.items() if name != "mapping"}
    mapping = read_mapping(form.texts.get("mapping", ""), seen.columns)
    region = read_choices({**texts, "mapping": ""}, ("Email",)).region
    async with tenant_tx(db, req.who) as tx:
        owners = await queries.owners_by_name(tx)
    fields = choose_fields(seen.columns, mapping)
    plan = make_plan(seen.columns, fields, region, owners)
    shown = seen.rows[:_SHOWN_ROWS]
    return Reply(
        {
            "encoding": seen.shape.encoding,
            "delimiter": seen.shape.delimiter,
            "columns": [
                {"name": name, "field": fields[n], "samples": _samples([cells for _, cells, problem in shown if not problem], n)}
                for n, name in enumerate(seen.columns)
            ],
            "fields": [{"field": name, "label": label} for name, label in FIELDS.items()],
            "rows": [_shown(read_row(plan, *row)) for row in shown],
        }
    )


def _samples(rows: list[list[str]], place: int) -> list[str]:
    found = dict.fromkeys(cells[place].strip()[:_SAMPLE_LENGTH] for cells in rows if place < len(cells) and cells[place].strip())
    return list(found)[:_SAMPLES]


def _shown(read: Row | BadRow) -> dict[str, Any]:
    if isinstance(read, BadRow):
        return {"line": read.line, "contact": _contact(read.row), "problems": [read.reason], "fails": True}
    return {"line": read.line, "contact": _contact(read), "problems": read.warnings, "fails": False}


def _contact(row: Row | None) -> dict[str, Any]:
    if row is None:
        return {}
    return {
        "first_name": row.first_name,
        "last_name": row.last_name,
        "company": row.company,
        "title": row.title,
        "emails": [{"address": address, "label": label} for address, label in row.emails],
        "phones": [
            {"e164": p.e164, "label": label, "kind": p.kind, "time_zones": p.time_zones, "extension": p.extension}
            for p, label in row.phones
        ],
        "tags": row.tags,
        "stage": row.stage,
        "owner_id": row.owner_id,
        "custom": row.custom,
    }


@routes.get("/imports", query=PageQuery, returns=ImportPage, allow="contacts:import")
async def list_imports(tx: Tx, req: Req[PageQuery, None]) -> Reply:
    """List the imports, newest first."""
    return Reply(await queries.list_imports(tx, req.query.limit, req.query.cursor))


@routes.get("/imports/{id}", returns=Import, allow="contacts:import")
async def get_import(tx: Tx, req: Req[None, None]) -> Reply:
    """How an import stands."""
    found = await queries.get_import(tx, req.id())
    if found is None:
        raise actions.missing()
    return Reply(found)


@routes.post("/imports/{id}/undo", returns=Import, status=202, allow="contacts:import", errors=(409,))
async def undo_import(tx: Tx, req: Req[None, None]) -> Reply:
    """Take an import back: new contacts go, changed ones get their former values; what was worked on since stays."""
    return Reply(await actions.ask_undo(tx, req.id()), 202)


@routes.get("/imports/{id}/failures", scope="db", content_type="text/csv", allow="contacts:import")
async def import_failures(db: Database, req: Req[None, None]) -> Reply:
    """The rows that were not imported, with the reasons, as a CSV."""
    return await _failures(db, req.who, req.id())


async def _failures(db: Database, who: Who, import_id: UUID) -> Reply:
    async with tenant_tx(db, who) as tx:
        found = await queries.get_columns(tx, import_id)
        if found is None:
            raise actions.missing()
        await record(tx, "import.failures_exported", subject_kind="import", subject_id=import_id)
    filename, columns = found
    name = quote(f"{filename.removesuffix('.csv')}.failures.csv")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
    return Reply(stream_failures(db, who, import_id, columns), 200, headers, "text/csv")
