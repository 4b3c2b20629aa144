"""Meetings of ours, as iCalendar objects to send (RFC 5545, 5546)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, Final, Literal

from icalendar import Calendar, Event, vCalAddress

from integrations.mime.charsets import one_line, tidy
from integrations.mime.values import Address, AttendeeStatus

_PRODUCT: Final = "-//Ringside//Meetings//EN"


def make_invitation(
    *,
    method: Literal["REQUEST", "CANCEL"],
    uid: str,
    sequence: int,
    summary: str,
    start: datetime,
    end: datetime,
    organizer: Address,
    attendees: Sequence[Address],
    now: datetime,
    location: str = "",
    description: str = "",
) -> bytes:
    """The object that asks people to a meeting, moves it (a higher `sequence`), or calls it off.

    `start`, `end` and `now` are aware. Raises ValueError for a meeting that ends before it begins or has a naive time.
    """
    if start.tzinfo is None or end.tzinfo is None or now.tzinfo is None:
        raise ValueError("the times of a meeting need a zone")
    if end < start:
        raise ValueError("the meeting ends before it begins")
    event = Event()
    event.add("uid", one_line(uid))
    event.add("sequence", sequence)
    event.add("dtstamp", now.astimezone(UTC))
    event.add("dtstart", start.astimezone(UTC))
    event.add("dtend", end.astimezone(UTC))
    event.add("summary", one_line(summary))
    if location:
        event.add("location", one_line(location))
    if description:
        event.add("description", tidy(description))
    event.add("status", "CANCELLED" if method == "CANCEL" else "CONFIRMED")
    event.add("transp", "OPAQUE")
    event.add("organizer", _person(organizer))
    for attendee in attendees:
        event.add("attendee", _person(attendee, "needs-action", asks=method == "REQUEST"))
    return _object(method, event)


def make_reply(
    *,
    uid: str,
    sequence: int,
    organizer: Address,
    attendee: Address,
    status: AttendeeStatus,
    now: datetime,
    start: datetime | date | None = None,
    summary: str = "",
) -> bytes:
    """The object with which an attendee answers an invitation. `start` is repeated from it, where it is known."""
    event = Event()
    event.add("uid", one_line(uid))
    event.add("sequence", sequence)
    event.add("dtstamp", now.astimezone(UTC))
    if start is not None:
        event.add("dtstart", start.astimezone(UTC) if isinstance(start, datetime) else start)
    if summary:
        event.add("summary", one_line(summary))
    event.add("organizer", _person(organizer))
    event.add("attendee", _person(attendee, status))
    return _object("REPLY", event)


def _object(method: str, event: Event) -> bytes:
    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", method)
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def _person(who: Address, status: AttendeeStatus | None = None, *, asks: bool = False) -> Any:
    address = one_line(who.address)
    if "@" not in address or any(sign in address for sign in ' ";,<>'):
        raise ValueError(f"{address} is no mail address")
    person = vCalAddress(f"mailto:{address}")
    name = one_line(who.name).replace('"', "'")
    if name:
        person.params["CN"] = name
    if status is not None:
        person.params["PARTSTAT"] = status.upper()
        person.params["ROLE"] = "REQ-PARTICIPANT"
        if asks:
            person.params["RSVP"] = "TRUE"
    return person
