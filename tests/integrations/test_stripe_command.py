"""`python -m integrations.sandbox.stripe`."""

import asyncio
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import ClientSession

from integrations.sandbox.stripe import StripeSandbox, StripeSettings
from integrations.sandbox.stripe.__main__ import parsed
from integrations.sandbox.stripe.customers import make_customer
from tests.patience import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]


async def test_the_command_prints_its_url_serves_and_stops_when_told() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "integrations.sandbox.stripe", "--port", "0", stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    assert process.stdout is not None
    url = (await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)).decode().strip()

    async with ClientSession() as session, session.get(url) as response:
        assert "Stripe sandbox" in await response.text()
    process.send_signal(signal.SIGTERM)

    assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0


def test_the_command_line_sets_what_there_is_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_other")

    settings = parsed(
        ["--speed", "60", "--webhook-url", "http://127.0.0.1:1/", "--after-retries", "unpaid", "--retry-after-days", "1"]
    )

    assert (settings.secret_key, settings.speed, settings.after_retries) == ("sk_test_other", 60.0, "unpaid")
    assert (settings.webhook_url, settings.retry_after_days) == ("http://127.0.0.1:1/", (1.0,))


async def test_what_was_bought_outlasts_the_sandbox(tmp_path: Path) -> None:
    settings = StripeSettings(state=tmp_path / "stripe.json", clock="2027-01-01T00:00:00+00:00@2026-01-01T00:00:00+00:00*1")
    async with StripeSandbox(settings) as sandbox:
        with sandbox.world.work() as work:
            customer = make_customer(work, {"email": "ada@example.com"})
        now = sandbox.advance(86_400)

    async with StripeSandbox(replace(settings, port=0)) as sandbox:
        assert [each["id"] for each in sandbox.world.store.all("customer")] == [customer["id"]]
        assert sandbox.world.clock.now() >= now > 1_798_761_600
    kept = tmp_path / "stripe.json"
    assert kept.stat().st_mode & 0o77 == 0
    kept.write_text("{")
    async with StripeSandbox(settings) as sandbox:
        assert not list(sandbox.world.store.all("customer"))
    assert kept.with_suffix(".damaged").exists()
