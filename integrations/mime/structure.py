"""The tree of a message's parts (RFC 2045, 2046).

A reader of our own, because the standard library's goes down one call for each level of nesting and asks every open level about
each line: a hostile message brings it to its knees. This one cuts at the boundaries, level by level, and stops at a depth and at
a number of parts; what lies beyond is kept as one opaque part.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from integrations.mime.headers import Headers
from integrations.mime.limits import MAX_DEPTH, MAX_FILENAME_CHARS, MAX_MESSAGE_BYTES, MAX_PARTS

_HEADERS_END: Final = re.compile(rb"\r?\n[ \t]{0,8}\r?\n|\r\r")
_FIRST_FIELD: Final = re.compile(rb"(?:>?From [^\n]{0,500}\n)?[!-9;-~]{1,200}[ \t]{0,20}:")
_TYPE: Final = re.compile(r"[a-z0-9!#$&^_.+-]{1,100}/[a-z0-9!#$&^_.+-]{1,100}")
_NOT_BASE64: Final = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))
_FILENAME_UNSAFE: Final = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|\u200e\u200f\u202a-\u202e\u2066-\u2069]+')


@dataclass(slots=True)
class Part:
    """One part: its headers, its body as transferred, and the parts within it."""

    headers: Headers
    body: bytes
    content_type: str
    parameters: dict[str, str]
    children: list[Part] = field(default_factory=list)

    @property
    def is_multipart(self) -> bool:
        """Are its parts what counts?"""
        return bool(self.children) and self.content_type.startswith("multipart/")

    @property
    def encoding(self) -> str:
        """How the body was packed for its journey."""
        return self.headers.get("content-transfer-encoding").partition(";")[0].strip().strip('"').lower()

    @property
    def disposition(self) -> str:
        """`inline`, `attachment`, or "" where the part does not say."""
        return self.headers.parameters("content-disposition")[0]

    @property
    def content_id(self) -> str:
        """Without angle brackets."""
        return self.headers.get("content-id").strip().strip("<>")[:300]

    @property
    def filename(self) -> str:
        """What the part would like to be called, made safe to be one name in one folder; "" where it does not say."""
        _, parameters = self.headers.parameters("content-disposition")
        name = parameters.get("filename") or self.parameters.get("name") or ""
        name = _FILENAME_UNSAFE.sub("_", name).strip(". ")
        if len(name) > MAX_FILENAME_CHARS:
            stem, dot, suffix = name.rpartition(".")
            name = f"{stem[: MAX_FILENAME_CHARS - 20]}{dot}{suffix[:19]}" if dot else name[:MAX_FILENAME_CHARS]
        return name

    def content(self) -> bytes:
        """The body unpacked. What is wrongly packed is unpacked as far as it goes."""
        return unpack(self.body, self.encoding)

    def size(self) -> int:
        """The length of `content()`, for base64 without unpacking it."""
        if self.encoding == "base64":
            return len(self.body.translate(None, _NOT_BASE64)) * 3 // 4
        return len(self.body) if self.encoding in ("", "7bit", "8bit", "binary") else len(self.content())


def unpack(body: bytes, encoding: str) -> bytes:
    """Undo a content transfer encoding (RFC 2045, 6)."""
    if encoding == "base64":
        # Padding ends the content: some programs put a footer of plain words behind it.
        letters = body.partition(b"=")[0].translate(None, _NOT_BASE64)
        letters = letters[: len(letters) - (len(letters) % 4 == 1)]
        return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))
    if encoding == "quoted-printable":
        return binascii.a2b_qp(body)
    if encoding in ("x-uuencode", "uuencode", "uue", "x-uue"):
        return _unpack_uu(body)
    return body


def _unpack_uu(body: bytes) -> bytes:
    out: list[bytes] = []
    for line in body.splitlines():
        if line.startswith(b"begin ") or not line.strip():
            continue
        if line.strip() == b"end":
            break
        try:
            out.append(binascii.a2b_uu(line))
        except binascii.Error:
            # Some packers forget the padding of a line's end (as in the standard library's reader).
            length = (((line[0] - 32) & 63) * 4 + 5) // 3
            try:
                out.append(binascii.a2b_uu(line[:length]))
            except binascii.Error:
                break
    return b"".join(out)


class Structure:
    """A message taken apart. `problems` collects what was wrong."""

    def __init__(self, raw: bytes) -> None:
        self.problems: list[str] = []
        self._parts = 0
        if len(raw) > MAX_MESSAGE_BYTES:
            raw = raw[:MAX_MESSAGE_BYTES]
            self.problems.append("the message is too large, the end was left out")
        self.root = self._message(raw, 0, "text/plain")

    def leaves(self) -> list[Part]:
        """Every part that has no parts, in order; messages within this one count as one leaf. The order names attachments."""
        return list(_leaves(self.root))

    def _message(self, raw: bytes, depth: int, default: str) -> Part:
        self._parts += 1
        block, body = _divide(raw)
        headers = Headers(block)
        self.problems.extend(headers.problems)
        content_type, parameters = headers.parameters("content-type")
        if not _TYPE.fullmatch(content_type):
            content_type = default if not content_type else "text/plain"
        part = Part(headers, body, content_type, parameters)
        if content_type.startswith("multipart/"):
            self._divide_parts(part, depth)
        elif content_type in ("message/rfc822", "message/global") and self._may_descend(depth):
            part.children = [self._message(part.content(), depth + 1, "text/plain")]
        return part

    def _may_descend(self, depth: int) -> bool:
        if depth < MAX_DEPTH and self._parts < MAX_PARTS:
            return True
        self.problems.append("the message is nested too deeply or has too many parts, some were not looked into")
        return False

    def _divide_parts(self, part: Part, depth: int) -> None:
        if part.encoding in ("base64", "quoted-printable"):
            # Forbidden (RFC 2045, 6.4), and done.
            part.body = part.content()
        boundary = part.parameters.get("boundary", "").encode("utf-8", "replace").rstrip()
        if not boundary:
            first = re.search(rb"(?:^|\n)--([^\s]{1,200})[ \t]*\r?\n", part.body[:20_000])
            boundary = first[1] if first else b""
            self.problems.append("a multipart has no boundary")
        default = "message/rfc822" if part.content_type == "multipart/digest" else "text/plain"
        pieces = list(_cut(part.body, boundary)) if boundary else []
        if not pieces:
            self.problems.append("a multipart has no parts, its body is read as text")
            part.content_type = "text/html" if part.body.lstrip()[:1] == b"<" else "text/plain"
            return
        for piece in pieces:
            if not self._may_descend(depth):
                break
            part.children.append(self._message(piece, depth + 1, default))
        if not part.children:
            part.content_type = "application/octet-stream"


def _leaves(part: Part) -> Iterator[Part]:
    if not part.is_multipart:
        yield part
        return
    for child in part.children:
        yield from _leaves(child)


def _divide(raw: bytes) -> tuple[bytes, bytes]:
    if raw[:1] in (b"\n", b"\r") or not _FIRST_FIELD.match(raw):
        return b"", raw.removeprefix(b"\r").removeprefix(b"\n")
    end = _HEADERS_END.search(raw)
    if end is None:
        return raw, b""
    return raw[: end.start()], raw[end.end() :]


def _cut(body: bytes, boundary: bytes) -> Iterator[bytes]:
    delimiter = b"--" + boundary
    start: int | None = None
    at = 0 if body.startswith(delimiter) else _after_break(body, delimiter, 0)
    while at >= 0:
        end = at + len(delimiter)
        line_end = body.find(b"\n", end)
        line_end = len(body) if line_end < 0 else line_end + 1
        tail = body[end : min(line_end, end + 80)].strip()
        if tail in (b"", b"--"):
            if start is not None:
                yield _without_break(body[start:at])
            start = line_end
            if tail == b"--":
                return
        at = _after_break(body, delimiter, end)
    if start is not None and start < len(body):
        yield body[start:]


def _after_break(body: bytes, delimiter: bytes, start: int) -> int:
    found = body.find(b"\n" + delimiter, max(0, start - 1))
    return found + 1 if found >= 0 else -1


def _without_break(piece: bytes) -> bytes:
    # The line break before a delimiter belongs to the delimiter.
    return piece[:-2] if piece.endswith(b"\r\n") else piece[:-1] if piece.endswith(b"\n") else piece
