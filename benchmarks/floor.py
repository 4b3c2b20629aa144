"""How fast the live floor is: `./ringside bench floor`.

The whole path: rows committed in Postgres by a process of its own, until every socket has them, and every delivery checked
(benchmarks/floor_crowd.py). The hub has one core; the writer, Valkey and the clients have the other. Postgres has both.
1. A burst: events committed as fast as they go, many a transaction, as an import or a sequence run does; deliveries a second.
2. The time from the commit to the socket at a calm 20 events/s.
The peer, in the same run with --peer: Node's Socket.IO with its Redis adapter, told by the same writer after the same commits.
With --scale: idle sockets and their memory, a storm of reconnecting clients, and what a thousand tenants cost the database.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from benchmarks.cores import Share
from benchmarks.figures import percentile
from benchmarks.floor_crowd import Crowd
from benchmarks.floor_ground import Company, Server, all_gone, companies, floor_ground, hub_server, node_server, tidied
from benchmarks.floor_scale import scale
from benchmarks.ground import Ground
from benchmarks.results import Result, machine, report
from hub.listening import allow_files

FASTER_GOAL = 5.0
# What two measurements of the same thing differ by on a shared machine.
NO_WORSE = 1.05
_A_SECOND = 20.0
_PATIENCE_S = 90.0


@dataclass(frozen=True, slots=True)
class Size:
    """So many companies with so many sockets each."""

    tenants: int
    sockets: int

    @classmethod
    def parse(cls, text: str) -> Size:
        """`500` or `100x20`. Raises ValueError."""
        tenants, times, sockets = text.rpartition("x")
        return cls(int(tenants) if times else 1, int(sockets))

    def __str__(self) -> str:
        return f"{self.sockets:,} sockets" if self.tenants == 1 else f"{self.tenants} tenants x {self.sockets} sockets"


class Shares(NamedTuple):
    """How much of a core each took during a burst: what is measured, and what shares the other core."""

    server: float
    clients: float
    writer: float
    postgres: float

    def __str__(self) -> str:
        beside = f"clients {self.clients:.2f}, writer {self.writer:.2f}, Postgres {self.postgres:.2f}"
        return f"server {self.server:.2f}; on the other {beside} (on both)"

    def each(self, rate: float) -> str:
        """What a delivery cost each of them at so many a second."""
        return ", ".join(f"{name} {share / rate * 1e6:.2f}" for name, share in self._asdict().items()) + " us"


@dataclass(frozen=True, slots=True)
class Run:
    """What one server did at one size."""

    rate: float
    us_each: float
    p50_ms: float
    p95_ms: float
    shares: Shares
    bytes_each: float


class Burst(NamedTuple):
    """Deliveries a second, the server's CPU for one in us, who took how much of a core, and how many bytes an event is."""

    rate: float
    us_each: float
    shares: Shares
    bytes_each: float


def options(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark."""
    sizes = [Size(1, 500), Size(1, 2000), Size(100, 20)]
    parser.add_argument("--peer", action="store_true", help="measure Node's Socket.IO with its Redis adapter, too")
    parser.add_argument("--scale", action="store_true", help="idle sockets, a storm of reconnects, many tenants; nothing else")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    parser.add_argument("--sizes", type=Size.parse, nargs="+", default=sizes, metavar="[TENANTSx]SOCKETS")
    parser.add_argument("--deliveries", type=int, default=2_000_000, help="in a burst (default 2,000,000)")
    parser.add_argument("--batch", type=int, default=100, help="events a transaction in a burst (default 100)")
    parser.add_argument("--rounds", type=int, default=3, help="bursts, of which the median counts (default 3)")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long the calm part lasts (default 10)")
    parser.add_argument("--idle", type=int, default=10_000, help="idle sockets (default 10,000)")
    parser.add_argument("--storm", type=int, default=2_000, help="sockets that reconnect at once (default 2,000)")
    parser.add_argument("--tenants", type=int, default=1_000, help="tenants with a socket (default 1,000)")


async def measure(given: argparse.Namespace) -> int:
    """Run it; 1 when a goal was missed."""
    about = machine()
    allow_files(given.idle + 2_000)
    if given.scale:
        async with floor_ground() as ground:
            results = await scale(ground, idle=given.idle, storm=given.storm, tenants=given.tenants)
        return report("The live floor: scale", results, json_path=given.json, about=about)
    results, facts = [], {"events a transaction in a burst": str(given.batch)}
    for size in given.sizes:
        async with floor_ground() as ground:
            people = await companies(ground, size.tenants)
            async with hub_server(ground) as server:
                ours = await _run(ground, server, people, size, given)
            # What was written of Ringside's crowd would stand between the events that Node's is told of.
            await all_gone(ground)
            theirs = None
            if given.peer:
                async with node_server(ground) as server:
                    theirs = await _run(ground, server, people, size, given)
                    facts["peer"] = server.name
                    facts[f"{size}: of a core, Node"] = str(theirs.shares)
                    facts[f"{size}: CPU for a delivery, Node"] = theirs.shares.each(theirs.rate)
        facts[f"{size}: of a core, Ringside"] = str(ours.shares)
        facts[f"{size}: CPU for a delivery, Ringside"] = ours.shares.each(ours.rate)
        facts["bytes an event"] = f"{ours.bytes_each:.0f}"
        results += _results(str(size), ours, theirs)
    return report("The live floor: from the commit to every socket", results, json_path=given.json, facts=facts, about=about)


def _results(size: str, ours: Run, theirs: Run | None) -> list[Result]:
    results = [
        Result(f"{size}: burst", ours.rate, "deliveries/s"),
        Result(f"{size}: hub's CPU for a delivery", ours.us_each, "us"),
        Result(f"{size}: clients' share of their core", ours.shares.clients, "of 1"),
        Result(f"{size}: commit to socket p50", ours.p50_ms, "ms"),
        Result(f"{size}: commit to socket p95", ours.p95_ms, "ms"),
    ]
    if theirs is not None:
        results += [
            Result(f"{size}: Node's burst", theirs.rate, "deliveries/s"),
            Result(f"{size}: Node's CPU for a delivery", theirs.us_each, "us"),
            Result(f"{size}: clients' share of their core with Node", theirs.shares.clients, "of 1"),
            Result(f"{size}: Node's p50", theirs.p50_ms, "ms"),
            Result(f"{size}: Node's p95", theirs.p95_ms, "ms"),
            Result(f"{size}: burst, times Node's", ours.rate / theirs.rate, "x", FASTER_GOAL),
            Result(f"{size}: p95, times Node's", ours.p95_ms / theirs.p95_ms, "x", NO_WORSE, at_most=True),
        ]
    return results


async def _run(ground: Ground, server: Server, people: list[Company], size: Size, given: argparse.Namespace) -> Run:
    crowd = Crowd(server.port)
    try:
        for company in people:
            await crowd.join(company.group(server), size.sockets)
        await crowd.quiet()
        # The first burst warms both sides up and does not count.
        rounds = [await burst(server, crowd, given.deliveries, given.batch) for _ in range(given.rounds + 1)][1:]
        await tidied(ground)
        p50, p95 = await calm(server, crowd, given.seconds)
    finally:
        crowd.close()
    middle = sorted(rounds, key=lambda one: one.rate)[len(rounds) // 2]
    return Run(middle.rate, middle.us_each, p50, p95, middle.shares, middle.bytes_each)


async def burst(server: Server, crowd: Crowd, deliveries: int, batch: int) -> Burst:
    """So many deliveries, as fast as they go. Raises Trouble."""
    tenants = [group.name for group in crowd.groups]
    events = max(1, deliveries // len(crowd.ears))
    crowd.mark()
    serving, *others = Share(server.pid), Share(os.getpid()), Share(server.writer.pid), Share(server.postgres_pid, family=True)
    answer = await server.write(do="burst", tenants=tenants, events=events, batch=batch)
    wanted = seqs(answer)
    ended = await crowd.until_heard(wanted, _PATIENCE_S)
    cpu_s, took_s = serving.used_s, ended - answer["began"]
    shares = Shares(cpu_s / took_s, *(one.used_s / took_s for one in others))
    crowd.check(wanted)
    delivered = crowd.delivered()
    return Burst(delivered / took_s, cpu_s / delivered * 1e6, shares, crowd.heard_bytes / delivered)


async def calm(server: Server, crowd: Crowd, seconds: float) -> tuple[float, float]:
    """p50 and p95 in ms from the commit to the socket, over all deliveries. Raises Trouble."""
    tenants = [group.name for group in crowd.groups]
    await crowd.quiet()
    crowd.mark()
    crowd.timing = True
    answer = await server.write(do="steady", tenants=tenants, a_second=_A_SECOND, seconds=seconds)
    wanted = seqs(answer)
    await crowd.until_heard(wanted, _PATIENCE_S)
    crowd.timing = False
    crowd.check(wanted)
    waits = [
        (at - committed) * 1000
        for group in crowd.groups
        for seq, committed in answer["at"].get(group.name, ())
        for at in group.arrivals.get(seq, ())
    ]
    return percentile(waits, 0.5), percentile(waits, 0.95)


def seqs(answer: dict[str, dict[str, list[tuple[int, float]]]]) -> dict[str, range]:
    """What was committed, by tenant."""
    return {name: range(at[0][0], at[-1][0] + 1) for name, at in ((name, sorted(at)) for name, at in answer["at"].items())}
