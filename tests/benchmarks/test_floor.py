"""The benchmark of the floor, small: it works, and it notices what is lost, repeated or out of order."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from benchmarks.floor import seqs
from benchmarks.floor_crowd import Crowd, Group, Trouble
from benchmarks.floor_writer import Told, burst, steady
from hub.realtime.wire import Line
from tests.conftest import Company, TestDatabase
from tests.patience import PATIENCE_S
from tests.realtime.kit import HubProcess, eventually, hub_process, token_for

EVENTS = 200
SOCKETS = 20


@asynccontextmanager
async def crowded(database: TestDatabase, redis_url: str, company: Company) -> AsyncIterator[tuple[HubProcess, Crowd, Told]]:
    """A hub with twenty sockets of one company, and what notes when its events were committed."""
    async with hub_process(database.app_url, redis_url) as hub:
        crowd = Crowd(hub.port)
        told = Told(hub.db.notifier)
        hub.db.notifier = told
        try:
            group = Group(str(company.tenant_id), [{"token": token_for(company)}])
            # That the member is here is an event, too. Whoever comes when it is over hears nothing of it, on any machine.
            await crowd.join(group, 1)
            await eventually(lambda: all(ear.size for ear in crowd.ears), "that the member is here")
            await crowd.join(group, SOCKETS - 1)
            crowd.mark()
            told.at.clear()
            yield hub, crowd, told
        finally:
            crowd.close()


async def test_every_delivery_of_a_burst_is_counted_and_checked(database: TestDatabase, valkey_url: str, acme: Company) -> None:
    async with crowded(database, valkey_url, acme) as (hub, crowd, told):
        await burst(hub.db, [acme.tenant_id], EVENTS, 50)
        wanted = seqs({"at": told.at})
        await crowd.until_heard(wanted, PATIENCE_S)
        crowd.check(wanted)
        assert crowd.delivered() == EVENTS * SOCKETS
        crowd.mark()
        told.at.clear()
        crowd.timing = True
        await steady(hub.db, [acme.tenant_id], 50, 0.2)
        await crowd.until_heard(seqs({"at": told.at}), PATIENCE_S)
        (group,) = crowd.groups
        assert [len(arrivals) for arrivals in group.arrivals.values()] == [SOCKETS] * 10


def _lose(frames: bytes) -> bytes:
    return b""


def _repeat(frames: bytes) -> bytes:
    return frames * 2


def _garble(frames: bytes) -> bytes:
    return frames.replace(b"assistant", b"ASSISTANT", 1)


@pytest.mark.parametrize("spoil", [_lose, _repeat, _garble])
async def test_one_delivery_that_went_wrong_is_noticed(
    database: TestDatabase, valkey_url: str, acme: Company, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[bytes], bytes]
) -> None:
    async with crowded(database, valkey_url, acme) as (hub, crowd, told):
        victim = hub.realtime.sockets.readers[7].line
        write, spoilt = Line.write, list[bytes]()

        def badly(line: Line, frames: bytes) -> None:
            if line is victim and not spoilt:
                spoilt.append(frames)
                frames = spoil(frames)
            write(line, frames)

        monkeypatch.setattr(Line, "write", badly)
        await steady(hub.db, [acme.tenant_id], 100, 0.1)
        wanted = seqs({"at": told.at})
        ((_, numbers),) = wanted.items()

        def the_others_have_all() -> bool:
            (group,) = crowd.groups
            most = max(Counter(ear.size for ear in group.sockets).values())
            return bool(spoilt) and most >= SOCKETS - 1 and b'{"seq":%d,' % numbers[-1] in group.kept

        # Else it would be noticed for being slow, and not for what went wrong.
        await eventually(the_others_have_all, "all but one have heard everything")
        with pytest.raises(Trouble, match="sockets heard"):
            await crowd.until_heard(wanted, 0.5)
            crowd.check(wanted)
        assert spoilt


async def test_what_nobody_heard_is_noticed(database: TestDatabase, valkey_url: str, acme: Company) -> None:
    async with crowded(database, valkey_url, acme) as (hub, crowd, told):
        await steady(hub.db, [acme.tenant_id], 100, 0.02)
        (name, wanted), *_ = seqs({"at": told.at}).items()
        await crowd.until_heard({name: wanted}, PATIENCE_S)
        with pytest.raises(Trouble, match="committed were"):
            await crowd.until_heard({name: range(wanted[0], wanted[-1] + 2)}, 0.1)
        with pytest.raises(Trouble, match="committed were"):
            crowd.check({name: range(wanted[0] - 1, wanted[-1] + 1)})
        assert await crowd.until_caught_up({name: wanted}, PATIENCE_S)
        with pytest.raises(Trouble, match=f"{SOCKETS} have not caught up"):
            await crowd.until_caught_up({name: range(wanted[0], wanted[-1] + 2)}, 0.1)
