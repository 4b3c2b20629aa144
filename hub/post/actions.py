"""Ringside's own letters: written with the change that asks for them, delivered by a worker or kept in the local outbox."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import orjson

from hub.db import Database, Tx, tenant_tx
from hub.errors import Conflict, NotFound
from hub.permissions import effective, permissions_of
from hub.post.events import LetterChanged
from hub.post.models import LetterState
from hub.post.writing import write
from hub.sealing import Seals, Unsealable
from hub.sqlfiles import load_sql
from hub.who import Who

_SQL = load_sql("post")

NOBODY = UUID(int=0)
MAX_ATTEMPTS = 14
_FIRST_PAUSE_S = 10.0
_LONGEST_PAUSE_S = 3600.0
_LONGEST_ERROR = 500
_KIND = "letter"


@dataclass(frozen=True, slots=True)
class DueLetter:
    """A letter that somebody has claimed, to be handed over."""

    tenant_id: UUID
    id: UUID
    template: str
    to: str
    subject: str
    text: str
    html: str
    attempt: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class KeptLetter:
    """A letter of the local outbox that belongs to no company."""

    id: UUID
    template: str
    to: str
    subject: str
    text: str
    html: str
    created_at: datetime


async def post(
    db_or_tx: Database | Tx,
    *,
    to: str,
    template: str,
    values: Mapping[str, Any],
    tenant_id: UUID | None = None,
    key: str | None = None,
) -> UUID | None:
    """Write a letter, to be sent soon; its id. None when `key` was used before for the company: it was written already.

    With a transaction the letter belongs to its company and is written if and when that commits. With the database it is written
    at once, for `tenant_id` or, where there is no company yet or it concerns a person's account, for none. Only admins of its
    company see a letter in the console; those of none, nobody does. `values` fill in hub/post/templates/<template>.txt.liquid;
    see hub.post.writing for what may be in them. Raises UnwritableLetter, a fault of the caller.
    """
    written = write(template, values)
    letter_id = uuid4()
    company = db_or_tx.who.tenant_id if isinstance(db_or_tx, Tx) else tenant_id or NOBODY
    content = orjson.dumps({"text": written.text, "html": written.html}).decode()
    seals = db_or_tx.seals
    if seals is not None:
        content = seals.seal(content, tenant_id=company, kind=_KIND, row_id=letter_id)
    row = {
        "id": letter_id,
        "template": template,
        "to_address": to,
        "subject": written.subject,
        "content": content,
        "key": key,
    }
    if isinstance(db_or_tx, Tx):
        made: UUID | None = await db_or_tx.fetchval(_SQL["insert_letter"], **row)
        if made is not None:
            db_or_tx.emit(LetterChanged.of(made, "waiting"))
        return made
    answer = await db_or_tx.system_fetchrow(_SQL["post_letter"], tenant=company, **row)
    return answer["id"] if answer else None


async def post_test(tx: Tx, link: str) -> str:
    """Write a letter to whoever asks for it, to see whether letters arrive; its JSON."""
    row = await tx.fetchrow(_SQL["test_values"])
    assert row is not None  # a token always names a member
    values = {"company": row["company"], "by": row["name"], "link": link}
    letter_id = await post(tx, to=row["email"], template="test", values=values)
    assert letter_id is not None  # it has no key
    text, _, _ = await read_letter(tx, letter_id)
    return text


async def claim(db: Database, *, limit: int, lease_s: int) -> list[DueLetter]:
    """Take letters that are due, for so many seconds. One that can't be opened any more is given up."""
    found: list[DueLetter] = []
    for row in await db.system_fetch(_SQL["claim_letters"], limit=limit, lease_s=lease_s):
        try:
            content = _opened(db.seals, row["content"], row["tenant_id"], row["id"])
        except Unsealable as problem:
            await settle(db, row["tenant_id"], row["id"], row["attempts"], "failed", str(problem))
            continue
        found.append(
            DueLetter(
                row["tenant_id"],
                row["id"],
                row["template"],
                row["to_address"],
                row["subject"],
                content["text"],
                content["html"],
                row["attempts"],
                row["created_at"],
            )
        )
    return found


async def settle(
    db: Database,
    tenant_id: UUID,
    letter_id: UUID,
    attempt: int,
    state: LetterState,
    error: str | None = None,
    *,
    delay_s: float = 0.0,
    then: Callable[[Tx], Awaitable[None]] | None = None,
) -> None:
    """Note what became of an attempt: it was sent or kept, is given up, or `waiting` for the next in `delay_s` seconds.

    `then` is what a company's letter brings about in the same transaction, unless somebody else has settled it before.
    """
    said = {
        "tenant": tenant_id,
        "id": letter_id,
        "attempt": attempt,
        "state": state,
        "error": error.replace("\x00", "")[:_LONGEST_ERROR] if error else None,
        "delay_s": delay_s,
    }
    if tenant_id == NOBODY:
        await db.system_fetch(_SQL["settle_letter"], **said)
        return
    async with tenant_tx(db, Who.system(tenant_id)) as tx:
        if await tx.fetchval(_SQL["settle_letter"], **said) and state != "waiting":
            tx.emit(LetterChanged.of(letter_id, state))
            if then is not None:
                await then(tx)


async def admins(tx: Tx) -> list[UUID]:
    """Who sees to the company's letters."""
    return [row["user_id"] for row in await tx.fetch(_SQL["admins"])]


def pause_s(attempt: int) -> float:
    """How long to wait after this attempt (from 1): twice as long each time, up to an hour, a little at random."""
    whole = min(_FIRST_PAUSE_S * 2.0 ** min(attempt - 1, 20), _LONGEST_PAUSE_S)
    return whole * (0.75 + secrets.randbelow(1000) / 4000)


async def try_again(tx: Tx, letter_id: UUID) -> str:
    """Give a letter that was given up all its attempts again; its JSON. Raises NotFound, and Conflict for any other."""
    text: str | None = await tx.fetchval(_SQL["retry_letter"], id=letter_id)
    if text is None:
        if await tx.fetchrow(_SQL["get_letter"], id=letter_id) is None:
            raise missing()
        raise Conflict("Only a letter that was given up can be tried again.", code="letter_not_failed")
    tx.emit(LetterChanged.of(letter_id, "waiting"))
    return text


async def read_letter(tx: Tx, letter_id: UUID) -> tuple[str, str | None, str | None]:
    """A letter's JSON, and its text and HTML where it lies in the local outbox. Raises NotFound.

    Of an invitation as what reaches farther than who reads only the JSON: its link lets in whoever follows it.
    """
    row = await tx.fetchrow(_SQL["get_letter"], id=letter_id)
    if row is None:
        raise missing()
    if row["content"] is None or not await _may_follow(tx, row["template"], row["to_address"]):
        return row["json"], None, None
    try:
        content = _opened(tx.seals, row["content"], tx.who.tenant_id, letter_id)
    except Unsealable:
        return row["json"], None, None
    return row["json"], content["text"], content["html"]


async def letters_of_nobody(db: Database, limit: int = 100) -> list[KeptLetter]:
    """The newest letters that belong to no company and did not go out, for the page that `ringside up` names."""
    found: list[KeptLetter] = []
    for row in await db.system_fetch(_SQL["letters_of_nobody"], limit=limit):
        if row["content"] is None:
            continue
        try:
            content = _opened(db.seals, row["content"], NOBODY, row["id"])
        except Unsealable:
            continue
        found.append(
            KeptLetter(
                row["id"], row["template"], row["to_address"], row["subject"], content["text"], content["html"], row["created_at"]
            )
        )
    return found


async def erase_letters(tx: Tx, words: Sequence[str]) -> None:
    """Delete the letters to an erased person or about one, by their addresses and names."""
    # A word of a letter or two stands in every subject.
    await tx.execute(_SQL["erase_letters"], words=[word for word in words if len(word) > 2])


async def forget_old(db: Database) -> None:
    """Delete letters of more than a month ago."""
    await db.system_fetch(_SQL["letters_forget"])


async def _may_follow(tx: Tx, template: str, to: str) -> bool:
    if template != "invite":
        return True
    own = permissions_of(tx.who)
    rows = await tx.fetch(_SQL["invited_as"], email_lc=to.lower())
    return all(effective(row["role"], row["permissions"]) <= own for row in rows)


def missing() -> NotFound:
    """The error for a letter that is not there, or another company's."""
    return NotFound("There is no such letter.", code="letter_not_found")


def _opened(seals: Seals | None, content: str | None, tenant_id: UUID, letter_id: UUID) -> dict[str, str]:
    if content is None:
        raise Unsealable("The letter's text is gone.")
    if not content.startswith("{"):
        if seals is None:
            raise Unsealable("There are no keys to open it with.")
        content = seals.open(content, tenant_id=tenant_id, kind=_KIND, row_id=letter_id)
    opened: dict[str, str] = orjson.loads(content)
    return opened
