"""Delivering a test's letters, and a mail server that takes them or does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiosmtpd.smtp import SMTP, Envelope, Session

from integrations.letters import SmtpCarrier, smtp_account
from integrations.mime import Address, ParsedMessage, read_message
from tests.harness import RunningHub
from workers.job import Deps
from workers.post import deliver_letters


@dataclass
class Postman:
    """A mail server: what it was given, and what it answers to the next messages, "" for taking them."""

    port: int = 0
    taken: list[ParsedMessage] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        """aiosmtpd asks what becomes of a message."""
        answer = self.answers.pop(0) if self.answers else ""
        if answer:
            return answer
        assert isinstance(envelope.content, bytes)
        self.taken.append(read_message(envelope.content))
        return "250 taken"


@asynccontextmanager
async def open_postman() -> AsyncIterator[Postman]:
    """A mail server on this machine, for as long as the block lasts."""
    postman = Postman()
    listening = await asyncio.get_running_loop().create_server(lambda: SMTP(postman, hostname="localhost"), "127.0.0.1", 0)
    postman.port = listening.sockets[0].getsockname()[1]
    try:
        yield postman
    finally:
        listening.close()
        await listening.wait_closed()


async def deliver(server: RunningHub, postman: Postman | None = None) -> None:
    """What a worker does every second, through a mail server or, without one, into the local outbox."""
    carrier = None
    if postman is not None:
        account = smtp_account(
            host="127.0.0.1", port=postman.port, security="none", username="", password="", address="no-reply@ringside.test"
        )
        carrier = SmtpCarrier(account, Address("Ringside", "no-reply@ringside.test"), None)
    await deliver_letters.function(Deps(server.hub.db, server.settings, letters=carrier))
