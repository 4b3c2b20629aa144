"""One trace from a click to the provider and to the sockets, sent to a collector as OpenTelemetry says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from hub.config import Settings
from hub.embedded import ValkeyServer
from hub.environment import SettingsError
from hub.tracing import span, traceparent
from tests.conftest import TestDatabase, make_company
from tests.harness import until
from tests.realtime.kit import Client
from tests.stack import running_stack


@dataclass(frozen=True, slots=True)
class Seen:
    """A span as it arrived."""

    name: str
    trace_id: bytes
    span_id: bytes
    parent_id: bytes
    said: str


@dataclass
class Collector:
    """Takes OTLP over HTTP."""

    url: str = ""
    spans: list[Seen] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        """One batch."""
        batch = ExportTraceServiceRequest.FromString(await request.read())
        for resource in batch.resource_spans:
            for scope in resource.scope_spans:
                self.spans += [Seen(s.name, s.trace_id, s.span_id, s.parent_span_id, str(s)) for s in scope.spans]
        return web.Response()

    def of_trace(self, trace_id: bytes) -> dict[str, Seen]:
        """The spans of one trace by name, the last of each."""
        return {one.name: one for one in self.spans if one.trace_id == trace_id}


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    collector = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", collector.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    collector.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield collector
    finally:
        await runner.cleanup()


async def test_one_trace_leads_from_a_click_to_the_provider_and_the_sockets(
    database: TestDatabase, valkey: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
    async with collecting() as collector, running_stack(database.app_url, valkey.url, traces=collector.url) as stack:
        acme = await make_company(stack.server.hub.db, "Acme")
        rep = stack.server.as_member(acme)
        watching = await Client.connect(stack.server.url, stack.server.token(acme))
        async with stack.worker():
            contact = (await rep.post("/contacts", {"first_name": "Ada", "phones": [{"e164": "+12025550100"}]})).body
            caller = "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"
            placed = await rep.call("POST", "/calls", json={"contact_id": contact["id"]}, headers={"traceparent": caller})
            assert placed.status == 201, placed.body

            async def whole() -> dict[str, Seen] | None:
                found = collector.of_trace(bytes.fromhex("ab" * 16))
                # What is inside ends first, and is sent first.
                wanted = ("POST /api/v1/calls", "job calls.", "twilio", "floor.hint", "floor.write")
                return found if all(any(name.startswith(one) for name in found) for one in wanted) else None

            found = await until(whole)
        await watching.close()

    names = {one.span_id: one.name for one in collector.spans}
    request = found["POST /api/v1/calls"]
    assert request.parent_id == bytes.fromhex("cd" * 8)
    assert names[found["insert_job"].parent_id] == "transaction"
    assert found["append_events"].trace_id == request.trace_id
    job = next(one for name, one in found.items() if name.startswith("job calls."))
    provider = next(one for name, one in found.items() if name.startswith("twilio"))
    assert names[provider.parent_id] == job.name
    assert "floor.write" in found
    # Nothing of what people are called or can be reached under, and no token.
    everything = "".join(one.said for one in collector.spans)
    assert "Ada" not in everything and "2025550100" not in everything and "eyJ" not in everything


def test_without_a_collector_nothing_is_traced() -> None:
    with span("nothing") as here:
        assert not here.is_recording()
        assert traceparent() == ""


@pytest.mark.parametrize(
    ("name", "value"), [("RINGSIDE_TRACES", "collector:4318"), ("RINGSIDE_TRACES_SHARE", "2"), ("RINGSIDE_TRACES_SHARE", "all")]
)
def test_what_is_wrong_with_the_settings_is_said(name: str, value: str) -> None:
    env = {"DATABASE_URL": "postgresql://", "REDIS_URL": "redis://", "RINGSIDE_SECRET": "-" * 32}
    with pytest.raises(SettingsError, match=name):
        Settings.from_env(env | {name: value})
