"""What happens to mailboxes. Who gets to know is decided by who may see the mailbox (`hub.mailboxes.audience`)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from pydantic import BaseModel

from hub.events import Event, declare
from hub.mailboxes.models import Mailbox


class MailboxData(BaseModel):
    """The mailbox as it is now."""

    mailbox: Mailbox


class MailboxGone(BaseModel):
    """Which mailbox it was."""

    mailbox_id: UUID


@declare
@dataclass(frozen=True, slots=True)
class MailboxConnected(Event):
    """A mailbox was connected, or connected again."""

    type = "mailbox.connected"
    subject_kind = "mailbox"
    data_model = MailboxData
    audited = True
    audit_fields = ("mailbox.kind",)


@declare
@dataclass(frozen=True, slots=True)
class MailboxUpdated(Event):
    """Its settings or its privacy changed."""

    type = "mailbox.updated"
    subject_kind = "mailbox"
    data_model = MailboxData
    audited = True
    audit_fields = ("mailbox.visibility",)


@declare
@dataclass(frozen=True, slots=True)
class MailboxStateChanged(Event):
    """Access was revoked or mended, it was paused or resumed, it stopped sending, or its sync fails or goes on."""

    type = "mailbox.state_changed"
    subject_kind = "mailbox"
    data_model = MailboxData


@declare
@dataclass(frozen=True, slots=True)
class MailboxMeterChanged(Event):
    """It was compared with its provider, or the first sync is further."""

    type = "mailbox.meter_changed"
    subject_kind = "mailbox"
    data_model = MailboxData


@declare
@dataclass(frozen=True, slots=True)
class MailboxHidden(Event):
    """A mailbox is not to be seen any more by those who get this."""

    type = "mailbox.hidden"
    subject_kind = "mailbox"
    data_model = MailboxGone


@declare
@dataclass(frozen=True, slots=True)
class MailboxDisconnected(Event):
    """A mailbox was disconnected."""

    type = "mailbox.disconnected"
    subject_kind = "mailbox"
    data_model = MailboxData
    audited = True
