"""Taking in a recorded message: small enough to be looked at as a whole before it is kept."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from hub.errors import Invalid, TooLarge
from hub.recordings.sound import NotSound, Sound, read_sound

MAX_BYTES = 10_000_000
MAX_MS = 120_000
MIN_MS = 500
_MAX_TEXT = 1000
_FIELDS = ("name", "shared")


@dataclass(slots=True)
class Form:
    """What was sent."""

    data: bytes | None = None
    texts: dict[str, str] = field(default_factory=dict)


async def read_form(http: web.Request) -> Form:
    """The parts of the form. Raises Invalid and TooLarge in words."""
    if not http.content_type.startswith("multipart/"):
        raise Invalid.field("file", "Send the recording as multipart/form-data, in the field 'file'.")
    form = Form()
    try:
        reader = await http.multipart()
        while (part := await reader.next()) is not None:
            if isinstance(part, MultipartReader):
                raise Invalid("The form holds another form. Send the recording in the field 'file'.")
            if part.name == "file":
                if form.data is not None:
                    raise Invalid.field("file", "Send one recording at a time.")
                form.data = await _bytes(part, MAX_BYTES)
            elif part.name in _FIELDS:
                form.texts[part.name] = _text(part.name, await _bytes(part, _MAX_TEXT))
            else:
                raise Invalid.field(str(part.name), "There is no such field here.")
    except (ValueError, RuntimeError, AssertionError, HttpProcessingError) as exc:
        # What aiohttp says of a form it can't take apart.
        raise Invalid("The form could not be read. Send it as multipart/form-data with the field 'file'.") from exc
    return form


async def _bytes(part: BodyPartReader, limit: int) -> bytes:
    data = bytearray()
    while piece := await part.read_chunk(65_536):
        data += piece
        if len(data) > limit:
            if part.name == "file":
                raise TooLarge(f"The recording is larger than {limit // 1_000_000} MB.")
            raise Invalid.field(str(part.name), f"It is longer than {limit:,} bytes.")
    return bytes(data)


def _text(name: str, data: bytes) -> str:
    try:
        text = data.decode().strip()
    except UnicodeDecodeError:
        raise Invalid.field(name, "It is not UTF-8 text.") from None
    if not text.isprintable():
        raise Invalid.field(name, "It contains characters that can't be shown.")
    return text


async def check_sound(data: bytes | None) -> Sound:
    """What was recorded. Raises Invalid saying what is wrong with it."""
    if data is None:
        raise Invalid.field("file", "There is no recording in the field 'file'.")
    try:
        sound = await asyncio.to_thread(read_sound, data)
    except NotSound as exc:
        raise Invalid.field("file", str(exc)) from None
    if sound.duration_ms > MAX_MS:
        raise Invalid.field(
            "file", f"It lasts {sound.duration_ms / 1000:.0f} seconds; at most {MAX_MS // 1000} are left on a machine."
        )
    if sound.duration_ms < MIN_MS:
        raise Invalid.field("file", "It lasts less than half a second: nothing was recorded.")
    return sound


def check_name(texts: dict[str, str]) -> tuple[str, bool]:
    """The message's name, and whether it is to be everybody's. Raises Invalid."""
    name, shared = texts.get("name", ""), texts.get("shared", "false")
    if not 1 <= len(name) <= 80:
        raise Invalid.field("name", "Give the message a name of 1 to 80 characters.")
    if shared not in ("true", "false"):
        raise Invalid.field("shared", "It can be 'true' or 'false'.")
    return name, shared == "true"
