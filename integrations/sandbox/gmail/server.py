"""Starting and stopping a Gmail sandbox, and what a test can do with it in the same process."""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Final, Self

from aiohttp import web
from multidict import MultiDict
from yarl import URL

from integrations.sandbox.faults import ConnectionDrops, ConnectionHangs
from integrations.sandbox.gmail.api import Answer, Api, Request, refused
from integrations.sandbox.gmail.api_account import AccountApi
from integrations.sandbox.gmail.api_drafts import DraftsApi
from integrations.sandbox.gmail.api_labels import LabelsApi
from integrations.sandbox.gmail.api_messages import MessagesApi
from integrations.sandbox.gmail.api_threads import ThreadsApi
from integrations.sandbox.gmail.batch import answer_batch
from integrations.sandbox.gmail.control import Control
from integrations.sandbox.gmail.faults import Fault, Faults, Kind, strike
from integrations.sandbox.gmail.grants import MAIL_SCOPES, Grants
from integrations.sandbox.gmail.mailbox import Mailbox, Stored
from integrations.sandbox.gmail.oauth import OAuth
from integrations.sandbox.gmail.people import People
from integrations.sandbox.gmail.post import PostOffice, Sent
from integrations.sandbox.gmail.pushes import Pushes
from integrations.sandbox.gmail.refusals import OAuthRefusal, Refusal
from integrations.sandbox.gmail.seeding import seed
from integrations.sandbox.gmail.settings import GmailSettings, PushSettings
from integrations.sandbox.gmail.signing import Signer
from integrations.sandbox.gmail.state import State
from integrations.sandbox.gmail.stock import Stock
from integrations.sandbox.gmail.uploads import Uploads
from integrations.sandbox.gmail.world import World

_LARGEST: Final = 200 * 1024 * 1024
_SAVE_EVERY_S: Final = 3.0

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class GmailSandbox:
    """A Gmail for one machine; `url` is where it listens: `async with GmailSandbox() as sandbox`. Build it in the loop."""

    def __init__(self, settings: GmailSettings | None = None) -> None:
        self.settings = settings = settings or GmailSettings()
        self.url = ""
        self.faults = Faults()
        self.signer = Signer()
        self.grants = Grants(settings.access_token_s)
        self.pushes = Pushes(settings.push, settings.clock, self.signer)
        self._stock = Stock(settings.clock, self.pushes.changed)
        self.people = People(settings.people, settings.clock, self._stock)
        self._post = PostOffice(settings.clock, self._stock.find, self.people.receive, keeps_message_id=settings.keep_message_id)
        self._world = World(settings, self._stock, self.grants, self._post, self.people, self.pushes, self.faults)
        for address in settings.mailboxes:
            self._stock.open(address)
        parts = (
            MessagesApi(self._post),
            ThreadsApi(),
            DraftsApi(self._post),
            LabelsApi(),
            AccountApi(settings.push.topic, self.pushes.watched),
        )
        self._api = Api(parts, self.grants, self._stock, self.faults, settings.quota_per_minute)
        self._uploads = Uploads(self._api)
        self._closing = asyncio.Event()
        self._state = State(settings.state, self._stock, self.grants, self._post) if settings.state else None
        self._saving: asyncio.Task[None] | None = None
        app = web.Application(middlewares=[self._errors], client_max_size=_LARGEST)
        app.add_routes(OAuth(settings, self.grants, self.signer, self._stock, self.faults).routes())
        app.add_routes(Control(self._world).routes())
        app.router.add_post("/batch", self._batch)
        app.router.add_post("/batch/gmail/v1", self._batch)
        for prefix in ("/upload", "/resumable/upload"):
            app.router.add_route("*", f"{prefix}/{{path:.*}}", self._upload)
        app.router.add_route("*", "/gmail/v1/{path:.*}", self._single)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)

    @property
    def mailboxes(self) -> dict[str, Mailbox]:
        """The mailboxes by address."""
        return self._stock.mailboxes

    @property
    def sent(self) -> list[Sent]:
        """Everything that was sent, oldest first."""
        return self._post.sent

    @property
    def calls(self) -> dict[str, int]:
        """How many requests of each operation were let in."""
        return self._api.calls

    @property
    def keeps_message_id(self) -> bool:
        """Do sent messages keep the Message-ID they come with?"""
        return self._post.keeps_message_id

    @keeps_message_id.setter
    def keeps_message_id(self, keeps: bool) -> None:
        self._post.keeps_message_id = keeps

    def add_mailbox(self, address: str, scopes: frozenset[str] = MAIL_SCOPES) -> str:
        """Open a mailbox as if its owner had consented; the refresh token."""
        return self._world.add_mailbox(address, scopes)

    def access_token(self, address: str, scopes: frozenset[str] = MAIL_SCOPES) -> str:
        """Return an access token for a mailbox, for tests that talk to the API themselves."""
        _, scopes = self.grants.refresh_tokens[token := self.add_mailbox(address, scopes)]
        return self.grants.open(address.lower(), scopes, token)

    def deliver(
        self, address: str, raw: bytes, labels: frozenset[str] = frozenset({"INBOX", "UNREAD"}), at_ms: int | None = None
    ) -> Stored:
        """Let a message arrive in a mailbox."""
        return self._stock.open(address).add(raw, labels, at_ms=at_ms)

    def send(self, address: str, raw: bytes, thread_id: str = "") -> Sent:
        """Send a message as its owner would from Gmail's own pages. Raises Refusal."""
        self._post.send(self._stock.open(address), raw, thread_id)
        return self._post.sent[-1]

    def seed(self, address: str, count: int, days: float = 90.0) -> Mailbox:
        """Fill a mailbox with messages of the last days, as if they had always been there."""
        mailbox = self._stock.open(address)
        seed(mailbox, count, days)
        return mailbox

    def fail(
        self, operation: str, kind: Kind, times: int = 1, *, delay_s: float = 0.0, mailbox: str = "", reason: str = ""
    ) -> None:
        """Let the next requests go wrong, see `faults.Fault`."""
        self.faults.add(Fault(operation, kind, times, delay_s, mailbox, reason))

    def revoke(self, address: str) -> int:
        """Take back everything that an address has granted."""
        return self.grants.revoke_all(address.lower())

    def push_to(self, url: str, audience: str = "") -> None:
        """Send pushes there from now on; an empty audience is the URL."""
        self._world.push_to(url, audience)

    @property
    def push_settings(self) -> PushSettings:
        """Where pushes go now, and whom they come from."""
        return self.pushes.settings

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        if self._state is not None:
            self._state.restore()
            self._saving = asyncio.create_task(self._save_now_and_then(self._state))
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.settings.host, self.settings.port, backlog=1024)
        await site.start()
        self.url = f"http://{self.settings.host}:{self._runner.addresses[0][1]}"

    async def close(self) -> None:
        """Stop the people and the pushes, let go of those that hang, and stop listening."""
        self._closing.set()
        self.people.close()
        await self.pushes.close()
        await self._runner.cleanup()
        if self._saving is not None and self._state is not None:
            self._saving.cancel()
            self._state.save()

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except OSError:
            await self.close()
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def _save_now_and_then(self, state: State) -> None:
        while True:
            await asyncio.sleep(_SAVE_EVERY_S)
            state.save()

    async def _single(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        asked = Request(
            request.method,
            request.rel_url.raw_path,
            MultiDict(request.query),
            request.headers.get("Authorization", ""),
            body,
        )
        return await self._told(request, self._api.answer(asked))

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        answer = self._uploads.answer(
            request.method,
            URL(self.url).join(request.rel_url),
            request.headers.get("Content-Type", ""),
            request.headers.get("Content-Range", ""),
            request.headers.get("Authorization", ""),
            body,
        )
        return await self._told(request, answer)

    async def _batch(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        strike(self.faults.next_for("batch"))
        kind, data, fate = answer_batch(
            self._api, request.headers.get("Content-Type", ""), body, request.headers.get("Authorization", "")
        )
        await self._suffer(request, fate)
        return web.Response(body=data, headers={"Content-Type": kind})

    async def _told(self, request: web.Request, answer: Answer) -> web.StreamResponse:
        await self._suffer(request, answer)
        headers: dict[str, Any] = {"Content-Type": "application/json; charset=UTF-8"} if answer.body is not None else {}
        return web.Response(status=answer.status, body=answer.data() or None, headers=headers | dict(answer.headers))

    async def _suffer(self, request: web.Request, answer: Answer) -> None:
        if answer.delay_s:
            await asyncio.sleep(answer.delay_s)
        if answer.is_lost:
            raise ConnectionDrops

    @web.middleware
    async def _errors(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refusal as refusal:
            answer = refused(refusal)
            return web.json_response(answer.body, status=answer.status, headers=answer.headers)
        except OAuthRefusal as refusal:
            return web.json_response(refusal.body(), status=refusal.status)
        except (ConnectionHangs, ConnectionDrops) as fate:
            if isinstance(fate, ConnectionHangs):
                await self._closing.wait()
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
