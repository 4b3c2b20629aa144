"""The write on visibility, and the rule that nobody widens by themselves what they see.

What it hides is hidden by the policies (sql/migrations/0029_visibility.sql) and by the log.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from hub.db import Tx
from hub.errors import Forbidden
from hub.plans import require
from hub.sqlfiles import load_sql
from hub.visibility.events import VisibilityChanged
from hub.visibility.models import Choice

_SQL = load_sql("visibility")


async def set_visibility(tx: Tx, choice: Choice) -> str:
    """Set who sees what and return the setting's JSON. Where it is so already nothing happens."""
    if choice != "everyone":
        await require(tx, "visibility")
    if await tx.fetchval(_SQL["set_visibility"], visibility=choice):
        tx.emit(VisibilityChanged(tx.who.tenant_id, {"visibility": choice}))
    return await read_visibility(tx)


async def read_visibility(tx: Tx) -> str:
    """The setting as JSON."""
    text: str = await tx.fetchval(_SQL["get_visibility"])
    return text


async def check_sight(tx: Tx, people: Iterable[UUID], what: str) -> None:
    """Raise Forbidden when who acts does not see what is these people's: `what` says what was asked for, to be left to an admin.

    Where everybody sees everything, and for admins and the system, nothing is refused.
    """
    hidden = await _out_of_sight(tx, people)
    if hidden:
        whose = ", ".join(hidden[:3]) + (" and more" if len(hidden) > 3 else "")
        raise Forbidden(f"You do not see what belongs to {whose}: {what} is for an admin to do.", code="beyond_your_sight")


async def is_out_of_sight(tx: Tx, person_id: UUID) -> bool:
    """Does who acts not see what is this person's?"""
    return bool(await _out_of_sight(tx, [person_id]))


async def _out_of_sight(tx: Tx, people: Iterable[UUID]) -> list[str]:
    if tx.who.user_id is None:
        return []
    return [row["name"] for row in await tx.fetch(_SQL["out_of_sight"], people=list(people))]
