"""Sends webhooks: one job for an endpoint at a time, in the order of the log."""

from __future__ import annotations

import time
from uuid import UUID

from hub.outgoing import delivering, sealing
from hub.outgoing.delivering import Delivery, Endpoint, Outcome
from hub.outgoing.signing import headers_for
from workers.cron import duty
from workers.job import Deps, NotNow, Run, job

# A job that has much to send makes room for others after so long, and another goes on.
_ROUND_S = 30.0
_ASK_AGAIN_S = 1.0


@job(delivering.DELIVER, timeout_s=60.0, backoff_s=1.0)
async def deliver(run: Run) -> None:
    """Send what an endpoint has not had yet, until it has all, refuses one, or the round is over."""
    async with run.tx() as tx:
        endpoint = await delivering.take(tx, UUID(run.job.args["endpoint_id"]))
    if endpoint is None:
        if run.job.args.get("by") == "asked":
            # Whoever is busy with it may have looked just before this was asked for.
            raise NotNow(_ASK_AGAIN_S)
        return
    until = time.monotonic() + _ROUND_S
    while time.monotonic() < until:
        waiting = await delivering.next_deliveries(run.deps.db, endpoint)
        if not waiting:
            if endpoint.state != "active":
                break
            endpoint, moved = await delivering.take_from_log(run.deps.db, endpoint)
            if not moved:
                break
            continue
        if not await _send_all(run, endpoint, waiting, until):
            break
    async with run.finish() as tx:
        await delivering.release(tx, endpoint)
    # Whoever looked between the last look at the log and this was told that somebody is at it.
    await delivering.ask_at_once(run.deps.db, run.job.tenant_id)


async def _send_all(run: Run, endpoint: Endpoint, waiting: list[Delivery], until: float) -> bool:
    for delivery in waiting:
        if not delivery.is_due or time.monotonic() > until:
            return False
        if delivery.body is None:
            async with run.tx() as tx:
                await delivering.note_gone(tx, delivery)
            continue
        outcome = await _post(run.deps, endpoint, delivery, delivery.body)
        async with run.tx() as tx:
            goes_on = await delivering.settle(tx, endpoint, delivery, outcome)
            if not await delivering.hold(tx, endpoint) or not goes_on:
                return False
    return True


async def _post(deps: Deps, endpoint: Endpoint, delivery: Delivery, body: bytes) -> Outcome:
    assert deps.hooks is not None  # the composition root gives it
    headers = headers_for(delivery.event_id, int(time.time()), body, endpoint.secrets)
    answer = await deps.hooks.post(endpoint.url, body, headers)
    return Outcome(answer.status, answer.words, answer.text, answer.took_ms, answer.retry_after_s)


@duty(every_s=1.0)
async def ask_webhooks(deps: Deps) -> None:
    """Have sent what endpoints have not had yet; workers.waking is mostly sooner."""
    await delivering.ask_due(deps.db)


@duty(every_s=3600.0)
async def reseal_webhooks(deps: Deps) -> None:
    """Seal with the present key what an older one has sealed."""
    if deps.seals is not None:
        await sealing.reseal(deps.db, deps.seals)


@duty(every_s=3600.0)
async def forget_old_webhooks(deps: Deps) -> None:
    """Delete deliveries of more than a month ago."""
    await delivering.forget_old(deps.db)
