"""Ringside on a real Redis Cluster: by settings alone, over all its nodes, and while one of them dies."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from prometheus_client import REGISTRY

from hub import hints
from hub.canary.channels import try_redis
from hub.canary.pair import open_pair
from hub.db import Database
from hub.doctor import check_redis
from hub.hints import events_channel
from hub.limits.limiter import Limited, Limiter
from hub.limits.settings import Limits as Rates
from hub.limits.shared import Shared
from hub.queue import QUEUE
from hub.realtime.limits import Limits
from hub.redis import ClusterUrl, Nodes, new_client
from integrations.breaker import Breaker, BreakerPolicy, Outcome, State
from integrations.shared import SharedState
from tests.cluster.nodes import Cluster, running_cluster
from tests.conftest import Company, TestDatabase, make_company
from tests.harness import make_settings, until
from tests.patience import PATIENCE_S
from tests.realtime.kit import Client, HubProcess, clients, hub_process, note, token_for
from tests.workers.kit import Ground, defer, open_ground, open_hinting, working
from tests.workers.kit import note as note_effect
from workers.job import Run, job
from workers.run import ALIVE_KEY

HINTS_ALONE = Limits(tick_s=60)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Six nodes, for all tests of this file; the last test kills one."""
    # Its own loop goes on between the tests, which have one each.
    with asyncio.Runner() as runner:
        running = running_cluster(tmp_path_factory.mktemp("cluster"))
        yield runner.run(running.__aenter__())
        runner.run(running.__aexit__(None, None, None))


@pytest.fixture
async def hinting_db(database: TestDatabase, cluster: Cluster) -> AsyncIterator[Database]:
    """The pool of a server that tells the cluster."""
    async with open_hinting(database, cluster.url) as opened:
        yield opened


@pytest.fixture
async def ground(database: TestDatabase) -> AsyncIterator[Ground]:
    """The database without rules, with a table for what jobs do."""
    async with open_ground(database) as opened:
        yield opened


@job("test.note")
async def take_note(run: Run) -> None:
    """Do something that shows when it is done twice."""
    async with run.finish() as tx:
        await note_effect(tx, run.job, "done")


async def companies_everywhere(db: Database, url: str) -> list[Company]:
    """Companies whose channels are on all masters, at least two on that of the jobs."""
    async with contextlib.aclosing(Nodes(url)) as nodes:
        await nodes.look()
        found: list[Company] = []
        served = [nodes.serving(QUEUE)]
        while set(served) != nodes.masters or served.count(served[0]) < 3:
            company = await make_company(db, f"Company {len(found)}")
            found.append(company)
            served.append(nodes.serving(events_channel(company.tenant_id)))
    return found


@contextlib.asynccontextmanager
async def watched(hub: HubProcess, companies: Sequence[Company]) -> AsyncIterator[Sequence[Client]]:
    """A client of each company."""
    async with clients(*(Client.connect(hub.url, token_for(company)) for company in companies)) as connected:
        yield connected


def learnt(via: str) -> float:
    """How many events the hubs of this process have learnt of this way."""
    return REGISTRY.get_sample_value("ringside_events_fanned_out_total", {"via": via}) or 0.0


async def test_events_of_companies_on_all_nodes_reach_both_hubs_by_hints_alone(cluster: Cluster, database: TestDatabase) -> None:
    async with (
        hub_process(database.app_url, cluster.url, limits=HINTS_ALONE) as one,
        hub_process(database.app_url, cluster.url, limits=HINTS_ALONE) as two,
    ):
        companies = await companies_everywhere(one.db, cluster.url)
        async with watched(one, companies) as here, watched(two, companies) as there:
            rounds = 0

            async def all_by_hints() -> bool:
                """A round in which the other hub had each event by a hint. One that is sent too early is missed."""
                nonlocal rounds
                before = learnt("hint")
                for company in companies:
                    await note((one, two)[rounds % 2].db, company, rounds)
                for client in (*here, *there):
                    await client.until_noted(rounds)
                rounds += 1
                return learnt("hint") - before == len(companies)

            # Until the subscriptions stand on all nodes, in both directions.
            await until(all_by_hints)
            await until(all_by_hints)
            by_hint, begun = learnt("hint"), rounds
            for _ in range(10):
                await all_by_hints()
            assert learnt("hint") - by_hint >= 0.9 * len(companies) * (rounds - begun)
            for client in (*here, *there):
                assert client.notes == list(range(rounds))
                assert client.seqs == list(range(client.seqs[0], client.seqs[0] + len(client.seqs)))


async def test_jobs_start_by_the_ring_now_and_when_they_are_due(
    cluster: Cluster, database: TestDatabase, hinting_db: Database, ground: Ground
) -> None:
    companies = [await make_company(hinting_db, f"Company {n}") for n in range(3)]
    async with working(database, cluster.url, take_note) as worker:
        await until_heard(cluster, worker.name)

        async def one_by_hint() -> bool:
            """A look at the ledger that had begun before the queue was found may have taken it."""
            rung = started("hint")
            first.append(await defer(hinting_db, companies[0], "test.note"))
            await ground.until_state(first[-1], "done")
            return started("hint") > rung

        first: list[UUID] = []
        await until(one_by_hint)
        before = started("hint")
        soon = datetime.now(UTC) + timedelta(seconds=0.3)
        ids = [await defer(hinting_db, company, "test.note") for company in companies for _ in range(5)]
        ids += [await defer(hinting_db, company, "test.note", run_at=soon) for company in companies]
        for job_id in ids:
            await ground.until_state(job_id, "done")
    assert await ground.effects() == ["done"] * len(first + ids)
    # What waits for longer than the queue should take is found in the ledger.
    assert started("hint") - before > len(ids) / 2


async def test_limits_and_breakers_are_shared_over_all_nodes(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    # What is told while Redis takes too long is told to nobody.
    monkeypatch.setattr("hub.limits.shared.TIMEOUT_S", PATIENCE_S)
    limiters = [Limiter(Rates.parse("user=0.01/1000,tenant=0.01/10")) for _ in range(2)]
    shared = [Shared(limiter.meters, new_client(cluster.url)) for limiter in limiters]
    # On every node some: the script is new to each of them.
    tenants = [uuid4() for _ in range(20)]
    for tenant in tenants:
        for _ in range(10):
            limiters[0].member(tenant, uuid4(), 1.0)
        limiters[1].member(tenant, uuid4(), 1.0)
    for each in (*shared, *shared):
        await each.share()
    for tenant in tenants:
        with pytest.raises(Limited):
            limiters[1].member(tenant, uuid4(), 1.0)
    for each in shared:
        await each.stop()

    failures: list[str] = []
    client = new_client(cluster.url)
    policy = BreakerPolicy(window_s=10.0, least_failures=3, ratio=0.5)
    states = [SharedState(client, on_failure=lambda: failures.append("alone"), answer_within_s=PATIENCE_S) for _ in range(2)]
    for _ in range(5):
        key = f"test:breaker:{uuid4()}"
        here, there = (Breaker(key, state, policy) for state in states)
        for _ in range(3):
            await here.leave(await here.enter(1.0), Outcome.FAILURE)
        assert (await there.enter(1.0)).state is State.OPEN
    await client.aclose()
    assert failures == []


async def test_the_canary_looks_at_all_nodes_and_the_doctor_too(
    cluster: Cluster, hinting_db: Database, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.canary.channels._PATIENCE_S", PATIENCE_S)
    settings = make_settings(database.app_url, cluster.url)
    client = new_client(cluster.url)
    pair = await open_pair(hinting_db, None)
    found = await try_redis(hinting_db, client, *pair, url=cluster.url)
    assert [one.verdict for one in found] == ["closed", "closed"]
    await client.set("ringside:last-search", f"the answer for {pair[1].mark}", ex=60)
    monkeypatch.setattr(hints, "events_channel", lambda _tenant_id: "ringside:events")
    found = await try_redis(hinting_db, client, *pair, url=cluster.url)
    assert [one.verdict for one in found] == ["open", "open"]
    await client.delete("ringside:last-search")
    await client.aclose()
    findings = {finding.name: finding async for finding in check_redis(settings)}
    assert findings["cluster"].state == findings["redis"].state == findings["eviction"].state == "ok"


async def test_hints_follow_a_slot_that_moves_to_another_node(cluster: Cluster, database: TestDatabase) -> None:
    async with (
        hub_process(database.app_url, cluster.url, limits=HINTS_ALONE) as one,
        hub_process(database.app_url, cluster.url, limits=HINTS_ALONE) as two,
    ):
        acme = await make_company(one.db, "Acme")
        async with clients(Client.connect(two.url, token_for(acme))) as (client,):
            await note(one.db, acme, 0)
            await client.until_noted(0)
            for moved in range(1, 3):
                await cluster.move_slot(events_channel(acme.tenant_id))
                await until_hints_alone(one, acme, client, moved)
            assert client.seqs == list(range(client.seqs[0], client.seqs[0] + len(client.seqs)))


async def test_jobs_and_hints_follow_a_master_that_is_replaced_in_order(
    cluster: Cluster, database: TestDatabase, hinting_db: Database, ground: Ground
) -> None:
    acme = await make_company(hinting_db, "Acme")
    async with working(database, cluster.url, take_note) as worker:
        await until_heard(cluster, worker.name)
        replaced = await cluster.fail_over(QUEUE)
        jobs = [await defer(hinting_db, acme, "test.note")]
        await cluster.until_served_by_another(QUEUE, replaced)

        async def by_hint() -> bool:
            rung = started("hint")
            jobs.append(await defer(hinting_db, acme, "test.note"))
            await ground.until_state(jobs[-1], "done")
            return started("hint") > rung

        await until(by_hint)
        for job_id in jobs:
            await ground.until_state(job_id, "done")
    assert await ground.effects() == ["done"] * len(jobs)


async def test_while_a_master_dies_nothing_is_lost_or_doubled_and_then_hints_flow_again(
    cluster: Cluster, database: TestDatabase, ground: Ground
) -> None:
    async with (
        hub_process(database.app_url, cluster.url) as one,
        hub_process(database.app_url, cluster.url) as two,
        working(database, cluster.url, take_note) as worker,
    ):
        companies = await companies_everywhere(one.db, cluster.url)
        jobs: list[UUID] = []
        written = 0

        async def write() -> None:
            nonlocal written
            hub = (one, two)[written % 2]
            for company in companies:
                await note(hub.db, company, written)
                jobs.append(await defer(hub.db, company, "test.note"))
            written += 1

        async with watched(one, companies) as here, watched(two, companies) as there:
            await until_heard(cluster, worker.name)
            for _ in range(5):
                await write()
            lost = await cluster.kill(QUEUE)
            taking_over = asyncio.create_task(cluster.until_served_by_another(QUEUE, lost))
            while not taking_over.done():
                await write()
                for client in (*here, *there):
                    await client.until_noted(written - 1)
            await taking_over

            async def by_hints_alone() -> bool:
                """All of a round, of those on the lost node, too: on the other hub and at the worker."""
                by_hint, rung = learnt("hint"), started("hint")
                await write()
                for client in (*here, *there):
                    await client.until_noted(written - 1)
                for job_id in jobs:
                    await ground.until_state(job_id, "done")
                return learnt("hint") - by_hint == started("hint") - rung == len(companies)

            await until(by_hints_alone)
            for client in (*here, *there):
                assert client.notes == list(range(written))
                assert client.seqs == list(range(client.seqs[0], client.seqs[0] + len(client.seqs)))
        assert await ground.effects() == ["done"] * len(jobs)


async def until_hints_alone(hub: HubProcess, company: Company, client: Client, round_: int) -> None:
    """Wait until a client of another hub, which hardly ever looks at the log, hears by a hint."""

    async def by_hint() -> bool:
        before = learnt("hint")
        name = f"{round_}:{before}:{len(client.notes)}"
        await note(hub.db, company, name)
        with contextlib.suppress(AssertionError):
            await client.until_noted(name, within_s=1)
        return learnt("hint") > before

    await until(by_hint)


def started(via: str) -> float:
    """How many jobs the workers of this process have started this way."""
    return REGISTRY.get_sample_value("ringside_job_start_delay_seconds_count", {"via": via}) or 0.0


async def until_heard(cluster: Cluster, worker: str) -> None:
    """Wait until the worker has found the queue."""
    client = new_client(cluster.url)

    async def there() -> bool:
        return await client.get(ALIVE_KEY + worker) is not None

    await until(there)
    await client.aclose()


@pytest.mark.parametrize(
    ("url", "seeds", "first"),
    [
        ("redis+cluster://a,b:7", (("a", 6379), ("b", 7)), "redis://a:6379"),
        ("rediss+cluster://me:p%40ss@a:1/?ssl_ca_certs=/ca", (("a", 1),), "rediss://me:p%40ss@a:1/?ssl_ca_certs=/ca"),
        ("redis+cluster://[::1]:5", (("::1", 5),), "redis://[::1]:5"),
    ],
)
def test_a_cluster_is_named_by_some_of_its_nodes(url: str, seeds: tuple[tuple[str, int], ...], first: str) -> None:
    parsed = ClusterUrl.parse(url)
    assert parsed.seeds == seeds
    assert parsed.at(seeds[0]) == first
