"""Mail endpoints: conversations, their messages and files."""

from __future__ import annotations

from hub.clock import Clock
from hub.config import Settings
from hub.contacts.actions import missing as contact_missing
from hub.contacts.queries import contact_exists
from hub.db import Database, Tx, tenant_tx
from hub.errors import NotFound
from hub.http.endpoint import Reply, Req, Routes
from hub.mail import actions, queries
from hub.mail.compose_routes import add_compose_routes
from hub.mail.files import BINARY, ORIGINAL, download, part_of, read_object, safe_name
from hub.mail.models import AssigneeIn, MailThread, MailThreadFilter, MailThreadPage, MailThreadWithItems, SnoozeIn
from hub.mail.noting import note_read, note_taken
from hub.providers import Providers


def mail_routes(settings: Settings, providers: Providers) -> Routes:
    """The mail endpoints, bound to this server's store and clock."""
    routes = Routes("mail")
    clock = Clock.parse(settings.clock)

    @routes.get("/mail/threads", query=MailThreadFilter, returns=MailThreadPage, allow="mail:read")
    async def list_mail_threads(tx: Tx, req: Req[MailThreadFilter, None]) -> Reply:
        """Conversations that one may see, the one with the newest message first; or those in which words stand (q)."""
        return Reply(await queries.list_threads(tx, req.query))

    @routes.get("/contacts/{id}/mail", query=MailThreadFilter, returns=MailThreadPage, allow="mail:read")
    async def list_contact_mail(tx: Tx, req: Req[MailThreadFilter, None]) -> Reply:
        """Conversations with a contact that one may see, newest first; all of them unless a view is asked for."""
        if not await contact_exists(tx, req.id()):
            raise contact_missing()
        asked = req.query if "view" in req.query.model_fields_set else req.query.model_copy(update={"view": "all"})
        return Reply(await queries.list_threads(tx, asked, req.id()))

    @routes.get("/mail/threads/{id}", returns=MailThreadWithItems, allow="mail:read")
    async def get_mail_thread(tx: Tx, req: Req[None, None]) -> Reply:
        """One conversation with its messages, oldest first."""
        whole = await queries.read_whole(tx, req.id())
        await note_read(tx, req.id())
        return Reply(whole)

    @routes.post("/mail/threads/{id}/read", returns=MailThread, allow="mail:read")
    async def read_mail_thread(tx: Tx, req: Req[None, None]) -> Reply:
        """Note that a conversation was read."""
        return Reply(await actions.mark_read(tx, req.id(), True))

    @routes.post("/mail/threads/{id}/unread", returns=MailThread, allow="mail:read")
    async def unread_mail_thread(tx: Tx, req: Req[None, None]) -> Reply:
        """Make the newest message that came unread again."""
        return Reply(await actions.mark_read(tx, req.id(), False))

    @routes.post("/mail/threads/{id}/done", returns=MailThread, allow="mail:write")
    async def finish_mail_thread(tx: Tx, req: Req[None, None]) -> Reply:
        """Take a conversation out of the inbox; an answer brings it back."""
        return Reply(await actions.set_state(tx, req.id(), "done"))

    @routes.post("/mail/threads/{id}/reopen", returns=MailThread, allow="mail:write")
    async def reopen_mail_thread(tx: Tx, req: Req[None, None]) -> Reply:
        """Put a conversation back into the inbox."""
        return Reply(await actions.set_state(tx, req.id(), "open"))

    @routes.put("/mail/threads/{id}/assignee", body=AssigneeIn, returns=MailThread, allow="mail:write")
    async def assign_mail_thread(tx: Tx, req: Req[None, AssigneeIn]) -> Reply:
        """Give a conversation to a member, or to nobody."""
        return Reply(await actions.assign(tx, req.id(), req.body.user_id))

    @routes.put("/mail/threads/{id}/snooze", body=SnoozeIn, returns=MailThread, allow="mail:write")
    async def snooze_mail_thread(tx: Tx, req: Req[None, SnoozeIn]) -> Reply:
        """Put a conversation off until a time; an answer brings it back sooner."""
        return Reply(await actions.snooze(tx, req.id(), req.body.until, clock.now()))

    @routes.post("/mail/threads/{id}/writing", returns=MailThread, allow="mail:write", errors=(409,))
    async def begin_writing(tx: Tx, req: Req[None, None]) -> Reply:
        """Say, every few seconds, that one is writing an answer; 409 tells who else is."""
        return Reply(await actions.begin_writing(tx, req.id()))

    @routes.delete("/mail/threads/{id}/writing", status=204, allow="mail:write")
    async def stop_writing(tx: Tx, req: Req[None, None]) -> Reply:
        """Say that one writes no more."""
        await actions.stop_writing(tx, req.id())
        return Reply()

    @routes.get("/mail/messages/{id}/attachments/{index}", scope="db", content_type=BINARY, allow="mail:read")
    async def get_mail_attachment(db: Database, req: Req[None, None]) -> Reply:
        """A file of a message, to save."""
        digits = req.path["index"]
        if not (digits.isascii() and digits.isdigit() and len(digits) < 6):
            raise NotFound("This message has no such file.", code="attachment_not_found")
        async with tenant_tx(db, req.who) as tx:
            message = await queries.get_message(tx, req.id())
            file = await queries.get_attachment(tx, req.id(), int(digits))
            await note_taken(tx, req.id(), file=True)
        raw = await read_object(providers.objects, message["object_key"])
        return download(await part_of(raw, int(digits)), file["filename"])

    @routes.get("/mail/messages/{id}/original", scope="db", content_type=ORIGINAL, allow="mail:read")
    async def get_mail_original(db: Database, req: Req[None, None]) -> Reply:
        """A message as it came, with all its headers (RFC 5322), to save."""
        async with tenant_tx(db, req.who) as tx:
            message = await queries.get_message(tx, req.id())
            await note_taken(tx, req.id())
        raw = await read_object(providers.objects, message["object_key"])
        return download(raw, safe_name(message["subject"], "message") + ".eml", ORIGINAL)

    add_compose_routes(routes, clock, providers)
    return routes
