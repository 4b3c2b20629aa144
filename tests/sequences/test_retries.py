"""A mail that failed and that a person has sent after all puts its step and its enrolment right; at the Gmail sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from hub.db import Database
from hub.jobs.actions import retry_job
from hub.mail import composing
from hub.sequences import actions
from integrations.sandbox.gmail.server import GmailSandbox
from tests.conftest import Company, TestDatabase
from tests.mail.kit import Post, opened_post
from tests.sequences.kit import Office, email, sql

DAY = 1440


@pytest.fixture
async def post(db: Database, database: TestDatabase, acme: Company, tmp_path: Path) -> AsyncIterator[Post]:
    async with GmailSandbox() as gmail, opened_post(db, database.app_url, acme, gmail, tmp_path / "files") as opened:
        yield opened


class Desk(Office):
    """A company whose mail really goes to the sandbox, and one contact of it in a sequence of two mails."""

    def __init__(self, post: Post) -> None:
        super().__init__(post.db, post.company, datetime.now(UTC))
        self.post = post

    async def begin(self) -> UUID:
        """Enrol somebody, up to the moment at which the first mail waits for the worker; the contact."""
        box = await self.post.mailbox("rep@acme.test")
        [pat] = await self.contacts(1)
        sequence = await self.sequence([email(), email(wait_minutes=DAY)])
        await self.enrol(sequence, [pat], mailbox_id=box.id)
        await self.round()
        return pat

    async def round(self) -> None:
        """The scheduler until it has nothing to do, without the mail."""
        self.now += timedelta(seconds=40)
        for _ in range(10):
            if not await self.tick(after=timedelta(seconds=1), sent=False):
                return

    async def mail(self) -> Any:
        [found] = await self.mails()
        return found

    async def retry(self) -> None:
        """The rep presses "send again"."""
        async with self.tx() as tx:
            await composing.retry(tx, (await self.mail())["id"])

    async def stands(self) -> tuple[str, str | None, list[str]]:
        """State and reason of the enrolment, and the states of its steps."""
        [one] = await self.enrolments()
        return one["state"], one["reason"], [run["state"] for run in one["runs"]]


async def test_a_mail_that_is_sent_again_lets_its_enrolment_go_on(post: Post) -> None:
    """Given a mail that the provider refused, when the rep sends it again, then the step is done and the next one is planned."""
    desk = Desk(post)
    post.sandbox.fail("messages.send", "400")
    await desk.begin()
    await post.work()
    await desk.round()
    assert await desk.stands() == ("failed", "not_sent", ["failed"])
    desk.now += timedelta(days=3)
    await desk.retry()
    await post.work(replace(post.deps, clock=desk.clock))
    assert (await desk.mail())["state"] == "sent" and len(post.sandbox.sent) == 1
    await desk.round()
    [enrolment] = await desk.enrolments()
    assert (enrolment["state"], enrolment["reason"], enrolment["words"], enrolment["finished_at"]) == ("active", None, "", None)
    assert [run["state"] for run in enrolment["runs"]] == ["done", "planned"]
    # The next step waits from when it was really sent.
    sent, following = (datetime.fromisoformat(run["slot_at"]) for run in enrolment["runs"])
    assert timedelta(0) <= following - sent - timedelta(days=1) <= timedelta(seconds=1)


async def test_one_that_fails_again_ends_it_again(post: Post) -> None:
    desk = Desk(post)
    post.sandbox.fail("messages.send", "400")
    await desk.begin()
    await post.work()
    await desk.round()
    post.sandbox.fail("messages.send", "400")
    await desk.retry()
    await post.work()
    await desk.round()
    assert await desk.stands() == ("failed", "not_sent", ["failed"])


async def test_an_enrolment_that_ended_otherwise_stays_so_and_its_step_is_told_as_it_was(post: Post) -> None:
    """Given somebody who was enrolled anew meanwhile, then the mail counts as sent, and they are in the sequence once."""
    desk = Desk(post)
    post.sandbox.fail("messages.send", "400")
    pat = await desk.begin()
    await post.work()
    await desk.round()
    [old] = await desk.enrolments()
    async with desk.tx() as tx:
        await tx.execute(
            sql(
                "INSERT INTO enrolments (tenant_id, sequence_id, contact_id, user_id, step_id, base_at, due_at, state)"
                " SELECT tenant_id, sequence_id, contact_id, user_id, step_id, base_at, now(), 'paused' FROM enrolments"
                " WHERE tenant_id = :tenant_id"
            )
        )
    await desk.retry()
    await post.work()
    await desk.round()
    first, other = await desk.enrolments(pat)
    assert (first["id"], first["state"], first["runs"][0]["state"]) == (old["id"], "failed", "done")
    assert other["state"] == "paused"


async def test_a_mail_that_was_taken_back_and_sent_by_hand_is_a_step_that_was_taken(post: Post) -> None:
    desk = Desk(post)
    await desk.begin()
    async with desk.tx() as tx:
        await composing.undo(tx, (await desk.mail())["id"])
    await post.run("UPDATE step_runs SET look_at = now()")
    await desk.round()
    assert await desk.stands() == ("paused", "mail_canceled", ["canceled"])
    async with desk.tx() as tx:
        await composing.send_draft(tx, (await desk.mail())["id"], None, desk.now)
    await post.run("UPDATE mail_sends SET undo_until = now()")
    await post.work(hurry=True)
    await desk.round()
    assert (await desk.mail())["state"] == "sent"
    assert await desk.stands() == ("paused", "mail_canceled", ["done"])
    [enrolment] = await desk.enrolments()
    async with desk.tx() as tx:
        await actions.resume(tx, UUID(enrolment["id"]), desk.now)
    await desk.round()
    assert await desk.stands() == ("active", None, ["done", "planned"])


async def test_a_dead_letter_that_is_retried_finishes_its_step(post: Post) -> None:
    """Given a job of sending that was given up on, when an admin retries it, then the mail goes out once and the step is done."""
    desk = Desk(post)
    await desk.begin()
    await post.run(
        "UPDATE jobs SET state = 'dead', last_error = 'The worker was lost.', finished_at = now() WHERE kind = 'mail.send'"
    )
    await desk.round()
    assert await desk.stands() == ("active", None, ["intended"])
    [job] = await post.rows("SELECT id FROM jobs WHERE kind = 'mail.send'")
    async with desk.tx(desk.company.who("owner")) as tx:
        await retry_job(tx, job["id"])
    await post.work()
    await desk.round()
    assert len(post.sandbox.sent) == 1
    assert await desk.stands() == ("active", None, ["done", "planned"])
