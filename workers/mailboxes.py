"""The jobs of mailboxes: taking mail in as it comes, the old mail first of all, and measuring what is missing.

A job that finds its provider unwell ends well: the mailbox says so itself, and is asked again when its turn comes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hub.db import Tx
from hub.mail import labels as mail_labels
from hub.mailboxes import connecting, queries, syncing
from hub.mailboxes.opening import SEAL_KIND, AccessGone, NoMail, access_is_gone, open_mailbox
from hub.mailboxes.rows import MailboxRow
from hub.mailboxes.syncing import Lease
from hub.sealing import Unsealable
from integrations.errors import ProviderError
from integrations.mail import Changes, HistoryGone, Mailbox, MessageRef
from workers.cron import duty
from workers.job import Deps, Run, job
from workers.taking_in import CHUNK, Later, TakingIn, ahead, at_provider, original_key

# Old mail is taken in a slice at a time, so that it does not keep other jobs from their turn; and in a few mailboxes at once.
SLICE_S = 8.0
HISTORIES = 3
_WAIT_S = 4.0
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


@job("mailboxes.sync", timeout_s=60.0, backoff_s=1.0)
async def sync(run: Run) -> None:
    """Take in what happened in a mailbox since the last time."""
    mailbox_id = UUID(run.job.args["mailbox_id"])
    async with run.tx() as tx:
        taken = await syncing.take_lease(tx, mailbox_id, "changes")
        if taken is not None:
            await syncing.resume_history(tx, mailbox_id)
    if taken is None:
        return
    mailbox, lease = taken

    async def work(taking: TakingIn) -> None:
        if mailbox.cursor is not None:
            await _take_changes(run, mailbox, lease, taking, mailbox.cursor)
        if run.job.args.get("by") == "asked":
            await _refresh_labels(run, taking.client, mailbox)

    try:
        await at_provider(run, mailbox, lease, work)
    except Later as later:
        await _again(run, later.pause_s, "mailboxes.sync", mailbox_id, by="poll")


async def _take_changes(run: Run, mailbox: MailboxRow, lease: Lease, taking: TakingIn, cursor: str) -> None:
    found = 0
    while True:
        try:
            changes = await taking.client.changes(cursor)
        except HistoryGone:
            async with run.tx() as tx:
                await lease.hold(tx)
                await syncing.restart_history(tx, mailbox.id)
            return
        found += await _take_added(run, mailbox, taking, changes.added)
        async with run.tx() as tx:
            await lease.hold(tx)
            await _take_marks(tx, mailbox, changes)
            await syncing.save_cursor(tx, mailbox.id, changes.cursor)
            if found and run.job.args.get("by") == "poll":
                await syncing.distrust_pushes(tx, mailbox.id)
            await run.extend(tx)
            goes_on = changes.more or await lease.is_asked_again(tx)
            if not goes_on:
                # In this very transaction: what comes from now on finds nobody at it.
                await lease.release(tx)
        if not goes_on:
            return
        cursor = changes.cursor


async def _take_added(run: Run, mailbox: MailboxRow, taking: TakingIn, added: Sequence[MessageRef]) -> int:
    if not added:
        return 0
    async with run.tx() as tx:
        new = await syncing.unknown(tx, mailbox.id, added)
    stored = 0
    for part in _parts(new):
        stored += await taking.store(await taking.fetch(part))
        async with run.tx() as tx:
            await run.extend(tx)
    return stored


async def _take_marks(tx: Tx, mailbox: MailboxRow, changes: Changes) -> None:
    """What was read, moved, labelled or deleted at the provider; what was read only where the mailbox's owner wants that here."""
    marks = changes.labels
    if not mailbox.sync_read:
        marks = tuple(replace(one, added=one.added - {"unread"}, removed=one.removed - {"unread"}) for one in marks)
    wanted = [one for one in marks if one.added or one.removed]
    if wanted:
        await mail_labels.change_labels(tx, mailbox.id, wanted)
    if changes.deleted:
        await syncing.note_deleted(tx, mailbox.id, changes.deleted)
        await mail_labels.note_deleted(tx, mailbox.id, changes.deleted)


@job("mailboxes.first_sync", timeout_s=60.0, backoff_s=1.0)
async def first_sync(run: Run) -> None:
    """Take in a slice of the old mail, newest first; the rest is the next job's."""
    mailbox_id = UUID(run.job.args["mailbox_id"])
    has_to_wait = len(_histories) >= HISTORIES and mailbox_id not in _histories
    async with run.tx() as tx:
        taken = None if has_to_wait else await syncing.take_lease(tx, mailbox_id, "history")
        await syncing.touch_history(tx, mailbox_id)
    if has_to_wait:
        await _again(run, _WAIT_S, "mailboxes.first_sync", mailbox_id)
        return
    if taken is None:
        return
    mailbox, lease = taken
    _histories.add(mailbox_id)

    async def work(taking: TakingIn) -> bool:
        return mailbox.first_sync["state"] == "done" or await _take_slice(run, mailbox, lease, taking)

    try:
        # None: the provider could not be asked, and goes on when it is asked again for what is new.
        if await at_provider(run, mailbox, lease, work) is False:
            await _again(run, 0.0, "mailboxes.first_sync", mailbox_id)
    except Later as later:
        await _again(run, later.pause_s, "mailboxes.first_sync", mailbox_id)
    finally:
        _histories.discard(mailbox_id)


async def _take_slice(run: Run, mailbox: MailboxRow, lease: Lease, taking: TakingIn) -> bool:
    """Whether that was all of it."""
    first = mailbox.first_sync
    if first["state"] == "waiting":
        first = await _begin(run, mailbox, lease, taking)
    loop = asyncio.get_running_loop()
    ends_at, said_at = loop.time() + SLICE_S, 0.0
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
        async for raws in ahead(_parts(new), taking.fetch):
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
            await _take_added(run, mailbox, taking, missing[-_MENDED:])
        if whole:
            await _refresh_labels(run, taking.client, mailbox)

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


@job("mailboxes.watch", timeout_s=30.0, backoff_s=2.0)
async def watch(run: Run) -> None:
    """Have the provider tell of new mail by itself, where it can; and learn the mailbox's labels."""
    mailbox_id = UUID(run.job.args["mailbox_id"])
    async with run.tx() as tx:
        mailbox = await queries.get_row(tx, mailbox_id)
    if mailbox is None or not mailbox.is_live:
        return

    async def work(taking: TakingIn) -> None:
        watching = await taking.client.watch()
        async with run.tx() as tx:
            await syncing.set_watch(tx, mailbox_id, watching.expires_at if watching is not None else None)
        await _refresh_labels(run, taking.client, mailbox)

    with suppress(Later):
        await at_provider(run, mailbox, None, work)


async def _refresh_labels(run: Run, client: Mailbox, mailbox: MailboxRow) -> None:
    labels = await client.labels()
    async with run.tx() as tx:
        await syncing.save_labels(tx, mailbox.id, labels)


@job("mailboxes.tell_provider", timeout_s=60.0, backoff_s=1.0)
async def tell_provider(run: Run) -> None:
    """Tell the provider what was read or labelled here. Telling it twice changes nothing."""
    mailbox_id = UUID(run.job.args["mailbox_id"])
    async with run.tx() as tx:
        taken = await syncing.take_lease(tx, mailbox_id, "outgoing")
    if taken is None:
        return
    mailbox, lease = taken

    async def work(taking: TakingIn) -> bool:
        while True:
            async with run.tx() as tx:
                waiting = await syncing.waiting_changes(tx, mailbox_id)
            for change in waiting:
                await taking.client.change_labels(change.ref, add=change.added, remove=change.removed)
            async with run.tx() as tx:
                await lease.hold(tx)
                await run.extend(tx)
                await syncing.changes_are_told(tx, [change.id for change in waiting])
                if not waiting and not await lease.is_asked_again(tx):
                    await lease.release(tx)
                    return True

    try:
        if await at_provider(run, mailbox, lease, work) is None:
            # What it is to be told are rows; the provider could not be asked, and the mailbox says so.
            await _again(run, 60.0, "mailboxes.tell_provider", mailbox_id)
    except Later as later:
        await _again(run, later.pause_s, "mailboxes.tell_provider", mailbox_id)


@job("mailboxes.disconnect", timeout_s=60.0, backoff_s=2.0)
async def disconnect(run: Run) -> None:
    """Give access to a disconnected mailbox back, and erase its mail where that was asked for."""
    mailbox_id = UUID(run.job.args["mailbox_id"])
    async with run.tx() as tx:
        mailbox = await queries.get_row(tx, mailbox_id)
    if mailbox is None or mailbox.state != "disconnected":
        return  # it was connected again meanwhile
    if mailbox.sealed is not None:
        await _give_back(run.deps, mailbox)
        async with run.tx() as tx:
            await syncing.forget_secret(tx, mailbox_id)
    if run.job.args.get("erase"):
        await _erase(run, mailbox)


async def _give_back(deps: Deps, mailbox: MailboxRow) -> None:
    """Google's consent is one for all that use the address here: it is given back only when nobody else does."""
    assert mailbox.sealed is not None
    others = await queries.mailboxes_of_address(deps.db, mailbox.address)
    if others:
        return
    try:
        client = open_mailbox(deps, mailbox)
        try:
            await client.unwatch()
        finally:
            await client.close()
        if mailbox.kind == "gmail" and deps.google is not None and deps.seals is not None:
            token = deps.seals.open(mailbox.sealed, tenant_id=mailbox.tenant_id, kind=SEAL_KIND, row_id=mailbox.id)
            await deps.google.revoke(token)
    except (AccessGone, NoMail, Unsealable):
        return
    except ProviderError as exc:
        if not access_is_gone(exc):
            raise


async def _erase(run: Run, mailbox: MailboxRow) -> None:
    while True:
        async with run.tx() as tx:
            erased, keys = await mail_labels.erase(tx, mailbox.id)
            await run.extend(tx)
        await _delete_files(run, keys)
        if not erased:
            break
    while True:
        async with run.tx() as tx:
            ids = await syncing.forget_messages(tx, mailbox.id, limit=500)
            await run.extend(tx)
        # An original that was put away twice, as what went out through us is, lies at its place by the provider's id, too.
        await _delete_files(run, [original_key(mailbox.tenant_id, mailbox.id, provider_id) for provider_id in ids])
        if not ids:
            return


async def _delete_files(run: Run, keys: Sequence[str]) -> None:
    if run.deps.objects is not None:
        for key in keys:
            await run.deps.objects.delete(key)


def _parts(refs: Sequence[MessageRef]) -> list[Sequence[MessageRef]]:
    return [refs[start : start + CHUNK] for start in range(0, len(refs), CHUNK)]


async def _again(run: Run, pause_s: float, kind: str, mailbox_id: UUID, **more: Any) -> None:
    """End this job, and have another go on with it after a pause."""
    run_at = datetime.now(UTC) + timedelta(seconds=pause_s) if pause_s else None
    async with run.finish() as tx:
        await tx.defer(kind, {"mailbox_id": mailbox_id, **more}, run_at=run_at)


@duty(every_s=1.0)
async def ask_mailboxes(deps: Deps) -> None:
    """Have the mailboxes asked whose turn it is."""
    await syncing.poll_due(deps.db)


@duty(every_s=5.0)
async def measure_mailboxes(deps: Deps) -> None:
    """Have the mailboxes compared with their providers."""
    await syncing.measure_due(deps.db)


@duty(every_s=300.0)
async def renew_watches(deps: Deps) -> None:
    """Have pushes asked for again before they end."""
    await syncing.watch_due(deps.db)


@duty(every_s=3600.0)
async def reseal_mailboxes(deps: Deps) -> None:
    """Seal with the present key what an older one has sealed, and forget what nobody needs."""
    if deps.seals is not None:
        await connecting.reseal(deps.db, deps.seals)
    await syncing.forget_old(deps.db)
