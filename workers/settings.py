"""The workers' composition root: which jobs and duties there are, and what they are given."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from redis.asyncio import Redis

from hub.clock import Clock
from hub.config import Settings
from hub.db import Database
from hub.hints import RedisHints
from hub.providers import google_client
from hub.sealing import Seals
from integrations.mailboxes import open_mail
from integrations.objects import open_objects
from integrations.twilio import Renderer, TwilioTelephony, TwilioWebhook
from workers import (
    calls,
    cron,
    dialer,
    imports,
    inbound,
    leases,
    legs,
    lines,
    mail,
    mailbox_history,
    mailboxes,
    messages,
    numbers,
    recordings,
    sequences,
    tracking,
    voicemail,
    workflow,
)
from workers.cron import AT_ONCE, duties_of
from workers.job import Deps, Registry

JOBS = Registry.of(
    calls,
    legs,
    lines,
    dialer,
    imports,
    inbound,
    numbers,
    recordings,
    voicemail,
    messages,
    mail,
    mailboxes,
    mailbox_history,
    sequences,
    tracking,
)
DUTIES = duties_of(cron, calls, legs, lines, dialer, imports, leases, workflow, recordings, messages, mail, mailboxes, sequences)


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
        hints = RedisHints(settings.redis_url, process=name)
        await hints.start()
        stack.push_async_callback(hints.stop)
        # Each job holds at most one connection at a time, each duty two, and each of the loops one.
        connections = settings.worker_jobs + 2 * AT_ONCE + 4
        db = await Database.open(settings.database_url, notifier=hints, max_size=connections, name="ringside worker")
        stack.push_async_callback(db.close)
        yield Parts(name, await _deps(settings, db, stack))


async def _deps(settings: Settings, db: Database, stack: AsyncExitStack) -> Deps:
    objects = open_objects(settings.objects, settings.s3) if settings.objects else None
    account = settings.twilio
    seals, clock = Seals(settings), Clock.parse(settings.clock)
    redis: Redis = Redis.from_url(settings.redis_url, socket_connect_timeout=1, socket_timeout=2)
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
