"""A worker is killed at every boundary of sending: no mail goes out twice, none is forgotten."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest

from hub.db import Tx
from hub.mail import delivering
from hub.mailboxes.rows import MailboxRow
from integrations.mail import Mailbox, MessageRef, RawMessage, SentMail
from tests.mail.kit import Post
from workers import mail
from workers.job import Deps, Run
from workers.ledger import Ledger


class Killed(BaseException):
    """The worker is no more."""


@dataclass
class Reaper:
    """Kills at the n-th boundary that is passed; None: never. It tells where it was."""

    at: int | None = None
    passed: int = 0
    where: str = ""

    def point(self, name: str) -> None:
        """A boundary."""
        self.passed += 1
        if self.at is not None and self.passed == self.at:
            self.where = name
            raise Killed(name)


class Watched:
    """A mailbox at its provider, with a boundary before and after each request."""

    def __init__(self, mailbox: Mailbox, reaper: Reaper) -> None:
        self._mailbox = mailbox
        self._reaper = reaper

    async def send(self, raw: bytes, *, thread_id: str = "") -> SentMail:
        self._reaper.point("before the provider is asked")
        sent = await self._mailbox.send(raw, thread_id=thread_id)
        self._reaper.point("after the provider has sent")
        return sent

    async def find_sent(self, message_id: str, *, to: str, since: datetime) -> SentMail | None:
        found = await self._mailbox.find_sent(message_id, to=to, since=since)
        self._reaper.point("after the look")
        return found

    async def fetch(self, refs: Sequence[MessageRef]) -> list[RawMessage]:
        found = await self._mailbox.fetch(refs)
        self._reaper.point("after the sent mail was fetched")
        return found

    async def close(self) -> None:
        await self._mailbox.close()


class WatchedMailboxes:
    """Opens watched mailboxes."""

    def __init__(self, inner: Any, reaper: Reaper) -> None:
        self._inner = inner
        self._reaper = reaper

    def gmail(self, address: str, refresh_token: str) -> Any:
        return Watched(self._inner.gmail(address, refresh_token), self._reaper)


class WatchedRun(Run):
    """An attempt with a boundary before and after each commit."""

    reaper: Reaper

    @asynccontextmanager
    async def tx(self) -> AsyncIterator[Tx]:
        async with super().tx() as tx:
            yield tx
            self.reaper.point("before a commit")
        self.reaper.point("after a commit")

    @asynccontextmanager
    async def finish(self) -> AsyncIterator[Tx]:
        async with super().finish() as tx:
            yield tx
            self.reaper.point("before the last commit")
        self.reaper.point("after the last commit")


async def attempt(post: Post, reaper: Reaper) -> None:
    """One attempt at each job that is due, by a worker that may be killed; its lease is over at once."""
    deps: Deps = replace(post.deps, mailboxes=WatchedMailboxes(post.deps.mailboxes, reaper))  # type: ignore[arg-type]
    ledger = Ledger(post.db, "a worker", {"mail.send": 0.0})
    await post.run("UPDATE jobs SET run_at = now() WHERE state = 'ready'")
    for due in await ledger.due(overdue_s=-0.001, limit=10):
        job = await ledger.claim(due.tenant_id, due.id)
        if job is None:
            continue
        run = WatchedRun(ledger, job, deps, 30.0)
        run.reaper = reaper
        try:
            await mail.send.function(run)
        except Killed:
            continue
        except Exception as exc:
            await ledger.retry(job, str(exc), delay_s=0.0, max_attempts=100)
            continue
        if not run.finished:
            async with run.finish():
                pass


@pytest.fixture
async def box(post: Post, monkeypatch: pytest.MonkeyPatch) -> MailboxRow:
    """A mailbox; whoever was killed is certainly about to send no more."""
    monkeypatch.setattr(delivering, "DOUBT_S", 0.0)
    return await post.mailbox("rep@acme.test")


async def sent_once(post: Post, box: MailboxRow, number: int, next_kill: Callable[[], int | None]) -> list[str]:
    """Send one mail with kills on the way; where they were."""
    before = len(post.sandbox.sent)
    send_id = await post.queue(box, f"person{number}@example.com")
    kills = []
    for _ in range(30):
        reaper = Reaper(next_kill())
        with suppress(Killed):
            await attempt(post, reaper)
        if reaper.where:
            kills.append(reaper.where)
        elif (await post.send(send_id))["state"] == "sent":
            break
    state = await post.send(send_id)
    assert (state["state"], len(post.sandbox.sent) - before) == ("sent", 1), (kills, state["error"])
    messages = await post.rows("SELECT send_id, provider_id FROM mail_messages WHERE send_id = $1", send_id)
    assert [row["provider_id"] for row in messages] == [state["provider_id"]], kills
    return kills


async def test_killed_once_at_every_boundary(post: Post, box: MailboxRow) -> None:
    where: set[str] = set()
    for boundary in range(1, 40):
        kills = iter([boundary])
        hit = await sent_once(post, box, boundary, lambda kills=kills: next(kills, None))  # type: ignore[misc]
        where |= set(hit)
        if not hit:
            break
    assert boundary > 8
    assert where >= {"before the provider is asked", "after the provider has sent", "before the last commit", "after a commit"}


async def test_killed_again_and_again(post: Post, box: MailboxRow) -> None:
    dice = random.Random(4)
    kills = 0
    for number in range(25):
        plan = iter([dice.randint(1, 8) for _ in range(dice.randint(1, 4))])
        kills += len(await sent_once(post, box, number, lambda plan=plan: next(plan, None)))  # type: ignore[misc]
    assert kills > 25
