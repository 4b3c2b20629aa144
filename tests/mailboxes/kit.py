"""Mailboxes for tests."""

from __future__ import annotations

from email.message import EmailMessage
from email.utils import make_msgid
from uuid import UUID

from hub.db import Database, tenant_tx
from hub.who import Role
from tests.conftest import Company


async def mailbox_at_a_server(
    db: Database,
    company: Company,
    address: str,
    role: Role = "owner",
    *,
    visibility: str = "private",
    team_id: UUID | None = None,
) -> UUID:
    """A member's mailbox that is connected, at a server that nobody asks."""
    async with tenant_tx(db, company.who(role)) as tx:
        found: UUID = await tx.conn.fetchval(
            "INSERT INTO mailboxes (tenant_id, user_id, team_id, kind, address, address_lc, state, visibility, first_sync,"
            " connected_at, next_poll_at, next_measure_at)"
            """ VALUES ($1, $2, $3, 'imap', $4, lower($4), 'active', $5, '{"state": "done", "done": 0, "total": 0}',"""
            " now(), now() + interval '1 day', now() + interval '1 day') RETURNING id",
            company.tenant_id,
            company.members[role],
            team_id,
            address,
            visibility,
        )
        return found


def letter(subject: str, *, sender: str = "bob@client.test", to: str = "ada@example.com", text: str = "Hello.") -> bytes:
    """An ordinary message."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = to
    message["Subject"] = subject
    message["Message-ID"] = make_msgid(domain="client.test")
    message.set_content(text)
    return message.as_bytes()
