"""Starting and stopping a sandbox."""

from types import TracebackType
from typing import Self

from aiohttp import web

from integrations.sandbox.twilio.api_calls import CallMaker, CallsApi
from integrations.sandbox.twilio.api_conferences import ConferencesApi
from integrations.sandbox.twilio.api_messages import MessagesApi
from integrations.sandbox.twilio.api_numbers import NumbersApi
from integrations.sandbox.twilio.api_recordings import RecordingsApi
from integrations.sandbox.twilio.calls import Call, CallBook
from integrations.sandbox.twilio.conferences import Conference, Conferences
from integrations.sandbox.twilio.courier import Courier
from integrations.sandbox.twilio.dialing import Dialing
from integrations.sandbox.twilio.door import Door, Pace, Route, twilio_errors
from integrations.sandbox.twilio.exchange import Clock, Exchange
from integrations.sandbox.twilio.faults import Faults
from integrations.sandbox.twilio.inbound import Inbound
from integrations.sandbox.twilio.inspection import Inspection
from integrations.sandbox.twilio.interpreter import Interpreter
from integrations.sandbox.twilio.messages import Messages
from integrations.sandbox.twilio.numbers import NumberBook
from integrations.sandbox.twilio.outcomes import Clients
from integrations.sandbox.twilio.recordings import Recordings
from integrations.sandbox.twilio.settings import SandboxSettings
from integrations.sandbox.twilio.taping import Taping
from integrations.sandbox.twilio.transcriptions import Transcriptions


class Sandbox:
    """A running sandbox; `url` is where it listens. Build it inside the running loop."""

    def __init__(self, settings: SandboxSettings) -> None:
        self.settings = settings
        self.url = ""
        self._book = CallBook()
        self._courier = Courier(settings)
        self._exchange = Exchange(self._courier, Clock(settings.speed))
        self._conferences = Conferences(settings.account_sid, self._courier)
        self._door = Door(settings, faults := Faults())
        clients = Clients()
        owned = dict.fromkeys([*settings.owned_numbers, *sorted(settings.from_numbers or ())])
        numbers = NumberBook(
            settings.account_sid, owned, is_strict=settings.from_numbers is not None, state=settings.numbers_file
        )
        messages = Messages(self._exchange.clock, self._courier)
        maker = CallMaker(settings.account_sid, numbers, clients, Pace(settings.calls_per_s))
        interpreter = Interpreter(self._exchange, self._courier)
        self._exchange.follow = interpreter.follow
        self._recordings = Recordings(self._exchange, self._courier)
        transcriptions = Transcriptions(self._exchange, self._courier, self._recordings)
        interpreter.learn("Record", Taping(self._exchange, interpreter, self._recordings, transcriptions).record)
        interpreter.learn(
            "Dial",
            Dialing(self._exchange, interpreter, self._conferences, self._recordings, self._book, maker.plan_for).dial,
        )
        apis = (
            CallsApi(self._door, self._book, self._exchange, maker),
            ConferencesApi(self._door, self._book, self._exchange, self._conferences, maker, interpreter, self._courier),
            RecordingsApi(self._book, self._recordings, transcriptions, settings.recording_cap_s),
            MessagesApi(settings.account_sid, self._door, messages, numbers),
            NumbersApi(numbers),
        )
        routes: list[Route] = [route for api in apis for route in api.routes()]
        app = web.Application(middlewares=[twilio_errors])
        app.add_routes(self._door.lead_to(routes))
        app.add_routes(Inspection(self._book, self._exchange, self._conferences, clients, faults).routes())
        outside = Inbound(settings.account_sid, self._book, self._exchange, self._courier, numbers, messages)
        app.add_routes(outside.routes())
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

    @property
    def conferences(self) -> list[Conference]:
        """The conferences so far, newest first."""
        return list(self._conferences.newest_first())

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.settings.host, self.settings.port)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = self._recordings.base_url = f"http://{self.settings.host}:{port}"

    async def close(self) -> None:
        """Stop the calls, drop the callbacks that are on their way, and stop listening."""
        self._door.close()
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
