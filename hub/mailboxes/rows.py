"""A mailbox as the server works with it. Its secret stays sealed until a provider is asked."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from hub.mailboxes.models import MailboxState, Visibility
from integrations.mail import MailboxKind

# States in which the provider is asked and may be asked to send.
LIVE: frozenset[MailboxState] = frozenset({"connecting", "syncing", "active", "failing"})


@dataclass(frozen=True, slots=True)
class MailboxRow:
    """A row of mailboxes. `first_sync` and `warm_up` are as the migration describes them."""

    tenant_id: UUID
    id: UUID
    user_id: UUID
    team_id: UUID | None
    kind: MailboxKind
    address: str
    display_name: str
    state: MailboxState
    visibility: Visibility
    signature_html: str
    sealed: str | None = field(repr=False)
    cursor: str | None
    sync_since: datetime
    first_sync: dict[str, Any]
    watch_until: datetime | None
    last_push_at: datetime | None
    failures: int
    behind: int | None
    oldest_behind_at: datetime | None
    measured_at: datetime | None
    error: str | None
    sync_read: bool
    sync_labels: bool
    per_hour: int
    per_day: int
    per_week: int
    min_gap_s: int
    warm_up: dict[str, Any] | None
    bounce_limit_permille: int
    stopped_reason: str | None
    created_at: datetime
    connected_at: datetime | None
    compared_at: datetime | None
    owner_gone_at: datetime | None
    version: int

    @classmethod
    def of(cls, row: asyncpg.Record) -> MailboxRow:
        """From a row of the fragment mailbox_row."""
        values = {one.name: row[one.name] for one in fields(cls)}
        values["first_sync"] = orjson.loads(row["first_sync"])
        values["warm_up"] = orjson.loads(row["warm_up"]) if row["warm_up"] else None
        return cls(**values)

    @property
    def is_live(self) -> bool:
        """Is its mail taken in?"""
        return self.state in LIVE

    @property
    def may_send(self) -> bool:
        """May mail go out through it at all? What it sends by itself has limits of its own (`stopped_reason`, the caps)."""
        return self.state in LIVE
