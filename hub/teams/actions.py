"""The writes on teams."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import orjson

from hub.db import Tx
from hub.errors import NotFound
from hub.sqlfiles import load_sql
from hub.teams.events import TeamCreated, TeamDeleted, TeamUpdated
from hub.teams.models import TeamIn, TeamPatch

_SQL = load_sql("teams")


def missing() -> NotFound:
    """The answer for a team that is not there, or not this tenant's."""
    return NotFound("There is no such team.", code="team_not_found")


async def create_team(tx: Tx, given: TeamIn) -> str:
    """Make a team and return its JSON. Raises Conflict for a name that is taken, Invalid for somebody who is no member."""
    team_id: UUID = await tx.fetchval(_SQL["insert_team"], name=given.name)
    await _set_members(tx, team_id, given.member_ids)
    text = await read_team(tx, team_id)
    tx.emit(TeamCreated(team_id, {"team": orjson.Fragment(text)}))
    return text


async def update_team(tx: Tx, team_id: UUID, given: TeamPatch) -> str:
    """Rename a team or set its members; returns its JSON."""
    if await tx.fetchval(_SQL["lock_team"], id=team_id) is None:
        raise missing()
    if given.name is not None:
        await tx.execute(_SQL["rename_team"], id=team_id, name=given.name)
    if given.member_ids is not None:
        await tx.execute(_SQL["clear_members"], id=team_id)
        await _set_members(tx, team_id, given.member_ids)
    text = await read_team(tx, team_id)
    tx.emit(TeamUpdated(team_id, {"team": orjson.Fragment(text)}))
    return text


async def delete_team(tx: Tx, team_id: UUID) -> None:
    """Delete a team. Raises Conflict while a number is the team's or rings it."""
    if await tx.fetchval(_SQL["delete_team"], id=team_id) is None:
        raise missing()
    tx.emit(TeamDeleted(team_id, {"team_id": team_id}))


async def read_team(tx: Tx, team_id: UUID) -> str:
    """A team as JSON. NotFound when there is none."""
    text: str | None = await tx.fetchval(_SQL["get_team"], id=team_id)
    if text is None:
        raise missing()
    return text


async def _set_members(tx: Tx, team_id: UUID, members: Sequence[UUID]) -> None:
    await tx.execute(_SQL["add_members"], id=team_id, members=list(dict.fromkeys(members)))
