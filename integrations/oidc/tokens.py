"""ID tokens: what has to be true of one before a word of it is believed (OpenID Connect Core, 3.1.3.7; RFC 8725)."""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping
from typing import Any, Final

import jwt

from integrations.errors import Rejected
from integrations.oidc.provider import ALGORITHMS, Description, Keys

LEEWAY_S: Final = 60
# It was made for this very sign-in, moments ago.
OLDEST_S: Final = 600
_LARGEST: Final = 50_000


async def read_id_token(
    token: Any,
    *,
    description: Description,
    keys: Keys,
    client_id: str,
    nonce: str,
    max_age_s: int | None,
    now: float | None = None,
) -> Mapping[str, Any]:
    """The claims of a good ID token. Raises Rejected with the reason, which never holds the token."""
    if not isinstance(token, str) or not token or len(token) > _LARGEST:
        raise _bad("The provider gave no ID token.")
    try:
        header = jwt.get_unverified_header(token)
    except jwt.InvalidTokenError:
        raise _bad("The provider's ID token can't be read.") from None
    algorithm, key_id = header.get("alg"), header.get("kid")
    if algorithm not in ALGORITHMS or algorithm not in description.algorithms:
        raise _bad("The ID token is not signed in a way that is accepted here.")
    if "crit" in header:
        raise _bad("The ID token has extensions that are not understood here.")
    key = await keys.find(key_id if isinstance(key_id, str) else None, algorithm)
    try:
        claims = jwt.decode(
            token,
            jwt.PyJWK(dict(key), algorithm),
            algorithms=[algorithm],
            audience=client_id,
            issuer=description.issuer,
            leeway=LEEWAY_S,
            options={"require": ["exp", "iat", "sub", "aud", "iss"], "enforce_minimum_key_length": True},
        )
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise _bad(f"The ID token is not good ({type(error).__name__}).") from None
    _check(claims, client_id=client_id, nonce=nonce, max_age_s=max_age_s, now=time.time() if now is None else now)
    return claims


def _check(claims: Mapping[str, Any], *, client_id: str, nonce: str, max_age_s: int | None, now: float) -> None:
    audience = claims["aud"]
    if isinstance(audience, list) and audience != [client_id]:
        raise _bad("The ID token is meant for others as well.")
    if claims.get("azp", client_id) != client_id:
        raise _bad("The ID token was given to another client.")
    given = claims.get("nonce")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), nonce.encode()):
        raise _bad("The ID token belongs to another sign-in.")
    subject = claims["sub"]
    if not isinstance(subject, str) or not 1 <= len(subject) <= 255:
        raise _bad("The ID token names nobody.")
    issued_at = claims["iat"]
    if not isinstance(issued_at, int | float) or not now - OLDEST_S <= issued_at <= now + LEEWAY_S:
        raise _bad("The ID token was made at another time.")
    if max_age_s is not None:
        seen_at = claims.get("auth_time")
        if not isinstance(seen_at, int | float) or seen_at < now - max_age_s - LEEWAY_S:
            raise _bad("The provider did not ask who you are again.")


def _bad(words: str) -> Rejected:
    return Rejected("bad_id_token", words, 400)
