"""What an endpoint is: a method, a path, the shapes that go in and out, who may call it, and the function that answers.

A feature declares its endpoints in routes.py:

    routes = Routes("contacts")

    @routes.get("/contacts", query=ContactFilter, returns=ContactPage)
    async def list_contacts(tx: Tx, req: Req[ContactFilter, None]) -> Reply: ...

The edge (hub.http.edge) authenticates, parses, opens the transaction, calls, commits and responds.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID

import orjson
from aiohttp import web
from pydantic import BaseModel

from hub.auth.tokens import Claims
from hub.errors import NotFound
from hub.who import Role, Who

Q = TypeVar("Q")
B = TypeVar("B")

Scope = Literal["tx", "db", "public"]

REQUEST_ID = web.RequestKey("request_id", str)


@dataclass(frozen=True, slots=True)
class Req(Generic[Q, B]):
    """A parsed request. `who` is from the verified token; a public endpoint has none."""

    http: web.Request
    claims: Claims | None
    path: Mapping[str, str]
    query: Q
    body: B
    request_id: str
    address: str = ""

    @property
    def who(self) -> Who:
        """The acting member, and from where. Only public endpoints have none, and they do not ask."""
        assert self.claims is not None
        return replace(self.claims.who(self.request_id), address=self.address)

    def id(self, name: str = "id") -> UUID:
        """A UUID of the path; what is none names nothing that exists."""
        try:
            return UUID(self.path[name])
        except ValueError:
            raise NotFound("There is nothing with this id.") from None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: JSON as bytes or text (usually built by Postgres), or something orjson can encode."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    cookies: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def encoded(self) -> bytes:
        """The body's bytes."""
        if self.body is None:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        if isinstance(self.body, str):
            return self.body.encode()
        if isinstance(self.body, BaseModel):
            return self.body.model_dump_json().encode()
        # asyncpg's UUIDs are a subclass that orjson does not take for one.
        return orjson.dumps(self.body, default=str)


Handler = Callable[[Any, Req[Any, Any]], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint as the edge and the OpenAPI document see it."""

    method: str
    path: str
    handler: Handler
    tag: str
    scope: Scope
    query: type[BaseModel] | None
    body: type[BaseModel] | None
    returns: type[BaseModel] | None
    status: int
    allow: frozenset[Role] | str | None
    upload: type[BaseModel] | None
    content_type: str
    errors: tuple[int, ...]
    fresh: bool = False

    @property
    def name(self) -> str:
        """The operation's id."""
        return self.handler.__name__

    @property
    def summary(self) -> str:
        """The first line of the handler's docstring."""
        return (self.handler.__doc__ or self.name.replace("_", " ")).strip().splitlines()[0].rstrip(".")

    @property
    def path_params(self) -> list[str]:
        """Names in braces in the path."""
        return re.findall(r"{(\w+)}", self.path)


class Routes:
    """The endpoints of a feature, collected by its decorators. Paths are below /api/v1 unless they begin with `//`."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.endpoints: list[Endpoint] = []

    def get(self, path: str, **options: Any) -> Callable[[Handler], Handler]:
        """A read."""
        return self.add("GET", path, **options)

    def post(self, path: str, **options: Any) -> Callable[[Handler], Handler]:
        """A write that creates or does something."""
        return self.add("POST", path, **options)

    def put(self, path: str, **options: Any) -> Callable[[Handler], Handler]:
        """A write that sets something."""
        return self.add("PUT", path, **options)

    def patch(self, path: str, **options: Any) -> Callable[[Handler], Handler]:
        """A write that changes some fields."""
        return self.add("PATCH", path, **options)

    def delete(self, path: str, **options: Any) -> Callable[[Handler], Handler]:
        """A write that removes."""
        return self.add("DELETE", path, **options)

    def add(
        self,
        method: str,
        path: str,
        *,
        scope: Scope = "tx",
        query: type[BaseModel] | None = None,
        body: type[BaseModel] | None = None,
        returns: type[BaseModel] | None = None,
        status: int = 200,
        allow: frozenset[Role] | str | None = None,
        upload: type[BaseModel] | None = None,
        content_type: str = "application/json",
        errors: tuple[int, ...] = (),
        fresh: bool = False,
    ) -> Callable[[Handler], Handler]:
        """Declare an endpoint.

        scope: "tx" gives the handler a tenant transaction; "db" an authenticated caller and the Database (uploads,
        sign-in); "public" the Database and no caller. `allow` names the permission it needs (hub.permissions), or roles.
        `upload` documents a multipart form. `errors` are statuses beyond those every endpoint of its kind may answer.
        `fresh` demands that the person proved who they are within the last ten minutes (hub.auth.tokens.FRESH_S).
        """

        def register(handler: Handler) -> Handler:
            full = path[1:] if path.startswith("//") else "/api/v1" + path
            self.endpoints.append(
                Endpoint(
                    method,
                    full,
                    handler,
                    self.tag,
                    scope,
                    query,
                    body,
                    returns,
                    status,
                    allow,
                    upload,
                    content_type,
                    errors,
                    fresh,
                )
            )
            return handler

        return register
