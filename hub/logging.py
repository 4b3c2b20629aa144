"""Structured logs: JSON lines, or a pretty log on a terminal. Request, tenant, user and job follow through contextvars."""

from __future__ import annotations

import json
import logging
import sys
from contextlib import suppress
from typing import Any, TextIO

import orjson
import structlog

from hub.config import Settings
from hub.tracing import with_trace_id

# What a secret is called, wherever it turns up as a key.
_SECRET_KEYS = frozenset(
    {"password", "token", "access_token", "refresh_token", "authorization", "cookie", "secret", "auth_token"}
)


def configure_logging(settings: Settings, *, part: str) -> None:
    """Set up structlog and the standard library's logging for one process. `part` is hub, worker or a command's name."""
    pretty = settings.log_style == "pretty" or (settings.log_style == "auto" and sys.stderr.isatty())
    level = logging.getLevelNamesMapping().get(settings.log_level.upper(), logging.INFO)
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_secrets,
        with_trace_id,
    ]
    if pretty:
        # The default traceback shows the local variables of every frame: passwords and tokens among them.
        last: list[Any] = [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    else:
        last = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_dumps)]
    # There is a line for every request: as JSON it goes straight out, past the standard library, for a third of the time.
    own: list[Any] = [structlog.stdlib.ProcessorFormatter.wrap_for_formatter] if pretty else last
    structlog.configure(
        processors=[*shared, *own],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory() if pretty else _Lines(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last]
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("arq.worker", "aiohttp.access", "engineio", "socketio", "twilio", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.contextvars.bind_contextvars(part=part)


class _Lines:
    """Writes whole lines. Like the standard library's handlers it never fails: no request may, because the disk is full."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, *_names: Any) -> _Lines:
        return self

    def info(self, line: str) -> None:
        """Write a line, whatever its level: it says that itself."""
        with suppress(OSError, ValueError):
            self._stream.write(line + "\n")
            self._stream.flush()

    debug = warning = error = critical = exception = fatal = info


def _dumps(value: Any, default: Any = None, **_: Any) -> str:
    try:
        return orjson.dumps(value, default=default or str).decode()
    except orjson.JSONEncodeError:
        # Bytes of a request that are no UTF-8 come as lone surrogates; the line must not be lost for them.
        return json.dumps(value, default=str, skipkeys=True, ensure_ascii=False).encode(errors="replace").decode()


def _without_secrets(_logger: Any, _method: str, event: Any) -> Any:
    for key in event:
        if key.lower() in _SECRET_KEYS:
            event[key] = "[hidden]"
    return event
