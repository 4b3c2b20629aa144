"""The workers' composition root: which jobs and duties there are, and what they are given."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from redis.asyncio import Redis

from hub.billing.catalogue import CATALOGUE
from hub.billing.restrictions import Restrictions
from hub.clock import Clock
from hub.config import Settings
from hub.db import Database
from hub.hints import RedisHints
from hub.providers import google_client
from hub.redis import new_client
from hub.sealing import Seals
from hub.tracing import start_tracing
from integrations.hooks import HookCarrier
from integrations.letters import SmtpCarrier, smtp_account
from integrations.mailboxes import open_mail
from integrations.mime import Address
from integrations.objects import open_objects
from integrations.stripe import StripePayments
from integrations.telling import LetterCarrier
from integrations.twilio import Renderer, TwilioTelephony, TwilioWebhook
from integrations.webpush import WebPushCarrier
from workers import (
    billing,
    calls,
    canary,
    cron,
    dialer,
    imports,
    inbound,
    joining,
    leases,
    legs,
    lines,
    mail,
    mailbox_history,
    mailboxes,
    messages,
    notifications,
    numbers,
    outgoing,
    post,
    privacy,
    recordings,
    sequences,
    tracking,
    voicemail,
    workflow,
)
from workers.cron import AT_ONCE, duties_of
from workers.job import Deps, Registry
from workers.slots import spare_slots

JOBS = Registry.of(
    billing,
    calls,
    legs,
    lines,
    dialer,
    imports,
    inbound,
    joining,
    numbers,
    outgoing,
    privacy,
    recordings,
    voicemail,
    notifications,
    messages,
    mail,
    mailboxes,
    mailbox_history,
    sequences,
    tracking,
)
DUTIES = duties_of(
    billing,
    canary,
    cron,
    calls,
    legs,
    lines,
    dialer,
    imports,
    joining,
    leases,
    workflow,
    outgoing,
    privacy,
    recordings,
    messages,
    mail,
    mailboxes,
    post,
    sequences,
    tracking,
)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a worker is made of. `name` is this process's own, so that no two leases are alike."""

    name: str
    deps: Deps


def worker_name() -> str:
    """A name that no other worker has had."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"


@asynccontextmanager
async def compose(settings: Settings) -> AsyncIterator[Parts]:
    """Connect everything, and let go of it at the end. Raises OSError or asyncpg errors when Postgres does not answer."""
    async with AsyncExitStack() as stack:
        name = worker_name()
        stack.push_async_callback(start_tracing(settings, "worker"))
        hints = RedisHints(settings.redis_url, process=name)
        await hints.start()
        stack.push_async_callback(hints.stop)
        # Each job holds at most one connection at a time, each duty two, and each of the loops one.
        connections = settings.worker_jobs + spare_slots(settings.worker_jobs) + 2 * AT_ONCE + 4
        db = await Database.open(
            settings.database_url,
            notifier=hints,
            max_size=connections,
            name="ringside worker",
            prepared=settings.database_prepared,
        )
        stack.push_async_callback(db.close)
        db.seals = Seals(settings)
        redis = new_client(settings.redis_url)
        stack.push_async_callback(redis.aclose)
        deps = replace(await _deps(settings, db, stack), **await _billing(settings, db, redis, stack))
        carrier = WebPushCarrier.open(_contact(settings), redis, allow_private=settings.private_push_hosts)
        pushes = await stack.enter_async_context(carrier)
        hooks = await stack.enter_async_context(HookCarrier.open(allow_private=settings.private_webhook_hosts))
        yield Parts(name, replace(deps, letters=_letters(settings, redis), pushes=pushes, hooks=hooks))


async def _billing(settings: Settings, db: Database, redis: Redis, stack: AsyncExitStack) -> dict[str, Any]:
    account = settings.stripe
    if account is None:
        return {}
    now = Clock.parse(settings.clock).now
    opened = StripePayments.open(
        account.secret_key, redis, CATALOGUE, api_url=account.api_url, now=now, test_clock=account.test_clock
    )
    restrictions = Restrictions()
    await restrictions.start(db)
    stack.push_async_callback(restrictions.stop)
    return {"payments": await stack.enter_async_context(opened), "restrictions": restrictions}


def _contact(settings: Settings) -> str:
    """Whom push services turn to: a mailto: or an https: address (RFC 8292, section 2.1)."""
    if settings.smtp is not None:
        return f"mailto:{settings.smtp.from_address}"
    if settings.public_url.startswith("https://"):
        return settings.public_url
    return f"mailto:ringside@{urlsplit(settings.public_url).hostname or 'localhost'}"


def _letters(settings: Settings, redis: Redis) -> LetterCarrier | None:
    given = settings.smtp
    if given is None:
        return None
    account = smtp_account(
        host=given.host,
        port=given.port,
        security=given.security,
        username=given.username,
        password=given.password,
        address=given.from_address,
    )
    return SmtpCarrier(account, Address(given.from_name, given.from_address), redis)


async def _deps(settings: Settings, db: Database, stack: AsyncExitStack) -> Deps:
    objects = open_objects(settings.objects, settings.s3) if settings.objects else None
    account = settings.twilio
    seals, clock = Seals(settings), Clock.parse(settings.clock)
    redis = new_client(settings.redis_url)
    stack.push_async_callback(redis.aclose)
    mail = await stack.enter_async_context(open_mail(google_client(settings), redis, private_hosts=settings.private_mail_hosts))
    if account is None:
        return Deps(db, settings, objects=objects, mailboxes=mail.mailboxes, google=mail.google, seals=seals, clock=clock)
    telephony = await stack.enter_async_context(
        TwilioTelephony.open(
            account.account_sid,
            account.auth_token,
            redis,
            api_url=account.api_url,
            calls_per_s=account.calls_per_second,
        )
    )
    return Deps(
        db,
        settings,
        telephony=telephony,
        numbers=telephony.numbers,
        messaging=telephony.messaging,
        objects=objects,
        callbacks=TwilioWebhook(account.auth_token, shared_keys=account.webhook_keys),
        twiml=Renderer(),
        mailboxes=mail.mailboxes,
        google=mail.google,
        seals=seals,
        clock=clock,
    )
