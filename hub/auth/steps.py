"""Sign-in beyond the password: the second step, passkeys, and confirming once more that it is really they."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import structlog

from hub.accounts import factors
from hub.accounts.passkeys import RelyingParty
from hub.audit.actions import record_person
from hub.auth.models import SignedIn, User
from hub.auth.passwords import check_password
from hub.auth.sessions import Client, Grant, Method, companies_of, open_session, pick, signed_in
from hub.auth.step_models import ConfirmAsk, ConfirmIn, ConfirmMethod, PasskeyAsk, SecondStepIn
from hub.auth.tokens import Claims, Tokens
from hub.db import Database
from hub.errors import Forbidden, HubError, Unauthorized
from hub.sealing import Seals
from hub.sqlfiles import load_sql

_SQL = load_sql("accounts")
_log = structlog.get_logger("hub.auth")

_LOCKED = (
    f"{factors.FAILURES_IN_A_ROW} codes in a row were wrong, so no code is looked at any more. Use a passkey, or choose "
    "a new password with “Forgot your password?” first."
)
_MISFITS: dict[Method, str] = {
    "password+totp": "This code does not fit, or was used already. Wait for the next one.",
    "password+recovery_code": "This is none of your recovery codes, or it was used already.",
    "password+passkey": "This passkey does not fit. Try again, or use another way.",
}


async def finish_sign_in(
    db: Database, tokens: Tokens, seals: Seals, site: RelyingParty, given: SecondStepIn, client: Client
) -> tuple[Grant, int | None]:
    """The second step of a sign-in. Returns what it gives, and how many recovery codes are left where one was used up.

    Raises Unauthorized when the code does not fit or the first step is too long ago, TooMany after too many wrong ones.
    """
    begun = await factors.attempt(db, "second_step", given.token)
    assert begun.user_id is not None
    key = f"second:{begun.user_id}"
    await factors.take_attempt(db, key)
    means = await factors.means_of(db, begun.user_id)
    if given.credential is None and await factors.strike(db, key, means.email) > factors.FAILURES_IN_A_ROW:
        raise Forbidden(_LOCKED, code="sign_in_locked")
    codes_left: int | None = None
    method: Method
    if given.code is not None:
        method, fits = "password+totp", await factors.takes_code(db, seals, begun.user_id, given.code)
    elif given.recovery_code is not None:
        codes_left = await factors.takes_recovery_code(db, begun.user_id, given.recovery_code)
        method, fits = "password+recovery_code", codes_left is not None
    else:
        assert given.credential is not None
        method, fits = "password+passkey", await _signs(db, site, begun, given.credential)
    if not fits:
        details = {"reason": method.removeprefix("password+"), "device": client.user_agent}
        await record_person(db, begun.user_id, "sign_in.failed", by_them=False, address=client.address, details=details)
        raise Unauthorized(_MISFITS[method], code="wrong_code")
    await factors.finish(db, begun)
    await factors.forgive(db, key)
    await factors.unstrike(db, means.email)
    user = User(id=begun.user_id, email=means.email, name=means.name)
    return await open_session(db, tokens, user, begun.tenant_id, client, method), codes_left


async def ask_for_passkey(db: Database, site: RelyingParty) -> PasskeyAsk:
    """What to ask a browser for to sign in without a name and without a password."""
    token, challenge = await factors.begin(db, "passkey_sign_in")
    return PasskeyAsk(token=token, options=site.ask_to_sign(challenge))


async def sign_in_with_passkey(
    db: Database,
    tokens: Tokens,
    site: RelyingParty,
    token: str,
    credential: Mapping[str, Any],
    tenant_id: UUID | None,
    client: Client,
) -> Grant:
    """Sign in by a passkey alone: it is something one has, opened by a finger or a PIN (two factors in one).

    Raises Unauthorized when it is not known, Invalid when what it signed does not hold.
    """
    begun = await factors.attempt(db, "passkey_sign_in", token)
    owner = await factors.takes_passkey(db, site, begun, credential)
    await factors.finish(db, begun)
    await factors.unstrike(db, owner.email)
    user = User(id=owner.user_id, email=owner.email, name=owner.name)
    return await open_session(db, tokens, user, tenant_id, client, "passkey")


async def ways_to_confirm(db: Database, site: RelyingParty, claims: Claims) -> ConfirmAsk:
    """How the signed-in person can show once more that it is they; where there is no other way, by signing in again."""
    means = await factors.means_of(db, claims.user_id)
    methods: list[ConfirmMethod] = []
    if means.passkeys:
        methods.append("passkey")
    if means.has_totp:
        methods.append("totp")
    elif means.password_hash is not None and not (claims.must_enrol and means.passkeys):
        methods.append("password")
    if not means.passkeys:
        return ConfirmAsk(methods=methods or ["sign_in_again"], token=None, passkey=None)
    token, challenge = await factors.begin(db, "confirm", user_id=claims.user_id)
    known = await factors.passkey_ids(db, claims.user_id)
    return ConfirmAsk(methods=methods, token=token, passkey=site.ask_to_sign(challenge, known))


async def confirm(
    db: Database, tokens: Tokens, seals: Seals, site: RelyingParty, claims: Claims, given: ConfirmIn, client: Client
) -> SignedIn:
    """The person shows once more that it is they: an access token that opens what demands a fresh confirmation.

    Where an authenticator app is set up, its code is asked for and not the password, which may be what was stolen.
    Raises Unauthorized when it does not fit, TooMany after too many wrong ones, Forbidden for an API key.
    """
    if claims.key_id is not None:
        raise Forbidden("An API key cannot confirm who uses it. Sign in.", code="forbidden")
    means = await factors.means_of(db, claims.user_id)
    key = f"confirm:{claims.user_id}"
    await factors.take_attempt(db, key)
    if given.password is not None:
        if means.has_totp:
            raise Forbidden("Confirm with a code of your authenticator app or with a passkey.", code="wrong_method")
        fits = await check_password(given.password, means.password_hash)
    elif given.code is not None:
        fits = await factors.takes_code(db, seals, claims.user_id, given.code)
    else:
        assert given.token is not None and given.credential is not None
        begun = await factors.attempt(db, "confirm", given.token)
        fits = await _signs(db, site, begun, given.credential)
        if fits:
            await factors.finish(db, begun)
    if not fits:
        await record_person(db, claims.user_id, "account.confirm_failed", by_them=False, address=client.address)
        # Not a 401: the access token is good, and the client should not refresh it and try again.
        raise Forbidden("This does not fit. Try again.", code="not_confirmed")
    await factors.forgive(db, key)
    if given.password is None:
        await factors.unstrike(db, means.email)
        await factors.raise_session(db, claims.session_id, claims.user_id)
    row = await db.system_fetchrow(_SQL["confirm_session"], session=claims.session_id, user=claims.user_id)
    if row is None or row["confirmed_at"] is None:
        raise Unauthorized("This session was ended. Sign in again.", code="session_revoked")
    user = User(id=claims.user_id, email=means.email, name=means.name)
    companies = await companies_of(db, user.id)
    company = pick(companies, claims.tenant_id)
    return await signed_in(db, tokens, user, companies, company, claims.session_id, row["confirmed_at"].timestamp())


async def _signs(db: Database, site: RelyingParty, begun: factors.Begun, credential: Mapping[str, Any]) -> bool:
    try:
        await factors.takes_passkey(db, site, begun, credential)
    except HubError as refusal:
        _log.info("a passkey was refused", code=refusal.code)
        return False
    return True
