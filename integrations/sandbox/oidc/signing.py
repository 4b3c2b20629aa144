"""The keys of the sandbox, and ID tokens: good ones, and such as must not be believed."""

from __future__ import annotations

import base64
import json
import secrets
import time
from dataclasses import dataclass
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Key:
    """A key and what it is called."""

    key_id: str
    key: PrivateKey

    @property
    def algorithm(self) -> str:
        """What it signs with."""
        return "RS256" if isinstance(self.key, rsa.RSAPrivateKey) else "ES256"

    def shown(self) -> dict[str, Any]:
        """The public key as a JSON Web Key."""
        found: dict[str, Any] = {}
        if isinstance(self.key, rsa.RSAPrivateKey):
            found.update(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True))
        else:
            found.update(jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True))
        wanted: dict[str, Any] = {name: found[name] for name in ("kty", "n", "e", "crv", "x", "y") if name in found}
        return {**wanted, "kid": self.key_id, "alg": self.algorithm, "use": "sig"}


class Signer:
    """Signs with the newest key and shows them all."""

    def __init__(self) -> None:
        self.keys = [Key(secrets.token_hex(8), _rsa_key())]

    def rotate(self, *, forget: bool = False) -> None:
        """Sign with a new key, of the other kind, from now on. `forget`: the old ones are shown no more."""
        is_rsa = isinstance(self.keys[-1].key, rsa.RSAPrivateKey)
        new = Key(secrets.token_hex(8), ec.generate_private_key(ec.SECP256R1()) if is_rsa else _rsa_key())
        self.keys = [*([] if forget else self.keys), new]

    def shown(self) -> dict[str, Any]:
        """The JSON Web Key Set."""
        return {"keys": [key.shown() for key in self.keys]}

    def sign(self, claims: dict[str, Any], lie: str = "") -> str:
        """Return an ID token; one that is not to be believed with a `lie` (faults.Lie)."""
        now = int(time.time())
        changed: dict[str, dict[str, Any]] = {
            "other_issuer": {"iss": "https://accounts.example.com"},
            "other_audience": {"aud": "another-client"},
            "more_audiences": {"aud": [claims["aud"], "another-client"]},
            "other_azp": {"azp": "another-client"},
            "other_nonce": {"nonce": "another"},
            "no_nonce": {"nonce": None},
            "expired": {"iat": now - 600, "exp": now - 300},
            "old": {"iat": now - 7200, "exp": now + 300},
            "from_the_future": {"iat": now + 3000, "exp": now + 3600},
            "no_subject": {"sub": ""},
            "old_auth_time": {"auth_time": now - 86_400},
        }
        said = {name: value for name, value in (claims | changed.get(lie, {})).items() if value is not None}
        key = self.keys[-1]
        header = {"kid": key.key_id}
        if lie == "alg_none":
            return ".".join((_part({"alg": "none", "typ": "JWT", **header}), _part(said), ""))
        if lie == "key_confusion":
            # The public key taken for a shared secret, which everybody knows.
            shared = key.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            signing = f"{_part({'alg': 'HS256', 'typ': 'JWT', **header})}.{_part(said)}"
            algorithm = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
            return f"{signing}.{_encoded(algorithm.sign(signing.encode(), shared))}"
        if lie == "other_key":
            return jwt.encode(said, rsa.generate_private_key(65537, 2048), algorithm="RS256", headers=header)
        if lie == "unknown_key":
            return jwt.encode(said, rsa.generate_private_key(65537, 2048), algorithm="RS256", headers={"kid": "nobody's"})
        return jwt.encode(said, key.key, algorithm=key.algorithm, headers=header)


@cache
def _rsa_key() -> rsa.RSAPrivateKey:
    """One a process: to make it takes longer than to start a sandbox."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _part(said: dict[str, Any]) -> str:
    return _encoded(json.dumps(said).encode())


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
