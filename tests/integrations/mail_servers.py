"""Mail servers for tests: Debian's dovecot for IMAP, aiosmtpd for SMTP, both unprivileged, in a folder and on ports of their own.

What is sent to an address of a mailbox here is delivered into it; what goes elsewhere is kept in `handed_over`.
"""

from __future__ import annotations

import asyncio
import datetime
import getpass
import grp
import ipaddress
import os
import pwd
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from integrations.errors import Rejected
from integrations.guard import RetryPolicy
from integrations.imap import ImapMailbox, MailServers
from integrations.mail import Mailbox, MailboxKind, MessageRef, ServerAccount
from integrations.mime import ParsedMessage, read_message
from tests.patience import PATIENCE_S
from tests.ports import free_ports

DOVECOT = os.environ.get("RINGSIDE_DOVECOT") or shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
WHY_NOT = "dovecot is not installed (Debian: apt-get install dovecot-imapd)"
PASSWORD = 'open "sesame" \\o/ ü'

_CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
first_valid_gid = 1
mail_uid = {user}
mail_gid = {group}
mail_location = maildir:{folder}/mail/%u
mail_fsync = never
mail_max_userip_connections = 100
disable_plaintext_auth = no
auth_failure_delay = 0
ssl = yes
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {folder}/users/%u
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/mail/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Drafts {{
    auto = create
    special_use = \\Drafts
  }}
  mailbox Sent {{
    auto = create
    special_use = \\Sent
  }}
  mailbox Junk {{
    auto = create
    special_use = \\Junk
  }}
  mailbox Trash {{
    auto = create
    special_use = \\Trash
  }}
}}
service imap-login {{
  chroot =
  service_count = 0
  process_min_avail = 1
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
"""


@dataclass
class Dovecot:
    """A running server. Mailboxes are made by `add`; their mail lies in `folder`."""

    folder: Path
    port: int
    tls_port: int
    uid: int
    gid: int
    passwords: dict[str, str] = field(default_factory=dict)

    def add(self, address: str, password: str = PASSWORD) -> None:
        """Make a mailbox, or change its password."""
        self.passwords[address] = password
        # A file for each, as the server looks at a file that it knows again but once a second.
        fresh = self.folder / "users" / f"{address}.new"
        fresh.write_text(f"{address}:{{PLAIN}}{password}\n")
        fresh.replace(fresh.with_suffix(""))

    def maildir(self, address: str, folder: str = "") -> Path:
        """The folder in which a mailbox's messages are files."""
        return self.folder / "mail" / address / (f".{folder}" if folder else "")

    def deliver(self, address: str, raw: bytes, *, folder: str = "", received_at: datetime.datetime | None = None) -> None:
        """Put a message into a mailbox, unread."""
        place = self.maildir(address, folder)
        for part in (place.parent, place, place / "tmp", place / "new", place / "cur"):
            if not part.exists():
                part.mkdir(parents=True)
                os.chown(part, self.uid, self.gid)
        name = f"{time.time_ns() / 1e9:.6f}.{uuid4().hex}.test"
        fresh = place / "tmp" / name
        fresh.write_bytes(raw)
        os.chown(fresh, self.uid, self.gid)
        if received_at is not None:
            os.utime(fresh, (received_at.timestamp(), received_at.timestamp()))
        fresh.rename(place / "new" / name)

    def tls(self) -> ssl.SSLContext:
        """A context that believes this server's certificate."""
        return ssl.create_default_context(cafile=str(self.folder / "cert.pem"))


@contextmanager
def running_dovecot() -> Iterator[Dovecot]:
    """Start a server and end it. Skips the test where none is installed."""
    if DOVECOT is None:
        pytest.skip(WHY_NOT)
    # It refuses to serve root's mail; then nobody's will do.
    user = "nobody" if os.getuid() == 0 else getpass.getuser()
    known = pwd.getpwnam(user)
    group = grp.getgrgid(known.pw_gid).gr_name
    folder = Path(tempfile.mkdtemp(prefix="ringside-dovecot-"))
    try:
        port, tls_port = free_ports(2)
        server = Dovecot(folder, port, tls_port, known.pw_uid, known.pw_gid)
        for name in ("run", "state", "mail", "users"):
            (folder / name).mkdir()
        _make_certificate(folder)
        config = folder / "dovecot.conf"
        config.write_text(_CONFIG.format(folder=folder, user=user, group=group, port=server.port, tls_port=server.tls_port))
        for path in (folder, *folder.iterdir()):
            os.chown(path, known.pw_uid, known.pw_gid)
        as_whom = {"user": user, "group": known.pw_gid, "extra_groups": []} if os.getuid() == 0 else {}
        running = subprocess.Popen([DOVECOT, "-F", "-c", str(config)], **as_whom)  # type: ignore[call-overload]
        try:
            _wait_for(server.port, running, folder / "log")
            yield server
        finally:
            running.send_signal(signal.SIGTERM)
            try:
                running.wait(5)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(port: int, running: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        assert running.poll() is None, f"dovecot ended: {log.read_text() if log.exists() else 'no log'}"
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as probe:
                if probe.recv(4):
                    return
        except OSError:
            pass
        assert time.monotonic() < deadline, f"dovecot does not answer: {log.read_text() if log.exists() else 'no log'}"
        time.sleep(0.02)


def _make_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


class Outgoing:
    """The SMTP side: takes mail from those who log in. `faults` are replies to give, by command, once each."""

    def __init__(self, dovecot: Dovecot | None) -> None:
        self.dovecot = dovecot
        self.port = 0
        self.handed_over: list[tuple[str, list[str], bytes]] = []
        self.faults: dict[str, str] = {}

    async def handle_RCPT(self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        if self.dovecot is not None and not session.authenticated:
            return "530 5.7.0 Authentication required"
        fault = self.faults.pop("RCPT", "") if not address.startswith("first") else ""
        if fault:
            return fault
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:
        fault = self.faults.pop("DATA", "")
        if fault and fault[0] in "45":
            return fault
        content = envelope.content
        assert isinstance(content, bytes)
        self.handed_over.append((envelope.mail_from or "", list(envelope.rcpt_tos), content))
        for recipient in envelope.rcpt_tos:
            if self.dovecot is not None and recipient in self.dovecot.passwords:
                self.dovecot.deliver(recipient, content)
        if fault == "vanish":
            # Taken, and then the line is dead: nobody hears of it.
            server.transport.abort()
            await asyncio.sleep(0)
        return "250 taken"

    def authenticate(self, server: Any, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        known = self.dovecot.passwords if self.dovecot is not None else {}
        good = isinstance(data, LoginPassword) and known.get(data.login.decode()) == data.password.decode()
        return AuthResult(success=good, handled=False)


@asynccontextmanager
async def running_smtp(dovecot: Dovecot | None, tls: ssl.SSLContext | None = None) -> AsyncIterator[Outgoing]:
    """Have an SMTP server for as long as the context lasts. With `tls` it offers STARTTLS."""
    outgoing = Outgoing(dovecot)
    made: list[SMTP] = []

    def session() -> SMTP:
        server = SMTP(
            outgoing,
            authenticator=outgoing.authenticate,
            auth_require_tls=False,
            hostname="smtp.test",
            tls_context=tls,
        )
        made.append(server)
        return server

    listening = await asyncio.get_running_loop().create_server(session, "127.0.0.1", 0)
    outgoing.port = listening.sockets[0].getsockname()[1]
    try:
        yield outgoing
    finally:
        listening.close()
        for server in made:
            if server.transport is not None:
                server.transport.close()
        await listening.wait_closed()


class ImapWorld:
    """A mailbox at dovecot, which sends through aiosmtpd."""

    kind: MailboxKind = "imap"
    has_threads = False

    def __init__(self, dovecot: Dovecot, outgoing: Outgoing, **options: Any) -> None:
        self.dovecot = dovecot
        self.outgoing = outgoing
        self.address = f"rep-{uuid4().hex[:12]}@ringside.example"
        dovecot.add(self.address)
        self._opened: list[ImapMailbox] = []
        self.servers = MailServers(
            None,
            allow_private=True,
            timeout_s=PATIENCE_S,
            retry=RetryPolicy(attempts=2, first_wait_s=0.01, longest_wait_s=1.0),
            **options,
        )

    @property
    def account(self) -> ServerAccount:
        return ServerAccount(
            address=self.address,
            username=self.address,
            password=PASSWORD,
            imap_host="127.0.0.1",
            imap_port=self.dovecot.port,
            smtp_host="127.0.0.1",
            smtp_port=self.outgoing.port,
            imap_security="none",
            smtp_security="none",
        )

    @property
    def mailbox(self) -> ImapMailbox:
        opened = self.servers.mailbox(self.account)
        self._opened.append(opened)
        return opened

    async def deliver(self, raw: bytes) -> None:
        # A file's time orders nothing: the server numbers them as it meets them.
        self.dovecot.deliver(self.address, raw)
        await self._look()

    async def delete(self, ref: MessageRef) -> None:
        mailbox: Mailbox = self.mailbox
        await mailbox.delete_draft(ref.id)
        await mailbox.close()

    async def forget_history(self) -> None:
        # As a server does that was set up anew: who is connected is not any more.
        for mailbox in self._opened:
            await mailbox.close()
        maildir = self.dovecot.maildir(self.address)
        for index in maildir.glob("dovecot*index*"):
            index.unlink()
        uids = maildir / "dovecot-uidlist"
        # The first line has the UIDVALIDITY, as in "3 V1795255659 N3 G...".
        uids.write_text(re.sub(r"V(\d+)", lambda found: f"V{int(found[1]) + 1000}", uids.read_text(), count=1))

    async def refuse_credential(self) -> None:
        self.dovecot.add(self.address, "another")
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            try:
                await self._look()
            except Rejected:
                return
            await asyncio.sleep(0.05)
        raise AssertionError("the server still takes the old password")

    async def handed_over(self) -> list[bytes]:
        return [raw for _, _, raw in self.outgoing.handed_over]

    def read(self) -> list[ParsedMessage]:
        """What recipients were given, read."""
        return [read_message(raw) for _, _, raw in self.outgoing.handed_over]

    async def _look(self) -> None:
        mailbox = self.mailbox
        await mailbox.list_messages()
        await mailbox.close()


@asynccontextmanager
async def imap_world(dovecot: Dovecot, **options: Any) -> AsyncIterator[ImapWorld]:
    """A mailbox of its own at a server that may be shared."""
    async with running_smtp(dovecot) as outgoing:
        yield ImapWorld(dovecot, outgoing, **options)
