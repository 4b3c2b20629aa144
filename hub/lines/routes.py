"""How reps talk, their open lines, the softphone's tokens, and the company's voice settings, over HTTP."""

from __future__ import annotations

from hub.config import Settings
from hub.db import Tx
from hub.errors import Conflict, Unavailable
from hub.http.endpoint import Reply, Req, Routes
from hub.lines import actions
from hub.lines.kinds import identity_of, kinds_of, way_to
from hub.lines.models import Line, LineChoice, LineChoiceIn, SoftphoneToken, VoiceSettings
from hub.providers import Providers
from hub.webhooks.inbox import Fields
from hub.webhooks.routes import call_update_key, kept
from hub.who import Who
from integrations.ports import CallbackReader

TOKEN_S = 3600


def line_routes(settings: Settings, providers: Providers) -> Routes:
    """The endpoints of lines, bound to this server's telephone account."""
    routes = Routes("voice")
    kinds = kinds_of(settings)

    def described(who: Who, choice: actions.Choice) -> LineChoice:
        assert who.user_id is not None
        way = way_to(settings, who.tenant_id, who.user_id, choice.kind, choice.phone)
        identity = identity_of(who.tenant_id, who.user_id)
        return LineChoice(
            kind=choice.kind, phone=choice.phone, in_use=way.kind if way else None, kinds=list(kinds), identity=identity
        )

    @routes.get("/voice/line", returns=LineChoice, allow="calls:read")
    async def get_line_choice(tx: Tx, req: Req[None, None]) -> Reply:
        """How one talks oneself, and what can be chosen."""
        assert req.who.user_id is not None
        return Reply(described(req.who, await actions.choice_of(tx, req.who.user_id)))

    @routes.put("/voice/line", body=LineChoiceIn, returns=LineChoice, allow="calls:write")
    async def put_line_choice(tx: Tx, req: Req[None, LineChoiceIn]) -> Reply:
        """Choose how one talks."""
        assert req.who.user_id is not None
        return Reply(described(req.who, await actions.choose(tx, req.who.user_id, req.body.kind, req.body.phone, kinds)))

    @routes.post("/voice/token", returns=SoftphoneToken, allow="calls:write", errors=(503,))
    async def make_voice_token(tx: Tx, req: Req[None, None]) -> Reply:
        """What the browser's telephone signs in with."""
        who = req.who
        if providers.tokens is None:
            raise Unavailable(
                "No softphone is set up. Set TWILIO_API_KEY_SID, TWILIO_API_KEY_SECRET and TWILIO_TWIML_APP_SID.",
                retry_after_s=60,
            )
        assert who.user_id is not None
        identity = identity_of(who.tenant_id, who.user_id)
        return Reply(SoftphoneToken(token=providers.tokens.mint(identity, TOKEN_S), identity=identity, expires_in=TOKEN_S))

    @routes.get("/voice/settings", returns=VoiceSettings, allow="settings:read")
    async def get_voice_settings(tx: Tx, req: Req[None, None]) -> Reply:
        """What the company has settled about its calls."""
        return Reply(await actions.read_settings(tx))

    @routes.put("/voice/settings", body=VoiceSettings, returns=VoiceSettings, allow="settings:write")
    async def put_voice_settings(tx: Tx, req: Req[None, VoiceSettings]) -> Reply:
        """Settle the company's calls. What is left out gets its default."""
        return Reply(await actions.put_settings(tx, req.body))

    @routes.post("/lines", returns=Line, status=201, allow="calls:write", errors=(409, 503))
    async def open_line(tx: Tx, req: Req[None, None]) -> Reply:
        """Open one's line, which stays between calls; the one that is open already is returned."""
        who = req.who
        assert who.user_id is not None
        if settings.twilio is None:
            raise Unavailable("No telephone account is set up. Set TWILIO_ACCOUNT_SID and its companions.", retry_after_s=60)
        choice = await actions.choice_of(tx, who.user_id)
        way = way_to(settings, who.tenant_id, who.user_id, choice.kind, choice.phone)
        if way is None:
            raise Conflict("Choose first how you want to talk: no softphone is set up here.", code="no_line_chosen")
        line_id = await actions.open_line(tx, who.user_id, way, settings.twilio.from_number)
        return Reply(await actions.read_line(tx, line_id), 201)

    @routes.get("/lines/{id}", returns=Line, allow="calls:read")
    async def get_line(tx: Tx, req: Req[None, None]) -> Reply:
        """One line."""
        return Reply(await actions.read_line(tx, req.id()))

    @routes.delete("/lines/{id}", returns=Line, status=202, allow="calls:write", errors=(409,))
    async def close_line(tx: Tx, req: Req[None, None]) -> Reply:
        """End a line; the state follows as soon as the provider has done it."""
        return Reply(await actions.close_line(tx, req.id()), 202)

    @kept(routes, providers, settings, "/lines/{id}/status", kind="line_status", job="lines.webhook", args={"line_id": "id"})
    def line_status(reader: CallbackReader, fields: Fields) -> str:
        """A rep's line changed its state."""
        return call_update_key(reader, fields)

    return routes
