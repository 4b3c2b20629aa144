"""Uploads: a message's bytes as the body, after its metadata, or bit by bit."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any, Final

import orjson
from multidict import MultiDict
from yarl import URL

from integrations.sandbox.gmail import refusals
from integrations.sandbox.gmail.api import Answer, Api, Request

_PREFIXES: Final = ("/upload", "/resumable/upload")
_RANGE: Final = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")
_LARGEST: Final = 36_700_160


@dataclass(slots=True)
class Session:
    """An upload that comes bit by bit."""

    verb: str
    path: str
    query: MultiDict[str]
    metadata: Mapping[str, Any]
    data: bytearray = field(default_factory=bytearray)


class Uploads:
    """Takes uploads apart and gives them to the API."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._sessions: dict[str, Session] = {}

    def answer(self, verb: str, url: URL, content_type: str, content_range: str, authorization: str, body: bytes) -> Answer:
        """Take an upload or a piece of one. Raises Refusal, and what `Api.answer` raises."""
        path = next(url.raw_path.removeprefix(each) for each in _PREFIXES if url.raw_path.startswith(f"{each}/"))
        query = MultiDict(url.query)
        if "upload_id" in query:
            return self._continue(str(query["upload_id"]), content_range, authorization, body)
        kind = query.get("uploadType") or ("multipart" if content_type.startswith("multipart/related") else "media")
        if kind == "resumable":
            return self._begin(verb, url, path, query, body)
        metadata, media = _related(content_type, body) if kind == "multipart" else ({}, body)
        return self._done(Session(verb, path, query, metadata, bytearray(media)), authorization)

    def _begin(self, verb: str, url: URL, path: str, query: MultiDict[str], body: bytes) -> Answer:
        upload_id = secrets.token_urlsafe(24)
        self._sessions[upload_id] = Session(verb, path, query, orjson.loads(body) if body.strip() else {})
        return Answer(200, None, {"Location": str(url.update_query(upload_id=upload_id)), "X-GUploader-UploadID": upload_id})

    def _continue(self, upload_id: str, content_range: str, authorization: str, body: bytes) -> Answer:
        session = self._sessions.get(upload_id)
        if session is None:
            raise refusals.not_found()
        found = _RANGE.fullmatch(content_range) if content_range else None
        if found is not None and found[1] is not None and int(found[1]) != len(session.data):
            raise refusals.invalid("Failed to parse Content-Range header.")
        session.data += body
        if found is not None and (found[3] == "*" or len(session.data) < int(found[3])):
            known = {"Range": f"bytes=0-{len(session.data) - 1}"} if session.data else {}
            return Answer(308, None, known)
        del self._sessions[upload_id]
        return self._done(session, authorization)

    def _done(self, session: Session, authorization: str) -> Answer:
        if len(session.data) > _LARGEST:
            raise refusals.invalid("Media is too large.")
        request = Request(
            session.verb,
            session.path,
            session.query,
            authorization,
            media=bytes(session.data),
            metadata=session.metadata,
        )
        return self._api.answer(request)


def _related(content_type: str, body: bytes) -> tuple[Mapping[str, Any], bytes]:
    """Return the metadata and the message of a multipart/related body, byte for byte. Raises Refusal."""
    boundary = message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode()).get_boundary()
    pieces = re.split(rb"(?:^|\r?\n)--" + re.escape(str(boundary).encode()) + rb"(?:--)?[ \t]*(?:\r?\n|$)", body)
    parts = [re.split(rb"\r?\n\r?\n", piece, maxsplit=1) for piece in pieces[1:3]]
    if boundary is None or len(parts) != 2 or any(len(part) != 2 for part in parts):
        raise refusals.invalid("Failed to parse the multipart body.")
    try:
        metadata = orjson.loads(parts[0][1]) if parts[0][1].strip() else {}
    except orjson.JSONDecodeError:
        raise refusals.invalid("Invalid JSON payload received.") from None
    return metadata, parts[1][1]
