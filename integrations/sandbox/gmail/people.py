"""The people who get the mail: what each does with it is decided by the address."""

import asyncio
import hashlib
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from integrations.sandbox.gmail import letters
from integrations.sandbox.gmail.clock import SandboxClock
from integrations.sandbox.gmail.post import Sent
from integrations.sandbox.gmail.settings import People as Mode
from integrations.sandbox.gmail.stock import Stock

# What the address begins with, what its owner does, after how many seconds, and in which words. Longer ones come first.
TABLE: Final = (
    ("reply-other", "answers from another address of theirs", 40.0),
    ("reply-noref", "answers without saying what to: only the subject tells", 40.0),
    ("reply", "answers, the message quoted below", 40.0),
    ("slow", "answers, but only after an hour", 3600.0),
    ("ooo-nodate", "is out of office, does not say until when", 3.0),
    ("ooo-plain", "is out of office, and only the words say so: no header does", 3.0),
    ("ooo-de", "is out of office for five days, in German", 3.0),
    ("ooo-fr", "is out of office for five days, in French", 3.0),
    ("ooo-es", "is out of office for five days, in Spanish", 3.0),
    ("ooo", "is out of office for five days", 3.0),
    ("bounce-soft", "does not get it: the mailbox is full (4.2.2)", 2.0),
    ("bounce-delay", "does not get it yet: a warning comes, no bounce (4.4.1)", 2.0),
    ("bounce-plain", "does not exist, says a server that knows no RFC 3464", 2.0),
    ("bounce", "does not exist: hard bounce (5.1.1)", 2.0),
    ("complain", "calls it spam: an ARF report comes", 120.0),
    ("unsub-de", 'writes "Bitte abmelden"', 60.0),
    ("unsub", 'writes "please unsubscribe me"', 60.0),
    ("meet", "answers with an invitation for three days later", 50.0),
    ("silent", "reads it, and does nothing", 0.0),
)
_DELAYS: Final = {kind: delay_s for kind, _, delay_s in TABLE}
# Of a hundred people without such an address, with --people hash; the rest is silent.
SHARES: Final = (("reply", 10), ("ooo", 5), ("bounce", 3), ("complain", 1), ("unsub", 2))
# These wait for their first to third message, by the hash; the others act on every one.
_PATIENT: Final = frozenset({"reply", "complain", "unsub"})


@dataclass(frozen=True, slots=True)
class Plan:
    """What somebody does, after how long, and on which message of a sender (0: on every one)."""

    kind: str
    delay_s: float
    on_number: int = 0


def plan_for(address: str, mode: Mode) -> Plan:
    """Return what the owner of an address does with a message."""
    local = address.partition("@")[0].lower()
    named = next((kind for kind in _DELAYS if local.startswith(kind)), None)
    if named is not None:
        return Plan(named, _DELAYS[named])
    if mode == "silent":
        return Plan("silent", 0.0)
    digest = hashlib.sha256(address.lower().encode()).digest()
    place = int.from_bytes(digest[:4], "big") % 100
    for kind, share in SHARES:
        if place < share:
            spread = 1 + digest[4] / 128
            return Plan(kind, _DELAYS[kind] * spread, 1 + digest[5] % 3 if kind in _PATIENT else 0)
        place -= share
    return Plan("silent", 0.0)


class People:
    """Gets the mail that leaves the sandbox's mailboxes and answers some of it."""

    def __init__(self, mode: Mode, clock: SandboxClock, stock: Stock) -> None:
        self.mode = mode
        # What has been answered so far, by kind.
        self.answered: Counter[str] = Counter()
        self._clock = clock
        self._stock = stock
        self._got: Counter[tuple[str, str]] = Counter()
        self._on_leave: dict[tuple[str, str], datetime] = {}
        self._waiting: set[asyncio.TimerHandle] = set()

    @property
    def waiting(self) -> int:
        """How many answers are still to come."""
        return len(self._waiting)

    def receive(self, letter: Sent, recipient: str) -> None:
        """Get a message, and decide what to do."""
        plan = plan_for(recipient, self.mode)
        key = (letter.mailbox, recipient)
        self._got[key] += 1
        if plan.kind == "silent" or plan.on_number not in (0, self._got[key]):
            return
        if letter.head.is_automatic and not plan.kind.startswith("bounce"):
            return
        loop = asyncio.get_running_loop()
        handle: asyncio.TimerHandle

        def act() -> None:
            self._waiting.discard(handle)
            self.answer(plan.kind, letter, recipient)

        handle = loop.call_later(self._clock.real_s(plan.delay_s), act)
        self._waiting.add(handle)

    def close(self) -> None:
        """Let nobody answer any more."""
        for handle in self._waiting:
            handle.cancel()
        self._waiting.clear()

    def answer(self, kind: str, letter: Sent, recipient: str) -> None:
        """Answer a message at once in a way of the table, whatever the address says."""
        written_ms = letter.head.date_ms or letter.at_ms
        written = datetime.fromtimestamp(written_ms / 1000, UTC)
        now = max(self._clock.now(), written)
        if kind.startswith("ooo"):
            # As vacation responders do: one holiday at a time, told a sender once in four days.
            told = self._on_leave.get(key := (letter.mailbox, recipient))
            if told is not None and now - told < timedelta(days=4):
                return
            self._on_leave[key] = now
        mailbox = self._stock.find(letter.mailbox)
        if mailbox is None:
            return
        raw = letters.write(kind, letter, recipient, now)
        # Gmail shows its own bounces in the conversation, whatever their subject.
        is_own = kind in ("bounce", "bounce-soft", "bounce-delay") and letter.stored.thread_id in mailbox.threads
        thread_id = letter.stored.thread_id if is_own else ""
        mailbox.add(raw, {"INBOX", "UNREAD"}, thread_id=thread_id, at_ms=self._clock.now_ms())
        self.answered[kind] += 1
