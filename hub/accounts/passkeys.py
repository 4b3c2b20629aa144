"""Passkeys (WebAuthn level 3): what is asked of a browser, and whether its answer holds. What needs no database."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import orjson
import webauthn
from cbor2 import CBORError
from webauthn.helpers import base64url_to_bytes, options_to_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from hub.errors import Invalid

TIMEOUT_S = 300
_NAME = "Ringside"
# What broken answers make the library, and what it stands on, raise.
_WRONG = (WebAuthnException, CBORError, ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError)


@dataclass(frozen=True, slots=True)
class Made:
    """A passkey that a browser has just made."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    synced: bool


@dataclass(frozen=True, slots=True)
class Signed:
    """A challenge that a passkey signed: the counter it had, and the handle of its person where the browser sent it."""

    sign_count: int


class RelyingParty:
    """Ringside as browsers know it, by the address people open it at."""

    def __init__(self, public_url: str) -> None:
        parts = urlsplit(public_url)
        host = parts.hostname or "localhost"
        if _is_loopback(host):
            # Browsers take no passkeys for bare addresses, and this one has a name.
            host = "localhost"
        port = f":{parts.port}" if parts.port else ""
        self.id = host
        self.origin = f"{parts.scheme}://{host}{port}"

    def ask_to_make(self, user_id: UUID, email: str, name: str, challenge: bytes, known: Sequence[bytes]) -> dict[str, Any]:
        """Options for `navigator.credentials.create`: a key that is found without a name, and asks for a finger or a PIN."""
        options = webauthn.generate_registration_options(
            rp_id=self.id,
            rp_name=_NAME,
            user_id=user_id.bytes,
            user_name=email,
            user_display_name=name,
            challenge=challenge,
            timeout=TIMEOUT_S * 1000,
            attestation=AttestationConveyancePreference.NONE,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in known],
        )
        return _plain(options_to_json(options))

    def ask_to_sign(self, challenge: bytes, known: Sequence[bytes] = ()) -> dict[str, Any]:
        """Options for `navigator.credentials.get`; without `known` the browser offers whatever it has for this address."""
        options = webauthn.generate_authentication_options(
            rp_id=self.id,
            challenge=challenge,
            timeout=TIMEOUT_S * 1000,
            allow_credentials=[PublicKeyCredentialDescriptor(id=each) for each in known] or None,
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return _plain(options_to_json(options))

    def made(self, credential: Mapping[str, Any], challenge: bytes) -> Made:
        """The new passkey in a browser's answer. Raises Invalid when it does not hold."""
        try:
            found = webauthn.verify_registration_response(
                credential=dict(credential),
                expected_challenge=challenge,
                expected_rp_id=self.id,
                expected_origin=self.origin,
                require_user_verification=True,
            )
        except _WRONG as exc:
            raise _wrong(self.origin) from exc
        return Made(found.credential_id, found.credential_public_key, found.sign_count, found.credential_backed_up)

    def signed(self, credential: Mapping[str, Any], challenge: bytes, *, public_key: bytes, sign_count: int) -> Signed:
        """Check a browser's signature over a challenge. Raises Invalid when it does not hold."""
        try:
            found = webauthn.verify_authentication_response(
                credential=dict(credential),
                expected_challenge=challenge,
                expected_rp_id=self.id,
                expected_origin=self.origin,
                credential_public_key=public_key,
                credential_current_sign_count=sign_count,
                require_user_verification=True,
            )
        except _WRONG as exc:
            raise _wrong(self.origin) from exc
        return Signed(found.new_sign_count)


def credential_id_of(credential: Mapping[str, Any]) -> bytes:
    """Which passkey a browser's answer is of. Raises Invalid."""
    try:
        return base64url_to_bytes(str(credential["id"]))
    except _WRONG as exc:
        raise Invalid.field("credential", "It should be what navigator.credentials gave, as JSON.") from exc


def handle_of(credential: Mapping[str, Any]) -> UUID | None:
    """Whose passkey the browser says it is; None where it does not say."""
    try:
        return UUID(bytes=base64url_to_bytes(str(credential["response"]["userHandle"])))
    except _WRONG:
        return None


def _wrong(origin: str) -> Invalid:
    return Invalid.field("credential", f"This passkey's answer does not hold. Try again, with Ringside opened at {origin}.")


def _plain(text: str) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(text)
    return found


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
