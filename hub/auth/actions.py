"""Sign-in, refresh, switch, log-out. These happen before a tenant is known, so they take the Database and not a transaction."""

from __future__ import annotations

from uuid import UUID

from hub.accounts import factors, letters
from hub.accounts.letters import From
from hub.accounts.passkeys import RelyingParty
from hub.audit.actions import record_person
from hub.auth.models import Me, SignedIn, Tenant, User
from hub.auth.passwords import check_password, hash_password, is_outdated
from hub.auth.sessions import Client, Grant, companies_of, hash_token, new_refresh_token, open_session, pick, signed_in
from hub.auth.step_models import SecondMethod, SecondStep
from hub.auth.tokens import Claims, Tokens
from hub.db import Database
from hub.errors import Forbidden, TooMany, Unauthorized
from hub.sqlfiles import load_sql

_SQL = load_sql("auth")
_ACCOUNTS = load_sql("accounts")

REUSE_GRACE_S = 20
FAILURE_WINDOW_S = 900
FAILURES_PER_ACCOUNT = 10
FAILURES_PER_ADDRESS = 50
_LOCKED = (
    f"{factors.FAILURES_IN_A_ROW} sign-ins failed one after the other for this address, so its password is not looked at any "
    "more. Choose a new one with “Forgot your password?”, or sign in with a passkey."
)


async def log_in(
    db: Database,
    tokens: Tokens,
    site: RelyingParty,
    public_url: str,
    email: str,
    password: str,
    tenant_id: UUID | None,
    client: Client,
    device: str = "",
) -> Grant | SecondStep:
    """Check the password and open a session, or say what is needed besides.

    `device` is the cookie of the browser: one that the person has signed in with before has attempts of its own, so that whoever
    guesses elsewhere locks nobody out (OWASP, "Slow Down Online Guessing Attacks with Device Cookies").

    After a hundred failures in a row the password opens nothing until a new one was chosen by letter, or a passkey shown; who is
    signed in stays so.

    Raises TooMany after too many failures for this account or from this address, Unauthorized when the two do not fit
    (never saying which), Forbidden when the person is in no such company.
    """
    account, address = await _counted_as(db, email.lower(), device), f"address:{client.address}"
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
    in_a_row = await factors.strike(db, account, email)
    row = await db.system_fetchrow(_SQL["find_user"], email_lc=email.lower())
    if in_a_row > factors.FAILURES_IN_A_ROW:
        # Not even looked at, and said of every address alike.
        raise Forbidden(_LOCKED, code="sign_in_locked")
    if not await check_password(password, row["password_hash"] if row else None) or row is None:
        await record_person(
            db,
            row["user_id"] if row else None,
            "sign_in.failed",
            by_them=False,
            address=client.address,
            details={"reason": "password", "device": client.user_agent},
        )
        if row is not None and in_a_row == factors.FAILURES_IN_A_ROW:
            where = From(client.address, client.user_agent)
            await letters.tell_of_lock(db, public_url, row["email"], row["name"], in_a_row, where)
            await record_person(db, row["user_id"], "sign_in.locked", by_them=False, address=client.address)
        raise Unauthorized("The email address and the password do not fit.", code="wrong_credentials")
    await db.system_fetch(_SQL["forgive"], account=account, address=address)
    await factors.unstrike(db, email, account)
    user = User(id=row["user_id"], email=row["email"], name=row["name"])
    if is_outdated(row["password_hash"]):
        new = await hash_password(password)
        await db.system_fetch(_ACCOUNTS["rehash"], user=user.id, old=row["password_hash"], new=new)
    means = await factors.means_of(db, user.id)
    if not means.has_totp:
        return await open_session(db, tokens, user, tenant_id, client, "password")
    pick(await companies_of(db, user.id), tenant_id)
    return await _second_step(db, site, means, tenant_id)


async def _counted_as(db: Database, email_lc: str, device: str) -> str:
    hashed = hash_token(device)
    row = await db.system_fetchrow(_ACCOUNTS["has_device"], email_lc=email_lc, hash=hashed) if device else None
    return f"device:{hashed.hex()}:{email_lc}" if row and row["known"] else f"account:{email_lc}"


async def _second_step(db: Database, site: RelyingParty, means: factors.Means, tenant_id: UUID | None) -> SecondStep:
    token, challenge = await factors.begin(db, "second_step", user_id=means.user_id, tenant_id=tenant_id)
    methods: list[SecondMethod] = ["totp"]
    if means.passkeys:
        methods.append("passkey")
    if means.recovery_codes:
        methods.append("recovery_code")
    known = await factors.passkey_ids(db, means.user_id) if means.passkeys else []
    return SecondStep(
        step="second",
        token=token,
        expires_in=factors.CHALLENGE_TTL_S,
        methods=methods,
        passkey=site.ask_to_sign(challenge, known) if known else None,
    )


async def refresh(
    db: Database, tokens: Tokens, refresh_token: str, client: Client, *, device: str = "", is_old: bool = False
) -> Grant:
    """Exchange the refresh token for a new one and a new access token.

    `device` is the cookie of the browser; `is_old` says that the token came under the name from before there were prefixes. The
    token of a session that another browser opened is as good as none: somebody has planted it (ASVS 5.0, 3.3.3).

    Raises Unauthorized when it is missing, unknown or run out, and when an old one came back: then the session ends.
    """
    if not refresh_token:
        raise Unauthorized("You are not signed in.", code="no_refresh_token")
    following = new_refresh_token()
    row = await db.system_fetchrow(
        _SQL["rotate"],
        hash=hash_token(refresh_token),
        new_hash=hash_token(following),
        agent=client.user_agent,
        grace_s=REUSE_GRACE_S,
        device=hash_token(device) if device else None,
        is_old=is_old,
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
    companies = await companies_of(db, user.id)
    still = any(c.id == row["tenant_id"] for c in companies)
    company = pick(companies, row["tenant_id"] if still else None)
    if not still:
        await db.system_fetch(_SQL["switch"], session=row["session_id"], user=user.id, tenant=company.id)
    confirmed_at = row["confirmed_at"].timestamp()
    answer = await signed_in(db, tokens, user, companies, company, row["session_id"], confirmed_at)
    return Grant(answer, following, row["session_id"])


async def switch(db: Database, tokens: Tokens, claims: Claims, tenant_id: UUID) -> SignedIn:
    """Go on in another company with the same session. Raises Forbidden when the person does not belong there."""
    row = await db.system_fetchrow(_SQL["switch"], session=claims.session_id, user=claims.user_id, tenant=tenant_id)
    if row is None or not row["moved"]:
        raise Forbidden("You do not belong to this company.", code="not_a_member")
    me_ = await me(db, claims, tenant_id)
    companies = await companies_of(db, claims.user_id)
    company = pick(companies, tenant_id)
    return await signed_in(db, tokens, me_.user, companies, company, claims.session_id, claims.confirmed_at)


async def log_out(db: Database, claims: Claims, *, everywhere: bool) -> None:
    """End this session, or all of this person's; every process hears of it."""
    if everywhere:
        await db.system_fetch(_SQL["revoke_all_sessions"], user=claims.user_id, reason="signed out everywhere")
    else:
        await db.system_fetch(_SQL["revoke_session"], session=claims.session_id, reason="signed out")
    db.notifier.access_changed()


async def me(db: Database, claims: Claims, tenant_id: UUID | None = None) -> Me:
    """Who is signed in, with every company they belong to."""
    companies = await companies_of(db, claims.user_id)
    company = pick(companies, tenant_id or claims.tenant_id)
    row = await db.system_fetchrow(_SQL["user"], user=claims.user_id)
    if row is None:
        raise Unauthorized("This account is gone.", code="session_ended")
    return Me(
        user=User(id=claims.user_id, email=row["email"], name=row["name"]),
        tenant=Tenant(id=company.id, name=company.name),
        role=company.role,
        role_name=company.role_name,
        permissions=company.permissions,
        tenants=[*companies],
        session_id=claims.session_id,
    )
