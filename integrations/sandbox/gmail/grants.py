"""Who has granted what to whom: consent codes, refresh tokens and access tokens."""

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass
from typing import Final

from integrations.sandbox.gmail.refusals import OAuthRefusal

_CODE_S: Final = 600
MAIL_SCOPES: Final = frozenset(
    {
        "openid",
        "email",
        "https://www.googleapis.com/auth/gmail.modify",
        "https://www.googleapis.com/auth/gmail.settings.basic",
    }
)
# What Google calls them in its answers.
_LONG_NAMES: Final = {
    "email": "https://www.googleapis.com/auth/userinfo.email",
    "profile": "https://www.googleapis.com/auth/userinfo.profile",
}


@dataclass(frozen=True, slots=True)
class Consent:
    """A code that waits to be traded in, once."""

    address: str
    scopes: frozenset[str]
    redirect_uri: str
    challenge: str
    challenge_method: str
    is_offline: bool
    expires: float
    nonce: str = ""


@dataclass(frozen=True, slots=True)
class Access:
    """An access token: whose mailbox, for what, until when, from which grant (empty: none that lasts)."""

    address: str
    scopes: frozenset[str]
    expires: float
    refresh_token: str


class Grants:
    """All of them."""

    def __init__(self, access_token_s: int) -> None:
        self.access_token_s = access_token_s
        self.refresh_tokens: dict[str, tuple[str, frozenset[str]]] = {}
        self._codes: dict[str, Consent] = {}
        self._access: dict[str, Access] = {}

    def consented(
        self,
        address: str,
        scopes: frozenset[str],
        redirect_uri: str,
        challenge: str,
        challenge_method: str,
        *,
        is_asked_anew: bool,
        is_offline: bool,
        nonce: str = "",
    ) -> str:
        """Return a code. A refresh token comes for offline access, the first time or if consent is asked for anew."""
        knows = any(known == address for known, _ in self.refresh_tokens.values())
        code = f"4/0{secrets.token_urlsafe(48)}"
        self._codes[code] = Consent(
            address,
            named(scopes),
            redirect_uri,
            challenge,
            challenge_method,
            is_offline and (is_asked_anew or not knows),
            time.monotonic() + _CODE_S,
            nonce,
        )
        return code

    def trade(self, code: str, verifier: str, redirect_uri: str) -> tuple[Consent, str, str]:
        """Trade a code in: the consent, an access token, and a refresh token or nothing. Raises OAuthRefusal."""
        consent = self._codes.pop(code, None)
        if consent is None or consent.expires < time.monotonic():
            raise OAuthRefusal("invalid_grant", "Malformed auth code." if consent is None else "Bad Request")
        if consent.redirect_uri != redirect_uri:
            raise OAuthRefusal("redirect_uri_mismatch", "Bad Request")
        if consent.challenge and _challenge(verifier, consent.challenge_method) != consent.challenge:
            raise OAuthRefusal("invalid_grant", "Invalid code verifier." if verifier else "Missing code verifier.")
        refresh = self.grant(consent.address, consent.scopes) if consent.is_offline else ""
        return consent, self.open(consent.address, consent.scopes, refresh), refresh

    def grant(self, address: str, scopes: frozenset[str] = MAIL_SCOPES) -> str:
        """Return a new refresh token."""
        token = f"1//0{secrets.token_urlsafe(60)}"
        self.refresh_tokens[token] = (address, named(scopes))
        return token

    def refresh(self, refresh_token: str) -> tuple[str, frozenset[str]]:
        """Return a new access token and its scopes. Raises OAuthRefusal when the grant was revoked."""
        found = self.refresh_tokens.get(refresh_token)
        if found is None:
            raise OAuthRefusal("invalid_grant", "Token has been expired or revoked.")
        address, scopes = found
        return self.open(address, scopes, refresh_token), scopes

    def open(self, address: str, scopes: frozenset[str], refresh_token: str = "") -> str:
        """Return a new access token."""
        token = f"ya29.{secrets.token_urlsafe(90)}"
        self._access[token] = Access(address, scopes, time.monotonic() + self.access_token_s, refresh_token)
        return token

    def access(self, token: str) -> Access | None:
        """Return what an access token is good for; None when it is for nothing."""
        found = self._access.get(token)
        if found is not None and found.expires < time.monotonic():
            del self._access[token]
            return None
        return found

    def revoke(self, token: str) -> bool:
        """Revoke a token, and with it the grant; False when it is unknown."""
        access = self._access.get(token)
        refresh_token = access.refresh_token if access else token
        if access is None and refresh_token not in self.refresh_tokens:
            return False
        self.refresh_tokens.pop(refresh_token, None)
        self._access = {
            key: each for key, each in self._access.items() if key != token and each.refresh_token != (refresh_token or key)
        }
        return True

    def revoke_all(self, address: str) -> int:
        """Revoke everything that an address has granted, as its owner can in their account; how much it was."""
        gone = [token for token, (known, _) in self.refresh_tokens.items() if known == address]
        for token in gone:
            del self.refresh_tokens[token]
        self._access = {token: each for token, each in self._access.items() if each.address != address}
        return len(gone)

    def expire_access(self, address: str) -> None:
        """Let the access tokens of an address run out; the grants stay."""
        self._access = {token: each for token, each in self._access.items() if each.address != address}


def named(scopes: frozenset[str]) -> frozenset[str]:
    """Return the scopes with their long names."""
    return frozenset(_LONG_NAMES.get(each, each) for each in scopes)


def _challenge(verifier: str, method: str) -> str:
    if method != "S256":
        return verifier
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
