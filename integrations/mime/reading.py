"""From bytes to `ParsedMessage`."""

from __future__ import annotations

import logging
from typing import Final

from integrations.mime.bodies import Body, BodyReader
from integrations.mime.charsets import one_line
from integrations.mime.headers import Headers, parse_date, parse_ids
from integrations.mime.judging import judge
from integrations.mime.limits import MAX_SUBJECT_CHARS
from integrations.mime.structure import Structure
from integrations.mime.values import Address, Folded, ParsedMessage

log = logging.getLogger(__name__)

_KEPT: Final = (
    "auto-submitted",
    "authentication-results",
    "delivered-to",
    "feedback-id",
    "importance",
    "list-id",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "precedence",
    "return-path",
    "user-agent",
    "x-auto-response-suppress",
    "x-failed-recipients",
    "x-google-original-message-id",
    "x-mailer",
    "x-priority",
    "x-ringside-id",
)
_KEPT_CHARS: Final = 1000
_NOBODY: Final = Address("", "")


def read_message(raw: bytes) -> ParsedMessage:
    """Read a message. Never raises; what can't be read is empty, and `problems` says so in words."""
    try:
        return _read(raw)
    except Exception:  # whatever a stranger sends, his message must be kept and shown as far as it goes
        log.exception("a message of %d bytes could not be read", len(raw))
        return _unreadable(raw)


def attachment(raw: bytes, index: int) -> bytes:
    """The content of the file that `Attachment.index` names; a message within comes as it is. Raises LookupError."""
    leaves = Structure(raw).leaves()
    if not 0 <= index < len(leaves):
        raise LookupError(f"there is no part {index}")
    return leaves[index].content()


def _read(raw: bytes) -> ParsedMessage:
    structure = Structure(raw)
    headers = structure.root.headers
    reader = BodyReader(structure)
    body = reader.read()
    date = parse_date(headers.get("date"))
    if date is None and headers.get("date"):
        structure.problems.append("the date can't be read")
    judged = judge(structure, headers, body, date)
    from_ = headers.addresses("from")
    sender = headers.addresses("sender")
    if not from_:
        structure.problems.append("the message does not say who sent it")
    problems = dict.fromkeys([*structure.problems, *headers.problems, *reader.problems, *judged.problems])
    return ParsedMessage(
        message_id=next(iter(parse_ids(headers.get("message-id"))), ""),
        in_reply_to=next(iter(parse_ids(headers.get("in-reply-to"))), ""),
        references=parse_ids(" ".join(headers.all("references"))),
        from_=from_[0] if from_ else (sender[0] if sender else _NOBODY),
        sender=sender[0] if sender else None,
        reply_to=headers.addresses("reply-to"),
        to=headers.addresses("to"),
        cc=headers.addresses("cc"),
        bcc=headers.addresses("bcc"),
        subject=headers.words("subject")[:MAX_SUBJECT_CHARS],
        date=date,
        text=body.text,
        html=body.html,
        has_remote_images=body.has_remote_images,
        quoted=body.folded,
        attachments=body.attachments,
        kind=judged.kind,
        out_of_office_until=judged.until,
        bounce=judged.bounce,
        complaint=judged.complaint,
        invitation=judged.invitation,
        list_unsubscribe=headers.words("list-unsubscribe")[:_KEPT_CHARS],
        headers=_kept(headers),
        problems=tuple(problems)[:20],
    )


def _kept(headers: Headers) -> dict[str, str]:
    return {name: headers.words(name)[:_KEPT_CHARS] for name in _KEPT if headers.get(name)}


def _unreadable(raw: bytes) -> ParsedMessage:
    text = one_line(raw[:4000].decode("utf-8", "replace"))
    body = Body(text, "", False, Folded(text, "", "", ""), ())
    return ParsedMessage(
        message_id="",
        in_reply_to="",
        references=(),
        from_=_NOBODY,
        sender=None,
        reply_to=(),
        to=(),
        cc=(),
        bcc=(),
        subject="",
        date=None,
        text=text,
        html="",
        has_remote_images=False,
        quoted=body.folded,
        attachments=(),
        kind="human",
        out_of_office_until=None,
        bounce=None,
        complaint=None,
        invitation=None,
        list_unsubscribe="",
        headers={},
        problems=("the message can't be read",),
    )
