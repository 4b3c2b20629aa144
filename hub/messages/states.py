"""The states of a message and the moves between them: one table, asked by the one place that moves messages."""

from __future__ import annotations

from typing import Literal

MessageState = Literal["scheduled", "queued", "sending", "sent", "delivered", "undelivered", "failed", "canceled", "received"]

_OVER: frozenset[MessageState] = frozenset({"delivered", "undelivered", "failed", "canceled"})

# Delivery reports come late, twice and out of order: a state may be skipped but never returned to.
MOVES: dict[MessageState, frozenset[MessageState]] = {
    "scheduled": frozenset({"queued", "failed", "canceled"}),
    "queued": _OVER | {"sending", "sent"},
    "sending": _OVER | {"sent"},
    "sent": _OVER,
    "delivered": frozenset(),
    "undelivered": frozenset(),
    "failed": frozenset(),
    "canceled": frozenset(),
    "received": frozenset(),
}


def may_move(now: MessageState, to: MessageState) -> bool:
    """Whether a message in state `now` may become `to`."""
    return to in MOVES[now]
