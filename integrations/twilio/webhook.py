"""Twilio's webhooks: is it really Twilio, and what does it say?

How Twilio signs: https://www.twilio.com/docs/usage/security#validating-requests. A form is signed with its fields;
any other body through its SHA-256 in the query of the signed URL. There is no timestamp in it, so a signature
stays good for ever: whoever acts on a webhook must expect to see it again.
"""

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import parse_qs, parse_qsl, urlsplit

from twilio.request_validator import (
    SIGNATURE_HEADER,
    SIGNATURE_SETTINGS_HEADER,
    RequestValidator,
    get_signature_algorithm,
)

from integrations.ports import CallUpdate
from integrations.twilio.mapping import call_update

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

    def read(self, body: bytes) -> CallUpdate:
        """Read the form body of a call's status callback. Raises ValueError when it is none."""
        return call_update(dict(parse_qsl(body.decode(), keep_blank_values=True)))

    def _secret(self, settings: str) -> str:
        pairs = (part.partition("=") for part in settings.split(","))
        key = {name.strip(): value.strip() for name, _, value in pairs}.get("key", "")
        # A request that names a key is held to that key: the auth token is no substitute for one we don't know.
        return self._shared_keys.get(key, "") if key else self._auth_token

    @staticmethod
    def _signed_part(url: str, content_type: str, body: str) -> "_Fields | str | None":
        if "bodySHA256" in parse_qs(urlsplit(url).query):
            return body
        if not body or content_type.partition(";")[0].strip().lower() == _FORM:
            return _Fields(parse_qs(body, keep_blank_values=True))
        # Without the hash in the signed URL nothing vouches for this body.
        return None


class _Fields(dict[str, list[str]]):
    """Form fields as the SDK's validator wants them when one may come several times."""

    def getlist(self, name: str) -> list[str]:
        return self[name]
