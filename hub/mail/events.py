"""What happens to mail. Who hears of it follows from who may see the mailbox; what is private is its owner's alone."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from hub.events import Event, declare
from hub.mail.models import MailSend, MailThread


class MailThreadData(BaseModel):
    """The thread as it is now."""

    thread: MailThread


class MailSendData(BaseModel):
    """The mail as it stands."""

    send: MailSend


@declare
@dataclass(frozen=True, slots=True)
class MailReceived(Event):
    """A message came."""

    type = "mail.received"
    subject_kind = "mail_thread"
    data_model = MailThreadData


@declare
@dataclass(frozen=True, slots=True)
class MailSent(Event):
    """A message went out, from here or from elsewhere."""

    type = "mail.sent"
    subject_kind = "mail_thread"
    data_model = MailThreadData


@declare
@dataclass(frozen=True, slots=True)
class MailThreadUpdated(Event):
    """A thread was read, assigned, put off, done, or somebody began or stopped writing."""

    type = "mail.thread_updated"
    subject_kind = "mail_thread"
    data_model = MailThreadData


@declare
@dataclass(frozen=True, slots=True)
class MailSendChanged(Event):
    """A mail was written, queued, taken back, sent, or could not be."""

    type = "mail.send_changed"
    subject_kind = "mail_send"
    data_model = MailSendData
