"""What is read out of a message, and what a message is written from.

Every string in here is clean: no NUL, no lone surrogate, no line break where a header had none. Message-IDs are kept as the
header has them, in angle brackets ("<a@example.com>"); one that is missing is "".
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

MailKind = Literal["human", "auto_reply", "out_of_office", "bounce", "complaint", "calendar", "bulk"]
InvitationMethod = Literal["REQUEST", "CANCEL", "REPLY", "COUNTER", "PUBLISH"]
AttendeeStatus = Literal["needs-action", "accepted", "declined", "tentative", "delegated"]


@dataclass(frozen=True, slots=True)
class Address:
    """A mail address with the name beside it, which may be "". `address` is as written; compare it in lower case."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part that is a file. `index` names it to `attachment(raw, index)`; `size` is that of the decoded content in bytes.

    `content_id` is without angle brackets; the html's `data-cid` says the same. `is_inline` when the html shows it.
    """

    index: int
    filename: str
    content_type: str
    size: int
    content_id: str = ""
    is_inline: bool = False


@dataclass(frozen=True, slots=True)
class Folded:
    """The body, divided: what was written now, and what is quoted from before. Both html halves are clean and whole."""

    new_text: str
    quoted_text: str
    new_html: str
    quoted_html: str


@dataclass(frozen=True, slots=True)
class Bounce:
    """A message of ours that did not arrive (RFC 3464, and what is common without it).

    `recipient` is in lower case, "" when the report hides it; `status` is an enhanced code (RFC 3463) like "5.1.1", or "".
    `original_message_id` is the Message-ID that was sent, "" when the report does not say.
    """

    recipient: str
    status: str
    permanent: bool
    original_message_id: str
    diagnostic: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Complaint:
    """Somebody called a message of ours spam (RFC 5965). `recipient` is "" where the provider hides it."""

    recipient: str
    original_message_id: str
    feedback_type: str


@dataclass(frozen=True, slots=True)
class Attendee:
    """Who is asked to a meeting, and what they say to it."""

    name: str
    address: str
    status: AttendeeStatus = "needs-action"


@dataclass(frozen=True, slots=True)
class Invitation:
    """A meeting in a message (RFC 5545, 5546). `start` and `end` are aware, midnight UTC for whole days (`end` exclusive).

    `status` is confirmed, tentative or cancelled, as the organizer says. `rrule` is the rule's text, "" for one meeting.
    """

    method: InvitationMethod
    uid: str
    sequence: int
    summary: str
    start: datetime.datetime | None
    end: datetime.datetime | None
    all_day: bool
    organizer: Address | None
    attendees: tuple[Attendee, ...]
    location: str
    description: str
    status: str
    rrule: str


@dataclass(frozen=True, slots=True)
class ParsedMessage:
    """A message as it is shown and judged.

    `text` is the plain body (made from the html where there is no other), `html` the cleaned one or "": no script, no form, no
    style that could leave its place; remote images have their address in `data-remote-src` and cid images theirs in `data-cid`,
    and no `src`. `date` is the sender's claim, aware, or None. `headers` are a few more, by lower-case name.
    `problems` says in words what was wrong with the message; reading never fails.
    """

    message_id: str
    in_reply_to: str
    references: tuple[str, ...]
    from_: Address
    sender: Address | None
    reply_to: tuple[Address, ...]
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    bcc: tuple[Address, ...]
    subject: str
    date: datetime.datetime | None
    text: str
    html: str
    has_remote_images: bool
    quoted: Folded
    attachments: tuple[Attachment, ...]
    kind: MailKind
    out_of_office_until: datetime.date | None
    bounce: Bounce | None
    complaint: Complaint | None
    invitation: Invitation | None
    list_unsubscribe: str
    headers: Mapping[str, str]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NewAttachment:
    """A file to send. With a `content_id` (no angle brackets) it is an image that the html shows as `cid:...`."""

    filename: str
    content_type: str
    content: bytes
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """What `compose_message` writes. `text` "" is made from the html, `html` "" means plain text alone.

    `message_id` is ours, in angle brackets. `headers` are further ones, such as List-Unsubscribe. `invitation` is an iCalendar
    object from `make_invitation` or `make_reply`. `bcc` is written as a header, as Gmail wants it; whoever hands the message to
    others takes it out with `without_bcc`.
    """

    message_id: str
    from_: Address
    to: tuple[Address, ...]
    subject: str
    date: datetime.datetime
    text: str = ""
    html: str = ""
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    attachments: tuple[NewAttachment, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    invitation: bytes | None = None
