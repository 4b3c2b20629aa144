"""Pushes: what Pub/Sub sends of Gmail's notifications, signed, at least once, until somebody has taken it."""

import asyncio
import base64
import itertools
import random
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from aiohttp import ClientError, ClientSession, ClientTimeout

from integrations.sandbox.gmail.clock import SandboxClock
from integrations.sandbox.gmail.mailbox import Mailbox
from integrations.sandbox.gmail.settings import PushSettings
from integrations.sandbox.gmail.signing import Signer

_LONGEST_PAUSE_S: Final = 10.0
_TIMEOUT_S: Final = 10.0
_KEPT: Final = 2_000


@dataclass(slots=True)
class Push:
    """A push and what became of it: the status of every attempt, 0 where nobody answered."""

    message_id: str
    address: str
    history_id: int
    published_at: str
    statuses: list[int] = field(default_factory=list)


class Pushes:
    """Tells the endpoint what happens in mailboxes that are watched."""

    def __init__(self, settings: PushSettings, clock: SandboxClock, signer: Signer) -> None:
        self.settings = settings
        self.log: deque[Push] = deque(maxlen=_KEPT)
        self._clock = clock
        self._signer = signer
        self._session: ClientSession | None = None
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._last: dict[str, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._numbers = itertools.count(random.randint(10**15, 9 * 10**15))  # noqa: S311

    def changed(self, mailbox: Mailbox, labels: tuple[str, ...]) -> None:
        """Something happened in a mailbox."""
        watch = mailbox.watch
        if watch is not None and watch.expires_ms > self._clock.now_ms() and watch.wants(labels):
            self._soon(mailbox)

    def watched(self, mailbox: Mailbox) -> None:
        """A watch began: Gmail sends a first push then."""
        self._soon(mailbox)

    def envelope(self, push: Push) -> bytes:
        """Return a push's body: https://cloud.google.com/pubsub/docs/push"""
        data = orjson.dumps({"emailAddress": push.address, "historyId": push.history_id})
        project = self.settings.topic.split("/")[1]
        message = {
            "data": base64.b64encode(data).decode(),
            "messageId": push.message_id,
            "message_id": push.message_id,
            "publishTime": push.published_at,
            "publish_time": push.published_at,
        }
        return orjson.dumps({"message": message, "subscription": f"projects/{project}/subscriptions/mail"})

    def token(self, **other: Any) -> str:
        """Return a bearer token as Pub/Sub sends it; `other` are claims that differ from the right ones."""
        return self._signer.identity(
            audience=self.settings.audience or self.settings.url,
            subject="113774264463038321964",
            email=self.settings.account,
            **other,
        )

    def push(self, address: str, history_id: int) -> Push:
        """Send a push of one's own making."""
        push = Push(str(next(self._numbers)), address, history_id, self._clock.now().isoformat().replace("+00:00", "Z"))
        self.log.append(push)
        if self.settings.url:
            task = asyncio.get_running_loop().create_task(self._deliver(push))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return push

    async def close(self) -> None:
        """Drop what is still on its way."""
        for timer in self._timers.values():
            timer.cancel()
        running = list(self._tasks)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def _soon(self, mailbox: Mailbox) -> None:
        if mailbox.address in self._timers:
            return
        loop = asyncio.get_running_loop()
        moment = max(loop.time(), self._last.get(mailbox.address, float("-inf")) + self.settings.gather_s)
        self._timers[mailbox.address] = loop.call_at(moment, self._publish, mailbox)

    def _publish(self, mailbox: Mailbox) -> None:
        del self._timers[mailbox.address]
        self._last[mailbox.address] = asyncio.get_running_loop().time()
        self.push(mailbox.address, mailbox.history_id)

    async def _deliver(self, push: Push) -> None:
        pause_s = self.settings.retry_s
        while not await self._post(push):
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
        if self.settings.twice_every and int(push.message_id) % self.settings.twice_every == 0:
            await self._post(push)

    async def _post(self, push: Push) -> bool:
        if self._session is None:
            self._session = ClientSession(timeout=ClientTimeout(total=_TIMEOUT_S))
        headers = {"Authorization": f"Bearer {self.token()}", "Content-Type": "application/json", "From": "noreply@google.com"}
        try:
            async with self._session.post(self.settings.url, data=self.envelope(push), headers=headers) as response:
                push.statuses.append(response.status)
        except (ClientError, OSError, TimeoutError):
            push.statuses.append(0)
        return 200 <= push.statuses[-1] < 300
