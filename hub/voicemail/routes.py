"""Endpoints of messages to leave on answering machines."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

from hub.calls.models import Call
from hub.config import Settings
from hub.db import Database, Tx, tenant_tx
from hub.errors import Forbidden, HubError, TooLarge, Unavailable
from hub.http.endpoint import Reply, Req, Routes
from hub.http.paging import PageQuery
from hub.providers import Providers
from hub.recordings.models import AudioLink, LinkQuery
from hub.recordings.streaming import StoredAudio, audio_reply
from hub.voicemail import actions, queries
from hub.voicemail.links import opened, player_path
from hub.voicemail.models import DropIn, VoicemailDrop, VoicemailDropForm, VoicemailDropPage
from hub.voicemail.upload import check_name, check_sound, read_form
from hub.who import Who
from integrations.errors import CircuitOpen, Rejected, Transient

_KINDS = "audio/wav, audio/mpeg"


def voicemail_routes(settings: Settings, providers: Providers) -> Routes:
    """The endpoints, bound to this server's store."""
    routes = Routes("voicemail")

    @routes.get("/voicemail-drops", query=PageQuery, returns=VoicemailDropPage, allow="calls:read")
    async def list_voicemail_drops(tx: Tx, req: Req[PageQuery, None]) -> Reply:
        """One's own messages and the shared ones, newest first."""
        return Reply(await queries.list_drops(tx, req.query.limit, req.query.cursor))

    @routes.post(
        "/voicemail-drops",
        scope="db",
        upload=VoicemailDropForm,
        returns=VoicemailDrop,
        status=201,
        allow="calls:write",
        errors=(409, TooLarge.status),
    )
    async def create_voicemail_drop(db: Database, req: Req[None, None]) -> Reply:
        """Keep a recorded message: WAV or MP3, at most two minutes. Shared ones are managers' to keep."""
        store = providers.objects
        if store is None:
            raise Unavailable("No store for recordings is set up. Set RINGSIDE_OBJECTS.", retry_after_s=60)
        form = await read_form(req.http)
        name, shared = check_name(form.texts)
        if shared and not req.who.is_manager:
            raise Forbidden("Messages for everybody are kept by managers. Save it as your own.")
        sound = await check_sound(form.data)
        assert form.data is not None
        drop_id = uuid4()
        key = actions.object_key(req.who.tenant_id, drop_id, sound)
        try:
            size = await store.put(key, _whole(form.data), sound.content_type)
        except (Transient, Rejected, CircuitOpen):
            raise Unavailable("The store of recordings does not answer. Try again in a moment.", retry_after_s=2) from None
        try:
            async with tenant_tx(db, req.who) as tx:
                text = await actions.keep_drop(tx, drop_id, name, shared, sound, key, size)
        except HubError:
            await store.delete(key)
            raise
        return Reply(text, 201, {"Location": f"/api/v1/voicemail-drops/{drop_id}"})

    @routes.get("/voicemail-drops/{id}", returns=VoicemailDrop, allow="calls:read")
    async def get_voicemail_drop(tx: Tx, req: Req[None, None]) -> Reply:
        """One message."""
        return Reply((await actions.get_drop(tx, req.id()))["json"])

    @routes.delete("/voicemail-drops/{id}", status=204, allow="calls:write")
    async def delete_voicemail_drop(tx: Tx, req: Req[None, None]) -> Reply:
        """Delete one's own message, or as a manager a shared one."""
        await actions.delete_drop(tx, req.id())
        return Reply()

    @routes.post("/voicemail-drops/{id}/link", returns=AudioLink, allow="calls:read")
    async def link_voicemail_drop(tx: Tx, req: Req[None, None]) -> Reply:
        """An address for an audio element, which can send no token, for half an hour."""
        await actions.get_drop(tx, req.id())
        assert req.who.user_id is not None
        url, expires = player_path(settings, req.who.tenant_id, req.id(), req.who.user_id)
        return Reply({"url": url, "expires_at": datetime.fromtimestamp(expires, UTC)})

    @routes.get("/voicemail-drops/{id}/audio", scope="db", content_type=_KINDS, allow="calls:read", errors=(416,))
    async def voicemail_drop_audio(db: Database, req: Req[None, None]) -> Reply:
        """The message's sound, whole or in parts (Range)."""
        async with tenant_tx(db, req.who) as tx:
            row = await actions.get_drop(tx, req.id())
        audio = StoredAudio(row["object_key"], row["bytes"], row["content_type"], f'"{req.id()}"')
        return await audio_reply(req.http, providers.objects, audio)

    @routes.get("/media/voicemail-drops/{id}", scope="public", query=LinkQuery, content_type=_KINDS, errors=(403, 416))
    async def linked_voicemail_drop(db: Database, req: Req[LinkQuery, None]) -> Reply:
        """The message's sound, at a signed address: for the telephone provider, and for audio elements."""
        link = opened(settings, req.query.key, req.id())
        if link is None:
            raise Forbidden("This address is not valid any more.", code="link_expired")
        async with tenant_tx(db, Who.system(link.tenant_id, req.request_id)) as tx:
            row = await queries.file_of(tx, req.id())
        if row is None:
            raise actions.missing()
        audio = StoredAudio(row["object_key"], row["bytes"], row["content_type"], f'"{req.id()}"')
        return await audio_reply(req.http, providers.objects, audio)

    @routes.post("/calls/{id}/drop", body=DropIn, returns=Call, status=202, allow="calls:write")
    async def drop_voicemail(tx: Tx, req: Req[None, DropIn]) -> Reply:
        """Leave a message on the machine that answered: the rep is out of the call at once, which ends after the message."""
        return Reply(await actions.leave_drop(tx, req.id(), req.body.drop_id), 202)

    return routes


async def _whole(data: bytes) -> AsyncIterator[bytes]:
    yield data
