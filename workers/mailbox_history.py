"""The jobs that look at a mailbox as a whole: its old mail is taken in, and what the provider has compared with what is here."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hub.mailboxes import queries, syncing
from hub.mailboxes.opening import access_is_gone
from hub.mailboxes.rows import MailboxRow
from hub.mailboxes.syncing import Lease
from integrations.errors import ProviderError
from integrations.mail import Mailbox, MessageRef
from workers.job import Run, job
from workers.taking_in import Later, TakingIn, ahead, at_provider, begin_again, parts, refresh_labels, take_added

# Old mail is taken in a slice at a time, so that it does not keep other jobs from their turn; and in a few mailboxes at once.
SLICE_S = 8.0
HISTORIES = 3
_WAIT_S = 4.0
_UNWELL_S = 20.0
PAGE = 200
_LISTED = 500
# What is compared each minute; once a day it is everything.
RECENT = timedelta(days=7)
WHOLE_EVERY = timedelta(days=1)
_MEASURE_S = 60.0
_MEASURE_AGAIN_S = 10.0
# So many missing messages are fetched at once after a comparison.
_MENDED = 500
# After everything was listed anew, the newest are looked at for what was read or moved meanwhile.
_LOOKED_AT = 100
_SAY_S = 1.0

_histories: set[UUID] = set()


@job("mailboxes.first_sync", timeout_s=60.0, backoff_s=1.0)
async def first_sync(run: Run) -> None:
    """Take in a slice of the old mail, newest first; the rest is the next job's."""
    mailbox_id = UUID(run.job.args["mailbox_id"])
    has_to_wait = len(_histories) >= HISTORIES and mailbox_id not in _histories
    async with run.tx() as tx:
        taken = None if has_to_wait else await syncing.take_lease(tx, mailbox_id, "history")
        await syncing.touch_history(tx, mailbox_id)
    if has_to_wait:
        await begin_again(run, _WAIT_S, "mailboxes.first_sync", mailbox_id)
        return
    if taken is None:
        return
    mailbox, lease = taken
    _histories.add(mailbox_id)

    async def work(taking: TakingIn) -> bool:
        return mailbox.first_sync["state"] == "done" or await _take_slice(run, mailbox, lease, taking)

    try:
        is_all = await at_provider(run, mailbox, lease, work)
        if not is_all:
            # None: the provider could not be asked. The mailbox says so; whether it still wants its old mail the next job sees.
            await begin_again(run, 0.0 if is_all is False else _UNWELL_S, "mailboxes.first_sync", mailbox_id)
    except Later as later:
        await begin_again(run, later.pause_s, "mailboxes.first_sync", mailbox_id)
    finally:
        _histories.discard(mailbox_id)


async def _take_slice(run: Run, mailbox: MailboxRow, lease: Lease, taking: TakingIn) -> bool:
    """Whether that was all of it."""
    first = mailbox.first_sync
    if first["state"] == "waiting":
        first = await _begin(run, mailbox, lease, taking)
    loop = asyncio.get_running_loop()
    ends_at, said_at = loop.time() + SLICE_S, float("-inf")
    while True:
        page = await taking.client.list_messages(since=mailbox.sync_since, page=first["page"], limit=PAGE)
        async with run.tx() as tx:
            new = await syncing.unknown(tx, mailbox.id, page.refs)
        if first.get("why") == "compare" and first["page"] is None:
            # What is here already may have been read or moved while nobody could tell.
            new = list(dict.fromkeys([*page.refs[:_LOOKED_AT], *new]))
        # `done` moves within a page, `before` from page to page: a page that is begun again counts once.
        before = first.get("before", 0)
        done = before + len(page.refs) - len(new)
        async for raws in ahead(parts(new), taking.fetch):
            await taking.store(raws, together=True)
            done += len(raws)
            say = loop.time() - said_at >= _SAY_S
            if say:
                said_at = loop.time()
                async with run.tx() as tx:
                    await lease.hold(tx)
                    await run.extend(tx)
                    await syncing.save_first_sync(tx, mailbox.id, _further(first, done=done), say=True)
        before += len(page.refs)
        first = _further(first, done=before) | {"page": page.next_page, "before": before}
        async with run.tx() as tx:
            await lease.hold(tx)
            await run.extend(tx)
            if page.next_page is None:
                await syncing.end_first_sync(tx, mailbox.id, first)
                return True
            await syncing.save_first_sync(tx, mailbox.id, first, say=False)
        if loop.time() >= ends_at:
            return False


async def _begin(run: Run, mailbox: MailboxRow, lease: Lease, taking: TakingIn) -> dict[str, Any]:
    """Note where the history stands, and count what there is to do."""
    profile = await taking.client.profile()
    total, page = 0, None
    while True:
        listed = await taking.client.list_messages(since=mailbox.sync_since, page=page, limit=_LISTED)
        total, page = total + len(listed.refs), listed.next_page
        if page is None:
            break
    async with run.tx() as tx:
        await lease.hold(tx)
        await run.extend(tx)
        return await syncing.begin_first_sync(tx, mailbox, profile.cursor, total)


def _further(first: dict[str, Any], *, done: int) -> dict[str, Any]:
    return first | {"done": done, "total": max(first["total"] or 0, done)}


@job("mailboxes.measure", timeout_s=60.0, backoff_s=2.0)
async def measure(run: Run) -> None:
    """Compare what the provider lists with what is here, say by how much it is behind, and fetch what is missing."""
    mailbox_id = UUID(run.job.args["mailbox_id"])
    async with run.tx() as tx:
        mailbox = await queries.get_row(tx, mailbox_id)
    if mailbox is None or not mailbox.is_live:
        return
    now = datetime.now(UTC)
    is_settled = mailbox.first_sync["state"] == "done"
    whole = is_settled and (mailbox.compared_at is None or mailbox.compared_at < now - WHOLE_EVERY)
    since = mailbox.sync_since if whole else max(mailbox.sync_since, now - RECENT)

    async def work(taking: TakingIn) -> None:
        for is_last in (False, True):
            missing = await _compare(run, mailbox, taking.client, since)
            oldest_at = await _oldest(taking, missing)
            soon_s = _MEASURE_AGAIN_S if missing and is_settled else _MEASURE_S
            async with run.tx() as tx:
                await run.extend(tx)
                behind = len(missing)
                await syncing.note_measured(tx, mailbox, behind=behind, oldest_at=oldest_at, soon_s=soon_s, whole=whole)
            if is_last or not missing or not is_settled:
                break
            # What is mended is measured once more: it is not to be shown as missing until the next time.
            await take_added(run, mailbox, taking, missing[-_MENDED:])
        if whole:
            await refresh_labels(run, taking.client, mailbox)

    with suppress(Later):  # the next comparison comes by itself
        await at_provider(run, mailbox, None, work)


async def _compare(run: Run, mailbox: MailboxRow, client: Mailbox, since: datetime) -> list[MessageRef]:
    """What the provider lists and is not here, newest first. Here is looked after the provider has answered, not before."""
    missing: list[MessageRef] = []
    page: str | None = None
    while True:
        listed = await client.list_messages(since=since, page=page, limit=_LISTED)
        async with run.tx() as tx:
            missing += await syncing.missing(tx, mailbox.id, listed.refs)
        page = listed.next_page
        if page is None:
            return missing


async def _oldest(taking: TakingIn, missing: list[MessageRef]) -> datetime | None:
    """When the oldest of the missing messages came; those that are gone meanwhile are no longer missing."""
    while missing:
        try:
            found = await taking.client.fetch(missing[-1:])
        except ProviderError as exc:
            if access_is_gone(exc):
                raise
            return None  # that it is missing is known all the same
        if found:
            return found[0].received_at
        del missing[-1]
    return None
