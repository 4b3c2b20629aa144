"""The provider's callbacks about calls, and its questions what a call shall do."""

from __future__ import annotations

import functools

from hub.calls import placing, rejoining
from hub.calls.joining import conference_name
from hub.config import Settings
from hub.db import Database, tenant_tx
from hub.errors import HubError, NotFound, Unavailable
from hub.http.endpoint import Reply, Req, Routes
from hub.providers import Providers
from hub.webhooks.inbox import Fields, verified
from hub.webhooks.routes import call_update_key, kept
from hub.who import Who
from integrations.ports import CallbackReader, Conference, Digits, Hangup, Say, Step

# What somebody hears who answered when no rep was free: federal rules ask for who called, and no more (16 CFR 310.4(b)(4)).
NOBODY_FREE = "Hello, sorry: we called you, and nobody is free to talk right now. We will not keep you. Goodbye."
NOTHING_TO_JOIN = "There is no call for you to join."
_KEYS = str.maketrans({"p": "#", "s": "*"})


def call_webhooks(settings: Settings, providers: Providers) -> Routes:
    """The provider's side of calls, bound to this server's telephone account."""
    routes = Routes("webhooks")
    reader = providers.callbacks
    keep = functools.partial(kept, routes, providers, settings)

    def instructions(*steps: Step) -> Reply:
        if providers.twiml is None:
            raise Unavailable("No telephone account is set up.", retry_after_s=60)
        return Reply(providers.twiml.render(steps), content_type="application/xml")

    def told(req: Req[None, None]) -> Who:
        return Who.system(req.id("tenant_id"), req.request_id)

    @keep("/calls/{id}/status", kind="call_status", job="calls.webhook", args={"call_id": "id"})
    def call_status(reader: CallbackReader, fields: Fields) -> str:
        """A contact's leg changed its state."""
        return call_update_key(reader, fields)

    @keep(
        "/calls/{id}/legs/{leg_id}/status", kind="leg_status", job="calls.leg_webhook", args={"call_id": "id", "leg_id": "leg_id"}
    )
    def leg_status(reader: CallbackReader, fields: Fields) -> str:
        """The leg of somebody else in a call changed its state."""
        return call_update_key(reader, fields)

    @keep("/calls/{id}/conference", kind="conference_status", job="calls.conference_webhook", args={"call_id": "id"})
    def conference_status(reader: CallbackReader, fields: Fields) -> str:
        """Somebody came into a call's conference or left it."""
        update = reader.read_participant(fields)
        return f"{update.conference_sid}:{update.event}:{update.sequence_number}"

    @keep("/calls/{id}/amd", kind="amd", job="calls.amd_webhook", args={"call_id": "id"})
    def call_answered_by(reader: CallbackReader, fields: Fields) -> str:
        """Who or what answered a call."""
        update = reader.read_amd(fields)
        return f"{update.sid}:{update.answered_by}:{update.greeting_ended}"

    @routes.post(
        "//webhooks/twilio/{tenant_id}/calls/{id}/answered", scope="public", content_type="application/xml", errors=(403, 422)
    )
    async def call_answered(db: Database, req: Req[None, None]) -> Reply:
        """A parallel call was answered: into its conference when the rep is free, else a short word and the end."""
        fields = await verified(reader, settings, req.http, kind="call_answered")
        assert reader is not None
        asking = reader.read_inbound_call(fields)
        async with tenant_tx(db, told(req)) as tx:
            won = await placing.parallel_answer(tx, req.id(), asking.sid)
        if won:
            return instructions(Conference(conference_name(req.id()), end_on_exit=True))
        return instructions(Say(NOBODY_FREE), Hangup())

    @routes.post(
        "//webhooks/twilio/{tenant_id}/calls/{id}/digits/{digits}",
        scope="public",
        content_type="application/xml",
        errors=(403, 422),
    )
    async def call_digits(db: Database, req: Req[None, None]) -> Reply:
        """The keys that a rep presses, for the contact's side to hear."""
        await verified(reader, settings, req.http, kind="call_digits")
        try:
            return instructions(Digits(req.path["digits"].translate(_KEYS)))
        except ValueError:
            raise NotFound("There is nothing at this address.") from None

    @routes.post("//webhooks/twilio/voice", scope="public", content_type="application/xml", errors=(403, 422))
    async def browser_calls(db: Database, req: Req[None, None]) -> Reply:
        """A browser's telephone places a call: its person comes back into their call."""
        fields = await verified(reader, settings, req.http, kind="browser_call")
        assert reader is not None
        asking = reader.read_inbound_call(fields)
        person = rejoining.person_of(asking.from_)
        call_id = None
        if person is not None:
            try:
                async with tenant_tx(db, Who.system(person[0], req.request_id)) as tx:
                    call_id = await rejoining.rejoin(tx, person[1], asking.sid)
            except HubError:
                call_id = None
        if call_id is None:
            return instructions(Say(NOTHING_TO_JOIN), Hangup())
        return instructions(Conference(conference_name(call_id)))

    return routes
