"""What machines report of mail that we sent: that it did not arrive (RFC 3464), that it was called spam (RFC 5965)."""

from __future__ import annotations

import re
from typing import Final

from integrations.mime.charsets import decode, one_line
from integrations.mime.headers import Headers, parse_ids
from integrations.mime.structure import Part, Structure
from integrations.mime.values import Bounce, Complaint

_STATUS: Final = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_REPLY_CODE: Final = re.compile(r"(?<![\d.])([45])([0-5]\d)(?=[ \-])")
_ADDRESS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9.-]{1,190}\.[A-Za-z0-9-]{2,40}")
_DAEMON: Final = re.compile(r"(?:mailer-daemon|mail-daemon|postmaster|mdaemon|mailerdaemon)@?", re.IGNORECASE)
_FAILED: Final = re.compile(
    r"undeliver|delivery (?:status notification|has failed|failed|failure|problem)|returned (?:mail|to sender)|mail delivery|"
    r"failure notice|non remis|unzustellbar|nicht zugestellt|zustellung fehlgeschlagen|échec de la remise|no se pudo entregar|"
    r"no se ha podido entregar|onbestelbaar|mancata consegna|não foi possível entregar|undelivered|message not delivered",
    re.IGNORECASE,
)
_DELAYED: Final = re.compile(
    r"\(delay\)|delayed|will (?:be retried|retry)|warning: message still|verzögert|still being attempted", re.I
)
_GONE_WORDS: Final = re.compile(
    r"user unknown|unknown user|no such user|does not exist|doesn't exist|address rejected|invalid recipient|recipient rejected|"
    r"address not found|could not be found|couldn't be found|mailbox unavailable|account (?:is )?disabled|no mailbox here|"
    r"host not found|domain not found|unbekannt|existiert nicht|no existe|n'existe pas",
    re.IGNORECASE,
)
_FULL_WORDS: Final = re.compile(r"mailbox (?:is )?full|over quota|quota exceeded|temporar|try again|greylist|postfach voll", re.I)
_ORIGINAL_ID: Final = re.compile(r"^message-id:\s*(<[^<>\s]{1,900}>)", re.IGNORECASE | re.MULTILINE)
_BLANK: Final = re.compile(r"\n[ \t]*\n")
_REPORT_BYTES: Final = 64 * 1024
_TEXT_CHARS: Final = 20_000
_DIAGNOSTIC_CHARS: Final = 500


def read_bounce(structure: Structure, headers: Headers, text: str) -> Bounce | None:
    """The failure that a message reports, or None: also None for a report of a success or of a mere delay."""
    status_part = _find(structure, "message/delivery-status", "message/global-delivery-status")
    if status_part is not None:
        return _from_status(structure, status_part, text)
    return _from_words(structure, headers, text)


def is_report(structure: Structure) -> bool:
    """Is it a report of any kind (RFC 6522), such as a receipt or a delay?"""
    root = structure.root
    return root.content_type == "multipart/report" or _find(structure, "message/disposition-notification") is not None


def read_complaint(structure: Structure) -> Complaint | None:
    """The complaint in an abuse report, or None."""
    part = _find(structure, "message/feedback-report")
    if part is None:
        return None
    fields = Headers(_lines(part))
    original = _original(structure)
    recipients = [*fields.all("original-rcpt-to"), *fields.all("removal-recipient")]
    recipient = next((found[0].lower() for each in recipients if (found := _ADDRESS.search(each))), "")
    message_id = ""
    if original is not None:
        message_id = next(iter(parse_ids(original.get("message-id"))), "")
        if not recipient:
            to = original.addresses("to")
            recipient = to[0].address.lower() if len(to) == 1 else ""
    return Complaint(recipient, message_id, (fields.words("feedback-type") or "abuse").lower()[:40])


def _from_status(structure: Structure, part: Part, text: str) -> Bounce | None:
    # One block for the message, then one for each recipient (RFC 3464, 2.1).
    blocks = [Headers(block.encode()) for block in _BLANK.split(_lines(part).decode("utf-8", "replace"))[:100]]
    told = [block for block in blocks if block.get("final-recipient") or block.get("original-recipient") or block.get("action")]
    failed = [block for block in told if block.get("action").strip().lower().startswith("fail")]
    if not failed:
        # Some servers leave the action out or call it something else; a status of 5 is a failure in any case.
        failed = [block for block in told if not block.get("action") and block.get("status").strip()[:1] in ("4", "5")]
    if not failed:
        return None
    first = failed[0]
    told_code = first.words("diagnostic-code")
    diagnostic = re.sub(r"\s+", " ", one_line(told_code.partition(";")[2] or told_code))
    status = _status_of(first.get("status")) or _status_of(diagnostic) or _status_of(text[:_TEXT_CHARS])
    recipients = [_recipient(block) for block in failed]
    return Bounce(
        recipient=recipients[0] or _only_address(structure),
        status=status,
        permanent=_is_permanent(status, diagnostic),
        original_message_id=_original_id(structure, text),
        diagnostic=(diagnostic or one_line(text[:_DIAGNOSTIC_CHARS]))[:_DIAGNOSTIC_CHARS],
        others=tuple(each for each in recipients[1:50] if each),
    )


def _from_words(structure: Structure, headers: Headers, text: str) -> Bounce | None:
    sender = headers.addresses("from")
    subject = headers.words("subject")
    failed_header = headers.get("x-failed-recipients")
    is_daemon = bool(sender and _DAEMON.match(sender[0].address)) or headers.get("return-path").strip() == "<>"
    if not (failed_header or (is_daemon and _FAILED.search(subject)) or (is_daemon and _FAILED.search(text[:600]))):
        return None
    if headers.get("in-reply-to") and headers.get("auto-submitted").lower().startswith("auto-replied") and not is_daemon:
        return None
    looked_at = text[:_TEXT_CHARS]
    if _DELAYED.search(subject) or (_DELAYED.search(looked_at[:1500]) and not _GONE_WORDS.search(looked_at)):
        return None
    address = _ADDRESS.search(failed_header) or _ADDRESS.search(looked_at)
    status = _status_of(looked_at)
    return Bounce(
        recipient=address[0].lower() if address else _only_address(structure),
        status=status,
        permanent=_is_permanent(status, looked_at),
        original_message_id=_original_id(structure, text),
        diagnostic=_telling_line(looked_at),
    )


def _telling_line(text: str) -> str:
    lines = [one_line(line) for line in text.split("\n") if line.strip()]
    for tells in (_STATUS, _REPLY_CODE, _GONE_WORDS):
        found = next((line for line in lines if tells.search(line)), "")
        if found:
            return found[:_DIAGNOSTIC_CHARS]
    return (lines[0] if lines else "")[:_DIAGNOSTIC_CHARS]


def _status_of(text: str) -> str:
    found = _STATUS.search(text)
    if found:
        return found[0]
    code = _REPLY_CODE.search(text)
    return f"{code[1]}.0.0" if code else ""


def _is_permanent(status: str, words: str) -> bool:
    """5.x.x is permanent (RFC 3463), but a full mailbox (x.2.2) empties; without a status the words decide."""
    if status.endswith(".2.2") or (status in ("", "5.0.0") and _FULL_WORDS.search(words)):
        return False
    return status.startswith("5") if status else bool(_GONE_WORDS.search(words))


def _recipient(block: Headers) -> str:
    for name in ("original-recipient", "final-recipient"):
        found = _ADDRESS.search(block.words(name).partition(";")[2] or block.words(name))
        if found:
            return found[0].lower()
    return ""


def _find(structure: Structure, *content_types: str) -> Part | None:
    return next((part for part in structure.leaves() if part.content_type in content_types), None)


def _lines(part: Part) -> bytes:
    return part.content()[:_REPORT_BYTES].replace(b"\r\n", b"\n").strip(b"\n")


def _original(structure: Structure) -> Headers | None:
    """The headers of the message that is reported on, where they are given along."""
    for part in structure.leaves():
        if part.content_type in ("message/rfc822", "message/global", "message/partial") and part.children:
            return part.children[0].headers
        if part.content_type in ("text/rfc822-headers", "message/rfc822-headers", "message/global-headers", "message/rfc822"):
            return Headers(_lines(part))
    return None


def _original_id(structure: Structure, text: str) -> str:
    original = _original(structure)
    if original is not None:
        found = next(iter(parse_ids(original.get("message-id"))), "")
        if found:
            return found
    in_text = _ORIGINAL_ID.search(text[-_TEXT_CHARS * 2 :])
    if in_text:
        return in_text[1]
    # A server that sends nothing of the message along still threads its report to it.
    headers = structure.root.headers
    return next(iter(parse_ids(headers.get("in-reply-to"))), "") or next(iter(parse_ids(headers.get("references"))[-1:]), "")


def _only_address(structure: Structure) -> str:
    original = _original(structure)
    to = original.addresses("to") if original is not None else ()
    return to[0].address.lower() if len(to) == 1 else ""


def text_of(part: Part) -> str:
    """A part's words, for what is no body."""
    return decode(part.content()[:_REPORT_BYTES], part.parameters.get("charset", ""))[0]
