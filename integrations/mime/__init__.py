"""Messages as bytes (RFC 5322 and MIME): read into values, and written from them.

`read_message` never raises and is bounded in time, whatever it is given; it does no I/O. It may take some tens of milliseconds
for a large message, so an event loop hands it to a thread.
"""

from integrations.mime.composing import compose_message, recipients_of, without_bcc, wrap_thread
from integrations.mime.headers import normal_id, parse_addresses
from integrations.mime.meetings import make_invitation, make_reply
from integrations.mime.reading import attachment, read_message
from integrations.mime.values import (
    Address,
    Attachment,
    Attendee,
    Bounce,
    Complaint,
    Draft,
    Folded,
    Invitation,
    MailKind,
    NewAttachment,
    ParsedMessage,
)

__all__ = [
    "Address",
    "Attachment",
    "Attendee",
    "Bounce",
    "Complaint",
    "Draft",
    "Folded",
    "Invitation",
    "MailKind",
    "NewAttachment",
    "ParsedMessage",
    "attachment",
    "compose_message",
    "make_invitation",
    "make_reply",
    "normal_id",
    "parse_addresses",
    "read_message",
    "recipients_of",
    "without_bcc",
    "wrap_thread",
]
