"""Traces by OpenTelemetry: off, and next to free, until a setting names a collector.

One trace leads from a request through its statements, its event and its job to the provider and the sockets. Between
processes it travels as W3C's `traceparent`: in requests' headers, in the rows of jobs and in the hints of events. What people
write, addresses, numbers and tokens are no part of a trace: statements go by their names, requests by their routes.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import structlog
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from hub.config import Settings
from integrations import spans

SERVER, PRODUCER, CONSUMER = SpanKind.SERVER, SpanKind.PRODUCER, SpanKind.CONSUMER

_NOTHING = nullcontext(trace.INVALID_SPAN)
_W3C = TraceContextTextMapPropagator()
_log = structlog.get_logger(__name__)
_tracer: Tracer | None = None


def start_tracing(settings: Settings, part: str) -> Callable[[], Awaitable[None]]:
    """Trace this process when the settings name a collector; what ends it, and sends what is still to be sent.

    `part` is hub or worker. The collector takes OTLP over HTTP (its port is usually 4318).
    """
    global _tracer
    if not settings.traces:
        return _end_nothing
    provider = importlib.import_module("hub.collector").open_provider(settings.traces, settings.traces_share, part)
    _tracer = spans.tracer = provider.get_tracer("ringside")
    _log.info("traces are sent", to=settings.traces, share=settings.traces_share)

    async def end() -> None:
        global _tracer
        _tracer = spans.tracer = None
        # It waits for the collector.
        await asyncio.to_thread(provider.shutdown)

    return end


async def _end_nothing() -> None:
    pass


def span(name: str, kind: SpanKind = SpanKind.INTERNAL, *, parent: str = "", **attributes: Any) -> AbstractContextManager[Span]:
    """A part of the trace as long as the block lasts. `parent` is a traceparent from elsewhere; without it, what is under way."""
    if _tracer is None:
        return _NOTHING
    context = read_parent({"traceparent": parent}) if parent else None
    return _tracer.start_as_current_span(name, context, kind, record_exception=False, set_status_on_exception=False)


def read_parent(headers: Mapping[str, str]) -> Context:
    """Where a caller's trace stands, from its headers; nowhere when they say nothing that can be read."""
    return _W3C.extract({"traceparent": headers.get("traceparent", "")})


def traceparent() -> str:
    """Where this trace stands, for who goes on with it elsewhere; empty when nothing is traced."""
    if _tracer is None:
        return ""
    carrier: dict[str, str] = {}
    _W3C.inject(carrier)
    return carrier.get("traceparent", "")


def with_trace_id(_logger: Any, _method: str, event: Any) -> Any:
    """A structlog processor: the line says in which trace it was written."""
    if _tracer is not None and (here := trace.get_current_span().get_span_context()).is_valid:
        event["trace_id"] = trace.format_trace_id(here.trace_id)
        event["span_id"] = trace.format_span_id(here.span_id)
    return event
