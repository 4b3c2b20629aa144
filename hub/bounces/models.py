"""Bounces and complaints as they go out."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from hub.http.paging import PageQuery


class BouncedMailbox(BaseModel):
    """The mailbox it was sent from."""

    id: UUID
    address: str


class BouncedContact(BaseModel):
    """Whom it was for."""

    id: UUID
    name: str


class MailBounce(BaseModel):
    """A mail that came back, for good (`permanent`) or for the time being, or that somebody complained about.

    `status` is an enhanced code (RFC 3463) such as 5.1.1; `diagnostic` is what the other server said.
    """

    id: UUID
    kind: Literal["bounce", "complaint"]
    address: str
    permanent: bool
    status: str
    diagnostic: str
    at: datetime
    send_id: UUID | None
    mailbox: BouncedMailbox | None
    contact: BouncedContact | None


class MailBouncePage(BaseModel):
    """A page of bounces and complaints, newest first."""

    data: list[MailBounce]
    next_cursor: str | None


class BounceFilter(PageQuery):
    """Which bounces."""

    mailbox_id: UUID | None = None
