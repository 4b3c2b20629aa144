"""Privacy endpoints."""

from __future__ import annotations

from hub.db import Database, Tx, tenant_tx
from hub.errors import Unavailable
from hub.http.endpoint import Reply, Req, Routes
from hub.http.paging import PageQuery
from hub.privacy import actions, queries
from hub.privacy.models import ErasureIn, ExportIn, PrivacyRequest, PrivacyRequestPage, Retention, RetentionIn
from hub.providers import Providers
from integrations.ports import ObjectStore

_ZIP = "application/zip"


def privacy_routes(providers: Providers) -> Routes:
    """The privacy endpoints, bound to this server's store."""
    routes = Routes("privacy")

    @routes.get("/privacy/requests", query=PageQuery, returns=PrivacyRequestPage, allow="privacy:export")
    async def list_privacy_requests(tx: Tx, req: Req[PageQuery, None]) -> Reply:
        """Exports, erasures and what each night's retention took, newest first."""
        return Reply(await queries.list_requests(tx, req.query))

    @routes.get("/privacy/requests/{id}", returns=PrivacyRequest, allow="privacy:export")
    async def get_privacy_request(tx: Tx, req: Req[None, None]) -> Reply:
        """One request, and how far it is."""
        row = await queries.get_request(tx, req.id())
        if row is None:
            raise actions.missing()
        return Reply(row["json"])

    @routes.post(
        "/privacy/exports",
        body=ExportIn,
        returns=PrivacyRequest,
        status=202,
        allow="privacy:export",
        errors=(404, 409),
        fresh=True,
    )
    async def ask_export(tx: Tx, req: Req[None, ExportIn]) -> Reply:
        """Have a contact's, a member's or the company's data put together as files in a zip."""
        _with_store(providers)
        return Reply(await actions.ask_export(tx, req.body), 202)

    @routes.post(
        "/privacy/erasures",
        body=ErasureIn,
        returns=PrivacyRequest,
        status=202,
        allow="privacy:erase",
        errors=(404, 409),
        fresh=True,
    )
    async def ask_erasure(tx: Tx, req: Req[None, ErasureIn]) -> Reply:
        """Have a contact's or a former member's data erased at once, or in seven days the whole company."""
        _with_store(providers)
        return Reply(await actions.ask_erasure(tx, req.body), 202)

    @routes.post("/privacy/requests/{id}/cancel", returns=PrivacyRequest, allow="privacy:erase", errors=(409,))
    async def cancel_privacy_request(tx: Tx, req: Req[None, None]) -> Reply:
        """Take a request back that has not begun."""
        return Reply(await actions.cancel(tx, req.id()))

    @routes.get("/privacy/requests/{id}/file", scope="db", content_type=_ZIP, allow="privacy:export", errors=(409,))
    async def get_export(db: Database, req: Req[None, None]) -> Reply:
        """The file of an export, for seven days. Taking it is audited."""
        async with tenant_tx(db, req.who) as tx:
            row = await actions.get_file(tx, req.id())
        store = _with_store(providers)
        headers = {
            "Content-Disposition": f'attachment; filename="export-{req.id()}.zip"',
            "Content-Length": str(row["bytes"]),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        }
        return Reply(store.read(row["object_key"]), 200, headers, _ZIP)

    @routes.get("/privacy/retention", returns=Retention, allow="privacy:export")
    async def get_retention(tx: Tx, req: Req[None, None]) -> Reply:
        """How many days what is kept."""
        return Reply(await queries.get_retention(tx))

    @routes.put("/privacy/retention", body=RetentionIn, returns=Retention, allow="privacy:erase", fresh=True)
    async def set_retention(tx: Tx, req: Req[None, RetentionIn]) -> Reply:
        """Set how many days what is kept. Each night takes what is older, for good."""
        return Reply(await actions.set_retention(tx, req.body))

    return routes


def _with_store(providers: Providers) -> ObjectStore:
    if providers.objects is None:
        raise Unavailable("No store for files is set up. Set RINGSIDE_OBJECTS.", retry_after_s=60)
    return providers.objects
