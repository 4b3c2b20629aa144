"""What people change of their own accounts. Each change is told to them by letter, and is in the audit log of their companies."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from hub.accounts import factors, letters, totp
from hub.accounts.devices import device_words
from hub.accounts.events import AccountChanged, Change
from hub.accounts.factors import Means, hash_token, means_of, new_token
from hub.accounts.letters import From
from hub.accounts.models import AccountSecurity, Passkey, SessionOut, SessionPage, TotpBegun
from hub.accounts.passkeys import RelyingParty
from hub.audit.actions import record_person
from hub.auth.password_rules import LEAST_ALONE, LEAST_WITH_SECOND, is_short, refuse_weak
from hub.auth.passwords import check_password, hash_password
from hub.auth.sessions import companies_of
from hub.auth.step_models import PasskeyAsk
from hub.auth.tokens import Claims
from hub.db import Database, Tx, tenant_tx
from hub.errors import Conflict, Forbidden, Invalid, NotFound, TooMany
from hub.post import rationing
from hub.sealing import Seals
from hub.sqlfiles import load_sql
from hub.sso.required import check_whole_account

_SQL = load_sql("accounts")
_AUTH = load_sql("auth")

RESET_TTL_S = 1800
RESETS_AN_ADDRESS = 5
RESETS_A_CLIENT = 30
RESET_WINDOW_S = 3600
MOST_PASSKEYS = 20
# Asking for a link takes as long for an address without an account as for one with it.
_FORGOT_FLOOR_S = 0.15


@dataclass(frozen=True, slots=True)
class Acting:
    """A signed-in person at their own account, and where they sit."""

    claims: Claims
    where: From
    request_id: str

    @property
    def user_id(self) -> UUID:
        """Whose account it is."""
        return self.claims.user_id


class Accounts:
    """Everybody's own accounts at this installation."""

    def __init__(self, db: Database, public_url: str, site: RelyingParty, seals: Seals) -> None:
        self._db, self._public_url, self._site, self._seals = db, public_url, site, seals

    # -- looking

    async def security(self, user_id: UUID) -> AccountSecurity:
        """How the person signs in."""
        means = await means_of(self._db, user_id)
        rows = await self._db.system_fetch(_SQL["passkeys"], user=user_id)
        return AccountSecurity(
            has_password=means.password_hash is not None,
            password_changed_at=means.password_changed_at,
            totp_since=means.totp_since,
            recovery_codes=means.recovery_codes,
            passkeys=[Passkey(**{name: row[name] for name in Passkey.model_fields}) for row in rows],
            passkey_address=self._site.origin,
            least_password_length=LEAST_WITH_SECOND if means.has_totp else LEAST_ALONE,
        )

    async def sessions(self, claims: Claims) -> SessionPage:
        """Where the person is signed in."""
        rows = await self._db.system_fetch(_SQL["sessions"], user=claims.user_id)
        return SessionPage(
            data=[
                SessionOut(**{**row, "device": device_words(row["user_agent"]), "current": row["id"] == claims.session_id})
                for row in rows
            ]
        )

    # -- sessions

    async def end_session(self, acting: Acting, session_id: UUID) -> None:
        """End one of the person's sessions, within a second everywhere. Raises NotFound."""
        async with self._changing(acting, "sessions_ended", letter=False) as tx:
            said = {"user": acting.user_id, "session": session_id, "reason": "ended by its person"}
            if not await tx.fetchval(_SQL["end_session"], **said):
                raise NotFound("There is no such session, or it has ended.", code="session_not_found")
        self._db.notifier.access_changed()

    async def end_other_sessions(self, acting: Acting) -> int:
        """End all of the person's sessions but the one that asks; how many they were."""
        async with self._changing(acting, "sessions_ended", letter=False) as tx:
            ended = await self._end_others(tx, acting, "ended by its person")
        self._db.notifier.access_changed()
        return ended

    # -- the password

    async def change_password(self, acting: Acting, current: str | None, password: str) -> None:
        """Set a new password and end all other sessions.

        Raises Invalid when the present one does not fit or the new one is weak, TooMany after too many tries, Forbidden when
        there is no present one and the person has not just shown who they are.
        """
        means = await means_of(self._db, acting.user_id)
        await self._check_current(acting, means, current)
        await refuse_weak(password, words=await self._words(means), with_second=means.has_totp)
        if current is not None and current == password:
            raise Invalid.field("password", "It is the password you have. Choose another one.")
        hashed = await hash_password(password)
        async with self._changing(acting, "password_changed") as tx:
            await tx.fetchval(_SQL["set_password"], user=acting.user_id, hash=hashed, needs_second=is_short(password))
            await self._end_others(tx, acting, "the password was changed")
        self._db.notifier.access_changed()

    async def _check_current(self, acting: Acting, means: Means, current: str | None) -> None:
        if means.password_hash is None:
            if not acting.claims.is_fresh:
                raise Forbidden("Confirm that it is you before you go on.", code="step_up_required")
            return
        if current is None:
            raise Invalid.field("current", "Enter the password you have now.")
        key = f"confirm:{acting.user_id}"
        await factors.take_attempt(self._db, key)
        if not await check_password(current, means.password_hash):
            raise Invalid.field("current", "This is not your present password.")
        await factors.forgive(self._db, key)

    async def send_reset(self, email: str, where: From) -> None:
        """Send a link to choose a new password, if there is such an account; whether there is, nobody learns.

        Raises TooMany when it was asked for too often, for this address or from this client.
        """
        keys = [f"reset:{email.lower()}", f"reset-from:{where.address}"]
        row = await self._db.system_fetchrow(
            _AUTH["take_attempt"], keys=keys, limits=[RESETS_AN_ADDRESS, RESETS_A_CLIENT], window_s=RESET_WINDOW_S
        )
        # Both are counted whether there is an account or not.
        wait_s = (row["wait_s"] if row else 0) or await rationing.wait_s(self._db, rationing.RESETS, email)
        if wait_s > 0:
            minutes = max(1, round(wait_s / 60))
            said = f"A link was asked for too often. Look into the mail, or try again in {minutes} minutes."
            raise TooMany(said, retry_after_s=wait_s, code="reset_throttled")
        async with _at_least(_FORGOT_FLOOR_S):
            token = new_token()
            found = await self._db.system_fetchrow(
                _SQL["begin_reset"], email_lc=email.lower(), hash=hash_token(token), ttl_s=RESET_TTL_S
            )
            if found is not None:
                await letters.send_reset(
                    self._db, self._public_url, found["email"], found["name"], token, RESET_TTL_S // 60, where
                )

    async def reset_password(self, token: str, password: str, where: From, request_id: str) -> None:
        """Choose a new password with the token of a letter. All sessions end; a second factor stays.

        Raises Invalid when the link is used or has run out, or the password is weak.
        """
        hashed_token = hash_token(token)
        row = await self._db.system_fetchrow(_SQL["reset_of"], hash=hashed_token)
        if row is None or row["user_id"] is None:
            raise _link_ended()
        means = await means_of(self._db, row["user_id"])
        await refuse_weak(password, words=await self._words(means), with_second=means.has_totp)
        done = await self._db.system_fetchrow(
            _SQL["finish_reset"],
            hash=hashed_token,
            password_hash=await hash_password(password),
            needs_second=is_short(password),
        )
        if done is None or done["user_id"] is None:
            raise _link_ended()
        self._db.notifier.access_changed()
        # Who was locked out by somebody's guessing gets in with the new password.
        await factors.forgive(self._db, f"account:{means.email.lower()}")
        await factors.unstrike(self._db, means.email)
        await record_person(self._db, means.user_id, "account.password_reset", address=where.address, request_id=request_id)
        await letters.tell_of_change(self._db, self._public_url, means.email, means.name, "password_reset", where)

    # -- the authenticator app

    async def begin_totp(self, acting: Acting) -> TotpBegun:
        """A seed for an authenticator app, which is asked for once a first code was right. Raises Conflict."""
        means = await means_of(self._db, acting.user_id)
        seed = totp.new_seed()
        sealed = factors.seal_seed(self._seals, acting.user_id, seed)
        row = await self._db.system_fetchrow(_SQL["begin_totp"], user=acting.user_id, seed=sealed)
        if row is None or not row["begun"]:
            raise _totp_on()
        address = totp.address_of(seed, means.email)
        return TotpBegun(secret=seed, address=address, picture=totp.picture_of(address))

    async def start_totp(self, acting: Acting, code: str) -> list[str]:
        """The app shows the right code: from now on it is asked for. Returns the recovery codes. Raises Conflict, Invalid."""
        row = await self._db.system_fetchrow(_SQL["totp"], user=acting.user_id)
        if row is None:
            raise Conflict("Begin with setting up the app.", code="totp_not_begun")
        if row["on_since"] is not None:
            raise _totp_on()
        await factors.take_attempt(self._db, f"second:{acting.user_id}")
        step = totp.step_of(factors.open_seed(self._seals, acting.user_id, row["seed"]), code)
        if step is None:
            raise Invalid.field("code", "This is not the code of now. Check the clock of the telephone, and try the next one.")
        async with self._changing(acting, "totp_on") as tx:
            if not await tx.fetchval(_SQL["start_totp"], user=acting.user_id, step=step):
                raise _totp_on()
            codes = await self._new_codes(tx, acting.user_id)
        await factors.forgive(self._db, f"second:{acting.user_id}")
        await factors.raise_session(self._db, acting.claims.session_id, acting.user_id)
        return codes

    async def stop_totp(self, acting: Acting) -> None:
        """Ask for no code any more; the recovery codes are void. Raises Conflict when a short password depends on it."""
        means = await means_of(self._db, acting.user_id)
        if means.needs_second:
            said = f"Your password is shorter than {LEAST_ALONE} characters, which needs the app beside it. Change it first."
            raise Conflict(said, code="password_needs_second")
        await self._check_wanted(acting, others=means.passkeys)
        async with self._changing(acting, "totp_off") as tx:
            if not await tx.fetchval(_SQL["stop_totp"], user=acting.user_id):
                raise NotFound("No authenticator app is set up.", code="totp_not_found")

    async def make_recovery_codes(self, acting: Acting) -> list[str]:
        """New recovery codes in place of the old. Raises Conflict when there is no app that they stand in for."""
        means = await means_of(self._db, acting.user_id)
        if not means.has_totp:
            raise Conflict("Recovery codes stand in for an authenticator app. Set one up first.", code="totp_not_on")
        async with self._changing(acting, "recovery_codes_made") as tx:
            return await self._new_codes(tx, acting.user_id)

    async def _new_codes(self, tx: Tx, user_id: UUID) -> list[str]:
        codes = totp.new_recovery_codes()
        await tx.fetchval(_SQL["set_recovery_codes"], user=user_id, hashes=[totp.recovery_hash(code) for code in codes])
        return codes

    # -- passkeys

    async def ask_for_new_passkey(self, acting: Acting) -> PasskeyAsk:
        """What to ask the browser for to make a passkey."""
        means = await means_of(self._db, acting.user_id)
        known = await factors.passkey_ids(self._db, acting.user_id)
        token, challenge = await factors.begin(self._db, "passkey_add", user_id=acting.user_id)
        options = self._site.ask_to_make(acting.user_id, means.email, means.name, challenge, known)
        return PasskeyAsk(token=token, options=options)

    async def add_passkey(self, acting: Acting, token: str, credential: Mapping[str, Any], name: str) -> UUID:
        """Keep the passkey that the browser has made. Raises Invalid when it does not hold, Conflict when there are too many."""
        begun = await factors.attempt(self._db, "passkey_add", token)
        if begun.user_id != acting.user_id:
            raise Forbidden("This was begun by somebody else.")
        made = self._site.made(credential, begun.challenge)
        await factors.finish(self._db, begun)
        async with self._changing(acting, "passkey_added") as tx:
            added: UUID | None = await tx.fetchval(
                _SQL["add_passkey"],
                user=acting.user_id,
                credential=made.credential_id,
                key=made.public_key,
                count=made.sign_count,
                name=name,
                synced=made.synced,
                most=MOST_PASSKEYS,
            )
            if added is None:
                raise Conflict(f"You have {MOST_PASSKEYS} passkeys. Remove one first.", code="too_many_passkeys")
        await factors.raise_session(self._db, acting.claims.session_id, acting.user_id)
        return added

    async def rename_passkey(self, acting: Acting, passkey_id: UUID, name: str) -> None:
        """Call a passkey something else. Raises NotFound."""
        async with self._changing(acting, "passkey_renamed", letter=False) as tx:
            if await tx.fetchval(_SQL["rename_passkey"], user=acting.user_id, id=passkey_id, name=name) is None:
                raise _no_passkey()

    async def remove_passkey(self, acting: Acting, passkey_id: UUID) -> None:
        """It signs in no more. Raises NotFound, and Conflict when a company wants a second factor and this is the only one."""
        means = await means_of(self._db, acting.user_id)
        await self._check_wanted(acting, others=means.passkeys - 1 + means.has_totp)
        async with self._changing(acting, "passkey_removed") as tx:
            if await tx.fetchval(_SQL["remove_passkey"], user=acting.user_id, id=passkey_id) is None:
                raise _no_passkey()

    # -- all of them

    async def _check_wanted(self, acting: Acting, *, others: int) -> None:
        row = None if others > 0 else await self._db.system_fetchrow(_SQL["second_wanted"], user=acting.user_id)
        if row is not None and row["company"] is not None:
            said = (
                f"{row['company']} wants everybody to have a second factor, and this is your only one. Set up another one first."
            )
            raise Conflict(said, code="second_factor_wanted")

    @asynccontextmanager
    async def _changing(self, acting: Acting, what: Change, *, letter: bool = True) -> AsyncIterator[Tx]:
        """A transaction that changes the account, tells the person's other consoles, the audit logs, and the person."""
        if letter:
            await check_whole_account(self._db, acting.claims)
        async with tenant_tx(self._db, acting.claims.who(acting.request_id)) as tx:
            yield tx
            tx.emit(AccountChanged.of(acting.user_id, what))
        await record_person(
            self._db, acting.user_id, f"account.{what}", address=acting.where.address, request_id=acting.request_id
        )
        if letter:
            means = await means_of(self._db, acting.user_id)
            await letters.tell_of_change(self._db, self._public_url, means.email, means.name, what, acting.where)

    async def _end_others(self, tx: Tx, acting: Acting, reason: str) -> int:
        said = {"user": acting.user_id, "keep": acting.claims.session_id, "reason": reason}
        ended: int = await tx.fetchval(_SQL["end_other_sessions"], **said)
        return ended

    async def _words(self, means: Means) -> list[str]:
        companies = await companies_of(self._db, means.user_id)
        return [means.email, means.name, *(company.name for company in companies)]


def _link_ended() -> Invalid:
    said = "This link was used already, or has run out. Ask for a new one."
    return Invalid(said, code="link_ended", details={"fields": [{"field": "token", "message": said}]})


def _totp_on() -> Conflict:
    return Conflict("An authenticator app is set up already. Remove it first.", code="totp_is_on")


def _no_passkey() -> NotFound:
    return NotFound("There is no such passkey.", code="passkey_not_found")


@asynccontextmanager
async def _at_least(seconds: float) -> AsyncIterator[None]:
    until = time.monotonic() + seconds
    yield
    await asyncio.sleep(max(0.0, until - time.monotonic()))
