"""The provider's callbacks about calls, and its questions what a call shall do."""

from __future__ import annotations

from collections.abc import Callable

from hub.calls import placing, rejoining
from hub.calls.joining import conference_name
from hub.config import Settings
from hub.db import Database, tenant_tx
from hub.errors import HubError, NotFound, Unavailable
from hub.http.endpoint import Reply, Req, Routes
from hub.providers import Providers
from hub.webhooks.inbox import receive, verified
from hub.who import Who
from integrations.ports import Conference, Digits, Hangup, Say, Step

# What somebody hears who answered when no rep was free: federal rules ask for who called, and no more (16 CFR 310.4(b)(4)).
NOBODY_FREE = "Hello, sorry: we called you, and nobody is free to talk right now. We will not keep you. Goodbye."
NOTHING_TO_JOIN = "There is no call for you to join."
_ARGS = {"call_status": ("call_id",), "leg_status": ("call_id", "leg_id"), "conference_status": ("call_id",), "amd": ("call_id",)}
_KEYS = str.maketrans({"p": "#", "s": "*"})


def call_webhooks(settings: Settings, providers: Providers) -> Routes:
    """The provider's side of calls, bound to this server's telephone account."""
    routes = Routes("webhooks")
    reader = providers.callbacks

    def instructions(*steps: Step) -> Reply:
        if providers.twiml is None:
            raise Unavailable("No telephone account is set up.", retry_after_s=60)
        return Reply(providers.twiml.render(steps), content_type="application/xml")

    def told(req: Req[None, None]) -> Who:
        return Who.system(req.id("tenant_id"), req.request_id)

    async def keep(db: Database, req: Req[None, None], kind: str, job: str, key: Callable[[dict[str, str]], str]) -> Reply:
        args = {name: req.id("id" if name == "call_id" else name) for name in _ARGS[kind]}
        tenant_id = req.id("tenant_id")
        await receive(db, reader, settings, req.http, tenant_id, kind=kind, job=job, args=args, dedupe_key=key)
        return Reply()

    def of_call(fields: dict[str, str]) -> str:
        assert reader is not None
        update = reader.read_call(fields)
        return f"{update.sid}:{update.status}:{update.sequence_number}"

    def of_conference(fields: dict[str, str]) -> str:
        assert reader is not None
        update = reader.read_participant(fields)
        return f"{update.conference_sid}:{update.event}:{update.sequence_number}"

    def of_detection(fields: dict[str, str]) -> str:
        assert reader is not None
        update = reader.read_amd(fields)
        return f"{update.sid}:{update.answered_by}:{update.greeting_ended}"

    @routes.post("//webhooks/twilio/{tenant_id}/calls/{id}/status", scope="public", status=204, errors=(403,))
    async def call_status(db: Database, req: Req[None, None]) -> Reply:
        """A contact's leg changed its state."""
        return await keep(db, req, "call_status", "calls.webhook", of_call)

    @routes.post("//webhooks/twilio/{tenant_id}/calls/{id}/legs/{leg_id}/status", scope="public", status=204, errors=(403,))
    async def leg_status(db: Database, req: Req[None, None]) -> Reply:
        """The leg of somebody else in a call changed its state."""
        return await keep(db, req, "leg_status", "calls.leg_webhook", of_call)

    @routes.post("//webhooks/twilio/{tenant_id}/calls/{id}/conference", scope="public", status=204, errors=(403,))
    async def conference_status(db: Database, req: Req[None, None]) -> Reply:
        """Somebody came into a call's conference or left it."""
        return await keep(db, req, "conference_status", "calls.conference_webhook", of_conference)

    @routes.post("//webhooks/twilio/{tenant_id}/calls/{id}/amd", scope="public", status=204, errors=(403,))
    async def call_answered_by(db: Database, req: Req[None, None]) -> Reply:
        """Who or what answered a call."""
        return await keep(db, req, "amd", "calls.amd_webhook", of_detection)

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
