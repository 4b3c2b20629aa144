"""Putting an export together: rows as JSON lines, a file a table, and the sound and the mail as they are.

What there is comes from the catalogue, so that a table which is added later is in it as well. Left out are the works behind the
scenes, secrets, and mail that only one person may read: an export goes to whoever may export.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from hub.db import Tx
from hub.sqlfiles import load_sql

PAGE = 1_000
_SQL = load_sql("privacy")
Place = tuple[Any, ...]

# Queues, copies, indexes, leases and the like: nothing that is not elsewhere, too.
_WORKS = re.compile(
    r"^(jobs|events|idempotency_keys|leases|letters|tenant_counters|webhook_deliveries|oauth_states|contact_search|mail_words|"
    r"presence|presence_sockets|hubs|schema_migrations|number_claims|privacy_requests|push_subscriptions|"
    r"(import_|mailbox_|canar|sso_).*)$"
)
_OPEN_THREAD = (
    "EXISTS (SELECT FROM mail_threads h JOIN mailboxes b ON b.tenant_id = h.tenant_id AND b.id = h.mailbox_id"
    " WHERE h.tenant_id = t.tenant_id AND h.id = {} AND NOT h.private AND b.visibility <> 'private')"
)
_OPEN_MESSAGE = (
    "EXISTS (SELECT FROM mail_messages m WHERE m.tenant_id = t.tenant_id AND m.id = {} AND NOT m.private"
    f" AND {_OPEN_THREAD.format('m.thread_id').replace('t.tenant_id', 'm.tenant_id')})"
)
_OPEN_SEND = (
    "EXISTS (SELECT FROM mailboxes b WHERE b.tenant_id = t.tenant_id AND b.id = t.mailbox_id AND b.visibility <> 'private')"
    f" AND (t.thread_id IS NULL OR {_OPEN_THREAD.format('t.thread_id')}) AND t.state <> 'draft'"
)
# Mail that only its mailbox's owner may read is in nobody's export.
_ONLY: dict[str, str] = {
    "mail_threads": _OPEN_THREAD.format("t.id"),
    "mail_messages": f"NOT t.private AND {_OPEN_THREAD.format('t.thread_id')}",
    "mail_message_contacts": _OPEN_MESSAGE.format("t.message_id"),
    "mail_attachments": _OPEN_MESSAGE.format("t.message_id"),
    "mail_copies": _OPEN_MESSAGE.format("t.message_id"),
    "mail_sends": _OPEN_SEND,
    "activities": f"(t.mail_message_id IS NULL OR {_OPEN_MESSAGE.format('t.mail_message_id')})",
    "meetings": "NOT t.private",
    "mail_bounces": "NOT t.private",
}
_OF_MESSAGES = (
    "EXISTS (SELECT FROM mail_message_contacts w WHERE w.tenant_id = t.tenant_id AND w.contact_id = $2 AND w.message_id = {})"
)
# What is a contact's without naming them.
_OF_CONTACT: dict[str, str] = {
    "contacts": "t.id = $2",
    "mail_messages": _OF_MESSAGES.format("t.id"),
    "mail_attachments": _OF_MESSAGES.format("t.message_id"),
}


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it goes into an export: how to page through it, and what is left out."""

    name: str
    key: tuple[str, ...]
    secrets: tuple[str, ...]
    where: str


async def tables_of(tx: Tx, subject_kind: str) -> list[Table]:
    """The tables that hold something of a contact, a member or the company."""
    found: list[Table] = []
    for row in await tx.fetch(_SQL["tables"]):
        name, columns = row["name"], set(row["columns"])
        if _WORKS.match(name):
            continue
        mine = _mine(subject_kind, name, columns)
        if mine is None:
            continue
        where = " AND ".join(f"({one})" for one in (mine, _ONLY.get(name, "")) if one)
        found.append(Table(name, tuple(row["key"]), tuple(row["secrets"]), where))
    return found


def _mine(subject_kind: str, name: str, columns: set[str]) -> str | None:
    if subject_kind == "company":
        return "$2::uuid IS NOT NULL"
    if subject_kind == "contact":
        if name in _OF_CONTACT:
            return _OF_CONTACT[name]
        return "t.contact_id = $2" if "contact_id" in columns else None
    whose = [column for column in ("user_id", "actor_id") if column in columns]
    return " OR ".join(f"t.{column} = $2" for column in whose) or None


async def rows_of(
    tx: Tx, table: Table, subject_id: UUID, after: tuple[Any, ...] | None
) -> tuple[bytes, int, tuple[Any, ...] | None]:
    """The next rows of a table as JSON lines, how many, and after which to go on; None at the end.

    The names come from the catalogue, not from anybody's request; what varies are parameters.
    """
    key = ", ".join(f't."{column}"' for column in table.key)
    beyond = ""
    args: list[Any] = [tx.who.tenant_id, subject_id, list(table.secrets)]
    if after is not None:
        beyond = f"AND ({key}) > ({', '.join(f'${n}' for n in range(4, 4 + len(after)))})"
        args.extend(after)
    sql = (
        f'SELECT (to_jsonb(t) - $3::text[])::text AS json{", " + key if key else ""} FROM "{table.name}" t'  # noqa: S608
        f" WHERE t.tenant_id = $1 AND ({table.where}) {beyond}{f' ORDER BY {key}' if key else ''} LIMIT {PAGE}"
    )
    rows = await tx.conn.fetch(sql, *args)
    lines = "".join(f"{row['json']}\n" for row in rows).encode()
    ends = not key or len(rows) < PAGE
    return lines, len(rows), None if ends else tuple(rows[-1][column] for column in table.key)


async def people(tx: Tx, subject_kind: str, subject_id: UUID) -> AsyncIterator[str]:
    """The accounts that belong to an export, as JSON: the member's own, or everybody's of the company."""
    if subject_kind == "member":
        yield str(await tx.fetchval(_SQL["person"], id=subject_id))
    elif subject_kind == "company":
        for row in await tx.fetch(_SQL["people"]):
            yield str(row["json"])


async def company_name(tx: Tx) -> str:
    """What the company is called."""
    return str(await tx.fetchval(_SQL["company_label"]))


async def files_of(tx: Tx, subject_kind: str, subject_id: UUID) -> list[tuple[str, str]]:
    """The files that belong to an export: the name in the zip, and the key in the store."""
    if subject_kind == "member":
        return []
    contact_id = subject_id if subject_kind == "contact" else None
    return [(row["name"], row["object_key"]) for row in await tx.fetch(_SQL["files_to_export"], contact_id=contact_id)]


def read_me(subject_kind: str, label: str, company: str, made_at: str) -> str:
    """What lies on top, in words."""
    whose = f"{company} as a whole" if subject_kind == "company" else f"the {subject_kind} {label}, at {company}"
    return (
        f"What Ringside keeps of {whose}, on {made_at}.\n\n"
        "data/        one file a table, one row a line, as JSON (https://jsonlines.org)\n"
        "recordings/  calls that were recorded, as WAV\n"
        "mail/        messages as they came, with all headers (RFC 5322)\n\n"
        "Times are UTC. Amounts are in the smallest unit of their currency. Left out are passwords, keys and other secrets,\n"
        "and mail that only its mailbox's owner may read.\n"
    )


def export_key(tenant_id: UUID, request_id: UUID) -> str:
    """Where an export lies in the store."""
    return f"exports/{tenant_id}/{request_id}.zip"
