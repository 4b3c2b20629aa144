"""The words by which people stop and start messages, and what is answered.

CTIA Messaging Principles and Best Practices (2023), section 5.1: opt-out by common words, each alone in a message,
whatever its case; one confirmation, and nothing after it (47 CFR 64.1200(a)(12) allows that one).
"""

from __future__ import annotations

import re
from typing import Literal

Keyword = Literal["stop", "start", "help"]

_WORDS: dict[str, Keyword] = {
    **dict.fromkeys(
        ("stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "revoke", "opt out", "optout"), "stop"
    ),
    **dict.fromkeys(("start", "unstop", "yes"), "start"),
    **dict.fromkeys(("help", "info"), "help"),
}
_AROUND = re.compile(r"[\W_]+", re.UNICODE)


def keyword_of(body: str) -> Keyword | None:
    """What a message asks for, when it is nothing but such a word."""
    return _WORDS.get(_AROUND.sub(" ", body).strip().lower())


def confirmation(keyword: Keyword, company: str) -> str:
    """What is answered, once."""
    if keyword == "stop":
        return f"{company}: you have opted out and will get no more messages. Reply START to get them again."
    if keyword == "start":
        return f"{company}: you will get our messages again. Reply STOP to opt out, HELP for help."
    return f"{company}: message and data rates may apply. Reply STOP to opt out of our messages."
