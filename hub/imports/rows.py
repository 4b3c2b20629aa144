"""From a row of a file to a contact: names split, numbers and addresses checked, everything else kept as custom fields."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from hub.contacts.addresses import AddressError, Phone, parse_email, read_phone
from hub.contacts.impossible import is_impossible
from hub.imports.countries import fold, region_of
from hub.imports.fields import EMAILS, PHONES, guess_fields, label_of, label_stem

# The limits of a contact as the API has them (hub.contacts.models).
_LIMITS = {"first_name": 200, "last_name": 200, "company": 200, "title": 200, "stage": 60}
_MAX_TAG, _MAX_TAGS, _MAX_ADDRESSES, _MAX_CUSTOM = 60, 100, 20, 5000
_NOT_VALID = " (not valid)"
_ABROAD = re.compile(r"^[^\w+]*(?:\+|00|011|tel:)", re.IGNORECASE)
_BETWEEN_EMAILS = re.compile(r"[\s;,|]+|\s*:::\s*")
_BETWEEN_PHONES = re.compile(r"\s*:::\s*|[;,|/\r\n]+|\s+or\s+")
_BETWEEN_TAGS = re.compile(r"\s*:::\s*|[;,|]")
_IN_ANGLES = re.compile(r"<([^<>\s]+@[^<>\s]+)>")


@dataclass(slots=True)
class Row:
    """A contact as a row has it, and what was noticed on the way. `line` is where it begins in the file."""

    line: int
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    title: str = ""
    stage: str = ""
    owner_id: UUID | None = None
    emails: list[tuple[str, str]] = field(default_factory=list)
    phones: list[tuple[Phone, str]] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    custom: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is not imported: its cells as they are, the reason in words, and what could be read of it."""

    line: int
    cells: list[str]
    reason: str
    row: Row | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """How the rows of one file become contacts."""

    columns: tuple[str, ...]
    fields: tuple[str | None, ...]
    region: str
    owners: Mapping[str, UUID]
    single: tuple[tuple[str, tuple[int, ...]], ...]
    emails: tuple[tuple[int, str, int | None], ...]
    phones: tuple[tuple[int, str, int | None], ...]
    tags: tuple[int, ...]
    owner: tuple[int, ...]
    country: tuple[int, ...]
    custom: tuple[int, ...]

    @property
    def can_find_anyone(self) -> bool:
        """Whether any column holds a telephone number or an email address."""
        return bool(self.emails or self.phones)


def choose_fields(columns: Sequence[str], mapping: Mapping[str, str | None]) -> list[str | None]:
    """The field of each column: as asked for, else as guessed. A guess gives way where its single field was asked for."""
    asked = {name for name in mapping.values() if name}
    return [
        mapping.get(column, None if guess in asked and guess not in EMAILS and guess not in PHONES else guess)
        for column, guess in zip(columns, guess_fields(columns), strict=True)
    ]


def make_plan(columns: Sequence[str], fields: Sequence[str | None], region: str, owners: Mapping[str, UUID]) -> Plan:
    """Sort the columns by what they are for. `owners` maps members' folded names and lower-case addresses to their ids."""
    places: dict[str | None, list[int]] = {}
    for place, name in enumerate(fields):
        places.setdefault(name, []).append(place)
    labels: dict[int, int] = {}
    for kind, values in (("email_label", EMAILS), ("phone_label", PHONES)):
        for place in places.get(kind, []):
            stem = label_stem(columns[place])
            beside = [n for n, name in enumerate(fields) if name in values and label_stem(columns[n]) == stem]
            if beside:
                labels[beside[0]] = place
            else:
                places.setdefault(None, []).append(place)
    return Plan(
        columns=tuple(columns),
        fields=tuple(fields),
        region=region,
        owners=owners,
        single=tuple((name, tuple(places[name])) for name in (*_LIMITS, "full_name") if name in places),
        emails=tuple((n, EMAILS[name], labels.get(n)) for n, name in enumerate(fields) if name in EMAILS),
        phones=tuple((n, PHONES[name], labels.get(n)) for n, name in enumerate(fields) if name in PHONES),
        tags=tuple(places.get("tags", ())),
        owner=tuple(places.get("owner", ())),
        country=tuple(places.get("country", ())),
        custom=tuple(sorted((*places.get(None, ()), *places.get("country", ())))),
    )


def read_row(plan: Plan, line: int, cells: list[str], problem: str | None = None) -> Row | BadRow:
    """The contact in a row, or why there is none. It never raises, whatever the cells hold."""
    if problem is not None:
        return BadRow(line, cells, problem)
    width = len(plan.columns)
    if len(cells) > width and any(cell.strip() for cell in cells[width:]):
        return BadRow(
            line, cells, f"This row has {len(cells)} cells, the header has {width}. Check its quotation marks and delimiters."
        )
    row = Row(line)
    values = [cell.strip() for cell in cells[:width]]
    if len(values) < width:
        # Spreadsheets leave out empty cells at the end of a row.
        row.warnings.append(f"This row has only {len(cells)} of the {width} cells; the others were taken as empty.")
        values += [""] * (width - len(values))
    if any("\x00" in value for value in values):
        return BadRow(line, cells, f"{_where(plan, values, chr(0))} contains a NUL character, which no text here can hold.")
    for place in plan.custom:
        if values[place]:
            row.custom[plan.columns[place]] = values[place]
    _single_fields(plan, row, values)
    _owner(plan, row, values)
    for place in plan.tags:
        _tags(row, values[place])
    found_nothing = _emails(plan, row, values) + _phones(plan, row, values)
    reason = _too_long(row)
    if reason is None and not row.emails and not row.phones:
        reason = " ".join(["There is no valid telephone number or email address in this row.", *found_nothing])
    if reason is not None:
        return BadRow(line, cells, reason[:4000], row)
    row.warnings.extend(found_nothing)
    return row


def _where(plan: Plan, values: Sequence[str], what: str) -> str:
    return next((plan.columns[n] for n, value in enumerate(values) if what in value), "This row")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _single_fields(plan: Plan, row: Row, values: Sequence[str]) -> None:
    full_name = ""
    for name, places in plan.single:
        taken = ""
        for place in places:
            value = values[place]
            if not value:
                continue
            if not taken:
                taken = _one_line(value)
            elif _one_line(value) != taken:
                row.custom[plan.columns[place]] = value
        if name == "full_name":
            full_name = taken
        elif taken:
            setattr(row, name, taken)
    if full_name and not (row.first_name or row.last_name):
        row.first_name, row.last_name = split_name(full_name)


def split_name(name: str) -> tuple[str, str]:
    """First and last name of a full one: "Ada King Lovelace" and "Lovelace, Ada King"; what stands alone is a first name."""
    last, comma, first = name.partition(",")
    if comma and first.strip() and "," not in first:
        return first.strip(), last.strip()
    words = name.split()
    if len(words) < 2:
        return name, ""
    # Small words belong to the family name: "Ludwig van Beethoven".
    cut = len(words) - 1
    while cut > 1 and words[cut - 1].lower() in (
        "van",
        "von",
        "de",
        "der",
        "den",
        "da",
        "di",
        "del",
        "della",
        "la",
        "le",
        "du",
        "bin",
        "al",
        "ter",
    ):
        cut -= 1
    return " ".join(words[:cut]), " ".join(words[cut:])


def _owner(plan: Plan, row: Row, values: Sequence[str]) -> None:
    for place in plan.owner:
        value = values[place]
        if not value:
            continue
        found = plan.owners.get(value.lower()) or plan.owners.get(fold(value))
        if found is not None and row.owner_id is None:
            row.owner_id = found
        elif found is None:
            row.custom[plan.columns[place]] = value
            row.warnings.append(f"{plan.columns[place]}: nobody here is called {value[:100]!r}; kept as a custom field.")


def _tags(row: Row, value: str) -> None:
    for part in _BETWEEN_TAGS.split(value) if value else ():
        # Google marks its own groups with a star.
        tag = _one_line(part).lstrip("* ")
        if tag and tag.lower() not in {known.lower() for known in row.tags}:
            row.tags.append(tag)


def _emails(plan: Plan, row: Row, values: Sequence[str]) -> list[str]:
    problems: list[str] = []
    seen: set[str] = set()
    for place, label, label_place in plan.emails:
        value = values[place]
        if not value:
            continue
        if label_place is not None and values[label_place]:
            label = label_of(values[label_place])
        for text in _email_texts(value):
            try:
                address = parse_email(text)
            except AddressError as exc:
                _not_valid(row, plan.columns[place], text)
                problems.append(f"{plan.columns[place]}: {exc}")
                continue
            if address.lower() in seen:
                continue
            if len(row.emails) == _MAX_ADDRESSES:
                _keep(row, f"{plan.columns[place]} (one too many)", address)
                continue
            seen.add(address.lower())
            row.emails.append((address, label))
    return problems


def _email_texts(value: str) -> list[str]:
    if "<" in value:
        inside: list[str] = _IN_ANGLES.findall(value)
        if inside:
            return inside
    value = value.removeprefix("mailto:")
    if value.count("@") < 2:
        return [value.strip(";, ")]
    return [part for part in _BETWEEN_EMAILS.split(value) if part]


def _phones(plan: Plan, row: Row, values: Sequence[str]) -> list[str]:
    problems: list[str] = []
    seen: set[tuple[str, str]] = set()
    for place, label, label_place in plan.phones:
        value = values[place]
        if not value:
            continue
        if label_place is not None and values[label_place]:
            label = label_of(values[label_place])
        for text, found in _numbers(plan, values, value):
            if isinstance(found, str):
                _not_valid(row, plan.columns[place], text)
                problems.append(f"{plan.columns[place]}: {found}")
                continue
            if (found.e164, found.extension) in seen:
                continue
            if len(row.phones) == _MAX_ADDRESSES:
                _keep(row, f"{plan.columns[place]} (one too many)", text)
                continue
            seen.add((found.e164, found.extension))
            row.phones.append((found, label))
    return problems


def _numbers(plan: Plan, values: Sequence[str], value: str) -> list[tuple[str, Phone | str]]:
    whole = _number(plan, values, value)
    # Most that are not valid are one number all the same.
    if isinstance(whole, str) and _BETWEEN_PHONES.search(value):
        parts = [part.strip() for part in _BETWEEN_PHONES.split(value) if part.strip()]
        if len(parts) > 1:
            several = [(part, _number(plan, values, part)) for part in parts]
            if any(isinstance(found, Phone) for _, found in several):
                return several
    return [(value, whole)]


def _number(plan: Plan, values: Sequence[str], text: str) -> Phone | str:
    """With its country code if it has one, else in the region asked for, else in the row's country."""
    text = text.lstrip("'")
    found = read_phone(text, plan.region)
    if isinstance(found, Phone) or not plan.country or _ABROAD.match(text):
        return found
    for place in plan.country:
        region = region_of(values[place]) if values[place] else None
        if region is not None and region != plan.region and not is_impossible(text, region):
            there = read_phone(text, region)
            if isinstance(there, Phone):
                return there
    return found


def _not_valid(row: Row, column: str, text: str) -> None:
    _keep(row, column + _NOT_VALID, text)


def _keep(row: Row, name: str, text: str) -> None:
    row.custom[name] = f"{row.custom[name]}; {text}" if name in row.custom else text


def _too_long(row: Row) -> str | None:
    for name, most in _LIMITS.items():
        if len(getattr(row, name)) > most:
            return f"The {name.replace('_', ' ')} has {len(getattr(row, name)):,} characters; at most {most} are taken."
    if len(row.tags) > _MAX_TAGS:
        return f"There are {len(row.tags)} tags; at most {_MAX_TAGS} are taken."
    for tag in row.tags:
        if len(tag) > _MAX_TAG:
            return f"The tag {tag[:40]!r}... has {len(tag):,} characters; at most {_MAX_TAG} are taken."
    if row.custom and max(map(len, row.custom.values())) > _MAX_CUSTOM:
        name, value = next(item for item in row.custom.items() if len(item[1]) > _MAX_CUSTOM)
        return f"{name} has {len(value):,} characters; at most {_MAX_CUSTOM:,} are taken."
    return None
