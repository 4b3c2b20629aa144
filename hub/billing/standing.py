"""How a company stands, from what it has bought and paid, and the time. No data is deleted at any of these stages.

    trial       everything works, no card is asked for
    active      everything works
    grace       a payment failed: everything works, and everybody who can pay is told
    read_only   nothing can be changed, called or sent; everything can be read
    suspended   only the plan, signing in and the export of the company's data are left

Paying leads back from each of them at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

Name = Literal["trial", "active", "grace", "read_only", "suspended"]
Reason = Literal["", "trial_over", "payment_failed", "canceled"]

# Stripe's own retries end after 15 days (3, 5 and 7); the grace lasts nearly as long.
GRACE: Final = timedelta(days=14)
# From the first day on which nothing can be changed to the one on which nothing can be read.
READ_ONLY: Final = timedelta(days=30)
# A trial's end is announced so long before it.
WARNING: Final = timedelta(days=3)

_PAID: Final = ("active",)
_OWING: Final = ("past_due", "unpaid")
RESTRICTED: Final[frozenset[str]] = frozenset({"read_only", "suspended"})


@dataclass(frozen=True, slots=True)
class Facts:
    """What the standing follows from. `status` is the subscription's; "none" is no subscription, also one never paid for."""

    status: str
    trial_ends_at: datetime
    past_due_since: datetime | None = None
    ended_at: datetime | None = None
    ended_unpaid: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """How a company stands; `until` is when time alone will change that, None when it will not."""

    name: Name
    reason: Reason = ""
    until: datetime | None = None

    @property
    def is_restricted(self) -> bool:
        """Is nothing to be changed?"""
        return self.name in RESTRICTED


def stand(facts: Facts, now: datetime) -> Standing:
    """How a company stands at `now`."""
    if facts.status in _PAID:
        return Standing("active")
    if facts.status == "trialing":
        return Standing("trial", "", facts.trial_ends_at if facts.trial_ends_at > now else None)
    if facts.status in _OWING:
        since = facts.past_due_since or now
        if now < since + GRACE:
            return Standing("grace", "payment_failed", since + GRACE)
        return _locked("payment_failed", since + GRACE, now)
    if facts.status == "canceled" and facts.ended_at is not None:
        reason: Reason = "payment_failed" if facts.ended_unpaid else "canceled"
        if not facts.ended_unpaid and now < facts.trial_ends_at:
            # Who takes back a purchase while the trial runs has the trial.
            return Standing("trial", "", facts.trial_ends_at)
        return _locked(reason, facts.ended_at, now)
    if now < facts.trial_ends_at:
        return Standing("trial", "", facts.trial_ends_at)
    return _locked("trial_over", facts.trial_ends_at, now)


def _locked(reason: Reason, since: datetime, now: datetime) -> Standing:
    if now < since + READ_ONLY:
        return Standing("read_only", reason, since + READ_ONLY)
    return Standing("suspended", reason)


_WHY: Final[dict[str, str]] = {
    "trial_over": "the trial has ended and no plan was chosen",
    "payment_failed": "the last payment failed",
    "canceled": "the plan was cancelled",
}


def words_of(name: str, reason: str) -> str:
    """What people read when something is refused."""
    why = _WHY.get(reason, "nothing was paid")
    if name == "suspended":
        return (
            f"Your company's account is suspended, since {why}. All of its data is kept, and can be exported. "
            "An owner or admin can choose or pay for a plan under Settings, Plan and invoices."
        )
    return (
        f"Your company's account can only be read, since {why}: nothing can be changed, called or sent. Nothing is lost. "
        "An owner or admin can choose or pay for a plan under Settings, Plan and invoices."
    )
