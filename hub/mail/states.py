"""The states of a mail of ours and the moves between them: one table, asked by the one place that moves them."""

from __future__ import annotations

from hub.mail.values import SendState

# That the provider has it is the last word: whatever was believed before, it is sent.
MOVES: dict[SendState, frozenset[SendState]] = {
    "draft": frozenset({"scheduled", "queued", "canceled"}),
    "scheduled": frozenset({"queued", "draft", "failed", "canceled"}),
    "queued": frozenset({"sending", "sent", "failed", "canceled", "draft", "scheduled"}),
    "sending": frozenset({"sent", "failed", "unsure", "queued", "canceled"}),
    "unsure": frozenset({"sent", "queued", "canceled"}),
    "failed": frozenset({"sent", "queued", "canceled"}),
    "canceled": frozenset({"sent"}),
    "sent": frozenset(),
}


def may_move(now: SendState, to: SendState) -> bool:
    """Whether a mail in state `now` may become `to`."""
    return to in MOVES[now]
