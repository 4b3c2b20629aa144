"""How fast signing in and the check of a permission are: `./ringside bench accounts`.

Everything on one machine: postgres, valkey, the hub.
1. So many people a second sign in with their passwords, whether or not those before have their answers yet.
2. What the edge takes to find out who asks and whether they may: a token that was seen before, a permission, and freshness.
The peers, in the same run: the bare hash that every sign-in must compute, and the same question at the edge of an endpoint
that is open to everybody who is signed in.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import statistics
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

from aiohttp import ClientSession, ClientTimeout, CookieJar
from aiohttp.test_utils import make_mocked_request

from benchmarks.cores import Share
from benchmarks.figures import percentile
from benchmarks.ground import Ground, open_ground
from benchmarks.results import Result, machine, report
from hub.app import api_endpoints
from hub.auth.passwords import check_password, hash_password
from hub.auth.tokens import Claims, Tokens
from hub.config import Settings
from hub.db import Database
from hub.errors import Unauthorized
from hub.http.edge import Edge
from hub.http.endpoint import Endpoint

SIGN_IN_GOAL_MS = 300.0
CHECK_GOAL_US = 50.0
PEOPLE = 40
_ROUNDS = 5
_CHECKS = 20_000


class _Known:
    """An authenticator that knows tokens only."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def verify(self, token: str) -> Claims:
        return self._tokens.verify(token)

    async def verify_key(self, key: str, address: str, knock: Callable[[], None]) -> Claims:
        raise Unauthorized("No API key is known here.")


def options(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark."""
    parser.add_argument("--rate", type=float, default=20.0, help="sign-ins a second (default 20)")
    parser.add_argument("--seconds", type=float, default=20.0, help="for so long (default 20)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")


async def measure(given: argparse.Namespace) -> int:
    """Run it; 1 when a goal was missed."""
    about = machine()
    async with open_ground(workers=0, extra_env={"RINGSIDE_TRUSTED_PROXIES": "127.0.0.1/32"}) as ground:
        serving, keeping = Share(ground.hub_pid), Share(ground.postgres_pid, family=True)
        took_ms = await sign_ins(ground, given.rate, given.seconds)
        used = [part.used_s * 1000 / (len(took_ms) + PEOPLE) for part in (serving, keeping)]
        waited = f"{serving.waited:.0%} of the time"
        bare_ms = await bare_hashes()
        checks = await permission_checks(ground.settings, ground.db)
    named = f"sign-in at {given.rate:g} a second"
    results = [
        Result(f"{named}, p50", percentile(took_ms, 0.5), "ms"),
        Result(f"{named}, p95", percentile(took_ms, 0.95), "ms", SIGN_IN_GOAL_MS, at_most=True),
        Result(f"{named}, worst", max(took_ms, default=float("nan")), "ms"),
        Result("the hub's processor time for each", used[0], "ms"),
        Result("Postgres' processor time for each", used[1], "ms"),
        Result("the bare hash, one at a time", bare_ms, "ms"),
        Result("who asks, and whether they may", checks["guarded"], "us", CHECK_GOAL_US, at_most=True),
        Result("who asks, where everybody may", checks["open"], "us"),
        Result("what the permission adds", checks["guarded"] - checks["open"], "us", CHECK_GOAL_US, at_most=True),
    ]
    return report(
        "Accounts", results, json_path=given.json, about=about, facts={"people": str(PEOPLE), "the hub had no core": waited}
    )


async def sign_ins(ground: Ground, rate: float, seconds: float) -> list[float]:
    """How long each sign-in took, in ms, from when it was due. One that fails ends the run."""
    password = secrets.token_urlsafe(18)
    emails = await _people(ground, await hash_password(password))
    took: list[float] = []
    async with AsyncExitStack() as stack:
        # Everybody has a browser, which is known from the second time on.
        browsers = [
            await stack.enter_async_context(ClientSession(timeout=ClientTimeout(total=30), cookie_jar=CookieJar(unsafe=True)))
            for _ in emails
        ]

        async def one(number: int, due: float) -> None:
            session, body = browsers[number % PEOPLE], {"email": emails[number % PEOPLE], "password": password}
            # Each from an address of their own: so many of one address are throttled.
            sent_from = {"X-Forwarded-For": f"192.0.2.{number % PEOPLE}"}
            async with session.post(f"{ground.url}/api/v1/auth/login", json=body, headers=sent_from) as answer:
                await answer.read()
                if answer.status != 200:
                    raise RuntimeError(f"a sign-in was answered {answer.status}")
            took.append((time.perf_counter() - due) * 1000)

        for number in range(PEOPLE):
            await one(number, time.perf_counter())
        took.clear()
        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for number in range(int(rate * seconds)):
                due = began + number / rate
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                group.create_task(one(number, due))
    return took


async def _people(ground: Ground, hashed: str) -> list[str]:
    async with ground.db.acquire() as conn:
        tenant_id: UUID = await conn.fetchval("SELECT create_company('Acme')")
        emails = [f"rep{number}@{tenant_id.hex}.test" for number in range(PEOPLE)]
        for email in emails:
            await conn.fetchval("SELECT create_member($1, $2, 'Rep', $3, 'rep')", tenant_id, email, hashed)
    return emails


async def bare_hashes() -> float:
    """What checking one password takes, in ms, with nothing around it (the median of ten)."""
    hashed = await hash_password("a password of the benchmark")
    took = []
    for _ in range(10):
        began = time.perf_counter()
        await check_password("a password of the benchmark", hashed)
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)


async def permission_checks(settings: Settings, db: Database) -> dict[str, float]:
    """What the edge takes to authenticate one request, in us: of an endpoint that demands a permission and freshness, and of
    one that is open to everybody who is signed in (the median of several rounds)."""
    tokens = Tokens(settings.key("access-token"))
    token = tokens.issue(
        user_id=uuid4(), tenant_id=uuid4(), role="admin", session_id=uuid4(), name="Ada", confirmed_at=time.time()
    )
    request = make_mocked_request("GET", "/api/v1/contacts", headers={"Authorization": f"Bearer {token}"})
    endpoints = {endpoint.name: endpoint for endpoint in api_endpoints(settings, tokens)}
    guarded = replace(endpoints["list_contacts"], fresh=True)
    assert isinstance(guarded.allow, str)
    edge = Edge(db, _Known(tokens))

    async def once(endpoint: Endpoint) -> float:
        began = time.perf_counter()
        for _ in range(_CHECKS):
            await edge._authenticate(request, endpoint)
        return (time.perf_counter() - began) / _CHECKS * 1e6

    found: dict[str, list[float]] = {"guarded": [], "open": []}
    for _ in range(_ROUNDS):
        found["guarded"].append(await once(guarded))
        found["open"].append(await once(replace(guarded, allow=None, fresh=False)))
    return {name: statistics.median(values) for name, values in found.items()}
