"""What a provider was asked, as a part of the trace that is under way.

A composition root sets `tracer`; without one it costs nothing.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, Tracer

tracer: Tracer | None = None
_NOTHING = nullcontext(INVALID_SPAN)


def provider_span(provider: str, operation: str) -> AbstractContextManager[Span]:
    """One attempt of one operation: their names, and nothing of what was asked or answered."""
    if tracer is None:
        return _NOTHING
    attributes = {"ringside.provider": provider, "ringside.operation": operation}
    return tracer.start_as_current_span(
        f"{provider} {operation}",
        kind=SpanKind.CLIENT,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    )
