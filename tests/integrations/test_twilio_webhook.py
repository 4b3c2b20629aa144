"""Signatures and status callbacks."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest
from twilio.request_validator import RequestValidator

from integrations.twilio import TwilioWebhook
from integrations.twilio.mapping import STATES, state_of
from tests.integrations.specification import SPECS

TOKEN = "12345"
URL = "https://hub.example.com/webhooks/twilio/calls?tenant=1"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
BODY = b"CallSid=CA1&CallStatus=ringing&Digits=1&Digits=2&Empty=&Name=%C3%A9"

webhook = TwilioWebhook(TOKEN, shared_keys={"webhooks_sharedkey_1": "shared"})


def signed(text: str, *, secret: str = TOKEN, digest: str = "sha1") -> str:
    """Sign by Twilio's published recipe, without its SDK."""
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), digest).digest()).decode()


SIGNED_TEXT = URL + "CallSidCA1CallStatusringingDigits1Digits2EmptyNameé"


def test_a_signed_form_is_genuine_whatever_the_case_of_its_headers() -> None:
    for name in ("X-Twilio-Signature", "x-twilio-signature"):
        assert webhook.is_genuine(url=URL, headers={**FORM, name: signed(SIGNED_TEXT)}, body=BODY)


@pytest.mark.parametrize(
    ("url", "body", "token"),
    [
        (URL, BODY + b"&More=1", TOKEN),
        (URL, BODY.replace(b"ringing", b"busy"), TOKEN),
        (URL.replace("https", "http"), BODY, TOKEN),
        (URL, BODY, "another"),
    ],
)
def test_a_form_with_anything_changed_is_a_forgery(url: str, body: bytes, token: str) -> None:
    headers = {**FORM, "X-Twilio-Signature": signed(SIGNED_TEXT)}

    assert not TwilioWebhook(token).is_genuine(url=url, headers=headers, body=body)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (FORM, BODY),
        ({**FORM, "X-Twilio-Signature": ""}, BODY),
        ({**FORM, "X-Twilio-Signature": "ünlikely"}, BODY),
        ({**FORM, "X-Twilio-Signature": "AAAA"}, b"\xff\xfe"),
        ({"Content-Type": "application/json", "X-Twilio-Signature": "AAAA"}, b"{}"),
        ({"X-Twilio-Signature": "AAAA"}, b"{}"),
    ],
)
def test_a_malformed_request_is_a_forgery_and_never_an_error(headers: dict[str, str], body: bytes) -> None:
    assert webhook.is_genuine(url=URL, headers=headers, body=body) is False


def test_a_malformed_url_is_a_forgery_and_never_an_error() -> None:
    headers = {**FORM, "X-Twilio-Signature": "AAAA"}

    assert webhook.is_genuine(url="https://hub:port/x", headers=headers, body=BODY) is False


def test_a_json_body_is_vouched_for_by_its_hash_in_the_signed_url() -> None:
    body = b'{"a": 1}'
    url = f"{URL}&bodySHA256={hashlib.sha256(body).hexdigest()}"
    headers = {"Content-Type": "application/json", "X-Twilio-Signature": signed(url)}

    assert webhook.is_genuine(url=url, headers=headers, body=body)
    assert not webhook.is_genuine(url=url, headers=headers, body=b'{"a": 2}')
    assert not webhook.is_genuine(url=url, headers=headers, body=b"")
    assert not webhook.is_genuine(url=url, headers={**headers, **FORM}, body=b"")
    assert not webhook.is_genuine(url=URL, headers={**headers, "X-Twilio-Signature": signed(URL)}, body=body)


def test_a_request_without_a_body_is_signed_by_its_url() -> None:
    assert webhook.is_genuine(url=URL, headers={"X-Twilio-Signature": signed(URL)}, body=b"")


def test_the_newer_scheme_names_its_key_and_algorithm() -> None:
    newer = {
        **FORM,
        "X-Twilio-Signature": signed(SIGNED_TEXT, secret="shared", digest="sha256"),
        "X-Twilio-Webhooks-Signature-Settings": "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256",
    }

    assert webhook.is_genuine(url=URL, headers=newer, body=BODY)
    for settings in (
        "key=webhooks_sharedkey_2,algorithm=HMAC_SHA256",
        "key=webhooks_sharedkey_1,algorithm=HMAC_MD5",
        "key=webhooks_sharedkey_1",
    ):
        named = {**newer, "X-Twilio-Webhooks-Signature-Settings": settings}
        assert not webhook.is_genuine(url=URL, headers=named, body=BODY)


def test_the_auth_token_does_not_stand_in_for_a_key_that_is_not_ours() -> None:
    headers = {
        **FORM,
        "X-Twilio-Signature": signed(SIGNED_TEXT),
        "X-Twilio-Webhooks-Signature-Settings": "key=unknown,algorithm=HMAC_SHA1",
    }

    assert not webhook.is_genuine(url=URL, headers=headers, body=BODY)


def test_our_recipe_and_the_sdks_agree() -> None:
    fields = {"CallSid": "CA1", "CallStatus": "busy"}

    assert RequestValidator(TOKEN).compute_signature(URL, fields) == signed(URL + "CallSidCA1CallStatusbusy")


def test_a_callback_is_read_with_seconds_from_call_duration() -> None:
    update = webhook.read(
        b"CallSid=CA1&CallStatus=completed&SequenceNumber=3&Duration=1&CallDuration=49"
        b"&Timestamp=Sun%2C+25+Mar+2018+11%3A53%3A19+%2B0200&AnsweredBy=human&SipResponseCode=200"
    )

    assert (update.sid, update.status, update.state) == ("CA1", "completed", "completed")
    assert (update.sequence_number, update.duration_s, update.sip_code) == (3, 49, 200)
    assert update.at == datetime(2018, 3, 25, 9, 53, 19, tzinfo=UTC)
    assert update.answered_by == "human"
    assert update.raw["Duration"] == "1"


def test_what_is_merely_informative_may_be_missing_or_unreadable() -> None:
    update = webhook.read(b"CallSid=CA1&CallStatus=initiated&SequenceNumber=first&Timestamp=yesterday&AnsweredBy=")

    assert (update.state, update.sequence_number, update.at, update.answered_by) == ("dialing", None, None, None)


def test_a_time_without_a_zone_is_utc() -> None:
    update = webhook.read(b"CallSid=CA1&CallStatus=busy&Timestamp=Sun%2C+25+Mar+2018+09%3A53%3A19+-0000")

    assert update.at == datetime(2018, 3, 25, 9, 53, 19, tzinfo=UTC)


@pytest.mark.parametrize("body", [b"", b"CallStatus=busy", b"CallSid=CA1", b"CallSid=CA1&CallStatus=asleep", b"\xff"])
def test_what_is_no_status_callback_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError):
        webhook.read(body)


@pytest.mark.skipif(not SPECS.is_dir(), reason="../shared/provider-specs is missing: statuses were not compared with it")
def test_every_status_of_the_specification_has_a_state_of_ours() -> None:
    schemas = json.loads((SPECS / "twilio_api_v2010.json").read_text())["components"]["schemas"]

    for status in schemas["call_enum_status"]["enum"]:
        assert state_of(status)
    assert set(STATES) - set(schemas["call_enum_status"]["enum"]) == {"initiated"}
