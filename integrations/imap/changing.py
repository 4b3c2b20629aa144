"""What happened between two states of a mailbox's folders."""

from __future__ import annotations

from typing import Final

from integrations.imap.state import FolderState, History, pack, unpack
from integrations.mail import Changes, LabelChange, MessageRef

# More than these are told in several goes, so that a folder that was filled at once is no burden.
_MOST: Final = 1000


class Comparison:
    """Takes folder after folder, and says what changed."""

    def __init__(self, before: History) -> None:
        self._before = before
        self._now = History()
        self._added: list[MessageRef] = []
        self._deleted: list[MessageRef] = []
        self._labels: list[LabelChange] = []
        self._more = False

    def keep(self, folder: str) -> None:
        """Nothing changed in this one."""
        self._now.folders[folder] = self._before.folders[folder]

    def compare(self, folder: str, now: FolderState) -> None:
        """Compare a folder."""
        known = self._before.folders.get(folder)
        before = unpack(known.uids) if known is not None else set()
        there = unpack(now.uids)
        new = sorted(there - before)
        room = max(0, _MOST - len(self._added))
        self._added += [_ref(folder, now, uid) for uid in new[:room]]
        self._deleted += [_ref(folder, now, uid) for uid in sorted(before - there)]
        if known is not None:
            self._compare_marks(folder, known, now, before & there)
        if len(new) > room:
            # The rest is seen next time: the counters are made such that the folder looks changed.
            self._more = True
            now.uids = pack(there - set(new[room:]))
            now.count = -1
        self._now.folders[folder] = now

    def changes(self) -> Changes:
        """All of it. Messages in folders that are gone are gone."""
        for folder, known in self._before.folders.items():
            if folder not in self._now.folders:
                self._deleted += [_ref(folder, known, uid) for uid in sorted(unpack(known.uids))]
        return Changes(tuple(self._added), tuple(self._deleted), tuple(self._labels), self._now.dump(), self._more)

    def _compare_marks(self, folder: str, known: FolderState, now: FolderState, both: set[int]) -> None:
        unread = unpack(known.unseen), unpack(now.unseen)
        starred = unpack(known.flagged), unpack(now.flagged)
        for uid in sorted(both & ((unread[0] ^ unread[1]) | (starred[0] ^ starred[1]))):
            marks = [(label, uid in was, uid in now_is) for label, (was, now_is) in (("unread", unread), ("starred", starred))]
            added = frozenset(label for label, was, now_is in marks if now_is and not was)
            removed = frozenset(label for label, was, now_is in marks if was and not now_is)
            self._labels.append(LabelChange(_ref(folder, now, uid), added, removed))


def _ref(folder: str, state: FolderState, uid: int) -> MessageRef:
    return MessageRef(f"{state.validity}.{uid}.{folder}")
