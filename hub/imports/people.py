"""New contacts as their tables get them. Rows that share no address and no number with anybody need no objects.

The process that reads a large file makes these records. An object a row, made there, sent over and taken apart here, was most of
what the worker did.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

import orjson

from hub.contacts.addresses import Phone
from hub.imports.rows import BadRow, Row

# e164, extension, label, kind, time zones
Line = tuple[str, str, str, str, Sequence[str]]


class Person(Protocol):
    """What a row and a contact have in common."""

    first_name: str
    last_name: str
    company: str
    title: str
    stage: str
    owner_id: UUID | None
    emails: list[tuple[str, str]]
    tags: list[str]
    custom: dict[str, str]


@dataclass(slots=True)
class People:
    """Contacts as the records of each table. Addresses, numbers and tags begin with the place of whose they are."""

    # first and last name, company, title, stage, owner, custom fields as JSON
    own: list[tuple[str, str, str, str, str, UUID | None, str]] = field(default_factory=list)
    # What each is found by, and whether it is folded as search_fold() does it.
    terms: list[str] = field(default_factory=list)
    folded: list[bool] = field(default_factory=list)
    # position, address, label
    emails: list[tuple[int, int, str, str]] = field(default_factory=list)
    # position, E.164, extension, label, kind, time zones with commas between them
    phones: list[tuple[int, int, str, str, str, str, str]] = field(default_factory=list)
    tags: list[tuple[int, str]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.own)

    def add(self, person: Person, lines: Iterable[Line]) -> None:
        """One more contact, with its telephone lines."""
        of = len(self.own)
        first_name, last_name, company, title = person.first_name, person.last_name, person.company, person.title
        custom = orjson.dumps(person.custom).decode()
        self.own.append((first_name, last_name, company, title, person.stage, person.owner_id, custom))
        # In the order in which hub.contacts puts them.
        text = f"{first_name} {last_name} {company} {title}"
        for position, (address, label) in enumerate(person.emails):
            self.emails.append((of, position, address, label))
            lower = address.lower()
            text += f" {lower} {lower.partition('@')[2]}"
        for position, (e164, extension, label, kind, zones) in enumerate(lines):
            self.phones.append((of, position, e164, extension, label, kind, ",".join(zones)))
            text += f" {e164[1:]}"
        for tag in person.tags:
            self.tags.append((of, tag))
        plain = text.isascii() and text.isprintable()
        self.terms.append(" ".join(text.lower().split()) if plain else text)
        self.folded.append(plain)

    def rows(self) -> list[Row]:
        """The rows again, without what was noticed on the way and where they stood."""
        found = []
        for first_name, last_name, company, title, stage, owner_id, custom in self.own:
            row = Row(0, first_name, last_name, company, title, stage, owner_id)
            row.custom = orjson.loads(custom)
            found.append(row)
        for of, _, address, label in self.emails:
            found[of].emails.append((address, label))
        for of, _, e164, extension, label, kind, zones in self.phones:
            found[of].phones.append((Phone(e164, extension, kind, tuple(zones.split(",")) if zones else ()), label))
        for of, tag in self.tags:
            found[of].tags.append(tag)
        return found


@dataclass(slots=True)
class Batch:
    """Some rows of a file. `start` is how many came before them, `warned` how many good ones something was noticed about."""

    start: int
    plain: People = field(default_factory=People)
    # The lines on which these begin in the file.
    lines: list[int] = field(default_factory=list)
    # Those that share an address or a number with another one of the batch, in the file's order.
    tangled: list[Row] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)
    warned: int = 0

    @property
    def rows(self) -> int:
        """How many rows these are."""
        return len(self.plain) + len(self.tangled) + len(self.bad)

    def take_out(self, known: Mapping[str, UUID]) -> None:
        """Count those whose addresses and numbers are known among the tangled ones."""
        if not known:
            return
        rows, lines, self.plain, self.lines = self.plain.rows(), self.lines, People(), []
        for row, line in zip(rows, lines, strict=True):
            row.line = line
            if any(key in known for key in keys_of(row)):
                self.tangled.append(row)
            else:
                self._add(row)
        self.tangled.sort(key=lambda row: row.line)

    def _add(self, row: Row) -> None:
        self.plain.add(row, lines_of(row))
        self.lines.append(row.line)

    def share(self, ids: Sequence[UUID]) -> tuple[list[UUID], list[UUID]]:
        """Ascending ids, one for each good row, in the order of the file: those of the plain rows, those of the tangled ones."""
        own = [row.line for row in self.tangled]
        by_line = dict(zip(sorted([*self.lines, *own]), ids, strict=True))
        return [by_line[line] for line in self.lines], [by_line[line] for line in own]


def make_batch(start: int, rows: Iterable[Row | BadRow]) -> Batch:
    """Rows as a batch. Which of two rows that share something comes first is kept."""
    batch = Batch(start)
    good: list[Row] = []
    for row in rows:
        if isinstance(row, Row):
            good.append(row)
            batch.warned += bool(row.warnings)
        else:
            batch.bad.append(row)
    first: dict[str, int] = {}
    tangled: set[int] = set()
    for place, row in enumerate(good):
        for key in keys_of(row):
            other = first.setdefault(key, place)
            if other != place:
                tangled |= {other, place}
    for place, row in enumerate(good):
        if place in tangled:
            batch.tangled.append(row)
        else:
            batch._add(row)
    return batch


def lines_of(row: Row) -> list[Line]:
    """The telephone lines of a row."""
    return [(phone.e164, phone.extension, label, phone.kind, phone.time_zones) for phone, label in row.phones]


def phone_key(e164: str, extension: str) -> str:
    """A number and its extension as one key. People behind one switchboard differ by the extension."""
    return f"{e164};{extension}" if extension else e164


def keys_of(row: Row) -> list[str]:
    """What a contact is known by again: its addresses first, then its numbers, each with its extension."""
    keys = [address.lower() for address, _ in row.emails]
    for phone, _ in row.phones:
        keys.append(f"{phone.e164};{phone.extension}" if phone.extension else phone.e164)
    return keys
