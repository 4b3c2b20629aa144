"""What proves who somebody is, besides the password: codes of an authenticator app, recovery codes, passkeys.

All of it happens before a tenant is known, or without one, so it takes the Database and not a transaction.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import structlog

from hub.accounts import passkeys, totp
from hub.accounts.passkeys import RelyingParty
from hub.db import Database
from hub.errors import TooMany, Unauthorized
from hub.sealing import Seals, Unsealable
from hub.sqlfiles import load_sql

_SQL = load_sql("accounts")
_AUTH = load_sql("auth")

ChallengeKind = Literal["second_step", "passkey_sign_in", "passkey_add", "confirm"]

CHALLENGE_TTL_S = passkeys.TIMEOUT_S
TRIES_A_CHALLENGE = 5
# Wrong codes, and wrong confirmations, of one account; the right code is one of a million.
FAILURES = 10
FAILURE_WINDOW_S = 900
# Failures in a row after which a password, or codes, open nothing until something else was shown (NIST SP 800-63B-4, section
# 3.2.2: "no more than 100").
FAILURES_IN_A_ROW = 100
_NO_COMPANY = UUID(int=0)
_KIND = "totp"
_log = structlog.get_logger("hub.accounts")


@dataclass(frozen=True, slots=True)
class Means:
    """How a person can prove who they are."""

    user_id: UUID
    email: str
    name: str
    password_hash: str | None
    password_changed_at: datetime | None
    needs_second: bool
    totp_since: datetime | None
    recovery_codes: int
    passkeys: int

    @property
    def has_totp(self) -> bool:
        """Is a code asked for when they sign in with the password?"""
        return self.totp_since is not None


@dataclass(frozen=True, slots=True)
class Begun:
    """What was begun, and can be finished by whoever shows the token."""

    user_id: UUID | None
    tenant_id: UUID | None
    challenge: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose passkey has signed."""

    user_id: UUID
    email: str
    name: str


def new_token() -> str:
    """256 random bits, for a cookie, a link or an answer."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> bytes:
    """What is stored of a token."""
    return hashlib.sha256(token.encode(errors="replace")).digest()


async def means_of(db: Database, user_id: UUID) -> Means:
    """How a person can prove who they are. Raises Unauthorized when the account is gone."""
    row = await db.system_fetchrow(_SQL["means"], user=user_id)
    if row is None:
        raise Unauthorized("This account is gone.", code="session_ended")
    return Means(user_id, **row)


# --- not too often ------------------------------------------------------------------------------------------


async def take_attempt(db: Database, key: str) -> None:
    """Count an attempt under a key, such as `second:<user>`, before it is looked at. Raises TooMany."""
    row = await db.system_fetchrow(_AUTH["take_attempt"], keys=[key], limits=[FAILURES], window_s=FAILURE_WINDOW_S)
    wait_s = row["wait_s"] if row else 0
    if wait_s > 0:
        minutes = max(1, round(wait_s / 60))
        said = f"Too many failed attempts. Try again in {minutes} minute{'s' if minutes > 1 else ''}."
        raise TooMany(said, retry_after_s=wait_s, code="sign_in_throttled")


async def forgive(db: Database, key: str) -> None:
    """The attempt succeeded: what failed under this key before does not count any more."""
    await db.system_fetch(_AUTH["forgive"], account=key, address="")


async def strike(db: Database, key: str, email: str) -> int:
    """Count a try as one more in a row that failed, before it is looked at: how many that makes, and one more than
    FAILURES_IN_A_ROW when there may be no more. Addresses without an account are counted like others.
    """
    row = await db.system_fetchrow(_SQL["strike"], key=hash_token(key), subject=hash_token(email.lower()), most=FAILURES_IN_A_ROW)
    assert row is not None
    failures: int = row["failures"]
    return failures


async def unstrike(db: Database, email: str, key: str | None = None) -> None:
    """The person has shown who they are: what was counted under a key starts anew, or all there is of their address."""
    hashed = hash_token(key) if key is not None else None
    await db.system_fetch(_SQL["unstrike"], key=hashed, subject=hash_token(email.lower()))


async def raise_session(db: Database, session_id: UUID, user_id: UUID) -> None:
    """The person has shown a second factor in this session, which counts where their company wants one."""
    await db.system_fetch(_SQL["raise_session"], session=session_id, user=user_id)


# --- challenges ----------------------------------------------------------------------------------------------


async def begin(
    db: Database, kind: ChallengeKind, *, user_id: UUID | None = None, tenant_id: UUID | None = None
) -> tuple[str, bytes]:
    """Begin something that a code or a passkey finishes: the token to show then, and the challenge to sign."""
    token, challenge = new_token(), secrets.token_bytes(32)
    await db.system_fetch(
        _SQL["add_challenge"],
        hash=hash_token(token),
        kind=kind,
        user=user_id,
        tenant=tenant_id,
        challenge=challenge,
        ttl_s=CHALLENGE_TTL_S,
    )
    return token, challenge


async def attempt(db: Database, kind: ChallengeKind, token: str) -> Begun:
    """One try at what was begun. Raises Unauthorized when it has run out, is done, or was tried too often."""
    hashed = hash_token(token)
    row = await db.system_fetchrow(_SQL["try_challenge"], hash=hashed, kind=kind, tries=TRIES_A_CHALLENGE)
    if row is None:
        raise Unauthorized("This has taken too long, or was tried too often. Begin again.", code="step_expired")
    return Begun(row["user_id"], row["tenant_id"], row["challenge"], hashed)


async def finish(db: Database, begun: Begun) -> None:
    """It is done, and cannot be done again. Raises Unauthorized for the second of two that finish at once."""
    row = await db.system_fetchrow(_SQL["end_challenge"], hash=begun.hash)
    if row is None or not row["ended"]:
        raise Unauthorized("This was done already. Begin again.", code="step_expired")


# --- codes ---------------------------------------------------------------------------------------------------


def seal_seed(seals: Seals, user_id: UUID, seed: str) -> str:
    """A seed as it is stored. An account belongs to no company, and so does its seed."""
    return seals.seal(seed, tenant_id=_NO_COMPANY, kind=_KIND, row_id=user_id)


def open_seed(seals: Seals, user_id: UUID, sealed: str) -> str:
    """The seed again. Raises Unsealable."""
    return seals.open(sealed, tenant_id=_NO_COMPANY, kind=_KIND, row_id=user_id)


async def takes_code(db: Database, seals: Seals, user_id: UUID, code: str) -> bool:
    """Is it the code that the person's app shows, and was it not used before?"""
    row = await db.system_fetchrow(_SQL["totp"], user=user_id)
    if row is None or row["on_since"] is None:
        return False
    try:
        seed = open_seed(seals, user_id, row["seed"])
    except Unsealable:
        # The keys were lost, or the row is another's: only a recovery code helps now, and this is for who runs the server.
        _log.error("an authenticator's seed does not open", user_id=str(user_id))
        return False
    step = totp.step_of(seed, code)
    if step is None:
        return False
    taken = await db.system_fetchrow(_SQL["take_totp"], user=user_id, step=step)
    if not row["seed"].startswith(seals.prefix):
        await db.system_fetch(_SQL["reseal_totp"], user=user_id, old=row["seed"], new=seal_seed(seals, user_id, seed))
    return bool(taken and taken["taken"])


async def takes_recovery_code(db: Database, user_id: UUID, code: str) -> int | None:
    """Uses up one of the person's recovery codes: how many are left, or None when it is none of them."""
    row = await db.system_fetchrow(_SQL["take_recovery_code"], user=user_id, hash=totp.recovery_hash(code))
    return row["codes_left"] if row else None


# --- passkeys ------------------------------------------------------------------------------------------------


async def passkey_ids(db: Database, user_id: UUID) -> list[bytes]:
    """What browsers call the person's passkeys."""
    return [row["credential_id"] for row in await db.system_fetch(_SQL["passkeys"], user=user_id)]


async def takes_passkey(db: Database, site: RelyingParty, begun: Begun, credential: Mapping[str, Any]) -> Owner:
    """Whose passkey signed the challenge that was begun. Raises Unauthorized, and Invalid when the signature does not hold."""
    row = await db.system_fetchrow(_SQL["find_passkey"], credential=passkeys.credential_id_of(credential))
    handle = passkeys.handle_of(credential)
    if row is None or handle not in (None, row["user_id"]) or begun.user_id not in (None, row["user_id"]):
        raise Unauthorized("This passkey is not known here. It may have been removed.", code="unknown_passkey")
    before = row["sign_count"]
    signed = site.signed(credential, begun.challenge, public_key=row["public_key"], sign_count=before)
    used = await db.system_fetchrow(_SQL["use_passkey"], id=row["id"], before=before, after=signed.sign_count)
    if used is None or not used["used"]:
        raise Unauthorized("This passkey was used somewhere else at the same time. Try again.", code="unknown_passkey")
    return Owner(row["user_id"], row["email"], row["name"])
