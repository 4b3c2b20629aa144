"""How fast Stripe's webhooks are acknowledged: `./ringside bench billing`.

Everything on one machine: postgres, valkey, the hub. So many signed events a second, of many companies, each of them verified,
stored once and followed by a job before it is answered; every tenth is a repeat. The peer, in the same run: the same request with
a signature that does not fit, which ends before the database is asked.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import hmac
import time
from pathlib import Path

import orjson
from aiohttp import ClientSession, ClientTimeout

from benchmarks.cores import Share
from benchmarks.figures import percentile
from benchmarks.ground import Ground, open_ground
from benchmarks.results import Result, machine, report

ACKNOWLEDGED_GOAL_MS = 100.0
COMPANIES = 50
_SECRET = "whsec_of_the_benchmark"  # noqa: S105
# Nobody answers there: what is measured ends before Stripe is asked.
_NOWHERE = "http://127.0.0.1:9"


def options(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark."""
    parser.add_argument("--rate", type=float, default=100.0, help="events a second (default 100)")
    parser.add_argument("--seconds", type=float, default=20.0, help="for so long (default 20)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")


async def measure(given: argparse.Namespace) -> int:
    """Run it; 1 when a goal was missed."""
    about = machine()
    env = {
        "STRIPE_SECRET_KEY": "sk_test_of_the_benchmark",
        "STRIPE_WEBHOOK_SECRET": _SECRET,
        "STRIPE_API_URL": _NOWHERE,
        "RINGSIDE_LIMITS": "webhooks=100000/100000",
        "RINGSIDE_LOG_LEVEL": "error",
    }
    async with open_ground(workers=0, extra_env=env) as ground:
        await _customers(ground)
        serving, keeping = Share(ground.hub_pid), Share(ground.postgres_pid, family=True)
        took_ms = await events(ground, given.rate, given.seconds, secret=_SECRET, status=204)
        used = [part.used_s * 1000 / len(took_ms) for part in (serving, keeping)]
        waited = f"{serving.waited:.0%} of the time"
        refused_ms = await events(ground, given.rate, min(given.seconds, 5.0), secret="whsec_other", status=403)  # noqa: S106
    named = f"events at {given.rate:g} a second"
    results = [
        Result(f"{named}, p50", percentile(took_ms, 0.5), "ms"),
        Result(f"{named}, p95", percentile(took_ms, 0.95), "ms", ACKNOWLEDGED_GOAL_MS, at_most=True),
        Result(f"{named}, worst", max(took_ms, default=float("nan")), "ms"),
        Result("forgeries at the same rate, p95", percentile(refused_ms, 0.95), "ms"),
        Result("the hub's processor time for each", used[0], "ms"),
        Result("Postgres' processor time for each", used[1], "ms"),
    ]
    facts = {"companies": str(COMPANIES), "the hub had no core": waited}
    return report("Billing", results, json_path=given.json, about=about, facts=facts)


async def events(ground: Ground, rate: float, seconds: float, *, secret: str, status: int) -> list[float]:
    """How long each event took to be acknowledged, in ms, from when it was due. A wrong answer ends the run."""
    took: list[float] = []
    async with ClientSession(timeout=ClientTimeout(total=30)) as session:

        async def one(number: int, due: float) -> None:
            body = _event(number - 1 if number % 10 == 9 else number)
            now = int(time.time())
            mac = hmac.new(secret.encode(), f"{now}.".encode() + body, hashlib.sha256).hexdigest()
            headers = {"Stripe-Signature": f"t={now},v1={mac}", "Content-Type": "application/json"}
            async with session.post(f"{ground.url}/webhooks/stripe", data=body, headers=headers) as answer:
                await answer.read()
                if answer.status != status:
                    raise RuntimeError(f"an event was answered {answer.status} instead of {status}")
            took.append((time.perf_counter() - due) * 1000)

        await one(-COMPANIES, time.perf_counter())
        took.clear()
        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for number in range(int(rate * seconds)):
                due = began + number / rate
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                group.create_task(one(number, due))
    return took


def _event(number: int) -> bytes:
    # Of the size of an invoice's, which are the largest that come often.
    thing = {"id": f"in_{number}", "object": "invoice", "customer": f"cus_{number % COMPANIES}", "padding": "x" * 6_000}
    event = {"id": f"evt_{number}", "object": "event", "type": "invoice.paid", "created": 1, "data": {"object": thing}}
    return orjson.dumps(event)


async def _customers(ground: Ground) -> None:
    async with ground.db.acquire() as conn:
        for number in range(COMPANIES):
            tenant_id = await conn.fetchval("SELECT create_company($1)", f"Acme {number}")
            await conn.execute("SELECT billing_open_accounts('pro', 5, now(), now() + interval '14 days')")
            async with conn.transaction():
                await conn.execute("SELECT set_config('ringside.tenant_id', $1, true)", str(tenant_id))
                await conn.execute("UPDATE billing_accounts SET customer_id = $1", f"cus_{number}")
