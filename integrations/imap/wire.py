"""One connection to an IMAP server: aioimaplib's protocol, on a socket that was checked before, with what it lacks.

The library goes one call deeper for each line of an answer, so that a long answer ends in a RecursionError; it lets commands
wait for their timeout when the connection is lost; and it knows no STARTTLS. This class mends the three.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from typing import Any, Final

from aioimaplib import aioimaplib

from integrations.errors import ProviderError, Rejected, Transient

# The library writes whole messages into its log.
logging.getLogger("aioimaplib").setLevel(logging.WARNING)
_LINE_END: Final = b"\r\n"
# An answer's line without an end must not fill the memory.
_LONGEST_LINE: Final = 16 * 1024 * 1024


class Protocol(aioimaplib.IMAP4ClientProtocol):  # type: ignore[misc]  # the library has no types
    """The library's protocol, reading in a loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.greeted = asyncio.Event()
        self.is_lost = False

    def _handle_responses(self, data: bytes, line_handler: Any, current_cmd: Any = None) -> None:
        while True:
            if not data:
                if self.pending_sync_command is not None:
                    self.pending_sync_command.flush()
                if current_cmd is not None and current_cmd.wait_data():
                    raise aioimaplib.IncompleteRead(current_cmd)
                return
            if current_cmd is not None and current_cmd.wait_literal_data():
                data = current_cmd.append_literal_data(data)
                if current_cmd.wait_literal_data():
                    raise aioimaplib.IncompleteRead(current_cmd)
            line, separator, tail = data.partition(_LINE_END)
            if not separator:
                if len(data) > _LONGEST_LINE:
                    self.transport.abort()
                    return
                raise aioimaplib.IncompleteRead(current_cmd, data)
            command = line_handler(line, current_cmd)
            literal = aioimaplib.literal_data_re.match(line)
            if literal:
                if command is None:
                    command = aioimaplib.Command("NIL", "unused", loop=self.loop)
                command.begin_literal_data(int(literal["size"]))
                current_cmd = command
            else:
                current_cmd = command if command is not None and command.wait_data() else None
            data = tail

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.is_lost = True
        self.greeted.set()
        waiting = [self.pending_sync_command, *self.pending_async_commands.values()]
        for command in waiting:
            if command is not None and not command._event.is_set():
                command._exception = aioimaplib.Abort(f"the connection was lost: {exc or 'closed by the server'}")
                command._event.set()

    async def welcome(self, command: bytes) -> None:
        """Take the greeting. The library asks for the capabilities while it holds a lock that whoever waits needs to give up."""
        if command.startswith((b"* OK", b"* PREAUTH")):
            self.state = aioimaplib.AUTH if command.startswith(b"* PREAUTH") else aioimaplib.NONAUTH
            self.greeted.set()
        else:
            self.transport.abort()


class Connection:
    """Commands, one after the other. `timeout_s` bounds the silence within each."""

    def __init__(self, protocol: Protocol, timeout_s: float) -> None:
        self.protocol = protocol
        self.timeout_s = timeout_s

    @classmethod
    async def open(cls, sock: socket.socket, host: str, security: str, tls: ssl.SSLContext, timeout_s: float) -> Connection:
        """Greet the server, encrypted as `security` says. Raises Transient or Rejected."""
        loop = asyncio.get_running_loop()
        protocol = Protocol(loop)
        try:
            async with asyncio.timeout(timeout_s):
                at_once = tls if security == "tls" else None
                await loop.create_connection(lambda: protocol, sock=sock, ssl=at_once, server_hostname=host if at_once else None)
                await protocol.greeted.wait()
                if protocol.is_lost:
                    raise Transient(f"{host} does not want to talk now")
                connection = cls(protocol, timeout_s)
                await protocol.capability()
                if security == "starttls":
                    await connection._start_tls(host, tls)
        except BaseException as error:
            if protocol.transport is not None:
                protocol.transport.abort()
            else:
                sock.close()
            if isinstance(error, ssl.SSLCertVerificationError):
                raise Rejected("certificate", f"the certificate of {host} is not valid: {error.verify_message}", 400) from error
            # What is no IMAP at all fails in many ways.
            if isinstance(error, OSError | aioimaplib.AioImapException | IndexError | ValueError):
                raise Transient(f"no connection to {host}: {error!r}") from error
            raise
        return connection

    async def _start_tls(self, host: str, tls: ssl.SSLContext) -> None:
        protocol = self.protocol
        answer = await protocol.execute(self._command("STARTTLS"))
        if answer.result != "OK":
            raise Rejected("no_tls", f"{host} can't be spoken to in private: it refuses STARTTLS", 400)
        # What came before the encryption may be anybody's (CVE-2011-0411).
        protocol.incomplete_line = b""
        protocol.transport = await asyncio.get_running_loop().start_tls(protocol.transport, protocol, tls, server_hostname=host)
        await protocol.capability()

    async def login(self, username: str, password: str) -> None:
        """Say who we are. Raises Rejected with status 401 when the server does not believe it."""
        answer = await self._execute("LOGIN", quoted(username), quoted(password), secret=password)
        if answer.result != "OK":
            words = _words(answer)
            if "[UNAVAILABLE]" in words or "[INUSE]" in words or "[LIMIT]" in words:
                raise Transient(f"the server does not let us in now: {words}")
            raise Rejected("refused", f"the server refuses the user name or the password: {words}", 401)
        self.protocol.state = aioimaplib.AUTH
        await self._guarded(self.protocol.capability())

    def has(self, capability: str) -> bool:
        """Does the server know this?"""
        return capability in self.protocol.capabilities

    async def ask(self, name: str, *args: str, by_uid: bool = False, answers_as: str = "") -> list[bytes | bytearray]:
        """Perform a command; the lines of the answer. Raises Transient or Rejected with the server's words."""
        return self._lines(name, await self._execute(name, *args, by_uid=by_uid, answers_as=answers_as))

    async def select(self, folder: str) -> list[bytes | bytearray]:
        """Go into a folder."""
        return self._lines("SELECT", await self._guarded(self.protocol.select(quoted(folder))))

    async def fetch(self, uids: str, items: str) -> list[bytes | bytearray]:
        """UID FETCH."""
        return self._lines("FETCH", await self._guarded(self.protocol.fetch(uids, items, by_uid=True, timeout=self.timeout_s)))

    async def append(self, folder: str, raw: bytes, flags: str) -> list[bytes | bytearray]:
        """Put a message into a folder."""
        appending = self.protocol.append(raw, quoted(folder), flags, timeout=self.timeout_s)
        return self._lines("APPEND", await self._guarded(appending))

    async def close(self) -> None:
        """Say goodbye, but don't wait long for the answer."""
        try:
            async with asyncio.timeout(1.0):
                await self.protocol.logout()
        except (OSError, aioimaplib.AioImapException):
            pass
        finally:
            self.abort()

    def abort(self) -> None:
        """Close without a word."""
        if self.protocol.transport is not None:
            self.protocol.transport.abort()

    def is_usable(self) -> bool:
        """Can commands still go over it?"""
        return self.protocol.transport is not None and not self.protocol.transport.is_closing()

    def _command(self, name: str, *args: str, by_uid: bool = False, answers_as: str = "") -> Any:
        return aioimaplib.Command(
            name,
            self.protocol.new_tag(),
            *args,
            prefix="UID" if by_uid else "",
            untagged_resp_name=answers_as or name,
            loop=self.protocol.loop,
            timeout=self.timeout_s,
        )

    async def _execute(self, name: str, *args: str, by_uid: bool = False, answers_as: str = "", secret: str = "") -> Any:
        try:
            command = self._command(name, *args, by_uid=by_uid, answers_as=answers_as)
        except ValueError as error:
            raise Rejected("bad_argument", "a name or password has a sign in it that it can't have", 400) from error
        return await self._guarded(self.protocol.execute(command, scrub=secret or None))

    async def _guarded(self, command: Any) -> Any:
        try:
            return await command
        except ProviderError:
            raise
        except (OSError, aioimaplib.AioImapException) as error:
            self.abort()
            # The library's own words of a timeout have the whole command in them, a password too.
            words = "no answer in time" if isinstance(error, aioimaplib.CommandTimeout) else str(error)
            raise Transient(f"the connection was lost: {words}", ambiguous=True) from None
        except asyncio.CancelledError:
            # Half a conversation can't be gone on with.
            self.abort()
            raise

    def _lines(self, name: str, answer: Any) -> list[bytes | bytearray]:
        if answer.result == "OK":
            return list(answer.lines)
        words = _words(answer)
        if answer.result == "NO" and any(code in words for code in ("[UNAVAILABLE]", "[INUSE]", "[LIMIT]", "[SERVERBUG]")):
            raise Transient(f"{name}: {words}")
        raise Rejected("missing" if "[NONEXISTENT]" in words or "[TRYCREATE]" in words else "refused", f"{name}: {words}", 400)


def quoted(text: str) -> str:
    """A quoted string (RFC 3501, 9)."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _words(answer: Any) -> str:
    last = answer.lines[-1] if answer.lines else b""
    return bytes(last).decode("utf-8", "replace")[:300]
