"""Taking in an uploaded file: piece by piece into Postgres, so that any worker on any machine can import it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath, PureWindowsPath
from types import TracebackType
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import orjson
import structlog
from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from hub.db import Database, tenant_tx
from hub.errors import Invalid, TooLarge
from hub.imports import actions
from hub.imports.countries import is_region
from hub.imports.fields import FIELDS
from hub.imports.merging import Duplicates
from hub.imports.reading import HEAD_BYTES, NotCsv, Record, Shape, read_head
from hub.imports.rows import choose_fields, make_plan
from hub.who import Who

MAX_BYTES = 200_000_000
CHUNK_BYTES = 1 << 20
_PIECE = 256 * 1024
_MAX_TEXT = 200_000
_MAX_FIELDS = 50

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Head:
    """What the beginning of a file shows."""

    shape: Shape
    columns: tuple[str, ...]
    rows: list[Record]


@dataclass(slots=True)
class Form:
    """The texts of a multipart form, and what was seen of its file."""

    texts: dict[str, str] = field(default_factory=dict)
    filename: str = ""
    has_file: bool = False
    size: int = 0


async def pieces(http: web.Request, form: Form) -> AsyncIterator[bytes]:
    """The file's bytes as they come; `form` is complete when they end. Raises Invalid and TooLarge in words."""
    if not http.content_type.startswith("multipart/"):
        raise Invalid.field("file", "Send the file as multipart/form-data, in the field 'file'.")
    try:
        reader = await http.multipart()
        while (part := await reader.next()) is not None:
            if isinstance(part, MultipartReader):
                raise Invalid("The form holds another form. Send the file in the field 'file'.")
            if part.name != "file":
                if len(form.texts) >= _MAX_FIELDS or str(part.name) in form.texts:
                    raise Invalid("The form has too many fields, or one of them twice.")
                form.texts[str(part.name)] = await _text(part)
                continue
            if form.has_file:
                raise Invalid.field("file", "Send one file at a time.")
            form.has_file = True
            form.filename = clean_name(part.filename)
            while piece := await part.read_chunk(_PIECE):
                form.size += len(piece)
                if form.size > MAX_BYTES:
                    raise TooLarge(
                        f"The file is larger than {MAX_BYTES // 1_000_000} MB. Split it and import the parts one after the other."
                    )
                yield bytes(piece)
    except (ValueError, RuntimeError, AssertionError, HttpProcessingError) as exc:
        # What aiohttp says of a form it can't take apart.
        raise Invalid("The form could not be read. Send it as multipart/form-data with the file in the field 'file'.") from exc
    if not form.has_file:
        raise Invalid.field("file", "There is no file in the field 'file'.")


async def _text(part: BodyPartReader) -> str:
    name, data = str(part.name), b""
    while piece := await part.read_chunk(_PIECE):
        data += piece
        if len(data) > _MAX_TEXT:
            raise Invalid.field(name, f"It is longer than {_MAX_TEXT:,} bytes.")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Invalid.field(name, "It is not UTF-8 text.") from None


def clean_name(name: str | None) -> str:
    """A file's name without its folders and without what can't be shown."""
    # Some clients percent-encode it (RFC 7578, section 4.2).
    last = PureWindowsPath(PurePath(unquote(name or "")).name).name
    return "".join(c for c in last if c.isprintable())[:200].strip() or "contacts.csv"


async def look_at(head: bytes, *, whole: bool) -> Head:
    """What the beginning of a file shows. Raises Invalid when it is nothing we can import."""
    try:
        shape, columns, rows = await asyncio.to_thread(read_head, head, final=whole)
    except NotCsv as exc:
        raise Invalid.field("file", str(exc)) from None
    if whole and not rows:
        raise Invalid.field("file", "The file has a header but no rows.")
    # The last row of a part of a file is cut somewhere.
    return Head(shape, columns, rows if whole or len(rows) < 2 else rows[:-1])


@dataclass(frozen=True, slots=True)
class Choices:
    """What the form asks for, checked against the file."""

    duplicates: Duplicates
    region: str
    mapping: dict[str, str | None]


def read_choices(texts: Mapping[str, str], columns: tuple[str, ...]) -> Choices:
    """What the form asks for. Raises Invalid naming the field that is wrong."""
    duplicates = texts.get("duplicates") or "update"
    if duplicates not in ("update", "skip"):
        raise Invalid.field("duplicates", "It can be 'update' or 'skip'.")
    region = (texts.get("default_region") or "US").strip().upper()
    if not is_region(region):
        raise Invalid.field("default_region", "It should be the ISO 3166 code of a country, such as US, GB or DE.")
    mapping = read_mapping(texts.get("mapping", ""), columns)
    fields = choose_fields(columns, mapping)
    if not make_plan(columns, fields, region, {}).can_find_anyone:
        shown = ", ".join(columns[:20])
        raise Invalid.field(
            "mapping" if mapping else "file",
            "No column is known to hold telephone numbers or email addresses, so no row could be imported. "
            f"The first line of the file should name the columns; it says: {shown}. Map the right one to 'phone' or 'email'.",
        )
    return Choices("skip" if duplicates == "skip" else "update", region, mapping)


def read_mapping(text: str, columns: tuple[str, ...]) -> dict[str, str | None]:
    """The columns' fields that were asked for. Raises Invalid for what is no such mapping."""
    if not text.strip():
        return {}
    try:
        given: Any = orjson.loads(text)
    except orjson.JSONDecodeError:
        given = None
    if not isinstance(given, dict):
        raise Invalid.field("mapping", 'It should be JSON like {"Column": "first_name", "Another": null}.')
    for column, name in given.items():
        if column not in columns:
            raise Invalid.field("mapping", f"The file has no column {column[:100]!r}. It has: {', '.join(columns[:50])}.")
        if name is not None and (not isinstance(name, str) or name not in FIELDS):
            raise Invalid.field("mapping", f"{str(name)[:100]!r} is no field. There are: {', '.join(FIELDS)}.")
    return given


class Upload:
    """A file on its way into Postgres. Leaving without `queue` forgets it."""

    def __init__(self, db: Database, who: Who) -> None:
        self._db = db
        self._who = who
        self._id: UUID | None = None
        self._head = bytearray()
        self._rest = bytearray()
        self._position = 0
        self._filename = ""
        self._seen: Head | None = None
        self._queued = False

    async def __aenter__(self) -> Upload:
        return self

    async def add(self, piece: bytes, filename: str) -> None:
        """The next bytes. Raises Invalid as soon as they show that this is no CSV."""
        self._filename = filename
        self._rest += piece
        if self._seen is None:
            self._head += piece
            if len(self._head) < HEAD_BYTES:
                return
            self._seen = await look_at(bytes(self._head[:HEAD_BYTES]), whole=False)
        while len(self._rest) >= CHUNK_BYTES:
            await self._send(bytes(self._rest[:CHUNK_BYTES]))
            del self._rest[:CHUNK_BYTES]

    async def _send(self, chunk: bytes) -> None:
        async with tenant_tx(self._db, self._who) as tx:
            import_id = self._id or await actions.begin_upload(tx, self._filename)
            await actions.add_chunk(tx, import_id, self._position, chunk)
        self._id = import_id
        self._position += 1

    async def queue(self, texts: Mapping[str, str]) -> UUID:
        """The file is whole: check what is asked for, and leave it to a worker. The import's id."""
        seen = self._seen or await look_at(bytes(self._head), whole=True)
        choices = read_choices(texts, seen.columns)
        async with tenant_tx(self._db, self._who) as tx:
            import_id = self._id or await actions.begin_upload(tx, self._filename)
            if self._rest:
                await actions.add_chunk(tx, import_id, self._position, bytes(self._rest))
            await actions.queue_import(
                tx, import_id, duplicates=choices.duplicates, region=choices.region, mapping=choices.mapping
            )
        self._queued = True
        return import_id

    async def __aexit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        if self._id is not None and not self._queued:
            await asyncio.shield(self._forget(self._id))

    async def _forget(self, import_id: UUID) -> None:
        try:
            async with tenant_tx(self._db, self._who) as tx:
                await actions.forget_upload(tx, import_id)
        except Exception as exc:
            # The sweep takes it.
            _log.warning("an upload that came to nothing could not be deleted", error=str(exc) or repr(exc))
