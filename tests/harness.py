"""A hub on a real port, and clients that hold every answer against the OpenAPI document."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import reduce
from typing import Any
from uuid import UUID

import jsonschema
from aiohttp import ClientSession, ClientTimeout, CookieJar, FormData, TCPConnector

from hub import app as hub_app
from hub.app import Hub, document
from hub.auth.passwords import hash_password
from hub.auth.tokens import Tokens
from hub.config import Settings, TwilioSettings
from hub.limits.settings import Limits
from hub.realtime.pulse import Pulse
from hub.who import Role
from tests.beats import within_a_second
from tests.conftest import Company, make_company
from tests.patience import PATIENCE_S, next_look_s

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
        # Wide enough for tests, which hurry.
        "limits": Limits.parse("user=1e5/1e5,tenant=1e5/1e5,address=1e5/1e5,uploads_tenant=1000"),
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
        described = self.followed(described)
        content = described.get("content")
        if content is None:
            assert body in (None, "", b""), f"{method} {path}: {status} should have no body"
            return
        assert content_type in content, f"{method} {path}: {content_type} is not in the document"
        if content_type == "application/json":
            self._validator(content[content_type]["schema"]).validate(body)

    def followed(self, part: dict[str, Any]) -> dict[str, Any]:
        """This part of the document, or what it refers to."""
        if "$ref" not in part:
            return part
        return reduce(lambda found, name: found[name], part["$ref"].split("/")[1:], self._described)

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
    withdrawn: Pulse | None = None

    async def within_a_second(self, look: Callable[[], Awaitable[Any]]) -> Any:
        """The first true result of `look`, within a second of the time by which the hub learns of withdrawn access."""
        assert self.withdrawn is not None
        return await within_a_second(self.withdrawn, look)

    async def refused(self) -> Answer:
        """The first answer that refuses the access token, within a second."""

        async def look() -> Answer | None:
            answer = await self.get("/me")
            return answer if answer.status == 401 else None

        found: Answer = await self.within_a_second(look)
        return found

    async def call(self, method: str, path: str, **options: Any) -> Answer:
        """One request below the base address; `/api/v1` is put in front of relative paths."""
        full = path if path.startswith(("/api/", "/oauth", "/webhooks", "/healthz", "/readyz")) else "/api/v1" + path
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
    _connector: TCPConnector
    _sessions: list[ClientSession]

    def client(self, token: str | None = None, **headers: str) -> Api:
        """A client with its own cookies."""
        # Connections are shared: with some of their own, hundreds of clients of one hub would have more than 1,024 open files.
        session = ClientSession(
            connector=self._connector,
            connector_owner=False,
            cookie_jar=CookieJar(unsafe=True),
            timeout=ClientTimeout(total=PATIENCE_S),
        )
        self._sessions.append(session)
        return Api(self.url, session, self.contract, token, headers, self.hub.realtime.withdrawn)

    def as_member(self, company: Company, role: Role = "rep", *, user_id: UUID | None = None) -> Api:
        """A client with a token for the company's member of a role, without a sign-in."""
        return self.client(self.token(company, role, user_id=user_id))

    def token(self, company: Company, role: Role = "rep", *, user_id: UUID | None = None, **more: Any) -> str:
        """A token as the server would issue it."""
        tokens = Tokens(self.settings.key("access-token"))
        member = user_id or company.members[role]
        name = f"{role.title()} of {company.name}"
        more.setdefault("confirmed_at", time.time())
        return tokens.issue(user_id=member, tenant_id=company.tenant_id, role=role, session_id=UUID(int=7), name=name, **more)


# By what makes the endpoints: a test may have put something else there for a while.
_contracts: dict[Callable[..., Any], Contract] = {}


def contract_of(settings: Settings) -> Contract:
    """The document is the same for every hub that has the same endpoints; make it once."""
    endpoints = hub_app.api_endpoints
    if endpoints not in _contracts:
        _contracts[endpoints] = Contract(document(settings))
    return _contracts[endpoints]


@asynccontextmanager
async def running_hub(settings: Settings, *, port: int = 0) -> AsyncIterator[RunningHub]:
    """Start a hub on this port, or a free one, and stop it again."""
    sessions: list[ClientSession] = []
    async with Hub.open(settings) as hub:
        runner, site = await hub.listen("127.0.0.1", port, grace_s=1)
        connector = TCPConnector(limit=0)
        try:
            yield RunningHub(hub, f"http://127.0.0.1:{site.port}", settings, contract_of(settings), connector, sessions)
        finally:
            for session in sessions:
                await session.close()
            await connector.close()
            await hub.realtime.stop()
            await runner.cleanup()


async def company_with_passwords(hub: RunningHub, name: str) -> Company:
    """A company whose members sign in with PASSWORD."""
    return await make_company(hub.hub.db, name, await hash_password(PASSWORD))


async def until(check: Callable[[], Awaitable[Any]], *, seconds: float = PATIENCE_S) -> Any:
    """The first true result of `check`, asked again and again until the time is up."""
    began = time.monotonic()
    while True:
        found = await check()
        if found:
            return found
        waited_s = time.monotonic() - began
        assert waited_s < seconds, f"still not so after {seconds} s"
        await asyncio.sleep(next_look_s(waited_s))
