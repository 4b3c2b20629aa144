"""Hints: what goes over Redis, and that nobody ever waits for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from resource import RUSAGE_THREAD, getrusage
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from arq import func
from arq.connections import RedisSettings, create_pool
from arq.worker import Worker
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from hub.db import DeferredJob
from hub.embedded import ValkeyServer
from hub.events import LoggedEvent
from hub.hints import ACCESS_CHANNEL, MAX_QUEUED, RedisHints, decode_hint, encode_hint, events_channel
from hub.queue import QUEUE, RUN_JOB, TURNS, arq_id, decode_popped, deserialize, ring_key, serialize
from tests.realtime.kit import NOWHERE, eventually


@given(st.lists(st.tuples(st.sampled_from(["tenant", "managers"]), st.text()), min_size=1, max_size=8), st.integers(1, 2**60))
def test_a_hint_comes_out_as_it_went_in(said: list[tuple[str, str]], first: int) -> None:
    events = [LoggedEvent(first + n, audience, frame) for n, (audience, frame) in enumerate(said)]
    hint = decode_hint(encode_hint("me", events))
    assert (hint.sender, hint.head, list(hint.events)) == ("me", events[-1].seq, events)


def test_a_transaction_too_large_for_a_message_is_announced_without_its_events() -> None:
    hint = decode_hint(encode_hint("me", [LoggedEvent(1, "tenant", "x" * 300_000), LoggedEvent(2, "tenant", "y")]))
    assert (hint.head, hint.events) == (2, ())


@pytest.mark.parametrize(
    "message",
    [b"", b"x", b"{}", b"[]", b"1", b'{"from":"a","at":0,"seq":1,"events":[["tenant",5]]}\nabc', b'{"from":"a","at":0}'],
)
def test_anything_else_is_no_hint(message: bytes) -> None:
    with pytest.raises(ValueError):
        decode_hint(message)


def one_event(seq: int) -> Sequence[LoggedEvent]:
    """A transaction of one event."""
    return [LoggedEvent(seq, "tenant", f'{{"seq":{seq}}}')]


async def test_jobs_that_are_due_now_are_on_the_ring_in_order(valkey: ValkeyServer) -> None:
    tenant_id, jobs = uuid4(), [uuid4() for _ in range(5)]
    hints = RedisHints(valkey.url)
    past = datetime.now(UTC) - timedelta(seconds=1)
    hints.committed(tenant_id, [], [DeferredJob(job, "a", None if job != jobs[2] else past) for job in jobs])
    await hints.flushed()
    await hints.stop()
    async with Redis.from_url(valkey.url) as redis:
        entries = await redis.lrange(ring_key(tenant_id), 0, -1)
        turns = await redis.lrange(TURNS, 0, -1)
    assert [UUID(bytes=entry) for entry in entries] == jobs
    assert turns == [str(tenant_id).encode()]


@pytest.mark.parametrize("entry", [b"", b"x" * 15, b"x" * 17])
def test_anything_else_is_no_entry_of_a_ring(entry: bytes) -> None:
    tenant_id, job_id = uuid4(), uuid4()
    company = str(tenant_id).encode()
    assert decode_popped([company, entry, b"nobody", job_id.bytes, company, job_id.bytes]) == {tenant_id: [job_id]}


@pytest.mark.filterwarnings("ignore:Call to deprecated close")
async def test_jobs_reach_a_real_arq_worker_as_json_when_they_are_due(
    valkey: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant_id, now_job, later_job = uuid4(), uuid4(), uuid4()
    ran: list[tuple[str, str]] = []

    async def run_job(_ctx: object, tenant: str, job: str) -> None:
        ran.append((tenant, job))

    hints = RedisHints(valkey.url)
    now = datetime.now(UTC)
    due, soon = now + timedelta(hours=1), now + timedelta(seconds=0.3)
    # Not due yet when it is told of, wherever the machine stands still.
    monkeypatch.setattr("hub.hints.time", SimpleNamespace(time=now.timestamp))
    hints.committed(tenant_id, [], [DeferredJob(now_job, "a", soon), DeferredJob(later_job, "b", due)])
    await hints.flushed()
    await hints.stop()
    pool = await create_pool(
        RedisSettings.from_dsn(valkey.url), job_serializer=serialize, job_deserializer=deserialize, default_queue_name=QUEUE
    )
    queued = {job.job_id: job for job in await pool.queued_jobs()}
    assert set(queued) == {arq_id(now_job, 0), arq_id(later_job, 0)}
    assert queued[arq_id(later_job, 0)].score == int(due.timestamp() * 1000)
    worker = Worker(
        functions=[func(run_job, name=RUN_JOB)],  # type: ignore[arg-type]
        redis_pool=pool,
        queue_name=QUEUE,
        burst=True,
        poll_delay=0.01,
        job_serializer=serialize,
        job_deserializer=deserialize,
        handle_signals=False,
        max_burst_jobs=1,
    )
    await worker.main()
    assert ran == [(str(tenant_id), str(now_job))]
    await worker.close()


async def test_with_redis_down_nobody_waits_and_nothing_grows(caplog: pytest.LogCaptureFixture) -> None:
    hints = RedisHints(NOWHERE)
    began, slept = time.thread_time(), getrusage(RUSAGE_THREAD).ru_nvcsw
    for seq in range(MAX_QUEUED + 500):
        hints.committed(UUID(int=1), one_event(seq), [])
        hints.access_changed()
    # Who waits for something gives up the processor: that happens less often than in one of a thousand hints.
    assert getrusage(RUSAGE_THREAD).ru_nvcsw - slept < (MAX_QUEUED + 500) / 1000
    assert time.thread_time() - began < 3
    assert hints.queued <= MAX_QUEUED
    await hints.stop()


async def test_after_a_restart_of_redis_hints_flow_again(valkey: ValkeyServer) -> None:
    tenant_id = uuid4()
    hints = RedisHints(valkey.url)
    hints.committed(tenant_id, one_event(1), [])
    await asyncio.to_thread(valkey.kill)
    hints.committed(tenant_id, one_event(2), [])
    await asyncio.to_thread(valkey.restart)
    heard: list[int] = []
    async with Redis.from_url(valkey.url) as redis, redis.pubsub() as pubsub:
        await pubsub.subscribe(events_channel(tenant_id), ACCESS_CHANNEL)

        async def hear() -> bool:
            hints.committed(tenant_id, one_event(3 + len(heard)), [])
            message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=0.05)
            if message is not None:
                heard.append(decode_hint(message["data"]).head)
            return bool(heard)

        await eventually(hear, "a hint arrives")
    await hints.stop()
