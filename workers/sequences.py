"""The jobs and duties of sequences: enrolling a filter's contacts, and the scheduler."""

from __future__ import annotations

from uuid import UUID

from hub.dialer.models import SavedFilter
from hub.sequences import scheduling, settling
from hub.sequences.enrolling import ENROL, Wish, enrol_batch
from workers.cron import duty
from workers.job import Deps, Run, job

# What one round of the scheduler takes on of each kind; what is left is taken on in the next.
_AT_ONCE = 500


@job(ENROL, timeout_s=60.0)
async def enrol(run: Run) -> None:
    """Enrol the rest of a filter's contacts, batch after batch. Repeated from the start it enrols nobody twice."""
    args = run.job.args
    saved = SavedFilter.model_validate(args["filter"])
    wish = Wish.model_validate(args["wish"])
    after: UUID | None = UUID(args["after"])
    while after is not None:
        async with run.tx() as tx:
            await run.extend(tx)
            after = await enrol_batch(tx, wish, saved, after, run.deps.clock.now())
    async with run.finish():
        pass


@job("sequences.take_up", timeout_s=30.0)
async def take_up(run: Run) -> None:
    """A person has a step's mail sent after all: the step is under way again, and its enrolment goes on."""
    async with run.finish() as tx:
        await settling.take_up(tx, UUID(run.job.args["run_id"]), run.deps.clock.now())


@duty(every_s=1.0)
async def run_sequences(deps: Deps) -> None:
    """Take the steps that are due, and plan the next ones."""
    account = deps.settings.twilio
    await scheduling.tick(deps.db, deps.clock, _AT_ONCE, sms_from=account.from_number if account is not None else "")


@duty(every_s=2.0)
async def count_sequences(deps: Deps) -> None:
    """Count the enrolments of sequences in which something happened, and tell everybody."""
    await scheduling.count_moved(deps.db, _AT_ONCE)
