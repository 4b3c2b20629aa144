"""The states of a session and the moves between them, and what a finished call means for the contact."""

from __future__ import annotations

from typing import Literal

SessionState = Literal["preparing", "ready", "dialing", "talking", "wrap_up", "paused", "ended"]
ItemState = Literal["waiting", "callback", "claimed", "dialing", "done", "skipped"]
QueueState = Literal["draft", "running", "paused", "done"]
Order = Literal["local_time", "newest", "oldest", "name"]
Result = Literal["connected", "voicemail", "busy", "no_answer", "failed", "canceled", "abandoned", "not_needed"]

# A session is on the telephone in these: nothing else may begin before the calls are accounted for.
ON_THE_TELEPHONE: frozenset[SessionState] = frozenset({"dialing", "talking"})

MOVES: dict[SessionState, frozenset[SessionState]] = {
    "preparing": frozenset({"ready", "paused", "ended"}),
    "ready": frozenset({"preparing", "dialing", "paused", "ended"}),
    # An unanswered call leaves nothing to write up; one that was answered and over between two looks does.
    "dialing": frozenset({"talking", "wrap_up", "preparing", "ready", "paused", "ended"}),
    "talking": frozenset({"wrap_up", "preparing", "ready", "paused", "ended"}),
    "wrap_up": frozenset({"preparing", "ready", "dialing", "paused", "ended"}),
    "paused": frozenset({"preparing", "ready", "ended"}),
    "ended": frozenset(),
}


def may_move(now: SessionState, to: SessionState) -> bool:
    """Whether a session in state `now` may become `to`."""
    return to in MOVES[now]
