"""Files of mail: taken in for a draft, handed out with headers that let no browser run them."""

from __future__ import annotations

import asyncio
import mimetypes
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import quote

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from hub.errors import Invalid, NotFound, TooLarge, Unavailable
from hub.http.endpoint import Reply
from hub.mail.composing import MAX_FILES_BYTES
from integrations.errors import CircuitOpen, Rejected, Transient
from integrations.mime import attachment
from integrations.ports import ObjectStore

_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\\"\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,60}")
BINARY = "application/octet-stream"
ORIGINAL = "message/rfc822"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was sent."""

    filename: str
    content_type: str
    content: bytes


def safe_name(name: str, otherwise: str = "file") -> str:
    """A file name without what would lead somewhere else or hide what it is."""
    plain = _UNSAFE.sub("_", name).strip(" .")[:150]
    return plain or otherwise


async def read_upload(http: web.Request) -> Upload:
    """The file of a form, in the field `file`. Raises Invalid and TooLarge in words."""
    if not http.content_type.startswith("multipart/"):
        raise Invalid.field("file", "Send the file as multipart/form-data, in the field 'file'.")
    found: Upload | None = None
    try:
        reader = await http.multipart()
        while (part := await reader.next()) is not None:
            if isinstance(part, MultipartReader) or part.name != "file":
                raise Invalid.field("file", "Send the file in the field 'file', and nothing else.")
            if found is not None:
                raise Invalid.field("file", "Send one file at a time.")
            found = await _read(part)
    except (ValueError, RuntimeError, AssertionError, HttpProcessingError) as exc:
        # What aiohttp says of a form it can't take apart.
        raise Invalid("The form could not be read. Send it as multipart/form-data with the field 'file'.") from exc
    if found is None:
        raise Invalid.field("file", "There is no file in the field 'file'.")
    return found


async def _read(part: BodyPartReader) -> Upload:
    name = safe_name(part.filename or "")
    data = bytearray()
    while piece := await part.read_chunk(65_536):
        data += piece
        if len(data) > MAX_FILES_BYTES:
            raise TooLarge(f"The file is larger than {MAX_FILES_BYTES // 1_000_000} MB.")
    said = part.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    kind = said if _TYPE.fullmatch(said) and not said.startswith(("multipart/", "message/")) else None
    return Upload(name, kind or mimetypes.guess_type(name)[0] or BINARY, bytes(data))


async def read_object(store: ObjectStore | None, key: str | None) -> bytes:
    """A file of the store. Raises NotFound when it is not there, Unavailable when the store is not."""
    if key is None:
        raise NotFound("The original of this message was not kept.", code="original_missing")
    if store is None:
        raise Unavailable("No store for files is set up. Set RINGSIDE_OBJECTS.", retry_after_s=60)
    try:
        return b"".join([piece async for piece in store.read(key)])
    except Rejected:
        raise NotFound("The original of this message is not in the store any more.", code="original_missing") from None
    except (Transient, CircuitOpen):
        raise Unavailable("The store of files does not answer. Try again in a moment.", retry_after_s=2) from None


async def keep_object(store: ObjectStore | None, key: str, content: bytes, content_type: str) -> None:
    """Put a file into the store. Raises Unavailable."""
    if store is None:
        raise Unavailable("No store for files is set up. Set RINGSIDE_OBJECTS.", retry_after_s=60)

    async def whole() -> AsyncIterator[bytes]:
        yield content

    try:
        await store.put(key, whole(), content_type)
    except (Transient, Rejected, CircuitOpen):
        raise Unavailable("The store of files does not answer. Try again in a moment.", retry_after_s=2) from None


async def part_of(raw: bytes, index: int) -> bytes:
    """The content of a message's file. Raises NotFound."""
    try:
        return await asyncio.to_thread(attachment, raw, index)
    except (IndexError, KeyError, ValueError):
        raise NotFound("This message has no such file.", code="attachment_not_found") from None


def download(content: bytes, filename: str, content_type: str = BINARY) -> Reply:
    """The answer that makes a browser save a file rather than show it, whatever is in it (RFC 6266)."""
    name = safe_name(filename)
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    headers = {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-cache",
    }
    return Reply(content, 200, headers, content_type)
