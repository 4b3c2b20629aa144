"""Access tokens: short-lived JWTs with a pinned algorithm. Verified ones are remembered until they expire."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import cast
from uuid import UUID, uuid4

import jwt

from hub.errors import Unauthorized
from hub.permissions import ROLE_PERMISSIONS, effective
from hub.who import ROLES, Role, Who

ALGORITHM = "HS256"
ISSUER = "ringside"
AUDIENCE = "ringside-api"
TOKEN_TYPE = "access"  # noqa: S105 - a claim's value, not a secret
LIFETIME_S = 600
# How long a confirmation that it is really they lets a person do dangerous things (ASVS 7.5.3).
FRESH_S = 600
SECOND_FACTOR_WANTED = (
    "Your company wants everybody to have a second factor. Set up an authenticator app or a passkey first, or confirm with yours."
)
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
    # When the person last proved who they are in this session; 0 where nobody did.
    confirmed_at: float = 0.0
    # What a role of the company's own allows, and its name; None and empty where the role is a built-in one.
    granted: frozenset[str] | None = None
    role_name: str = ""
    # The API key that speaks in the person's place, which is then the session's id as well.
    key_id: UUID | None = None
    # The company wants a second factor that was not shown: nothing can be done but to set one up, or to show it.
    must_enrol: bool = False

    @property
    def permissions(self) -> frozenset[str]:
        """What may be done with this token."""
        return ROLE_PERMISSIONS[self.role] if self.granted is None else self.granted

    @property
    def is_fresh(self) -> bool:
        """Have they proved who they are in the last minutes?"""
        return time.time() - self.confirmed_at < FRESH_S

    def who(self, request_id: str = "") -> Who:
        """The member this token speaks for."""
        who = Who(self.tenant_id, self.user_id, self.role, self.session_id, self.name, request_id)
        return who if self.granted is None else replace(who, permissions=self.granted)


class Tokens:
    """Issues and verifies access tokens with one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._seen: OrderedDict[str, Claims] = OrderedDict()

    def issue(
        self,
        *,
        user_id: UUID,
        tenant_id: UUID,
        role: Role,
        session_id: UUID,
        name: str,
        confirmed_at: float = 0.0,
        granted: Collection[str] | None = None,
        role_name: str = "",
        must_enrol: bool = False,
        lifetime_s: int = LIFETIME_S,
    ) -> str:
        """A signed token for one session in one company; `confirmed_at` is when its person last proved who they are.

        `granted` is what a role of the company's own allows, `role_name` what it is called. With `must_enrol` it serves to set up
        a second factor, and for nothing else.
        """
        now = time.time()
        own_role = {} if granted is None else {"perms": sorted(granted), "role_name": role_name}
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
                "auth_time": confirmed_at,
                **own_role,
                **({"enrol": True} if must_enrol else {}),
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
                confirmed_at=float(body.get("auth_time", 0)),
                granted=effective(body["role"], body["perms"]) if "perms" in body else None,
                role_name=str(body.get("role_name", "")),
                must_enrol=bool(body.get("enrol", False)),
            )
        except jwt.ExpiredSignatureError:
            raise Unauthorized("The access token has expired. Refresh it.", code="token_expired") from None
        except (jwt.InvalidTokenError, KeyError, ValueError, TypeError):
            raise Unauthorized("The access token is not valid. Sign in again.", code="token_invalid") from None
