"""Recording endpoints, and the provider's callbacks about recordings."""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from uuid import UUID

from aiohttp import web

from hub.audit.actions import record_once
from hub.config import Settings
from hub.db import Database, Tx, tenant_tx
from hub.errors import Forbidden, Unavailable
from hub.http.endpoint import Reply, Req, Routes
from hub.providers import Providers
from hub.recordings import actions, queries
from hub.recordings.links import read_key, write_key
from hub.recordings.models import (
    AudioLink,
    CallRecording,
    LinkQuery,
    RecordingFilter,
    RecordingIn,
    RecordingPage,
    RecordingWithTranscript,
)
from hub.recordings.streaming import StoredAudio, audio_reply
from hub.webhooks.inbox import Fields, verified
from hub.webhooks.routes import kept
from hub.who import Who
from integrations.ports import CallbackReader, Say

_WAV = "audio/wav"
# Long enough to hear a call to its end, with pauses; who may not hear any more is refused even so.
_LINK_S = 30 * 60


def recording_routes(settings: Settings, providers: Providers) -> Routes:
    """The recording endpoints, bound to this server's store and telephone account."""
    routes = Routes("recordings")
    keep = functools.partial(kept, routes, providers, settings)
    secret = settings.key("recording-links")

    @routes.get("/recordings", query=RecordingFilter, returns=RecordingPage, allow="recordings:read")
    async def list_recordings(tx: Tx, req: Req[RecordingFilter, None]) -> Reply:
        """The recordings one may hear, newest first: one's own, a manager's everybody's; or those in which something was said."""
        return Reply(await queries.list_recordings(tx, req.query))

    @routes.get("/recordings/{id}", returns=RecordingWithTranscript, allow="recordings:read")
    async def get_recording(tx: Tx, req: Req[None, None]) -> Reply:
        """One recording, with what was said in it."""
        row = await actions.get_heard(tx, req.id())
        if row["transcript"] is not None:
            await record_once(tx, "recording.read", subject_kind="recording", subject_id=req.id())
        return Reply(queries.read_whole(row))

    @routes.delete("/recordings/{id}", allow="recordings:delete", status=204, errors=(409,))
    async def delete_recording(tx: Tx, req: Req[None, None]) -> Reply:
        """Delete a recording here and at the provider, with what was said in it. That it was there stays known."""
        await actions.delete(tx, req.id())
        return Reply()

    @routes.post("/recordings/{id}/link", returns=AudioLink, allow="recordings:read")
    async def link_recording(tx: Tx, req: Req[None, None]) -> Reply:
        """An address for an audio element, which can send no token: for half an hour, and only while one may hear it."""
        recording_id = req.id()
        await actions.get_playable(tx, recording_id)
        key, expires = write_key(secret, req.who.tenant_id, recording_id, req.who.user_id, _LINK_S)
        url = f"/api/v1/media/recordings/{recording_id}?key={key}"
        return Reply({"url": url, "expires_at": datetime.fromtimestamp(expires, UTC)})

    async def play(db: Database, http: web.Request, who: Who, recording_id: UUID) -> Reply:
        async with tenant_tx(db, who) as tx:
            row = await actions.get_playable(tx, recording_id)
            audio = StoredAudio(row["object_key"], row["bytes"], _WAV, f'"{recording_id}"')
            if http.method == "GET":
                await actions.note_listened(tx, recording_id, row["call_id"], who.user_id)
                details = {"call_id": row["call_id"]}
                await record_once(tx, "recording.listened", subject_kind="recording", subject_id=recording_id, details=details)
        return await audio_reply(http, providers.objects, audio)

    @routes.get("/recordings/{id}/audio", scope="db", content_type=_WAV, allow="recordings:read", errors=(409, 416))
    async def recording_audio(db: Database, req: Req[None, None]) -> Reply:
        """The sound as WAV, whole or in parts (Range): the contact in one channel, we in the other. Listening is audited."""
        return await play(db, req.http, req.who, req.id())

    @routes.get("/media/recordings/{id}", scope="public", query=LinkQuery, content_type=_WAV, errors=(403, 409, 416))
    async def linked_audio(db: Database, req: Req[LinkQuery, None]) -> Reply:
        """The sound, at an address from POST /recordings/{id}/link."""
        link = read_key(secret, req.query.key, req.id())
        if link is None or link.user_id is None:
            raise Forbidden("This address is not valid any more. Open the recording again.", code="link_expired")
        async with tenant_tx(db, Who.system(link.tenant_id, req.request_id)) as tx:
            role = await queries.role_of(tx, link.user_id)
        if role is None:
            raise Forbidden("Who opened this is no member any more.", code="link_expired")
        who = Who(link.tenant_id, link.user_id, role, request_id=req.request_id, address=req.address)
        return await play(db, req.http, who, req.id())

    @routes.get("/calls/{id}/recording", returns=CallRecording, allow="recordings:read")
    async def get_call_recording(tx: Tx, req: Req[None, None]) -> Reply:
        """What can be recorded of a call, and what was."""
        return Reply(await actions.describe(tx, req.id()))

    @routes.post("/calls/{id}/recording", body=RecordingIn, returns=CallRecording, status=202, allow="recordings:write")
    async def set_call_recording(tx: Tx, req: Req[None, RecordingIn]) -> Reply:
        """Switch the recording of a live call on, off or to pause (while a card number is said); events tell when it is so."""
        if providers.telephony is None and settings.twilio is None:
            raise Unavailable("No telephone account is set up. Set TWILIO_ACCOUNT_SID and its companions.", retry_after_s=60)
        return Reply(await actions.set_recording(tx, req.id(), req.body.state), 202)

    @keep("/recordings/{id}/status", kind="recording_status", job="recordings.webhook", args={"recording_id": "id"})
    def recording_status(reader: CallbackReader, fields: Fields) -> str:
        """The provider's word on a recording: it began, is complete, or there is none."""
        update = reader.read_recording(fields)
        return f"{update.recording_sid}:{update.status}"

    @keep(
        "/recordings/{id}/transcription", kind="recording_transcription", job="recordings.transcript", args={"recording_id": "id"}
    )
    def recording_transcription(reader: CallbackReader, fields: Fields) -> str:
        """The provider's word on what was said in a recording."""
        update = reader.read_transcription(fields)
        return f"{update.recording_sid}:{update.status}"

    @keep("/recordings/{id}/spoken", kind="recording_spoken", job="recordings.spoken", args={"recording_id": "id"})
    def recording_spoken(reader: CallbackReader, fields: Fields) -> str:
        """The provider's word on what is being said in a call."""
        update = reader.read_spoken(fields)
        return f"{update.transcription_sid}:{update.event}:{update.sequence}"

    @routes.post(
        "//webhooks/twilio/{tenant_id}/calls/{id}/announcement", scope="public", content_type="application/xml", errors=(403,)
    )
    async def recording_announcement(db: Database, req: Req[None, None]) -> Reply:
        """What the contact is told before a recording, as instructions for the provider."""
        await verified(providers.callbacks, settings, req.http, kind="announcement")
        assert providers.twiml is not None
        async with tenant_tx(db, Who.system(req.id("tenant_id"), req.request_id)) as tx:
            words = await queries.announcement(tx, req.id())
        return Reply(providers.twiml.render([Say(words)]), content_type="application/xml")

    return routes
