"""The writes on teams."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import orjson

from hub.db import Tx
from hub.errors import Invalid, NotFound
from hub.sqlfiles import load_sql
from hub.teams.events import TeamCreated, TeamDeleted, TeamUpdated
from hub.teams.models import TeamIn, TeamPatch
from hub.visibility.actions import check_sight

_SQL = load_sql("teams")


def missing() -> NotFound:
    """The answer for a team that is not there, or not this tenant's."""
    return NotFound("There is no such team.", code="team_not_found")


async def create_team(tx: Tx, given: TeamIn) -> str:
    """Make a team and return its JSON.

    Raises Conflict for a name that is taken, Invalid for somebody who is no member, Forbidden as `update_team`.
    """
    await _check_sight(tx, given.member_ids)
    team_id: UUID = await tx.fetchval(_SQL["insert_team"], name=given.name)
    await _set_members(tx, team_id, given.member_ids, given.manager_ids)
    text = await read_team(tx, team_id)
    tx.emit(TeamCreated(team_id, {"team": orjson.Fragment(text)}))
    return text


async def update_team(tx: Tx, team_id: UUID, given: TeamPatch) -> str:
    """Rename a team or set its members; returns its JSON.

    Raises NotFound, Invalid, and Forbidden when somebody is to come in, or to manage it, among people whose things who acts does
    not see: a team shows its members to each other, and nobody widens that beyond what they see themselves.
    """
    if await tx.fetchval(_SQL["lock_team"], id=team_id) is None:
        raise missing()
    if given.name is not None:
        await tx.execute(_SQL["rename_team"], id=team_id, name=given.name)
    if given.member_ids is not None or given.manager_ids is not None:
        before = await tx.fetch(_SQL["read_members"], id=team_id)
        members = given.member_ids if given.member_ids is not None else [row["user_id"] for row in before]
        managers = given.manager_ids
        if managers is None:
            managers = [row["user_id"] for row in before if row["is_manager"] and row["user_id"] in members]
        already = {row["user_id"] for row in before}
        managed = {row["user_id"] for row in before if row["is_manager"]}
        if set(members) - already or set(managers) - managed:
            await _check_sight(tx, members)
        await tx.execute(_SQL["clear_members"], id=team_id)
        await _set_members(tx, team_id, members, managers)
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


async def check_may_fill(tx: Tx, teams: Sequence[UUID]) -> None:
    """Raise Forbidden for teams that who acts may put nobody into, as `update_team` does."""
    rows = await tx.fetch(_SQL["members_of"], teams=list(teams))
    await _check_sight(tx, [row["user_id"] for row in rows])


async def _check_sight(tx: Tx, members: Sequence[UUID]) -> None:
    await check_sight(tx, members, "to put people into a team with them")


async def _set_members(tx: Tx, team_id: UUID, members: Sequence[UUID], managers: Sequence[UUID]) -> None:
    if not set(managers) <= set(members):
        raise Invalid.field("manager_ids", "Whoever manages a team is one of its members: put them into member_ids as well.")
    await tx.execute(_SQL["add_members"], id=team_id, members=list(dict.fromkeys(members)), managers=list(managers))
