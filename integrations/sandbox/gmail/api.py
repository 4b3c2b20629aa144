"""The door to the API: who may come in, what they mean, what goes wrong on purpose, and the answer."""

import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from urllib.parse import unquote

import orjson
from multidict import MultiMapping

from integrations.sandbox.gmail import refusals
from integrations.sandbox.gmail.discovery import Operation, packaged
from integrations.sandbox.gmail.faults import Faults, strike
from integrations.sandbox.gmail.grants import Access, Grants
from integrations.sandbox.gmail.operations import Ask, Handler
from integrations.sandbox.gmail.refusals import Refusal
from integrations.sandbox.gmail.stock import Stock

_FULL_ACCESS: Final = "https://mail.google.com/"


class Part(Protocol):
    """A part of the API."""

    def handlers(self) -> dict[str, Handler]:
        """Return its operations by name."""
        ...


@dataclass(frozen=True, slots=True)
class Request:
    """A request, alone or out of a batch. `media` are the bytes of an upload, `path` is the plain operation's."""

    verb: str
    path: str
    query: MultiMapping[str]
    authorization: str
    body: bytes = b""
    media: bytes | None = None
    metadata: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; `is_lost` says that it must not arrive, `delay_s` that it comes late."""

    status: int
    body: Mapping[str, Any] | None
    headers: Mapping[str, str] = field(default_factory=dict)
    is_lost: bool = False
    delay_s: float = 0.0

    def data(self) -> bytes:
        """Return the body as it travels."""
        return b"" if self.body is None else orjson.dumps(self.body)


class Api:
    """Answers requests."""

    def __init__(self, parts: Iterable[Part], grants: Grants, stock: Stock, faults: Faults, quota_per_minute: int | None) -> None:
        self.calls: dict[str, int] = {}
        self._handlers = {name: handler for part in parts for name, handler in part.handlers().items()}
        self._grants = grants
        self._stock = stock
        self._faults = faults
        self._quota = quota_per_minute
        self._spent: dict[str, deque[tuple[float, int]]] = {}

    def answer(self, request: Request) -> Answer:
        """Do what is asked. Raises ConnectionHangs or ConnectionDrops where a fault says so."""
        try:
            return self._answer(request)
        except Refusal as refusal:
            return refused(refusal)

    def _answer(self, request: Request) -> Answer:
        found = packaged().find(request.verb, request.path)
        if found is None:
            raise Refusal(404, f"The requested URL {request.path} was not found on this server.")
        operation, path = found
        access = self._grants.access(request.authorization.removeprefix("Bearer "))
        fault = self._faults.next_for(operation.name, access.address if access else "")
        strike(fault)
        if access is None:
            raise refusals.bad_credentials()
        path = {name: unquote(value) for name, value in path.items()}
        ask = self._ask(operation, path, request, access)
        self._spend(operation, access.address)
        self.calls[operation.name] = self.calls.get(operation.name, 0) + 1
        handler = self._handlers.get(operation.name)
        if handler is None:
            raise Refusal(501, f"The sandbox does not do gmail.users.{operation.name}.")
        body = handler(ask)
        is_lost, delay_s = (fault.kind == "lost", fault.delay_s if fault.kind == "slow" else 0.0) if fault else (False, 0.0)
        return Answer(204 if body is None else 200, body, is_lost=is_lost, delay_s=delay_s)

    def _ask(self, operation: Operation, path: dict[str, str], request: Request, access: Access) -> Ask:
        user = path.pop("userId").lower()
        if user not in ("me", access.address):
            raise Refusal(403, f"Delegation denied for {access.address}")
        if not (operation.scopes & access.scopes or _FULL_ACCESS in access.scopes):
            raise Refusal(403, "Request had insufficient authentication scopes.", "insufficientPermissions")
        packaged().check_query(operation, request.query)
        body = request.metadata if request.metadata is not None else _json(request.body)
        packaged().check_body(operation, body)
        if request.media is not None and not operation.takes_media:
            raise refusals.invalid("Media upload is not supported here.")
        return Ask(self._stock.open(access.address), path, request.query, body, request.media, access.scopes)

    def _spend(self, operation: Operation, address: str) -> None:
        """Count quota units. Raises Refusal when a minute's are spent."""
        self._stock.open(address).units += operation.units
        if self._quota is None:
            return
        spent, now = self._spent.setdefault(address, deque()), time.monotonic()
        while spent and spent[0][0] < now - 60:
            spent.popleft()
        if sum(units for _, units in spent) + operation.units > self._quota:
            raise Refusal(
                429,
                "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per user' of service "
                "'gmail.googleapis.com'.",
            )
        spent.append((now, operation.units))


def refused(refusal: Refusal) -> Answer:
    """Return the answer that a refusal is."""
    headers = {"Retry-After": str(refusal.retry_after_s)} if refusal.retry_after_s is not None else {}
    if refusal.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="https://accounts.google.com/", error="invalid_token"'
    return Answer(refusal.status, refusal.body(), headers)


def _json(body: bytes) -> Mapping[str, Any]:
    if not body.strip():
        return {}
    try:
        read = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise refusals.invalid("Invalid JSON payload received. Unexpected token.") from None
    if not isinstance(read, dict):
        raise refusals.invalid("Invalid JSON payload received. Root element must be a message.")
    return read
