"""One open connection to a mail server, and the folder it is in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from integrations.errors import Rejected, Transient
from integrations.imap.folders import Folder, Role, read_folders
from integrations.imap.messages import Found, read_fetched, search_date, uids_in
from integrations.imap.state import FolderState, pack, read_status
from integrations.imap.wire import Connection, quoted
from integrations.mail import MessageRef, RawMessage
from integrations.mime import normal_id

PROVIDER: Final = "imap"
_REF: Final = re.compile(r"(\d{1,10})\.(\d{1,10})\.(.{1,500})", re.DOTALL)
_APPENDED: Final = re.compile(rb"\[APPENDUID (\d{1,10}) (\d{1,10})\]", re.IGNORECASE)
_VALIDITY: Final = re.compile(rb"\[UIDVALIDITY (\d{1,10})\]", re.IGNORECASE)
_MOST_FOLDERS: Final = 200
_PORTION_BYTES: Final = 16 * 1024 * 1024


class Session:
    """What is done on a connection, folder by folder. Everything raises Rejected or Transient."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.folders: list[Folder] = []
        self._selected: tuple[str, int] | None = None

    async def synced(self) -> list[Folder]:
        """The folders whose mail is read, the inbox and what was sent first."""
        if self.connection.has("SPECIAL-USE") and self.connection.has("LIST-EXTENDED"):
            lines = await self.connection.ask("LIST", '""', '"*"', "RETURN", "(SPECIAL-USE)")
        else:
            lines = await self.connection.ask("LIST", '""', '"*"')
        self.folders = read_folders(lines)
        return [folder for folder in self.folders if folder.is_synced][:_MOST_FOLDERS]

    async def folder_of(self, role: Role, make: str = "") -> str:
        """The name of the folder with this role, made as `make` where there is none; "" without."""
        if not self.folders:
            await self.synced()
        found = next((folder.name for folder in self.folders if folder.role == role), "")
        if found or not make:
            return found
        await self.connection.ask("CREATE", quoted(make))
        self.folders = []
        return make

    async def status(self, folder: str) -> FolderState | None:
        """A folder's counters, without opening it; None for one that can't be asked."""
        items = "UIDVALIDITY UIDNEXT MESSAGES UNSEEN" + (" HIGHESTMODSEQ" if self.connection.has("CONDSTORE") else "")
        try:
            return read_status(await self.connection.ask("STATUS", quoted(folder), f"({items})"))
        except Rejected:
            # Gone since it was listed, or not ours to read.
            return None

    async def take_stock(self, folder: str, state: FolderState) -> None:
        """Write down which messages are there. `next` and `count` are those of the stock: STATUS may be older."""
        await self.enter(folder, None)
        uids = uids_in(await self.connection.ask("SEARCH", "ALL", by_uid=True))
        unseen = uids_in(await self.connection.ask("SEARCH", "UNSEEN", by_uid=True))
        flagged = uids_in(await self.connection.ask("SEARCH", "FLAGGED", by_uid=True))
        state.uids, state.unseen, state.flagged = pack(uids), pack(unseen), pack(flagged)

    async def enter(self, folder: str, validity: int | None) -> bool:
        """Select a folder; False when it, or its UIDs, are others than meant."""
        if self._selected is None or self._selected[0] != folder:
            self._selected = None
            try:
                lines = await self.connection.select(folder)
            except Rejected:
                if validity is None:
                    raise
                return False
            found = next((match for line in lines if (match := _VALIDITY.search(bytes(line)))), None)
            self._selected = (folder, int(found[1]) if found else 0)
        else:
            # A selected folder tells of what came only when it is spoken to.
            await self.connection.ask("NOOP")
        return validity is None or self._selected[1] == validity

    def ref(self, uid: int) -> MessageRef:
        """The reference of a message in the folder that is open."""
        folder, validity = self._selected or ("", 0)
        return MessageRef(f"{validity}.{uid}.{folder}")

    async def uids_since(self, folder: str, since: datetime | None) -> set[int]:
        """Which messages of a folder were received at or after that moment."""
        await self.enter(folder, None)
        if since is None:
            return uids_in(await self.connection.ask("SEARCH", "ALL", by_uid=True))
        # SEARCH knows whole days of the server's zone only: the days around are looked at message by message.
        day = since.astimezone(UTC)
        uids = uids_in(await self.connection.ask("SEARCH", "SINCE", search_date(day - timedelta(days=1)), by_uid=True))
        near = uids_in(
            await self.connection.ask(
                "SEARCH",
                "SINCE",
                search_date(day - timedelta(days=1)),
                "BEFORE",
                search_date(day + timedelta(days=2)),
                by_uid=True,
            )
        )
        if near:
            dated = read_fetched(await self.connection.fetch(pack(near), "(UID INTERNALDATE)"))
            uids -= {each.uid for each in dated if each.received_at is not None and each.received_at < since}
        return uids

    async def fetch(self, folder: tuple[int, str], uids: Sequence[int]) -> list[RawMessage]:
        """Messages of one folder (its UIDVALIDITY and name), whole; those that are gone are left out."""
        if not await self.enter(folder[1], folder[0]):
            return []
        if not self.folders:
            await self.synced()
        role = next((each.role for each in self.folders if each.name == folder[1]), "")
        by_uid: dict[int, Found] = {}
        for some in _in_portions(read_fetched(await self.connection.fetch(pack(uids), "(UID RFC822.SIZE)"))):
            found = read_fetched(await self.connection.fetch(pack(some), "(UID FLAGS INTERNALDATE BODY.PEEK[])"))
            by_uid.update((each.uid, each) for each in found if each.raw is not None)
        return [self._message(by_uid[uid], role, folder[1]) for uid in uids if uid in by_uid]

    def _message(self, found: Found, role: str, folder: str) -> RawMessage:
        labels = {"drafts": "draft"}.get(role, role) if role in ("inbox", "sent", "drafts", "spam", "trash") else folder
        raw = found.raw or b""
        return RawMessage(
            ref=self.ref(found.uid),
            raw=raw,
            labels=frozenset({labels, *found.marks}),
            received_at=found.received_at or datetime.now(UTC),
            size=len(raw),
        )

    async def mark(self, uid: int, add: Sequence[str], remove: Sequence[str]) -> None:
        """Set and take `unread` and `starred` of a message in the open folder."""
        for flag, label, is_set in (("\\Seen", "unread", False), ("\\Flagged", "starred", True)):
            if label in add or label in remove:
                sign = "+" if (label in add) == is_set else "-"
                await self.connection.ask("STORE", str(uid), f"{sign}FLAGS.SILENT", f"({flag})", by_uid=True, answers_as="FETCH")

    async def target(self, folder: str, add: Sequence[str]) -> str:
        """The other folder that one of these labels means, or ""."""
        if not self.folders:
            await self.synced()
        for label in add:
            role = {"inbox": "inbox", "trash": "trash", "spam": "spam"}.get(label)
            named = next((each.name for each in self.folders if (each.role == role if role else each.name == label)), "")
            if named and named != folder:
                return named
        return ""

    async def move(self, uid: int, target: str) -> None:
        """Move a message of the open folder into another."""
        if self.connection.has("MOVE"):
            await self.connection.ask("MOVE", str(uid), quoted(target), by_uid=True)
            return
        await self.connection.ask("COPY", str(uid), quoted(target), by_uid=True)
        await self.expunge(uid)

    async def expunge(self, uid: int) -> None:
        """Delete a message of the open folder for good; without UIDPLUS it is only marked, as others may be marked too."""
        await self.connection.ask("STORE", str(uid), "+FLAGS.SILENT", "(\\Deleted)", by_uid=True, answers_as="FETCH")
        if self.connection.has("UIDPLUS"):
            await self.connection.ask("EXPUNGE", str(uid), by_uid=True)

    async def remove(self, ref: MessageRef) -> None:
        """Delete a message; gone already is fine."""
        validity, uid, folder = read_ref(ref)
        if await self.enter(folder, validity):
            await self.expunge(uid)

    async def keep_copy(self, raw: bytes, message_id: str) -> MessageRef:
        """The copy of what was sent, put there unless the server did."""
        # Some servers keep a copy of what they send; a second one would only be in the way.
        uid = await self.sent_uid(message_id, datetime.now(UTC)) if message_id else 0
        if uid:
            return self.ref(uid)
        folder = await self.folder_of("sent", "Sent")
        return await self.append(folder, raw, "(\\Seen)")

    async def append(self, folder: str, raw: bytes, flags: str) -> MessageRef:
        """Put a message into a folder."""
        lines = await self.connection.append(folder, raw, flags)
        found = next((match for line in lines if (match := _APPENDED.search(bytes(line)))), None)
        if found is not None:
            return MessageRef(f"{int(found[1])}.{int(found[2])}.{folder}")
        self._selected = None
        await self.enter(folder, None)
        uids = uids_in(await self.connection.ask("SEARCH", "ALL", by_uid=True))
        if not uids:
            raise Transient("the message is not where it was put", ambiguous=True)
        return self.ref(max(uids))

    async def sent_uid(self, message_id: str, since: datetime) -> int:
        """The UID of what was sent with this Message-ID since that day, 0 for none."""
        folder = await self.folder_of("sent")
        if not folder:
            return 0
        await self.enter(folder, None)
        day = search_date(since.astimezone(UTC) - timedelta(days=1))
        found = uids_in(
            await self.connection.ask("SEARCH", "SINCE", day, "HEADER", "Message-ID", quoted(normal_id(message_id)), by_uid=True)
        )
        return max(found, default=0)


def _in_portions(sizes: Iterable[Found]) -> Iterable[list[int]]:
    """UIDs in portions whose messages are not too much for the memory together."""
    portion: list[int] = []
    weight = 0
    for each in sizes:
        if portion and weight + each.size > _PORTION_BYTES:
            yield portion
            portion, weight = [], 0
        portion.append(each.uid)
        weight += each.size
    if portion:
        yield portion


def read_ref(ref: MessageRef) -> tuple[int, int, str]:
    """UIDVALIDITY, UID and folder. Raises Rejected for a reference that is none of a mail server."""
    found = _REF.fullmatch(ref.id)
    if found is None:
        raise Rejected("bad_id", "this is no message of a mail server", 404, provider=PROVIDER)
    return int(found[1]), int(found[2]), found[3]


def by_folder(refs: Iterable[MessageRef]) -> dict[tuple[int, str], list[int]]:
    """UIDs by UIDVALIDITY and folder; references of another kind are left out."""
    found: dict[tuple[int, str], list[int]] = {}
    for ref in refs:
        parts = _REF.fullmatch(ref.id)
        if parts is not None:
            found.setdefault((int(parts[1]), parts[3]), []).append(int(parts[2]))
    return found
