"""The transactions of taking a mailbox's mail in: whose turn it is, how far it came, what could not be taken in, what failed.

A lease in the database says who takes in what, and its fence keeps one that was overtaken from recording anything. Pauses and
leases go by the database's clock: they are between us and the provider, whatever time schedules are at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import orjson

from hub.db import Database, Tx, tenant_tx
from hub.mailboxes import queries
from hub.mailboxes.audience import tell, tell_by_id
from hub.mailboxes.events import MailboxMeterChanged, MailboxStateChanged
from hub.mailboxes.rows import MailboxRow
from hub.sqlfiles import load_sql
from hub.who import Who
from integrations.mail import MailLabel, MessageRef, RawMessage

LeaseKind = Literal["changes", "history", "outgoing"]
# Who asked for a sync: a push, the clock, or a person.
By = Literal["push", "poll", "asked"]

# How long a lease holds without being renewed: so late is a killed worker's work taken over.
LEASE_S = 12.0
# A job that was queued so long ago and has not run was lost.
LOST_AFTER_S = 30.0
# Failures in a row after which the mailbox is shown as failing.
FAILURES = 3
# A message that could not be taken in is tried so often; then it counts as missing until somebody looks.
ATTEMPTS = 5

_SQL = load_sql("mailboxes")


class Overtaken(Exception):
    """Another worker holds the lease, or the mailbox is not to be asked any more: nothing of this one may count."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to take in one part of a mailbox."""

    mailbox_id: UUID
    kind: LeaseKind
    fence: int

    @property
    def _args(self) -> dict[str, Any]:
        return {"mailbox_id": self.mailbox_id, "kind": self.kind, "fence": self.fence}

    async def hold(self, tx: Tx) -> None:
        """Hold it longer; what happens in the transaction counts only then. Raises Overtaken."""
        if await tx.fetchrow(_SQL["hold_lease"], lease_s=LEASE_S, **self._args) is None:
            raise Overtaken(self.mailbox_id)

    async def is_asked_again(self, tx: Tx) -> bool:
        """Did something come while it was held? Asking takes note of it."""
        return await tx.fetchval(_SQL["heed_again"], **self._args) is not None

    async def release(self, tx: Tx) -> None:
        """Let go of it."""
        await tx.fetchval(_SQL["release_lease"], **self._args)


async def start(tx: Tx, mailbox_id: UUID) -> None:
    """Have everything begin that a mailbox needs once there is access to it. May be repeated."""
    mailbox = await queries.get_row(tx, mailbox_id)
    if mailbox is not None and mailbox.first_sync["state"] == "done":
        for kind in ("mailboxes.sync", "mailboxes.measure", "mailboxes.tell_provider"):
            await tx.defer(kind, {"mailbox_id": mailbox_id})
    else:
        await tx.defer("mailboxes.first_sync", {"mailbox_id": mailbox_id})
    await tx.defer("mailboxes.watch", {"mailbox_id": mailbox_id})


async def take_lease(tx: Tx, mailbox_id: UUID, kind: LeaseKind) -> tuple[MailboxRow, Lease] | None:
    """Take a mailbox's turn; None when it is not to be asked, or somebody is at it, who then goes round once more.

    Whoever locks both, here and elsewhere, locks the lease before the mailbox.
    """
    mailbox = await queries.get_row(tx, mailbox_id)
    if mailbox is None or not mailbox.is_live:
        return None
    fence: int | None = None
    while fence is None:
        fence = await tx.fetchval(_SQL["take_lease"], mailbox_id=mailbox_id, kind=kind, lease_s=LEASE_S)
        if fence is None and await tx.fetchval(_SQL["ask_again"], mailbox_id=mailbox_id, kind=kind) is not None:
            break
    if kind == "changes":
        await tx.execute(_SQL["begin_sync"], id=mailbox_id)
    if fence is None:
        return None
    # As it is now: whoever had the lease until a moment ago has moved the cursor.
    mailbox = await queries.get_row(tx, mailbox_id)
    return (mailbox, Lease(mailbox_id, kind, fence)) if mailbox is not None else None


async def touch_history(tx: Tx, mailbox_id: UUID) -> None:
    """Somebody is at the mailbox's old mail, or waits for a turn at it: nobody else need begin."""
    await tx.execute(_SQL["touch_history"], id=mailbox_id)


async def resume_history(tx: Tx, mailbox_id: UUID) -> None:
    """See that somebody is at the old mail, if it is not all here: whoever was may be gone."""
    if await tx.fetchval(_SQL["resume_history"], id=mailbox_id, lost_after_s=2 * LOST_AFTER_S) is not None:
        await tx.defer("mailboxes.first_sync", {"mailbox_id": mailbox_id})


async def queue_syncs(tx: Tx, mailbox_ids: Sequence[UUID], by: By) -> int:
    """Have these mailboxes asked, one job each; those for which one waits already are left out. How many jobs that are."""
    rows = await tx.fetch(_SQL["queue_syncs"], ids=list(mailbox_ids), lost_after_s=LOST_AFTER_S)
    for row in rows:
        await tx.defer("mailboxes.sync", {"mailbox_id": row["id"], "by": by}, max_attempts=4)
    if len(rows) < len(mailbox_ids):
        await tx.execute(_SQL["postpone_polls"], ids=list(mailbox_ids))
    return len(rows)


async def note_push(tx: Tx, mailbox_id: UUID) -> None:
    """The provider says that something is new: ask it now. Nothing comes of it for a mailbox that is paused."""
    if await tx.execute(_SQL["note_push"], id=mailbox_id):
        await queue_syncs(tx, [mailbox_id], "push")


async def poll_due(db: Database, limit: int = 500) -> int:
    """Have every mailbox asked whose turn it is; how many those were. Called every second."""
    return await _for_each_tenant(db, "mailboxes_to_poll", limit, _poll)


async def _poll(tx: Tx, ids: list[UUID]) -> None:
    await queue_syncs(tx, ids, "poll")


async def measure_due(db: Database, limit: int = 200) -> int:
    """Have every mailbox compared with its provider whose turn it is; how many those were."""
    return await _for_each_tenant(db, "mailboxes_to_measure", limit, _measure)


async def _measure(tx: Tx, ids: list[UUID]) -> None:
    # Should the job be lost, the next one comes by itself.
    await tx.execute(_SQL["put_off_measuring"], ids=ids, soon_s=120.0)
    for mailbox_id in ids:
        await tx.defer("mailboxes.measure", {"mailbox_id": mailbox_id}, max_attempts=2)


async def watch_due(db: Database, limit: int = 200) -> int:
    """Have pushes asked for again before they end; for how many mailboxes."""
    return await _for_each_tenant(db, "mailboxes_to_watch", limit, _watch)


async def _watch(tx: Tx, ids: list[UUID]) -> None:
    for mailbox_id in ids:
        await tx.defer("mailboxes.watch", {"mailbox_id": mailbox_id}, max_attempts=3)


async def _for_each_tenant(db: Database, function: str, limit: int, do: Any) -> int:
    found: dict[UUID, list[UUID]] = {}
    rows = await db.system_fetch(_SQL[function], limit=limit)
    for row in rows:
        found.setdefault(row["tenant_id"], []).append(row["id"])
    for tenant_id, ids in found.items():
        async with tenant_tx(db, Who.system(tenant_id)) as tx:
            await do(tx, ids)
    return len(rows)


async def forget_old(db: Database) -> None:
    """Delete consents that nobody finished, and the jobs of askings that found nothing."""
    await db.system_fetch(_SQL["forget_old"])


async def unknown(tx: Tx, mailbox_id: UUID, refs: Iterable[MessageRef]) -> list[MessageRef]:
    """Which of these were not taken in yet, without those that were tried in vain too often."""
    wanted = {ref.id: ref for ref in refs}
    for row in await tx.fetch(_SQL["known_messages"], mailbox_id=mailbox_id, ids=list(wanted)):
        if row["taken"] or row["attempts"] >= ATTEMPTS:
            del wanted[row["provider_id"]]
    return list(wanted.values())


async def missing(tx: Tx, mailbox_id: UUID, refs: Iterable[MessageRef]) -> list[MessageRef]:
    """Which of these are not with us, in their order: those that can't be taken in are among them."""
    wanted = {ref.id: ref for ref in refs}
    for row in await tx.fetch(_SQL["known_messages"], mailbox_id=mailbox_id, ids=list(wanted)):
        if row["taken"]:
            del wanted[row["provider_id"]]
    return list(wanted.values())


async def note_taken(tx: Tx, mailbox_id: UUID, message: RawMessage) -> None:
    """The message is with us, in the transaction that stored it."""
    await tx.execute(
        _SQL["note_taken"],
        mailbox_id=mailbox_id,
        provider_id=message.ref.id,
        thread_id=message.ref.thread_id,
        received_at=message.received_at,
    )


async def note_problem(tx: Tx, mailbox_id: UUID, ref: MessageRef, received_at: datetime | None, words: str) -> None:
    """A message could not be taken in. The others go on; it counts as missing."""
    await tx.execute(
        _SQL["note_problem"],
        mailbox_id=mailbox_id,
        provider_id=ref.id,
        thread_id=ref.thread_id,
        received_at=received_at,
        problem=words[:1000],
    )


async def note_deleted(tx: Tx, mailbox_id: UUID, refs: Iterable[MessageRef]) -> None:
    """The provider has these no more. What was taken in stays with the contact."""
    ids = [ref.id for ref in refs]
    if ids:
        await tx.execute(_SQL["note_deleted"], mailbox_id=mailbox_id, ids=ids)


async def save_cursor(tx: Tx, mailbox_id: UUID, cursor: str) -> None:
    """Everything up to here was taken in. A mailbox that was failing is well again."""
    row = await tx.fetchrow(_SQL["lock_row"], id=mailbox_id)
    if row is None:
        return
    await tx.execute(_SQL["save_cursor"], id=mailbox_id, cursor=cursor)
    if row["state"] == "failing" or (row["error"] and row["state"] in ("active", "syncing")):
        first = MailboxRow.of(row).first_sync
        await _move(tx, mailbox_id, "active" if first["state"] == "done" else "syncing", None)


async def note_failure(tx: Tx, mailbox_id: UUID, words: str) -> None:
    """The provider could not be asked. After a few times in a row the mailbox says so; asking goes on, ever more seldom."""
    failures = await tx.fetchval(_SQL["note_failure"], id=mailbox_id, error=words[:500])
    row = await tx.fetchrow(_SQL["lock_row"], id=mailbox_id)
    if row is None or failures is None or failures < FAILURES or row["state"] not in ("connecting", "syncing", "active"):
        return
    await _move(tx, mailbox_id, "failing", words[:500])


async def distrust_pushes(tx: Tx, mailbox_id: UUID) -> None:
    """Asking found what no push had told of: ask often until one comes again."""
    await tx.execute(_SQL["distrust_pushes"], id=mailbox_id)


async def set_watch(tx: Tx, mailbox_id: UUID, until: datetime | None) -> None:
    """Until when pushes come; None where there are none."""
    await tx.execute(_SQL["set_watch"], id=mailbox_id, until=until)


async def restart_history(tx: Tx, mailbox_id: UUID) -> None:
    """The provider can't say what changed: everything is listed anew, and what is not here is taken in."""
    await tx.execute(_SQL["restart_history"], id=mailbox_id)
    await tx.defer("mailboxes.first_sync", {"mailbox_id": mailbox_id})


async def begin_first_sync(tx: Tx, mailbox: MailboxRow, cursor: str, total: int) -> dict[str, Any]:
    """The older mail is counted and about to be taken in; changes count from `cursor` on. How far it is."""
    first = mailbox.first_sync | {"state": "running", "total": total, "done": 0, "before": 0, "page": None}
    await tx.execute(_SQL["set_first_cursor"], id=mailbox.id, cursor=cursor)
    await tx.execute(_SQL["set_first_sync"], id=mailbox.id, first_sync=orjson.dumps(first).decode())
    await _move(tx, mailbox.id, "syncing", None)
    return first


async def save_first_sync(tx: Tx, mailbox_id: UUID, first: dict[str, Any], *, say: bool) -> None:
    """How far the first sync is; `say` it to those who look on."""
    await tx.execute(_SQL["set_first_sync"], id=mailbox_id, first_sync=orjson.dumps(first).decode())
    if say:
        await tell_by_id(tx, MailboxMeterChanged, mailbox_id)


async def end_first_sync(tx: Tx, mailbox_id: UUID, first: dict[str, Any]) -> None:
    """All of the older mail is with us."""
    done = first | {"state": "done", "page": None}
    await tx.execute(_SQL["set_first_sync"], id=mailbox_id, first_sync=orjson.dumps(done).decode())
    row = await tx.fetchrow(_SQL["lock_row"], id=mailbox_id)
    if row is not None and row["state"] in ("connecting", "syncing"):
        await _move(tx, mailbox_id, "active", None)
    await tx.defer("mailboxes.measure", {"mailbox_id": mailbox_id}, max_attempts=2)


async def note_measured(
    tx: Tx, mailbox: MailboxRow, *, behind: int, oldest_at: datetime | None, soon_s: float, whole: bool
) -> None:
    """What comparing with the provider has shown; everybody who looks on is told."""
    if await tx.execute(_SQL["note_measured"], id=mailbox.id, behind=behind, oldest_at=oldest_at, soon_s=soon_s, whole=whole):
        await tell(tx, MailboxMeterChanged, mailbox)


async def save_labels(tx: Tx, mailbox_id: UUID, labels: Sequence[MailLabel]) -> None:
    """The labels that the provider has now."""
    ids = [label.id for label in labels]
    await tx.execute(_SQL["forget_labels"], mailbox_id=mailbox_id, ids=ids)
    await tx.execute(_SQL["put_labels"], mailbox_id=mailbox_id, ids=ids, names=[label.name[:300] for label in labels])


@dataclass(frozen=True, slots=True)
class Told:
    """A change of labels that the provider is to be told."""

    id: UUID
    ref: MessageRef
    added: list[str]
    removed: list[str]


async def waiting_changes(tx: Tx, mailbox_id: UUID, limit: int = 100) -> list[Told]:
    """What the provider is still to be told, in its order."""
    rows = await tx.fetch(_SQL["waiting_changes"], mailbox_id=mailbox_id, limit=limit)
    return [Told(row["id"], MessageRef(row["provider_id"], row["thread_id"]), row["added"], row["removed"]) for row in rows]


async def changes_are_told(tx: Tx, ids: Sequence[UUID]) -> None:
    """The provider knows of these."""
    await tx.execute(_SQL["changes_are_told"], ids=list(ids))


async def forget_messages(tx: Tx, mailbox_id: UUID, limit: int) -> list[str]:
    """What was taken in is erased; the provider's ids of those that were forgotten now."""
    rows = await tx.fetch(_SQL["forget_messages"], mailbox_id=mailbox_id, limit=limit)
    return [row["provider_id"] for row in rows]


async def forget_secret(tx: Tx, mailbox_id: UUID) -> None:
    """Access was given back."""
    await tx.execute(_SQL["forget_secret"], id=mailbox_id)


async def _move(tx: Tx, mailbox_id: UUID, state: str, error: str | None) -> None:
    if await tx.execute(_SQL["move_mailbox"], id=mailbox_id, state=state, error=error):
        await tell_by_id(tx, MailboxStateChanged, mailbox_id)
