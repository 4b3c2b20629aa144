"""Tracking over HTTP: the settings and rules, and the public addresses that stand in mail."""

from __future__ import annotations

import base64
from dataclasses import asdict
from typing import Literal

from hub.config import Settings
from hub.db import Database, Tx, tenant_tx
from hub.errors import NotFound
from hub.http.caller import caller_of
from hub.http.endpoint import Reply, Req, Routes
from hub.tracking import actions, domains, queries
from hub.tracking.actions import Fetch
from hub.tracking.models import TrackedSend, TrackingDomain, TrackingRules, TrackingSettings
from hub.tracking.rules import RULES
from hub.tracking.tokens import MailToken, read_token
from hub.who import Who

_PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
# Each opening is asked for anew, and the page that is clicked on does not learn the token.
_ANEW = {"Cache-Control": "no-store, max-age=0", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}


def tracking_routes(settings: Settings) -> Routes:
    """The endpoints, bound to this server's keys."""
    routes = Routes("tracking")

    @routes.get("/tracking/settings", returns=TrackingSettings, allow="settings:read")
    async def get_tracking_settings(tx: Tx, req: Req[None, None]) -> Reply:
        """Where opens and clicks are looked for."""
        return Reply(await queries.get_settings(tx))

    @routes.put("/tracking/settings", body=TrackingSettings, returns=TrackingSettings, allow="settings:write")
    async def save_tracking_settings(tx: Tx, req: Req[None, TrackingSettings]) -> Reply:
        """Set where opens and clicks are looked for, all of it; what is left out is set to what it is at first."""
        return Reply(await actions.save_settings(tx, req.body))

    @routes.get("/tracking/domain", returns=TrackingDomain, allow="settings:read")
    async def get_tracking_domain(tx: Tx, req: Req[None, None]) -> Reply:
        """How the domain for links stands: whether it is used, and why not."""
        return Reply(await queries.get_domain(tx))

    @routes.post("/tracking/domain/check", returns=TrackingDomain, allow="settings:write", errors=(409,))
    async def check_tracking_domain(tx: Tx, req: Req[None, None]) -> Reply:
        """Have the domain for links looked at again; how it stands until then."""
        return Reply(await domains.check_again(tx))

    @routes.get("/" + domains.PATH + "{challenge}", scope="public", content_type="text/plain")
    async def answer_challenge(db: Database, req: Req[None, None]) -> Reply:
        """Answer as only this installation can, for seeing whether a domain leads here."""
        challenge = req.path["challenge"]
        if not 16 <= len(challenge) <= 100 or not challenge.isalnum() or not challenge.isascii():
            raise _nothing()
        answer = domains.answer_to(settings, challenge).encode()
        return Reply(answer, headers={"Cache-Control": "no-store"}, content_type="text/plain")

    @routes.get("/tracking/rules", returns=TrackingRules, allow="settings:read")
    async def list_tracking_rules(tx: Tx, req: Req[None, None]) -> Reply:
        """By which rules an open or a click is taken for a machine's, in the order in which they are asked."""
        return Reply({"data": [asdict(rule) for rule in RULES]})

    @routes.get("/mail/sends/{id}/tracking", returns=TrackedSend, allow="mail:read")
    async def get_mail_tracking(tx: Tx, req: Req[None, None]) -> Reply:
        """What was fetched of a mail that one sent or may see, machines included, with the rule that found each of them."""
        text = await queries.get_tracked(tx, req.id())
        if text is None:
            raise NotFound("There is no such mail, or nothing was tracked of it.", code="send_not_found")
        return Reply(text)

    async def noted(
        db: Database, req: Req[None, None], token: MailToken, kind: Literal["open", "click"], position: int | None
    ) -> str | None:
        address, agent = caller_of(req.http, settings.trusted_proxies)
        async with tenant_tx(db, Who.system(token.tenant_id, req.request_id), lasting=False) as tx:
            await actions.note_hit(tx, token.send_id, kind, position, Fetch(req.http.method, agent, address))
            return await queries.link_of(tx, token.send_id, position) if position is not None else None

    async def opened(db: Database, req: Req[None, None]) -> Reply:
        token = read_token(settings, "open", req.path["token"])
        if token is None:
            raise _nothing()
        await noted(db, req, token, "open", None)
        return Reply(_PIXEL, headers=_ANEW, content_type="image/gif")

    async def clicked(db: Database, req: Req[None, None]) -> Reply:
        token = read_token(settings, "click", req.path["token"])
        url = await noted(db, req, token, "click", token.position) if token is not None else None
        if url is None:
            raise _nothing()
        return Reply(b"", 302, {**_ANEW, "Location": url}, content_type="text/html")

    @routes.get("//t/o/{token}.gif", scope="public", content_type="image/gif")
    async def mail_picture(db: Database, req: Req[None, None]) -> Reply:
        """The picture of a mail that is tracked; that it was fetched is kept and judged later."""
        return await opened(db, req)

    @routes.add("HEAD", "//t/o/{token}.gif", scope="public", content_type="image/gif")
    async def mail_picture_asked(db: Database, req: Req[None, None]) -> Reply:
        """The picture, only asked about."""
        return await opened(db, req)

    @routes.get("//t/c/{token}", scope="public", status=302, content_type="text/html")
    async def mail_link(db: Database, req: Req[None, None]) -> Reply:
        """A link of a mail that is tracked: leads to where it was written to lead, and nowhere else."""
        return await clicked(db, req)

    @routes.add("HEAD", "//t/c/{token}", scope="public", status=302, content_type="text/html")
    async def mail_link_asked(db: Database, req: Req[None, None]) -> Reply:
        """The link, only asked about."""
        return await clicked(db, req)

    return routes


def _nothing() -> NotFound:
    return NotFound("There is nothing at this address. The mail may be too old, or the address incomplete.")
