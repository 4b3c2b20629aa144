"""Reading what the provider tells of a call's words."""

from __future__ import annotations

import pytest

from integrations.twilio import TwilioWebhook

FIELDS = {
    "CallSid": "CA1",
    "TranscriptionSid": "GT1",
    "SequenceId": "3",
    "TranscriptionEvent": "transcription-content",
    "Track": "inbound_track",
    "TranscriptionData": '{"transcript": " Yes, please. ", "confidence": 0.95}',
}


def test_a_piece_says_who_said_what() -> None:
    reader = TwilioWebhook("token")
    piece = reader.read_spoken(FIELDS)
    assert (piece.event, piece.sequence, piece.speaker, piece.text) == ("piece", 3, "leg", "Yes, please.")
    assert reader.read_spoken(FIELDS | {"Track": "outbound_track"}).speaker == "others"
    for word, event in (("started", "began"), ("stopped", "ended"), ("error", "failed")):
        told = {name: FIELDS[name] for name in ("CallSid", "TranscriptionSid", "SequenceId")}
        assert reader.read_spoken(told | {"TranscriptionEvent": f"transcription-{word}"}).event == event


@pytest.mark.parametrize(
    "wrong",
    [
        {"TranscriptionEvent": "transcription-sung"},
        {"TranscriptionData": "{"},
        {"TranscriptionData": "[]"},
        {"TranscriptionData": '{"words": 1}'},
        {"CallSid": ""},
        {"TranscriptionSid": ""},
        {"TranscriptionData": ""},
    ],
)
def test_what_is_no_such_webhook_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        TwilioWebhook("token").read_spoken(FIELDS | wrong)
