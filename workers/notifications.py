"""Tells people outside of the console: letters with what was not read, and pushes to their devices."""

from __future__ import annotations

from uuid import UUID

import orjson

from hub.notifications import devices, telling
from hub.notifications.vapid import signing_key
from integrations.errors import CircuitOpen, Rejected, Transient
from integrations.telling import PushMessage
from workers.job import Permanent, Run, job

_GONE = (404, 410)
_MOST_ATTEMPTS = 8
_TEST = orjson.dumps({"id": None, "title": "Pushes from Ringside arrive here", "url": "/settings/notifications"})


@job(telling.TELL, timeout_s=20.0)
async def tell(run: Run) -> None:
    """Mail, or push, what is due of one person."""
    async with run.finish() as tx:
        await telling.tell(tx, UUID(run.job.args["user_id"]), run.job.args["way"], run.deps.settings.public_url)


@job(telling.PUSH, max_attempts=_MOST_ATTEMPTS, timeout_s=40.0, backoff_s=5.0)
async def push(run: Run) -> None:
    """Push to one device what its person has not read. One that takes no more, or is not welcome any more, is removed."""
    args = run.job.args
    device_id, ids = UUID(args["device_id"]), [UUID(each) for each in args["ids"]]
    async with run.tx() as tx:
        device = await devices.open_device(tx, device_id)
        said = telling.Push(_TEST, "test", True) if not ids else await telling.write_push(tx, ids, args["count"])
        key = await signing_key(tx)
    if device is None or said is None:
        return
    if not device.is_welcome or device.target is None:
        async with run.finish() as tx:
            await devices.drop_device(tx, device_id)
        return
    if run.deps.pushes is None:
        raise Permanent("Nobody carries pushes here.")
    problem: str | None = None
    try:
        await run.deps.pushes.push(device.target, PushMessage(said.body, topic=said.topic, is_urgent=said.is_urgent), key)
    except Rejected as exc:
        if exc.status in _GONE:
            async with run.finish() as tx:
                await devices.drop_device(tx, device_id)
            return
        problem = exc.message
    except (Transient, CircuitOpen) as exc:
        if run.job.attempts < _MOST_ATTEMPTS:
            raise
        # Nobody has to look after it: what the push says stands in the console, too.
        problem = exc.message
    async with run.finish() as tx:
        await devices.note_push(tx, device_id, problem)
