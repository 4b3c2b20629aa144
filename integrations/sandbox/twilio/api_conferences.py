"""The conferences and participants resources."""

import re
from typing import Final

from aiohttp import web

from integrations.sandbox.twilio import refusals
from integrations.sandbox.twilio.api_calls import CallMaker, callback_of
from integrations.sandbox.twilio.calls import Call, CallBook
from integrations.sandbox.twilio.conferences import Conference, Conferences, Participant
from integrations.sandbox.twilio.courier import Courier
from integrations.sandbox.twilio.dialing import enter
from integrations.sandbox.twilio.door import Door, Route, Visit
from integrations.sandbox.twilio.exchange import Exchange
from integrations.sandbox.twilio.interpreter import Interpreter
from integrations.sandbox.twilio.listing import is_equal, is_within, page_of
from integrations.sandbox.twilio.twiml import NotTwiml
from integrations.sandbox.twilio.wording import flag, gone, is_web_address, reply, text, truth

_CONFERENCE_SID: Final = re.compile(r"CF[0-9a-f]{32}")


class ConferencesApi:
    """The handlers of both resources."""

    def __init__(
        self,
        door: Door,
        book: CallBook,
        exchange: Exchange,
        conferences: Conferences,
        maker: CallMaker,
        interpreter: Interpreter,
        courier: Courier,
    ) -> None:
        self._door = door
        self._book = book
        self._exchange = exchange
        self._conferences = conferences
        self._maker = maker
        self._interpreter = interpreter
        self._courier = courier

    def routes(self) -> list[Route]:
        """Return the routes of both resources."""
        one = "/Conferences/{sid:CF\\w+}"
        seat = one + "/Participants/{call}.json"
        return [
            Route("GET", "/Conferences.json", "conferences.list", self.list),
            Route("GET", f"{one}.json", "conferences.fetch", self.fetch),
            Route("POST", f"{one}.json", "conferences.update", self.update),
            Route("POST", "/Conferences/{name:[^/]+}/Participants.json", "participants.create", self.add),
            Route("GET", f"{one}/Participants.json", "participants.list", self.list_participants),
            Route("GET", seat, "participants.fetch", self.fetch_participant),
            Route("POST", seat, "participants.update", self.update_participant),
            Route("DELETE", seat, "participants.delete", self.remove),
        ]

    async def list(self, visit: Visit) -> web.StreamResponse:
        """Return a page of conferences, newest first."""
        query = visit.request.query
        matching = (
            each
            for each in self._conferences.newest_first(query.get("FriendlyName"))
            if is_equal(query, FriendlyName=each.name, Status=each.status)
            and is_within(each.created_at, query, "DateCreated")
            and is_within(each.updated_at, query, "DateUpdated")
        )
        return reply(page_of("conferences", matching, visit.request.path, query))

    async def fetch(self, visit: Visit) -> web.StreamResponse:
        """Return one conference."""
        return reply(self._find(visit).as_resource())

    async def update(self, visit: Visit) -> web.StreamResponse:
        """End a conference, or play something to all in it."""
        conference = self._find(visit)
        status, url = text(visit.form, "Status"), text(visit.form, "AnnounceUrl")
        if status not in ("", "completed"):
            raise refusals.invalid_status(status)
        if url and not is_web_address(url):
            raise refusals.invalid_url(url)
        if url and not conference.is_over:
            self._announce(conference, None, url, text(visit.form, "AnnounceMethod"))
        if status:
            self._conferences.end(conference)
        return reply(conference.as_resource())

    async def add(self, visit: Visit) -> web.StreamResponse:
        """Call somebody into a conference, which is made if there is none of the name."""
        form, name = visit.form, visit.part("name")
        by_sid = _CONFERENCE_SID.fullmatch(name)
        if by_sid:
            known = self._conferences.get(name)
            if known is None or known.is_over:
                raise visit.not_found()
        coached, label = text(form, "CallSidToCoach"), text(form, "Label")
        if flag(form, "Coaching") and not coached:
            raise refusals.no_coached()
        callback = callback_of(form, "ConferenceStatusCallback", {"start", "end"})
        call = self._maker.make(form)
        conference = self._conferences.get(name) if by_sid else self._conferences.named(name)
        assert conference is not None
        if label and conference.find(label) is not None:
            raise refusals.label_taken(label)
        if coached and coached not in conference.seats:
            raise refusals.invalid_coached(coached)
        participant = self._conferences.seat(
            conference,
            call,
            callback=callback,
            label=label,
            muted=flag(form, "Muted"),
            coach_sid=coached,
            starts=flag(form, "StartConferenceOnEnter", True),
            ends=flag(form, "EndConferenceOnExit"),
            put_out=lambda: _hang_up(self._exchange, call),
        )
        wait_url = text(form, "WaitUrl")
        wait_method = "GET" if text(form, "WaitMethod").upper() == "GET" else "POST"
        call.on_answer = lambda: enter(self._conferences, self._interpreter, participant, wait_url, wait_method)
        self._book.add(call)
        resource = participant.as_resource() | {"queue_time": "0"}
        self._exchange.dial(call)
        if call.plan.http == "lost":
            return await self._door.lose(visit.request)
        return reply(resource, 201)

    async def list_participants(self, visit: Visit) -> web.StreamResponse:
        """Return a page of those who are in a conference or being called into it."""
        query = visit.request.query
        matching = [
            each
            for each in self._find(visit).seats.values()
            if is_equal(query, Muted=truth(each.muted), Hold=truth(each.hold), Coaching=truth(each.coaching))
        ]
        return reply(page_of("participants", matching, visit.request.path, query))

    async def fetch_participant(self, visit: Visit) -> web.StreamResponse:
        """Return one participant, by the call's SID or the label."""
        return reply(self._seat(visit).as_resource())

    async def update_participant(self, visit: Visit) -> web.StreamResponse:
        """Mute, hold, coach, or play something to one participant."""
        participant, form = self._seat(visit), visit.form
        conference = participant.conference
        if not participant.joined:
            raise refusals.not_in_conference(participant.sid)
        coached, url = text(form, "CallSidToCoach"), text(form, "AnnounceUrl")
        coaching = flag(form, "Coaching") if "Coaching" in form else None
        if coaching and not coached and not participant.coach_sid:
            raise refusals.no_coached()
        if coached and (coached == participant.sid or coached not in conference.seats):
            raise refusals.invalid_coached(coached)
        if url and not is_web_address(url):
            raise refusals.invalid_url(url)
        self._conferences.change(
            participant,
            muted=flag(form, "Muted") if "Muted" in form else None,
            hold=flag(form, "Hold") if "Hold" in form else None,
            coaching=coaching,
            coach_sid=coached,
            ends=flag(form, "EndConferenceOnExit") if "EndConferenceOnExit" in form else None,
        )
        if url:
            self._announce(conference, participant, url, text(form, "AnnounceMethod"))
        return reply(participant.as_resource())

    async def remove(self, visit: Visit) -> web.StreamResponse:
        """Put a participant out: its leg goes on after its Dial verb, or ends when it has none."""
        participant = self._seat(visit)
        if participant.joined:
            self._conferences.kick(participant)
        else:
            self._exchange.end(participant.call, "canceled")
        return gone()

    def _announce(self, conference: Conference, participant: Participant | None, url: str, method: str) -> None:
        listeners = [participant] if participant else conference.present

        async def play() -> None:
            if not listeners:
                return
            call = listeners[0].call
            before = len(call.heard)
            try:
                document = await self._interpreter.fetch(call, url, "GET" if method == "GET" else "POST")
                await self._interpreter.run(call, document)
            except NotTwiml as error:
                self._interpreter.warn(call, str(error))
                return
            for other in listeners[1:]:
                other.call.heard += call.heard[before:]
            self._conferences.announce(conference, url, participant)

        self._exchange.begin(play())

    def _find(self, visit: Visit) -> Conference:
        conference = self._conferences.get(visit.part("sid"))
        if conference is None:
            raise visit.not_found()
        return conference

    def _seat(self, visit: Visit) -> Participant:
        participant = self._find(visit).find(visit.part("call"))
        if participant is None:
            raise visit.not_found()
        return participant


def _hang_up(exchange: Exchange, call: Call) -> None:
    exchange.end(call, "completed" if call.is_answered else "canceled")
