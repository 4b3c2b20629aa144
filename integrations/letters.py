"""Our own letters by SMTP: the `LetterCarrier` port."""

from __future__ import annotations

import ssl
from typing import Literal

from redis.asyncio import Redis

from integrations.errors import Rejected
from integrations.guard import Guard
from integrations.imap.smtp import Sender
from integrations.mail import ServerAccount
from integrations.mime import Address, Draft, compose_message, recipients_of
from integrations.telling import OwnLetter

_TIMEOUT_S = 20.0
_GUARD_TIMEOUT_S = 30.0


class SmtpCarrier:
    """Sends through one mail server, as one sender. The operator names the server, so it may stand anywhere."""

    def __init__(
        self, account: ServerAccount, sender: Address, redis: Redis | None, *, tls: ssl.SSLContext | None = None
    ) -> None:
        self._sender = sender
        self._smtp = Sender(account, tls or ssl.create_default_context(), allow_private=True, timeout_s=_TIMEOUT_S)
        where = f"{account.smtp_host}:{account.smtp_port}/{account.username}"
        self._guard = Guard("smtp", where, redis, timeout_s=_GUARD_TIMEOUT_S)

    async def carry(self, letter: OwnLetter) -> None:
        """Hand one over; the next attempt is the ledger's, not the guard's."""
        try:
            raw = self._compose(letter)
        except ValueError as problem:
            raise Rejected("501", f"{problem}", 400, provider="smtp") from problem

        async def send() -> None:
            await self._smtp.send(self._sender.address, recipients_of(raw), raw)

        await self._guard.call("letters.send", send, repeatable=False)

    def _compose(self, letter: OwnLetter) -> bytes:
        domain = self._sender.address.rpartition("@")[2]
        return compose_message(
            Draft(
                message_id=f"<{letter.name}@{domain}>",
                from_=self._sender,
                to=(Address("", letter.to),),
                subject=letter.subject,
                date=letter.written_at,
                text=letter.text,
                html=letter.html,
                # No robot shall answer (RFC 3834, 5.2), Outlook's neither.
                headers={"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"},
            )
        )


def smtp_account(
    *, host: str, port: int, security: Literal["tls", "starttls", "none"], username: str, password: str, address: str
) -> ServerAccount:
    """The account of a server that mail only goes out through."""
    return ServerAccount(
        address=address,
        username=username,
        password=password,
        imap_host="",
        imap_port=0,
        smtp_host=host,
        smtp_port=port,
        smtp_security=security,
    )
