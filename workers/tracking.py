"""The jobs of tracking and unsubscribing: who it was that opened, and the sequences of who wants no more."""

from __future__ import annotations

from uuid import UUID

from hub.mail.telling import audiences_of_thread, tell
from hub.sequences.actions import stop_for
from hub.tracking import actions, queries
from workers.job import Run, job


@job("tracking.judge", timeout_s=20.0)
async def judge(run: Run) -> None:
    """Say of everything that was fetched of a mail whether it was a person, and tell who may see the mail's thread."""
    send_id = UUID(run.job.args["send_id"])
    async with run.finish() as tx:
        thread_id = await queries.thread_of(tx, send_id)
        audiences = await audiences_of_thread(tx, thread_id) if thread_id is not None else []
        if await actions.judge_hits(tx, send_id, audiences) and thread_id is not None:
            await tell(tx, thread_id)


@job("unsubscribes.follow", timeout_s=20.0)
async def follow(run: Run) -> None:
    """Stop the sequences of who unsubscribed."""
    args = run.job.args
    send_id = UUID(args["send_id"]) if args["send_id"] else None
    contacts = [UUID(contact) for contact in args["contact_ids"]]
    async with run.finish() as tx:
        await stop_for(tx, contacts, "unsubscribe", words=args["words"], send_id=send_id, now=run.deps.clock.now())
