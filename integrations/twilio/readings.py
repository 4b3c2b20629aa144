"""What Twilio's webhooks say, in our words. Each function raises ValueError when the fields are no such webhook.

The fields: https://www.twilio.com/docs/voice/twiml/conference#statuscallback,
https://www.twilio.com/docs/voice/api/recording#recordingstatuscallback,
https://www.twilio.com/docs/voice/answering-machine-detection#asyncamd,
https://www.twilio.com/docs/messaging/guides/track-outbound-message-status.
"""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from integrations.twilio.mapping import message_state_of, moment, number, state_of
from integrations.twilio.words import message_error
from integrations.updates import (
    AmdUpdate,
    AnsweredBy,
    ConferenceEvent,
    InboundCall,
    InboundMessage,
    MessageUpdate,
    ParticipantUpdate,
    RecordingState,
    RecordingUpdate,
    RingUpdate,
    SpokenUpdate,
    TranscriptionUpdate,
)

Fields = Mapping[str, str]

_CONFERENCE_EVENTS: Final[Mapping[str, ConferenceEvent]] = MappingProxyType(
    {
        "conference-start": "start",
        "conference-end": "end",
        "participant-join": "join",
        "participant-leave": "leave",
        "participant-mute": "mute",
        "participant-unmute": "unmute",
        "participant-hold": "hold",
        "participant-unhold": "unhold",
        "participant-modify": "modify",
        "announcement-end": "announcement_end",
        "announcement-fail": "announcement_fail",
    }
)
_RECORDING_STATES: Final[Mapping[str, RecordingState]] = MappingProxyType(
    {
        "in-progress": "recording",
        "paused": "paused",
        "stopped": "processing",
        "processing": "processing",
        "completed": "completed",
        "absent": "absent",
        "failed": "failed",
    }
)
_SPOKEN_EVENTS: Final[Mapping[str, Literal["began", "piece", "ended", "failed"]]] = MappingProxyType(
    {
        "transcription-started": "began",
        "transcription-content": "piece",
        "transcription-stopped": "ended",
        "transcription-error": "failed",
    }
)
_ANSWERED_BY: Final[Mapping[str, AnsweredBy]] = MappingProxyType({"human": "human", "fax": "fax", "unknown": "unknown"})
_OPT_OUTS: Final[Mapping[str, Literal["stop", "start", "help"]]] = MappingProxyType(
    {"STOP": "stop", "START": "start", "HELP": "help"}
)
_PLACE_PARTS: Final = ("", "City", "Country", "State", "Zip")
# What Twilio says of itself when a call waits for instructions; whatever else there is came from a softphone.
_PLACES: Final = frozenset(f"{who}{what}" for who in ("Called", "Caller", "From", "To") for what in _PLACE_PARTS)
_OF_TWILIO: Final = _PLACES | {
    "AccountSid",
    "AnsweredBy",
    "ApiVersion",
    "ApplicationSid",
    "CallSid",
    "CallStatus",
    "CallToken",
    "CallerId",
    "CallerName",
    "Direction",
    "ForwardedFrom",
    "MachineDetectionDuration",
    "ParentCallSid",
    "StirPassportToken",
    "StirStatus",
    "StirVerstat",
}


def participant_update(fields: Fields) -> ParticipantUpdate:
    """An event of a conference. Events that nobody asked for (somebody speaks) are a ValueError, too."""
    event = fields.get("StatusCallbackEvent", "")
    if event not in _CONFERENCE_EVENTS:
        raise ValueError(f"unknown conference event {event!r}")
    return ParticipantUpdate(
        conference_sid=_needed(fields, "ConferenceSid"),
        conference=fields.get("FriendlyName", ""),
        call_sid=fields.get("CallSid") or None,
        label=fields.get("ParticipantLabel") or None,
        event=_CONFERENCE_EVENTS[event],
        muted=_flag(fields, "Muted"),
        hold=_flag(fields, "Hold"),
        coaching=_flag(fields, "Coaching"),
        sequence_number=number(fields.get("SequenceNumber")),
        at=moment(fields.get("Timestamp")),
    )


def recording_update(fields: Fields) -> RecordingUpdate:
    """The state of a recording. An action's request after a `<Record>` names none: it has been recorded."""
    status = fields.get("RecordingStatus") or "completed"
    if status not in _RECORDING_STATES:
        raise ValueError(f"unknown recording status {status!r}")
    return RecordingUpdate(
        recording_sid=_needed(fields, "RecordingSid"),
        call_sid=fields.get("CallSid") or None,
        status=_RECORDING_STATES[status],
        duration_s=number(fields.get("RecordingDuration")),
        channels=number(fields.get("RecordingChannels")),
        url=fields.get("RecordingUrl") or None,
    )


def amd_update(fields: Fields) -> AmdUpdate:
    """Who answered. `machine_start` is a greeting that goes on, `machine_end_...` one that is over."""
    word = _needed(fields, "AnsweredBy")
    answered_by = "machine" if word.startswith("machine") else _ANSWERED_BY.get(word)
    if answered_by is None:
        raise ValueError(f"unknown answer by {word!r}")
    return AmdUpdate(
        sid=_needed(fields, "CallSid"),
        answered_by=answered_by,
        greeting_ended=word.startswith("machine_end"),
        after_ms=number(fields.get("MachineDetectionDuration")),
    )


def message_update(fields: Fields) -> MessageUpdate:
    """The state of a message."""
    status = fields.get("MessageStatus") or fields.get("SmsStatus", "")
    code = fields.get("ErrorCode") or None
    return MessageUpdate(
        sid=fields.get("MessageSid") or _needed(fields, "SmsSid"),
        state=message_state_of(status),
        error_code=code,
        error=message_error(code),
        status=status,
    )


def inbound_call(fields: Fields) -> InboundCall:
    """A call that waits for instructions."""
    parameters = {name: value for name, value in fields.items() if name not in _OF_TWILIO}
    return InboundCall(
        sid=_needed(fields, "CallSid"),
        to=fields.get("To", ""),
        from_=fields.get("From", ""),
        parameters=MappingProxyType(parameters),
    )


def inbound_message(fields: Fields) -> InboundMessage:
    """A message to one of our numbers."""
    count = number(fields.get("NumMedia")) or 0
    media = (fields.get(f"MediaUrl{index}", "") for index in range(min(count, 10)))
    return InboundMessage(
        sid=fields.get("MessageSid") or _needed(fields, "SmsSid"),
        to=_needed(fields, "To"),
        from_=_needed(fields, "From"),
        body=fields.get("Body", ""),
        media=tuple(url for url in media if url),
        opt_out=_OPT_OUTS.get(fields.get("OptOutType", "").upper()),
    )


def transcription_update(fields: Fields) -> TranscriptionUpdate:
    """What was said in a recording."""
    completed = _needed(fields, "TranscriptionStatus") == "completed"
    return TranscriptionUpdate(
        recording_sid=_needed(fields, "RecordingSid"),
        status="completed" if completed else "failed",
        text=fields.get("TranscriptionText", "") if completed else "",
    )


def spoken_update(fields: Fields) -> SpokenUpdate:
    """What is being said in a call: https://www.twilio.com/docs/voice/twiml/transcription#statuscallbackurl.

    The inbound track is what Twilio hears from the leg, the outbound one what the leg hears.
    """
    word = _needed(fields, "TranscriptionEvent")
    event = _SPOKEN_EVENTS.get(word)
    if event is None:
        raise ValueError(f"unknown transcription event {word!r}")
    text = ""
    if event == "piece":
        try:
            data = json.loads(_needed(fields, "TranscriptionData"))
            text = str(data["transcript"]).strip()
        except (json.JSONDecodeError, KeyError, TypeError):
            raise ValueError("TranscriptionData is no transcript") from None
    track = fields.get("Track", "")
    return SpokenUpdate(
        transcription_sid=_needed(fields, "TranscriptionSid"),
        call_sid=_needed(fields, "CallSid"),
        event=event,
        sequence=number(fields.get("SequenceId")) or 0,
        speaker="leg" if track == "inbound_track" else "others" if track == "outbound_track" else None,
        text=text,
    )


def ring_update(fields: Fields) -> RingUpdate:
    """The end of a `<Dial>`. `answered` is said where it did not ring numbers or clients, such as a conference."""
    status = _needed(fields, "DialCallStatus")
    return RingUpdate(
        sid=_needed(fields, "CallSid"),
        state="completed" if status == "answered" else state_of(status),
        leg_sid=fields.get("DialCallSid") or None,
        duration_s=number(fields.get("DialCallDuration")),
    )


def _needed(fields: Fields, name: str) -> str:
    value = fields.get(name, "")
    if not value:
        raise ValueError(f"{name} is missing")
    return value


def _flag(fields: Fields, name: str) -> bool | None:
    return {"true": True, "false": False}.get(fields.get(name, "").lower())
