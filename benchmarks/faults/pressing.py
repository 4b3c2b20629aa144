"""What presses from outside: a failing provider, clients that read slowly or say nothing, storms, clocks, full disks."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.faults.house import House, open_house
from benchmarks.faults.play import Scenario, Skipped
from benchmarks.faults.proxy import Link
from benchmarks.faults.world import World
from hub.embedded.places import pick_account

_UPGRADE = b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
_KEY = b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
# What connections that never authenticate have said when they fall silent.
_SILENCES = (b"", b"G", b"GET /api/v1/contacts HTTP/1.1\r\nHost:", _UPGRADE, _UPGRADE + _KEY)
_CROWD = 2000
_DISK_MB = 200
# What goes on beside a crowd goes on all the time; on a busy machine a short run is over before the next of it.
_SOON_S = 2.0


# -- the provider


async def provider_failing(world: World, seconds: float) -> None:
    """It hangs, refuses, limits, does things without saying so, and cannot be reached; calls are placed all the while."""
    house = world.house
    for kind in ("lost", "500", "429", "hang", "lost"):
        await house.provider_fails("calls.create", kind, 2)
        world.call_somebody()
        await asyncio.sleep(min(seconds / 6, 3))
    for link in house.links_to("provider"):
        link.hang("back")
    world.call_somebody()
    await asyncio.sleep(min(seconds / 6, 3))
    for link in house.links_to("provider"):
        link.cut()
        await link.heal()


# -- clients


async def slow_clients(world: World, seconds: float) -> None:
    """Some clients take a byte a second, some nothing at all, some now and then; the others must not notice."""
    house = world.house
    async with contextlib.AsyncExitStack() as stack:
        links: list[Link] = []
        for number in range(6):
            hub = house.hubs[number % len(house.hubs)]
            link = Link(f"slow {number}", ("127.0.0.1", house.hub_ports[hub.name]))
            await link.open()
            stack.push_async_callback(link.close)
            links.append(link)
            # One hub each: their way to it is the slow one.
            world.add_screen(world.tenants[number % 2].people[1], [f"http://127.0.0.1:{link.port}"])
        await world.until(lambda: all(screen.is_live for screen in world.screens), "everybody is there")
        for number, link in enumerate(links):
            if number % 3 == 0:
                link.bytes_per_s = {"back": 1.0}
            elif number % 3 == 1:
                link.hang("back")
            else:
                link.delay_s = 0.3
        quick = world.screens[: -len(links)]
        before = sum(screen.deliveries for screen in quick)
        await asyncio.sleep(seconds)
        await world.until(
            lambda: sum(screen.deliveries for screen in quick) > before,
            "somebody is given something while some read slowly",
            _SOON_S,
        )
        for screen in world.screens[-len(links) :]:
            screen.urls = house.urls
        for link in links:
            await link.heal()
            link.cut()


async def silent_connections(world: World, seconds: float) -> None:
    """Thousands of connections fall silent before they say who they are; everybody else goes on working."""
    house = world.house
    crowd = _CROWD if seconds > 5 else 200
    held: list[asyncio.StreamWriter] = []

    async def connect(number: int) -> None:
        port = list(house.hub_ports.values())[number % len(house.hub_ports)]
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(10):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                held.append(writer)
                writer.write(_SILENCES[number % len(_SILENCES)])
                await writer.drain()

    try:
        for start in range(0, crowd, 100):
            await asyncio.gather(*(connect(number) for number in range(start, start + 100)))
        counts = [len(rep.writes) for rep in world.reps]
        await asyncio.sleep(seconds)
        await world.until(
            lambda: all(len(rep.writes) > before for rep, before in zip(world.reps, counts, strict=True)),
            f"every rep can write while {len(held)} connections are held",
            _SOON_S,
        )
    finally:
        for writer in held:
            writer.transport.abort()


async def reconnect_storm(world: World, seconds: float) -> None:
    """Everybody loses the connection at the same moment, and comes back at the same moment, again and again."""
    crowd = 300 if seconds > 5 else 30
    for number in range(crowd):
        tenant = world.tenants[number % 2]
        world.add_screen(tenant.people[number % len(tenant.people)])
    await world.until(lambda: all(screen.is_live for screen in world.screens), "everybody is there", 60)
    for _ in range(max(2, int(seconds / 4))):
        for screen in world.screens:
            screen.drop()
        await asyncio.sleep(0.05)
        await world.until(lambda: all(screen.is_live for screen in world.screens), "everybody is back", 60)
        await asyncio.sleep(min(seconds / 4, 1))


# -- the clock


async def clock_jumps(world: World, seconds: float) -> None:
    """The clocks of a hub and a worker are set an hour forward, then an hour back. Postgres' own clock stays."""
    clock = world.house.clock
    if clock is None:
        raise Skipped("no libfaketime here (Debian: libfaketime)")
    world.call_somebody()
    for shift in ("+3600s", "-3600s", "+0s"):
        # At once: a process that reads a file that is still empty finds no time in it, and ends.
        new = clock.with_suffix(".new")
        new.write_text(f"{shift}\n")
        new.replace(clock)
        await asyncio.sleep(max(seconds / 3, 0.7))


# -- the disk


@asynccontextmanager
async def small_disk() -> AsyncIterator[Path]:
    """A folder on a disk of its own with little room. Raises Skipped where none can be had."""
    if os.geteuid() != 0:
        raise Skipped("only root can mount a small disk")
    folder = Path(tempfile.mkdtemp(prefix="ringside-disk-"))
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_DISK_MB}m,mode=0755", "tmpfs", str(folder)]
    try:
        done = await asyncio.to_thread(subprocess.run, mount, capture_output=True, check=False)
        if done.returncode:
            raise Skipped("a small disk cannot be mounted here")
        try:
            yield folder
        finally:
            await asyncio.to_thread(subprocess.run, ["umount", "-l", str(folder)], check=False)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def house_on_small_disk(logs: Path | None = None, patience: float = 1.0) -> AsyncIterator[House]:
    """A house of its own, whose Postgres can run out of disk."""
    async with small_disk() as folder, open_house(workers=1, folder=folder, logs=logs, patience=patience) as house:
        yield house


async def disk_full(world: World, seconds: float) -> None:
    """The disk under Postgres fills up to the last byte; later there is room again."""
    ballast = world.house.postgres.data_dir / "ballast"
    account = pick_account() if os.geteuid() == 0 else None
    try:
        with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            if account is not None:
                os.fchown(file.fileno(), account.uid, account.gid)
            for size in (1_000_000, 4096, 1):
                with contextlib.suppress(OSError):
                    while file.write(b"\0" * size):
                        pass
        await asyncio.sleep(seconds)
    finally:
        ballast.unlink(missing_ok=True)


PRESSING = (
    Scenario(
        "provider-failing",
        "the provider hangs, refuses, limits and forgets to answer",
        provider_failing,
        within_s=40,
        # A call in doubt keeps its rep for up to 75 s, and that rep's next one waits for it.
        settles_s=240,
        calls_each=8,
    ),
    Scenario("slow-clients", "clients read slowly, or never", slow_clients),
    Scenario("silent-connections", "connections that never say who they are", silent_connections),
    Scenario("reconnect-storm", "everybody comes back at once", reconnect_storm, within_s=40),
    Scenario("clock-jumps", "clocks of a hub and a worker jump", clock_jumps),
)
DISK_FULL = Scenario("disk-full", "Postgres has no room left on its disk", disk_full, within_s=40)
