"""Who may see an event. Rooms follow from the verified member alone; nobody asks for one."""

from __future__ import annotations

from hub.auth.tokens import Claims
from hub.events import audiences_of

Rooms = frozenset[str]


def rooms_of(claims: Claims) -> Rooms:
    """The audiences a member belongs to, live and at replay: an event is theirs when its audience is one of these."""
    return frozenset(audiences_of(claims.who()))
