"""What the features hand to mail, and what they get back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from integrations.mail import MessageRef
from integrations.mime import Address, MailKind, ParsedMessage

Direction = Literal["inbound", "outbound"]
SendSource = Literal["composer", "sequence", "meeting", "system"]
SendState = Literal["draft", "scheduled", "queued", "sending", "sent", "failed", "canceled", "unsure"]


@dataclass(frozen=True, slots=True)
class Arrived:
    """Where a message lies at its provider, and where its original lies with us (`object_key`, or None).

    `labels` are the port's: system labels and the provider's own ids. `size` is in bytes. `is_fresh` is False for what an
    old mailbox brings along at its first sync: it is stored without a word to anybody.
    """

    ref: MessageRef
    labels: frozenset[str]
    received_at: datetime
    object_key: str | None
    size: int
    is_fresh: bool = True


@dataclass(frozen=True, slots=True)
class Stored:
    """A message that is in its thread now. `is_new` is False when it was there before, and then nobody need follow it again.

    `contact_ids` are the contacts who wrote it (also found by what it answers), or whom it went to when it is outbound; the
    first is the likeliest. `in_reply_to_send_id` is the mail of ours that it answers, bounces or complains of; `send_id` is the
    one that it is, when it went out through us, and `send_source` who had it sent.
    """

    message_id: UUID
    thread_id: UUID
    is_new: bool
    direction: Direction
    kind: MailKind
    contact_ids: tuple[UUID, ...]
    parsed: ParsedMessage
    in_reply_to_send_id: UUID | None
    mailbox_id: UUID
    received_at: datetime
    is_fresh: bool = True
    user_id: UUID | None = None
    send_id: UUID | None = None
    send_source: SendSource | None = None


@dataclass(frozen=True, slots=True)
class MailFile:
    """A file in the object store that is sent along."""

    key: str
    filename: str
    content_type: str
    size: int


@dataclass(frozen=True, slots=True)
class MailOut:
    """A mail to send, once.

    `to` must not be empty; `contact_id` is who the permit is asked for (None: the contact with the first address, if there is
    one). `html` is sent as it is; `text` "" is made from it. A mail goes on in a thread by `reply_to_message_id` (a message we
    have), or by `follows_send_id` (a mail of ours: the answer goes below the last message of its thread); both None begin a
    new one. `subject` "" is then taken from there. `send_at` (of `deps.clock`) None is at once; `undo_s` holds it back for
    so many seconds. `headers` are further ones. `send_id` sets the id beforehand, for tokens in the html. `step_run_id` makes
    a second call for the same step the same mail.
    """

    mailbox_id: UUID
    to: tuple[Address, ...]
    subject: str
    html: str
    text: str = ""
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    user_id: UUID | None = None
    contact_id: UUID | None = None
    reply_to_message_id: UUID | None = None
    follows_send_id: UUID | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    attachments: tuple[MailFile, ...] = ()
    invitation: bytes | None = None
    send_at: datetime | None = None
    undo_s: float = 0.0
    source: SendSource = "system"
    step_run_id: UUID | None = None
    send_id: UUID | None = None
