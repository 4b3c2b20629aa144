"""The messages resource."""

from typing import Final

from aiohttp import web

from integrations.sandbox.twilio import refusals
from integrations.sandbox.twilio.api_calls import E164, callback_of
from integrations.sandbox.twilio.door import Door, Route, Visit
from integrations.sandbox.twilio.listing import is_equal, is_within, page_of
from integrations.sandbox.twilio.messages import Message, Messages, fate_of
from integrations.sandbox.twilio.numbers import NumberBook
from integrations.sandbox.twilio.wording import gone, now, reply, text

_LONGEST: Final = 1600


class MessagesApi:
    """The handlers of the resource."""

    def __init__(self, account_sid: str, door: Door, messages: Messages, numbers: NumberBook) -> None:
        self._account_sid = account_sid
        self._door = door
        self._messages = messages
        self._numbers = numbers

    def routes(self) -> list[Route]:
        """Return the routes of the resource."""
        one = "/Messages/{sid:(?:SM|MM)\\w+}.json"
        return [
            Route("POST", "/Messages.json", "messages.create", self.create),
            Route("GET", "/Messages.json", "messages.list", self.list),
            Route("GET", one, "messages.fetch", self.fetch),
            Route("POST", one, "messages.update", self.update),
            Route("DELETE", one, "messages.delete", self.delete),
        ]

    async def create(self, visit: Visit) -> web.StreamResponse:
        """Send a message."""
        form = visit.form
        to, from_ = text(form, "To"), text(form, "From")
        body, media = str(form.get("Body", "")), tuple(str(url) for url in form.getall("MediaUrl", []))
        if not to:
            raise refusals.no_recipient()
        if not from_:
            raise refusals.no_sender()
        fate = fate_of(to)
        if not E164.fullmatch(to) or fate.http == "invalid":
            raise refusals.invalid_recipient(to)
        if not E164.fullmatch(from_) or not self._numbers.may_be_shown(from_):
            raise refusals.invalid_sender(from_)
        if not body and not media:
            raise refusals.no_body()
        if len(body) > _LONGEST:
            raise refusals.too_long(len(body))
        callback = callback_of(form, "StatusCallback", set())
        if self._messages.has_opted_out(to, from_):
            raise refusals.opted_out()
        if fate.http == "rate_limited":
            raise refusals.too_many()
        if fate.http == "error":
            raise refusals.broken()
        message = Message(account_sid=self._account_sid, to=to, from_=from_, body=body, media=media, callback=callback)
        resource = message.as_resource()
        self._messages.send(message)
        if fate.http == "lost":
            return await self._door.lose(visit.request)
        return reply(resource, 201)

    async def list(self, visit: Visit) -> web.StreamResponse:
        """Return a page of messages, newest first."""
        query = visit.request.query
        found = (
            each
            for each in self._messages.newest_first()
            if is_equal(query, To=each.to, From=each.from_) and is_within(each.sent_at, query, "DateSent")
        )
        return reply(page_of("messages", found, visit.request.path, query))

    async def fetch(self, visit: Visit) -> web.StreamResponse:
        """Return one message."""
        return reply(self._find(visit).as_resource())

    async def update(self, visit: Visit) -> web.StreamResponse:
        """Take the text out of a message, or stop one that waits."""
        message, status = self._find(visit), text(visit.form, "Status")
        if status and (status != "canceled" or message.status != "queued"):
            raise refusals.invalid_status(status)
        if status:
            message.status = status
        if "Body" in visit.form:
            message.body = str(visit.form["Body"])
        message.updated_at = now()
        return reply(message.as_resource())

    async def delete(self, visit: Visit) -> web.StreamResponse:
        """Delete a message."""
        self._messages.remove(self._find(visit))
        return gone()

    def _find(self, visit: Visit) -> Message:
        message = self._messages.get(visit.part("sid"))
        if message is None:
            raise visit.not_found()
        return message
