"""Around every request: its id, its log line, its metrics, errors as JSON, and the security headers."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import uuid4

import orjson
import structlog
from aiohttp import web
from prometheus_client import Counter, Histogram

from hub.errors import HubError, TooMany
from hub.http.endpoint import REQUEST_ID
from hub.tracing import SERVER, span

REQUESTS = Counter("ringside_http_requests_total", "Requests by route, method and status.", ["route", "method", "status"])
LATENCY = Histogram(
    "ringside_http_request_seconds",
    "How long requests took, by route.",
    ["route", "method"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 15),
)

# What else stands in a request's first line is made up by whoever sends it.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{8,64}$")
_log = structlog.get_logger("hub.http")

# Pictures from elsewhere stand in mail, which shows them only when its reader asks.
_CSP = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob: https:; connect-src 'self' ws: wss:; "
    "object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
_SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": _CSP,
    "Cross-Origin-Opener-Policy": "same-origin",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def error_body(error: HubError, request_id: str) -> bytes:
    """The one shape every error has."""
    return orjson.dumps(
        {
            "error": error.code,
            "message": error.message,
            "details": error.details,
            "request_id": request_id,
            "timestamp": datetime.now(UTC).isoformat(),
        }
    )


@web.middleware
async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request an id, answer errors in words, log and count it."""
    given = request.headers.get("X-Request-ID", "")
    request_id = given if _REQUEST_ID.match(given) else uuid4().hex
    request[REQUEST_ID] = request_id
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(part="hub", request_id=request_id)
    if "Upgrade" in request.headers:  # a socket's request lasts as long as the socket
        return await _answered(request, handler, request_id)
    name, parent = f"{request.method} {_route(request)}", request.headers.get("traceparent", "")
    with span(name, SERVER, parent=parent) as here:
        response = await _answered(request, handler, request_id)
        here.set_attribute("http.response.status_code", response.status)
    return response


async def _answered(request: web.Request, handler: Handler, request_id: str) -> web.StreamResponse:
    started = time.perf_counter()
    try:
        response = await handler(request)
    except HubError as error:
        response = _failed(error, request_id)
    except web.HTTPException as found:
        if found.status < 400:
            raise
        response = _failed(_from_aiohttp(found), request_id, found.headers.get("Allow"))
    except ConnectionError:
        raise
    except Exception:
        resource = request.match_info.route.resource
        path = resource.canonical if resource is not None and "{token}" in resource.canonical else request.path
        _log.exception("request failed", method=request.method, path=path)
        response = _failed(_Internal(), request_id)
    _finish(request, response, request_id, time.perf_counter() - started)
    return response


class _Internal(HubError):
    code = "internal"
    status = 500

    def __init__(self) -> None:
        super().__init__("Something went wrong on our side. It was logged under this request id.")


def _failed(error: HubError, request_id: str, allow: str | None = None) -> web.Response:
    headers = error.headers | ({"Allow": allow} if allow else {})
    response = web.Response(
        body=error_body(error, request_id), status=error.status, content_type="application/json", headers=headers
    )
    if isinstance(error, TooMany) and error.hang_up:
        response.force_close()
    return response


def _from_aiohttp(found: web.HTTPException) -> HubError:
    known: dict[int, tuple[str, str]] = {
        404: ("not_found", "There is nothing at this address."),
        405: ("method_not_allowed", "This address does not take that method."),
        413: ("too_large", "The body is too large."),
    }
    code, message = known.get(found.status, ("bad_request", found.reason or "The request is malformed."))
    error = HubError(message, code=code)
    error.status = found.status
    return error


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unmatched"


@lru_cache(maxsize=10_000)
def _counted(route: str, method: str, status: int) -> Counter:
    """The counter of these labels, whose finding costs more than counting."""
    return REQUESTS.labels(route, method, str(status))


@lru_cache(maxsize=2_000)
def _timed(route: str, method: str) -> Histogram:
    return LATENCY.labels(route, method)


def _finish(request: web.Request, response: web.StreamResponse, request_id: str, took_s: float) -> None:
    route = _route(request)
    method = request.method if request.method in _METHODS else "other"
    _counted(route, method, response.status).inc()
    # A websocket's request lasts as long as its socket, and a refusal as long as it is held back.
    if response.status not in (101, 429):
        _timed(route, method).observe(took_s)
    if not response.prepared:
        response.headers["X-Request-ID"] = request_id
        for name, value in _SECURITY.items():
            response.headers.setdefault(name, value)
        if request.path.startswith("/api/"):
            response.headers.setdefault("Cache-Control", "private, no-cache")
    line: dict[str, Any] = {
        "method": request.method,
        # A token in an address opens something: it belongs in no log.
        "path": route if "{token}" in route else request.path,
        "status": response.status,
        "ms": round(took_s * 1000, 1),
    }
    if response.status >= 500:
        _log.warning("request", **line)
    elif response.status != 429 and request.path not in ("/healthz", "/readyz"):  # a flood must not flood the log
        _log.info("request", **line)
