"""Unsubscribing over HTTP: the list, and the public address that stands in mail (RFC 8058)."""

from __future__ import annotations

from aiohttp import web

from hub.config import Settings
from hub.db import Database, Tx, tenant_tx
from hub.errors import Invalid
from hub.http.endpoint import Reply, Req, Routes
from hub.http.paging import PageQuery
from hub.tracking.tokens import MailToken, read_token
from hub.unsubscribes import actions, pages, queries
from hub.unsubscribes.models import UnsubscribePage
from hub.who import Who

_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
}
# RFC 8058, section 3.1: what a mail program posts.
_ONE_CLICK = ("List-Unsubscribe", "One-Click")
_MAX_FIELDS = 4000


def unsubscribe_routes(settings: Settings) -> Routes:
    """The endpoints, bound to this server's keys."""
    routes = Routes("unsubscribes")

    @routes.get("/unsubscribes", query=PageQuery, returns=UnsubscribePage, allow="permits:read")
    async def list_unsubscribes(tx: Tx, req: Req[PageQuery, None]) -> Reply:
        """Who unsubscribed, newest first."""
        return Reply(await queries.list_unsubscribes(tx, req.query))

    def token_of(req: Req[None, None]) -> MailToken | None:
        return read_token(settings, "unsubscribe", req.path["token"])

    @routes.get("//u/{token}", scope="public", content_type="text/html")
    async def unsubscribe_page(db: Database, req: Req[None, None]) -> Reply:
        """The page that asks. Fetching it, which scanners do, changes nothing."""
        token = token_of(req)
        if token is None:
            return _shown(pages.gone_page(), 404)
        async with tenant_tx(db, Who.system(token.tenant_id, req.request_id)) as tx:
            reader = await actions.reader_of(tx, token.send_id)
        if reader is None:
            return _shown(pages.gone_page(), 404)
        page = pages.done_page if reader.has_unsubscribed else pages.ask_page
        return _shown(page(reader.company, reader.address, f"/u/{req.path['token']}"))

    @routes.post("//u/{token}", scope="public", content_type="text/html")
    async def unsubscribe(db: Database, req: Req[None, None]) -> Reply:
        """Unsubscribe at once: a mail program's one click (List-Unsubscribe=One-Click) or the page's button (confirm=yes)."""
        token = token_of(req)
        if token is None:
            return _shown(pages.gone_page(), 404)
        fields = await _fields(req.http)
        one_click = fields.get(_ONE_CLICK[0], "").strip().lower() == _ONE_CLICK[1].lower()
        if not one_click and fields.get("confirm") != "yes":
            raise Invalid("Post List-Unsubscribe=One-Click as a form (RFC 8058).")
        async with tenant_tx(db, Who.system(token.tenant_id, req.request_id)) as tx:
            reader = await actions.reader_of(tx, token.send_id)
            if reader is not None:
                await actions.unsubscribe(
                    tx,
                    reader.address,
                    "one_click" if one_click else "page",
                    contact_id=reader.contact_id,
                    send_id=reader.send_id,
                )
        if reader is None:
            return _shown(pages.gone_page(), 404)
        return _shown(pages.done_page(reader.company, reader.address, f"/u/{req.path['token']}"))

    @routes.post("//u/{token}/again", scope="public", content_type="text/html")
    async def resubscribe(db: Database, req: Req[None, None]) -> Reply:
        """Take unsubscribing back by the page's button (again=yes)."""
        token = token_of(req)
        if token is None:
            return _shown(pages.gone_page(), 404)
        if (await _fields(req.http)).get("again") != "yes":
            raise Invalid("Post again=yes as a form.")
        async with tenant_tx(db, Who.system(token.tenant_id, req.request_id)) as tx:
            reader = await actions.reader_of(tx, token.send_id)
            if reader is not None:
                await actions.resubscribe(tx, reader.address, reader.contact_id)
        if reader is None:
            return _shown(pages.gone_page(), 404)
        return _shown(pages.again_page(reader.company, reader.address, f"/u/{req.path['token']}"))

    return routes


def _shown(page: str, status: int = 200) -> Reply:
    return Reply(page, status, _HEADERS, "text/html")


async def _fields(request: web.Request) -> dict[str, str]:
    # RFC 8058, section 3.1: multipart/form-data or application/x-www-form-urlencoded.
    if request.content_length is not None and request.content_length > _MAX_FIELDS:
        raise Invalid("The form is longer than it should be.")
    try:
        form = await request.post()
    except ValueError:
        raise Invalid("The form can't be read.") from None
    return {name: value for name, value in form.items() if isinstance(value, str)}
