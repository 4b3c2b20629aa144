"""Mail as it goes in and out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from hub.http.paging import PageQuery
from hub.mail.values import Direction, SendSource, SendState
from integrations.mime import MailKind

ThreadView = Literal["inbox", "mine", "unassigned", "snoozed", "done", "sent", "all"]
ThreadState = Literal["open", "done", "snoozed"]


class MailPerson(BaseModel):
    """A member."""

    id: UUID
    name: str


class Claim(MailPerson):
    """Who is writing, until when unless they go on."""

    until: datetime


class MailboxOfMail(BaseModel):
    """Whose mail it is."""

    id: UUID
    address: str


class MailContact(BaseModel):
    """A contact of a thread."""

    id: UUID
    name: str


class MailAddress(BaseModel):
    """An address with the name beside it."""

    name: str = ""
    address: str


class MailThread(BaseModel):
    """A conversation in one mailbox. `participants` are the others in it; `claimed_by` is who is writing to them just now."""

    id: UUID
    mailbox: MailboxOfMail
    subject: str
    snippet: str
    last_at: datetime
    last_direction: Direction
    messages: int
    unread: int
    state: ThreadState
    private: bool
    assignee: MailPerson | None
    snoozed_until: datetime | None
    contact: MailContact | None
    participants: list[MailAddress]
    claimed_by: Claim | None


class MailThreadPage(BaseModel):
    """A page of threads."""

    data: list[MailThread]
    next_cursor: str | None


class MailAttachment(BaseModel):
    """A file of a message; images that the html shows by `data-cid` have a `content_id`."""

    index: int
    filename: str
    content_type: str
    size: int
    content_id: str | None


class SendOfMessage(BaseModel):
    """The send that a message is."""

    id: UUID
    source: SendSource
    state: SendState
    user: MailPerson | None


class MailMessage(BaseModel):
    """A message. `html` is what was written now, cleaned, and `quoted_html` what it repeats; remote images have their address in
    `data-remote-src` and images of the message itself their content id in `data-cid`. `opens` and `clicks` are people's.
    """

    id: UUID
    thread_id: UUID
    direction: Direction
    from_: Annotated[MailAddress, Field(alias="from", serialization_alias="from")]
    to: list[MailAddress]
    cc: list[MailAddress]
    subject: str
    sent_at: datetime
    received_at: datetime
    snippet: str
    new_text: str
    html: str | None
    quoted_html: str | None
    kind: MailKind
    attachments: list[MailAttachment]
    read: bool
    private: bool
    has_remote_images: bool
    has_original: bool
    send: SendOfMessage | None
    opens: int
    clicks: int


class MailThreadWithItems(MailThread):
    """A thread with its messages, oldest first; of a very long one the newest 200."""

    items: list[MailMessage]


class MailThreadFilter(PageQuery):
    """Which threads. A search (`q`) has the thread first in which the words were last written."""

    view: ThreadView = "inbox"
    mailbox_id: UUID | None = None
    contact_id: UUID | None = None
    q: Annotated[str | None, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)] = None
    unread: Annotated[bool, Field(description="Only those with something unread.")] = False


class AssigneeIn(BaseModel):
    """Who sees to a thread; null for nobody."""

    model_config = ConfigDict(extra="forbid")

    user_id: UUID | None


class SnoozeIn(BaseModel):
    """Until when a thread is out of the inbox."""

    model_config = ConfigDict(extra="forbid")

    until: datetime


class DraftFile(BaseModel):
    """A file of a draft."""

    id: UUID
    filename: str
    content_type: str
    size: int


class MailSend(BaseModel):
    """A mail on its way out. `error` says why it failed, waits, or is in doubt (`unsure`: a person has to decide)."""

    id: UUID
    state: SendState
    mailbox: MailboxOfMail
    user: MailPerson | None
    contact: MailContact | None
    thread_id: UUID | None
    reply_to_message_id: UUID | None
    subject: str
    to: list[MailAddress]
    source: SendSource
    send_at: datetime | None
    undo_until: datetime | None
    error: str | None
    created_at: datetime
    sent_at: datetime | None
    version: int


class MailSendPage(BaseModel):
    """A page of sends."""

    data: list[MailSend]
    next_cursor: str | None


class MailDraft(MailSend):
    """A mail being written, with everything in it."""

    cc: list[MailAddress]
    bcc: list[MailAddress]
    html: str
    text: str
    attachments: list[DraftFile]


class MailDraftPage(BaseModel):
    """A page of drafts."""

    data: list[MailDraft]
    next_cursor: str | None


class SendFilter(PageQuery):
    """Which of one's own sends."""

    state: Literal["scheduled", "queued", "sent", "failed", "unsure", "canceled"] | None = None
    mailbox_id: UUID | None = None


class MailAddressIn(BaseModel):
    """Somebody to write to."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""
    address: Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=320)]


_Recipients = Annotated[list[MailAddressIn], Field(max_length=100)]
_Subject = Annotated[str, StringConstraints(strip_whitespace=True, max_length=998)]
_Html = Annotated[str, StringConstraints(max_length=200_000)]


class MailDraftIn(BaseModel):
    """A mail to begin: from which mailbox, to whom, as an answer to which message.

    An answer without `to` goes to who wrote (`reply_all`: and to everybody else in it); the signature is put below unless
    `signature` is false.
    """

    model_config = ConfigDict(extra="forbid")

    mailbox_id: UUID
    to: _Recipients = []
    cc: _Recipients = []
    bcc: _Recipients = []
    subject: _Subject = ""
    html: _Html = ""
    contact_id: UUID | None = None
    reply_to_message_id: UUID | None = None
    reply_all: bool = False
    signature: bool = True


class MailDraftPatch(BaseModel):
    """What changes of a draft. `attachments` are the ids of the files to keep."""

    model_config = ConfigDict(extra="forbid")

    mailbox_id: UUID | None = None
    to: _Recipients | None = None
    cc: _Recipients | None = None
    bcc: _Recipients | None = None
    subject: _Subject | None = None
    html: _Html | None = None
    contact_id: UUID | None = None
    attachments: Annotated[list[UUID] | None, Field(max_length=50)] = None


class MailSendIn(BaseModel):
    """When to send; at once, with time to undo, when it is left out."""

    model_config = ConfigDict(extra="forbid")

    send_at: datetime | None = None


class MailFileForm(BaseModel):
    """A file for a draft."""

    file: Annotated[bytes, Field(description="The file, of 20 MB at most.")]
