"""Taking messages in: fetched, read, their originals put away, and each stored in one transaction with what follows from it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid5

import structlog

from hub.db import Tx
from hub.errors import NotFound, Unavailable
from hub.mail.receiving import store_message
from hub.mail.values import Arrived
from hub.mailboxes import actions, syncing
from hub.mailboxes.opening import AccessGone, NoMail, access_is_gone, in_words, open_mailbox
from hub.mailboxes.rows import MailboxRow
from hub.mailboxes.syncing import Lease, Overtaken
from hub.replies.actions import follow
from hub.tracking.plain import as_written
from integrations.errors import ProviderError, RateLimited, Rejected
from integrations.mail import Mailbox, MessageRef, RawMessage
from integrations.mime import ParsedMessage, read_message
from workers.job import Run

T = TypeVar("T")

# How many messages are fetched, and held in memory, at once.
CHUNK = 25
# Smaller ones are read where they are; for larger ones it takes long enough to be somebody else's turn meanwhile.
_READ_IN_THREAD = 20_000
# Mail that was under way while the mailbox was being connected is no old mail.
_CONNECTING = timedelta(minutes=5)
_BEAT_S = 4.0

_log = structlog.get_logger("workers.mailboxes")


class Later(Exception):
    """The provider asked for a pause; `pause_s` is how long."""

    def __init__(self, pause_s: float) -> None:
        super().__init__(f"the provider asked for a pause of {pause_s:g} s")
        self.pause_s = pause_s


@dataclass(frozen=True, slots=True)
class _Read:
    raw: RawMessage
    parsed: ParsedMessage
    object_key: str | None


class TakingIn:
    """One mailbox at its provider for as long as one job takes."""

    def __init__(self, run: Run, mailbox: MailboxRow, client: Mailbox, lease: Lease | None) -> None:
        self.client = client
        self._run = run
        self._mailbox = mailbox
        self._lease = lease

    async def fetch(self, refs: Sequence[MessageRef]) -> list[RawMessage]:
        """These messages, without those that are gone. One that the provider does not hand out does not keep the others back."""
        try:
            return await self.client.fetch(refs)
        except Rejected as exc:
            if access_is_gone(exc):
                raise
            if len(refs) == 1:
                await self._note(refs[0], None, in_words(exc))
                return []
        found: list[RawMessage] = []
        for ref in refs:
            found += await self.fetch([ref])
        return found

    async def store(self, raws: Sequence[RawMessage], *, together: bool = False) -> int:
        """Store these messages, oldest first, with all that follows from each; how many are with us now.

        Each has a transaction of its own, or all have one (`together`, for old mail). One that can't be stored is noted and
        counts as missing. Raises Overtaken when somebody else has the lease.
        """
        mail = sorted((raw for raw in raws if "draft" not in raw.labels), key=lambda raw: raw.received_at)
        read = await asyncio.gather(*[self._read(raw) for raw in mail])
        if together and len(read) > 1:
            try:
                async with self._run.tx() as tx:
                    await self._hold(tx)
                    for one in read:
                        await self._take(tx, one)
                return len(read)
            except (Overtaken, NotFound):
                raise
            except Exception as exc:  # whichever it was, one by one it shows, and the others are stored
                _log.info("messages are stored one by one", error=str(exc) or repr(exc))
        stored = 0
        for one in read:
            stored += await self._store_one(one)
        return stored

    async def _store_one(self, one: _Read) -> int:
        try:
            async with self._run.tx() as tx:
                await self._hold(tx)
                await self._take(tx, one)
        except (Overtaken, NotFound, Unavailable):
            raise
        except Exception as exc:  # whatever is wrong with this one, the next ones must not wait for it
            _log.exception("a message could not be stored", mailbox_id=str(self._mailbox.id), provider_id=one.raw.ref.id)
            await self._note(one.raw.ref, one.raw, f"{type(exc).__name__}: {exc}")
            return 0
        return 1

    async def _take(self, tx: Tx, one: _Read) -> None:
        raw = one.raw
        known_since = self._mailbox.connected_at or self._mailbox.created_at
        fresh = raw.received_at >= known_since - _CONNECTING
        arrived = Arrived(raw.ref, raw.labels, raw.received_at, one.object_key, raw.size, fresh)
        parsed = await as_written(tx, self._run.deps.settings, one.parsed)
        stored = await store_message(tx, self._mailbox, parsed, arrived)
        await follow(tx, stored, self._run.deps.clock.now())
        await syncing.note_taken(tx, self._mailbox.id, raw)

    async def _hold(self, tx: Tx) -> None:
        if self._lease is not None:
            await self._lease.hold(tx)

    async def _read(self, raw: RawMessage) -> _Read:
        parsed = read_message(raw.raw) if raw.size < _READ_IN_THREAD else await asyncio.to_thread(read_message, raw.raw)
        objects = self._run.deps.objects
        if objects is None:
            return _Read(raw, parsed, None)
        key = original_key(self._mailbox.tenant_id, self._mailbox.id, raw.ref.id)
        try:
            await objects.put(key, _whole(raw.raw), "message/rfc822")
        except ProviderError as exc:
            # It is our store that fails, and nothing is wrong with the mailbox.
            raise Unavailable(f"The store of files does not take a message: {exc}", retry_after_s=5) from exc
        return _Read(raw, parsed, key)

    async def _note(self, ref: MessageRef, raw: RawMessage | None, words: str) -> None:
        async with self._run.tx() as tx:
            await self._hold(tx)
            await syncing.note_problem(tx, self._mailbox.id, ref, raw.received_at if raw else None, words.replace("\x00", ""))


def original_key(tenant_id: UUID, mailbox_id: UUID, provider_id: str) -> str:
    """Where a message's original lies in the store: the same place whoever puts it there, and however often."""
    return f"mail/{tenant_id}/{mailbox_id}/{uuid5(mailbox_id, provider_id)}.eml"


async def _whole(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def at_provider(run: Run, mailbox: MailboxRow, lease: Lease | None, work: Callable[[TakingIn], Awaitable[T]]) -> T | None:
    """Do some work at a mailbox's provider; None when that was not to be done, for which the mailbox then shows why.

    The lease is held meanwhile and let go of afterwards. Access that is gone shows at once; a provider that can't be asked after
    a few times. Neither fails the job: the clock asks again. Raises Later when the provider wants a pause.
    """
    beating = asyncio.create_task(_beat(run, lease)) if lease is not None else None
    client: Mailbox | None = None
    try:
        client = open_mailbox(run.deps, mailbox)
        return await work(TakingIn(run, mailbox, client, lease))
    except Overtaken:
        _log.info("a mailbox was taken over, or is not to be asked any more", mailbox_id=str(mailbox.id))
    except RateLimited as exc:
        raise Later(min(exc.retry_after or 5.0, 300.0)) from exc
    except (ProviderError, TimeoutError, AccessGone, NoMail) as exc:
        async with run.tx() as tx:
            if access_is_gone(exc):
                await actions.mark_revoked(tx, mailbox.id, in_words(exc))
            else:
                _log.info("a mailbox could not be asked", mailbox_id=str(mailbox.id), error=str(exc))
                await syncing.note_failure(tx, mailbox.id, in_words(exc))
    finally:
        if beating is not None:
            beating.cancel()
        if lease is not None:
            await asyncio.shield(_release(run, lease))
        if client is not None:
            await client.close()
    return None


async def _beat(run: Run, lease: Lease) -> None:
    while True:
        await asyncio.sleep(_BEAT_S)
        try:
            async with run.tx() as tx:
                await lease.hold(tx)
        except Overtaken:
            return
        except Exception as exc:  # the next beat makes up for it
            _log.warning("a mailbox's lease could not be held", error=str(exc) or repr(exc))


async def _release(run: Run, lease: Lease) -> None:
    with suppress(Exception):  # it ends by itself
        async with run.tx() as tx:
            await lease.release(tx)


async def ahead(
    parts: Sequence[Sequence[MessageRef]], fetch: Callable[[Sequence[MessageRef]], Awaitable[list[RawMessage]]]
) -> AsyncIterator[list[RawMessage]]:
    """The messages of each part, the next one being fetched while its predecessor is worked on; two are in memory at the most."""
    coming: asyncio.Task[list[RawMessage]] | None = None
    try:
        for place, part in enumerate(parts):
            present = await (coming if coming is not None else fetch(part))
            coming = asyncio.ensure_future(fetch(parts[place + 1])) if place + 1 < len(parts) else None
            yield present
    finally:
        if coming is not None:
            coming.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await coming


async def take_added(run: Run, mailbox: MailboxRow, taking: TakingIn, added: Sequence[MessageRef]) -> int:
    """Take in those of these messages that are not here yet; how many that were."""
    if not added:
        return 0
    async with run.tx() as tx:
        new = await syncing.unknown(tx, mailbox.id, added)
    stored = 0
    for part in parts(new):
        stored += await taking.store(await taking.fetch(part))
        async with run.tx() as tx:
            await run.extend(tx)
    return stored


async def refresh_labels(run: Run, client: Mailbox, mailbox: MailboxRow) -> None:
    """Learn which labels the mailbox has now."""
    labels = await client.labels()
    async with run.tx() as tx:
        await syncing.save_labels(tx, mailbox.id, labels)


def parts(refs: Sequence[MessageRef]) -> list[Sequence[MessageRef]]:
    """As many at a time as are held in memory at once."""
    return [refs[start : start + CHUNK] for start in range(0, len(refs), CHUNK)]


async def begin_again(run: Run, pause_s: float, kind: str, mailbox_id: UUID, **more: Any) -> None:
    """End this job, and have another go on with it after a pause."""
    run_at = datetime.now(UTC) + timedelta(seconds=pause_s) if pause_s else None
    async with run.finish() as tx:
        await tx.defer(kind, {"mailbox_id": mailbox_id, **more}, run_at=run_at)
