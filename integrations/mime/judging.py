"""What kind of message it is. Headers are asked first (RFC 3834), words last; in doubt a message is a person's, so that no
reply is ever missed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from integrations.mime import absence, reports
from integrations.mime.bodies import Body
from integrations.mime.headers import Headers, parse_date
from integrations.mime.invitations import read_invitation
from integrations.mime.structure import Structure
from integrations.mime.values import Bounce, Complaint, Invitation, MailKind

_REPLY_PREFIX: Final = re.compile(
    r"(?:\s*(?:re|aw|antw|sv|vs|odp|rif|ref|res|réf|tr)(?:\[\d{1,3}\])?\s?:\s*){1,8}", re.IGNORECASE
)
_NO_PERSON: Final = re.compile(
    r"(?:no-?reply|do-?not-?reply|notifications?|bounces?|mailer-daemon)(?:[+._-][^@]*)?@", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Judged:
    """The kind, and what belongs to it."""

    kind: MailKind
    until: date | None = None
    bounce: Bounce | None = None
    complaint: Complaint | None = None
    invitation: Invitation | None = None
    problems: tuple[str, ...] = ()


def judge(structure: Structure, headers: Headers, body: Body, written: datetime | None) -> Judged:
    """Judge a message by its parts, its headers and what was newly written in it."""
    complaint = reports.read_complaint(structure)
    if complaint is not None:
        return Judged("complaint", complaint=complaint)
    bounce = reports.read_bounce(structure, headers, body.text)
    if bounce is not None:
        return Judged("bounce", bounce=bounce)
    problems: list[str] = []
    invitation = None
    try:
        invitation = read_invitation(structure)
    except ValueError as error:
        problems.append(str(error))
    if invitation is not None and invitation.method != "PUBLISH":
        return Judged("calendar", invitation=invitation)
    kind, until = _kind(structure, headers, body.folded.new_text or body.text, written or _arrived(headers))
    return Judged(kind, until, invitation=invitation, problems=tuple(problems))


def _kind(structure: Structure, headers: Headers, new_text: str, written: datetime | None) -> tuple[MailKind, date | None]:
    subject = _REPLY_PREFIX.sub("", headers.words("subject"), count=1).strip()
    automatic = absence.is_automatic(headers)
    if absence.is_vacation(headers) or absence.reads_as_absence(subject, new_text, automatic=automatic):
        return "out_of_office", absence.find_day(f"{subject}\n{new_text}", written)
    if automatic or reports.is_report(structure) or absence.reads_as_automatic(subject):
        return "auto_reply", None
    if _is_bulk(headers):
        return "bulk", None
    return "human", None


def _is_bulk(headers: Headers) -> bool:
    """Sent to many? A person who answers through a mailing list has its headers too, but answers something."""
    answers = bool(headers.get("in-reply-to"))
    sender = headers.addresses("from")
    nobody = bool(sender and _NO_PERSON.match(sender[0].address))
    marked = headers.get("precedence").strip().lower() in ("bulk", "list", "junk")
    listed = any(headers.get(name) for name in ("list-id", "list-unsubscribe", "feedback-id"))
    return (marked or listed or nobody) and (nobody or not answers)


def _arrived(headers: Headers) -> datetime | None:
    received = headers.get("received")
    return parse_date(received.rpartition(";")[2]) if received else None
