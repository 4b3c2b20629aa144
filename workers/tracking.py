"""The jobs of tracking and unsubscribing: who it was that opened, and the sequences of who wants no more."""

from __future__ import annotations

import hmac
import secrets
from uuid import UUID

from hub.mail.telling import audiences_of_thread, tell
from hub.sequences.actions import stop_for
from hub.tracking import actions, domains, queries
from integrations.errors import Rejected, Transient
from integrations.pointing import short_text
from workers.cron import duty
from workers.job import Deps, Run, job


@job("tracking.judge", timeout_s=20.0)
async def judge(run: Run) -> None:
    """Say of everything that was fetched of a mail whether it was a person, and tell who may see the mail's thread."""
    send_id = UUID(run.job.args["send_id"])
    async with run.finish() as tx:
        thread_id = await queries.thread_of(tx, send_id)
        audiences = await audiences_of_thread(tx, thread_id) if thread_id is not None else []
        if await actions.judge_hits(tx, send_id, audiences) and thread_id is not None:
            await tell(tx, thread_id)


@job(domains.CHECK, timeout_s=20.0, backoff_s=5.0)
async def check_domain(run: Run) -> None:
    """Ask a domain for links whether it leads here. One that does not answer is asked again before it is given up."""
    domain = run.job.args["domain"]
    challenge = secrets.token_hex(20)
    problem: str | None = None
    try:
        answer = await short_text(
            f"https://{domain}{domains.PATH}{challenge}", allow_private=run.deps.settings.private_mail_hosts
        )
        if not hmac.compare_digest(answer.strip().encode(), domains.answer_to(run.deps.settings, challenge).encode()):
            problem = "Somebody else answers there."
    except Rejected as exc:
        problem = exc.message
    except Transient as exc:
        if run.job.attempts < run.job.max_attempts:
            async with run.tx() as tx:
                # A moment's silence does not end the use of one that is known.
                if not await domains.is_used(tx, domain):
                    await domains.note_checked(tx, domain, exc.message)
            raise
        problem = exc.message
    async with run.finish() as tx:
        await domains.note_checked(tx, domain, problem)


@duty(every_s=3600.0, jitter_s=300.0)
async def check_link_domains(deps: Deps) -> None:
    """Have each domain for links looked at once a day: it may lead elsewhere by now, or here at last."""
    await domains.check_daily(deps.db)


@job("unsubscribes.follow", timeout_s=20.0)
async def follow(run: Run) -> None:
    """Stop the sequences of who unsubscribed."""
    args = run.job.args
    send_id = UUID(args["send_id"]) if args["send_id"] else None
    contacts = [UUID(contact) for contact in args["contact_ids"]]
    async with run.finish() as tx:
        await stop_for(tx, contacts, "unsubscribe", words=args["words"], send_id=send_id, now=run.deps.clock.now())
