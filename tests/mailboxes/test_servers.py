"""Mailboxes at servers that speak IMAP and SMTP: dovecot and aiosmtpd."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.conftest import Company, TestDatabase, make_company
from tests.harness import Api, until
from tests.integrations.mail_servers import PASSWORD, Dovecot, running_dovecot, running_smtp
from tests.mailboxes.conftest import House, open_house, settled
from tests.mailboxes.kit import letter

ADDRESS = "ada@servers.test"


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    """One server for all tests here."""
    with running_dovecot() as server:
        yield server


@pytest.fixture
async def house(
    dovecot: Dovecot, database: TestDatabase, valkey_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[House]:
    """A house that believes the server's certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(dovecot.folder / "cert.pem"))
    async with open_house(database, valkey_url, tmp_path / "objects", private_mail_hosts=True) as opened:
        yield opened


async def test_a_mailbox_at_a_server_is_tried_kept_and_taken_in(house: House, dovecot: Dovecot) -> None:
    acme = await make_company(house.server.hub.db, "Acme")
    rep = house.server.as_member(acme, "rep")
    dovecot.add(ADDRESS)
    for number in range(5):
        dovecot.deliver(ADDRESS, letter(f"Old {number}", to=ADDRESS))
    certificate = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.load_cert_chain(dovecot.folder / "cert.pem", dovecot.folder / "key.pem")
    async with running_smtp(dovecot, certificate) as outgoing:
        given = {
            "address": ADDRESS,
            "username": ADDRESS,
            "password": PASSWORD,
            "imap_host": "127.0.0.1",
            "imap_port": dovecot.tls_port,
            "smtp_host": "127.0.0.1",
            "smtp_port": outgoing.port,
            "smtp_security": "starttls",
            "visibility": "everyone",
        }
        assert (await rep.post("/mailboxes", given | {"password": "wrong"})).field("password")
        assert (await rep.post("/mailboxes", given | {"smtp_port": 9})).field("smtp_host")
        made = await rep.post("/mailboxes", given)
        assert made.status == 201, made.body
        assert (made.body["kind"], made.body["address"], made.body["visibility"]) == ("imap", ADDRESS, "everyone")
        await _is_taken_in(house, dovecot, acme, rep, made.body["id"])
        again = await rep.post("/mailboxes", given | {"password": "changed"})
        assert (again.status, again.body["id"]) == (201, made.body["id"]), "a new password mends the same mailbox"


async def _is_taken_in(house: House, dovecot: Dovecot, acme: Company, rep: Api, mailbox_id: str) -> None:
    async with house.worker():
        await settled(rep, mailbox_id, "current")
        assert len(await house.subjects(acme)) == 5
        dovecot.deliver(ADDRESS, letter("New", to=ADDRESS))
        await rep.post(f"/mailboxes/{mailbox_id}/sync")

        async def arrived() -> bool:
            return "New" in await house.subjects(acme)

        await until(arrived)
        dovecot.add(ADDRESS, "changed")
        await rep.post(f"/mailboxes/{mailbox_id}/sync")
        await settled(rep, mailbox_id, "revoked")
