"""The folders of a mailbox: what each is for, and what its name means (RFC 3501, 5.1.3; RFC 6154)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Role = Literal["inbox", "sent", "drafts", "spam", "trash", "archive", "all", ""]

_LIST: Final = re.compile(rb'(?:LIST )?\((?P<flags>[^)]{0,400})\) (?:"(?P<sign>(?:\\.|[^"\\]))"|NIL) (?P<name>.+)', re.DOTALL)
_BY_FLAG: Final[dict[str, Role]] = {
    "\\sent": "sent",
    "\\drafts": "drafts",
    "\\junk": "spam",
    "\\trash": "trash",
    "\\archive": "archive",
    "\\all": "all",
    "\\flagged": "all",
    "\\important": "all",
}
# Servers that don't say which folder is which have these, by the names mail programs gave them.
_NAMES: Final[dict[Role, tuple[str, ...]]] = {
    "sent": (
        "sent",
        "sent items",
        "sent messages",
        "sent mail",
        "gesendet",
        "gesendete elemente",
        "gesendete objekte",
        "envoyés",
        "éléments envoyés",
        "enviados",
        "elementos enviados",
        "posta inviata",
        "verzonden items",
    ),
    "drafts": ("drafts", "entwürfe", "brouillons", "borradores", "bozze", "concepten"),
    "spam": ("junk", "spam", "junk e-mail", "junk email", "bulk mail", "junk-e-mail", "indésirables"),
    "trash": (
        "trash",
        "deleted items",
        "deleted messages",
        "papierkorb",
        "gelöschte elemente",
        "corbeille",
        "papelera",
        "cestino",
        "prullenbak",
    ),
    "archive": ("archive", "archiv", "archives"),
}
_BY_NAME: Final = {name: role for role, names in _NAMES.items() for name in names}
_ONLY_ONE: Final[tuple[Role, ...]] = ("sent", "drafts", "spam", "trash", "archive")


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder. `name` is what the server calls it, `title` what people read, `role` what it is for."""

    name: str
    title: str
    role: Role

    @property
    def is_synced(self) -> bool:
        """Is what lies in it mail to be read? Views of other folders, drafts, spam and trash are not."""
        return self.role in ("inbox", "sent", "archive", "")


def read_folders(lines: Sequence[bytes | bytearray]) -> list[Folder]:
    """The folders in the answer to LIST, the inbox and what was sent first; those that can't be opened are left out."""
    folders: list[Folder] = []
    taken: set[Role] = set()
    entries = list(_entries(lines))
    flagged = {_BY_FLAG[flag] for _, flags, _ in entries for flag in flags if flag in _BY_FLAG}
    for name, flags, sign in entries:
        if "\\noselect" in flags or "\\nonexistent" in flags:
            continue
        title = decode_name(name)
        role: Role = "inbox" if name.upper() == "INBOX" else next((_BY_FLAG[flag] for flag in flags if flag in _BY_FLAG), "")
        if not role:
            # Below the inbox, too: some servers put all folders there.
            last = title.rpartition(sign)[2] if sign else title
            named = _BY_NAME.get(last.lower(), "")
            role = named if named and named not in flagged and named not in taken and title.count(sign or "\0") <= 1 else ""
        if role in _ONLY_ONE:
            taken.add(role)
        folders.append(Folder(name, title, role))
    order = {"inbox": 0, "sent": 1}
    return sorted(folders, key=lambda folder: order.get(folder.role, 2))


def _entries(lines: Sequence[bytes | bytearray]) -> Iterable[tuple[str, list[str], str]]:
    for at, line in enumerate(lines):
        found = _LIST.match(bytes(line))
        if found is None:
            continue
        name = found["name"].strip()
        if re.fullmatch(rb"\{\d+\+?\}", name) and at + 1 < len(lines):
            name = bytes(lines[at + 1])
        elif name[:1] == b'"':
            name = re.sub(rb"\\(.)", rb"\1", name.strip()[1:-1])
        sign = (found["sign"] or b"").decode("ascii", "replace")[-1:]
        yield name.decode("utf-8", "replace"), found["flags"].decode("ascii", "replace").lower().split(), sign


def decode_name(name: str) -> str:
    """A folder's name in modified UTF-7, as people read it; one that is not in order stays as it is."""

    def shifted(found: re.Match[str]) -> str:
        if not found[1]:
            return "&"
        packed = found[1].replace(",", "/")
        try:
            return base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True).decode("utf-16-be")
        except (binascii.Error, UnicodeDecodeError):
            return found[0]

    return re.sub(r"&([A-Za-z0-9+,]{0,400})-", shifted, name)
