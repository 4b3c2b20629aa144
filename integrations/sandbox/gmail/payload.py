"""Messages as the API shows them: in short, raw, or taken apart."""

import base64
import binascii
import html
import re
import secrets
from collections.abc import Collection, Iterator
from email import message_from_bytes
from email.message import Message
from typing import Any, Final

from integrations.sandbox.gmail import refusals
from integrations.sandbox.gmail.mailbox import Stored
from integrations.sandbox.gmail.rfc822 import decoded, split

_DEEPEST: Final = 40
_SNIPPET: Final = 200
# What a snippet is made of; a large attachment comes after that.
_READ_FOR_SNIPPET: Final = 64 * 1024
_TAGS: Final = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_ATTACHMENT_ID: Final = re.compile(r"ANGjdJ_([0-9a-f]{16})_([0-9.]*)")


def encoded(data: bytes) -> str:
    """Return bytes as the API writes them: base64url with padding."""
    return base64.urlsafe_b64encode(data).decode()


def raw_bytes(text: object, name: str = "raw") -> bytes:
    """Return the bytes of a base64url field, padded or not. Raises Refusal."""
    try:
        plain = str(text).replace("+", "-").replace("/", "_").rstrip("=")
        return base64.b64decode((plain + "=" * (-len(plain) % 4)).encode(), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise refusals.invalid(f"Invalid value at '{name}' (TYPE_BYTES), Base64 decoding failed") from None


def short(message: Stored) -> dict[str, Any]:
    """Return what a list tells of a message."""
    return {"id": message.id, "threadId": message.thread_id}


def brief(message: Stored) -> dict[str, Any]:
    """Return what changes and sends tell of a message: whose thread, and its labels."""
    labels = {"labelIds": sorted(message.labels)} if message.labels else {}
    return short(message) | labels


def shown(message: Stored, form: str, wanted: Collection[str] = ()) -> dict[str, Any]:
    """Return a message in a format of the API; `wanted` are the headers of format `metadata` (none: all)."""
    told = brief(message) | {
        "snippet": snippet(message),
        "historyId": str(message.history_id),
        "internalDate": str(message.internal_ms),
        "sizeEstimate": len(message.raw),
    }
    if form == "raw":
        told["raw"] = encoded(message.raw)
    elif form == "metadata":
        parsed = message_from_bytes(split(message.raw)[0] + b"\r\n\r\n")
        names = {name.lower() for name in wanted}
        headers = [each for each in _headers(parsed) if not names or each["name"].lower() in names]
        told["payload"] = {"mimeType": parsed.get_content_type(), "headers": headers}
    elif form == "full":
        told["payload"] = _part(message_from_bytes(message.raw), "", 0)
    return told


def snippet(message: Stored) -> str:
    """Return the beginning of a message's text, escaped as HTML, as Gmail does it."""
    if message.snippet is None:
        parsed = message_from_bytes(message.raw[:_READ_FOR_SNIPPET])
        message.snippet = html.escape(" ".join(text_in(parsed).split())[:_SNIPPET])
    return message.snippet


def text_in(parsed: Message) -> str:
    """Return the text of a message to search and to show in short."""
    markup = ""
    for part in _leaves(parsed, 0):
        if part.get_content_type() == "text/plain" and not part.get_filename():
            return _text(part)
        if part.get_content_type() == "text/html" and not markup:
            markup = html.unescape(_TAGS.sub(" ", _text(part)))
    return markup


def attachment(message: Stored, attachment_id: str) -> bytes:
    """Return an attachment's bytes. Raises Refusal; ids of one answer hold in the next, but are not the same there."""
    found = _ATTACHMENT_ID.fullmatch(attachment_id)
    part = _find(message_from_bytes(message.raw), found.group(2)) if found else None
    if part is None:
        raise refusals.invalid("Invalid attachment token")
    return _content(part)


def _find(parsed: Message, part_id: str) -> Message | None:
    part = parsed
    for index in part_id.split(".") if part_id else ():
        inner = parts_of(part)
        if inner is None or int(index) >= len(inner):
            return None
        part = inner[int(index)]
    return part


def parts_of(part: Message) -> list[Message] | None:
    """Return the parts of a part that has some, and None for any other."""
    inner = part.get_payload()
    return [each for each in inner if isinstance(each, Message)] if isinstance(inner, list) else None


def _part(part: Message, part_id: str, depth: int) -> dict[str, Any]:
    name = decoded(part.get_filename() or "")
    told: dict[str, Any] = {
        "partId": part_id,
        "mimeType": part.get_content_type(),
        "filename": name,
        "headers": _headers(part),
        "body": {"size": 0},
    }
    inner = parts_of(part)
    if inner is not None and depth < _DEEPEST:
        prefix = f"{part_id}." if part_id else ""
        told["parts"] = [_part(each, f"{prefix}{index}", depth + 1) for index, each in enumerate(inner)]
    elif name or part.get_content_maintype() != "text":
        token = f"ANGjdJ_{secrets.token_hex(8)}_{part_id}"
        told["body"] = {"attachmentId": token, "size": len(_content(part))}
    else:
        data = _text(part).encode("utf-8", "replace")
        told["body"] = {"size": len(data), "data": encoded(data)}
    return told


def _headers(part: Message) -> list[dict[str, str]]:
    return [{"name": name, "value": _clean(decoded(value))} for name, value in part.items()]


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _leaves(part: Message, depth: int) -> Iterator[Message]:
    inner = parts_of(part)
    if inner is not None:
        if depth < _DEEPEST:
            for each in inner:
                yield from _leaves(each, depth + 1)
    else:
        yield part


def _content(part: Message) -> bytes:
    inner = part.get_payload(decode=True)
    if isinstance(inner, bytes):
        return inner
    nested = parts_of(part)
    # A message within the message; one that is nested too deep is shown as empty.
    try:
        return nested[0].as_bytes() if nested else b""
    except (RecursionError, UnicodeError, LookupError, KeyError):
        return b""


def _text(part: Message) -> str:
    data = _content(part)
    try:
        return data.decode(str(part.get_content_charset() or "utf-8"), "replace")
    except (LookupError, ValueError):
        return data.decode("utf-8", "replace")
