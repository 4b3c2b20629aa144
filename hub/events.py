"""Events: what people must see. Each type is declared once, by the feature it belongs to, with the shape of its data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, TypeVar
from uuid import UUID

from pydantic import BaseModel

from hub.who import Who

E = TypeVar("E", bound="type[Event]")
Model = type[BaseModel]

TENANT = "tenant"
MANAGERS = "managers"


def only_user(user_id: UUID) -> str:
    """The audience of one member."""
    return f"user:{user_id}"


def only_team(team_id: UUID) -> str:
    """The audience of one team."""
    return f"team:{team_id}"


def audiences_of(who: Who) -> list[str]:
    """Every audience a member belongs to: what they may see of the log, live and at replay."""
    audiences = [TENANT]
    if who.is_manager:
        audiences.append(MANAGERS)
    if who.user_id is not None:
        audiences.append(only_user(who.user_id))
    return audiences


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, to be logged in the transaction that made it happen.

    `data` may hold orjson.Fragment values (JSON that Postgres built); its shape is `data_model`.

    An `audited` one goes into the audit log as well, with what `audit_fields` names of its data ("member.role"). Name no
    field with the name, address, number or words of a contact: nothing is ever erased there.

    A `nameless` one does not say who acted, where nothing else in its transaction does.
    """

    type: ClassVar[str]
    subject_kind: ClassVar[str]
    data_model: ClassVar[Model]
    audited: ClassVar[bool] = False
    audit_fields: ClassVar[tuple[str, ...]] = ()
    nameless: ClassVar[bool] = False

    subject_id: UUID | None
    data: Mapping[str, Any] = field(default_factory=dict)
    audience: str = TENANT


EventType = type[Event]
CATALOGUE: dict[str, EventType] = {}


def declare(cls: E) -> E:
    """Class decorator: enters an event type into the catalogue. Two of one name are a programming error."""
    if cls.type in CATALOGUE:
        raise RuntimeError(f"the event {cls.type} is declared twice")
    CATALOGUE[cls.type] = cls
    return cls


class LoggedEvent(NamedTuple):
    """An event as it stands in the log: its place, who may see it, and its JSON as every reader gets it."""

    seq: int
    audience: str
    frame: str
