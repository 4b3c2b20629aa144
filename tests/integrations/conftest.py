import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from uuid import uuid4

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from integrations.guard import Guard, RetryPolicy
from integrations.metrics import ProviderMetrics, provider_metrics
from integrations.ports import CallUpdate, PlaceCall
from integrations.sandbox.twilio import Sandbox, SandboxSettings, start_sandbox
from integrations.twilio import TwilioTelephony, TwilioWebhook
from tests.integrations.specification import SPECS, CheckingProxy, Specification

FROM = "+12025550100"


async def eventually(condition: Callable[[], object], within_s: float = 10.0) -> None:
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


def guard_for_tests(metrics: ProviderMetrics, timeout_s: float = 5.0) -> Guard:
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
