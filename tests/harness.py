"""A hub on a real port, and clients that hold every answer against the OpenAPI document."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import jsonschema
from aiohttp import ClientSession, ClientTimeout, CookieJar, FormData, web

from hub.app import Hub, document
from hub.auth.passwords import hash_password
from hub.auth.tokens import Tokens
from hub.config import Settings, TwilioSettings
from hub.who import Role
from tests.conftest import Company, make_company

PASSWORD = "correct horse battery staple"
SECRET = "a secret of the tests, long enough to be one"
FROM_NUMBER = "+14155550100"


def make_settings(database_url: str, redis_url: str, **more: Any) -> Settings:
    """Settings of a test's hub or worker."""
    values: dict[str, Any] = {
        "database_url": database_url,
        "redis_url": redis_url,
        "secret": SECRET,
        "host": "127.0.0.1",
        "port": 0,
        "metrics_port": 0,
        "public_url": "http://127.0.0.1",
        # Nobody listens there: no test asks the real provider by accident.
        "twilio": TwilioSettings("AC" + "0" * 32, "token-of-the-tests", "http://127.0.0.1:9", FROM_NUMBER),
    }
    return Settings(**(values | more))


class Contract:
    """The OpenAPI document as a judge of answers."""

    def __init__(self, described: dict[str, Any]) -> None:
        self._described = described
        self._paths = [
            (re.compile("^" + re.sub(r"{\w+}", r"[^/]+", path) + "$"), operations)
            for path, operations in sorted(described["paths"].items(), key=lambda item: item[0].count("{"))
        ]
        self._validators: dict[str, jsonschema.Draft202012Validator] = {}

    def check(self, method: str, path: str, status: int, content_type: str, body: Any) -> None:
        """Fail when the document does not foresee this answer."""
        operation = next((ops[method.lower()] for rx, ops in self._paths if rx.match(path) and method.lower() in ops), None)
        if operation is None:
            assert status in (404, 405), f"{method} {path} answered {status} but is not in the document"
            return
        described = operation["responses"].get(str(status))
        assert described is not None, f"{method} {path}: the document does not know the status {status}: {body}"
        content = described.get("content")
        if content is None:
            assert body in (None, "", b""), f"{method} {path}: {status} should have no body"
            return
        assert content_type in content, f"{method} {path}: {content_type} is not in the document"
        if content_type == "application/json":
            self._validator(content[content_type]["schema"]).validate(body)

    def _validator(self, schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
        key = str(schema)
        if key not in self._validators:
            whole = schema | {"components": self._described["components"]}
            self._validators[key] = jsonschema.Draft202012Validator(
                whole, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
            )
        return self._validators[key]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: Any
    headers: Any

    @property
    def error(self) -> str:
        """The error's code."""
        code: str = self.body["error"]
        return code

    def field(self, name: str) -> str:
        """What was said about a field."""
        message: str = next(f["message"] for f in self.body["details"]["fields"] if f["field"] == name)
        return message


@dataclass
class Api:
    """A client with a token of its own."""

    base: str
    session: ClientSession
    contract: Contract
    token: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    async def call(self, method: str, path: str, **options: Any) -> Answer:
        """One request below the base address; `/api/v1` is put in front of relative paths."""
        full = path if path.startswith(("/api", "/oauth", "/webhooks", "/healthz", "/readyz")) else "/api/v1" + path
        headers = self.headers | options.pop("headers", {})
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        async with self.session.request(method, self.base + full, headers=headers, **options) as response:
            is_json = response.content_type == "application/json"
            body = await response.json() if is_json else (await response.text(errors="replace") or None)
            self.contract.check(method, response.url.path, response.status, response.content_type, body)
            return Answer(response.status, body, response.headers)

    async def get(self, path: str, **params: Any) -> Answer:
        """GET with query parameters."""
        return await self.call("GET", path, params={k: str(v) for k, v in params.items()})

    async def post(self, path: str, json: Any = None, **options: Any) -> Answer:
        """POST JSON."""
        return await self.call("POST", path, json=json if json is not None else {}, **options)

    async def put(self, path: str, json: Any) -> Answer:
        """PUT JSON."""
        return await self.call("PUT", path, json=json)

    async def patch(self, path: str, json: Any, **options: Any) -> Answer:
        """PATCH JSON."""
        return await self.call("PATCH", path, json=json, **options)

    async def delete(self, path: str) -> Answer:
        """DELETE."""
        return await self.call("DELETE", path)

    async def upload(self, path: str, name: str, data: bytes, /, **fields: str) -> Answer:
        """POST a file as multipart."""
        form = FormData()
        for key, value in fields.items():
            form.add_field(key, value)
        form.add_field("file", data, filename=name, content_type="text/csv")
        return await self.call("POST", path, data=form)


@dataclass
class RunningHub:
    """A hub of one test."""

    hub: Hub
    url: str
    settings: Settings
    contract: Contract
    _sessions: list[ClientSession]

    def client(self, token: str | None = None, **headers: str) -> Api:
        """A client with its own cookies."""
        session = ClientSession(cookie_jar=CookieJar(unsafe=True), timeout=ClientTimeout(total=20))
        self._sessions.append(session)
        return Api(self.url, session, self.contract, token, headers)

    def as_member(self, company: Company, role: Role = "rep", *, user_id: UUID | None = None) -> Api:
        """A client with a token for the company's member of a role, without a sign-in."""
        return self.client(self.token(company, role, user_id=user_id))

    def token(self, company: Company, role: Role = "rep", *, user_id: UUID | None = None, **more: Any) -> str:
        """A token as the server would issue it."""
        tokens = Tokens(self.settings.key("access-token"))
        member = user_id or company.members[role]
        name = f"{role.title()} of {company.name}"
        return tokens.issue(user_id=member, tenant_id=company.tenant_id, role=role, session_id=UUID(int=7), name=name, **more)


_contracts: list[Contract] = []


def contract_of(settings: Settings) -> Contract:
    """The document is the same for every hub; make it once."""
    if not _contracts:
        _contracts.append(Contract(document(settings)))
    return _contracts[0]


@asynccontextmanager
async def running_hub(settings: Settings) -> AsyncIterator[RunningHub]:
    """Start a hub on a free port and stop it again."""
    sessions: list[ClientSession] = []
    async with Hub.open(settings) as hub:
        runner = web.AppRunner(hub.application(), access_log=None, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        try:
            yield RunningHub(hub, f"http://127.0.0.1:{port}", settings, contract_of(settings), sessions)
        finally:
            for session in sessions:
                await session.close()
            await hub.realtime.stop()
            await runner.cleanup()


async def company_with_passwords(hub: RunningHub, name: str) -> Company:
    """A company whose members sign in with PASSWORD."""
    return await make_company(hub.hub.db, name, await hash_password(PASSWORD))


async def until(check: Callable[[], Awaitable[Any]], *, seconds: float = 10.0) -> Any:
    """The first true result of `check`, asked again and again until the time is up."""
    end = time.monotonic() + seconds
    while True:
        found = await check()
        if found:
            return found
        assert time.monotonic() < end, f"still not so after {seconds} s"
        await asyncio.sleep(0.02)
