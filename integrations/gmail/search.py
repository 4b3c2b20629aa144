"""Knowing a sent message again: Gmail may give it another Message-ID, and keeps ours in a header of its own then."""

from __future__ import annotations

import re
from typing import Any, Final

OWN_HEADERS: Final = frozenset({"message-id", "x-google-original-message-id", "x-ringside-id"})
_PLAIN: Final = re.compile(r"[\w.!#$%&'*+/=?^`{|}~@-]+", re.ASCII)


def identities(answer: Any) -> list[str]:
    """Everything that a message's metadata calls it by."""
    headers = answer.get("payload", {}).get("headers", ())
    return [str(header["value"]) for header in headers if header["name"].lower() in OWN_HEADERS]


def same_id(wanted: str, found: str) -> bool:
    """Are these the same Message-ID, whatever stands around them?"""
    return wanted.strip(" \t\r\n<>") == found.strip(" \t\r\n<>")


def is_plain(message_id: str) -> bool:
    """May it stand in a search without being taken for more than itself?"""
    return _PLAIN.fullmatch(message_id) is not None
