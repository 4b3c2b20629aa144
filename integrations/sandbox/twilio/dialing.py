"""The Dial verb: into a conference, or on to numbers and browsers. https://www.twilio.com/docs/voice/twiml/dial"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from xml.etree.ElementTree import Element

from integrations.sandbox.twilio import twiml
from integrations.sandbox.twilio.calls import Call, CallBook, Instructions, RecordingWish
from integrations.sandbox.twilio.conferences import Conferences, Participant
from integrations.sandbox.twilio.courier import Callback, Fields
from integrations.sandbox.twilio.exchange import Exchange
from integrations.sandbox.twilio.interpreter import Interpreter
from integrations.sandbox.twilio.outcomes import CLIENT, Plan
from integrations.sandbox.twilio.recordings import Recordings
from integrations.sandbox.twilio.twiml import Document, HangUp, NotTwiml
from integrations.sandbox.twilio.wording import truth

_RING_S: Final = 30.0

PlanFor = Callable[[str], Plan]


@dataclass(slots=True, eq=False)
class Bridge:
    """A leg and those it dials: they all ring, the first to pick up is connected, the others stop."""

    exchange: Exchange
    parent: Call
    limit_s: float = 0.0
    on_connect: Callable[[], None] = lambda: None
    children: list[Call] = field(default_factory=list)
    connected: Call | None = None
    connected_at: float = 0.0
    done: "asyncio.Future[str]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def release(self, reason: str) -> None:
        """The parent is gone: nobody is left to talk to."""
        self._settle("completed" if self.connected else "canceled")
        self.end_others(None)

    def end_others(self, kept: Call | None) -> None:
        """Stop ringing everybody else, and talking."""
        for child in self.children:
            if child is not kept and not child.is_over:
                self.exchange.end(child, "completed" if child.is_answered else "no-answer" if kept else "canceled")

    def connect(self, child: Call) -> None:
        """Connect a child that has picked up."""
        if self.connected is not None or self.parent.is_over or self.done.done():
            self.exchange.end(child, "completed")
            return
        self.connected = child
        self.connected_at = self.exchange.clock.now()
        child.occupation = _ChildEnd(self)
        if self.limit_s:
            child.timers.append(self.exchange.clock.later(self.limit_s, lambda: self.exchange.end(child, "completed")))
        if not self.parent.is_answered:
            self.exchange.pick_up(self.parent)
        self.end_others(child)
        self.on_connect()

    def child_over(self, child: Call) -> None:
        """Notice that a child has ended. When it was the last hope, the verb is over."""
        if child is self.connected:
            self._settle("completed")
        elif self.connected is None and all(each.is_over for each in self.children):
            # What the last one said is what the caller is told.
            self._settle(child.status if child.status != "completed" else "no-answer")

    def leave(self) -> None:
        """The connected child was sent elsewhere."""
        self._settle("completed")

    def fields(self, status: str, clock_s: float) -> Fields:
        """Return what the verb's action is told."""
        fields = {"DialCallStatus": status, "DialBridged": truth(self.connected is not None)}
        last = self.connected or (self.children[-1] if self.children else None)
        if last is not None:
            fields["DialCallSid"] = last.sid
        if self.connected is not None:
            fields["DialCallDuration"] = str(max(1, round(clock_s)))
        return fields

    def _settle(self, status: str) -> None:
        if not self.done.done():
            self.done.set_result(status)


@dataclass(frozen=True, slots=True)
class _ChildEnd:
    """The bridge as the connected child sees it."""

    bridge: Bridge

    def release(self, reason: str) -> None:
        self.bridge.leave()


@dataclass(frozen=True, slots=True)
class _Target:
    address: str
    callback: Callback
    screen_url: str = ""
    screen_method: str = "POST"
    parameters: tuple[tuple[str, str], ...] = ()


class Dialing:
    """The verb, with all of its nouns that Ringside uses."""

    def __init__(
        self,
        exchange: Exchange,
        interpreter: Interpreter,
        conferences: Conferences,
        recordings: Recordings,
        book: CallBook,
        plan_for: PlanFor,
    ) -> None:
        self._exchange = exchange
        self._interpreter = interpreter
        self._conferences = conferences
        self._recordings = recordings
        self._book = book
        self._plan_for = plan_for

    async def dial(self, call: Call, element: Element, document: Document) -> Document | None:
        """Do what a Dial verb says."""
        room = element.find("Conference")
        if room is not None:
            return await self._into_conference(call, element, room, document)
        return await self._onward(call, element, document)

    async def _into_conference(self, call: Call, element: Element, room: Element, document: Document) -> Document | None:
        conference = self._conferences.named(twiml.words(room))
        coached = (room.get("coach") or "").strip()
        if coached and coached not in conference.seats:
            # https://www.twilio.com/docs/api/errors/13237
            self._interpreter.warn(call, f"13237: {coached} is not in {conference.name}")
            raise HangUp
        out: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        participant = self._conferences.seat(
            conference,
            call,
            callback=document.callback(room, default="start end"),
            label=(room.get("participantLabel") or "").strip(),
            muted=twiml.flag(room, "muted", False),
            coach_sid=coached,
            starts=twiml.flag(room, "startConferenceOnEnter", True),
            ends=twiml.flag(room, "endConferenceOnExit", False),
            put_out=lambda: None if out.done() else out.set_result(None),
        )
        entered_at = self._exchange.clock.now()
        wait_url = document.address(room, "waitUrl")
        enter(self._conferences, self._interpreter, participant, wait_url, twiml.method_of(room, "waitMethod"))
        limit = self._limit(element, lambda: self._conferences.kick(participant))
        try:
            await out
        finally:
            if limit is not None:
                limit.cancel()
            if call.is_over:
                self._tell_of_hangup(call, element, document, {"DialCallStatus": "completed"})
        seconds = max(1, round(self._exchange.clock.since(entered_at)))
        fields = {"DialCallStatus": "completed", "DialCallDuration": str(seconds)}
        return await self._go_on(call, element, document, fields)

    async def _onward(self, call: Call, element: Element, document: Document) -> Document | None:
        bridge = Bridge(self._exchange, call, twiml.number(element, "timeLimit", 0.0))
        call.occupation = bridge
        wish = self._recording(element, document)
        if wish is not None:
            bridge.on_connect = lambda: _record(self._recordings, call, wish)
        targets = self._targets(call, element, document)
        status = "failed"
        try:
            in_turn = [[target] for target in targets] if twiml.flag(element, "sequential", False) else [targets]
            for together in in_turn:
                if together:
                    status = await self._ring(call, element, document, bridge, together)
                if bridge.connected is not None:
                    break
        finally:
            if call.occupation is bridge:
                call.occupation = None
            if call.is_over:
                status = bridge.done.result() if bridge.done.done() else "canceled"
                seconds = self._exchange.clock.since(bridge.connected_at)
                self._tell_of_hangup(call, element, document, bridge.fields(status, seconds))
        seconds = self._exchange.clock.since(bridge.connected_at)
        return await self._go_on(call, element, document, bridge.fields(status, seconds))

    async def _ring(self, call: Call, element: Element, document: Document, bridge: Bridge, targets: list[_Target]) -> str:
        bridge.done = asyncio.get_running_loop().create_future()
        for target in targets:
            child = self._child(call, element, target)
            bridge.children.append(child)
            child.on_answer = self._when_answered(bridge, child, target)
            child.on_over = lambda child=child: bridge.child_over(child)
            self._book.add(child)
        for child in bridge.children[-len(targets) :]:
            self._exchange.dial(child)
        return await bridge.done

    def _when_answered(self, bridge: Bridge, child: Call, target: _Target) -> Callable[[], None]:
        async def screen() -> None:
            try:
                await self._interpreter.run(child, await self._interpreter.fetch(child, target.screen_url, target.screen_method))
            except HangUp:
                self._exchange.end(child, "completed")
                return
            except NotTwiml as error:
                self._interpreter.warn(child, str(error))
            bridge.connect(child)

        def answered() -> None:
            if target.screen_url:
                child.program = self._exchange.begin(screen())
            else:
                bridge.connect(child)

        return answered

    def _child(self, call: Call, element: Element, target: _Target) -> Call:
        caller_id = (element.get("callerId") or "").strip()
        # An outgoing browser call shows nobody's number unless it is told to; an incoming one passes its caller on.
        shown = caller_id or (call.from_ if call.direction == "inbound" else call.to)
        return Call(
            account_sid=call.account_sid,
            to=target.address,
            from_=shown,
            plan=self._plan_for(target.address),
            ring_limit_s=twiml.number(element, "timeout", _RING_S),
            direction="outbound-dial",
            parent_sid=call.sid,
            forwarded_from=call.to if call.direction == "inbound" and not caller_id else None,
            instructions=Instructions(),
            status_callback=target.callback,
        )

    def _targets(self, call: Call, element: Element, document: Document) -> list[_Target]:
        found = []
        for noun in element:
            if noun.tag == "Number":
                address = twiml.words(noun)
            elif noun.tag == "Client":
                identity = noun.find("Identity")
                address = CLIENT + twiml.words(noun if identity is None else identity)
            else:
                self._interpreter.warn(call, f"12200: Dial with {noun.tag} is not understood")
                continue
            parameters = tuple((each.get("name") or "", each.get("value") or "") for each in noun.findall("Parameter"))
            screen = document.address(noun, "url")
            callback = document.callback(noun)
            found.append(_Target(address, callback, screen, twiml.method_of(noun), parameters))
        if not found and (element.text or "").strip():
            found.append(_Target((element.text or "").strip(), Callback()))
        return found

    @staticmethod
    def _recording(element: Element, document: Document) -> RecordingWish | None:
        wish = element.get("record") or "do-not-record"
        if not wish.startswith("record-from"):
            return None
        return RecordingWish(2 if wish.endswith("dual") else 1, "DialVerb", document.callback(element, "recordingStatusCallback"))

    def _limit(self, element: Element, act: Callable[[], None]) -> asyncio.TimerHandle | None:
        seconds = twiml.number(element, "timeLimit", 0.0)
        return self._exchange.clock.later(seconds, act) if seconds else None

    async def _go_on(self, call: Call, element: Element, document: Document, fields: Fields) -> Document | None:
        url = document.address(element, "action")
        if not url:
            return None
        return await self._interpreter.go_on(call, url, twiml.method_of(element), fields)

    def _tell_of_hangup(self, call: Call, element: Element, document: Document, fields: Fields) -> None:
        url = document.address(element, "action")
        if url:
            self._interpreter.report(call, url, twiml.method_of(element), fields)


def _record(recordings: Recordings, call: Call, wish: RecordingWish) -> None:
    recordings.start(call, wish)


def enter(conferences: Conferences, interpreter: Interpreter, participant: Participant, wait_url: str, wait_method: str) -> None:
    """Let a participant in; until the conference starts it hears what `wait_url` answers, if there is one."""
    conferences.join(participant)
    if wait_url and participant.conference.status == "init":
        participant.waiting = interpreter.play_while_waiting(participant.call, wait_url, wait_method)
