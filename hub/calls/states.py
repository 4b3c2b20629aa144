"""The states of a call and of the legs in it, and the moves between them: tables, asked by the places that move them."""

from __future__ import annotations

from typing import Literal

CallState = Literal["queued", "dialing", "ringing", "in_progress", "completed", "busy", "no_answer", "failed", "canceled"]
Outcome = Literal["connected", "voicemail", "busy", "no_answer", "failed", "canceled", "abandoned"]

LIVE: tuple[CallState, ...] = ("queued", "dialing", "ringing", "in_progress")
_OVER: frozenset[CallState] = frozenset({"completed", "busy", "no_answer", "failed", "canceled"})

# What may follow what. Callbacks come late, twice and out of order, so a state may be skipped but never returned to,
# and nothing follows an end.
MOVES: dict[CallState, frozenset[CallState]] = {
    "queued": _OVER | {"dialing", "ringing", "in_progress"},
    "dialing": _OVER | {"ringing", "in_progress"},
    "ringing": _OVER | {"in_progress"},
    "in_progress": frozenset({"completed", "failed"}),
    "completed": frozenset(),
    "busy": frozenset(),
    "no_answer": frozenset(),
    "failed": frozenset(),
    "canceled": frozenset(),
}

LegState = Literal["asked", "ringing", "joined", "left", "failed"]
_OUT: frozenset[LegState] = frozenset({"left", "failed"})

# The same for everybody else in a call.
LEG_MOVES: dict[LegState, frozenset[LegState]] = {
    "asked": _OUT | {"ringing", "joined"},
    "ringing": _OUT | {"joined"},
    "joined": frozenset({"left"}),
    "left": frozenset(),
    "failed": frozenset(),
}


def may_move(now: CallState, to: CallState) -> bool:
    """Whether a call in state `now` may become `to`."""
    return to in MOVES[now]


def is_live(state: CallState) -> bool:
    """Whether a call in this state still holds the contact and the rep."""
    return state in LIVE


def leg_may_move(now: LegState, to: LegState) -> bool:
    """Whether a leg in state `now` may become `to`."""
    return to in LEG_MOVES[now]


def answerer(word: str | None) -> str | None:
    """Who or what answered, of the provider's many words for it: human, machine, fax, unknown; None for none."""
    if not word:
        return None
    return next((kind for kind in ("human", "machine", "fax") if word.startswith(kind)), "unknown")


def outcome_of(state: CallState, answered_by: str | None, *, abandoned: bool = False) -> Outcome | None:
    """How a finished call turned out; None while it is live.

    `answered_by` is human, machine, fax or unknown; `abandoned` says that no rep was there for who answered.
    """
    if state == "completed":
        if answerer(answered_by) in ("machine", "fax"):
            return "voicemail"
        return "abandoned" if abandoned else "connected"
    if state in ("busy", "no_answer", "failed", "canceled"):
        return state
    return None
