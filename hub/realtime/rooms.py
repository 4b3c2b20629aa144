"""Who may see an event. Rooms follow from the verified member alone; nobody asks for one."""

from __future__ import annotations

from collections.abc import Iterable

from hub.auth.tokens import Claims
from hub.events import audiences_of
from hub.who import ADMINS

# What is addressed to whoever sees some people's things: "seen:<member>,<member>" (sql/migrations/0029).
_SEEN = "seen:"


class Rooms(frozenset[str]):
    """The audiences a member belongs to, and whose things they see where visibility is narrow."""

    __slots__ = ("people", "sees_all")
    people: frozenset[str]
    sees_all: bool

    def __new__(cls, audiences: Iterable[str], people: Iterable[str] = (), *, sees_all: bool = False) -> Rooms:
        """`people` are the members whose things are seen; `sees_all` is for those who see everybody's."""
        rooms = super().__new__(cls, audiences)
        rooms.people = frozenset(people)
        rooms.sees_all = sees_all
        return rooms

    def admit(self, audience: str) -> bool:
        """Whether an event of this audience is theirs; `in` says so of all but narrow ones, and is quicker."""
        if audience in self:
            return True
        return is_narrow(audience) and (self.sees_all or not self.people.isdisjoint(audience[len(_SEEN) :].split(",")))


def is_narrow(audience: str) -> bool:
    """Is this for those who see some people's things?"""
    return audience.startswith(_SEEN)


def rooms_of(claims: Claims, people: Iterable[str] = ()) -> Rooms:
    """The audiences of a member, live and at replay, who sees these people's things besides their own."""
    return Rooms(audiences_of(claims.who()), (str(claims.user_id), *people), sees_all=claims.role in ADMINS)
