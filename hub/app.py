"""Composition root of the server: wires the pool, the features, the providers and the sockets."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import orjson
import structlog
from aiohttp import web
from prometheus_client import Gauge
from redis.asyncio import Redis

from hub.activities import routes as activities
from hub.auth.routes import auth_routes
from hub.auth.tokens import Tokens
from hub.bounces import routes as bounces
from hub.calls.routes import call_routes
from hub.calls.webhooks import call_webhooks
from hub.clock import Clock
from hub.config import Settings
from hub.contacts import routes as contacts
from hub.db import Database
from hub.dialer import routes as dialer
from hub.dispositions import routes as dispositions
from hub.floor import routes as floor
from hub.health import check_postgres, check_redis, mount_health
from hub.hints import RedisHints
from hub.http.edge import Edge
from hub.http.endpoint import Endpoint
from hub.http.middleware import observe
from hub.http.openapi import openapi_document
from hub.http.static import mount_console
from hub.imports import routes as imports
from hub.inbound.routes import inbound_routes
from hub.jobs import routes as jobs
from hub.leases import routes as leases
from hub.lines.routes import line_routes
from hub.logging import configure_logging
from hub.mail.routes import mail_routes
from hub.mailboxes.routes import mailbox_routes
from hub.meetings.routes import meeting_routes
from hub.messages.routes import message_routes
from hub.metrics import serve_metrics
from hub.notifications import routes as notifications
from hub.numbers.routes import number_routes
from hub.permits import routes as permits
from hub.presence import routes as presence
from hub.providers import Providers, google_client
from hub.realtime import Realtime
from hub.realtime import routes as realtime
from hub.recordings.routes import recording_routes
from hub.sequences.routes import sequence_routes
from hub.tasks import routes as tasks
from hub.teams import routes as teams
from hub.templates import routes as templates
from hub.tenants import routes as tenants
from hub.tracking.routes import tracking_routes
from hub.unsubscribes.routes import unsubscribe_routes
from hub.voicemail.routes import voicemail_routes
from integrations.mailboxes import open_mail
from integrations.objects import open_objects
from integrations.twilio import Renderer, TwilioTelephony, TwilioTokens, TwilioWebhook

CONSOLE = Path(__file__).resolve().parent.parent / "console" / "dist"
GRACE_S = 5.0
NO_PROVIDERS = Providers()

_POOL = Gauge("ringside_pool_connections", "Database connections by use.", ["use"])
_log = structlog.get_logger("hub.app")


async def open_providers(settings: Settings, stack: contextlib.AsyncExitStack) -> Providers:
    """What is set up of the providers; the stack closes it."""
    objects = open_objects(settings.objects, settings.s3) if settings.objects else None
    redis: Redis = Redis.from_url(settings.redis_url, socket_connect_timeout=1, socket_timeout=2)
    stack.push_async_callback(redis.aclose)
    mail = await stack.enter_async_context(open_mail(google_client(settings), redis, private_hosts=settings.private_mail_hosts))
    account = settings.twilio
    if account is None:
        return Providers(objects=objects, google=mail.google, pushes=mail.pushes, mailboxes=mail.mailboxes)
    telephony = await stack.enter_async_context(
        TwilioTelephony.open(
            account.account_sid, account.auth_token, redis, api_url=account.api_url, calls_per_s=account.calls_per_second
        )
    )
    tokens = None
    if account.has_softphone:
        tokens = TwilioTokens(account.account_sid, account.api_key_sid, account.api_key_secret, account.twiml_app_sid)
    return Providers(
        callbacks=TwilioWebhook(account.auth_token, shared_keys=account.webhook_keys),
        twiml=Renderer(),
        tokens=tokens,
        objects=objects,
        numbers=telephony.numbers,
        telephony=telephony,
        google=mail.google,
        pushes=mail.pushes,
        mailboxes=mail.mailboxes,
    )


def api_endpoints(settings: Settings, tokens: Tokens, providers: Providers = NO_PROVIDERS) -> list[Endpoint]:
    """Every endpoint of the product, in the order of the document."""
    features = [
        auth_routes(settings, tokens),
        tenants.routes,
        teams.routes,
        contacts.routes,
        activities.routes,
        imports.routes,
        call_routes(settings),
        call_webhooks(settings, providers),
        line_routes(settings, providers),
        number_routes(settings, providers),
        inbound_routes(settings, providers),
        message_routes(settings, providers),
        mailbox_routes(settings, providers),
        mail_routes(settings, providers),
        templates.routes,
        tracking_routes(settings),
        unsubscribe_routes(settings),
        bounces.routes,
        recording_routes(settings, providers),
        voicemail_routes(settings, providers),
        meeting_routes(settings),
        dispositions.routes,
        tasks.routes,
        notifications.routes,
        permits.routes,
        leases.routes,
        dialer.routes,
        sequence_routes(Clock.parse(settings.clock)),
        floor.routes,
        presence.routes,
        realtime.routes,
        jobs.routes,
    ]
    return [endpoint for feature in features for endpoint in feature.endpoints]


def product_version() -> str:
    """The installed version, or the one in development."""
    try:
        return version("ringside")
    except PackageNotFoundError:
        return "0.1.0"


def document(settings: Settings) -> dict[str, Any]:
    """The OpenAPI document of this server."""
    return openapi_document(api_endpoints(settings, Tokens(b"\0" * 32)), version=product_version())


class Hub:
    """One running server process."""

    def __init__(self, settings: Settings, db: Database, floor_db: Database, hints: RedisHints, providers: Providers) -> None:
        self.settings = settings
        self.db = db
        self.hints = hints
        self.providers = providers
        self.tokens = Tokens(settings.key("access-token"))
        self.realtime = Realtime(settings, floor_db, self.tokens, hints)

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, settings: Settings) -> AsyncIterator[Hub]:
        """Connect to what is needed, start the live floor, and stop it all again."""
        hints = RedisHints(settings.redis_url)
        async with contextlib.AsyncExitStack() as stack:
            await hints.start()
            stack.push_async_callback(hints.stop)
            db = await Database.open(settings.database_url, notifier=hints, min_size=2, max_size=16, name="ringside hub")
            stack.push_async_callback(db.close)
            # The floor has connections of its own: requests that take all the others must not make it late.
            floor_db = await Database.open(settings.database_url, notifier=hints, max_size=4, name="ringside floor")
            stack.push_async_callback(floor_db.close)
            hub = cls(settings, db, floor_db, hints, await open_providers(settings, stack))
            stack.push_async_callback(hub.realtime.stop)
            await hub.realtime.start()
            yield hub

    def application(self) -> web.Application:
        """The aiohttp application with everything mounted."""
        app = web.Application(middlewares=[observe], client_max_size=1_000_000)
        endpoints = api_endpoints(self.settings, self.tokens, self.providers)
        Edge(self.db, self.realtime.access).mount(app, endpoints)
        described = orjson.dumps(openapi_document(endpoints, version=product_version()))

        async def openapi(_request: web.Request) -> web.Response:
            return web.Response(body=described, content_type="application/json")

        app.router.add_get("/api/openapi.json", openapi)
        mount_health(
            app,
            required={"postgres": lambda: check_postgres(self.db)},
            optional={"redis": lambda: check_redis(self.hints.redis)},
        )
        self.realtime.attach(app)
        mount_console(app, CONSOLE)
        return app


async def serve(settings: Settings, *, ready: Callable[[int, int], None] | None = None) -> None:
    """Serve until SIGTERM or SIGINT; `ready` is told the port and the metrics port once requests are taken."""
    configure_logging(settings, part="hub")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    started = time.perf_counter()
    async with Hub.open(settings) as hub:
        _POOL.labels("open").set_function(lambda: hub.db.pool.get_size())
        _POOL.labels("idle").set_function(lambda: hub.db.pool.get_idle_size())
        metrics = await serve_metrics(settings.host, settings.metrics_port)
        runner = web.AppRunner(hub.application(), access_log=None, keepalive_timeout=30, shutdown_timeout=GRACE_S)
        await runner.setup()
        site = web.TCPSite(runner, settings.host, settings.port, backlog=1024)
        await site.start()
        port: int = runner.addresses[0][1]
        _log.info("ready", port=port, metrics_port=metrics.port, took_s=round(time.perf_counter() - started, 2))
        if ready is not None:
            ready(port, metrics.port)
        await stop.wait()
        _log.info("stopping")
        await site.stop()
        await hub.realtime.stop()
        await runner.cleanup()
        await metrics.close()
