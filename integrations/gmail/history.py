"""The history's records, folded to what became of each message."""

from __future__ import annotations

from typing import Any, Final

from integrations.gmail.mapping import our_labels
from integrations.mail import Changes, LabelChange, MessageRef

HISTORY_PAGE: Final = 500
# What a mailbox's list does not show. A message that comes out of there is news.
_HIDDEN: Final = frozenset({"draft", "spam", "trash", "CHAT"})


class Folded:
    """Takes page by page what happened since a cursor."""

    def __init__(self, cursor: str) -> None:
        self._cursor = cursor
        self._last_record = cursor
        self._refs: dict[str, MessageRef] = {}
        self._added: dict[str, None] = {}
        self._deleted: dict[str, None] = {}
        self._labels: dict[str, dict[str, bool]] = {}

    def take(self, answer: Any) -> str | None:
        """Take a page; the next page's token, or None when this was the last."""
        for record in answer.get("history", ()):
            self._last_record = str(record["id"])
            for each in record.get("messagesAdded", ()):
                self._add(each["message"])
            for each in record.get("labelsAdded", ()):
                self._label(each, is_set=True)
            for each in record.get("labelsRemoved", ()):
                self._label(each, is_set=False)
            for each in record.get("messagesDeleted", ()):
                self._delete(each["message"])
        self._cursor = str(answer.get("historyId") or self._cursor)
        return answer.get("nextPageToken") or None

    def changes(self, *, is_whole: bool) -> Changes:
        """What became of them. Without the last page there is more after the last record that was seen."""
        labels = tuple(
            LabelChange(
                self._refs[id_],
                added=frozenset(name for name, is_set in marks.items() if is_set),
                removed=frozenset(name for name, is_set in marks.items() if not is_set),
            )
            for id_, marks in self._labels.items()
        )
        return Changes(
            added=tuple(self._refs[id_] for id_ in self._added),
            deleted=tuple(self._refs[id_] for id_ in self._deleted),
            labels=labels,
            cursor=self._cursor if is_whole else self._last_record,
            more=not is_whole,
        )

    def _know(self, message: Any) -> str:
        id_ = str(message["id"])
        if id_ not in self._refs or message.get("threadId"):
            self._refs[id_] = MessageRef(id_, message.get("threadId", ""))
        return id_

    def _add(self, message: Any) -> None:
        id_ = self._know(message)
        self._deleted.pop(id_, None)
        if not our_labels(message.get("labelIds", ())) & _HIDDEN:
            self._added[id_] = None

    def _delete(self, message: Any) -> None:
        id_ = self._know(message)
        self._added.pop(id_, None)
        self._labels.pop(id_, None)
        self._deleted[id_] = None

    def _label(self, change: Any, *, is_set: bool) -> None:
        message = change["message"]
        id_ = self._know(message)
        names = our_labels(change.get("labelIds", ()))
        marks = self._labels.setdefault(id_, {})
        for name in names:
            marks[name] = is_set
        shown = not our_labels(message.get("labelIds", ())) & _HIDDEN
        if names & _HIDDEN and not is_set and shown:
            self._added[id_] = None
        if names & _HIDDEN and is_set:
            self._added.pop(id_, None)
