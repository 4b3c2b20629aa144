"""The workers' composition root."""

from __future__ import annotations

from hub.config import Settings
from tests.conftest import TestDatabase
from tests.workers.kit import environment
from workers.settings import DUTIES, JOBS, compose

TWILIO = {"TWILIO_ACCOUNT_SID": "AC" + "0" * 32, "TWILIO_AUTH_TOKEN": "secret", "TWILIO_FROM": "+14155550100"}


async def test_a_worker_has_a_telephone_where_an_account_is_set_up(database: TestDatabase, valkey_url: str) -> None:
    env = environment(database.app_url, valkey_url)
    async with compose(Settings.from_env(env)) as without:
        assert without.deps.telephony is None
    async with compose(Settings.from_env(env | TWILIO)) as parts:
        assert parts.deps.telephony is not None
        assert parts.name != without.name


async def test_every_duty_of_the_product_can_be_done(database: TestDatabase, valkey_url: str) -> None:
    async with compose(Settings.from_env(environment(database.app_url, valkey_url))) as parts:
        for duty in DUTIES:
            await duty.function(parts.deps)


def test_the_product_has_its_jobs() -> None:
    assert {"calls.dial", "calls.webhook", "calls.hang_up", "calls.check"} <= set(JOBS)
    assert all(handler.beats or handler.lease_s > handler.timeout_s for handler in JOBS.values())
