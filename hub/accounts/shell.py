"""`ringside recover EMAIL`: whoever runs the server lets somebody in again who has lost their password, their telephone, or both.

What they get is a link, as by letter, which they pass on to the person whose account it is: no password goes through their hands.
"""

from __future__ import annotations

import argparse
from uuid import UUID

from hub.accounts.actions import RESET_TTL_S
from hub.accounts.factors import forgive, hash_token, new_token, unstrike
from hub.audit.actions import record_person
from hub.auth.sessions import companies_of
from hub.config import Settings
from hub.db import Database
from hub.sqlfiles import load_sql

_SQL = load_sql("accounts")
_AUTH = load_sql("auth")
# What no password hashes to.
_NO_PASSWORD = "!"  # noqa: S105


class NoAccount(Exception):
    """The message is for the user."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """EMAIL, --remove-app"""
    parser.add_argument("email", metavar="EMAIL", help="the address of the account")
    parser.add_argument(
        "--remove-app",
        action="store_true",
        help="the authenticator app is lost, too: remove it with its recovery codes, end all sessions, and let only the link in",
    )


async def run(given: argparse.Namespace, settings: Settings) -> str:
    """Make the link, and say what to do with it. Raises NoAccount; OSError, asyncpg's errors and HubErrors of the database."""
    db = await Database.open(settings.database_url, name="ringside recover", prepared=settings.database_prepared)
    try:
        return await recover(db, settings.public_url, given.email.strip(), remove_app=given.remove_app)
    finally:
        await db.close()


async def recover(db: Database, public_url: str, email: str, *, remove_app: bool = False) -> str:
    """As `run`, on an open database."""
    user_id, token = await _link(db, email)
    if remove_app:
        await db.system_fetch(_SQL["stop_totp"], user=user_id)
        # A password that was good only beside the app must not open the account alone.
        await db.system_fetch(_SQL["set_password"], user=user_id, hash=_NO_PASSWORD, needs_second=False)
        await db.system_fetch(_AUTH["revoke_all_sessions"], user=user_id, reason="recovered by who runs the server")
        # Links from before are void with the password that they were to replace.
        user_id, token = await _link(db, email)
    await forgive(db, f"account:{email.lower()}")
    await unstrike(db, email)
    details = {"authenticator_app_removed": remove_app}
    await record_person(db, user_id, "account.recovered", by_them=False, details=details)
    link = f"{public_url}/reset?token={token}"
    first = ""
    if not await companies_of(db, user_id):
        first = "This account belongs to no company: somebody has to invite it before it can sign in.\n"
    return f"{first}Give this link to {email}. It works once, within {RESET_TTL_S // 60} minutes:\n{link}"


async def _link(db: Database, email: str) -> tuple[UUID, str]:
    token = new_token()
    found = await db.system_fetchrow(_SQL["begin_reset"], email_lc=email.lower(), hash=hash_token(token), ttl_s=RESET_TTL_S)
    if found is None:
        raise NoAccount(f"No account has the address {email!r}. It is the one the person signs in with, such as ada@example.com.")
    return found["user_id"], token
