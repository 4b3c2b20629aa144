"""What happens to teams."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from pydantic import BaseModel

from hub.events import Event, declare
from hub.teams.models import Team


class TeamData(BaseModel):
    """The team as it is now."""

    team: Team


class TeamGone(BaseModel):
    """Which team is gone."""

    team_id: UUID


@declare
@dataclass(frozen=True, slots=True)
class TeamCreated(Event):
    """Somebody made a team."""

    type = "team.created"
    subject_kind = "team"
    data_model = TeamData
    audited = True
    audit_fields = ("team.name",)


@declare
@dataclass(frozen=True, slots=True)
class TeamUpdated(Event):
    """A team's name or members changed."""

    type = "team.updated"
    subject_kind = "team"
    data_model = TeamData
    audited = True
    audit_fields = ("team.name",)


@declare
@dataclass(frozen=True, slots=True)
class TeamDeleted(Event):
    """Somebody deleted a team."""

    type = "team.deleted"
    subject_kind = "team"
    data_model = TeamGone
    audited = True
