"""Sending by SMTP (RFC 5321), on aiosmtplib.

All recipients or none: when one is refused the message is not handed over. What matters most is to know whether the server has
taken it: everything up to the message's last line is unambiguous, silence after it is not.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Sequence
from typing import Final

import aiosmtplib

from integrations.errors import Rejected, Transient
from integrations.mail import ServerAccount
from integrations.reach import dial

_CREDENTIAL_CODES: Final = frozenset({432, 454, 530, 534, 535, 538})
_HANDSHAKE_S: Final = 15.0


class Sender:
    """Sends for one account. `timeout_s` bounds each answer of the server."""

    def __init__(self, account: ServerAccount, tls: ssl.SSLContext, *, allow_private: bool, timeout_s: float) -> None:
        self._account = account
        self._tls = tls
        self._allow_private = allow_private
        self._timeout_s = timeout_s

    async def send(self, sender: str, recipients: Sequence[str], raw: bytes) -> None:
        """Hand one message over. Raises Rejected, or Transient, `ambiguous` when the server may have taken it."""
        client = await self._open()
        try:
            await self._hand_over(client, sender, recipients, raw)
        finally:
            client.close()

    async def check(self) -> None:
        """Log in and go again. Raises what `send` raises."""
        client = await self._open()
        client.close()

    async def _open(self) -> aiosmtplib.SMTP:
        account = self._account
        sock = await dial(account.smtp_host, account.smtp_port, allow_private=self._allow_private, timeout_s=self._timeout_s)
        client = aiosmtplib.SMTP(
            hostname=account.smtp_host,
            sock=sock,
            timeout=min(self._timeout_s, _HANDSHAKE_S),
            use_tls=account.smtp_security == "tls",
            start_tls=account.smtp_security == "starttls",
            tls_context=self._tls,
            local_hostname=_own_name(account.address),
        )
        try:
            await client.connect()
            await client.ehlo()
            if account.username and account.password:
                await client.login(account.username, account.password)
        except (aiosmtplib.SMTPException, OSError) as error:
            client.close()
            sock.close()
            raise self._before(error) from error
        except BaseException:
            client.close()
            sock.close()
            raise
        return client

    async def _hand_over(self, client: aiosmtplib.SMTP, sender: str, recipients: Sequence[str], raw: bytes) -> None:
        over = False
        try:
            size = ["SIZE=%d" % len(raw)] if client.supports_extension("size") else []
            await client.mail(sender, options=size)
            for recipient in recipients:
                await client.rcpt(recipient)
            over = True
            await client.data(raw, timeout=self._timeout_s)
        except aiosmtplib.SMTPResponseException as error:
            raise self._answered(error) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Transient(f"the connection was lost: {error!r}", ambiguous=over) from error
        try:
            async with asyncio.timeout(1.0):
                await client.quit()
        except (aiosmtplib.SMTPException, OSError):
            # The message is over; the goodbye is a courtesy.
            return

    def _before(self, error: Exception) -> Rejected | Transient:
        host = self._account.smtp_host
        cause = error.__cause__ or error
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Rejected("certificate", f"the certificate of {host} is not valid: {cause.verify_message}", 400)
        if isinstance(error, aiosmtplib.SMTPAuthenticationError):
            if error.code in (432, 454) or error.code == 421:
                return Transient(f"{host} does not let us in now: {error.message}")
            return Rejected(str(error.code), f"{host} refuses the user name or the password: {error.message}", 401)
        if isinstance(error, aiosmtplib.SMTPResponseException):
            return self._answered(error)
        if isinstance(error, aiosmtplib.SMTPNotSupported) or "STARTTLS" in str(error):
            return Rejected("no_tls", f"{host}: {error}", 400)
        return Transient(f"no connection to {host}: {error!r}")

    def _answered(self, error: aiosmtplib.SMTPResponseException) -> Rejected | Transient:
        who = f"{error.recipient}: " if isinstance(error, aiosmtplib.SMTPRecipientRefused) else ""
        words = re.sub(r"\s+", " ", f"{self._account.smtp_host} says {error.code}: {who}{error.message}")[:400]
        if error.code in _CREDENTIAL_CODES and error.code >= 500:
            return Rejected(str(error.code), words, 401)
        if 500 <= error.code < 600:
            return Rejected(str(error.code), words, 400)
        # 4xx: not now, and certainly not taken (RFC 5321, 4.2.1).
        return Transient(words)


def _own_name(address: str) -> str:
    """What we call ourselves: the domain we send for, rather than the name of a container."""
    domain = address.rpartition("@")[2]
    return domain if re.fullmatch(r"[A-Za-z0-9.-]{1,253}", domain) else "localhost"
