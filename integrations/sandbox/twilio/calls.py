"""A call as the sandbox remembers it, and its JSON as Twilio writes it."""

import asyncio
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Final

from integrations.sandbox.twilio.outcomes import Plan

API_VERSION: Final = "2010-04-01"
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


def new_sid(kind: str) -> str:
    """Return a fresh SID of a kind: CA for calls, RQ for requests."""
    return kind + secrets.token_hex(16)


@dataclass(slots=True)
class Delivery:
    """One attempt to deliver a callback; `http_status` is None when nobody answered."""

    event: str
    status: str
    sequence_number: int
    http_status: int | None
    at: datetime


@dataclass(slots=True, kw_only=True)
class Call:
    """One call. Times are UTC; `answered_clock` is the monotonic time at which it was picked up."""

    account_sid: str
    to: str
    from_: str
    plan: Plan
    ring_limit_s: float
    detects_machine: bool
    twiml: str
    status_callback: str
    status_callback_method: str
    status_callback_events: frozenset[str]
    sid: str = field(default_factory=lambda: new_sid("CA"))
    status: str = "queued"
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    updated_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    started_at: datetime | None = None
    ended_at: datetime | None = None
    answered_clock: float | None = None
    duration_s: int | None = None
    events_sent: int = 0
    deliveries: list[Delivery] = field(default_factory=list)
    script: asyncio.Task[None] | None = None

    @property
    def is_over(self) -> bool:
        """Has it reached a status that it can't leave?"""
        return self.status in FINAL

    @property
    def answered_by(self) -> str | None:
        """What machine detection found, where it was asked for and the call was answered."""
        return self.plan.answered_by if self.detects_machine and self.answered_clock is not None else None

    def move(self, status: str) -> None:
        """Take on a status, now."""
        self.status = status
        self.updated_at = datetime.now(UTC)

    def as_resource(self) -> dict[str, Any]:
        """Return the call as `api.v2010.account.call` of Twilio's specification."""
        uri = f"/{API_VERSION}/Accounts/{self.account_sid}/Calls/{self.sid}"
        return {
            "sid": self.sid,
            "date_created": rfc_2822(self.created_at),
            "date_updated": rfc_2822(self.updated_at),
            "parent_call_sid": None,
            "account_sid": self.account_sid,
            "to": self.to,
            "to_formatted": formatted(self.to),
            "from": self.from_,
            "from_formatted": formatted(self.from_),
            "phone_number_sid": None,
            "status": self.status,
            "start_time": rfc_2822(self.started_at),
            "end_time": rfc_2822(self.ended_at),
            "duration": None if self.duration_s is None else str(self.duration_s),
            "price": None,
            "price_unit": "USD",
            "direction": "outbound-api",
            "answered_by": self.answered_by,
            "api_version": API_VERSION,
            "forwarded_from": None,
            "group_sid": None,
            "caller_name": None,
            "queue_time": "0",
            "trunk_sid": None,
            "uri": f"{uri}.json",
            "subresource_uris": {
                name: f"{uri}/{''.join(word.capitalize() for word in name.split('_'))}.json" for name in _SUBRESOURCES
            },
        }


class CallBook:
    """The calls of this sandbox's life, the oldest forgotten after some ten thousand."""

    def __init__(self) -> None:
        self._calls: dict[str, Call] = {}

    def add(self, call: Call) -> None:
        """Remember a new call."""
        self._calls[call.sid] = call
        if len(self._calls) > _KEPT:
            del self._calls[next(iter(self._calls))]

    def get(self, sid: str) -> Call | None:
        """Return a call by its SID."""
        return self._calls.get(sid)

    def newest_first(self) -> Iterator[Call]:
        """Go through the calls, backwards in time."""
        return reversed(list(self._calls.values()))


def rfc_2822(at: datetime | None) -> str | None:
    """Return a time as Twilio writes it."""
    return None if at is None else format_datetime(at)


def formatted(number: str) -> str:
    """Return a North American number as people there write it, and any other as it is."""
    if number.startswith("+1") and len(number) == 12:
        return f"({number[2:5]}) {number[5:8]}-{number[8:]}"
    return number
