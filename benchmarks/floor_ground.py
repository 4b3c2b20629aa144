"""What the floor is measured on: the hub (or its peer on Node) on one core, the load on the other, Postgres on both."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import orjson
from redis.asyncio import Redis

from benchmarks.children import end, on_leash
from benchmarks.cores import LOAD, SERVER, pin, pin_self, pinned, release
from benchmarks.floor_crowd import Group
from benchmarks.ground import ROOT, Ground, Member, open_ground
from hub.listening import free_port

PEER = Path(__file__).resolve().parent / "peers/node"
_ANSWER_S = 120.0
_GONE_S = 60.0


class NoPeer(Exception):
    """Node, or what the peer needs, is not there."""


@dataclass(frozen=True, slots=True)
class Server:
    """What is measured, and the process that writes for it."""

    name: str
    port: int
    pid: int
    writer: asyncio.subprocess.Process
    postgres_pid: int
    is_peer: bool = False

    async def write(self, **order: Any) -> dict[str, Any]:
        """Have the writer do something; what it answered. Raises RuntimeError when it ends."""
        assert self.writer.stdin is not None
        assert self.writer.stdout is not None
        self.writer.stdin.write(orjson.dumps(order) + b"\n")
        async with asyncio.timeout(_ANSWER_S):
            said = await self.writer.stdout.readline()
        if not said:
            raise RuntimeError("the writer has ended")
        answer: dict[str, Any] = orjson.loads(said)
        return answer


@asynccontextmanager
async def floor_ground() -> AsyncIterator[Ground]:
    """A whole Ringside without workers, its hub on one core. This process is on the other from now on, Postgres on both."""
    pin_self(LOAD)
    # One company with two thousand sockets, and all of them from one address, is what the limits are there to stop.
    async with open_ground(workers=0, extra_env={"RINGSIDE_LIMITS": "off"}) as ground:
        pin(ground.hub_pid, SERVER)
        # It is neither the server nor the load. Kept beside the writer and the clients it would be what is measured: at a hundred
        # companies the two take as much of a core as it does.
        release(ground.postgres_pid)
        await _give_slow_readers_time(ground.settings.redis_url)
        yield ground


async def _give_slow_readers_time(redis_url: str) -> None:
    """A subscriber that is 32 MB behind is cut off by default, and what it missed is nowhere: Node is so far behind in a burst.

    What is measured is how fast it is, not what it loses.
    """
    redis = Redis.from_url(redis_url)
    try:
        await redis.config_set("client-output-buffer-limit", "pubsub 0 0 0")
    finally:
        await redis.aclose()


@asynccontextmanager
async def hub_server(ground: Ground) -> AsyncIterator[Server]:
    """The hub of the ground."""
    async with _writer(ground, peer=False) as writer:
        yield Server("Ringside", urlsplit(ground.url).port or 80, ground.hub_pid, writer, ground.postgres_pid)


@asynccontextmanager
async def node_server(ground: Ground) -> AsyncIterator[Server]:
    """Socket.IO on Node with its Redis adapter, on the same Valkey and the same core. Raises NoPeer."""
    with tempfile.TemporaryDirectory(prefix="ringside-peer-") as folder:
        node = await asyncio.to_thread(_install, Path(folder))
        port = free_port()
        env = {**os.environ, "REDIS_URL": ground.settings.redis_url, "PORT": str(port), "NODE_ENV": "production"}
        command = pinned([node, "server.js"], SERVER)
        async with _child(command, env, Path(folder)) as process:
            assert process.stdout is not None
            async with asyncio.timeout(30):
                said = await process.stdout.readline()
            if not said:
                raise NoPeer("the server on Node did not start")
            name = f"Socket.IO {_version(Path(folder))} on Node {orjson.loads(said)['node']}"
            async with _writer(ground, peer=True) as writer:
                yield Server(name, port, process.pid, writer, ground.postgres_pid, True)


def _install(folder: Path) -> str:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise NoPeer("there is no node and npm on the PATH")
    for name in ("package.json", "package-lock.json", "server.js"):
        shutil.copy(PEER / name, folder)
    quiet = ["--no-audit", "--no-fund", "--prefer-offline", "--ignore-scripts"]
    done = subprocess.run([npm, "ci", *quiet], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoPeer(f"npm ci failed: {done.stderr.strip()[-300:]}")
    return node


def _version(folder: Path) -> str:
    package: dict[str, str] = orjson.loads((folder / "node_modules/socket.io/package.json").read_bytes())
    return package["version"]


@asynccontextmanager
async def _writer(ground: Ground, *, peer: bool) -> AsyncIterator[asyncio.subprocess.Process]:
    env = {
        **os.environ,
        "DATABASE_URL": ground.settings.database_url,
        "REDIS_URL": ground.settings.redis_url,
        "PYTHONPATH": str(ROOT),
        "PEER": "1" if peer else "",
    }
    async with _child([sys.executable, "-m", "benchmarks.floor_writer"], env, ROOT) as process:
        yield process


@asynccontextmanager
async def _child(command: list[str], env: dict[str, str], folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *on_leash(command), cwd=folder, env=env, stdin=pipe, stdout=pipe, limit=64 * 1024 * 1024, start_new_session=True
    )
    try:
        yield process
    finally:
        await end(process)


@dataclass(frozen=True, slots=True)
class Company:
    """A measured company, and the people whom its sockets belong to."""

    tenant_id: UUID
    members: list[Member]

    def group(self, server: Server) -> Group:
        """Its sockets at one server."""
        if server.is_peer:
            return Group(str(self.tenant_id), [{"room": str(self.tenant_id)}])
        return Group(str(self.tenant_id), [{"token": member.token} for member in self.members])


async def companies(ground: Ground, count: int, *, people: int = 1) -> list[Company]:
    """So many companies of so many people, made in one transaction; nobody has to sign in."""
    admin = await asyncpg.connect(ground.admin_url)
    try:
        rows = await admin.fetch(
            """
            WITH made AS MATERIALIZED (SELECT create_company('Floor ' || n) AS tenant_id FROM generate_series(1, $1::int) AS n)
            SELECT m.tenant_id,
                   create_member(m.tenant_id, 'rep' || p || '@' || m.tenant_id || '.test', 'Rep ' || p, '!', 'rep') AS user_id
            FROM made m CROSS JOIN generate_series(1, $2::int) AS p
            """,
            count,
            people,
        )
    finally:
        await admin.close()
    made: dict[UUID, Company] = {}
    for tenant_id, user_id in rows:
        made.setdefault(tenant_id, Company(tenant_id, [])).members.append(ground.member(tenant_id, user_id, "rep"))
    return list(made.values())


async def all_gone(ground: Ground) -> None:
    """Wait until the hub has written of everybody that they left: those are events, too. Raises TimeoutError."""
    admin = await asyncpg.connect(ground.admin_url)
    try:
        async with asyncio.timeout(_GONE_S):
            while await admin.fetchval("SELECT EXISTS (SELECT FROM presence_sockets)"):  # noqa: ASYNC110 - it happens elsewhere
                await asyncio.sleep(0.2)
    finally:
        await admin.close()


async def tidied(ground: Ground) -> None:
    """Have Postgres do now what the bursts have left it to do, which it would do in the midst of what is timed."""
    admin = await asyncpg.connect(ground.admin_url)
    try:
        await admin.execute("VACUUM (ANALYZE) events")
        await admin.execute("VACUUM tenant_counters")
        await admin.execute("CHECKPOINT")
    finally:
        await admin.close()
