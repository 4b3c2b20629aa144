"""Mail endpoints: drafts, sending with time to undo, what failed or is in doubt."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

from hub.clock import Clock
from hub.db import Database, Tx, tenant_tx
from hub.errors import HubError, Invalid, TooLarge
from hub.http.endpoint import Reply, Req, Routes
from hub.http.paging import PageQuery
from hub.mail import composing, queries
from hub.mail.files import keep_object, read_upload
from hub.mail.models import (
    MailDraft,
    MailDraftIn,
    MailDraftPage,
    MailDraftPatch,
    MailFileForm,
    MailSend,
    MailSendIn,
    MailSendPage,
    SendFilter,
)
from hub.mail.values import MailFile
from hub.permits.replies import refused
from hub.providers import Providers


def add_compose_routes(routes: Routes, clock: Clock, providers: Providers) -> None:
    """Add what is written to the mail endpoints."""

    @routes.get("/mail/drafts", query=PageQuery, returns=MailDraftPage, allow="mail:read")
    async def list_mail_drafts(tx: Tx, req: Req[PageQuery, None]) -> Reply:
        """One's own drafts, newest first."""
        return Reply(await queries.list_drafts(tx, req.query))

    @routes.post("/mail/drafts", body=MailDraftIn, returns=MailDraft, status=201, allow="mail:write", errors=(404,))
    async def create_mail_draft(tx: Tx, req: Req[None, MailDraftIn]) -> Reply:
        """Begin a mail, or an answer."""
        return _tagged(*await composing.begin_draft(tx, req.body), 201)

    @routes.get("/mail/drafts/{id}", returns=MailDraft, allow="mail:read")
    async def get_mail_draft(tx: Tx, req: Req[None, None]) -> Reply:
        """One's own draft, with its version as ETag."""
        draft = await queries.get_draft(tx, req.id())
        return _tagged(draft["json"], draft["version"])

    @routes.patch("/mail/drafts/{id}", body=MailDraftPatch, returns=MailDraft, allow="mail:write", errors=(412,))
    async def update_mail_draft(tx: Tx, req: Req[None, MailDraftPatch]) -> Reply:
        """Change one's own draft; If-Match guards against overwriting what was written in another window."""
        return _tagged(*await composing.change_draft(tx, req.id(), req.body, _if_match(req)))

    @routes.delete("/mail/drafts/{id}", scope="db", status=204, allow="mail:write")
    async def delete_mail_draft(db: Database, req: Req[None, None]) -> Reply:
        """Throw one's own draft away."""
        async with tenant_tx(db, req.who) as tx:
            keys = await composing.delete_draft(tx, req.id())
        for key in keys if providers.objects is not None else ():
            assert providers.objects is not None
            await providers.objects.delete(key)
        return Reply()

    @routes.post(
        "/mail/drafts/{id}/attachments",
        scope="db",
        upload=MailFileForm,
        returns=MailDraft,
        status=201,
        allow="mail:write",
        errors=(TooLarge.status,),
    )
    async def attach_to_mail_draft(db: Database, req: Req[None, None]) -> Reply:
        """Add a file to one's own draft."""
        async with tenant_tx(db, req.who) as tx:
            await queries.get_draft(tx, req.id())
        upload = await read_upload(req.http)
        key = f"mail/{req.who.tenant_id}/drafts/{uuid4()}"
        await keep_object(providers.objects, key, upload.content, upload.content_type)
        try:
            async with tenant_tx(db, req.who) as tx:
                file = MailFile(key, upload.filename, upload.content_type, len(upload.content))
                text, version = await composing.attach(tx, req.id(), file)
        except HubError:
            assert providers.objects is not None
            await providers.objects.delete(key)
            raise
        return _tagged(text, version, 201)

    @routes.post("/mail/drafts/{id}/send", body=MailSendIn, returns=MailSend, status=202, allow="mail:write")
    async def send_mail_draft(tx: Tx, req: Req[None, MailSendIn]) -> Reply:
        """Send one's own draft: in ten seconds, in which it can be undone, or at a time of its own."""
        text, permit = await composing.send_draft(tx, req.id(), req.body.send_at, clock.now())
        return refused(permit, req.request_id) if permit is not None else Reply(text, 202)

    @routes.get("/mail/sends", query=SendFilter, returns=MailSendPage, allow="mail:read")
    async def list_mail_sends(tx: Tx, req: Req[SendFilter, None]) -> Reply:
        """One's own mails on their way, sent, failed or in doubt, newest first."""
        return Reply(await queries.list_sends(tx, req.query))

    @routes.get("/mail/sends/{id}", returns=MailSend, allow="mail:read")
    async def get_mail_send(tx: Tx, req: Req[None, None]) -> Reply:
        """How one's own mail stands."""
        return Reply(await queries.read_send(tx, req.id()))

    @routes.post("/mail/sends/{id}/undo", returns=MailDraft, allow="mail:write", errors=(409,))
    async def undo_mail_send(tx: Tx, req: Req[None, None]) -> Reply:
        """Take one's own mail back into the drafts while it waits."""
        return _tagged(*await composing.undo(tx, req.id()))

    @routes.post("/mail/sends/{id}/retry", returns=MailSend, allow="mail:write", errors=(409,))
    async def retry_mail_send(tx: Tx, req: Req[None, None]) -> Reply:
        """Send one's own mail again that failed, or that is in doubt and did not arrive."""
        return Reply(await composing.retry(tx, req.id()))

    @routes.post("/mail/sends/{id}/discard", returns=MailSend, allow="mail:write", errors=(409,))
    async def discard_mail_send(tx: Tx, req: Req[None, None]) -> Reply:
        """Let one's own mail be that failed, is in doubt or waits."""
        return Reply(await composing.discard(tx, req.id()))


def _tagged(text: str, version: int, status: int = 200) -> Reply:
    return Reply(text, status, {"ETag": f'"{version}"'})


def _if_match(req: Req[Any, Any]) -> int | None:
    given = req.http.headers.get("If-Match", "*").strip()
    if given == "*":
        return None
    match = re.fullmatch(r'(?:W/)?"?(\d{1,9})"?', given)
    if match is None:
        raise Invalid.field("If-Match", "Send the ETag of the draft as it was given, or leave the header out.")
    return int(match.group(1))
