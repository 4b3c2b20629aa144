"""Access tokens: short-lived JWTs with a pinned algorithm. Verified ones are remembered until they expire."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import cast
from uuid import UUID, uuid4

import jwt

from hub.errors import Unauthorized
from hub.who import ROLES, Role, Who

ALGORITHM = "HS256"
ISSUER = "ringside"
AUDIENCE = "ringside-api"
TOKEN_TYPE = "access"  # noqa: S105 - a claim's value, not a secret
LIFETIME_S = 600
_CACHE_SIZE = 20_000


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says. Times are seconds since the epoch."""

    user_id: UUID
    tenant_id: UUID
    role: Role
    session_id: UUID
    name: str
    issued_at: float
    expires_at: float

    def who(self, request_id: str = "") -> Who:
        """The member this token speaks for."""
        return Who(self.tenant_id, self.user_id, self.role, self.session_id, self.name, request_id)


class Tokens:
    """Issues and verifies access tokens with one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._seen: OrderedDict[str, Claims] = OrderedDict()

    def issue(
        self, *, user_id: UUID, tenant_id: UUID, role: Role, session_id: UUID, name: str, lifetime_s: int = LIFETIME_S
    ) -> str:
        """A signed token for one session in one company."""
        now = time.time()
        return jwt.encode(
            {
                "iss": ISSUER,
                "aud": AUDIENCE,
                "typ": TOKEN_TYPE,
                "jti": uuid4().hex,
                "sub": str(user_id),
                "tid": str(tenant_id),
                "sid": str(session_id),
                "role": role,
                "name": name,
                "iat": now,
                "exp": int(now) + lifetime_s,
            },
            self._key,
            algorithm=ALGORITHM,
        )

    def verify(self, token: str) -> Claims:
        """The claims of a good token. Raises Unauthorized with code `token_expired` or `token_invalid`."""
        claims = self._seen.get(token)
        if claims is None:
            claims = self._decode(token)
            self._seen[token] = claims
            if len(self._seen) > _CACHE_SIZE:
                self._seen.popitem(last=False)
        if claims.expires_at <= time.time():
            self._seen.pop(token, None)
            raise Unauthorized("The access token has expired. Refresh it.", code="token_expired")
        return claims

    def _decode(self, token: str) -> Claims:
        try:
            body = jwt.decode(
                token,
                self._key,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                options={"require": ["exp", "iat", "sub", "aud", "iss"]},
            )
            if body.get("typ") != TOKEN_TYPE or body.get("role") not in ROLES:
                raise Unauthorized("This is not an access token of Ringside.", code="token_invalid")
            return Claims(
                user_id=UUID(str(body["sub"])),
                tenant_id=UUID(str(body["tid"])),
                role=cast(Role, body["role"]),
                session_id=UUID(str(body["sid"])),
                name=str(body.get("name", "")),
                issued_at=float(body["iat"]),
                expires_at=float(body["exp"]),
            )
        except jwt.ExpiredSignatureError:
            raise Unauthorized("The access token has expired. Refresh it.", code="token_expired") from None
        except (jwt.InvalidTokenError, KeyError, ValueError, TypeError):
            raise Unauthorized("The access token is not valid. Sign in again.", code="token_invalid") from None
