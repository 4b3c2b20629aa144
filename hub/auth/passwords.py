"""Passwords: argon2id with the library's current defaults (RFC 9106, low-memory profile), off the event loop."""

from __future__ import annotations

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher = PasswordHasher()
# Hashing costs 64 MiB and some tens of milliseconds each; more at once only makes all of them slower.
_pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")
_NOBODY = _hasher.hash(secrets.token_urlsafe(16))


async def hash_password(password: str) -> str:
    """The hash to store."""
    return await asyncio.get_running_loop().run_in_executor(_pool, _hasher.hash, password)


async def check_password(password: str, stored: str | None) -> bool:
    """Whether the password fits. Without a stored hash the same work is done, so that the time tells nothing."""
    fits = await asyncio.get_running_loop().run_in_executor(_pool, _verify, stored or _NOBODY, password)
    return fits and stored is not None


def _verify(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
