"""Teams as they go in and out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

TeamName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
MemberIds = Annotated[list[UUID], Field(max_length=500, description="In the order in which they are rung in turn.")]
ManagerIds = Annotated[list[UUID], Field(max_length=500, description="Those of the members who manage the team.")]


class Teammate(BaseModel):
    """A person by name."""

    id: UUID
    name: str


class TeamMember(Teammate):
    """A member of a team; who manages it sees what is its members', whatever else visibility hides."""

    is_manager: bool


class Team(BaseModel):
    """A team and its members, in the order in which they are rung in turn."""

    id: UUID
    name: str
    created_at: datetime
    members: list[TeamMember]


class TeamPage(BaseModel):
    """A page of teams."""

    data: list[Team]
    next_cursor: str | None


class TeamIn(BaseModel):
    """A new team."""

    model_config = ConfigDict(extra="forbid")

    name: TeamName
    member_ids: MemberIds = []
    manager_ids: ManagerIds = []


class TeamPatch(BaseModel):
    """What to change of a team; what is left out stays. The list of members replaces the one before."""

    model_config = ConfigDict(extra="forbid")

    name: TeamName | None = None
    member_ids: MemberIds | None = None
    manager_ids: ManagerIds | None = None
