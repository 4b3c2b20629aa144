"""Google's signature: one RSA key, the certificates that show it, and tokens signed with it."""

import secrets
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

ISSUER: Final = "https://accounts.google.com"


class Signer:
    """Signs tokens as Google does (RS256)."""

    def __init__(self) -> None:
        self.key_id = secrets.token_hex(20)
        self._key = _key()

    def sign(self, claims: dict[str, Any]) -> str:
        """Return a token with these claims."""
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": self.key_id})

    def identity(self, *, audience: str, subject: str, email: str, lasts_s: int = 3600, **more: Any) -> str:
        """Return an OpenID Connect token; `more` are further claims, or others than the usual."""
        now = int(datetime.now(UTC).timestamp())
        claims = {
            "iss": ISSUER,
            "aud": audience,
            "azp": subject,
            "sub": subject,
            "email": email,
            "email_verified": True,
            "iat": now,
            "exp": now + lasts_s,
        }
        return self.sign(claims | more)

    def jwks(self) -> dict[str, Any]:
        """Return the public key as /oauth2/v3/certs shows it."""
        shown = jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        wanted = {name: shown[name] for name in ("kty", "n", "e")}
        return {"keys": [wanted | {"kid": self.key_id, "alg": "RS256", "use": "sig"}]}

    def certificates(self) -> dict[str, str]:
        """Return it as /oauth2/v1/certs shows it: a certificate in PEM by key id."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "federated-signon.system.gserviceaccount.com")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=16))
            .sign(self._key, hashes.SHA256())
        )
        return {self.key_id: certificate.public_bytes(serialization.Encoding.PEM).decode()}


@cache
def _key() -> rsa.RSAPrivateKey:
    """One key a process: making it takes longer than starting a sandbox. A forger needs another, see `forge`."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def forge(claims: dict[str, Any], key_id: str) -> str:
    """Return a token that claims to be signed with `key_id` and is not."""
    return jwt.encode(claims, rsa.generate_private_key(65537, 2048), algorithm="RS256", headers={"kid": key_id})
