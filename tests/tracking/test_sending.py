"""What really goes out, at the Gmail sandbox, and what colleagues see of it; and what follows when somebody wants no more."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from uuid import UUID

import pytest_asyncio

from hub.db import Database, tenant_tx
from hub.mail.events import MailThreadUpdated
from hub.tracking import actions
from hub.tracking.actions import Fetch
from hub.tracking.models import TrackingSettings
from hub.tracking.tokens import read_token
from hub.unsubscribes.actions import reader_of, unsubscribe
from hub.who import Who
from tests.conftest import Company
from tests.mail.conftest import gmail, post
from tests.mail.kit import Post
from tests.patience import PATIENCE_S
from tests.sequences.kit import Office
from tests.tracking.kit import PEOPLE
from workers import tracking
from workers.job import Deps, Registry
from workers.ledger import Ledger
from workers.runner import Runner

__all__ = ["gmail", "post"]

HTML = '<p>See <a href="https://example.com/a">this</a>.</p>'


@pytest_asyncio.fixture
async def out(post: Post) -> EmailMessage:
    """A sequence's mail as the provider got it, of a company that tracks."""
    async with tenant_tx(post.db, post.company.who("owner")) as tx:
        await actions.save_settings(tx, TrackingSettings(opens="on", clicks="on"))
    box = await post.mailbox("rep@acme.test")
    await post.contact("ada@example.com")
    await post.queue(box, "ada@example.com", html=HTML, source="sequence")
    await post.work()
    assert len(post.sandbox.sent) == 1
    raw = next(m.raw for m in post.sandbox.mailboxes["rep@acme.test"].messages.values())
    return message_from_bytes(raw, policy=policy.default)


def part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body is not None
    text: str = body.get_content()
    return text


async def run_jobs(db: Database, deps: Deps) -> None:
    """The jobs of tracking, whenever they are due."""
    async with db.acquire() as conn:
        jobs = await conn.fetch("SELECT * FROM jobs_due(-3600, 100)")
    runner = Runner(Ledger(db, "a worker", {}), Registry.of(tracking), deps, max_jobs=4)
    for job in jobs:
        while not runner.room.free:
            await runner.freed(1.0)
        runner.start(job["tenant_id"], [job["id"]], "sweep")
    await runner.drain(PATIENCE_S)


async def test_a_sequences_mail_can_be_unsubscribed_from_and_is_tracked(post: Post, out: EmailMessage) -> None:
    assert out["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    found = re.fullmatch(
        r"<http://127\.0\.0\.1/u/([^>]+)>, <mailto:rep@acme\.test\?subject=unsubscribe>", out["List-Unsubscribe"]
    )
    assert found is not None
    token = read_token(post.settings, "unsubscribe", found[1])
    assert token is not None and token.tenant_id == post.company.tenant_id
    html = part(out, "html")
    assert "/t/o/" in html and "/t/c/" in html and "example.com/a" not in html
    assert "/t/" not in part(out, "plain")


async def test_the_copy_that_colleagues_see_is_as_it_was_written(post: Post, out: EmailMessage) -> None:
    row = (await post.rows("SELECT new_html, has_remote_images FROM mail_messages"))[0]
    assert "https://example.com/a" in row["new_html"] and "/t/" not in row["new_html"] and not row["has_remote_images"]
    assert (await post.rows("SELECT html FROM mail_sends"))[0]["html"] == HTML


async def test_what_a_person_writes_by_hand_has_no_such_headers(post: Post) -> None:
    box = await post.mailbox("rep@acme.test")
    await post.queue(box, "ada@example.com", source="composer", user_id=post.company.members["rep"])
    await post.work()
    raw = next(m.raw for m in post.sandbox.mailboxes["rep@acme.test"].messages.values())
    assert message_from_bytes(raw)["List-Unsubscribe"] is None
    assert await post.rows("SELECT * FROM tracked_sends") == []


async def test_an_open_reaches_those_who_see_the_thread_through_the_job(post: Post, out: EmailMessage) -> None:
    send_id: UUID = (await post.rows("SELECT id FROM mail_sends"))[0]["id"]
    await post.run("UPDATE tracked_sends SET sent_at = now() - interval '1 hour'")
    await post.run("UPDATE mailboxes SET visibility = 'private'")
    async with tenant_tx(post.db, Who.system(post.company.tenant_id)) as tx:
        await actions.note_hit(tx, send_id, "open", None, Fetch("GET", PEOPLE, "192.0.2.7"))
    await post.run("UPDATE jobs SET run_at = now() WHERE kind = 'tracking.judge'")
    await run_jobs(post.db, post.deps)
    told = [event for event in await post.events() if event[0] in ("mail.opened", MailThreadUpdated.type)]
    assert ("mail.opened", f"user:{post.company.members['rep']}") in told
    assert {audience for kind, audience in told if kind == "mail.opened"} == {f"user:{post.company.members['rep']}"}


async def test_whoever_unsubscribes_gets_no_further_step(db: Database, acme: Company, post: Post) -> None:
    office = Office(db, acme)
    mailbox = await office.mailbox()
    ada, bob = await office.contacts(2)
    sequence = await office.sequence()
    await office.enrol(sequence, [ada, bob], mailbox_id=str(mailbox))
    async with tenant_tx(db, Who.system(acme.tenant_id)) as tx:
        assert await reader_of(tx, sequence) is None
        await unsubscribe(tx, "pat1@firm1.example", "one_click", contact_id=None, send_id=None)
    await run_jobs(db, post.deps)
    assert [one["state"] for one in await office.enrolments(ada)] == ["stopped"]
    assert [one["state"] for one in await office.enrolments(bob)] == ["active"]
