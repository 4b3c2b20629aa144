"""The world outside calls and writes: `/_sandbox/inbound` and `/_sandbox/messages`."""

from dataclasses import asdict
from typing import Any, Final

from aiohttp import web

from integrations.sandbox.twilio import refusals, twiml
from integrations.sandbox.twilio.api_calls import E164
from integrations.sandbox.twilio.calls import Call, CallBook, Instructions
from integrations.sandbox.twilio.courier import Courier, Fields
from integrations.sandbox.twilio.exchange import Exchange
from integrations.sandbox.twilio.inspection import described, json_body, number_in
from integrations.sandbox.twilio.messages import Message, Messages
from integrations.sandbox.twilio.numbers import NumberBook, OwnedNumber
from integrations.sandbox.twilio.outcomes import CLIENT, Plan, plan_for
from integrations.sandbox.twilio.wording import API_VERSION, country, is_web_address, reply

_PATIENCE_S: Final = 45.0
_USUAL_TALK_S: Final = 30.0


class Inbound:
    """What comes in from outside."""

    def __init__(
        self,
        account_sid: str,
        book: CallBook,
        exchange: Exchange,
        courier: Courier,
        numbers: NumberBook,
        messages: Messages,
    ) -> None:
        self._account_sid = account_sid
        self._book = book
        self._exchange = exchange
        self._courier = courier
        self._numbers = numbers
        self._messages = messages

    def routes(self) -> list[web.RouteDef]:
        """Return the sandbox's own routes for it."""
        return [
            web.post("/_sandbox/inbound", self.call),
            web.get("/_sandbox/messages", self.messages),
            web.post("/_sandbox/messages", self.message),
        ]

    async def call(self, request: web.Request) -> web.Response:
        """Somebody calls: `{"from", "to", "talk_s", "patience_s"}`; a browser (`client:...`) also `url` and `parameters`.

        A number's VoiceUrl is asked what to do. A browser asks its application's instead, which is `url`.
        `talk_s` is how long the caller stays once it is answered (null: for ever), `patience_s` how long until then.
        """
        body = await json_body(request)
        from_, to = str(body.get("from", "")), str(body.get("to", ""))
        owned = self._numbers.find(to)
        url = str(body.get("url", "")) or (owned.voice_url if owned else "")
        if not is_web_address(url):
            raise refusals.Refusal(400, 21205, f"{to} has no VoiceUrl, and no url was given")
        is_browser = from_.startswith(CLIENT)
        if not is_browser and not E164.fullmatch(from_):
            raise refusals.invalid_from(from_)
        talk_s = number_in(body, "talk_s", None if is_browser else _talk_s(from_))
        patience_s = number_in(body, "patience_s", _PATIENCE_S)
        given = body.get("parameters")
        parameters = given if isinstance(given, dict) else {}
        call = Call(
            account_sid=self._account_sid,
            to=to,
            from_=from_,
            plan=Plan("calls in", talk_s=talk_s),
            ring_limit_s=_PATIENCE_S,
            direction="inbound",
            number_sid=owned.sid if owned else None,
            instructions=_instructions(url, owned, tuple((str(name), str(value)) for name, value in parameters.items())),
        )
        if owned is not None:
            call.status_callback = owned.call_callback
        self._book.add(call)
        self._exchange.arrive(call, _PATIENCE_S if patience_s is None else patience_s)
        return reply(described(call), 201)

    async def messages(self, request: web.Request) -> web.Response:
        """Return the messages, newest first."""
        return reply({"messages": [_described(each) for each in self._messages.newest_first()]})

    async def message(self, request: web.Request) -> web.Response:
        """Somebody writes: `{"from", "to", "body", "media"}`. The number's SmsUrl is told, and may answer."""
        body = await json_body(request)
        owned = self._numbers.find(str(body.get("to", "")))
        if owned is None:
            raise refusals.Refusal(404, 20404, f"{body.get('to')} is none of the account's numbers")
        message = Message(
            account_sid=self._account_sid,
            to=owned.e164,
            from_=str(body.get("from", "")),
            body=str(body.get("body", "")),
            media=tuple(map(str, body.get("media") or ())),
            direction="inbound",
            status="received",
        )
        message.sent_at = message.created_at
        self._messages.keep(message)
        self._messages.heed(message)
        if owned.sms_url:
            self._exchange.begin(self._tell(message, owned))
        return reply(_described(message), 201)

    async def _tell(self, message: Message, owned: OwnedNumber) -> None:
        fields = _inbound_fields(message)
        answer = await self._courier.ask(owned.sms_url, owned.sms_method, fields)
        if (answer.status == 0 or answer.status >= 400) and owned.sms_fallback_url:
            answer = await self._courier.ask(owned.sms_fallback_url, owned.sms_fallback_method, fields)
        if answer.status != 200 or not answer.body:
            return
        try:
            document = twiml.read(answer.body, owned.sms_url)
        except twiml.NotTwiml:
            return
        for element in document.verbs:
            if element.tag != "Message" or self._messages.has_opted_out(message.from_, owned.e164):
                continue
            said = element.find("Body")
            self._messages.send(
                Message(
                    account_sid=self._account_sid,
                    to=message.from_,
                    from_=owned.e164,
                    body=twiml.words(element if said is None else said),
                    direction="outbound-reply",
                )
            )


def _talk_s(number: str) -> float | None:
    plan = plan_for(number)
    return plan.talk_s if plan.ending == "answered" else _USUAL_TALK_S


def _instructions(url: str, owned: OwnedNumber | None, parameters: tuple[tuple[str, str], ...]) -> Instructions:
    if owned is None:
        return Instructions(url=url, parameters=parameters)
    return Instructions(
        url=url,
        method=owned.voice_method,
        fallback_url=owned.voice_fallback_url,
        fallback_method=owned.voice_fallback_method,
        parameters=parameters,
    )


def _inbound_fields(message: Message) -> Fields:
    """What a number's SmsUrl is told: https://www.twilio.com/docs/messaging/guides/webhook-request"""
    fields = {
        "AccountSid": message.account_sid,
        "ApiVersion": API_VERSION,
        "Body": message.body,
        "From": message.from_,
        "MessageSid": message.sid,
        "NumMedia": str(len(message.media)),
        "NumSegments": str(message.segments),
        "SmsMessageSid": message.sid,
        "SmsSid": message.sid,
        "SmsStatus": message.status,
        "To": message.to,
    }
    for party, number in (("From", message.from_), ("To", message.to)):
        fields |= {f"{party}City": "", f"{party}Country": country(number), f"{party}State": "", f"{party}Zip": ""}
    for index, url in enumerate(message.media):
        fields |= {f"MediaUrl{index}": url, f"MediaContentType{index}": "image/jpeg"}
    return fields


def _described(message: Message) -> dict[str, Any]:
    callbacks = [asdict(delivery) | {"at": delivery.at.isoformat()} for delivery in message.deliveries]
    return message.as_resource() | {"callbacks": callbacks}
