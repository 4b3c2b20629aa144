"""Meetings in messages: iCalendar objects read (RFC 5545, 5546, 6047)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from icalendar import Calendar

from integrations.mime.charsets import decode, one_line, tidy
from integrations.mime.limits import MAX_ATTENDEES, MAX_CALENDAR_BYTES
from integrations.mime.structure import Structure
from integrations.mime.values import Address, Attendee, AttendeeStatus, Invitation, InvitationMethod

_METHODS: Final[dict[str, InvitationMethod]] = {
    "REQUEST": "REQUEST",
    "CANCEL": "CANCEL",
    "REPLY": "REPLY",
    "COUNTER": "COUNTER",
    "PUBLISH": "PUBLISH",
    "ADD": "REQUEST",
}
_STATUSES: Final[dict[str, AttendeeStatus]] = {
    "ACCEPTED": "accepted",
    "DECLINED": "declined",
    "TENTATIVE": "tentative",
    "DELEGATED": "delegated",
}
# A calendar of these many components is no invitation; reading it would take seconds.
_COMPONENTS: Final = 300


def read_invitation(structure: Structure) -> Invitation | None:
    """The meeting in a message, or None. Raises ValueError, with words, when there is one that can't be read."""
    for part in structure.leaves():
        if part.content_type in ("text/calendar", "application/ics") or part.filename.lower().endswith(".ics"):
            content = part.content()[:MAX_CALENDAR_BYTES]
            if b"BEGIN:VEVENT" in content.upper():
                return parse_invitation(
                    content, method=part.parameters.get("method", ""), charset=part.parameters.get("charset", "")
                )
    return None


def parse_invitation(content: bytes, *, method: str = "", charset: str = "") -> Invitation:
    """Read an iCalendar object with a meeting in it. Raises ValueError."""
    if content.upper().count(b"BEGIN:") > _COMPONENTS:
        raise ValueError("the calendar has too many entries")
    text = decode(content, charset)[0].replace("\r\n", "\n").replace("\r", "\n")
    try:
        calendar = Calendar.from_ical(text)
        event = next((each for each in calendar.walk("VEVENT")), None)
        if event is None:
            raise ValueError("the calendar has no meeting")
        return _invitation(calendar, event, method)
    except Exception as error:  # the reader raises nearly anything for nearly anything
        raise ValueError(f"the calendar can't be read: {one_line(str(error))[:200]}") from error


def _invitation(calendar: Any, event: Any, method: str) -> Invitation:
    stated = _text(calendar.get("method")).upper() or method.strip().upper()
    start, all_day = _moment(event.get("dtstart"))
    end, _ = _moment(event.get("dtend"))
    if end is None and start is not None:
        duration = getattr(event.get("duration"), "dt", None)
        end = start + (duration if isinstance(duration, timedelta) else timedelta(days=1 if all_day else 0))
    uid = _text(event.get("uid"))[:500]
    if not uid:
        raise ValueError("the meeting has no UID")
    sequence = re.match(r"\s*(\d{1,9})", _text(event.get("sequence")))
    status = _text(event.get("status")).lower()
    rule = event.get("rrule")
    return Invitation(
        method=_METHODS.get(stated, "PUBLISH"),
        uid=uid,
        sequence=int(sequence[1]) if sequence else 0,
        summary=_text(event.get("summary"))[:500],
        start=start,
        end=end,
        all_day=all_day,
        organizer=_organizer(event.get("organizer")),
        attendees=tuple(_attendees(event.get("attendee"))),
        location=_text(event.get("location"))[:500],
        description=tidy(str(event.get("description") or ""))[:10_000],
        status="cancelled"
        if stated == "CANCEL" or status == "cancelled"
        else "tentative"
        if status == "tentative"
        else "confirmed",
        rrule=_rule(rule),
    )


def _text(value: Any) -> str:
    if isinstance(value, list):
        value = value[0] if value else ""
    return one_line(str(value)) if value is not None else ""


def _moment(value: Any) -> tuple[datetime | None, bool]:
    if isinstance(value, list):
        value = value[0] if value else None
    at = getattr(value, "dt", None)
    if isinstance(at, datetime):
        # A time without a zone is one of the reader's own (RFC 5545, 3.3.5); UTC is as good as any here.
        aware = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
        return (aware.astimezone(UTC), False) if 1970 <= at.year < 2200 else (None, False)
    if isinstance(at, date):
        return (datetime.combine(at, time(), UTC), True) if 1970 <= at.year < 2200 else (None, True)
    return None, False


def _organizer(value: Any) -> Address | None:
    if isinstance(value, list):
        value = value[0] if value else None
    address = _mail_address(value)
    return Address(_parameter(value, "CN"), address) if address else None


def _attendees(value: Any) -> list[Attendee]:
    values = value if isinstance(value, list) else [value] if value is not None else []
    found: list[Attendee] = []
    for each in values[:MAX_ATTENDEES]:
        address = _mail_address(each)
        if address:
            found.append(
                Attendee(_parameter(each, "CN"), address, _STATUSES.get(_parameter(each, "PARTSTAT").upper(), "needs-action"))
            )
    return found


def _mail_address(value: Any) -> str:
    text = _text(value)
    address = text[7:] if text.lower().startswith("mailto:") else text
    return address.strip() if "@" in address and len(address) <= 320 else ""


def _parameter(value: Any, name: str) -> str:
    parameters = getattr(value, "params", None)
    return _text(parameters.get(name)).strip('"')[:300] if parameters is not None else ""


def _rule(rule: Any) -> str:
    if isinstance(rule, list):
        rule = rule[0] if rule else None
    return one_line(rule.to_ical().decode("utf-8", "replace"))[:500] if rule is not None else ""
