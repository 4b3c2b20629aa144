"""Audit endpoints."""

from __future__ import annotations

from hub.audit import queries
from hub.audit.actions import record
from hub.audit.export import stream_entries
from hub.audit.models import AuditActions, AuditExport, AuditFilter, AuditPage
from hub.db import Database, Tx, tenant_tx
from hub.http.endpoint import Reply, Req, Routes
from hub.plans import require

routes = Routes("audit")


@routes.get("/audit", query=AuditFilter, returns=AuditPage, allow="audit:read")
async def list_audit(tx: Tx, req: Req[AuditFilter, None]) -> Reply:
    """Who did what to which, when and from where, newest first."""
    return Reply(await queries.list_entries(tx, req.query))


@routes.get("/audit/actions", returns=AuditActions, allow="audit:read")
async def list_audit_actions(tx: Tx, req: Req[None, None]) -> Reply:
    """The actions that occur in the log, to filter by."""
    return Reply(await queries.list_actions(tx))


@routes.get("/audit/export", scope="db", query=AuditExport, content_type="text/csv", allow="audit:read")
async def export_audit(db: Database, req: Req[AuditExport, None]) -> Reply:
    """The log, or what was asked for of it, as a CSV. The export is written into the log."""
    who = req.who
    async with tenant_tx(db, who) as tx:
        await require(tx, "audit_export")
        await record(tx, "audit.exported", details=req.query.model_dump(mode="json", exclude_none=True))
    headers = {"Content-Disposition": 'attachment; filename="audit.csv"', "Cache-Control": "no-store"}
    return Reply(stream_entries(db, who, req.query), 200, headers, "text/csv")
