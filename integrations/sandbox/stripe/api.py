"""One request from its head to its answer: the key, the operation, idempotency, the parameters, the work, `expand`."""

import base64
import re
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson

from integrations.sandbox.stripe import (
    api_invoices,
    api_subscriptions,
    cards,
    catalogue,
    checkout,
    customers,
    discounts,
    metering,
    notifying,
    payments,
    portal,
    refunding,
    testclocks,
)
from integrations.sandbox.stripe.asking import Ask, Handler, deleted
from integrations.sandbox.stripe.changing import cancel
from integrations.sandbox.stripe.expanding import expand
from integrations.sandbox.stripe.faults import Faults, rate_limited, strike
from integrations.sandbox.stripe.operations import OPERATIONS, Operation
from integrations.sandbox.stripe.parameters import checked, nested
from integrations.sandbox.stripe.refusals import Refusal, unauthorized, unrecognised
from integrations.sandbox.stripe.shapes import shown
from integrations.sandbox.stripe.world import World, random_text

_VERSION: Final = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z]+)?")
_REMEMBERED_S: Final = 24 * 3_600


def _delete_customer(ask: Ask) -> dict[str, Any]:
    customer = ask.named("customer", "customer")
    for each in ask.work.store.owned("subscription", customer["id"]):
        if each["status"] not in ("canceled", "incomplete_expired"):
            cancel(ask.work, each, {})
    ask.work.emit("customer.deleted", customer)
    customer["_deleted"] = True
    return deleted(customer)


HANDLERS: Final[dict[str, Handler]] = {
    **api_invoices.HANDLERS,
    **api_subscriptions.HANDLERS,
    **cards.HANDLERS,
    **catalogue.HANDLERS,
    **checkout.HANDLERS,
    **customers.HANDLERS,
    **discounts.HANDLERS,
    **metering.HANDLERS,
    **notifying.HANDLERS,
    **payments.HANDLERS,
    **portal.HANDLERS,
    **refunding.HANDLERS,
    **testclocks.HANDLERS,
    "customers.delete": _delete_customer,
}


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came; `headers` by lower-case names."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Answer:
    """What is answered, and what becomes of it on its way."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    is_lost: bool = False


@dataclass(frozen=True, slots=True)
class _Remembered:
    fingerprint: tuple[str, str, bytes]
    status: int
    body: bytes
    request_id: str
    at: float


class Api:
    """Answers requests."""

    def __init__(self, world: World, faults: Faults) -> None:
        # How many requests of each operation were let in.
        self.calls: dict[str, int] = {}
        self._world = world
        self._faults = faults
        self._remembered: dict[str, _Remembered] = {}
        self._recent: deque[float] = deque()
        # Of two paths that fit, the one with fewer parameters is meant: /invoices/create_preview before /invoices/{invoice}.
        self._routes = sorted(((each.pattern, each) for each in OPERATIONS), key=lambda each: each[1].path.count("{"))

    def answer(self, request: Request) -> Answer:
        """Return the answer to a request. Raises ConnectionHangs or ConnectionDrops."""
        request_id = f"req_{random_text(14)}"
        try:
            return self._answer(request, request_id)
        except Refusal as refusal:
            headers = _headers(self._world, request_id) | refusal.headers
            return Answer(refusal.status, orjson.dumps(refusal.body()), headers)

    def _answer(self, request: Request, request_id: str) -> Answer:
        self._authenticate(request)
        operation, path = self._route(request)
        self._limit()
        fault = self._faults.next_for(operation.name)
        strike(fault)
        key = request.headers.get("idempotency-key", "") if request.method == "POST" else ""
        answer = self._repeated(key, request) if key else None
        if answer is None:
            self.calls[operation.name] = self.calls.get(operation.name, 0) + 1
            answer = self._done(operation, path, request, request_id, key)
        if fault is not None:
            answer.delay_s, answer.is_lost = fault.delay_s, fault.kind == "lost"
        return answer

    def _authenticate(self, request: Request) -> None:
        given = request.headers.get("authorization", "")
        scheme, _, key = given.partition(" ")
        if scheme.lower() == "basic":
            key = base64.b64decode(key + "==").decode("utf-8", "replace").partition(":")[0]
        if key != self._world.settings.secret_key:
            raise unauthorized(given)
        version = request.headers.get("stripe-version", "")
        if version and not _VERSION.fullmatch(version):
            raise Refusal(f"Invalid Stripe API version: {version}")

    def _route(self, request: Request) -> tuple[Operation, dict[str, str]]:
        for pattern, operation in self._routes:
            match = pattern.fullmatch(request.path)
            if match is not None and operation.method == request.method:
                return operation, match.groupdict()
        raise unrecognised(request.method, request.path)

    def _limit(self) -> None:
        allowed = self._world.settings.requests_per_s
        if not allowed:
            return
        now = time.monotonic()
        while self._recent and self._recent[0] < now - 1:
            self._recent.popleft()
        if len(self._recent) >= allowed:
            raise rate_limited()
        self._recent.append(now)

    def _repeated(self, key: str, request: Request) -> Answer | None:
        """https://docs.stripe.com/api/idempotent_requests: the same answer again, whatever it was, if it is the same request."""
        known = self._remembered.get(key)
        if known is None or known.at < time.monotonic() - _REMEMBERED_S:
            return None
        if known.fingerprint != (request.method, request.path, request.body):
            raise Refusal(
                "Keys for idempotent requests can only be used with the same parameters they were first used with. "
                f"Try using a key other than '{key}' if you meant to execute a different request.",
                kind="idempotency_error",
            )
        headers = _headers(self._world, known.request_id) | {"Idempotent-Replayed": "true", "Idempotency-Key": key}
        return Answer(known.status, known.body, headers)

    def _done(self, operation: Operation, path: dict[str, str], request: Request, request_id: str, key: str) -> Answer:
        pairs = parse_qsl(request.query, keep_blank_values=True)
        pairs += parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
        # What is wrong with the parameters is no reason to remember the key: nothing has begun.
        params = checked(self._world.contract, operation, nested(pairs))
        paths = params.pop("expand", [])
        headers = _headers(self._world, request_id)
        try:
            with self._world.work(request=(request_id, key or None)) as work:
                found = HANDLERS[operation.name](Ask(work, path, params, request.path))
                shown_one = shown(work.store, found) if "_owners" in found else found
                body = orjson.dumps(expand(work, shown_one, paths), option=orjson.OPT_INDENT_2)
            status = 200
        except Refusal as refusal:
            status, body = refusal.status, orjson.dumps(refusal.body(), option=orjson.OPT_INDENT_2)
            headers |= refusal.headers
        if key:
            headers["Idempotency-Key"] = key
            fingerprint = (request.method, request.path, request.body)
            self._remembered[key] = _Remembered(fingerprint, status, body, request_id, time.monotonic())
        return Answer(status, body, headers)


def _headers(world: World, request_id: str) -> dict[str, str]:
    return {"Content-Type": "application/json", "Request-Id": request_id, "Stripe-Version": world.contract.version}
