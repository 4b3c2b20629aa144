"""From a `Draft` to bytes (RFC 5322, 2045 to 2047, 2231).

Written out by hand rather than by the standard library, which encodes long Message-IDs and folds inside of them: then no answer
finds its thread. The same draft always gives the same bytes, so that a repeated attempt sends what the first one would have.
Bodies are quoted-printable or base64, headers ASCII: no server on the way needs 8-bit. Lines end in CRLF.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Sequence
from email.utils import format_datetime
from typing import Final
from urllib.parse import quote

from integrations.mime.charsets import one_line, tidy
from integrations.mime.clean import clean_html
from integrations.mime.headers import Headers, normal_id, parse_addresses
from integrations.mime.values import Address, Draft, NewAttachment, ParsedMessage

_TOKEN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,75}")
_MESSAGE_ID: Final = re.compile(r"<[!-;=?-~]{1,480}@[!-;=?-~]{1,480}>")
_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,100}/[a-z0-9][a-z0-9!#$&^_.+-]{0,100}", re.IGNORECASE)
_ATOMS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_LOCAL: Final = re.compile(r"[!#$%&'*+/=?^_`{|}~.A-Za-z0-9-]{1,64}")
_LABEL: Final = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
_DOMAIN: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL}){{0,39}}\.?")
# fmt: off
_OURS: Final = frozenset(
    {
        "message-id", "date", "from", "to", "cc", "bcc", "reply-to", "subject", "in-reply-to", "references", "mime-version",
        "content-type", "content-transfer-encoding",
    }
)
# fmt: on
_LINE: Final = 76
_LONGEST_LINE: Final = 998
_KEPT_REFERENCES: Final = 30
_END_OF_HEADERS: Final = b"\r\n\r\n"


def compose_message(draft: Draft) -> bytes:
    """Write a message. Raises ValueError, with words, for an address, an id or a header that can't be one.

    Line breaks in names and subjects become spaces. `bcc` is written as a header: see `without_bcc`.
    """
    if not (draft.to or draft.cc or draft.bcc):
        raise ValueError("the message has nobody to go to")
    lines = [_field("From", _people([draft.from_]))]
    lines += [
        _field(name, _people(people))
        for name, people in (("To", draft.to), ("Cc", draft.cc), ("Bcc", draft.bcc), ("Reply-To", draft.reply_to))
        if people
    ]
    lines.append(_field("Subject", _words(one_line(draft.subject), len("Subject: "))))
    lines.append(_field("Date", format_datetime(draft.date)))
    lines.append(_field("Message-ID", _id(draft.message_id)))
    if draft.in_reply_to:
        lines.append(_field("In-Reply-To", _id(draft.in_reply_to)))
    if draft.references:
        lines.append(_field("References", "\r\n ".join(_id(each) for each in draft.references)))
    lines += [_extra(name, value) for name, value in draft.headers.items()]
    lines.append("MIME-Version: 1.0\r\n")
    return "".join(lines).encode("ascii") + _content(draft)


def wrap_thread(parent: ParsedMessage) -> tuple[str, tuple[str, ...]]:
    """In-Reply-To and References of an answer to this message (RFC 5322, 3.6.4); ("", ()) when it has no Message-ID.

    Of a very long thread the first reference and the latest ones are kept.
    """
    if not parent.message_id:
        return "", parent.references[-_KEPT_REFERENCES:]
    before = parent.references or ((parent.in_reply_to,) if parent.in_reply_to else ())
    references = tuple(dict.fromkeys([*(each for each in before if each != parent.message_id), parent.message_id]))
    if len(references) > _KEPT_REFERENCES:
        references = (references[0], *references[-(_KEPT_REFERENCES - 1) :])
    return parent.message_id, references


def without_bcc(raw: bytes) -> bytes:
    """The message as those may have it whom it goes to: without its Bcc."""
    block, end, body = raw.partition(_END_OF_HEADERS)
    kept: list[bytes] = []
    drops = False
    for line in block.split(b"\r\n"):
        if line[:1] not in (b" ", b"\t"):
            drops = line[:4].lower() == b"bcc:"
        if not drops:
            kept.append(line)
    return b"\r\n".join(kept) + end + body


def recipients_of(raw: bytes) -> list[str]:
    """Every address that a message goes to, each once: the envelope for SMTP."""
    headers = Headers(raw.partition(_END_OF_HEADERS)[0])
    found: list[str] = []
    for name in ("to", "cc", "bcc"):
        for value in headers.all(name):
            found += [each.address for each in parse_addresses(value)]
    return list(dict.fromkeys(found))


def _field(name: str, value: str) -> str:
    return f"{name}: {value}\r\n"


def _id(value: str) -> str:
    message_id = normal_id(value)
    if not _MESSAGE_ID.fullmatch(message_id):
        raise ValueError(f"{message_id or 'nothing'} is no Message-ID")
    return message_id


def _extra(name: str, value: str) -> str:
    if not _TOKEN.fullmatch(name) or name.lower() in _OURS:
        raise ValueError(f"{name[:80]} can't be a further header")
    if any(sign in value for sign in "\r\n\0"):
        raise ValueError(f"the header {name} has a line break in it")
    if value.isascii() and value.isprintable():
        # Such values are addresses and tokens: folded only where they have a space, or not at all.
        return _field(name, "\r\n ".join(_wrapped(value, len(name) + 2)))
    return _field(name, _words(one_line(value), len(name) + 2))


def _wrapped(value: str, used: int) -> list[str]:
    lines: list[str] = []
    current = ""
    for word in value.split(" "):
        if current and used + len(current) + 1 + len(word) > _LINE:
            lines.append(current)
            current, used = word, 1
        else:
            current = f"{current} {word}" if current else word
    lines.append(current)
    if any(len(line) > _LONGEST_LINE - 80 for line in lines):
        raise ValueError("a header is too long")
    return lines


def _words(text: str, used: int) -> str:
    """Words as an unstructured header has them: as they are, folded, or encoded (RFC 2047)."""
    if not text:
        return ""
    if text.isascii() and "=?" not in text and max(map(len, text.split(" "))) < 200:
        return "\r\n ".join(_wrapped(text, used))
    return "\r\n ".join(_encoded(text, used))


def _encoded(text: str, used: int) -> Iterable[str]:
    room = _LINE - used - len("=?utf-8?B??=")
    chunk = b""
    for sign in tidy(text):
        more = sign.encode("utf-8")
        if chunk and (len(chunk) + len(more) + 2) // 3 * 4 > room:
            yield f"=?utf-8?B?{base64.b64encode(chunk).decode()}?="
            chunk = b""
            room = _LINE - 1 - len("=?utf-8?B??=")
        chunk += more
    if chunk:
        yield f"=?utf-8?B?{base64.b64encode(chunk).decode()}?="


def _people(people: Sequence[Address]) -> str:
    return ",\r\n ".join(_person(each) for each in people)


def _person(person: Address) -> str:
    address = _address(person.address)
    name = re.sub(r"\s+", " ", one_line(person.name))
    if not name:
        return address
    if name.isascii() and "=?" not in name and len(name) < 60:
        if not _ATOMS.fullmatch(name):
            escaped = name.replace("\\", "\\\\").replace('"', '\\"')
            name = f'"{escaped}"'
        return f"{name} <{address}>"
    return "\r\n ".join([*_encoded(name, 10), f"<{address}>"])


def _address(address: str) -> str:
    local, _, domain = address.strip().rpartition("@")
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError as error:
            raise ValueError(f"{one_line(address)[:320]} is no mail address") from error
    if not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(domain) or len(domain) > 253:
        raise ValueError(f"{one_line(address)[:320]} is no mail address")
    return f"{local}@{domain}"


def _content(draft: Draft) -> bytes:
    html = draft.html
    text = draft.text or (clean_html(html).text if html else "")
    boundary = f"=_{hashlib.sha256(draft.message_id.encode()).hexdigest()[:32]}"
    content = _text_part("plain", text)
    views = [content]
    if html:
        shown = _text_part("html", html)
        inline = [each for each in draft.attachments if each.content_id]
        if inline:
            shown = _multipart("related", f"{boundary}r", [shown, *map(_file, inline)])
        views.append(shown)
    if draft.invitation is not None:
        views.append(_calendar_part(draft.invitation))
    if len(views) > 1:
        content = _multipart("alternative", f"{boundary}a", views)
    files = [each for each in draft.attachments if not (each.content_id and html)]
    if draft.invitation is not None:
        # Programs that know no calendar in an alternative still show a file.
        files.append(NewAttachment("invite.ics", "application/ics", draft.invitation))
    if files:
        content = _multipart("mixed", f"{boundary}m", [content, *map(_file, files)])
    return content


def _multipart(kind: str, boundary: str, parts: Sequence[bytes]) -> bytes:
    # "=_" can stand neither in quoted-printable nor in base64, so the boundary can't be in a part.
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n'.encode("ascii")
    delimiter = f"--{boundary}\r\n".encode("ascii")
    return head + b"".join(delimiter + part + b"\r\n" for part in parts) + f"--{boundary}--\r\n".encode("ascii")


def _text_part(kind: str, text: str) -> bytes:
    normal = tidy(text).replace("\r\n", "\n").replace("\r", "\n")
    if not normal.endswith("\n"):
        normal += "\n"
    packed = normal.encode("utf-8")
    odd = sum(byte > 126 for byte in packed)
    if odd * 4 > len(packed):
        return _headed(f"text/{kind}; charset=utf-8", "base64", _base64(packed.replace(b"\n", b"\r\n")))
    body = b"\r\n".join(_quoted(line) for line in packed.split(b"\n"))
    return _headed(f"text/{kind}; charset=utf-8", "quoted-printable", body)


def _quoted(line: bytes) -> bytes:
    quoted = binascii.b2a_qp(line, istext=True, header=False).replace(b"=\n", b"=\r\n")
    # A line "From ..." or "." means something to old mailboxes and to SMTP.
    if quoted.startswith(b"From "):
        return b"=46" + quoted[1:]
    return b"=2E" + quoted[1:] if quoted.startswith(b".") else quoted


def _calendar_part(content: bytes) -> bytes:
    method = re.search(rb"^METHOD:([A-Z]{1,20})\s*$", content, re.MULTILINE)
    named = f"; method={method[1].decode()}" if method else ""
    return _headed(f"text/calendar; charset=utf-8{named}", "base64", _base64(content))


def _file(file: NewAttachment) -> bytes:
    content_type = file.content_type.strip().lower()
    if not _TYPE.fullmatch(content_type) or content_type.startswith(("multipart/", "message/")):
        content_type = "application/octet-stream"
    name = one_line(file.filename).replace("/", "_").replace("\\", "_")[:150] or "file"
    disposition = "inline" if file.content_id else "attachment"
    # Those who can't read the one way of writing a name that is not ASCII can mostly read the other.
    content_type += f";\r\n {_plain_parameter('name', name)}"
    extra = f"Content-Disposition: {disposition};\r\n {_parameter('filename', name)}\r\n"
    if file.content_id:
        if not re.fullmatch(r"[!-;=?-~]{1,200}", file.content_id):
            raise ValueError("a Content-ID has a sign in it that it can't have")
        extra += f"Content-ID: <{file.content_id}>\r\n"
    return _headed(content_type, "base64", _base64(file.content), extra)


def _is_plain(value: str) -> bool:
    return re.fullmatch(r"[ !#-\[\]-~]{1,60}", value) is not None


def _plain_parameter(name: str, value: str) -> str:
    return f'{name}="{value}"' if _is_plain(value) else f'{name}="' + "\r\n ".join(_encoded(value, len(name) + 4)) + '"'


def _parameter(name: str, value: str) -> str:
    """A parameter's value (RFC 2231), in pieces where it is long."""
    if _is_plain(value):
        return f'{name}="{value}"'
    # Cut between the packed signs, never in one.
    pieces = re.findall(r"(?:%[0-9A-F]{2}|[^%]){1,50}", f"utf-8''{quote(value, safe='')}")
    if len(pieces) == 1:
        return f"{name}*={pieces[0]}"
    return ";\r\n ".join(f"{name}*{at}*={piece}" for at, piece in enumerate(pieces))


def _headed(content_type: str, encoding: str, body: bytes, extra: str = "") -> bytes:
    head = f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: {encoding}\r\n{extra}\r\n"
    return head.encode("ascii") + body


def _base64(content: bytes) -> bytes:
    return base64.encodebytes(content).replace(b"\n", b"\r\n")
