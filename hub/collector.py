"""Where traces are sent: the OpenTelemetry SDK, loaded only where a collector is set, because that takes a third of a second."""

from __future__ import annotations

import os
import socket

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

TIMEOUT_S = 5


def open_provider(url: str, share: float, part: str) -> TracerProvider:
    """What sends this share (0 to 1) of the traces, in the background, to a collector that takes OTLP over HTTP.

    A collector that is away costs the traces of that time and nothing else.
    """
    resource = Resource.create(
        {"service.name": f"ringside-{part}", "service.instance.id": f"{socket.gethostname()}:{os.getpid()}"}
    )
    provider = TracerProvider(resource=resource, sampler=ParentBased(TraceIdRatioBased(share)))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{url}/v1/traces", timeout=TIMEOUT_S)))
    return provider
