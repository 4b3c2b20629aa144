"""What a server answers to FETCH and SEARCH, read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

_FETCH: Final = re.compile(rb"\d{1,10} FETCH \(", re.IGNORECASE)
_UID: Final = re.compile(rb"(?:^|[ (])UID (\d{1,10})", re.IGNORECASE)
_FLAGS: Final = re.compile(rb"FLAGS \(([^)]{0,2000})\)", re.IGNORECASE)
_DATE: Final = re.compile(rb'INTERNALDATE "\s?(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d\d:\d\d:\d\d [+-]\d{4})"', re.IGNORECASE)
_SIZE: Final = re.compile(rb"RFC822\.SIZE (\d{1,12})", re.IGNORECASE)
_LITERAL: Final = re.compile(rb"BODY\[\] \{\d+\}$", re.IGNORECASE)
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Found:
    """One message of an answer. `marks` are unread and starred; `raw` is None and `size` 0 when they were not asked for."""

    uid: int
    marks: frozenset[str]
    received_at: datetime | None
    raw: bytes | None = None
    size: int = 0


def read_fetched(lines: Sequence[bytes | bytearray]) -> list[Found]:
    """The messages in the answer to FETCH. Parts of an answer that belong to none are left out."""
    found: list[Found] = []
    words: list[bytes] = []
    raw: bytes | None = None
    takes_raw = False

    def finish() -> None:
        if words:
            message = _found(b" ".join(words), raw)
            if message is not None:
                found.append(message)

    for line in lines:
        if isinstance(line, bytearray):
            # A literal: the message itself, when the line before announced it.
            if takes_raw:
                raw = bytes(line)
            takes_raw = False
            continue
        if _FETCH.match(line):
            finish()
            words, raw = [], None
        words.append(line)
        takes_raw = _LITERAL.search(line) is not None
    finish()
    return found


def _found(words: bytes, raw: bytes | None) -> Found | None:
    uid = _UID.search(words)
    if uid is None:
        return None
    flags = _FLAGS.search(words)
    names = flags[1].decode("ascii", "replace").lower().split() if flags else []
    marks = {label for label, is_set in (("unread", "\\seen" not in names), ("starred", "\\flagged" in names)) if is_set}
    if "\\draft" in names:
        marks.add("draft")
    size = _SIZE.search(words)
    return Found(int(uid[1]), frozenset(marks) if flags else frozenset(), _date(words), raw, int(size[1]) if size else 0)


def _date(words: bytes) -> datetime | None:
    found = _DATE.search(words)
    if found is None:
        return None
    try:
        return parsedate_to_datetime(b" ".join(found.groups()).decode("ascii")).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def uids_in(lines: Sequence[bytes | bytearray]) -> set[int]:
    """The UIDs in the answer to SEARCH, whose last line is the server's word that it is done."""
    found: set[int] = set()
    for line in lines[:-1]:
        words = bytes(line).removeprefix(b"SEARCH").split()
        found.update(int(word) for word in words if word.isdigit())
    return found


def search_date(at: datetime) -> str:
    """A day as SEARCH wants it, whatever the locale."""
    return f"{at.day}-{_MONTHS[at.month - 1]}-{at.year}"
