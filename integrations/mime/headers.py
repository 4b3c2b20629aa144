"""Header fields: from the block's bytes to names and values, and from values to words, addresses, ids and dates.

Everything here is linear in the length of what it reads: values are cut before, and no expression can run back over them.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from email.message import Message
from email.utils import collapse_rfc2231_value, parsedate_tz
from typing import Final

from integrations.mime.charsets import decode, one_line, tidy
from integrations.mime.limits import (
    MAX_ADDRESSES,
    MAX_HEADER_BLOCK_BYTES,
    MAX_HEADER_CHARS,
    MAX_HEADERS,
    MAX_ID_CHARS,
    MAX_REFERENCES,
)
from integrations.mime.values import Address

_FIELD: Final = re.compile(rb"([!-9;-~]{1,200})[ \t]{0,20}:(.*)", re.DOTALL)
_WORD: Final = re.compile(r"=\?([^?\s]{1,80})\?([bBqQ])\?([^?]{0,12000})\?=")
_ID: Final = re.compile(r"<([^<>]{1,1200})>")
_BARE_ID: Final = re.compile(r"[^\s<>,;]{1,900}@[^\s<>,;]{1,900}")
_SPACE: Final = re.compile(r"\s+")
_PARAMETERS_CHARS: Final = 4096


class Headers:
    """The fields of one header block, in their order. Names are in lower case, values unfolded and not yet decoded."""

    __slots__ = ("fields", "problems")

    def __init__(self, block: bytes) -> None:
        self.problems: list[str] = []
        self.fields: list[tuple[str, str]] = []
        if len(block) > MAX_HEADER_BLOCK_BYTES:
            block = block[:MAX_HEADER_BLOCK_BYTES]
            self.problems.append("the headers are too long, the rest was left out")
        for line in _logical_lines(block):
            found = _FIELD.match(line)
            if found is None:
                if line.strip() and not line.startswith((b"From ", b">From ")):
                    self.problems.append("a header line has no name")
                continue
            if len(self.fields) >= MAX_HEADERS:
                self.problems.append("there are too many headers, the rest was left out")
                break
            value = found[2][:MAX_HEADER_CHARS].strip()
            self.fields.append((found[1].decode("ascii").lower(), _plain(value)))

    def get(self, name: str) -> str:
        """The first value of that name, as it is written, or ""."""
        return next((value for field, value in self.fields if field == name), "")

    def all(self, name: str) -> list[str]:
        """Every value of that name."""
        return [value for field, value in self.fields if field == name]

    def words(self, name: str) -> str:
        """The first value of that name, with its encoded words (RFC 2047) decoded, on one line."""
        return one_line(decode_words(self.get(name)))

    def addresses(self, name: str) -> tuple[Address, ...]:
        """All addresses under that name."""
        return parse_addresses(", ".join(self.all(name))[:MAX_HEADER_CHARS])

    def parameters(self, name: str) -> tuple[str, dict[str, str]]:
        """The value of a structured field without its parameters, in lower case, and these (RFC 2231 taken apart)."""
        text = self.get(name)[:_PARAMETERS_CHARS]
        main = text.partition(";")[0].strip().strip('"').lower()
        if ";" not in text:
            return main, {}
        message = Message()
        message["Content-Type"] = text
        try:
            pairs = message.get_params(failobj=[], header="content-type", unquote=True) or []
            # Of two of the same name the encoded one counts (RFC 6266, 4.3), else the first.
            pairs = pairs[:0:-1]
            pairs.sort(key=lambda pair: isinstance(pair[1], tuple))
            values = {key.lower(): collapse_rfc2231_value(value) for key, value in pairs}
        except (ValueError, TypeError, LookupError, RecursionError, UnicodeError):
            self.problems.append(f"the parameters of {name} can't be read")
            return main, {}
        return main, {key: one_line(decode_words(value)) for key, value in values.items()}


def _logical_lines(block: bytes) -> Iterable[bytes]:
    current: list[bytes] = []
    for line in block.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n"):
        if line[:1] in (b" ", b"\t") and current:
            current.append(line)
            continue
        if current:
            yield b"".join(current)
        current = [line]
    if current:
        yield b"".join(current)


def _plain(value: bytes) -> str:
    try:
        return tidy(value.decode("ascii"))
    except UnicodeDecodeError:
        return decode(value)[0]


def decode_words(value: str) -> str:
    """Decode the encoded words (RFC 2047) in a value; what can't be decoded stays as it is."""
    if "=?" not in value:
        return value
    out: list[str] = []
    pending: list[bytes] = []
    pending_label = ""
    at = 0

    def flush() -> None:
        if pending:
            out.append(decode(b"".join(pending), pending_label)[0])
            pending.clear()

    for word in _WORD.finditer(value):
        between = value[at : word.start()]
        content = _word_bytes(word[2], word[3])
        label = word[1].partition("*")[0].lower()
        if content is None:
            flush()
            out.append(between + word[0])
        else:
            # White space between two words is not there; a character may be cut in two by the words' border.
            if between.strip() or not pending:
                flush()
                out.append(between)
            elif label != pending_label:
                flush()
            pending.append(content)
            pending_label = label
        at = word.end()
    flush()
    out.append(value[at:])
    return tidy("".join(out))


def _word_bytes(encoding: str, text: str) -> bytes | None:
    try:
        if encoding in "bB":
            letters = re.sub(r"[^A-Za-z0-9+/]", "", text)
            return binascii.a2b_base64(letters[: len(letters) - (len(letters) % 4 == 1)] + "=" * (-len(letters) % 4))
        return binascii.a2b_qp(text.replace(" ", "_").encode("utf-8"), header=True)
    except (binascii.Error, ValueError):
        return None


def parse_addresses(value: str) -> tuple[Address, ...]:
    """Read an address list (RFC 5322, 3.4) leniently: groups, comments, semicolons between, quoted names. No more than
    MAX_ADDRESSES; what has no "@" in it is left out, but for a name that stands alone in angle brackets."""
    found: list[Address] = []
    for item in _items(value):
        address = _address(item)
        if address is not None and address not in found[-8:]:
            found.append(address)
        if len(found) >= MAX_ADDRESSES:
            break
    return tuple(found)


def _items(value: str) -> Iterable[str]:
    start, quoted, angle, depth, at = 0, False, False, 0, 0
    while at < len(value):
        sign = value[at]
        if sign == "\\" and (quoted or depth):
            at += 1
        elif sign == '"' and not depth:
            quoted = not quoted
        elif not quoted:
            if sign == "(":
                depth += 1
            elif sign == ")" and depth:
                depth -= 1
            elif not depth:
                if sign == "<":
                    angle = True
                elif sign == ">":
                    angle = False
                elif sign in ",;" and not angle:
                    yield value[start:at]
                    start = at + 1
                elif sign == ":" and not angle and "@" not in value[start:at][-400:]:
                    start = at + 1
        at += 1
    # A quote or a bracket that never ends must not swallow the rest: it is then read without them.
    rest = value[start:]
    if (quoted or angle or depth) and "," in rest:
        yield from rest.translate({ord(sign): None for sign in '"()'}).split(",")
    else:
        yield rest


def _address(item: str) -> Address | None:
    text = item.strip()
    if not text:
        return None
    opened = text.rfind("<")
    if opened >= 0:
        closed = text.find(">", opened)
        address = text[opened + 1 : closed if closed > 0 else len(text)]
        name = text[:opened].strip() or _comment(text)
    else:
        name = _comment(text)
        address = _without_comments(text)
    address = _SPACE.sub("", decode_words(address) if "=?" in address else address).strip("'\"<>,;")
    if address.lower().startswith("mailto:"):
        address = address[7:]
    if "@" not in address or len(address) > 320:
        return None
    return Address(_name(name), one_line(address))


def _name(text: str) -> str:
    # Quotes go, what they escape stays.
    text = re.sub(r'\\(.)|"', lambda found: found[1] or "", text.strip())
    text = one_line(decode_words(text))
    if len(text) >= 2 and text[0] == text[-1] == "'":
        text = text[1:-1]
    return _SPACE.sub(" ", text).strip()[:300]


def _comment(text: str) -> str:
    opened = text.find("(")
    if opened < 0:
        return ""
    closed = text.rfind(")")
    return text[opened + 1 : closed if closed > opened else len(text)]


def _without_comments(text: str) -> str:
    out: list[str] = []
    depth = 0
    for sign in text:
        if sign == "(":
            depth += 1
        elif sign == ")" and depth:
            depth -= 1
        elif not depth:
            out.append(sign)
    return "".join(out)


def parse_ids(value: str) -> tuple[str, ...]:
    """The Message-IDs in a value, in angle brackets, each once: the first and the latest of them where they are too many."""
    found = [_SPACE.sub("", each) for each in _ID.findall(value)] or _BARE_ID.findall(value)
    ids = list(dict.fromkeys(f"<{one_line(each)}>" for each in found if each.strip() and len(each) < MAX_ID_CHARS))
    if len(ids) > MAX_REFERENCES:
        ids = [ids[0], *ids[-(MAX_REFERENCES - 1) :]]
    return tuple(ids)


def normal_id(value: str) -> str:
    """A Message-ID with its angle brackets, or "" for none."""
    inner = one_line(value).strip("<> ")
    return f"<{inner}>" if inner else ""


def parse_date(value: str) -> datetime | None:
    """A Date header as an aware datetime; None for one that can't be read or can't be true (before 1980, after 2100)."""
    try:
        parts = parsedate_tz(value[:200])
        if parts is None:
            return None
        zone = timezone(timedelta(seconds=parts[9])) if parts[9] else UTC
        at = datetime(*parts[:6], tzinfo=zone)
        return at if 1980 <= at.year < 2100 and at.astimezone(UTC) else None
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
