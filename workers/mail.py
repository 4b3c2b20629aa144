"""The jobs of mail that goes out: between two transactions of hub.mail, the provider."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import structlog

from hub.mail import delivering, labels, snoozing
from hub.mail.delivering import Plan
from hub.mailboxes.actions import mark_revoked
from hub.mailboxes.opening import AccessGone, NoMail, access_is_gone, in_words, open_mailbox
from hub.mailboxes.queries import get_row
from hub.mailboxes.rows import MailboxRow
from hub.mailboxes.syncing import note_taken
from hub.replies.actions import follow
from hub.tracking.plain import as_written
from hub.tracking.sending import Outgoing, prepare
from integrations.errors import CircuitOpen, Rejected, Transient
from integrations.mail import Mailbox, RawMessage, SentMail
from integrations.mime import Address, Draft, NewAttachment, compose_message, read_message
from workers.cron import duty
from workers.job import Deps, Permanent, Run, job

# The provider's clock and ours may differ by this much when its list of sent mail is searched.
_CLOCK_SLACK = timedelta(minutes=2)

_log = structlog.get_logger("workers.mail")


@job("mail.send", timeout_s=40.0, backoff_s=0.5)
async def send(run: Run) -> None:
    """Send a mail, exactly once, whatever dies in between."""
    send_id = UUID(run.job.args["send_id"])
    async with run.tx() as tx:
        plan = await delivering.prepare(tx, send_id, run.deps.clock.now())
    if plan.kind == "nothing":
        return
    assert plan.mailbox is not None
    try:
        mailbox = open_mailbox(run.deps, plan.mailbox)
    except NoMail as exc:
        raise Permanent(str(exc)) from None
    except Exception as exc:
        if not access_is_gone(exc):
            raise
        await _shut_out(run, plan, exc)
        return
    try:
        if plan.kind == "look":
            await _look(run, plan, mailbox)
        else:
            await _send(run, plan, mailbox)
    finally:
        await mailbox.close()


async def _send(run: Run, plan: Plan, mailbox: Mailbox) -> None:
    """The first attempt, or the first since the provider certainly had nothing."""
    assert plan.mailbox is not None
    try:
        raw = await _compose(run, await _instrumented(run, plan))
    except ValueError as exc:
        async with run.finish() as tx:
            await delivering.fail(tx, plan.send_id, f"The mail can't be written: {exc}.")
        return
    object_key = await _keep(run, plan, raw)
    before = time.monotonic()
    async with run.tx() as tx:
        if not await delivering.intend(tx, plan.send_id, run.deps.clock.now()):
            return
    if time.monotonic() - before > delivering.BEGIN_WITHIN_S:
        # So late another worker may have begun to doubt; it is the intent's turn to be looked at.
        raise Transient("The intent to send took too long to write down; looking first.", retry_after=1.0)
    try:
        sent = await _sent(plan, mailbox, raw)
    except Rejected as exc:
        if exc.is_credential_fault:
            await _shut_out(run, plan, exc)
            return
        async with run.finish() as tx:
            await delivering.fail(tx, plan.send_id, f"The provider refuses it: {in_words(exc)}")
        return
    except (CircuitOpen, Transient) as exc:
        if not (isinstance(exc, Transient) and exc.ambiguous):
            async with run.tx() as tx:
                await delivering.forget_asking(tx, plan.send_id, f"The provider can't take it just now: {in_words(exc)}")
        raise
    await _record(run, plan, sent, raw, object_key)


async def _sent(plan: Plan, mailbox: Mailbox, raw: bytes) -> SentMail:
    try:
        return await mailbox.send(raw, thread_id=plan.provider_thread_id)
    except Rejected as exc:
        if exc.status != 404 or not plan.provider_thread_id:
            raise
    # The thread was deleted at the provider: our own goes on by its references.
    return await mailbox.send(raw)


async def _look(run: Run, plan: Plan, mailbox: Mailbox) -> None:
    """An earlier attempt may have sent it: adopt the provider's message if there is one, before anything is sent again."""
    assert plan.asked_at is not None and plan.mailbox is not None
    try:
        found = await mailbox.find_sent(plan.message_id, to=plan.to[0].address, since=plan.asked_at - _CLOCK_SLACK)
        there = await mailbox.fetch([found.ref]) if found is not None and found.ref.id else []
    except Rejected as exc:
        if not exc.is_credential_fault:
            raise
        await _shut_out(run, plan, exc, asked=True)
        return
    if found is not None and there:
        await _record(run, plan, found, there[0].raw, await _keep(run, plan, there[0].raw))
        return
    if found is not None:
        async with run.finish() as tx:
            await delivering.note_sent(tx, plan.send_id, found)
        return
    if datetime.now(UTC) - plan.asked_at < timedelta(seconds=delivering.DOUBT_S):
        raise Transient("The provider does not show the mail whose answer was lost; looking again.", retry_after=2.0)
    if not _is_sure(plan.mailbox):
        async with run.finish() as tx:
            await delivering.leave_to_a_person(
                tx, plan.send_id, "Whether this was sent can't be told. Ask who should have it, then send it again or discard it."
            )
        return
    async with run.tx() as tx:
        await delivering.forget_asking(tx, plan.send_id)
    raise Transient("The provider never had the mail; it may be sent.", retry_after=0.0)


def _is_sure(mailbox: MailboxRow) -> bool:
    """Whether a mail that is not among those sent was certainly not sent.

    A server's folder of sent mail is filled after the sending, by us: that it is not there says nothing.
    """
    return mailbox.kind == "gmail"


async def _record(run: Run, plan: Plan, sent: SentMail, raw: bytes, object_key: str | None) -> None:
    assert plan.mailbox is not None
    parsed = await asyncio.to_thread(read_message, raw)
    async with run.finish() as tx:
        parsed = await as_written(tx, run.deps.settings, parsed)
        stored = await delivering.record_sent(tx, plan, sent, parsed, object_key=object_key, size=len(raw))
        await follow(tx, stored, run.deps.clock.now())
        if sent.ref.id:
            # The sync need not fetch what is here.
            await note_taken(tx, plan.mailbox.id, RawMessage(sent.ref, raw, frozenset({"sent"}), datetime.now(UTC), len(raw)))
        if plan.provider_draft_id is not None:
            await tx.defer("mail.forget_draft", {"mailbox_id": plan.mailbox.id, "draft_id": plan.provider_draft_id})


async def _shut_out(run: Run, plan: Plan, exc: BaseException, *, asked: bool = False) -> None:
    """The provider does not let us in: it waits until the mailbox is connected again."""
    assert plan.mailbox is not None
    async with run.finish() as tx:
        if not asked:
            await delivering.forget_asking(tx, plan.send_id)
        await mark_revoked(tx, plan.mailbox.id, in_words(exc))
        await delivering.hold(tx, plan.send_id, f"{plan.mailbox.address} has to be connected again; the mail goes out then.")


async def _instrumented(run: Run, plan: Plan) -> Plan:
    """The plan with what is only in the mail that goes out: tracking, as far as it is wanted, and how to unsubscribe."""
    assert plan.mailbox is not None
    recipients = [one.address for one in (*plan.to, *plan.cc, *plan.bcc)]
    mail = Outgoing(
        plan.send_id, plan.mailbox.id, plan.mailbox.address, plan.contact_id, recipients, plan.html, plan.text, plan.is_bulk
    )
    async with run.tx() as tx:
        given = await prepare(tx, run.deps.settings, mail)
    return replace(plan, html=given.html, text=given.text, headers={**(plan.headers or {}), **given.headers})


async def _compose(run: Run, plan: Plan) -> bytes:
    assert plan.mailbox is not None
    files = []
    for file in plan.files:
        if run.deps.objects is None:
            raise ValueError("there is no store for its files")
        content = b"".join([piece async for piece in run.deps.objects.read(file.key)])
        files.append(NewAttachment(file.filename, file.content_type, content))
    draft = Draft(
        message_id=plan.message_id,
        from_=Address(plan.mailbox.display_name, plan.mailbox.address),
        to=plan.to,
        cc=plan.cc,
        bcc=plan.bcc,
        subject=plan.subject,
        date=datetime.now(UTC),
        text=plan.text,
        html=plan.html,
        in_reply_to=plan.in_reply_to,
        references=plan.references,
        attachments=tuple(files),
        headers=plan.headers or {},
        invitation=plan.invitation,
    )
    return await asyncio.to_thread(compose_message, draft)


async def _keep(run: Run, plan: Plan, raw: bytes) -> str | None:
    """The original, in the store of files; None where there is none."""
    assert plan.mailbox is not None
    if run.deps.objects is None:
        return None
    key = f"mail/{run.job.tenant_id}/{plan.mailbox.id}/{uuid4()}.eml"
    await run.deps.objects.put(key, _whole(raw), "message/rfc822")
    return key


async def _whole(data: bytes) -> AsyncIterator[bytes]:
    yield data


@job("mail.keep_draft", timeout_s=40.0)
async def keep_draft(run: Run) -> None:
    """Have the provider show a draft as it is here. Nothing depends on it: what it refuses is let be."""
    draft_id = UUID(run.job.args["draft_id"])
    async with run.tx() as tx:
        plan = await delivering.prepare_draft(tx, draft_id, run.job.args["version"])
    if plan is None or plan.mailbox is None:
        return
    try:
        raw = await _compose(run, plan)
        mailbox = open_mailbox(run.deps, plan.mailbox)
    except (ValueError, NoMail, AccessGone):
        return
    try:
        kept = await mailbox.save_draft(raw, thread_id=plan.provider_thread_id, draft_id=plan.provider_draft_id)
        async with run.finish() as tx:
            is_draft = await delivering.note_draft(tx, plan, kept)
            if not is_draft:
                await tx.defer("mail.forget_draft", {"mailbox_id": plan.mailbox.id, "draft_id": kept})
    except Rejected as exc:
        _log.info("a draft was not kept at the provider", error=in_words(exc))
    finally:
        await mailbox.close()


@job("mail.forget_draft", timeout_s=30.0, max_attempts=5)
async def forget_draft(run: Run) -> None:
    """Remove a draft at the provider that was sent or thrown away here."""
    async with run.tx() as tx:
        row = await get_row(tx, UUID(run.job.args["mailbox_id"]))
    if row is None or not row.may_send:
        return
    try:
        mailbox = open_mailbox(run.deps, row)
    except (NoMail, AccessGone):
        return
    try:
        await mailbox.delete_draft(run.job.args["draft_id"])
    except Rejected as exc:
        _log.info("a draft could not be removed at the provider", error=in_words(exc))
    finally:
        await mailbox.close()


@job("mail.reclassify", timeout_s=120.0)
async def reclassify(run: Run) -> None:
    """Hold a mailbox's mail against its privacy rules as they are now."""
    mailbox_id = UUID(run.job.args["mailbox_id"])
    after: UUID | None = None
    while True:
        async with run.tx() as tx:
            after = await labels.reclassify(tx, mailbox_id, after)
            await run.extend(tx)
        if after is None:
            return


@duty(every_s=1.0)
async def send_due_mail(deps: Deps) -> None:
    """Send what was to be sent later, and bring back what was put off."""
    now = deps.clock.now()
    await delivering.send_due(deps.db, now)
    await snoozing.wake(deps.db, now)


@duty(every_s=5.0)
async def resume_unsettled_mail(deps: Deps) -> None:
    """See to mails on their way that nobody seems to see to."""
    await delivering.resume_unsettled(deps.db)
