"""A mobile client's view: the live socket, spoken by hand so that measuring costs next to nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
from aiohttp import ClientSession, WSMsgType

OnEvent = Callable[[dict[str, Any], float], None]


@asynccontextmanager
async def listening(session: ClientSession, url: str, token: str, on_event: OnEvent) -> AsyncIterator[None]:
    """Hear every event as it arrives, with the wall-clock time of its arrival, as long as the block lasts."""
    async with session.ws_connect(f"{url}/socket.io/?EIO=4&transport=websocket", max_msg_size=0) as socket:
        await socket.receive_str()  # Engine.IO's handshake
        await socket.send_str("40" + orjson.dumps({"token": token}).decode())
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def hear() -> None:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    continue
                text: str = message.data
                at = time.time()
                if text == "2":
                    await socket.send_str("3")
                elif text.startswith('42["event"'):
                    on_event(orjson.loads(text[2:])[1], at)
                elif text.startswith('42["ready"') and not ready.done():
                    ready.set_result(None)

        task = asyncio.create_task(hear())
        try:
            await asyncio.wait_for(ready, 10)
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
