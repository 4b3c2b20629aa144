"""A call as the sandbox remembers it, and its JSON as Twilio writes it."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

from integrations.sandbox.twilio.courier import Callback, Delivery
from integrations.sandbox.twilio.outcomes import Plan
from integrations.sandbox.twilio.wording import API_VERSION, formatted, new_sid, now, rfc_2822

FINAL: Final = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
_SUBRESOURCES: Final = (
    "notifications",
    "recordings",
    "payments",
    "events",
    "siprec",
    "streams",
    "transcriptions",
    "user_defined_message_subscriptions",
    "user_defined_messages",
)
_KEPT: Final = 10_000


@dataclass(frozen=True, slots=True)
class Instructions:
    """What a leg does when it is answered: a document, or where to ask for one (with a browser's own `parameters`)."""

    twiml: str = ""
    url: str = ""
    method: str = "POST"
    fallback_url: str = ""
    fallback_method: str = "POST"
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Detection:
    """Answering machine detection as it was asked for. Asynchronous detection tells its own callback."""

    waits_for_end: bool
    is_async: bool
    callback: Callback


@dataclass(frozen=True, slots=True)
class RecordingWish:
    """How a recording was asked for."""

    channels: int
    source: str
    callback: Callback
    track: str = "both"


class Occupation(Protocol):
    """What a leg is in at present: a conference, or a bridge to another leg."""

    def release(self, reason: str) -> None:
        """Let the leg go. `reason` is Twilio's word for why a participant left."""


@dataclass(slots=True, kw_only=True, eq=False)
class Call:
    """One leg. Times are UTC; `answered_clock` is the loop's time at which it was picked up.

    `heard` is what was said and played to it, `pressed` the keys that nobody has read yet, `warnings` what Twilio
    would write into its debugger.
    """

    account_sid: str
    to: str
    from_: str
    plan: Plan
    ring_limit_s: float
    time_limit_s: float = 0.0
    direction: str = "outbound-api"
    parent_sid: str | None = None
    number_sid: str | None = None
    forwarded_from: str | None = None
    instructions: Instructions = Instructions()
    status_callback: Callback = field(default_factory=Callback)
    detection: Detection | None = None
    recording: RecordingWish | None = None
    sid: str = field(default_factory=lambda: new_sid("CA"))
    status: str = "queued"
    created_at: datetime = field(default_factory=now)
    updated_at: datetime = field(default_factory=now)
    started_at: datetime | None = None
    ended_at: datetime | None = None
    answered_clock: float | None = None
    answered_by: str | None = None
    duration_s: int | None = None
    events_sent: int = 0
    deliveries: list[Delivery] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    pressed: str = ""
    key_pressed: asyncio.Event = field(default_factory=asyncio.Event)
    script: asyncio.Task[None] | None = None
    program: asyncio.Task[None] | None = None
    timers: list[asyncio.TimerHandle] = field(default_factory=list)
    occupation: Occupation | None = None
    on_answer: Callable[[], None] | None = None
    on_over: Callable[[], None] | None = None

    @property
    def is_over(self) -> bool:
        """Has it reached a status that it can't leave?"""
        return self.status in FINAL

    @property
    def is_answered(self) -> bool:
        """Was it ever picked up?"""
        return self.answered_clock is not None

    @property
    def twiml(self) -> str:
        """The document that it was given, where it was not told to ask for one."""
        return self.instructions.twiml

    @property
    def uri(self) -> str:
        """Where it lives, without the extension."""
        return f"/{API_VERSION}/Accounts/{self.account_sid}/Calls/{self.sid}"

    def move(self, status: str) -> None:
        """Take on a status, now."""
        self.status = status
        self.updated_at = now()

    def as_resource(self) -> dict[str, Any]:
        """Return the call as `api.v2010.account.call` of Twilio's specification."""
        return {
            "sid": self.sid,
            "date_created": rfc_2822(self.created_at),
            "date_updated": rfc_2822(self.updated_at),
            "parent_call_sid": self.parent_sid,
            "account_sid": self.account_sid,
            "to": self.to,
            "to_formatted": formatted(self.to),
            "from": self.from_,
            "from_formatted": formatted(self.from_),
            "phone_number_sid": self.number_sid,
            "status": self.status,
            "start_time": rfc_2822(self.started_at),
            "end_time": rfc_2822(self.ended_at),
            "duration": None if self.duration_s is None else str(self.duration_s),
            "price": None,
            "price_unit": "USD",
            "direction": self.direction,
            "answered_by": self.answered_by,
            "api_version": API_VERSION,
            "forwarded_from": self.forwarded_from,
            "group_sid": None,
            "caller_name": None,
            "queue_time": "0",
            "trunk_sid": None,
            "uri": f"{self.uri}.json",
            "subresource_uris": {
                name: f"{self.uri}/{''.join(word.capitalize() for word in name.split('_'))}.json" for name in _SUBRESOURCES
            },
        }


class CallBook:
    """The calls of this sandbox's life, the oldest forgotten after some ten thousand."""

    def __init__(self) -> None:
        self._calls: dict[str, Call] = {}
        self._by_to: dict[str, dict[str, Call]] = {}

    def add(self, call: Call) -> None:
        """Remember a new call."""
        self._calls[call.sid] = call
        self._by_to.setdefault(call.to, {})[call.sid] = call
        if len(self._calls) > _KEPT:
            # A line that stays open all day is older than ten thousand calls, and must not vanish for that.
            oldest = next((sid for sid, each in self._calls.items() if each.is_over), "")
            self.remove(oldest)

    def remove(self, sid: str) -> None:
        """Forget a call."""
        call = self._calls.pop(sid, None)
        if call is not None:
            same = self._by_to[call.to]
            del same[sid]
            if not same:
                del self._by_to[call.to]

    def get(self, sid: str) -> Call | None:
        """Return a call by its SID."""
        return self._calls.get(sid)

    def newest_first(self, to: str | None = None) -> Iterator[Call]:
        """Go through the calls, or those to one number, backwards in time."""
        return reversed(list((self._calls if to is None else self._by_to.get(to, {})).values()))
