"""Twilio's words in ours."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import Any, Final
from xml.sax.saxutils import escape

from integrations.ports import CallState, CallUpdate, PlaceCall, ProviderCall

# `initiated` is in callbacks only; the resource says `queued` until it rings.
# https://www.twilio.com/docs/voice/api/call-resource#call-status-values
STATES: Final[Mapping[str, CallState]] = MappingProxyType(
    {
        "queued": "dialing",
        "initiated": "dialing",
        "ringing": "ringing",
        "in-progress": "in_progress",
        "completed": "completed",
        "busy": "busy",
        "no-answer": "no_answer",
        "failed": "failed",
        "canceled": "canceled",
    }
)


def state_of(status: str) -> CallState:
    """Return our state for Twilio's status. Raises ValueError for a word that Twilio has not documented."""
    try:
        return STATES[status]
    except KeyError:
        raise ValueError(f"unknown Twilio call status {status!r}") from None


def twiml_of(call: PlaceCall) -> str:
    """Return what the contact's leg of `call` does once it is answered.

    The conference ends with its last leg's departure; nobody hears a beep when someone comes or goes.
    """
    if call.conference is None:
        return call.twiml or ""
    name = escape(call.conference)
    return f'<Response><Dial><Conference beep="false">{name}</Conference></Dial></Response>'


def provider_call(instance: Any) -> ProviderCall:
    """Return the port's value for the SDK's CallInstance. Raises ValueError when its status is unknown."""
    return ProviderCall(
        sid=instance.sid,
        status=str(instance.status),
        state=state_of(str(instance.status)),
        to=instance.to or "",
        from_=instance._from or "",
        created_at=instance.date_created,
        started_at=instance.start_time,
        ended_at=instance.end_time,
        duration_s=number(instance.duration),
        answered_by=instance.answered_by or None,
    )


def call_update(fields: Mapping[str, str]) -> CallUpdate:
    """Return the port's value for the fields of a status callback.

    Raises ValueError when the call's SID or a status that we know is missing. What is merely informative may be
    missing or unreadable. `Duration` is minutes, as billed, so it is `CallDuration`, in seconds, that counts.
    """
    sid = fields.get("CallSid", "")
    if not sid:
        raise ValueError("a status callback without CallSid")
    status = fields.get("CallStatus", "")
    return CallUpdate(
        sid=sid,
        status=status,
        state=state_of(status),
        sequence_number=number(fields.get("SequenceNumber")),
        at=moment(fields.get("Timestamp")),
        duration_s=number(fields.get("CallDuration")),
        answered_by=fields.get("AnsweredBy") or None,
        sip_code=number(fields.get("SipResponseCode")),
        raw=MappingProxyType(dict(fields)),
    )


def number(text: str | None) -> int | None:
    """Return a count that Twilio writes as text, or None when there is none."""
    return int(text) if text is not None and text.isascii() and text.isdigit() else None


def moment(text: str | None) -> datetime | None:
    """Return an RFC 2822 time in UTC, or None when there is none."""
    try:
        at = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return (at.replace(tzinfo=UTC) if at.tzinfo is None else at).astimezone(UTC)
