"""Which rows of a batch are new contacts, which belong to one that is there, and what they make of it. Nothing here does I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from hub.imports.people import Line, keys_of, lines_of
from hub.imports.rows import Row

Duplicates = Literal["update", "skip"]
FIELDS = ("first_name", "last_name", "company", "title", "stage")


@dataclass(slots=True)
class Draft:
    """A contact as it will be written. `before` is the JSON of what was there; None for a new one."""

    id: UUID
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    title: str = ""
    stage: str = ""
    owner_id: UUID | None = None
    # address, label
    emails: list[tuple[str, str]] = field(default_factory=list)
    phones: list[Line] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    custom: dict[str, Any] = field(default_factory=dict)
    before: str | None = None
    version: int = 1
    changed: bool = False

    @property
    def is_new(self) -> bool:
        """Whether this import creates it."""
        return self.before is None


@dataclass(slots=True)
class Merged:
    """What some rows come to."""

    drafts: list[Draft]
    created: int = 0
    updated: int = 0
    skipped: int = 0


def match(rows: Sequence[Row], known: Mapping[str, UUID]) -> list[UUID]:
    """The contacts that are there already and that rows of this batch belong to."""
    found: dict[UUID, None] = {}
    for row in rows:
        for key in keys_of(row):
            if key in known:
                found[known[key]] = None
                break
    return list(found)


def merge_batch(
    rows: Sequence[Row], known: Mapping[str, UUID], there: Mapping[UUID, Draft], new_ids: Sequence[UUID], duplicates: Duplicates
) -> Merged:
    """Put the rows, in their order, into the contacts that are there and into new ones; `new_ids` has an id for each row."""
    index: dict[str, Draft | None] = {key: there.get(contact_id) for key, contact_id in known.items()}
    drafts: dict[UUID, Draft] = {}
    merged = Merged([])
    for row, new_id in zip(rows, new_ids, strict=True):
        keys = keys_of(row)
        hit = next((key for key in keys if key in index), None)
        # One that is known and not there was deleted a moment ago.
        if hit is None or (duplicates == "update" and index[hit] is None):
            draft = draft_of(new_id, row)
            drafts[draft.id] = draft
            merged.created += 1
        elif duplicates == "skip":
            merged.skipped += 1
            continue
        else:
            found = index[hit]
            assert found is not None
            draft = found
            merged.updated += 1
            if put(draft, row):
                draft.changed = True
                drafts[draft.id] = draft
        for key in keys:
            if index.get(key) is None:
                index[key] = draft
    merged.drafts = list(drafts.values())
    return merged


def draft_of(contact_id: UUID, row: Row) -> Draft:
    """A new contact from a row."""
    return Draft(
        id=contact_id,
        first_name=row.first_name,
        last_name=row.last_name,
        company=row.company,
        title=row.title,
        stage=row.stage,
        owner_id=row.owner_id,
        emails=row.emails,
        phones=lines_of(row),
        tags=row.tags,
        custom=dict(row.custom),
    )


def put(draft: Draft, row: Row) -> bool:
    """Fill a contact from a row: given fields overwrite, addresses, numbers and tags are added. Whether anything changed."""
    changed = False
    for name in FIELDS:
        value = getattr(row, name)
        if value and value != getattr(draft, name):
            setattr(draft, name, value)
            changed = True
    if row.owner_id is not None and row.owner_id != draft.owner_id:
        draft.owner_id = row.owner_id
        changed = True
    for key, text in row.custom.items():
        if draft.custom.get(key) != text:
            draft.custom[key] = text
            changed = True
    has = {address.lower() for address, _ in draft.emails}
    for email in row.emails:
        if email[0].lower() not in has:
            draft.emails.append(email)
            changed = True
    numbers = {(phone[0], phone[1]) for phone in draft.phones}
    for phone, label in row.phones:
        if (phone.e164, phone.extension) not in numbers:
            draft.phones.append((phone.e164, phone.extension, label, phone.kind, phone.time_zones))
            changed = True
    tags = {tag.lower() for tag in draft.tags}
    for tag in row.tags:
        if tag.lower() not in tags:
            draft.tags.append(tag)
            changed = True
    return changed
