"""Access tokens for the browser SDK: https://www.twilio.com/docs/iam/access-tokens."""

import re
from typing import Final

from twilio.jwt.access_token import AccessToken
from twilio.jwt.access_token.grants import VoiceGrant

# Browsers' SDKs take any unreserved character; those of telephones only letters, digits and underscores.
_IDENTITY: Final = re.compile(r"[A-Za-z0-9_.-]{1,121}")
_LONGEST_S: Final = 24 * 3600


class TwilioTokens:
    """The `SoftphoneTokens` port. A token is a JWT signed with the API key: minting one asks nobody."""

    def __init__(self, account_sid: str, api_key_sid: str, api_key_secret: str, app_sid: str) -> None:
        self._account_sid = account_sid
        self._api_key_sid = api_key_sid
        self._api_key_secret = api_key_secret
        self._app_sid = app_sid

    def mint(self, identity: str, ttl_s: int) -> str:
        """A token to be `client:identity` for `ttl_s`. Raises ValueError for an identity or a time that Twilio refuses."""
        if not _IDENTITY.fullmatch(identity):
            raise ValueError("an identity is 1 to 121 letters, digits and _.-")
        if not 0 < ttl_s <= _LONGEST_S:
            raise ValueError(f"a token lasts 1 to {_LONGEST_S} seconds")
        grant = VoiceGrant(outgoing_application_sid=self._app_sid, incoming_allow=True)
        token = AccessToken(
            self._account_sid, self._api_key_sid, self._api_key_secret, grants=[grant], identity=identity, ttl=ttl_s
        )
        return str(token.to_jwt())
