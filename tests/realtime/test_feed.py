"""A feed puts in order whatever it is told, and asks the log for the rest."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field
from types import SimpleNamespace

import orjson
import pytest

from hub.db import Database, tenant_tx
from hub.events import LoggedEvent
from hub.realtime.feed import BULK, Feed
from hub.realtime.log import Head, read_after, read_heads
from hub.realtime.rooms import Rooms
from hub.who import Who
from tests.conftest import Company
from tests.realtime.kit import Noted, eventually, note


@dataclass(eq=False)
class Ear:
    """A socket that is always quick."""

    rooms: Rooms = field(default_factory=lambda: Rooms({"tenant"}))
    heard: bytes = b""
    resyncs: list[tuple[str, int]] = field(default_factory=list)

    def push(self, frames: bytes, before: int) -> bool:
        """Keep what comes."""
        self.heard += frames
        return True

    def resync(self, reason: str, head: Head) -> None:
        """Keep that too."""
        self.resyncs.append((reason, head.seq))

    @property
    def seqs(self) -> list[int]:
        """The sequence numbers heard, in order."""
        seqs, rest = [], self.heard
        while rest:
            size, start = rest[1], 2
            if size == 126:
                size, start = int.from_bytes(rest[2:4], "big"), 4
            seqs.append(orjson.loads(rest[start : start + size].removeprefix(b"42"))[1]["seq"])
            rest = rest[start + size :]
        return seqs


async def start_feed(db: Database, acme: Company) -> tuple[Feed, Ear]:
    """A feed at the head of the log, with one socket."""
    feed, ear = Feed(db, acme.tenant_id), Ear()
    await feed.start((await read_heads(db, [acme.tenant_id]))[acme.tenant_id])
    assert feed.join(ear, feed.position)
    return feed, ear


async def commit(db: Database, acme: Company, sizes: list[int]) -> list[list[LoggedEvent]]:
    """Transactions of several events, as the log has them."""
    first = (await read_heads(db, [acme.tenant_id]))[acme.tenant_id].seq
    for size in sizes:
        async with tenant_tx(db, Who.system(acme.tenant_id)) as tx:
            for n in range(size):
                tx.emit(Noted(None, {"n": n}))
    page = await read_after(db, acme.tenant_id, first, sum(sizes))
    rest = iter(page.events)
    return [[next(rest) for _ in range(size)] for size in sizes]


@pytest.mark.parametrize("seed", range(25))
async def test_hints_that_come_twice_late_in_disorder_or_not_at_all_change_nothing(
    db: Database, acme: Company, seed: int
) -> None:
    rng = random.Random(seed)
    await note(db, acme, "before")
    feed, ear = await start_feed(db, acme)
    start = feed.position
    hints = await commit(db, acme, [rng.randrange(1, 4) for _ in range(30)])
    told = [hint for hint in hints if rng.random() > 0.2] + [hint for hint in hints if rng.random() > 0.7]
    told.sort(key=lambda hint: hint[0].seq + rng.gauss(0, 6))
    for hint in told:
        feed.offer(hint, 0.0, "hint")
        if rng.random() < 0.1:
            feed.notice(Head(feed.epoch, hint[-1].seq), 0)
    last = hints[-1][-1].seq
    feed.notice(Head(feed.epoch, last), feed.position)
    await eventually(lambda: feed.position == last, "the feed is at the head")
    feed.flush()
    assert ear.seqs == list(range(start + 1, last + 1))
    feed.close()


async def test_a_hint_that_is_next_needs_no_database(db: Database, acme: Company) -> None:
    feed, ear = await start_feed(db, acme)
    hints = await commit(db, acme, [1, 2, 3])
    db.pool.terminate()
    for hint in (hints[0], hints[2], hints[1]):
        feed.offer(hint, 0.0, "hint")
    feed.flush()
    assert ear.seqs == [event.seq for hint in hints for event in hint]
    feed.close()


async def test_who_joins_while_something_waits_to_be_written_gets_only_what_follows(db: Database, acme: Company) -> None:
    feed, ear = await start_feed(db, acme)
    late, later, fickle = Ear(), Ear(), Ear()
    first, second, third = await commit(db, acme, [1, 1, 2])
    feed.offer(first, 0.0, "hint")
    assert not feed.join(late, feed.position - 1)
    assert feed.join(late, feed.position)
    feed.offer(second, 0.0, "hint")
    assert feed.join(later, feed.position)
    assert feed.join(fickle, feed.position)
    feed.leave(fickle)
    assert (ear.seqs, late.seqs, later.seqs) == ([], [], [])
    feed.flush()
    assert (late.seqs, later.seqs) == ([second[0].seq], [])
    feed.offer(third, 0.0, "hint")
    feed.flush()
    all_of_them = [event.seq for hint in (first, second, third) for event in hint]
    assert (ear.seqs, late.seqs, later.seqs, fickle.seqs) == (all_of_them, all_of_them[1:], all_of_them[2:], [])
    feed.close()


@dataclass(eq=False)
class HeavyEar(Ear):
    """Stands for thousands of sockets: writing to it takes so much of the processor's time, as the feed counts it."""

    pushes: int = 0
    takes_s: float = 0.0
    spent_s: float = 0.0

    def push(self, frames: bytes, before: int) -> bool:
        """Keep what comes, and count."""
        self.pushes += 1
        self.spent_s += self.takes_s
        return super().push(frames, before)


@pytest.fixture
def heavy(monkeypatch: pytest.MonkeyPatch) -> HeavyEar:
    """The only one for whom the processor works."""
    ear = HeavyEar()
    monkeypatch.setattr("hub.realtime.feed.time", SimpleNamespace(time=time.time, thread_time=lambda: ear.spent_s))
    return ear


async def test_single_events_for_very_many_go_out_together_and_much_at_once_does_not_wait(
    db: Database, acme: Company, heavy: HeavyEar
) -> None:
    feed, _ = await start_feed(db, acme)
    assert feed.join(heavy, feed.position)
    hints = await commit(db, acme, [1] * 30 + [BULK])
    for count, hint in enumerate(hints[:-1], 1):
        # Far beyond what passes on any machine until the last of them.
        heavy.takes_s = 0.01 if count <= 4 else 1000.0
        feed.offer(hint, 0.0, "hint")
        await asyncio.sleep(0)
        assert heavy.pushes == min(count, 5), "a few in a row go out at once, and who has had too much waits"
    feed.offer(hints[-1], 0.0, "hint")
    await asyncio.sleep(0)
    assert heavy.pushes == 6
    assert heavy.seqs == [event.seq for hint in hints for event in hint]
    feed.close()


async def test_after_much_at_once_a_single_event_does_not_wait_for_it(db: Database, acme: Company, heavy: HeavyEar) -> None:
    heavy.takes_s = 1000.0
    feed, _ = await start_feed(db, acme)
    assert feed.join(heavy, feed.position)
    for hint in await commit(db, acme, [BULK] * 15 + [1]):
        feed.offer(hint, 0.0, "hint")
        await asyncio.sleep(0)
    assert heavy.pushes == 16
    feed.close()


async def test_an_answer_of_the_log_that_is_older_than_a_hint_is_no_new_epoch(db: Database, acme: Company) -> None:
    feed, ear = await start_feed(db, acme)
    asked_at = feed.position
    (hint,) = await commit(db, acme, [1])
    feed.offer(hint, 0.0, "hint")
    feed.notice(Head(feed.epoch, asked_at), asked_at)
    assert ear.resyncs == []
    feed.notice(Head(feed.epoch, asked_at), feed.position)
    assert ear.resyncs == [("ahead_of_log", asked_at)]
    feed.close()


async def test_a_log_that_lost_what_is_missing_is_told_as_resync(db: Database, acme: Company) -> None:
    feed, ear = await start_feed(db, acme)
    feed.offer([LoggedEvent(feed.position + 5, "tenant", "{}")], 0.0, "hint")
    await commit(db, acme, [2])
    feed.notice(Head(feed.epoch, feed.position + 2), feed.position)
    await eventually(lambda: len(ear.seqs) == 2, "what the log has")
    assert ear.resyncs == []
    feed.close()


async def test_a_socket_that_joins_between_two_turns_of_the_loop_hears_nothing_twice(db: Database, acme: Company) -> None:
    feed, first = await start_feed(db, acme)
    start = feed.position
    hints = await commit(db, acme, [2, 1])
    feed.offer(hints[0], 0.0, "hint")  # accepted, written with the next turn
    late = Ear()
    kept = feed.since(start, 10**6, late.rooms)
    assert kept is not None
    late.push(kept.frames, start)
    assert feed.join(late, kept.reaches)
    feed.offer(hints[1], 0.0, "hint")
    feed.flush()
    assert first.seqs == late.seqs == [start + 1, start + 2, start + 3]
    feed.close()


async def test_a_socket_that_is_not_where_the_feed_is_does_not_join(db: Database, acme: Company) -> None:
    feed, _ = await start_feed(db, acme)
    start = feed.position
    (hint,) = await commit(db, acme, [1])
    feed.offer(hint, 0.0, "hint")
    assert not feed.join(Ear(), start)
    feed.close()


async def test_what_is_kept_is_bounded(db: Database, acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.realtime.feed.RING_EVENTS", 10)
    monkeypatch.setattr("hub.realtime.feed.MAX_AHEAD", 10)
    feed, ear = await start_feed(db, acme)
    start = feed.position
    hints = await commit(db, acme, [1] * 30)
    for hint in hints[1:]:
        feed.offer(hint, 0.0, "hint")  # the first one is missing: these wait, and are too many to wait
    await eventually(lambda: feed.position == start + 30, "the log gives them all")
    feed.flush()
    assert ear.seqs == list(range(start + 1, start + 31))
    assert feed.since(start + 19, 10**6, ear.rooms) is None
    assert feed.since(start + 20, 10**6, ear.rooms) is not None
    feed.close()
