"""One company that asks for as much as it can, in a process of its own: `python -m benchmarks.flooder`, its order on stdin.

    {"kind": "requests" | "sockets" | "events" | "jobs" | "imports", "url": ..., "tokens": [...], "seconds": ..., "at_once": ...,
     "database": ..., "redis": ..., "tenant": ...}

Says "ready" when it begins, and at the end, on a line of JSON, how often it got what. It stops by itself.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections import Counter
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import orjson
from aiohttp import ClientError, ClientSession, ClientTimeout, FormData, TCPConnector, WSMsgType

from benchmarks.cores import LOAD, pin_self
from benchmarks.imports import customers
from benchmarks.job_worker import KIND
from hub.activities.events import ActivityCreated
from hub.db import Database, tenant_tx
from hub.hints import RedisHints
from hub.who import Who

_BATCH = 100
_BACKLOG, _TOP_UP_S = 5000, 0.25
_WAITING = "SELECT count(*) FROM jobs WHERE tenant_id = $1 AND state = 'ready'"
_FILE_ROWS, _UPLOADERS = 5000, 8


async def ask(session: ClientSession, order: dict[str, Any], number: int, got: Counter[str], end: float) -> None:
    """Lists and searches, one after the other as fast as they are answered."""
    token = order["tokens"][number % len(order["tokens"])]
    paths = ("/api/v1/contacts?limit=50", "/api/v1/search?q=Contact")
    while time.monotonic() < end:
        try:
            url, headers = order["url"] + paths[number % 2], {"Authorization": f"Bearer {token}"}
            async with session.get(url, headers=headers) as answer:
                await answer.read()
                got[str(answer.status)] += 1
        except (ClientError, TimeoutError, OSError):
            got["cut"] += 1


async def connect(session: ClientSession, order: dict[str, Any], number: int, got: Counter[str], end: float) -> None:
    """Sockets, one after the other: with a good token, with a bad one, with none, and such as talk without end."""
    url = f"{order['url']}/socket.io/?EIO=4&transport=websocket"
    kind = ("good", "bad", "silent", "chatty")[number % 4]
    token = order["tokens"][number % len(order["tokens"])]
    while (left := end - time.monotonic()) > 0:
        try:
            async with session.ws_connect(url) as socket:
                got["connected"] += 1
                if kind != "silent":
                    await socket.send_str("40" + orjson.dumps({"token": "x" if kind == "bad" else token}).decode())
                while kind == "chatty":
                    await socket.send_str('42["hello",{}]')
                async with asyncio.timeout(min(1.0 if kind == "good" else 10.0, left)):
                    while (await socket.receive()).type is WSMsgType.TEXT:
                        pass
        except ClientError as exc:
            got[f"refused {getattr(exc, 'status', '')}".strip()] += 1
        except (TimeoutError, OSError):
            got["ended"] += 1


async def write(db: Database, order: dict[str, Any], got: Counter[str], end: float) -> None:
    """Events, committed in batches as an import commits them."""
    while time.monotonic() < end:
        async with tenant_tx(db, Who.system(UUID(order["tenant"]))) as tx:
            for _ in range(_BATCH):
                tx.emit(_event())
        got["events"] += _BATCH


async def pile_up(db: Database, order: dict[str, Any], got: Counter[str]) -> None:
    """So many jobs that wait that the workers never run out of them, deferred in batches as many things at once defer them.

    It is the jobs that flood, not their making: nobody outside can have them written as fast as Postgres writes.
    """
    who = Who.system(UUID(order["tenant"]))
    async with tenant_tx(db, who) as tx:
        waiting: int = await tx.conn.fetchval(_WAITING, who.tenant_id)
    for _ in range(waiting, _BACKLOG, _BATCH):
        async with tenant_tx(db, who) as tx:
            for _ in range(_BATCH):
                await tx.defer(KIND, {})
        got["jobs"] += _BATCH


async def keep_piled(db: Database, order: dict[str, Any], got: Counter[str], end: float) -> None:
    """Put on the pile what was taken from it."""
    while time.monotonic() < end:
        await asyncio.sleep(_TOP_UP_S)
        await pile_up(db, order, got)


async def upload(session: ClientSession, order: dict[str, Any], number: int, got: Counter[str], end: float, data: bytes) -> None:
    """Files of contacts, one after the other, each with people of its own; a moment's rest after a refusal."""
    headers = {"Authorization": f"Bearer {order['tokens'][number % len(order['tokens'])]}"}
    for turn in count():
        if time.monotonic() >= end:
            return
        form = FormData()
        # Nobody is in two of the files.
        own = data.replace(b"@", b"@%d-%d." % (number, turn))
        form.add_field("file", own, filename="customers.csv", content_type="text/csv")
        try:
            async with session.post(order["url"] + "/api/v1/imports", data=form, headers=headers) as answer:
                await answer.read()
                got[f"files {answer.status}"] += 1
                refused = answer.status == 429
        except (ClientError, TimeoutError, OSError):
            got["cut"] += 1
            refused = True
        if refused:
            await asyncio.sleep(0.2)


def _event() -> ActivityCreated:
    subject = uuid4()
    activity = {"id": subject, "contact_id": subject, "kind": "note", "body": "One of very many.", "at": "2026-01-01T00:00:00Z"}
    return ActivityCreated(subject, {"activity": activity})


async def listen(session: ClientSession, order: dict[str, Any], number: int, got: Counter[str], end: float) -> None:
    """A socket of the flooding company, which hears all of it."""
    token = order["tokens"][number % len(order["tokens"])]
    async with session.ws_connect(f"{order['url']}/socket.io/?EIO=4&transport=websocket", max_msg_size=0) as socket:
        await socket.send_str("40" + orjson.dumps({"token": token}).decode())
        while time.monotonic() < end:
            try:
                message = await socket.receive(timeout=max(end - time.monotonic(), 0.01))
            except TimeoutError:
                return
            if message.type is not WSMsgType.TEXT:
                got["sockets lost"] += 1
                return
            if message.data == "2":
                await socket.send_str("3")
            got["delivered"] += message.data.startswith('42["event"')


async def flood(order: dict[str, Any]) -> Counter[str]:
    """Do what is ordered for so long; what came of it."""
    got: Counter[str] = Counter()
    data = customers(_FILE_ROWS, seed=1) if order["kind"] == "imports" else b""
    hints = RedisHints(order["redis"])
    db = await Database.open(order["database"], notifier=hints, max_size=2, name="ringside flooder")
    if order["kind"] == "jobs":
        await pile_up(db, order, got)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    end = time.monotonic() + order["seconds"]
    async with ClientSession(connector=TCPConnector(limit=0), timeout=ClientTimeout(total=30)) as session:
        numbers = range(order["at_once"])
        if order["kind"] == "requests":
            await asyncio.gather(*(ask(session, order, number, got, end) for number in numbers))
        elif order["kind"] == "sockets":
            await asyncio.gather(*(connect(session, order, number, got, end) for number in numbers))
        elif order["kind"] == "imports":
            await asyncio.gather(*(upload(session, order, number, got, end, data) for number in range(_UPLOADERS)))
        elif order["kind"] == "jobs":
            await keep_piled(db, order, got, end)
        else:
            # Of events somebody must hear.
            heard = (listen(session, order, number, got, end) for number in range(min(order["at_once"], 50)))
            await asyncio.gather(write(db, order, got, end), *heard)
    await db.close()
    await hints.stop()
    return got


def main() -> None:
    """Flood as told on stdin."""
    pin_self(LOAD)
    os.nice(10)  # whoever measures on the same core goes first
    got = asyncio.run(flood(orjson.loads(sys.stdin.buffer.readline())))
    sys.stdout.write(orjson.dumps(got).decode() + "\n")


if __name__ == "__main__":
    main()
