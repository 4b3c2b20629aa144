"""Every kind of webhook, read from fields as Twilio's documentation has them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from integrations.twilio import TwilioWebhook
from integrations.twilio.mapping import MESSAGE_STATES, PARTICIPANT_STATES, message_state_of
from tests.integrations.specification import SPECS

webhook = TwilioWebhook("")

CONFERENCE = {
    "ConferenceSid": "CF1",
    "FriendlyName": "ringside-7",
    "AccountSid": "AC1",
    "SequenceNumber": "4",
    "Timestamp": "Sun, 25 Mar 2018 11:53:19 +0200",
    "StatusCallbackEvent": "participant-hold",
    "CallSid": "CA1",
    "ParticipantLabel": "rep",
    "Muted": "false",
    "Hold": "true",
    "Coaching": "false",
}


def test_what_happens_to_a_participant_is_read() -> None:
    update = webhook.read_participant(CONFERENCE)

    assert (update.conference_sid, update.conference, update.call_sid, update.label) == ("CF1", "ringside-7", "CA1", "rep")
    assert (update.event, update.muted, update.hold, update.coaching) == ("hold", False, True, False)
    assert (update.sequence_number, update.at) == (4, datetime(2018, 3, 25, 9, 53, 19, tzinfo=UTC))


def test_what_happens_to_the_conference_names_no_participant() -> None:
    fields = {name: CONFERENCE[name] for name in ("ConferenceSid", "FriendlyName", "SequenceNumber")}
    update = webhook.read_participant(fields | {"StatusCallbackEvent": "conference-end"})

    assert (update.event, update.call_sid, update.label, update.muted, update.at) == ("end", None, None, None, None)


@pytest.mark.parametrize("event", ["", "participant-speech-start", "participant-join "])
def test_an_event_that_nobody_asked_for_is_a_value_error(event: str) -> None:
    with pytest.raises(ValueError, match="conference event"):
        webhook.read_participant(CONFERENCE | {"StatusCallbackEvent": event})


@pytest.mark.parametrize(
    ("status", "state"),
    [("in-progress", "recording"), ("completed", "completed"), ("absent", "absent"), ("failed", "failed"), ("", "completed")],
)
def test_a_recordings_state_is_read(status: str, state: str) -> None:
    update = webhook.read_recording(
        {
            "RecordingSid": "RE1",
            "CallSid": "CA1",
            "RecordingStatus": status,
            "RecordingDuration": "17",
            "RecordingChannels": "2",
            "RecordingUrl": "https://api.twilio.com/RE1",
        }
    )

    assert (update.recording_sid, update.call_sid, update.status) == ("RE1", "CA1", state)
    assert (update.duration_s, update.channels, update.url) == (17, 2, "https://api.twilio.com/RE1")


@pytest.mark.parametrize(
    ("word", "answered_by", "greeting_ended"),
    [
        ("human", "human", False),
        ("machine_start", "machine", False),
        ("machine_end_beep", "machine", True),
        ("machine_end_silence", "machine", True),
        ("machine_end_other", "machine", True),
        ("fax", "fax", False),
        ("unknown", "unknown", False),
    ],
)
def test_who_answered_is_read(word: str, answered_by: str, greeting_ended: bool) -> None:
    update = webhook.read_amd({"CallSid": "CA1", "AnsweredBy": word, "MachineDetectionDuration": "4200"})

    assert (update.sid, update.answered_by, update.greeting_ended, update.after_ms) == ("CA1", answered_by, greeting_ended, 4200)


def test_a_messages_state_says_in_words_why_it_did_not_arrive() -> None:
    sent = webhook.read_message({"MessageSid": "SM1", "MessageStatus": "sent"})
    lost = webhook.read_message({"SmsSid": "SM1", "SmsStatus": "undelivered", "ErrorCode": "30003"})
    odd = webhook.read_message({"MessageSid": "SM1", "MessageStatus": "failed", "ErrorCode": "39999"})

    assert (sent.sid, sent.state, sent.status, sent.error_code, sent.error) == ("SM1", "sent", "sent", None, None)
    assert (lost.sid, lost.state, lost.error_code) == ("SM1", "undelivered", "30003")
    assert lost.error == "The phone is switched off or out of reach."
    assert odd.error == "The message was not delivered (Twilio error 39999)."


def test_a_call_that_comes_in_is_read_with_what_a_softphone_gave_along() -> None:
    somebody = webhook.read_inbound_call(
        {"CallSid": "CA1", "To": "+14155550100", "From": "+12025550101", "FromCity": "", "Direction": "inbound", "Caller": "x"}
    )
    browser = webhook.read_inbound_call({"CallSid": "CA2", "To": "", "From": "client:ann", "ApplicationSid": "AP1", "call": "7"})

    assert (somebody.sid, somebody.to, somebody.from_, dict(somebody.parameters)) == ("CA1", "+14155550100", "+12025550101", {})
    assert (browser.from_, dict(browser.parameters)) == ("client:ann", {"call": "7"})


def test_a_message_that_comes_in_is_read_with_its_pictures() -> None:
    told = {"MessageSid": "SM1", "To": "+14155550100", "From": "+12025550101"}
    stop = webhook.read_inbound_message(told | {"Body": "Stop", "NumMedia": "0", "OptOutType": "STOP"})
    picture = webhook.read_inbound_message(told | {"NumMedia": "2", "MediaUrl0": "https://a", "MediaUrl1": "https://b"})

    assert (stop.sid, stop.to, stop.from_, stop.body, stop.media, stop.opt_out) == (
        "SM1", "+14155550100", "+12025550101", "Stop", (), "stop",
    )  # fmt: skip
    assert (picture.body, picture.media, picture.opt_out) == ("", ("https://a", "https://b"), None)


def test_a_transcription_is_read_and_a_failed_one_has_no_text() -> None:
    done = webhook.read_transcription({"RecordingSid": "RE1", "TranscriptionStatus": "completed", "TranscriptionText": "Hello"})
    failed = webhook.read_transcription({"RecordingSid": "RE1", "TranscriptionStatus": "failed", "TranscriptionText": "(blank)"})

    assert (done.recording_sid, done.status, done.text) == ("RE1", "completed", "Hello")
    assert (failed.status, failed.text) == ("failed", "")


def test_the_end_of_a_ring_is_read() -> None:
    told = {"CallSid": "CA1", "DialCallStatus": "no-answer", "DialCallSid": "CA2"}
    missed = webhook.read_ring(told)
    talked = webhook.read_ring(told | {"DialCallStatus": "completed", "DialCallDuration": "31"})

    assert (missed.sid, missed.state, missed.leg_sid, missed.duration_s) == ("CA1", "no_answer", "CA2", None)
    assert (talked.state, talked.duration_s) == ("completed", 31)
    assert webhook.read_ring(told | {"DialCallStatus": "answered"}).state == "completed"


def test_digits_are_read_also_when_there_are_none() -> None:
    assert webhook.read_digits({"Digits": "1#"}) == "1#"
    assert webhook.read_digits({}) == ""


def test_a_webhook_of_another_kind_is_a_value_error_for_each_reader() -> None:
    for read in (
        webhook.read_call,
        webhook.read_participant,
        webhook.read_recording,
        webhook.read_amd,
        webhook.read_message,
        webhook.read_inbound_call,
        webhook.read_inbound_message,
        webhook.read_transcription,
        webhook.read_ring,
    ):
        with pytest.raises(ValueError):
            read({"Something": "else"})


def test_fields_are_of_a_form_or_of_a_json_object() -> None:
    assert webhook.fields({"Content-Type": "application/x-www-form-urlencoded"}, b"a=1&b=&a=2") == {"a": "2", "b": ""}
    assert webhook.fields({"content-type": "application/json; charset=utf-8"}, b'{"a": "1", "b": 2}') == {"a": "1", "b": "2"}
    for body in (b"[1]", b"{", b"\xff"):
        with pytest.raises(ValueError):
            webhook.fields({"Content-Type": "application/json"}, body)


@pytest.mark.skipif(not SPECS.is_dir(), reason="../shared/provider-specs is missing: statuses were not compared with it")
def test_every_status_of_the_specification_is_known() -> None:
    schemas = json.loads((SPECS / "twilio_api_v2010.json").read_text())["components"]["schemas"]

    assert set(PARTICIPANT_STATES) == set(schemas["participant_enum_status"]["enum"])
    assert set(MESSAGE_STATES) == set(schemas["message_enum_status"]["enum"])
    for status in schemas["recording_enum_status"]["enum"]:
        if status != "deleted":
            assert webhook.read_recording({"RecordingSid": "RE1", "RecordingStatus": status})
    with pytest.raises(ValueError, match="eaten"):
        message_state_of("eaten")
