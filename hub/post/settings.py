"""The mail server that Ringside's own letters go through."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from email.utils import parseaddr
from typing import Literal
from urllib.parse import unquote, urlsplit

Security = Literal["tls", "starttls", "none"]
_PORTS: dict[Security, int] = {"tls": 465, "starttls": 587, "none": 25}
_SCHEMES: dict[str, Security] = {"smtps": "tls", "smtp": "starttls", "smtp+plain": "none"}


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """A mail server and who the letters are from. Without a user name nobody logs in."""

    host: str
    port: int
    security: Security
    username: str
    password: str = field(repr=False)
    from_name: str = ""
    from_address: str = ""

    @classmethod
    def parse(cls, url: str, sender: str) -> SmtpSettings:
        """Read SMTP_URL (smtp://user:password@host:587, smtps://... for TLS from the first byte) and MAIL_FROM.

        Raises ValueError, which names the variable and what it should be.
        """
        parts = urlsplit(url)
        security = _SCHEMES.get(parts.scheme)
        try:
            port = parts.port
        except ValueError:
            port = 0
        if security is None or not parts.hostname or port == 0 or parts.path.strip("/") or parts.query:
            raise ValueError(
                "SMTP_URL should be smtp://user:password@host:587 (STARTTLS), smtps://user:password@host:465 (TLS), "
                "or smtp+plain://host:25 for a relay on the same machine."
            )
        if security == "none" and parts.password:
            raise ValueError("SMTP_URL: smtp+plain:// would send the password in the clear. Use smtp:// or smtps://.")
        name, address = parseaddr(sender)
        local, _, domain = address.partition("@")
        if not local or "." not in domain + "." or not domain:
            raise ValueError("MAIL_FROM should be the address letters are from, such as Ringside <no-reply@example.com>.")
        return cls(
            host=parts.hostname,
            port=port or _PORTS[security],
            security=security,
            username=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            from_name=name or "Ringside",
            from_address=address,
        )


def page_path(key: bytes) -> str:
    """The unguessable path of the page with letters that belong to no company, from the settings' key for `outbox-page`."""
    return f"/outbox/{hmac.new(key, b'page', hashlib.sha256).hexdigest()[:32]}"
