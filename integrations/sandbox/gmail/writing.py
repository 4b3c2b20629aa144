"""Messages written for a test out of their parts."""

import base64
import secrets
from email.message import EmailMessage
from typing import Any


def compose(parts: dict[str, Any], receiver: str, date: str) -> bytes:
    """Return a message out of `{"from", "to", "cc", "subject", "text", "html", "in_reply_to", "references", "headers"}`.

    All of them can be left out. `attachments` are `{"filename", "content_type", "data"}` with base64, `headers` come last
    and stand in for what would be there.
    """
    message = EmailMessage()
    sender = str(parts.get("from") or "Somebody <somebody@example.com>")
    headers = {
        "From": sender,
        "To": str(parts.get("to") or receiver),
        "Cc": str(parts.get("cc") or ""),
        "Subject": str(parts.get("subject") or "Hello"),
        "Date": str(parts.get("date") or date),
        "Message-ID": str(parts.get("message_id") or f"<{secrets.token_hex(16)}@{sender.rpartition('@')[2].rstrip('>')}>"),
        "In-Reply-To": str(parts.get("in_reply_to") or ""),
        "References": str(parts.get("references") or parts.get("in_reply_to") or ""),
    }
    for name, value in (headers | dict(parts.get("headers") or {})).items():
        if value:
            message[name] = str(value)
    message.set_content(str(parts.get("text") or "Hello\n"))
    if parts.get("html"):
        message.add_alternative(str(parts["html"]), subtype="html")
    for each in parts.get("attachments") or ():
        kind, _, subtype = str(each.get("content_type") or "application/octet-stream").partition("/")
        message.add_attachment(
            base64.b64decode(each.get("data") or ""), maintype=kind, subtype=subtype, filename=each.get("filename")
        )
    return message.as_bytes()
