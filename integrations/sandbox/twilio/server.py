"""Starting and stopping a sandbox."""

from types import TracebackType
from typing import Self

from aiohttp import web

from integrations.sandbox.twilio.api import CallsApi, twilio_errors
from integrations.sandbox.twilio.callbacks import Courier
from integrations.sandbox.twilio.calls import Call, CallBook
from integrations.sandbox.twilio.exchange import Exchange
from integrations.sandbox.twilio.inspection import Inspection
from integrations.sandbox.twilio.settings import SandboxSettings


class Sandbox:
    """A running sandbox; `url` is where it listens."""

    def __init__(self, settings: SandboxSettings) -> None:
        self.settings = settings
        self.url = ""
        self._book = CallBook()
        self._courier = Courier(settings)
        self._exchange = Exchange(self._courier, settings.speed)
        self._api = CallsApi(settings, self._book, self._exchange)
        app = web.Application(middlewares=[twilio_errors])
        app.add_routes([*self._api.routes(), *Inspection(self._book, self._exchange).routes()])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)

    @property
    def account_sid(self) -> str:
        """The account that it serves."""
        return self.settings.account_sid

    @property
    def auth_token(self) -> str:
        """The token that opens it and signs its callbacks."""
        return self.settings.auth_token

    @property
    def calls(self) -> list[Call]:
        """The calls so far, newest first."""
        return list(self._book.newest_first())

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.settings.host, self.settings.port)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"http://{self.settings.host}:{port}"

    async def close(self) -> None:
        """Stop the calls, drop the callbacks that are on their way, and stop listening."""
        self._api.release()
        await self._exchange.close()
        await self._courier.close()
        await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()


async def start_sandbox(settings: SandboxSettings | None = None) -> Sandbox:
    """Start a sandbox in the running loop: `async with await start_sandbox(...) as sandbox`."""
    sandbox = Sandbox(settings or SandboxSettings())
    try:
        await sandbox.start()
    except OSError:
        await sandbox.close()
        raise
    return sandbox
