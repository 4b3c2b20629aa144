"""Many requests in one: https://developers.google.com/workspace/gmail/api/guides/batch"""

import secrets
from email import message_from_bytes
from email.message import Message
from http import HTTPStatus
from typing import Final

from multidict import MultiDict
from yarl import URL

from integrations.sandbox.gmail import refusals
from integrations.sandbox.gmail.api import Answer, Api, Request
from integrations.sandbox.gmail.payload import parts_of

_MOST: Final = 100


def answer_batch(api: Api, content_type: str, body: bytes, authorization: str) -> tuple[str, bytes, Answer]:
    """Do the requests one after the other: the answer's type, its body, and the worst that a fault does to it.

    Raises Refusal for what is no batch, ConnectionHangs or ConnectionDrops where a fault says so.
    """
    parsed = message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    inner = parts_of(parsed)
    if not inner:
        raise refusals.invalid("Failed to parse batch request, error: Failed in parsing batch HTTP request.")
    if len(inner) > _MOST:
        raise refusals.invalid(f"The batch request has {len(inner)} parts; at most {_MOST} are allowed.")
    boundary = f"batch_{secrets.token_urlsafe(18)}"
    answers = [(part, api.answer(_request(part, authorization))) for part in inner]
    told = b"".join(_part(boundary, part, answer) for part, answer in answers)
    fate = Answer(
        200, None, is_lost=any(each.is_lost for _, each in answers), delay_s=max((each.delay_s for _, each in answers), default=0)
    )
    return f"multipart/mixed; boundary={boundary}", told + f"--{boundary}--\r\n".encode(), fate


def _request(part: Message, authorization: str) -> Request:
    content = part.get_payload(decode=True)
    data = content if isinstance(content, bytes) else b""
    first, _, rest = data.lstrip().partition(b"\n")
    words = first.decode("latin-1").split()
    if len(words) < 2:
        raise refusals.invalid("Failed to parse batch request, error: Failed in parsing batch HTTP request.")
    url = URL(words[1], encoded=True)
    # Request lines end in LF as the client library writes them, in CRLF as others do.
    head, _, body = rest.replace(b"\r\n", b"\n").partition(b"\n\n") if b"\n" in rest else (rest, b"", b"")
    headers = message_from_bytes(head + b"\n\n")
    return Request(words[0], url.raw_path, MultiDict(url.query), headers.get("Authorization") or authorization, body)


def _part(boundary: str, part: Message, answer: Answer) -> bytes:
    data = answer.data()
    content_id = str(part.get("Content-ID", "")).replace("<", "<response-", 1)
    headers = "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
    told = (
        f"--{boundary}\r\nContent-Type: application/http\r\n"
        + (f"Content-ID: {content_id}\r\n" if content_id else "")
        + f"\r\nHTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}\r\n"
        + f"Content-Type: application/json; charset=UTF-8\r\n{headers}Content-Length: {len(data)}\r\n\r\n"
    )
    return told.encode() + data + b"\r\n"
