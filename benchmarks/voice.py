"""How fast the telephone is: `./ringside bench voice`.

Two parts, on one machine with everything on it: postgres, valkey, the hub, one worker, the telephone sandbox, the clients.
1. So many reps dial at a working pace, for some seconds before it counts. Click (the request goes out) to ringing on the rep's
   own screen; each change of state to the manager's screen (from the event's own time in the log).
2. As many calls as fit into some seconds at 50 a second, through one worker; then every one is looked for at the provider.
The peer, in the same run: the bare Twilio SDK placing calls on the same sandbox at the same pace, without a product around it.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from aiohttp import ClientSession, ClientTimeout, TCPConnector
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client as TwilioClient

from benchmarks.figures import Figure, percentile
from benchmarks.ground import FROM_NUMBER, Ground, Member, open_ground
from benchmarks.listener import listening
from hub.contacts.actions import create_contact
from hub.contacts.models import ContactIn
from hub.db import tenant_tx
from hub.who import Who

RINGING_GOAL_MS = 150.0
SCREEN_GOAL_MS = 200.0
CALLS_A_SECOND = 50
# Connections are opened and statements prepared before it counts.
WARM_UP_S = 4.0
OVER = frozenset({"completed", "busy", "no_answer", "failed", "canceled"})


@dataclass(slots=True)
class Screen:
    """What has been seen of each call on one person's screen, and how late it was."""

    states: dict[str, list[tuple[str, float]]] = field(default_factory=dict)
    delays_ms: list[float] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def see(self, event: dict[str, Any], at: float) -> None:
        """Take in an event that arrived at `at` (seconds of the wall clock)."""
        if event["type"] != "call.state_changed":
            return
        call = event["data"]["call"]
        self.states.setdefault(call["id"], []).append((call["state"], at))
        self.delays_ms.append((at - datetime.fromisoformat(event["at"]).timestamp()) * 1000)
        self.changed.set()

    async def until(self, call_id: str, wanted: frozenset[str], within_s: float) -> float | None:
        """When the call was first seen in one of these states; None when the time ran out."""
        end = time.monotonic() + within_s
        while True:
            found = next((at for state, at in self.states.get(call_id, ()) if state in wanted), None)
            if found is not None or time.monotonic() > end:
                return found
            self.changed.clear()
            try:
                await asyncio.wait_for(self.changed.wait(), max(0.01, end - time.monotonic()))
            except TimeoutError:
                return None


async def add_contacts(ground: Ground, tenant_id: UUID, owner: Member, count: int, digits: str = "01234") -> list[str]:
    """Contacts whose numbers end as asked for (the sandbox decides by the last digit); their ids."""
    made: list[str] = []
    who = Who(tenant_id, owner.user_id, owner.role)
    while len(made) < count:
        async with tenant_tx(ground.db, who) as tx:
            for number in range(len(made), min(count, len(made) + 200)):
                phone = f"+1202{6660000 + (number // len(digits)) * 10 + int(digits[number % len(digits)]):07d}"
                given = {"first_name": "Contact", "last_name": f"{number}", "phones": [{"e164": phone}]}
                contact_id, _, _ = await create_contact(tx, ContactIn.model_validate(given))
                made.append(str(contact_id))
    return made


async def ask(session: ClientSession, rep: Member, method: str, path: str, body: Any = None) -> Any:
    """One request of a rep; its JSON. Raises RuntimeError with the answer when it is refused."""
    async with session.request(method, f"/api/v1{path}", json=body, headers={"Authorization": f"Bearer {rep.token}"}) as answer:
        said = await answer.json() if answer.content_type == "application/json" else None
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {said}")
        return said


async def dial_on(
    session: ClientSession,
    rep: Member,
    screen: Screen,
    contacts: Sequence[str],
    pause_s: float,
    until: float,
    ringing: Figure,
    counted_from: float,
) -> None:
    """One rep's shift: call, wait for the ringing, hang up, wrap up, next."""
    values: list[float] = ringing.values_ms  # type: ignore[assignment]
    await asyncio.sleep(random.uniform(0, pause_s))  # noqa: S311 - nobody starts with the clock
    for contact in contacts:
        if time.monotonic() > until:
            return
        clicked = time.time()
        call = await ask(session, rep, "POST", "/calls", {"contact_id": contact})
        rang = await screen.until(call["id"], OVER | {"ringing", "in_progress"}, 20)
        if rang is None:
            raise RuntimeError(f"call {call['id']} never rang")
        if time.monotonic() > counted_from:
            values.append((rang - clicked) * 1000)
        await ask(session, rep, "POST", f"/calls/{call['id']}/hangup", {})
        await screen.until(call["id"], OVER, 20)
        await ask(session, rep, "PUT", f"/calls/{call['id']}/disposition", {"disposition": "connected"})
        await asyncio.sleep(pause_s * random.uniform(0.7, 1.3))  # noqa: S311


async def working_pace(ground: Ground, reps: int, seconds: float, calls_a_second: float) -> list[Figure]:
    """Part one."""
    tenant_id, manager, people = await ground.company("Measured", reps=reps)
    pause_s = reps / calls_a_second
    each = int((seconds + WARM_UP_S) / pause_s * 1.5) + 3
    contacts = await add_contacts(ground, tenant_id, manager, reps * each)
    ringing = Figure(f"click to ringing on the rep's screen, {reps} reps, {calls_a_second:g} calls/s", [], RINGING_GOAL_MS)
    watch = Screen()
    async with (
        asyncio.TaskGroup() as group,
        ClientSession(ground.url, connector=TCPConnector(limit=0), timeout=ClientTimeout(total=30)) as session,
        listening(session, ground.url, manager.token, watch.see),
    ):
        until = time.monotonic() + seconds + WARM_UP_S

        async def shift(number: int, rep: Member) -> None:
            screen = Screen()
            async with listening(session, ground.url, rep.token, screen.see):
                mine = contacts[number * each : (number + 1) * each]
                await dial_on(session, rep, screen, mine, pause_s, until, ringing, until - seconds)

        shifts = [group.create_task(shift(number, rep)) for number, rep in enumerate(people)]
        await asyncio.wait(shifts)
    screen_figure = Figure("change of state to the manager's screen", watch.delays_ms, SCREEN_GOAL_MS)
    return [ringing, screen_figure]


async def bare_sdk(ground: Ground, seconds: float, calls_a_second: float) -> Figure:
    """The peer: the SDK alone, at the same pace."""
    account = ground.settings.twilio
    assert account is not None
    http = _Redirected(ground.sandbox_url)
    client = TwilioClient(account.account_sid, account.auth_token, http_client=http)
    took: list[float] = []

    async def once(number: int) -> None:
        began = time.perf_counter()
        await client.calls.create_async(to=f"+1202666{number % 1000 * 10:04d}", from_=FROM_NUMBER, twiml="<Response/>")
        took.append((time.perf_counter() - began) * 1000)

    tasks = []
    for number in range(int(seconds * calls_a_second)):
        tasks.append(asyncio.create_task(once(number)))
        await asyncio.sleep(1 / calls_a_second)
    await asyncio.gather(*tasks)
    await http.session.close()
    return Figure(f"the bare SDK: asking the provider for a call, {calls_a_second:g} calls/s", took)


class _Redirected(AsyncTwilioHttpClient):  # type: ignore[misc]  # the SDK has no types
    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    async def request(self, method: str, url: str, **options: Any) -> Any:
        return await super().request(method, url.replace("https://api.twilio.com", self._url), **options)


async def burst(ground: Ground, seconds: float) -> tuple[str, bool]:
    """Part two: what came of calls placed at 50 a second, in a sentence, and whether nothing was lost."""
    reps = CALLS_A_SECOND * 4
    tenant_id, manager, people = await ground.company("Hurried", reps=reps)
    total = int(CALLS_A_SECOND * seconds)
    contacts = await add_contacts(ground, tenant_id, manager, total)
    watch = Screen()
    free: asyncio.Queue[Member] = asyncio.Queue()
    for rep in people:
        free.put_nowait(rep)
    placed: list[str] = []
    refused: Counter[str] = Counter()
    async with (
        ClientSession(ground.url, connector=TCPConnector(limit=0), timeout=ClientTimeout(total=30)) as session,
        listening(session, ground.url, manager.token, watch.see),
    ):

        async def one(number: int) -> None:
            rep = await free.get()
            try:
                call = await ask(session, rep, "POST", "/calls", {"contact_id": contacts[number]})
                placed.append(call["id"])
                await watch.until(call["id"], OVER | {"in_progress"}, 30)
                await ask(session, rep, "POST", f"/calls/{call['id']}/hangup", {})
                await watch.until(call["id"], OVER, 30)
            except RuntimeError as error:
                refused[str(error)[:160]] += 1
            free.put_nowait(rep)

        began = time.monotonic()
        tasks = []
        for number in range(total):
            tasks.append(asyncio.create_task(one(number)))
            await asyncio.sleep(max(0.0, began + (number + 1) / CALLS_A_SECOND - time.monotonic()))
        asked_s = time.monotonic() - began
        await asyncio.gather(*tasks)
        for call_id in placed:
            await watch.until(call_id, OVER, 30)
        ended_s = time.monotonic() - began
    over = sum(1 for call_id in placed if any(state in OVER for state, _ in watch.states.get(call_id, ())))
    async with ground.db.acquire() as conn, conn.transaction():
        await conn.execute("SELECT set_config('ringside.tenant_id', $1, true)", str(tenant_id))
        rows = await conn.fetch("SELECT provider_sid, error FROM calls WHERE tenant_id = $1", tenant_id)
    sids = Counter(row["provider_sid"] for row in rows)
    twice = sum(1 for sid, count in sids.items() if sid is None or count > 1)
    fine = len(placed) == total and over == total and twice == 0 and not refused
    sentence = (
        f"{total} calls asked for in {asked_s:.1f} s ({total / asked_s:.0f}/s) through one worker: {len(placed)} taken, "
        f"{over} settled after {ended_s:.1f} s, {twice} without a provider's call of their own, {sum(refused.values())} refused"
    )
    return sentence + (f" {dict(refused)}" if refused else ""), fine


async def measure(given: argparse.Namespace) -> int:
    """Run it all and print the table; the exit code says whether nothing was lost, not whether it was fast."""
    async with open_ground() as ground:
        peer = await bare_sdk(ground, min(5.0, given.seconds), given.rate)
        figures = await working_pace(ground, given.reps, given.seconds, given.rate)
        sentence, fine = await burst(ground, min(10.0, given.seconds))
    for figure in [*figures, peer]:
        print(figure.line())
    ratio = percentile(figures[0].values_ms, 0.5) / percentile(peer.values_ms, 0.5)
    print(f"click to ringing takes {ratio:.1f} times as long as the bare request to the provider (p50)")
    print(sentence)
    return 0 if fine else 1


def options(parser: argparse.ArgumentParser) -> None:
    """--reps, --seconds, --rate"""
    parser.add_argument("--reps", type=int, default=100, help="how many reps dial (default 100)")
    parser.add_argument("--seconds", type=float, default=20.0, help="for how long (default 20)")
    parser.add_argument("--rate", type=float, default=10.0, help="calls a second, all reps together (default 10)")
