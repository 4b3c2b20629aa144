"""What a provider says of itself (OpenID Connect Discovery 1.0), and the keys it signs with (RFC 7517)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from integrations.errors import Rejected
from integrations.oidc.asking import check_url

T = TypeVar("T")

# How long a description and keys are believed, and how often a key that is not among them is asked for at most.
BELIEVED_S: Final = 3_600.0
ASKED_AGAIN_S: Final = 10.0
# Signatures with a key pair only: what is signed with a shared secret, or not at all, proves nothing here (RFC 8725, 3.1).
ALGORITHMS: Final = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"})
_KEY_TYPES: Final = {"R": "RSA", "P": "RSA", "E": "EC"}
_MOST_KEYS: Final = 100

Ask = Callable[[str], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Description:
    """Where a provider's endpoints are and what it can do."""

    issuer: str
    authorize: str
    token: str
    keys: str
    userinfo: str
    algorithms: frozenset[str]
    secret_in_body: bool
    names_itself: bool

    @classmethod
    def read(cls, said: Mapping[str, Any], issuer: str, *, allow_private: bool) -> Description:
        """Check what a provider says of itself. Raises Rejected in words."""
        if said.get("issuer") != issuer:
            # Discovery 4.3: a provider that speaks for another one is none.
            raise Rejected(
                "issuer_mismatch", f"It says that its issuer is {str(said.get('issuer'))[:200]!r}, not {issuer!r}.", 400
            )
        found = {}
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            url = said.get(name)
            if not isinstance(url, str):
                raise Rejected("incomplete", f"Its description has no {name}.", 400)
            found[name] = check_url(url, f"Its {name}", allow_private=allow_private)
        userinfo = said.get("userinfo_endpoint")
        userinfo = check_url(userinfo, "Its userinfo_endpoint", allow_private=allow_private) if isinstance(userinfo, str) else ""
        if "code" not in _texts(said, "response_types_supported", ("code",)):
            raise Rejected("no_code_flow", "It does not support the authorization code (response_type=code).", 400)
        methods = _texts(said, "code_challenge_methods_supported", ("S256",))
        if "S256" not in methods:
            raise Rejected("no_pkce", "It does not support PKCE with S256.", 400)
        algorithms = ALGORITHMS & set(_texts(said, "id_token_signing_alg_values_supported", ("RS256",)))
        if not algorithms:
            raise Rejected("no_algorithm", "It signs with no algorithm that is accepted here, such as RS256 or ES256.", 400)
        ways = _texts(said, "token_endpoint_auth_methods_supported", ("client_secret_basic",))
        if not {"client_secret_basic", "client_secret_post"} & set(ways):
            raise Rejected(
                "no_client_secret", "Its token endpoint takes neither client_secret_basic nor client_secret_post.", 400
            )
        return cls(
            issuer=issuer,
            authorize=found["authorization_endpoint"],
            token=found["token_endpoint"],
            keys=found["jwks_uri"],
            userinfo=userinfo,
            algorithms=frozenset(algorithms),
            secret_in_body="client_secret_basic" not in ways,
            names_itself=said.get("authorization_response_iss_parameter_supported") is True,
        )


def _texts(said: Mapping[str, Any], name: str, usual: tuple[str, ...]) -> tuple[str, ...]:
    value = said.get(name)
    return tuple(str(each) for each in value[:_MOST_KEYS]) if isinstance(value, list) else usual


class Kept:
    """Answers that are believed for a while; those who ask at the same time cause one question."""

    def __init__(self, read: Callable[[], Awaitable[T]]) -> None:
        self._read: Callable[[], Awaitable[Any]] = read
        self._value: Any = None
        self._at = float("-inf")
        self._lock = asyncio.Lock()

    async def get(self, *, younger_than_s: float = BELIEVED_S) -> Any:
        """The answer, asked for anew when it is older. What fails leaves the old one for later."""
        async with self._lock:
            if time.monotonic() - self._at > younger_than_s:
                self._value = await self._read()
                self._at = time.monotonic()
            return self._value


class Keys:
    """The keys at an address. One that is not among them is asked for, but not more often than ASKED_AGAIN_S."""

    def __init__(self, read: Callable[[], Awaitable[dict[str, Any]]]) -> None:
        self._kept = Kept(read)

    async def find(self, key_id: str | None, algorithm: str) -> Mapping[str, Any]:
        """The key for a signature. Raises Rejected when there is none, or more than one and no id to choose by."""
        for younger_than_s in (BELIEVED_S, ASKED_AGAIN_S):
            fitting = _fitting(await self._kept.get(younger_than_s=younger_than_s), key_id, algorithm)
            if len(fitting) == 1:
                return fitting[0]
        raise Rejected("unknown_key", "It is signed with a key that the provider does not show.", 400)


def _fitting(said: Mapping[str, Any], key_id: str | None, algorithm: str) -> list[Mapping[str, Any]]:
    listed = said.get("keys")
    wanted = _KEY_TYPES.get(algorithm[0], "OKP")
    if algorithm == "EdDSA":
        wanted = "OKP"
    return [
        key
        for key in (listed if isinstance(listed, list) else [])[:_MOST_KEYS]
        if isinstance(key, dict)
        and key.get("kty") == wanted
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and (key_id is None or key.get("kid") == key_id)
    ]
