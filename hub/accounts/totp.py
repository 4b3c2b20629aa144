"""Codes of authenticator apps (RFC 6238) and the recovery codes for a lost telephone: what needs no database."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import secrets
import time

import pyotp
import segno

STEP_S = 30
ISSUER = "Ringside"
# A telephone's clock may be a step off (RFC 6238, section 5.2).
_DRIFT = 1
RECOVERY_CODES = 8
# 25 letters of base32 are 125 bits: enough to be kept under a plain hash (NIST SP 800-63B-4, section 3.1.2.2).
_RECOVERY_LETTERS = 25
_GROUP = 5


def new_seed() -> str:
    """160 random bits in base32, as authenticator apps take them."""
    return pyotp.random_base32()


def address_of(seed: str, email: str) -> str:
    """The otpauth address that a telephone's camera reads."""
    return pyotp.TOTP(seed).provisioning_uri(name=email, issuer_name=ISSUER)


def picture_of(address: str) -> str:
    """The address as a QR code: an SVG document."""
    out = io.BytesIO()
    segno.make(address, error="m", micro=False).save(out, kind="svg", scale=4, border=3, dark="#000", light="#fff", xmldecl=False)
    return out.getvalue().decode()


def step_of(seed: str, code: str, *, at: float | None = None) -> int | None:
    """The time step that a code of six digits belongs to, or None where it is none of now, just before or just after."""
    digits = "".join(code.split())
    if len(digits) != 6 or not (digits.isascii() and digits.isdigit()):
        return None
    now = int((time.time() if at is None else at) // STEP_S)
    totp, found = pyotp.TOTP(seed), None
    for step in range(now - _DRIFT, now + _DRIFT + 1):
        if hmac.compare_digest(totp.generate_otp(step), digits):
            found = step
    return found


def new_recovery_codes() -> list[str]:
    """Codes to print, in groups of five letters and digits."""
    return [_grouped(_letters()) for _ in range(RECOVERY_CODES)]


def recovery_hash(code: str) -> bytes:
    """What is stored of a recovery code; spaces, dashes and case do not count."""
    letters = "".join(c for c in code.upper() if c.isalnum())
    return hashlib.sha256(b"recovery " + letters.encode(errors="replace")).digest()


def _letters() -> str:
    return base64.b32encode(secrets.token_bytes(16)).decode()[:_RECOVERY_LETTERS]


def _grouped(letters: str) -> str:
    return "-".join(letters[at : at + _GROUP] for at in range(0, len(letters), _GROUP))
