"""Which passwords are taken, by NIST SP 800-63B-4, section 3.1.1.2.

Length is what counts: 15 characters for a password that signs in alone, 8 for one that is only ever asked for together with a
code of an authenticator app. A passkey beside the password does not shorten it, since the password still signs in without it.
There are no rules of composition and no dates of expiry. Refused is what is known from leaks, what says the person's own name,
address or company and little else, and what a guesser would try early (repeated, in a row, a few common words); each with its
reason. The list of leaked passwords and the guessing are zxcvbn's, which ships them: nothing is asked for over the network.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from hub.auth.passwords import in_turn, normalized
from hub.errors import Invalid

LEAST_ALONE = 15
LEAST_WITH_SECOND = 8
MOST = 256
# What must be left of it without names, addresses and the product's own name.
_LEAST_OWN = 8
# Fewer guesses than that are made within hours even against a well-kept hash.
_LEAST_GUESSES_LOG10 = 8.0
# Guessing looks at every part of it, in time that grows with the square; what stands behind this only adds.
_LOOKED_AT = 64
_OURS = ("ringside",)
_BY_PATTERN = {
    "spatial": "It follows the keys of the keyboard.",
    "repeat": "It repeats the same few characters.",
    "sequence": "It is a row of characters, such as abcd or 4321.",
    "date": "It is little more than a date.",
}


async def refuse_weak(password: str, *, words: Iterable[str], with_second: bool = False, field: str = "password") -> None:
    """Raise Invalid, with the reason in words at `field`, when a new password is not good enough.

    `words` are what is known of the person: address, name, company. `with_second` says that a code is always asked for, too.
    """
    reason = await in_turn(lambda: weakness(password, words=tuple(words), with_second=with_second))
    if reason is not None:
        raise Invalid.field(field, reason)


def is_short(password: str) -> bool:
    """Is it too short to sign in alone?"""
    return len(normalized(password)) < LEAST_ALONE


def weakness(password: str, *, words: Iterable[str], with_second: bool = False) -> str | None:
    """Why the password is not taken, as a sentence; None when it is. Takes some milliseconds."""
    text = normalized(password)
    least = LEAST_WITH_SECOND if with_second else LEAST_ALONE
    if len(text) < least:
        return f"It has {len(text)} characters; use at least {least}. A few unrelated words are easy to remember."
    if len(text) > MOST:
        return f"It has {len(text)} characters; use at most {MOST}."
    folded = text.casefold()
    if folded in _leaked():
        return "It is on the lists of passwords that were stolen elsewhere. Choose another one."
    known = _context(words)
    rest = folded
    for word in known:
        rest = rest.replace(word, "")
    if len(rest) < min(_LEAST_OWN, least - 1) and rest != folded:
        return "It is little more than your name, your address, your company or Ringside. Choose something else."
    guessed = _guess(text[:_LOOKED_AT], known)
    if guessed["guesses_log10"] < _LEAST_GUESSES_LOG10:
        return f"It would be guessed early. {_why(guessed['sequence'])} Choose something else; a few unrelated words are good."
    return None


def _context(words: Iterable[str]) -> list[str]:
    """The longest first: an address, then what it is made of."""
    found = set(_OURS)
    for word in words:
        whole = normalized(word).casefold().strip()
        parts = re.split(r"[\W_]+", whole)
        found |= {part for part in (whole, whole.partition("@")[0], *parts) if len(part) >= 3}
    return sorted(found, key=len, reverse=True)


def _why(sequence: list[dict[str, Any]]) -> str:
    patterns = [match["pattern"] for match in sequence if match["pattern"] != "bruteforce"]
    if not patterns:
        return "It is short for what it is."
    return _BY_PATTERN.get(max(patterns, key=patterns.count), "It is made of words that everybody uses.")


@cache
def _leaked() -> frozenset[str]:
    # Read when it is needed first: it is large, and most processes never ask.
    return frozenset(importlib.import_module("zxcvbn.frequency_lists").FREQUENCY_LISTS["passwords"])


def _guess(text: str, known: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = importlib.import_module("zxcvbn").zxcvbn(text, user_inputs=known)
    return found
