"""Everything that dials: a hub, a worker and the telephone sandbox, on ports of their own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from hub.config import Settings, TwilioSettings
from hub.listening import free_port
from integrations.sandbox.twilio import Sandbox, SandboxSettings, start_sandbox
from tests.harness import FROM_NUMBER, RunningHub, make_settings, running_hub
from workers.run import run_worker

SPEED = 25.0


@dataclass
class Stack:
    """A running house."""

    server: RunningHub
    sandbox: Sandbox
    settings: Settings

    async def restart_sandbox(self) -> None:
        """The provider forgets every call."""
        port = int(self.sandbox.url.rsplit(":", 1)[1])
        await self.sandbox.close()
        self.sandbox = await start_sandbox(replace(self.sandbox.settings, port=port))

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[None]:
        """One more worker, as long as the block lasts."""
        stop = asyncio.Event()
        running = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(run_worker(self.settings, stop=stop, started=lambda *_: running.set_result(None)))
        try:
            await asyncio.wait({task, running}, return_when=asyncio.FIRST_COMPLETED)
            yield
        finally:
            stop.set()
            await task


@asynccontextmanager
async def running_stack(
    database_url: str,
    redis_url: str,
    *,
    sandbox: dict[str, Any] | None = None,
    account: dict[str, Any] | None = None,
    **settings: Any,
) -> AsyncIterator[Stack]:
    """A hub and a sandbox; workers are the test's to start. `account` is more of the telephone account's settings."""
    port = free_port()
    async with contextlib.AsyncExitStack() as stack:
        # Nobody else gets the sandbox's port, so that it can be started there again (`restart_sandbox`).
        given = {"speed": SPEED, "calls_per_s": 100, "port": free_port()} | (sandbox or {})
        telephone = await start_sandbox(SandboxSettings(account_sid="AC" + "1" * 32, auth_token="sandbox-token", **given))
        twilio = TwilioSettings(telephone.account_sid, telephone.auth_token, telephone.url, FROM_NUMBER, calls_per_second=1000.0)
        twilio = replace(twilio, **(account or {}))
        made = make_settings(database_url, redis_url, port=port, public_url=f"http://127.0.0.1:{port}", twilio=twilio, **settings)
        server = await stack.enter_async_context(running_hub(made, port=port))
        house = Stack(server, telephone, made)
        try:
            yield house
        finally:
            await house.sandbox.close()
