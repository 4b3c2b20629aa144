"""Turns endpoints into aiohttp handlers: authenticate, parse, open the transaction, call, commit, respond."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, Protocol
from uuid import UUID

import orjson
import structlog
from aiohttp import web
from pydantic import BaseModel, ValidationError

from hub.auth.keys import is_key
from hub.auth.tokens import SECOND_FACTOR_WANTED, Claims
from hub.db import Database, Tx, tenant_tx
from hub.errors import Conflict, Forbidden, Invalid, TooLarge, TooSlow, Unauthorized
from hub.http.endpoint import REQUEST_ID, Endpoint, Reply, Req
from hub.limits.admission import Admission, counts_as
from hub.limits.costs import cost_of
from hub.limits.settings import Limits
from hub.sqlfiles import load_sql

MAX_JSON_BYTES = 1_000_000
# How long a body may take, as JSON and as a file. hub.limits.doorman cuts those that stop in between.
JSON_S = 30.0
# What people can do whose company wants a second factor that they have not shown: set one up, or confirm with it.
_OPEN_TO_ENROL = frozenset({"auth", "account"})
UPLOAD_S = 1800.0
_SQL = load_sql("core")


class Authenticator(Protocol):
    """Says whose request it is, or why it is refused."""

    def verify(self, token: str) -> Claims:
        """The claims of a token whose access has not been withdrawn. Raises Unauthorized."""

    async def verify_key(self, key: str, address: str, knock: Callable[[], None]) -> Claims:
        """What an API key allows now; calls `knock` before it asks the database. Raises Unauthorized."""


class Gatekeeper(Protocol):
    """Says which companies may not do something, since they have not paid."""

    def check(self, tenant_id: UUID, endpoint: Endpoint) -> None:
        """Go on only when the company may do this. Raises PaymentRequired."""


class Edge:
    """The one way from a request to a feature's function and back."""

    def __init__(
        self,
        db: Database,
        authenticator: Authenticator,
        admission: Admission | None = None,
        gatekeeper: Gatekeeper | None = None,
    ) -> None:
        self._db = db
        self._gatekeeper = gatekeeper
        self._admission = admission or Admission(Limits(enforced=False))
        self._authenticator = authenticator

    def mount(self, app: web.Application, endpoints: Iterable[Endpoint]) -> None:
        """Add the endpoints to an application."""
        methods: dict[str, list[str]] = {}
        for endpoint in endpoints:
            app.router.add_route(endpoint.method, endpoint.path, self._handler(endpoint), name=endpoint.name)
            if endpoint.content_type.startswith("audio/"):
                # Players ask how much there is before they ask for it.
                app.router.add_route("HEAD", endpoint.path, self._handler(endpoint))
            methods.setdefault(endpoint.path, []).append(endpoint.method)
        # Without these the console, which takes every GET that is left, would answer for the methods an address lacks.
        for path, allowed in methods.items():
            app.router.add_route("*", path, _refuse(allowed))

    def _handler(self, endpoint: Endpoint) -> Callable[[web.Request], Awaitable[web.Response]]:
        cost, by = cost_of(endpoint), counts_as(endpoint)
        admission = self._admission

        async def handle(request: web.Request) -> web.Response:
            claims, left = None, ""
            if endpoint.scope == "public":
                admission.stranger(request, cost, by)
                _refuse_other_sites(request)
            else:
                claims = await self._authenticate(request, endpoint)
                left = admission.limiter.member(claims.tenant_id, claims.user_id, cost)
                if self._gatekeeper is not None:
                    self._gatekeeper.check(claims.tenant_id, endpoint)
            req = Req(
                http=request,
                claims=claims,
                path=request.match_info,
                query=_query(request, endpoint.query),
                body=await _body(request, endpoint.body),
                request_id=request.get(REQUEST_ID, ""),
                address=admission.address_of(request),
            )
            if endpoint.scope == "tx":
                reply = await self._in_transaction(endpoint, req)
            elif endpoint.upload is not None and claims is not None:
                async with admission.upload(claims.tenant_id), _arriving_within(UPLOAD_S):
                    reply = await endpoint.handler(self._db, req)
            else:
                reply = await endpoint.handler(self._db, req)
            response = _respond(reply)
            if left and claims is not None:
                response.headers["RateLimit-Policy"] = admission.limiter.policy_of(claims.tenant_id)
                response.headers["RateLimit"] = left
            return response

        return handle

    async def _authenticate(self, request: web.Request, endpoint: Endpoint) -> Claims:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthorized("Sign in: send the access token as 'Authorization: Bearer ...'.")
        token = token.strip()
        try:
            if is_key(token):
                address = self._admission.address_of(request)
                claims = await self._authenticator.verify_key(token, address, lambda: self._admission.stranger(request))
            else:
                claims = self._authenticator.verify(token)
        except Unauthorized:
            self._admission.stranger(request)
            raise
        structlog.contextvars.bind_contextvars(tenant_id=str(claims.tenant_id), user_id=str(claims.user_id))
        if claims.key_id is not None:
            structlog.contextvars.bind_contextvars(api_key_id=str(claims.key_id))
        needed = endpoint.allow
        if claims.must_enrol and endpoint.tag not in _OPEN_TO_ENROL:
            raise Forbidden(SECOND_FACTOR_WANTED, code="second_factor_required")
        if claims.key_id is not None and (endpoint.fresh or not isinstance(needed, str)):
            raise Forbidden("This is for people: sign in. An API key does not do.", code="not_for_api_keys")
        if isinstance(needed, str):
            if needed not in claims.permissions:
                whose = "this API key" if claims.key_id else f"your role, {claims.role_name or claims.role},"
                raise Forbidden(f"This needs the permission {needed}; {whose} does not have it.")
        elif needed is not None and claims.role not in needed:
            raise Forbidden(f"This needs the role {' or '.join(sorted(needed))}; yours is {claims.role}.")
        if endpoint.fresh and not claims.is_fresh:
            raise Forbidden("Confirm that it is you before you go on: POST /api/v1/auth/confirm.", code="step_up_required")
        return claims

    async def _in_transaction(self, endpoint: Endpoint, req: Req[Any, Any]) -> Reply:
        key = req.http.headers.get("Idempotency-Key")
        async with tenant_tx(self._db, req.who) as tx:
            if key is None or endpoint.method == "GET":
                return await endpoint.handler(tx, req)
            return await _once(tx, endpoint, req, key)


def _refuse_other_sites(request: web.Request) -> None:
    # What signs in or goes on by a cookie is for our own pages; browsers say where a request comes from (ASVS 5.0, 3.5.1).
    site = request.headers.get("Sec-Fetch-Site", "none")
    if request.method != "GET" and request.path.startswith("/api/") and site not in ("same-origin", "none"):
        raise Forbidden("A page of another site asked for this. Open Ringside itself.", code="cross_site")


def _refuse(allowed: list[str]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def refuse(request: web.Request) -> web.Response:
        raise web.HTTPMethodNotAllowed(request.method, allowed)

    return refuse


async def _once(tx: Tx, endpoint: Endpoint, req: Req[Any, Any], key: str) -> Reply:
    """A write with an Idempotency-Key: done the first time, answered from memory afterwards."""
    if re.fullmatch(r"[!-~]{1,255}", key) is None:
        raise Invalid.field("Idempotency-Key", "It should be 1 to 255 printable characters of ASCII, without spaces.")
    said = hashlib.sha256(f"{req.http.method} {req.http.path_qs}\n".encode() + await req.http.read()).hexdigest()
    if await tx.fetchval(_SQL["claim_idempotency_key"], key=key, fingerprint=said) is None:
        before = await tx.fetchrow(_SQL["recall_idempotency_key"], key=key)
        if before is None or before["status"] is None:
            raise Conflict("A request with this Idempotency-Key is under way.", code="idempotency_key_in_use")
        if before["fingerprint"] != said:
            raise Invalid.field("Idempotency-Key", "This key was used for a different request. Use a new one.")
        if not before["body"] and endpoint.returns is not None:
            raise Conflict("This was done before, and its answer is shown only once.", code="answer_shown_once")
        return Reply(before["body"] or None, before["status"], {"Idempotent-Replayed": "true"})
    reply = await endpoint.handler(tx, req)
    # What nobody may keep holds a secret, as the answer to a new API key does.
    body = "" if reply.headers.get("Cache-Control") == "no-store" else reply.encoded().decode()
    await tx.fetchval(_SQL["keep_idempotent_answer"], key=key, status=reply.status, body=body)
    return reply


def _respond(reply: Reply) -> web.Response:
    if reply.body is None:
        response = web.Response(status=204 if reply.status == 200 else reply.status, headers=reply.headers)
    else:
        # What comes piece by piece (a long CSV) is sent as it comes.
        body = reply.body if isinstance(reply.body, AsyncIterable) else reply.encoded()
        charset = None if reply.content_type.startswith("audio/") else "utf-8"
        response = web.Response(
            body=body, status=reply.status, headers=reply.headers, content_type=reply.content_type, charset=charset
        )
    for name, options in reply.cookies.items():
        response.set_cookie(name, **options)
    return response


def _query(request: web.Request, model: type[BaseModel] | None) -> Any:
    if model is None:
        return None
    values: dict[str, Any] = {}
    for name in request.query:
        given = request.query.getall(name)
        if len(given) > 1:
            raise Invalid.field(name, "It is given more than once; give it once.")
        if "\x00" in given[0]:
            raise Invalid.field(name, "It contains a NUL character, which no text here can hold.")
        values[name] = given[0]
    return _parsed(model.model_validate, values)


async def _body(request: web.Request, model: type[BaseModel] | None) -> Any:
    if model is None:
        return None
    if request.content_length is not None and request.content_length > MAX_JSON_BYTES:
        raise TooLarge(f"The body is larger than {MAX_JSON_BYTES:,} bytes.")
    if request.content.is_eof():
        raw = await request.read()
    else:
        async with _arriving_within(JSON_S):
            raw = await request.read()
    if request.content_type not in ("application/json", "application/octet-stream", "") and raw:
        raise Invalid("Send JSON with 'Content-Type: application/json'.", code="unsupported_media_type")
    try:
        value = orjson.loads(raw or b"{}")
    except orjson.JSONDecodeError as exc:
        raise Invalid(f"The body is not valid JSON: {exc}.", code="malformed_json") from None
    if b"\\u0000" in raw and _has_nul(value):
        raise Invalid("The body contains a NUL character (\\u0000), which no text here can hold.")
    return _parsed(model.model_validate_json, raw or b"{}")


@asynccontextmanager
async def _arriving_within(seconds: float) -> AsyncIterator[None]:
    deadline = asyncio.timeout(seconds)
    try:
        async with deadline:
            yield
    except TimeoutError:
        if not deadline.expired():
            raise
        raise TooSlow(f"The body did not arrive within {seconds:.0f} s.") from None


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any("\x00" in k or _has_nul(v) for k, v in value.items())
    return isinstance(value, list) and any(_has_nul(v) for v in value)


def _parsed(validate: Callable[[Any], BaseModel], value: Any) -> BaseModel:
    try:
        return validate(value)
    except ValidationError as exc:
        raise invalid_from(exc) from None


def invalid_from(exc: ValidationError) -> Invalid:
    """Pydantic's findings as one error that names each field."""
    fields = [
        {"field": ".".join(str(part) for part in error["loc"]) or "body", "message": _sentence(error)}
        for error in exc.errors(include_url=False, include_context=False)
    ]
    return Invalid(f"{fields[0]['field']}: {fields[0]['message']}", details={"fields": fields[:50]})


def _sentence(error: Any) -> str:
    if error["type"] == "missing":
        return "This field is required."
    if error["type"] == "extra_forbidden":
        return "There is no such field here."
    message = str(error["msg"]).removeprefix("Value error, ")
    return message if message.endswith(".") else message + "."
