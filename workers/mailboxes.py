"""The jobs of mailboxes: taking mail in as it comes, the old mail first of all, and measuring what is missing.

A job that finds its provider unwell ends well: the mailbox says so itself, and is asked again when its turn comes.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from uuid import UUID

from hub.db import Tx
from hub.mail import labels as mail_labels
from hub.mailboxes import connecting, owners, queries, syncing
from hub.mailboxes.opening import SEAL_KIND, AccessGone, NoMail, access_is_gone, open_mailbox
from hub.mailboxes.rows import MailboxRow
from hub.mailboxes.syncing import Lease
from hub.sealing import Unsealable
from integrations.errors import ProviderError
from integrations.mail import Changes, HistoryGone
from workers.cron import duty
from workers.job import Deps, Run, job
from workers.taking_in import Later, TakingIn, at_provider, begin_again, original_key, refresh_labels, take_added


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
            await refresh_labels(run, taking.client, mailbox)

    try:
        await at_provider(run, mailbox, lease, work)
    except Later as later:
        await begin_again(run, later.pause_s, "mailboxes.sync", mailbox_id, by="poll")


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
        found += await take_added(run, mailbox, taking, changes.added)
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
        await refresh_labels(run, taking.client, mailbox)

    with suppress(Later):
        await at_provider(run, mailbox, None, work)


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
            await begin_again(run, 60.0, "mailboxes.tell_provider", mailbox_id)
    except Later as later:
        await begin_again(run, later.pause_s, "mailboxes.tell_provider", mailbox_id)


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


@duty(every_s=1.0)
async def ask_mailboxes(deps: Deps) -> None:
    """Have the mailboxes asked whose turn it is."""
    await syncing.poll_due(deps.db)


@duty(every_s=5.0)
async def measure_mailboxes(deps: Deps) -> None:
    """Have the mailboxes compared with their providers."""
    await syncing.measure_due(deps.db)


@duty(every_s=60.0)
async def rest_mailboxes(deps: Deps) -> None:
    """See that nobody's private mailbox is asked who is no active member, however they were deactivated."""
    await owners.rest_of_the_gone(deps.db)


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
