"""One thing of each kind of mail, in the owner's mailbox, for the tests of all endpoints."""

from __future__ import annotations

import itertools
from pathlib import Path
from uuid import UUID

from hub.db import tenant_tx
from hub.mail.sending import queue_mail
from hub.mail.values import MailOut, Stored
from integrations.mime import Address
from tests.conftest import Company
from tests.harness import RunningHub
from tests.mail.kit import arrive
from tests.mailboxes.kit import mailbox_at_a_server

_numbers = itertools.count(1)

_FILE = (
    b"From: Ada <ada@example.com>\r\nTo: owner@example.com\r\nSubject: File %d\r\nMessage-ID: <file%d@example.com>\r\n"
    b'MIME-Version: 1.0\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename="a.pdf"\r\n\r\n%%PDF\r\n'
)


async def _mailbox(server: RunningHub, company: Company) -> UUID:
    return await mailbox_at_a_server(server.hub.db, company, f"owner{next(_numbers)}@mail.test")


async def _stored(server: RunningHub, company: Company) -> Stored:
    number = next(_numbers)
    raw = _FILE % (number, number)
    folder = Path(server.settings.objects) / "mail"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{number}.eml").write_bytes(raw)
    mailbox_id = await _mailbox(server, company)
    return await arrive(server.hub.db, company, mailbox_id, raw, f"p{number}", object_key=f"mail/{number}.eml")


async def a_thread(server: RunningHub, company: Company) -> str:
    """A conversation in the inbox."""
    return str((await _stored(server, company)).thread_id)


async def a_mail_message(server: RunningHub, company: Company) -> str:
    """A message that is nothing but a file, number 0."""
    return str((await _stored(server, company)).message_id)


async def a_draft(server: RunningHub, company: Company) -> str:
    """The owner's draft."""
    given = {"mailbox_id": str(await _mailbox(server, company)), "to": [{"address": "ben@example.com"}], "signature": False}
    answer = await server.as_member(company, "owner").post("/mail/drafts", given)
    assert answer.status == 201, answer.body
    return str(answer.body["id"])


async def a_send(server: RunningHub, company: Company) -> str:
    """The owner's mail that waits."""
    mailbox_id = await _mailbox(server, company)
    async with tenant_tx(server.hub.db, company.who("owner")) as tx:
        mail = MailOut(mailbox_id, (Address("", "ben@example.com"),), "Hello", "<p>Hello</p>", user_id=company.members["owner"])
        return str(await queue_mail(tx, mail))
