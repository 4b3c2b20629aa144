"""Passwords: argon2id, off the event loop.

Costs are OWASP's for argon2id (19 MiB, two passes, one lane; "Password Storage Cheat Sheet"). The library's own defaults take
seven times the processor's time, and twenty sign-ins a second would then need four cores.
"""

from __future__ import annotations

import asyncio
import secrets
import unicodedata
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION

T = TypeVar("T")

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# Hashing takes memory and tens of milliseconds each; more at once only makes all of them slower.
_pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")


def _made_up_hash() -> str:
    """What nothing hashes to, as costly to check as a real one; to hash something at each start of a program costs as much."""
    salt, digest = (b64encode(secrets.token_bytes(size)).rstrip(b"=").decode() for size in (_hasher.salt_len, _hasher.hash_len))
    costs = f"m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}"
    return f"$argon2id$v={ARGON2_VERSION}${costs}${salt}${digest}"


_NOBODY = _made_up_hash()


def normalized(password: str) -> str:
    """The same text in the one form it is hashed in: NFC, as NIST SP 800-63B-4, section 3.1.1.2, asks for."""
    return unicodedata.normalize("NFC", password)


async def in_turn(work: Callable[[], T]) -> T:
    """Do something that keeps a processor busy, after the others that do so, and not on the event loop."""
    return await asyncio.get_running_loop().run_in_executor(_pool, work)


async def hash_password(password: str) -> str:
    """The hash to store."""
    return await in_turn(lambda: _hasher.hash(normalized(password)))


async def check_password(password: str, stored: str | None) -> bool:
    """Whether the password fits. Without a stored hash the same work is done, so that the time tells nothing."""
    fits = await in_turn(lambda: _verify(stored or _NOBODY, normalized(password)))
    return fits and stored is not None


def is_outdated(stored: str) -> bool:
    """Was it hashed with other costs than today's?"""
    try:
        return _hasher.check_needs_rehash(stored)
    except InvalidHashError:
        return False


def _verify(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
