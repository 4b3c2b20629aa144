"""The `Mailbox` port by IMAP (RFC 3501, 6154, 6851, 7162) and SMTP.

A message's id is `<uidvalidity>.<uid>.<folder>`: it holds for as long as the server keeps the folder's UIDs. A message that is
moved is another message then; the store knows it again by its Message-ID. Threads are unknown.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final, TypeVar

from integrations.errors import ProviderError, Rejected
from integrations.guard import Guard
from integrations.imap.changing import Comparison
from integrations.imap.session import PROVIDER, Session, by_folder, read_ref
from integrations.imap.smtp import Sender
from integrations.imap.state import History
from integrations.imap.wire import Connection
from integrations.mail import (
    Changes,
    HistoryGone,
    MailboxKind,
    MailboxProfile,
    MailLabel,
    MessagePage,
    MessageRef,
    RawMessage,
    SentMail,
    ServerAccount,
    Watch,
)
from integrations.mime import normal_id, parse_addresses, recipients_of, without_bcc
from integrations.mime.headers import Headers, parse_ids
from integrations.reach import dial

T = TypeVar("T")

_FETCH_AT_ONCE: Final = 20


class ImapMailbox:
    """One mailbox at a server of somebody's. It holds one connection, opened when it is first needed."""

    kind: MailboxKind = "imap"

    def __init__(
        self, account: ServerAccount, guard: Guard, tls: ssl.SSLContext, *, allow_private: bool = False, timeout_s: float = 30.0
    ) -> None:
        self._account = account
        self._guard = guard
        self._tls = tls
        self._allow_private = allow_private
        self._timeout_s = timeout_s
        self._sender = Sender(account, tls, allow_private=allow_private, timeout_s=timeout_s)
        self._session: Session | None = None
        self._one_at_a_time = asyncio.Lock()

    async def profile(self) -> MailboxProfile:
        """Whose it is and where its folders stand."""

        async def look(session: Session) -> MailboxProfile:
            history = History()
            for folder in await session.synced():
                state = await session.status(folder.name)
                if state is not None:
                    await session.take_stock(folder.name, state)
                    history.folders[folder.name] = state
            return MailboxProfile(self._account.address, history.dump(), sum(each.count for each in history.folders.values()))

        return await self._ask("profile", look)

    async def check_sending(self) -> None:
        """Log in at the server for outgoing mail and go again. Raises Rejected or Transient."""
        self._refuse_plain(self._account.smtp_security)
        await self._guard.call("smtp.check", self._sender.check, repeatable=True)

    async def list_messages(self, *, since: datetime | None = None, page: str | None = None, limit: int = 500) -> MessagePage:
        """Messages received at or after `since`, folder by folder (the inbox first), newest first within each."""

        async def look(session: Session) -> MessagePage:
            at, below = _read_page(page)
            folders = await session.synced()
            refs: list[MessageRef] = []
            total = 0
            next_page: str | None = None
            for number, folder in enumerate(folders):
                if number < at or (next_page is not None and page is not None):
                    continue
                uids = await session.uids_since(folder.name, since)
                total += len(uids)
                if next_page is not None:
                    continue
                wanted = sorted((uid for uid in uids if number > at or below == 0 or uid < below), reverse=True)
                taken = wanted[: limit - len(refs)]
                refs += [session.ref(uid) for uid in taken]
                if len(taken) < len(wanted):
                    next_page = json.dumps([number, taken[-1] if taken else 0])
                elif len(refs) >= limit and number + 1 < len(folders):
                    next_page = json.dumps([number + 1, 0])
            return MessagePage(tuple(refs), next_page, total if page is None else None)

        return await self._ask("list", look)

    async def fetch(self, refs: Sequence[MessageRef]) -> list[RawMessage]:
        """These messages, whole; those that are gone are left out."""
        found: list[RawMessage] = []
        for folder, uids in by_folder(refs).items():
            for start in range(0, len(uids), _FETCH_AT_ONCE):
                some = uids[start : start + _FETCH_AT_ONCE]
                found += await self._ask("fetch", partial(_fetch, folder=folder, uids=some))
        return found

    async def changes(self, cursor: str) -> Changes:
        """What happened since, by comparing the folders. Raises HistoryGone when a folder's UIDs began anew."""
        before = History.load(cursor)

        async def look(session: Session) -> Changes | str:
            comparison = Comparison(before)
            for folder in await session.synced():
                now = await session.status(folder.name)
                if now is None:
                    continue
                known = before.folders.get(folder.name)
                if known is not None and known.validity != now.validity:
                    return folder.title
                if known is not None and known.looks_like(now):
                    comparison.keep(folder.name)
                    continue
                await session.take_stock(folder.name, now)
                comparison.compare(folder.name, now)
            return comparison.changes()

        found = await self._ask("changes", look)
        if isinstance(found, str):
            raise HistoryGone(f"the folder {found} was made anew")
        return found

    async def labels(self) -> list[MailLabel]:
        """The mailbox's own folders, without those that have a role."""

        async def look(session: Session) -> list[MailLabel]:
            await session.synced()
            return [MailLabel(folder.name, folder.title) for folder in session.folders if folder.role in ("", "archive")]

        return await self._ask("labels", look)

    async def change_labels(self, ref: MessageRef, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
        """Set and take `unread` and `starred`; a folder among `add`, or `trash` or `spam`, is where the message is moved to."""

        async def change(session: Session) -> None:
            validity, uid, folder = read_ref(ref)
            if not await session.enter(folder, validity):
                return
            await session.mark(uid, add, remove)
            target = await session.target(folder, add)
            if target:
                await session.move(uid, target)

        await self._ask("change_labels", change)

    async def send(self, raw: bytes, *, thread_id: str = "") -> SentMail:
        """Send, then put a copy into the folder of sent mail, unless the server did. The copy's failure is not the sending's:
        the reference is then empty."""
        headers = Headers(raw.partition(b"\r\n\r\n")[0] if b"\r\n\r\n" in raw else raw.partition(b"\n\n")[0])
        crlf = re.sub(rb"\r?\n", b"\r\n", raw)
        message_id = next(iter(parse_ids(headers.get("message-id"))), "")
        recipients = recipients_of(crlf)
        senders = parse_addresses(headers.get("from"))
        if not recipients or not senders:
            raise Rejected("nobody", "the message does not say from whom and to whom it goes", 400, provider=PROVIDER)
        self._refuse_plain(self._account.smtp_security)
        await self._guard.call(
            "send", lambda: self._sender.send(senders[0].address, recipients, without_bcc(crlf)), repeatable=False
        )
        try:
            return SentMail(await self._ask("save_sent", lambda session: session.keep_copy(crlf, message_id)), message_id)
        except ProviderError:
            return SentMail(MessageRef(""), message_id)

    async def find_sent(self, message_id: str, *, to: str, since: datetime) -> SentMail | None:
        """The copy of it in the folder of sent mail. None where there is no such folder: then nobody knows."""

        async def look(session: Session) -> SentMail | None:
            uid = await session.sent_uid(message_id, since)
            return SentMail(session.ref(uid), normal_id(message_id)) if uid else None

        return await self._ask("find_sent", look)

    async def save_draft(self, raw: bytes, *, thread_id: str = "", draft_id: str | None = None) -> str:
        """Put a draft into the folder of drafts; the one it replaces is removed after it."""

        async def save(session: Session) -> str:
            folder = await session.folder_of("drafts", "Drafts")
            ref = await session.append(folder, re.sub(rb"\r?\n", b"\r\n", raw), "(\\Draft \\Seen)")
            if draft_id:
                await session.remove(MessageRef(draft_id))
            return ref.id

        return await self._ask("save_draft", save, repeatable=False)

    async def delete_draft(self, draft_id: str) -> None:
        """Remove a draft; gone already is fine."""
        await self._ask("delete_draft", lambda session: session.remove(MessageRef(draft_id)))

    async def watch(self) -> Watch | None:
        """IMAP pushes only into an open connection: such mailboxes are asked again and again instead."""
        return None

    async def unwatch(self) -> None:
        """There is nothing to end."""

    async def close(self) -> None:
        """Say goodbye."""
        session, self._session = self._session, None
        if session is not None and session.connection.is_usable():
            await session.connection.close()

    # What follows runs inside a call of the guard, on the one connection.

    async def _ask(self, operation: str, look: Callable[[Session], Awaitable[T]], *, repeatable: bool = True) -> T:
        async def attempt() -> T:
            async with self._one_at_a_time:
                return await look(await self._opened())

        self._refuse_plain(self._account.imap_security)
        return await self._guard.call(operation, attempt, repeatable=repeatable)

    def _refuse_plain(self, security: str) -> None:
        if security == "none" and not self._allow_private:
            raise Rejected("no_tls", "mail servers are only spoken to in private (TLS)", 400, provider=PROVIDER)

    async def _opened(self) -> Session:
        if self._session is not None and self._session.connection.is_usable():
            return self._session
        account = self._account
        sock = await dial(account.imap_host, account.imap_port, allow_private=self._allow_private, timeout_s=self._timeout_s)
        connection = await Connection.open(sock, account.imap_host, account.imap_security, self._tls, self._timeout_s)
        try:
            await connection.login(account.username, account.password)
        except BaseException:
            connection.abort()
            raise
        self._session = Session(connection)
        return self._session


async def _fetch(session: Session, folder: tuple[int, str], uids: Sequence[int]) -> list[RawMessage]:
    return await session.fetch(folder, uids)


def _read_page(page: str | None) -> tuple[int, int]:
    if page is None:
        return 0, 0
    try:
        values: Any = json.loads(page)
        return int(values[0]), int(values[1])
    except (ValueError, TypeError, IndexError, KeyError) as error:
        raise Rejected("bad_page", "this is no page of a mail server", 400, provider=PROVIDER) from error
