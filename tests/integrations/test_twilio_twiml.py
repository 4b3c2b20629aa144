"""Steps as TwiML, and the tokens of softphones."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import jwt
import pytest

from integrations.ports import (
    Conference,
    Digits,
    Gather,
    Hangup,
    Pause,
    Play,
    Record,
    Redirect,
    Reject,
    Ring,
    Say,
    Step,
)
from integrations.twilio import Renderer, TwilioTokens

SECRET = "a secret that is long enough for HS256"
tokens = TwilioTokens("AC" + "1" * 32, "SK" + "2" * 32, SECRET, "AP" + "3" * 32)


def rendered(*steps: Step) -> str:
    """The document without its frame."""
    text = Renderer().render(steps)
    ET.fromstring(text)
    return text.removeprefix('<?xml version="1.0" encoding="UTF-8"?><Response>').removesuffix("</Response>")


def test_simple_steps_follow_one_another() -> None:
    assert rendered(Say("Hi & <bye>"), Play("https://a/b.wav?c=1&d=2"), Pause(3), Hangup()) == (
        '<Say language="en-US">Hi &amp; &lt;bye&gt;</Say><Play>https://a/b.wav?c=1&amp;d=2</Play><Pause length="3" /><Hangup />'
    )
    assert rendered(Say("Grüezi\x00\x07", "de-CH"), Reject("busy"), Redirect("https://a")) == (
        '<Say language="de-CH">Grüezi</Say><Reject reason="busy" /><Redirect method="POST">https://a</Redirect>'
    )


def test_a_conference_is_joined_in_silence_and_without_a_beep() -> None:
    assert rendered(Conference("room")) == '<Dial><Conference beep="false" waitUrl="">room</Conference></Dial>'
    assert "waitUrl" not in rendered(Conference("room", wait_url="music"))
    assert 'waitUrl="https://a"' in rendered(Conference("room", wait_url="https://a"))


def test_everything_about_a_conference_is_said() -> None:
    made = ET.fromstring(
        rendered(
            Conference(
                "room",
                muted=True,
                coach_sid="CA1",
                end_on_exit=True,
                start_on_enter=False,
                status_callback_url="https://a/?b=1&c=2",
                label="rep",
            )
        )
    )[0]

    assert made.text == "room"
    assert made.attrib == {
        "beep": "false",
        "muted": "true",
        "coach": "CA1",
        "endConferenceOnExit": "true",
        "startConferenceOnEnter": "false",
        "waitUrl": "",
        "participantLabel": "rep",
        "statusCallback": "https://a/?b=1&c=2",
        "statusCallbackMethod": "POST",
        "statusCallbackEvent": "start end join leave mute hold announcement",
    }


def test_ringing_names_numbers_and_browsers_at_once_or_in_turn() -> None:
    both = ET.fromstring(rendered(Ring(("+12025550101", "client:ann"), 15, "+14155550100", "https://a", answer_url="https://b")))
    turn = ET.fromstring(rendered(Ring(("+12025550101", "client:ann"), simultaneous=False, status_callback_url="https://c")))

    assert both.attrib == {
        "timeout": "15",
        "callerId": "+14155550100",
        "action": "https://a",
        "method": "POST",
        "answerOnBridge": "true",
    }
    assert [(each.tag, each.text, each.get("url")) for each in both] == [
        ("Number", "+12025550101", "https://b"),
        ("Client", "ann", "https://b"),
    ]
    assert turn.get("sequential") == "true"
    assert turn[0].get("statusCallbackEvent") == "initiated ringing answered completed"


def test_a_voicemail_is_recorded_and_transcribed() -> None:
    made = ET.fromstring(
        rendered(Record(120, "https://a", transcribe=True, action_url="https://b", transcription_url="https://c"))
    )

    assert made.attrib == {
        "maxLength": "120",
        "playBeep": "true",
        "action": "https://b",
        "method": "POST",
        "recordingStatusCallback": "https://a",
        "recordingStatusCallbackMethod": "POST",
        "recordingStatusCallbackEvent": "completed absent",
        "transcribe": "true",
        "transcribeCallback": "https://c",
    }
    assert "ranscribe" not in rendered(Record(120, "https://a"))


def test_a_menu_plays_its_steps_inside() -> None:
    made = ET.fromstring(rendered(Gather(1, "https://a", (Say("One or two?"), Pause(1)))))

    assert made.attrib == {"input": "dtmf", "numDigits": "1", "timeout": "5", "action": "https://a", "method": "POST"}
    assert [each.tag for each in made] == ["Say", "Pause"]


def test_digits_are_those_of_a_telephone() -> None:
    assert rendered(Digits("1ww23*#")) == '<Play digits="1ww23*#" />'
    for text in ("", "12a", "1 2"):
        with pytest.raises(ValueError, match="telephone"):
            rendered(Digits(text))


def test_a_token_lets_its_bearer_call_and_be_called_for_a_while() -> None:
    token = tokens.mint("0198_7", 600)

    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT", "cty": "twilio-fpa;v=1"}
    claims = jwt.decode(token, SECRET, algorithms=["HS256"])
    assert (claims["iss"], claims["sub"]) == ("SK" + "2" * 32, "AC" + "1" * 32)
    assert claims["exp"] - claims["nbf"] == 600
    assert claims["grants"] == {
        "identity": "0198_7",
        "voice": {"incoming": {"allow": True}, "outgoing": {"application_sid": "AP" + "3" * 32}},
    }


@pytest.mark.parametrize(("identity", "ttl_s"), [("", 60), ("a b", 60), ("é", 60), ("a" * 122, 60), ("a", 0), ("a", 86_401)])
def test_a_token_that_twilio_would_refuse_is_not_made(identity: str, ttl_s: int) -> None:
    with pytest.raises(ValueError):
        tokens.mint(identity, ttl_s)
