import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

import pytest
import stripe
from aiohttp import ClientSession, web
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.response import Response
from twilio.request_validator import SIGNATURE_HEADER, SIGNATURE_SETTINGS_HEADER, RequestValidator
from twilio.rest import Client
from yarl import URL

from integrations.guard import Guard, RetryPolicy
from integrations.metrics import ProviderMetrics, provider_metrics
from integrations.ports import CallUpdate, PlaceCall
from integrations.sandbox.stripe import StripeSandbox, StripeSettings
from integrations.sandbox.stripe.shapes import without_own
from integrations.sandbox.twilio import Sandbox, SandboxSettings, start_sandbox
from integrations.twilio import TwilioTelephony, TwilioWebhook
from tests.integrations.specification import SPECS, CheckingProxy, Specification
from tests.integrations.stripe_kit import Endpoint, Shop
from tests.integrations.stripe_specification import CheckedClient
from tests.integrations.stripe_specification import specification as stripe_specification
from tests.loop_clock import let_pass
from tests.patience import PATIENCE_S

FROM = "+12025550100"


async def eventually(condition: Callable[[], object], within_s: float = PATIENCE_S) -> None:
    """Poll until `condition` holds, or fail."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.005)


@pytest.fixture
async def redis(valkey_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(valkey_url) as client:
        yield client


@pytest.fixture
def credential() -> str:
    """A credential that no other test uses, and so a breaker and budgets of its own."""
    return f"AC:{uuid4()}"


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> ProviderMetrics:
    return provider_metrics(registry)


@dataclass
class Received:
    """One status callback as it arrived, and what our reader makes of it."""

    url: str
    headers: dict[str, str]
    body: bytes
    update: CallUpdate
    is_genuine: bool


@dataclass
class Receiver:
    """A server for status callbacks."""

    webhook: TwilioWebhook
    url: str = ""
    received: list[Received] = field(default_factory=list)
    # How to answer the next callbacks; 200 when there is no more.
    answers: list[int] = field(default_factory=list)

    def of(self, sid: str) -> list[Received]:
        return [each for each in self.received if each.update.sid == sid]

    def statuses(self, sid: str) -> list[str]:
        return [each.update.status for each in self.of(sid)]

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read() or request.query_string.encode()
        url = f"{self.url.removesuffix('/status')}{request.path_qs}"
        sent = await request.read()
        headers = dict(request.headers)
        self.received.append(
            Received(
                url=url,
                headers=headers,
                body=body,
                update=self.webhook.read(body),
                is_genuine=self.webhook.is_genuine(url=url, headers=headers, body=sent),
            )
        )
        return web.Response(status=self.answers.pop(0) if self.answers else 204)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver(TwilioWebhook(SandboxSettings().auth_token))
    app = web.Application()
    app.router.add_route("*", "/status", receiver.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/status"
    yield receiver
    await runner.cleanup()


StartSandbox = Callable[[SandboxSettings], Awaitable[Sandbox]]


@pytest.fixture
async def start(receiver: Receiver) -> AsyncIterator[StartSandbox]:
    """Start sandboxes that stop with the test."""
    running: list[Sandbox] = []

    async def starting(settings: SandboxSettings) -> Sandbox:
        running.append(await start_sandbox(settings))
        return running[-1]

    yield starting
    for sandbox in running:
        await sandbox.close()


@pytest.fixture
async def sandbox(start: StartSandbox) -> Sandbox:
    """A sandbox that is fifty times faster than life."""
    return await start(SandboxSettings(speed=50.0, calls_per_s=100.0))


@pytest.fixture
async def slow_sandbox(start: StartSandbox) -> Sandbox:
    """A sandbox in which nothing happens unless it is done by hand: it takes minutes until a phone rings."""
    return await start(SandboxSettings(speed=0.005, calls_per_s=100.0))


def let_live(sandbox: Sandbox, seconds: float) -> None:
    """So much of the calls' time passes at once. No request may be under way then: it would be given up."""
    let_pass(seconds / sandbox.settings.speed)


@dataclass
class Still:
    """A clock that stands until it is put forward."""

    now: float = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> Still:
    """What the sandbox counts the calls of a second by."""
    clock = Still()
    monkeypatch.setattr("integrations.sandbox.twilio.door.time", clock)
    return clock


@pytest.fixture(scope="session")
def specification() -> Specification | None:
    return Specification.of_twilio() if SPECS.is_dir() else None


@pytest.fixture
async def proxy(sandbox: Sandbox, specification: Specification | None) -> AsyncIterator[CheckingProxy]:
    proxy = CheckingProxy(specification, sandbox.url)
    await proxy.start()
    yield proxy
    await proxy.close()
    assert not proxy.complaints


def guard_for_tests(metrics: ProviderMetrics, timeout_s: float = 20.0) -> Guard:
    """A guard of one process that loses no time between its attempts."""
    retry = RetryPolicy(attempts=3, first_wait_s=0.01, longest_wait_s=2.0)
    return Guard("twilio", "AC:token", None, timeout_s=timeout_s, metrics=metrics, retry=retry)


@pytest.fixture
async def telephony(sandbox: Sandbox, proxy: CheckingProxy, metrics: ProviderMetrics) -> AsyncIterator[TwilioTelephony]:
    """The real SDK, whose every word with the sandbox is compared with the specification."""
    async with TwilioTelephony(sandbox.account_sid, sandbox.auth_token, guard_for_tests(metrics), api_url=proxy.url) as telephony:
        yield telephony


@pytest.fixture
async def slow_telephony(slow_sandbox: Sandbox, metrics: ProviderMetrics) -> AsyncIterator[TwilioTelephony]:
    """The real SDK on the slow sandbox."""
    guard = guard_for_tests(metrics)
    async with TwilioTelephony(slow_sandbox.account_sid, slow_sandbox.auth_token, guard, api_url=slow_sandbox.url) as telephony:
        yield telephony


@pytest.fixture
def a_call(receiver: Receiver) -> Callable[[str], PlaceCall]:
    return lambda to: PlaceCall(to=to, from_=FROM, status_callback_url=receiver.url, conference="room", timeout_s=30)


class Elsewhere(AsyncTwilioHttpClient):  # type: ignore[misc]  # the SDK has no types
    """The SDK's own HTTP client, sent to another host: nothing else about it is changed."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._host = URL(url)

    async def request(self, method: str, url: str, *given: Any, **named: Any) -> Response:
        there = URL(url)
        there = self._host.with_path(there.raw_path, encoded=True).with_query(there.query)
        return await super().request(method, str(there), *given, **named)


@pytest.fixture
async def twilio(sandbox: Sandbox, proxy: CheckingProxy) -> AsyncIterator[Client]:
    """The unmodified SDK, whose every word with the sandbox is compared with the specification."""
    http = Elsewhere(proxy.url)
    yield Client(sandbox.account_sid, sandbox.auth_token, http_client=http)
    await http.close()


@pytest.fixture
async def slow_twilio(slow_sandbox: Sandbox, specification: Specification | None) -> AsyncIterator[Client]:
    """The unmodified SDK on the slow sandbox, just as closely looked at."""
    proxy = CheckingProxy(specification, slow_sandbox.url)
    await proxy.start()
    http = Elsewhere(proxy.url)
    yield Client(slow_sandbox.account_sid, slow_sandbox.auth_token, http_client=http)
    await http.close()
    await proxy.close()
    assert not proxy.complaints


@dataclass
class Heard:
    """One request that the sandbox made."""

    path: str
    method: str
    fields: dict[str, str]
    is_genuine: bool


@dataclass
class Application:
    """A customer's server: it notes what the sandbox tells it, and answers with TwiML."""

    url: str = ""
    heard: list[Heard] = field(default_factory=list)
    # What to answer by path: TwiML, or the bytes of a sound. 204 without one.
    answers: dict[str, str | bytes] = field(default_factory=dict)
    # The secrets of shared keys, by their ids, where the sandbox signs with one.
    shared_keys: dict[str, str] = field(default_factory=dict)

    def at(self, path: str, **fields: str) -> list[dict[str, str]]:
        """Return the fields of what was told to `path`, in its order."""
        told = [each.fields for each in self.heard if each.path == path]
        return [each for each in told if fields.items() <= each.items()]

    async def take(self, request: web.Request) -> web.Response:
        body = (await request.read()).decode()
        fields = dict(parse_qsl(body or request.query_string, keep_blank_values=True))
        signed = dict(parse_qsl(body, keep_blank_values=True))
        url = f"{self.url}{request.path_qs}"
        settings = dict(part.split("=") for part in request.headers.get(SIGNATURE_SETTINGS_HEADER, "").split(",") if part)
        secret = self.shared_keys[settings["key"]] if settings else SandboxSettings().auth_token
        signature, algorithm = request.headers[SIGNATURE_HEADER], settings.get("algorithm")
        genuine = RequestValidator(secret).validate(url, signed, signature, algorithm)
        self.heard.append(Heard(request.path, request.method, fields, genuine))
        answer = self.answers.get(request.path)
        if isinstance(answer, bytes):
            return web.Response(body=answer, content_type="audio/wav")
        return web.Response(status=204) if answer is None else web.Response(text=answer, content_type="text/xml")


@pytest.fixture
async def application() -> AsyncIterator[Application]:
    """Where TwiML comes from and callbacks go to. All that the sandbox sends must be signed."""
    application = Application()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", application.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    application.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield application
    await runner.cleanup()
    assert all(each.is_genuine for each in application.heard)


@dataclass
class Hand:
    """The sandbox's own handles."""

    session: ClientSession
    url: str

    async def get(self, path: str) -> Any:
        async with self.session.get(f"{self.url}/_sandbox/{path}") as response:
            return await response.json()

    async def post(self, path: str, body: Any = None) -> tuple[int, Any]:
        async with self.session.post(f"{self.url}/_sandbox/{path}", json=body) as response:
            return response.status, await response.json()


@pytest.fixture
async def hand(sandbox: Sandbox) -> AsyncIterator[Hand]:
    """The other end of the line."""
    async with ClientSession() as session:
        yield Hand(session, sandbox.url)


@pytest.fixture
async def slow_hand(slow_sandbox: Sandbox) -> AsyncIterator[Hand]:
    """The other end of the slow sandbox's lines."""
    async with ClientSession() as session:
        yield Hand(session, slow_sandbox.url)


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    """The unmodified Stripe SDK on a sandbox, whose every word is compared with the specification."""
    http = CheckedClient()
    async with StripeSandbox(StripeSettings(webhook_retry_s=0.01)) as sandbox:
        client = stripe.StripeClient(
            sandbox.settings.secret_key,
            base_addresses={"api": sandbox.url},
            http_client=http,
            stripe_version=sandbox.world.contract.version,
        )
        made = Shop(sandbox, client, http)
        await made.stock()
        yield made
        described = stripe_specification()
        if described is not None:
            wrong = [complaint for each in sandbox.events for complaint in described.complaints_of_event(without_own(each))]
            assert not wrong
    await http.close_async()  # type: ignore[no-untyped-call]
    assert not http.complaints


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    """A server that keeps the webhooks it gets."""
    endpoint = Endpoint()
    app = web.Application()
    app.router.add_post("/stripe", endpoint.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    endpoint.url = f"http://127.0.0.1:{runner.addresses[0][1]}/stripe"
    yield endpoint
    await runner.cleanup()
