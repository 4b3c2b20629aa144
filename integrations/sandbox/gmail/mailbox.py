"""One mailbox in memory: messages in their order, threads, labels, and the history of it all."""

import random
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from integrations.sandbox.gmail import refusals
from integrations.sandbox.gmail.clock import SandboxClock
from integrations.sandbox.gmail.rfc822 import Head, read_head

ChangeKind = Literal["messagesAdded", "messagesDeleted", "labelsAdded", "labelsRemoved"]

SYSTEM_LABELS: Final = (
    *("CHAT", "SENT", "INBOX", "IMPORTANT", "TRASH", "DRAFT", "SPAM", "STARRED", "UNREAD"),
    *("CATEGORY_FORUMS", "CATEGORY_UPDATES", "CATEGORY_PERSONAL", "CATEGORY_PROMOTIONS", "CATEGORY_SOCIAL"),
)


@dataclass(slots=True, eq=False)
class Stored:
    """A message in a mailbox. `place` orders the mailbox: time of arrival, then a running number."""

    id: str
    thread_id: str
    raw: bytes
    labels: set[str]
    place: tuple[int, int]
    history_id: int
    head: Head
    snippet: str | None = None

    @property
    def internal_ms(self) -> int:
        """When it came, in milliseconds since 1970."""
        return self.place[0]


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the history; `labels` are those added or removed, `message_labels` those of the message then."""

    id: int
    kind: ChangeKind
    message_id: str
    thread_id: str
    message_labels: tuple[str, ...]
    labels: tuple[str, ...] = ()


@dataclass(slots=True)
class Label:
    """A label of the mailbox's own."""

    id: str
    name: str
    shown_in_list: str = "labelShow"
    shown_on_messages: str = "show"
    color: dict[str, str] | None = None


@dataclass(slots=True)
class WatchState:
    """Pushes are wanted until `expires_ms`, for changes of these labels or (`is_exclusive`) of others."""

    expires_ms: int
    labels: frozenset[str] = frozenset()
    is_exclusive: bool = False

    def wants(self, labels: Iterable[str]) -> bool:
        """Is a change of a message with these labels to be told?"""
        if not self.labels:
            return True
        return self.labels.isdisjoint(labels) if self.is_exclusive else not self.labels.isdisjoint(labels)


@dataclass(slots=True)
class Draft:
    """A draft is a message that may be replaced by another."""

    id: str
    message_id: str


@dataclass(slots=True)
class Mailbox:
    """A mailbox; `on_change` is called with the labels concerned whenever something happens in it."""

    address: str
    clock: SandboxClock
    on_change: Callable[["Mailbox", tuple[str, ...]], None] = lambda mailbox, labels: None
    messages: dict[str, Stored] = field(default_factory=dict)
    threads: dict[str, list[Stored]] = field(default_factory=dict)
    labels: dict[str, Label] = field(default_factory=dict)
    drafts: dict[str, Draft] = field(default_factory=dict)
    history: list[Change] = field(default_factory=list)
    by_header_id: dict[str, list[Stored]] = field(default_factory=dict)
    watch: WatchState | None = None
    # Histories of before this id are forgotten.
    history_floor: int = 0
    history_id: int = field(default_factory=lambda: random.randint(10_000, 900_000))  # noqa: S311
    units: int = 0
    display_name: str = ""
    signature: str = ""
    _places: list[tuple[int, int]] = field(default_factory=list)
    _by_place: dict[tuple[int, int], Stored] = field(default_factory=dict)
    _number: int = 0
    _next_id: int = field(default_factory=lambda: 0x18 << 56 | random.getrandbits(48) << 8)

    def __post_init__(self) -> None:
        self.history_floor = self.history_id

    def new_id(self) -> str:
        """Return an id that nothing in the mailbox has."""
        self._next_id += random.randint(1, 0xFFFF)  # noqa: S311
        return f"{self._next_id:016x}"

    def add(
        self, raw: bytes, labels: Iterable[str], *, thread_id: str = "", at_ms: int | None = None, is_told: bool = True
    ) -> Stored:
        """Put a message there, into the thread it belongs to; `is_told` False keeps it out of the history."""
        head = read_head(raw)
        self._number += 1
        place = (self.clock.now_ms() if at_ms is None else at_ms, self._number)
        new = self.new_id()
        message = Stored(new, thread_id or self.thread_for(head) or new, raw, set(labels), place, self._next_history(), head)
        self._keep(message)
        if is_told:
            self._tell("messagesAdded", message)
        return message

    def put_back(
        self, message_id: str, thread_id: str, raw: bytes, labels: Iterable[str], place: tuple[int, int], history_id: int
    ) -> None:
        """Put a message there that was there before, under the ids it had."""
        self._number = max(self._number, place[1])
        self._next_id = max(self._next_id, int(message_id, 16))
        self._keep(Stored(message_id, thread_id, raw, set(labels), place, history_id, read_head(raw)))

    def thread_for(self, head: Head) -> str:
        """Return the thread that a message joins: one that it refers to and whose subject it has. Empty: none."""
        for known in reversed(head.references):
            for message in reversed(self.by_header_id.get(known, ())):
                if message.head.topic == head.topic:
                    return message.thread_id
        return ""

    def get(self, message_id: str) -> Stored:
        """Return a message. Raises Refusal when it is not there."""
        message = self.messages.get(message_id)
        if message is None:
            raise refusals.not_found()
        return message

    def thread(self, thread_id: str) -> list[Stored]:
        """Return a thread's messages, oldest first. Raises Refusal when there are none."""
        messages = self.threads.get(thread_id)
        if not messages:
            raise refusals.not_found()
        return messages

    def remove(self, message: Stored) -> None:
        """Delete a message for good."""
        del self.messages[message.id], self._by_place[message.place]
        del self._places[bisect_left(self._places, message.place)]
        rest = self.threads[message.thread_id]
        rest.remove(message)
        if not rest:
            del self.threads[message.thread_id]
        for known in {message.head.message_id, message.head.original_id} - {""}:
            self.by_header_id[known].remove(message)
        self._next_history()
        self._tell("messagesDeleted", message)

    def change_labels(self, message: Stored, add: Iterable[str], remove: Iterable[str]) -> None:
        """Set and take labels; what is so already leaves no trace in the history."""
        added = tuple(each for each in dict.fromkeys(add) if each not in message.labels)
        removed = tuple(each for each in dict.fromkeys(remove) if each in message.labels)
        kinds: tuple[tuple[ChangeKind, tuple[str, ...]], ...] = (("labelsAdded", added), ("labelsRemoved", removed))
        for kind, labels in kinds:
            if labels:
                message.labels = message.labels | set(labels) if kind == "labelsAdded" else message.labels - set(labels)
                message.history_id = self._next_history()
                self._tell(kind, message, labels)

    def trash(self, message: Stored) -> None:
        """Move a message to the trash."""
        self.change_labels(message, ("TRASH",), ("INBOX",))

    def newest_first(self, before: tuple[int, int] | None = None) -> Iterator[Stored]:
        """Yield the messages from the newest, or from just before a place."""
        start = len(self._places) if before is None else bisect_left(self._places, before)
        for index in range(start - 1, -1, -1):
            yield self._by_place[self._places[index]]

    def changes_since(self, history_id: int) -> list[Change]:
        """Return what happened after `history_id`. Raises Refusal (404) when that is forgotten or yet to come."""
        if not self.history_floor <= history_id <= self.history_id:
            raise refusals.not_found()
        return self.history[bisect_right(self.history, history_id, key=lambda each: each.id) :]

    def forget_history(self) -> None:
        """Make every history id of until now too old."""
        self.history.clear()
        self.history_floor = self._next_history()

    def knows_label(self, label_id: str) -> bool:
        """Is there such a label?"""
        return label_id in self.labels or label_id in SYSTEM_LABELS

    def _keep(self, message: Stored) -> None:
        self.messages[message.id] = message
        insort(self._places, message.place)
        self._by_place[message.place] = message
        insort(self.threads.setdefault(message.thread_id, []), message, key=lambda each: each.place)
        for known in {message.head.message_id, message.head.original_id} - {""}:
            self.by_header_id.setdefault(known, []).append(message)

    def _next_history(self) -> int:
        # "not contiguous with random gaps in between valid IDs", says the specification.
        self.history_id += random.randint(1, 9)  # noqa: S311
        return self.history_id

    def _tell(self, kind: ChangeKind, message: Stored, labels: tuple[str, ...] = ()) -> None:
        now = tuple(sorted(message.labels))
        self.history.append(Change(self.history_id, kind, message.id, message.thread_id, now, labels))
        self.on_change(self, (*now, *labels))
