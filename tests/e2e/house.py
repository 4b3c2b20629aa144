"""A whole `ringside up` of one's own: free ports, data in a folder that goes away, and a small client of its API."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from tests.patience import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]
CONSOLE = ROOT / "console" / "dist" / "index.html"
HOW_TO_BUILD = "console/dist is missing: `./ringside test` and `./ringside up` build it, or `npm ci && npm run build` in console/"
ANSWER_S = PATIENCE_S
STOP_S = 30.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Login:
    """One way into the demo, as `up --json` prints it."""

    email: str
    password: str
    role: str
    tenant: str


@dataclass
class House:
    """What `up --json` said, and the API behind it."""

    url: str
    logins: list[Login]
    sandbox: str = ""
    gmail: str = ""
    pids: dict[str, int] = field(default_factory=dict)
    _tokens: dict[str, tuple[str, float]] = field(default_factory=dict)

    def login(self, name: str) -> Login:
        """The demo login whose address begins with `name`."""
        return next(login for login in self.logins if login.email.startswith(name))

    async def get(self, name: str, path: str, **query: Any) -> Any:
        """The JSON at a path below /api/v1, as that person."""
        return await self._call("GET", name, path + ("?" + urllib.parse.urlencode(query) if query else ""))

    async def post(self, name: str, path: str, body: dict[str, Any]) -> Any:
        """Post JSON, as that person."""
        return await self._call("POST", name, path, body)

    async def put(self, name: str, path: str, body: dict[str, Any]) -> Any:
        """Put JSON, as that person."""
        return await self._call("PUT", name, path, body)

    async def patch(self, name: str, path: str, body: dict[str, Any]) -> Any:
        """Patch with JSON, as that person."""
        return await self._call("PATCH", name, path, body)

    async def all_contacts(self, name: str) -> list[dict[str, Any]]:
        """Every contact that this person sees."""
        return await self.every(name, "/contacts")

    async def every(self, name: str, path: str, **query: Any) -> list[dict[str, Any]]:
        """A whole list, page by page, as that person."""
        found: list[dict[str, Any]] = []
        cursor: str | None = ""
        while cursor is not None:
            page = await self.get(name, path, limit=200, **query, **({"cursor": cursor} if cursor else {}))
            found += page["data"]
            cursor = page["next_cursor"]
        return found

    async def at_sandbox(self, path: str, **query: Any) -> Any:
        """What the Twilio sandbox says of itself."""
        address = f"{self.sandbox}/_sandbox{path}" + ("?" + urllib.parse.urlencode(query) if query else "")

        def ask() -> Any:
            with urllib.request.urlopen(address, timeout=ANSWER_S) as answer:
                return json.loads(answer.read())

        return await asyncio.to_thread(ask)

    async def at_gmail(self, path: str, body: dict[str, Any] | None = None, **query: Any) -> Any:
        """What the Gmail sandbox says of itself, or does when it is given something."""
        address = f"{self.gmail}/_sandbox{path}" + ("?" + urllib.parse.urlencode(query) if query else "")
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(address, data, {"Content-Type": "application/json"})

        def ask() -> Any:
            with urllib.request.urlopen(asked, timeout=ANSWER_S) as answer:
                return json.loads(answer.read())

        return await asyncio.to_thread(ask)

    def kill(self, name: str) -> None:
        """Kill one of the programs with -9, once; `up` brings it back."""
        os.kill(self.pids.pop(name), signal.SIGKILL)

    async def _call(self, method: str, name: str, path: str, body: dict[str, Any] | None = None) -> Any:
        return await asyncio.to_thread(self._ask, method, path, body, await self._token(name))

    async def _token(self, name: str) -> str:
        token, renewed_at = self._tokens.get(name, ("", 0.0))
        if not token or time.monotonic() > renewed_at:
            login = self.login(name)
            body = {"email": login.email, "password": login.password}
            answer = await asyncio.to_thread(self._ask, "POST", "/auth/login", body, "")
            token, renewed_at = answer["access_token"], time.monotonic() + answer["expires_in"] / 2
            self._tokens[name] = token, renewed_at
        return token

    def _ask(self, method: str, path: str, body: dict[str, Any] | None, token: str) -> Any:
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/api/v1{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_S) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as refusal:
            raise AssertionError(f"{method} {path} answered {refusal.code}: {refusal.read().decode()}") from refusal


@asynccontextmanager
async def open_house(**settings: str) -> AsyncIterator[House]:
    """Start everything, with these variables; at the end stop it and forget its data. Raises RuntimeError with its log."""
    if not CONSOLE.is_file():
        raise RuntimeError(HOW_TO_BUILD)
    # Not below a private folder: as root the embedded servers run as another account and must get through.
    folder = Path(tempfile.mkdtemp(prefix="ringside-e2e-"))
    folder.chmod(0o755)
    with (folder / "progress").open("w+") as progress:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "hub.cli", "up", "--json", "--port", "0", "--data", str(folder / "data")),
            stdout=asyncio.subprocess.PIPE,
            stderr=progress,
            cwd=ROOT,
            env={**_environment(), **settings},
            start_new_session=True,
        )
        try:
            assert process.stdout is not None
            line = await process.stdout.readline()
            if not line:
                progress.seek(0)
                raise RuntimeError(f"`ringside up` ended before it was ready:\n{progress.read()}")
            said = json.loads(line)
            logins = [Login(**login) for login in said["logins"]]
            sandbox = said["sandbox"]
            yield House(said["url"], logins, sandbox.get("twilio", ""), sandbox.get("gmail", ""), said["pids"])
        finally:
            await _stop(process)
            shutil.rmtree(folder, ignore_errors=True)


async def _stop(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
    try:
        await asyncio.wait_for(process.wait(), STOP_S)
    except TimeoutError:
        process.kill()  # its children go with it
        await process.wait()


def _environment() -> dict[str, str]:
    """Ours, without settings that point to another database, Redis or provider."""
    pointing = ("DATABASE_", "REDIS_", "RINGSIDE_", "TWILIO_", "GOOGLE_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(pointing)}
    return {**kept, "PYTHONPATH": str(ROOT)}


async def until(what: str, look: Callable[[], Awaitable[T]], seconds: float = PATIENCE_S) -> T:
    """The first true answer of `look`, asked again and again; fails with `what` when the time is up."""
    deadline = time.monotonic() + seconds
    while not (found := await look()):
        assert time.monotonic() < deadline, f"still not so after {seconds} s: {what}"
        await asyncio.sleep(0.05)
    return found
