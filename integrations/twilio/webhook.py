"""Twilio's webhooks: is it really Twilio, and what does it say?

How Twilio signs: https://www.twilio.com/docs/usage/security#validating-requests. A form is signed with its fields;
any other body through its SHA-256 in the query of the signed URL. There is no timestamp in it, so a signature
stays good for ever: whoever acts on a webhook must expect to see it again.
"""

import json
from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import parse_qs, parse_qsl, urlsplit

from twilio.request_validator import (
    SIGNATURE_HEADER,
    SIGNATURE_SETTINGS_HEADER,
    RequestValidator,
    get_signature_algorithm,
)

from integrations.twilio import readings
from integrations.twilio.mapping import call_update
from integrations.updates import (
    AmdUpdate,
    CallUpdate,
    InboundCall,
    InboundMessage,
    MessageUpdate,
    ParticipantUpdate,
    RecordingUpdate,
    RingUpdate,
    SpokenUpdate,
    TranscriptionUpdate,
)

_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"


class TwilioWebhook:
    """The `CallbackReader` port on Twilio.

    The classic signature (HMAC-SHA1) is made with the account's auth token. The newer one names a shared key and
    an algorithm in its own header; `shared_keys` maps the ids of such keys to their secrets.
    """

    def __init__(self, auth_token: str, *, shared_keys: Mapping[str, str] = MappingProxyType({})) -> None:
        self._auth_token = auth_token
        self._shared_keys = shared_keys

    def is_genuine(self, *, url: str, headers: Mapping[str, str], body: bytes) -> bool:
        """Was this request signed by Twilio?

        `url` is the address that Twilio was given, from the configured public URL and with the query: what the
        server sees behind a proxy is another. Anything missing or malformed makes it false.
        """
        lowered = {name.lower(): value for name, value in headers.items()}
        signature = lowered.get(SIGNATURE_HEADER.lower(), "")
        settings = lowered.get(SIGNATURE_SETTINGS_HEADER.lower(), "")
        secret = self._secret(settings)
        if not signature or not secret:
            return False
        try:
            text = body.decode()
            signed = self._signed_part(url, lowered.get("content-type", ""), text)
            if signed is None:
                return False
            algorithm = get_signature_algorithm(settings)
            return bool(RequestValidator(secret).validate(url, signed, signature, algorithm))
        except ValueError:
            return False

    @property
    def provider(self) -> str:
        """Whose webhooks these are."""
        return "twilio"

    def fields(self, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
        """The fields of a form, or of a JSON object (what is no text in it stays JSON). Raises ValueError otherwise."""
        lowered = {name.lower(): value for name, value in headers.items()}
        if _media_type(lowered) != _JSON:
            found = dict(parse_qsl(body.decode(), keep_blank_values=True))
        else:
            document = json.loads(body)
            if not isinstance(document, dict):
                raise ValueError("a JSON body that is no object")
            found = {name: value if isinstance(value, str) else json.dumps(value) for name, value in document.items()}
        # Postgres has no place for NUL, and Twilio no use for it.
        return {name.replace("\0", ""): value.replace("\0", "") for name, value in found.items()}

    def read(self, body: bytes) -> CallUpdate:
        """Read the form body of a call's status callback. Raises ValueError when it is none."""
        return self.read_call(self.fields({}, body))

    def read_call(self, fields: Mapping[str, str]) -> CallUpdate:
        """The status of a call, or of a participant's leg."""
        return call_update(fields)

    def read_participant(self, fields: Mapping[str, str]) -> ParticipantUpdate:
        """An event of a conference."""
        return readings.participant_update(fields)

    def read_recording(self, fields: Mapping[str, str]) -> RecordingUpdate:
        """The state of a recording."""
        return readings.recording_update(fields)

    def read_amd(self, fields: Mapping[str, str]) -> AmdUpdate:
        """Who or what answered."""
        return readings.amd_update(fields)

    def read_message(self, fields: Mapping[str, str]) -> MessageUpdate:
        """The state of a message that we sent."""
        return readings.message_update(fields)

    def read_inbound_call(self, fields: Mapping[str, str]) -> InboundCall:
        """A call that waits for its instructions."""
        return readings.inbound_call(fields)

    def read_inbound_message(self, fields: Mapping[str, str]) -> InboundMessage:
        """A message to one of our numbers."""
        return readings.inbound_message(fields)

    def read_transcription(self, fields: Mapping[str, str]) -> TranscriptionUpdate:
        """What was said in a recording."""
        return readings.transcription_update(fields)

    def read_spoken(self, fields: Mapping[str, str]) -> SpokenUpdate:
        """What is being said in a call."""
        return readings.spoken_update(fields)

    def read_ring(self, fields: Mapping[str, str]) -> RingUpdate:
        """The end of a `<Dial>`."""
        return readings.ring_update(fields)

    def read_digits(self, fields: Mapping[str, str]) -> str:
        """What was typed in a `<Gather>`."""
        return fields.get("Digits", "")

    def _secret(self, settings: str) -> str:
        pairs = (part.partition("=") for part in settings.split(","))
        key = {name.strip(): value.strip() for name, _, value in pairs}.get("key", "")
        # A request that names a key is held to that key: the auth token is no substitute for one we don't know.
        return self._shared_keys.get(key, "") if key else self._auth_token

    @staticmethod
    def _signed_part(url: str, content_type: str, body: str) -> "_Fields | str | None":
        if "bodySHA256" in parse_qs(urlsplit(url).query):
            return body
        if not body or _media_type({"content-type": content_type}) == _FORM:
            return _Fields(parse_qs(body, keep_blank_values=True))
        # Without the hash in the signed URL nothing vouches for this body.
        return None


def _media_type(lowered_headers: Mapping[str, str]) -> str:
    return lowered_headers.get("content-type", "").partition(";")[0].strip().lower()


class _Fields(dict[str, list[str]]):
    """Form fields as the SDK's validator wants them when one may come several times."""

    def getlist(self, name: str) -> list[str]:
        return self[name]
