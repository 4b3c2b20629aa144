"""The shapes that the features know: protocols and frozen values, with no vendor's name in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

CallState = Literal["dialing", "ringing", "in_progress", "completed", "busy", "no_answer", "failed", "canceled"]
FINAL_STATES: frozenset[CallState] = frozenset({"completed", "busy", "no_answer", "failed", "canceled"})


@dataclass(frozen=True, slots=True)
class PlaceCall:
    """An outgoing call to place.

    Numbers are E.164. What the contact hears is either a `conference` (its name; the contact is put into it)
    or a `twiml` document: exactly one of them. `timeout_s` is how long it may ring.
    """

    to: str
    from_: str
    status_callback_url: str
    conference: str | None = None
    twiml: str | None = None
    timeout_s: int = 30
    machine_detection: bool = False

    def __post_init__(self) -> None:
        if (self.conference is None) == (self.twiml is None):
            raise ValueError("a call needs either a conference or a twiml document, and not both")


@dataclass(frozen=True, slots=True)
class ProviderCall:
    """A call as the provider knows it. `status` is the provider's word, `state` ours. Times are UTC."""

    sid: str
    status: str
    state: CallState
    to: str
    from_: str
    created_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    duration_s: int | None
    answered_by: str | None


@dataclass(frozen=True, slots=True)
class CallUpdate:
    """What a status callback says. `raw` is every field as it came."""

    sid: str
    status: str
    state: CallState
    sequence_number: int | None
    at: datetime | None
    duration_s: int | None
    answered_by: str | None
    sip_code: int | None
    raw: Mapping[str, str]


class Telephony(Protocol):
    """Phone calls. Every method raises `Transient`, `Rejected` or `CircuitOpen` of `integrations.errors`."""

    async def place_call(self, call: PlaceCall) -> ProviderCall:
        """Place a call. Never repeated by itself: after an ambiguous `Transient`, look with `find_calls`."""
        ...

    async def hang_up(self, sid: str) -> ProviderCall:
        """End a call, whether it is waiting, ringing or being talked on. A call that has ended stays so."""
        ...

    async def fetch_call(self, sid: str) -> ProviderCall | None:
        """Return the call, or None when the provider does not know it."""
        ...

    async def find_calls(self, to: str, from_: str, started_after: datetime) -> list[ProviderCall]:
        """Return the calls between two numbers that were created at or after `started_after`, newest first.

        That time is compared with the provider's clock: whoever looks for a lost call leaves a margin for the
        difference, and leaves out the calls that it already knows.
        """
        ...


class CallbackReader(Protocol):
    """Tells a provider's status callbacks from forgeries, and reads them."""

    def is_genuine(self, *, url: str, headers: Mapping[str, str], body: bytes) -> bool:
        """Was this request signed by the provider? `url` is the public one, with its query. Never raises."""
        ...

    def read(self, body: bytes) -> CallUpdate:
        """Read a form body; raises `ValueError` when it is no status callback."""
        ...
