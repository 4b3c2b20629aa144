"""Twilio's words in ours."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import Any, Final

from integrations.ports import CallState, CallUpdate, MessageState, OwnedNumber, Participant, ProviderCall, ProviderMessage
from integrations.twilio.words import message_error

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

# A participant has words of its own for the state of its call.
PARTICIPANT_STATES: Final[Mapping[str, CallState]] = MappingProxyType(
    {
        "queued": "dialing",
        "connecting": "dialing",
        "ringing": "ringing",
        "connected": "in_progress",
        "complete": "completed",
        "failed": "failed",
    }
)
# https://www.twilio.com/docs/messaging/api/message-resource#message-status-values
MESSAGE_STATES: Final[Mapping[str, MessageState]] = MappingProxyType(
    {
        "accepted": "queued",
        "scheduled": "queued",
        "queued": "queued",
        "sending": "queued",
        "sent": "sent",
        "delivered": "delivered",
        "partially_delivered": "delivered",
        "read": "delivered",
        "undelivered": "undelivered",
        "failed": "failed",
        "receiving": "received",
        "received": "received",
        "canceled": "canceled",
    }
)


def state_of(status: str) -> CallState:
    """Return our state for Twilio's status. Raises ValueError for a word that Twilio has not documented."""
    try:
        return STATES[status]
    except KeyError:
        raise ValueError(f"unknown Twilio call status {status!r}") from None


def message_state_of(status: str) -> MessageState:
    """Return our state for Twilio's status of a message. Raises ValueError for a word that Twilio has not documented."""
    try:
        return MESSAGE_STATES[status]
    except KeyError:
        raise ValueError(f"unknown Twilio message status {status!r}") from None


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


def participant(instance: Any) -> Participant:
    """Return the port's value for the SDK's ParticipantInstance. Raises ValueError when its status is unknown."""
    status = str(instance.status)
    if status not in PARTICIPANT_STATES:
        raise ValueError(f"unknown Twilio participant status {status!r}")
    return Participant(
        call_sid=instance.call_sid,
        conference_sid=instance.conference_sid,
        label=instance.label or None,
        muted=bool(instance.muted),
        on_hold=bool(instance.hold),
        coaching=bool(instance.coaching),
        state=PARTICIPANT_STATES[status],
        coach_sid=instance.call_sid_to_coach or None,
    )


def provider_message(instance: Any) -> ProviderMessage:
    """Return the port's value for the SDK's MessageInstance. Raises ValueError when its status is unknown."""
    status = str(instance.status)
    code = str(instance.error_code) if instance.error_code else None
    return ProviderMessage(
        sid=instance.sid,
        status=status,
        state=message_state_of(status),
        to=instance.to or "",
        from_=instance.from_ or "",
        error_code=code,
        created_at=instance.date_created,
        body=instance.body or "",
        error=message_error(code),
    )


def owned_number(instance: Any) -> OwnedNumber:
    """Return the port's value for the SDK's IncomingPhoneNumberInstance."""
    return OwnedNumber(
        sid=instance.sid,
        e164=instance.phone_number,
        label=instance.friendly_name or "",
        voice=can(instance.capabilities, "voice"),
        sms=can(instance.capabilities, "sms"),
        voice_url=instance.voice_url or None,
        sms_url=instance.sms_url or None,
    )


def can(capabilities: Any, what: str) -> bool:
    """Whether a number can do `what`: voice or sms. Numbers on sale spell them in capitals, numbers that are owned do not."""
    found = capabilities if isinstance(capabilities, dict) else vars(capabilities or object)
    return any(bool(value) for name, value in found.items() if name.lower() == what)


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
