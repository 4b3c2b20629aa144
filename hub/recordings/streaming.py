"""Answers with a stored file, whole or in part (RFC 9110, sections 13 and 14)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiohttp import web

from hub.errors import HubError, NotFound, Unavailable
from hub.http.endpoint import Reply
from integrations.errors import CircuitOpen, Rejected, Transient
from integrations.ports import ObjectStore

_ONE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


@dataclass(frozen=True, slots=True)
class StoredAudio:
    """A file in the store. `etag` changes with its bytes, which never happens: a new file is a new one."""

    key: str
    size: int
    content_type: str
    etag: str


class OutOfRange(HubError):
    """A part was asked for that the file does not have."""

    code = "out_of_range"
    status = 416

    def __init__(self, size: int) -> None:
        super().__init__(f"There is no such part: the file has {size:,} bytes.", details={"size": size})
        self._size = size

    @property
    def headers(self) -> dict[str, str]:
        """How much there is (RFC 9110, section 14.4)."""
        return {"Content-Range": f"bytes */{self._size}", "Accept-Ranges": "bytes"}


def _range(asked: str, size: int) -> tuple[int, int] | None:
    """First byte and the one after the last; None for the whole, also where the header is none of ours."""
    match = _ONE_RANGE.fullmatch(asked.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if first == "":
        start, end = max(size - int(last), 0), size
        if int(last) == 0:
            raise OutOfRange(size)
    else:
        start, end = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
    if start >= size:
        raise OutOfRange(size)
    return start, end


def _knows(header: str, etag: str) -> bool:
    return any(tag.strip().removeprefix("W/") in (etag, "*") for tag in header.split(","))


async def audio_reply(http: web.Request, store: ObjectStore | None, audio: StoredAudio) -> Reply:
    """The file, the part asked for, or the word that the asker has it already.

    Raises OutOfRange for a part beyond the end, NotFound when the store lost the file, Unavailable when there is no store
    or it does not answer.
    """
    headers = {"ETag": audio.etag, "Accept-Ranges": "bytes", "Cache-Control": "private, no-cache"}
    if _knows(http.headers.get("If-None-Match", ""), audio.etag):
        return Reply(b"", 304, headers, audio.content_type)
    part: tuple[int, int] | None = None
    # A part of another file would be glued to what the asker has of that one.
    if "Range" in http.headers and http.headers.get("If-Range", audio.etag) == audio.etag:
        part = _range(http.headers["Range"], audio.size)
    start, end = part or (0, audio.size)
    headers["Content-Length"] = str(end - start)
    if part is not None:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{audio.size}"
    status = 200 if part is None else 206
    if http.method == "HEAD":
        return Reply(b"", status, headers, audio.content_type)
    if store is None:
        raise Unavailable("No store for recordings is set up. Set RINGSIDE_OBJECTS.", retry_after_s=60)
    return Reply(await _opened(store, audio.key, start, end), status, headers, audio.content_type)


async def _opened(store: ObjectStore, key: str, start: int, end: int) -> AsyncIterator[bytes]:
    """The pieces, once the first is there: what goes wrong before it can still be said in words."""
    pieces = store.read(key, start, end)
    try:
        first = await anext(pieces, b"")
    except Rejected:
        raise NotFound("The recording's file is not in the store any more.", code="audio_missing") from None
    except (Transient, CircuitOpen):
        raise Unavailable("The store of recordings does not answer. Try again in a moment.", retry_after_s=2) from None

    async def rest() -> AsyncIterator[bytes]:
        yield first
        async for piece in pieces:
            yield piece

    return rest()
