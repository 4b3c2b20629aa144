"""Sign-in, refresh, switch, log-out. These happen before a tenant is known, so they take the Database and not a transaction."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from hub.auth.models import Me, Membership, SignedIn, Tenant, User
from hub.auth.passwords import check_password
from hub.auth.tokens import LIFETIME_S, Claims, Tokens
from hub.db import Database
from hub.errors import Forbidden, TooMany, Unauthorized
from hub.sqlfiles import load_sql
from hub.who import Role

_SQL = load_sql("auth")

SESSION_TTL_S = 30 * 86_400
REUSE_GRACE_S = 20
FAILURE_WINDOW_S = 900
FAILURES_PER_ACCOUNT = 10
FAILURES_PER_ADDRESS = 50


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


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()


async def _companies(db: Database, user_id: UUID) -> list[Membership]:
    rows = await db.system_fetch(_SQL["companies"], user=user_id)
    return [Membership(id=r["tenant_id"], name=r["name"], role=r["role"]) for r in rows]


def _pick(companies: Sequence[Membership], tenant_id: UUID | None) -> Membership:
    for company in companies:
        if tenant_id is None or company.id == tenant_id:
            return company
    if companies:
        raise Forbidden("You do not belong to this company.", code="not_a_member")
    raise Forbidden("Your account does not belong to any company now. Ask an administrator.", code="no_company")


def _signed_in(tokens: Tokens, user: User, companies: list[Membership], company: Membership, session_id: UUID) -> SignedIn:
    token = tokens.issue(
        user_id=user.id, tenant_id=company.id, role=cast(Role, company.role), session_id=session_id, name=user.name
    )
    return SignedIn(
        access_token=token,
        expires_in=LIFETIME_S,
        user=user,
        tenant=Tenant(id=company.id, name=company.name),
        role=company.role,
        tenants=companies,
    )


async def log_in(db: Database, tokens: Tokens, email: str, password: str, tenant_id: UUID | None, client: Client) -> Grant:
    """Check the password and open a session.

    Raises TooMany after too many failures for this account or from this address, Unauthorized when the two do not fit
    (never saying which), Forbidden when the person is in no such company.
    """
    account, address = f"account:{email.lower()}", f"address:{client.address}"
    throttled = await db.system_fetchrow(
        _SQL["take_attempt"],
        keys=[account, address],
        limits=[FAILURES_PER_ACCOUNT, FAILURES_PER_ADDRESS],
        window_s=FAILURE_WINDOW_S,
    )
    if throttled and throttled["wait_s"] > 0:
        minutes = max(1, round(throttled["wait_s"] / 60))
        raise TooMany(
            f"Too many failed sign-ins. Try again in {minutes} minute{'s' if minutes > 1 else ''}.",
            retry_after_s=throttled["wait_s"],
            code="sign_in_throttled",
        )
    row = await db.system_fetchrow(_SQL["find_user"], email_lc=email.lower())
    if not await check_password(password, row["password_hash"] if row else None) or row is None:
        raise Unauthorized("The email address and the password do not fit.", code="wrong_credentials")
    await db.system_fetch(_SQL["forgive"], account=account, address=address)
    user = User(id=row["user_id"], email=row["email"], name=row["name"])
    companies = await _companies(db, user.id)
    company = _pick(companies, tenant_id)
    refresh = secrets.token_urlsafe(32)
    session = await db.system_fetchrow(
        _SQL["open_session"],
        user=user.id,
        tenant=company.id,
        agent=client.user_agent,
        address=client.address,
        hash=_hash(refresh),
        ttl_s=SESSION_TTL_S,
    )
    assert session is not None
    return Grant(_signed_in(tokens, user, companies, company, session["session_id"]), refresh)


async def refresh(db: Database, tokens: Tokens, refresh_token: str | None, client: Client) -> Grant:
    """Exchange the refresh token for a new one and a new access token.

    Raises Unauthorized when it is missing, unknown or run out, and when an old one came back: then the session ends.
    """
    if not refresh_token:
        raise Unauthorized("You are not signed in.", code="no_refresh_token")
    following = secrets.token_urlsafe(32)
    row = await db.system_fetchrow(
        _SQL["rotate"],
        hash=_hash(refresh_token),
        new_hash=_hash(following),
        agent=client.user_agent,
        grace_s=REUSE_GRACE_S,
    )
    outcome = row["outcome"] if row else "unknown"
    if row is None or outcome != "ok":
        if outcome == "reused":
            db.notifier.access_changed()
            raise Unauthorized(
                "This sign-in was used from somewhere else, so it has been ended. Sign in again.", code="refresh_token_reused"
            )
        raise Unauthorized("Your sign-in has ended. Sign in again.", code="session_ended")
    user = User(id=row["user_id"], email=row["email"], name=row["name"])
    companies = await _companies(db, user.id)
    still = any(c.id == row["tenant_id"] for c in companies)
    company = _pick(companies, row["tenant_id"] if still else None)
    if not still:
        await db.system_fetch(_SQL["switch"], session=row["session_id"], user=user.id, tenant=company.id)
    return Grant(_signed_in(tokens, user, companies, company, row["session_id"]), following)


async def switch(db: Database, tokens: Tokens, claims: Claims, tenant_id: UUID) -> SignedIn:
    """Go on in another company with the same session. Raises Forbidden when the person does not belong there."""
    row = await db.system_fetchrow(_SQL["switch"], session=claims.session_id, user=claims.user_id, tenant=tenant_id)
    if row is None or not row["moved"]:
        raise Forbidden("You do not belong to this company.", code="not_a_member")
    me_ = await me(db, claims, tenant_id)
    company = _pick(me_.tenants, tenant_id)
    return _signed_in(tokens, me_.user, me_.tenants, company, claims.session_id)


async def log_out(db: Database, claims: Claims, *, everywhere: bool) -> None:
    """End this session, or all of this person's; every process hears of it."""
    if everywhere:
        await db.system_fetch(_SQL["revoke_all_sessions"], user=claims.user_id, reason="signed out everywhere")
    else:
        await db.system_fetch(_SQL["revoke_session"], session=claims.session_id, reason="signed out")
    db.notifier.access_changed()


async def me(db: Database, claims: Claims, tenant_id: UUID | None = None) -> Me:
    """Who is signed in, with every company they belong to."""
    companies = await _companies(db, claims.user_id)
    company = _pick(companies, tenant_id or claims.tenant_id)
    row = await db.system_fetchrow(_SQL["user"], user=claims.user_id)
    if row is None:
        raise Unauthorized("This account is gone.", code="session_ended")
    return Me(
        user=User(id=claims.user_id, email=row["email"], name=row["name"]),
        tenant=Tenant(id=company.id, name=company.name),
        role=company.role,
        tenants=companies,
        session_id=claims.session_id,
    )
