"""The meter, the limits' text and what a request costs."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from hub.app import api_endpoints
from hub.auth.tokens import Tokens
from hub.embedded import ValkeyServer
from hub.limits.costs import _BY_NAME, READ, UPLOAD, WRITE, cost_of
from hub.limits.gcra import Meter, Meters
from hub.limits.limiter import Limited, Limiter, network_of
from hub.limits.settings import Limits, Rate
from hub.limits.shared import Shared
from tests.harness import make_settings
from tests.patience import PATIENCE_S


def test_a_burst_passes_at_once_and_then_the_rate() -> None:
    meter, now = Meter("a", Rate(10, 5)), 100.0
    for left in (4, 3, 2, 1, 0):
        assert meter.wait_s(1, now) == 0
        meter.charge(1, now)
        assert meter.left(now) == left
    assert meter.wait_s(1, now) == pytest.approx(0.1)
    assert meter.wait_s(3, now) == pytest.approx(0.3)
    assert meter.wait_s(1, now + 0.1) == 0
    assert meter.left(now + 10) == 5


def test_what_costs_more_than_the_burst_passes_when_nothing_else_has() -> None:
    meter = Meter("a", Rate(10, 5))
    assert meter.wait_s(20, 0.0) == 0
    meter.charge(20, 0.0)
    assert meter.wait_s(20, 0.0) == pytest.approx(0.5)


def test_over_a_long_time_no_more_passes_than_the_rate() -> None:
    meter, passed = Meter("a", Rate(10, 5)), 0
    for step in range(10_000):
        now = step / 1000
        if not meter.wait_s(1, now):
            meter.charge(1, now)
            passed += 1
    assert 100 <= passed <= 105


def test_what_others_let_through_counts_here() -> None:
    meter = Meter("a", Rate(10, 10))
    meter.charge(2, 0.0)
    meter.unsent = 0.0
    meter.charge(1, 0.0)  # after it told of the first two
    meter.learn(0.7, 0.0)  # seven of everybody's, with those two
    assert meter.left(0.0) == 2


def test_meters_with_nothing_on_them_are_forgotten() -> None:
    meters = Meters()
    meters.charge(meters.of("a", Rate(10, 10)), 1, 0.0)
    meters.forget_clear(1.0)
    assert len(meters) == 1  # it was not told yet
    meters.of("a", Rate(10, 10)).unsent = 0.0
    meters.forget_clear(1.0)
    assert len(meters) == 0


@pytest.mark.parametrize("text", ["tenants=1/2", "tenant=x/y", "tenant=0/1", "tenant=1/0", "waiting=0", "waiting=1/2"])
def test_a_limit_that_is_none_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Limits.parse(text)


def test_limits_are_changed_by_name() -> None:
    assert Limits.parse(" user = 1/2 , sockets_user=7,") == Limits(user=Rate(1, 2), sockets_user=7)
    assert not Limits.parse("off").enforced


def test_an_ipv6_network_is_one_address() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff") != network_of("2001:db8:0:1::1")
    assert network_of("::ffff:10.0.0.1") == network_of("10.0.0.1")


def test_prices_are_of_operations_that_exist() -> None:
    endpoints = {e.name: e for e in api_endpoints(make_settings("postgresql://", "redis://"), Tokens(b"0" * 32))}
    assert set(_BY_NAME) <= set(endpoints)
    assert cost_of(endpoints["list_contacts"]) == READ
    assert cost_of(endpoints["create_contact"]) == WRITE
    assert cost_of(endpoints["create_import"]) == UPLOAD


async def test_two_processes_give_a_company_its_limit_once(valkey_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # What is told while Redis takes too long is told to nobody.
    monkeypatch.setattr("hub.limits.shared.TIMEOUT_S", PATIENCE_S)
    limits = Limits.parse("user=0.01/1000,tenant=0.01/100")
    limiters = [Limiter(limits) for _ in range(2)]
    shared = [Shared(limiter.meters, Redis.from_url(valkey_url)) for limiter in limiters]
    tenant, passed = uuid4(), 0
    for _ in range(30):
        for limiter in limiters:
            for _ in range(5):
                try:
                    limiter.member(tenant, uuid4(), 1.0)
                    passed += 1
                except Limited as refused:
                    assert refused.details["limit"] == "tenant"
        for each in (*shared, *shared):
            await each.share()
    assert 100 <= passed <= 110  # one round of each may come before they know
    for each in shared:
        await each.stop()


async def test_without_redis_each_process_goes_on_alone_and_comes_back(valkey: ValkeyServer) -> None:
    limiter = Limiter(Limits.parse("tenant=0.01/10"))
    shared = Shared(limiter.meters, Redis.from_url(valkey.url, socket_timeout=0.2, socket_connect_timeout=0.2))
    tenant = uuid4()
    limiter.member(tenant, uuid4(), 1.0)
    await shared.share()
    valkey.kill()
    for _ in range(9):
        limiter.member(tenant, uuid4(), 1.0)
        await asyncio.wait_for(shared.share(), PATIENCE_S)
    with pytest.raises(Limited):
        limiter.member(tenant, uuid4(), 1.0)
    valkey.restart()
    other = Limiter(limiter.limits)
    others = Shared(other.meters, Redis.from_url(valkey.url))
    other.member(tenant, uuid4(), 4.0)
    await others.share()  # the script is gone with the old Redis, too
    limiter.meters.charge(limiter.meters.of("x", Rate(1, 1)), 1, 0.0)
    await shared.share()
    with pytest.raises(Limited):
        limiter.member(tenant, uuid4(), 1.0)
    await shared.stop()
    await others.stop()
