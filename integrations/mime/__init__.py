"""Messages as bytes (RFC 5322 and MIME): read into values, and written from them.

`read_message` never raises and is bounded in time, whatever it is given; it does no I/O. It may take some tens of milliseconds
for a large message, so an event loop hands it to a thread.
"""

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
]
