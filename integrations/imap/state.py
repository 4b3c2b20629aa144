"""Where a mailbox's history stands: for each folder what it was when last seen.

IMAP keeps no history. The cursor therefore holds, folder by folder, the UIDs that were there, those that were unread and those
that were starred, as sequence sets ("1:4000,4007"), and the counters by which an unchanged folder is known without opening it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from integrations.mail import HistoryGone

_VERSION: Final = 1
_STATUS: Final = re.compile(rb"(UIDVALIDITY|UIDNEXT|MESSAGES|UNSEEN|HIGHESTMODSEQ) (\d{1,20})", re.IGNORECASE)


@dataclass(slots=True)
class FolderState:
    """One folder's. `mod` is its HIGHESTMODSEQ (RFC 7162), 0 where the server counts no changes."""

    validity: int
    next: int
    count: int
    unseen_count: int
    mod: int = 0
    uids: str = ""
    unseen: str = ""
    flagged: str = ""

    def looks_like(self, other: FolderState) -> bool:
        """Do all counters agree, so that nothing can have happened in between?"""
        return (self.next, self.count, self.unseen_count, self.mod) == (other.next, other.count, other.unseen_count, other.mod)


@dataclass(slots=True)
class History:
    """All folders' states, by the server's name of the folder."""

    folders: dict[str, FolderState] = field(default_factory=dict)

    def dump(self) -> str:
        """As a cursor."""
        return json.dumps(
            {"v": _VERSION, "folders": {name: list(asdict(state).values()) for name, state in self.folders.items()}},
            separators=(",", ":"),
        )

    @classmethod
    def load(cls, cursor: str) -> History:
        """From a cursor. Raises HistoryGone for one that is none."""
        try:
            data: Any = json.loads(cursor)
            if data["v"] != _VERSION:
                raise ValueError("another version")
            return cls({str(name): FolderState(*values) for name, values in data["folders"].items()})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise HistoryGone("the cursor can't be read") from error


def read_status(lines: Iterable[bytes | bytearray]) -> FolderState:
    """The counters in the answer to STATUS."""
    found: dict[str, int] = {}
    for line in lines:
        for name, value in _STATUS.findall(bytes(line)):
            found.setdefault(name.decode().upper(), int(value))
    return FolderState(
        found.get("UIDVALIDITY", 0),
        found.get("UIDNEXT", 0),
        found.get("MESSAGES", 0),
        found.get("UNSEEN", 0),
        found.get("HIGHESTMODSEQ", 0),
    )


def pack(uids: Iterable[int]) -> str:
    """UIDs as a sequence set."""
    runs: list[list[int]] = []
    for uid in sorted(uids):
        if runs and uid == runs[-1][1] + 1:
            runs[-1][1] = uid
        elif not runs or uid != runs[-1][1]:
            runs.append([uid, uid])
    return ",".join(f"{first}:{last}" if last > first else str(first) for first, last in runs)


def unpack(sequence: str) -> set[int]:
    """A sequence set as UIDs."""
    found: set[int] = set()
    for run in sequence.split(","):
        if run:
            first, _, last = run.partition(":")
            found.update(range(int(first), int(last or first) + 1))
    return found
