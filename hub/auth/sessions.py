"""Sessions: opened for whoever has proved who they are, and what a signed-in person is answered."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast
from uuid import UUID

from hub.audit.actions import tell_growth
from hub.auth.models import SignedIn, Standing, Tenant, User
from hub.auth.tokens import LIFETIME_S, Tokens
from hub.db import Database
from hub.errors import Forbidden
from hub.sqlfiles import load_sql
from hub.sso.required import open_otherwise
from hub.who import Role

_SQL = load_sql("auth")
_ACCOUNTS = load_sql("accounts")

SESSION_TTL_S = 30 * 86_400

# By what somebody has signed in.
Method = Literal[
    "password", "password+totp", "password+recovery_code", "password+passkey", "passkey", "sso", "invitation", "sign_up"
]


@dataclass(frozen=True, slots=True)
class Client:
    """Where a request comes from."""

    address: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class Grant:
    """What a sign-in gives: the answer, and the refresh token for the cookie."""

    answer: SignedIn
    refresh_token: str
    session_id: UUID


def new_refresh_token() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> bytes:
    """What is stored of a token."""
    return hashlib.sha256(token.encode(errors="replace")).digest()


async def companies_of(db: Database, user_id: UUID) -> list[Standing]:
    """The companies a person may enter, oldest membership first, and as what."""
    rows = await db.system_fetch(_SQL["companies"], user=user_id)
    return [
        Standing(id=r["tenant_id"], name=r["name"], role=r["role"], role_name=r["role_name"], granted=r["permissions"])
        for r in rows
    ]


def pick(companies: Sequence[Standing], tenant_id: UUID | None) -> Standing:
    """The company asked for, or the first one. Raises Forbidden."""
    for company in companies:
        if tenant_id is None or company.id == tenant_id:
            return company
    if companies:
        raise Forbidden("You do not belong to this company.", code="not_a_member")
    raise Forbidden("Your account does not belong to any company now. Ask an administrator.", code="no_company")


async def signed_in(
    db: Database, tokens: Tokens, user: User, companies: list[Standing], company: Standing, session_id: UUID, confirmed_at: float
) -> SignedIn:
    """The answer to who has signed in: an access token for one company, and all companies there are.

    `confirmed_at` is when they last proved who they are, in seconds since the epoch.
    """
    row = await db.system_fetchrow(_ACCOUNTS["must_enrol"], session=session_id, tenant=company.id)
    must_enrol = bool(row and row["must_enrol"])
    token = tokens.issue(
        user_id=user.id,
        tenant_id=company.id,
        role=cast(Role, company.role),
        session_id=session_id,
        name=user.name,
        confirmed_at=confirmed_at,
        granted=company.granted,
        role_name=company.role_name or "",
        must_enrol=must_enrol,
    )
    return SignedIn(
        access_token=token,
        expires_in=LIFETIME_S,
        user=user,
        tenant=Tenant(id=company.id, name=company.name),
        role=company.role,
        role_name=company.role_name,
        permissions=company.permissions,
        tenants=[*companies],
        needs_second_factor=must_enrol,
    )


async def open_session(db: Database, tokens: Tokens, user: User, tenant_id: UUID | None, client: Client, method: Method) -> Grant:
    """Sign in a person who has just proved who they are, whatever the way was; all ways end here.

    Raises Forbidden when they do not belong to the company, or to none.
    """
    companies = await companies_of(db, user.id)
    company = pick(await open_otherwise(db, user.id, companies), tenant_id)
    refresh = new_refresh_token()
    row = await db.system_fetchrow(
        _ACCOUNTS["open_session"],
        user=user.id,
        tenant=company.id,
        agent=client.user_agent,
        address=client.address,
        hash=hash_token(refresh),
        ttl_s=SESSION_TTL_S,
        method=method,
    )
    assert row is not None
    answer = await signed_in(db, tokens, user, companies, company, row["session_id"], row["confirmed_at"].timestamp())
    await tell_growth(db, company.id)
    return Grant(answer, refresh, row["session_id"])
