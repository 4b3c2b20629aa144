"""Composition root of the server: wires the pool, the features, the providers and the sockets."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import orjson
import structlog
from aiohttp import web

from hub.accounts.routes import account_routes
from hub.activities import routes as activities
from hub.api_keys import routes as api_keys
from hub.audit import routes as audit
from hub.auth.keys import Keys
from hub.auth.routes import auth_routes
from hub.auth.tokens import Tokens
from hub.billing.catalogue import CATALOGUE
from hub.billing.restrictions import Restrictions
from hub.billing.routes import billing_routes
from hub.bounces import routes as bounces
from hub.calls.routes import call_routes
from hub.calls.webhooks import call_webhooks
from hub.canary.looking import check_isolation
from hub.clock import Clock
from hub.company import routes as company
from hub.config import Settings
from hub.contacts import routes as contacts
from hub.db import Database
from hub.dialer import routes as dialer
from hub.dispositions import routes as dispositions
from hub.floor import routes as floor
from hub.handovers import routes as handovers
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
from hub.joining.routes import joining_routes
from hub.leases import routes as leases
from hub.leaving import Leaving
from hub.limits.admission import Admission
from hub.limits.doorman import HTTP_LIMITS, DoorSite
from hub.lines.routes import line_routes
from hub.listening import allow_files
from hub.logging import configure_logging
from hub.mail.routes import mail_routes
from hub.mailboxes.routes import mailbox_routes
from hub.meetings.routes import meeting_routes
from hub.messages.routes import message_routes
from hub.metrics import serve_metrics
from hub.notifications import routes as notifications
from hub.notifications.push_routes import push_routes
from hub.numbers.routes import number_routes
from hub.outgoing.routes import outgoing_routes
from hub.permits import routes as permits
from hub.plans import routes as plans
from hub.post.routes import post_routes
from hub.presence import routes as presence
from hub.privacy.routes import privacy_routes
from hub.providers import Providers, google_client
from hub.realtime import Realtime
from hub.realtime import routes as realtime
from hub.recordings.routes import recording_routes
from hub.redis import new_client
from hub.roles import routes as roles
from hub.sealing import Seals
from hub.second_factor import routes as second_factor
from hub.sequences.routes import sequence_routes
from hub.sso.routes import sso_routes
from hub.tasks import routes as tasks
from hub.teams import routes as teams
from hub.templates import routes as templates
from hub.tenants import routes as tenants
from hub.tracing import start_tracing
from hub.tracking.routes import tracking_routes
from hub.unsubscribes.routes import unsubscribe_routes
from hub.visibility import routes as visibility
from hub.voicemail.routes import voicemail_routes
from hub.watching import show_objects, show_pool
from integrations.mailboxes import open_mail
from integrations.objects import open_objects
from integrations.oidc import OpenId
from integrations.stripe import StripePayments, StripeWebhook
from integrations.twilio import Renderer, TwilioTelephony, TwilioTokens, TwilioWebhook

CONSOLE = Path(__file__).resolve().parent.parent / "console" / "dist"
GRACE_S = 5.0
# Many systems give a process 1,024 and let it ask for more: a socket is a file.
OPEN_FILES = 65_536
POOL = 16
NO_PROVIDERS = Providers()

_log = structlog.get_logger("hub.app")


async def open_providers(settings: Settings, stack: contextlib.AsyncExitStack) -> Providers:
    """What is set up of the providers; the stack closes it."""
    objects = open_objects(settings.objects, settings.s3) if settings.objects else None
    redis = new_client(settings.redis_url)
    stack.push_async_callback(redis.aclose)
    mail = await stack.enter_async_context(open_mail(google_client(settings), redis, private_hosts=settings.private_mail_hosts))
    identity = await stack.enter_async_context(OpenId.open(redis, private_hosts=settings.private_sso_hosts))
    account = settings.twilio
    if account is None:
        return Providers(objects=objects, google=mail.google, pushes=mail.pushes, mailboxes=mail.mailboxes, identity=identity)
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
        identity=identity,
    )


async def open_payments(settings: Settings, base: Providers, stack: contextlib.AsyncExitStack) -> Providers:
    """The providers with the one that collects the money, where it is set up; the stack closes it."""
    account = settings.stripe
    if account is None:
        return base
    redis = new_client(settings.redis_url)
    stack.push_async_callback(redis.aclose)
    now = Clock.parse(settings.clock).now
    opened = StripePayments.open(
        account.secret_key, redis, CATALOGUE, api_url=account.api_url, now=now, test_clock=account.test_clock
    )
    payments = await stack.enter_async_context(opened)
    return replace(base, payments=payments, payment_events=StripeWebhook(account.webhook_secrets))


def api_endpoints(settings: Settings, tokens: Tokens, providers: Providers = NO_PROVIDERS) -> list[Endpoint]:
    """Every endpoint of the product, in the order of the document."""
    features = [
        auth_routes(settings, tokens),
        account_routes(settings),
        sso_routes(settings, tokens, providers),
        second_factor.routes,
        tenants.routes,
        plans.routes,
        billing_routes(settings, providers),
        joining_routes(settings),
        company.routes,
        handovers.routes,
        roles.routes,
        api_keys.routes,
        outgoing_routes(settings),
        teams.routes,
        visibility.routes,
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
        push_routes(settings),
        post_routes(settings),
        permits.routes,
        leases.routes,
        dialer.routes,
        sequence_routes(Clock.parse(settings.clock)),
        floor.routes,
        presence.routes,
        realtime.routes,
        jobs.routes,
        audit.routes,
        privacy_routes(providers),
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
        self.leaving = Leaving()
        self.restrictions = Restrictions()
        self.admission = Admission(settings.limits, settings.trusted_proxies, slots=POOL - 2)
        db.turns = self.admission.gate
        self.realtime = Realtime(settings, floor_db, self.tokens, hints, keys=Keys(db))
        self.realtime.sockets.is_suspended = self.restrictions.is_suspended
        self.restrictions.on_suspended = self.realtime.sockets.suspend

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, settings: Settings) -> AsyncIterator[Hub]:
        """Connect to what is needed, start the live floor, and stop it all again."""
        hints = RedisHints(settings.redis_url)
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(start_tracing(settings, "hub"))
            await hints.start()
            stack.push_async_callback(hints.stop)
            url, prepared = settings.database_url, settings.database_prepared
            db = await Database.open(url, notifier=hints, min_size=2, max_size=POOL, name="ringside hub", prepared=prepared)
            stack.push_async_callback(db.close)
            show_pool("requests", db)
            # The floor has connections of its own: requests that take all the others must not make it late.
            floor_db = await Database.open(url, notifier=hints, max_size=4, name="ringside floor", prepared=prepared)
            stack.push_async_callback(floor_db.close)
            show_pool("floor", floor_db)
            show_objects(settings.objects)
            db.seals = Seals(settings)
            providers = await open_payments(settings, await open_providers(settings, stack), stack)
            hub = cls(settings, db, floor_db, hints, providers)
            stack.push_async_callback(hub.realtime.stop)
            await hub.realtime.start()
            if settings.stripe is not None:
                await hub.restrictions.start(db)
                hub.admission.limiter.factor_of = hub.restrictions.request_factor
                stack.push_async_callback(hub.restrictions.stop)
            hub.admission.start(new_client(settings.redis_url))
            stack.push_async_callback(hub.admission.stop)
            yield hub

    def application(self) -> web.Application:
        """The aiohttp application with everything mounted."""
        app = web.Application(middlewares=[observe, self.admission.middleware()], client_max_size=1_000_000)
        endpoints = api_endpoints(self.settings, self.tokens, self.providers)
        Edge(self.db, self.realtime.access, self.admission, self.restrictions).mount(app, endpoints)

        @cache
        def described() -> bytes:
            return orjson.dumps(openapi_document(endpoints, version=product_version()))

        async def openapi(_request: web.Request) -> web.Response:
            # Made when it is asked for first, and not on the loop: it takes longer than all the rest of a start.
            return web.Response(body=await asyncio.to_thread(described), content_type="application/json")

        app.router.add_get("/api/openapi.json", openapi)
        mount_health(
            app,
            required={"postgres": lambda: check_postgres(self.db), "isolation": lambda: check_isolation(self.db)},
            optional={"redis": lambda: check_redis(self.hints.ping)},
        )
        self.realtime.attach(app)
        self.leaving.attach(app)
        mount_console(app, CONSOLE)
        return app

    async def listen(self, host: str, port: int, *, grace_s: float = GRACE_S) -> tuple[web.AppRunner, DoorSite]:
        """Take requests, with all limits of size and time. Stop the site first, and clean up the runner at the end."""
        runner = web.AppRunner(self.application(), access_log=None, shutdown_timeout=grace_s, **HTTP_LIMITS)
        await runner.setup()
        site = DoorSite(runner, self.admission.doorman, host, port)
        await site.start()
        return runner, site


async def serve(settings: Settings, *, ready: Callable[[int, int], None] | None = None) -> None:
    """Serve until SIGTERM or SIGINT; `ready` is told the port and the metrics port once requests are taken."""
    configure_logging(settings, part="hub")
    allow_files(OPEN_FILES)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    started = time.perf_counter()
    async with Hub.open(settings) as hub:
        metrics = await serve_metrics(settings.host, settings.metrics_port)
        runner, site = await hub.listen(settings.host, settings.port)
        # What is here now stays: the collector need not go through all of it again whenever many sockets have come.
        gc.collect()
        gc.freeze()
        port: int = runner.addresses[0][1]
        _log.info("ready", port=port, metrics_port=metrics.port, took_s=round(time.perf_counter() - started, 2))
        if ready is not None:
            ready(port, metrics.port)
        await stop.wait()
        _log.info("stopping")
        await hub.leaving.close(site, site.sockets)
        await asyncio.gather(hub.leaving.settle(), hub.realtime.stop())
        await runner.cleanup()
        await metrics.close()
