"""Which companies have to be signed in to in their own way. The database refuses the other ways (the trigger `sso_guard`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar
from uuid import UUID

from hub.auth.tokens import Claims
from hub.db import Database
from hub.errors import Forbidden
from hub.sqlfiles import load_sql

_SQL = load_sql("sso")


class _Company(Protocol):
    @property
    def id(self) -> UUID:
        """The company's."""


C = TypeVar("C", bound=_Company)


async def open_otherwise(db: Database, user_id: UUID, companies: Sequence[C]) -> list[C]:
    """The companies a person may enter without the company's own sign-in come first.

    Who asks for none in particular gets one of them; asked for by name, the others refuse with words.
    """
    required = {row["tenant_id"] for row in await db.system_fetch(_SQL["required_at"], user=user_id)}
    return sorted(companies, key=lambda company: company.id in required)


async def check_whole_account(db: Database, claims: Claims) -> None:
    """Go on only where a session may change how its person signs in everywhere.

    Raises Forbidden in one that a company's provider let in, when its person belongs to other companies, too: whoever runs that
    provider must not get into those.
    """
    row = await db.system_fetchrow(_SQL["holds_account"], session=claims.session_id, user=claims.user_id)
    if row is None or not row["holds"]:
        raise Forbidden(
            "You came in through one company's sign-in, and belong to other companies, too. Sign in with your password to change "
            "how you sign in everywhere.",
            code="sso_elsewhere",
        )
