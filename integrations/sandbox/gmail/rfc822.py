"""Messages as bytes: their headers read and changed, the rest left as it is."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import getaddresses, parsedate_to_datetime
from typing import Final

_END: Final = re.compile(rb"\r?\n\r?\n")
_FIELD: Final = re.compile(rb"[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*(?:\r?\n)?")
_IDS: Final = re.compile(r"<[^<>\s]+>")
_REPLY_MARKS: Final = re.compile(r"^\s*(?:(?:re|fwd?|aw|wg|sv|antw|r|rif|tr|odp)\s*(?:\[\d+\])?\s*:\s*)+", re.IGNORECASE)
_parser: Final = BytesHeaderParser()


@dataclass(frozen=True, slots=True)
class Head:
    """What the headers say. Message-IDs are with their brackets, addresses in lower case, `date_ms` is None without a date."""

    subject: str
    message_id: str
    original_id: str
    references: tuple[str, ...]
    senders: tuple[str, ...]
    to: tuple[str, ...]
    cc: tuple[str, ...]
    bcc: tuple[str, ...]
    date_ms: int | None
    content_type: str
    is_automatic: bool

    @property
    def recipients(self) -> tuple[str, ...]:
        """Return everybody it is addressed to, each once."""
        return tuple(dict.fromkeys((*self.to, *self.cc, *self.bcc)))

    @property
    def topic(self) -> str:
        """Return the subject without what replies put before it: what threads go by."""
        return topic_of(self.subject)


def topic_of(subject: str) -> str:
    """Return a subject as threads compare it."""
    return " ".join(_REPLY_MARKS.sub("", subject).split()).lower()


def split(raw: bytes) -> tuple[bytes, bytes]:
    """Return the headers and the body, without the empty line between them."""
    found = _END.search(raw)
    if found is None:
        return raw, b""
    return raw[: found.start()], raw[found.end() :]


def read_head(raw: bytes) -> Head:
    """Read the headers of a message. Never raises: what is senseless is as good as missing."""
    parsed = _parser.parsebytes(split(raw)[0])
    return Head(
        subject=text_of(parsed, "Subject"),
        message_id=_first_id(parsed, "Message-ID"),
        original_id=_first_id(parsed, "X-Google-Original-Message-ID"),
        references=tuple(_IDS.findall(f"{parsed.get('References', '')} {parsed.get('In-Reply-To', '')}")),
        senders=_addresses(parsed, "From"),
        to=_addresses(parsed, "To"),
        cc=_addresses(parsed, "Cc"),
        bcc=_addresses(parsed, "Bcc"),
        date_ms=_date_ms(parsed),
        content_type=parsed.get_content_type(),
        is_automatic=str(parsed.get("Auto-Submitted", "no")).strip().lower() != "no",
    )


def header(raw: bytes, name: str) -> str:
    """Return one header, decoded; empty when it is missing."""
    return text_of(_parser.parsebytes(split(raw)[0]), name)


def text_of(parsed: Message, name: str) -> str:
    """Return a header of a parsed message with encoded words decoded, as well as it goes."""
    return decoded(parsed.get(name, ""))


def decoded(value: object) -> str:
    """Return a header's value with its encoded words decoded and its lines joined."""
    text = str(value)
    if "=?" in text:
        try:
            text = str(make_header(decode_header(text)))
        except (LookupError, ValueError, UnicodeError):
            return text
    return " ".join(text.split()) if "\n" in text else text


def with_headers(raw: bytes, add: Iterable[tuple[str, str]] = (), drop: Iterable[str] = ()) -> bytes:
    """Return the message with some headers dropped and others put before the rest."""
    head, body = split(raw)
    unwanted = tuple(f"{name}:".lower().encode() for name in drop)
    kept = [field.rstrip(b"\r\n") for field in _FIELD.findall(head) if field.strip()]
    fields = [f"{name}: {value}".encode() for name, value in add]
    fields += [field for field in kept if not (unwanted and field.lower().startswith(unwanted))]
    return b"\r\n".join(fields) + b"\r\n\r\n" + body


def _addresses(parsed: Message, name: str) -> tuple[str, ...]:
    found = getaddresses([str(value) for value in parsed.get_all(name, [])])
    return tuple(address.lower() for _, address in found if "@" in address)


def _first_id(parsed: Message, name: str) -> str:
    found = _IDS.search(str(parsed.get(name, "")))
    return found.group() if found else ""


def _date_ms(parsed: Message) -> int | None:
    try:
        return int(parsedate_to_datetime(str(parsed.get("Date", ""))).timestamp() * 1000)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
