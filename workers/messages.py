"""The jobs of text messages: between two transactions of hub.messages, the provider."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hub.messages import receiving, sending
from hub.messages.sending import DOUBT_S, Heard
from hub.replies.actions import follow_message
from hub.webhooks.inbox import read_delivery
from integrations.errors import CircuitOpen, Rejected, Transient
from integrations.ports import CallbackReader, Messaging, ProviderMessage, SendMessage
from workers.cron import duty
from workers.job import Deps, Permanent, Run, job

# The provider's clock and ours may differ by this much when its list of messages is searched.
_CLOCK_SLACK = timedelta(seconds=5)
# A message of which nothing was heard for so long is asked about.
_SILENT_S = 30.0


def _messaging(run: Run) -> Messaging:
    if run.deps.messaging is None:
        raise Permanent("No telephone account is set up.")
    return run.deps.messaging


def _reader(run: Run) -> CallbackReader:
    if run.deps.callbacks is None:
        raise Permanent("No telephone account is set up.")
    return run.deps.callbacks


def _heard(message: ProviderMessage) -> Heard:
    return Heard(message.sid, message.state, message.error_code, message.error)


@job("messages.send", timeout_s=20.0, backoff_s=0.5)
async def send(run: Run) -> None:
    """Send a message at the provider, at most once whatever dies in between."""
    message_id = UUID(run.job.args["message_id"])
    messaging = _messaging(run)
    async with run.tx() as tx:
        plan = await sending.begin_send(tx, message_id)
    if plan.kind == "nothing":
        return
    if plan.kind == "look":
        await _look_again(run, message_id, plan)
        return
    callback = run.deps.settings.public_url + sending.status_path(run.job.tenant_id, message_id)
    try:
        sent = await messaging.send(SendMessage(plan.to, plan.from_, plan.body, callback))
    except Rejected as exc:
        async with run.finish() as tx:
            await sending.fail(tx, message_id, exc.message, exc.code)
        return
    except (CircuitOpen, Transient) as exc:
        if not (isinstance(exc, Transient) and exc.ambiguous):
            async with run.tx() as tx:
                await sending.forget_asking(tx, message_id)
        raise
    async with run.finish() as tx:
        await sending.hear(tx, message_id, _heard(sent))


async def _look_again(run: Run, message_id: UUID, plan: sending.Plan) -> None:
    """An earlier attempt asked and its answer was lost: adopt the provider's message if there is one, before sending again."""
    assert plan.asked_at is not None
    there = await _messaging(run).find(plan.to, plan.from_, plan.asked_at - _CLOCK_SLACK)
    same = [message for message in there if message.body in (plan.body, "")]
    async with run.tx() as tx:
        unknown = await sending.strangers(tx, [message.sid for message in same])
    found = next((message for message in same if message.sid in unknown), None)
    if found is not None:
        async with run.finish() as tx:
            await sending.hear(tx, message_id, _heard(found))
        return
    if datetime.now(UTC) - plan.asked_at < timedelta(seconds=DOUBT_S):
        raise Transient("The provider does not show the message whose answer was lost; looking again.", retry_after=2.0)
    async with run.tx() as tx:
        await sending.forget_asking(tx, message_id)
    raise Transient("The provider never had the message; it may be sent.", retry_after=0.0)


@job("messages.status", timeout_s=10.0, backoff_s=0.2)
async def status(run: Run) -> None:
    """Take in what a stored callback says of a message."""
    async with run.finish() as tx:
        update = _reader(run).read_message(await read_delivery(tx, UUID(run.job.args["delivery_id"])))
        heard = Heard(update.sid, update.state, update.error_code, update.error)
        await sending.hear(tx, UUID(run.job.args["message_id"]), heard)


@job("messages.inbound", timeout_s=10.0, backoff_s=0.2)
async def inbound(run: Run) -> None:
    """Take in a message that came."""
    number_id = run.job.args["number_id"]
    async with run.finish() as tx:
        came = _reader(run).read_inbound_message(await read_delivery(tx, UUID(run.job.args["delivery_id"])))
        received = await receiving.receive_message(tx, UUID(number_id) if number_id else None, came)
        if received is not None:
            await follow_message(tx, received, run.deps.clock.now())


@job("messages.check", timeout_s=20.0)
async def check(run: Run) -> None:
    """Ask the provider about a message of which nothing was heard for a while."""
    message_id = UUID(run.job.args["message_id"])
    async with run.tx() as tx:
        plan = await sending.check_plan(tx, message_id)
    if plan.kind == "nothing":
        return
    if plan.sid is None:
        # Whoever was to send it may be gone; sending looks before it acts.
        async with run.finish() as tx:
            await tx.defer("messages.send", {"message_id": message_id}, max_attempts=20)
        return
    known = await _messaging(run).fetch(plan.sid)
    async with run.finish() as tx:
        if known is None:
            await sending.fail(tx, message_id, "The telephone provider does not know this message any more.")
        else:
            await sending.hear(tx, message_id, _heard(known))


@duty(every_s=10.0)
async def check_silent_messages(deps: Deps) -> None:
    """Ask about messages on their way that nothing was heard of."""
    await sending.check_silent_messages(deps.db, _SILENT_S)
