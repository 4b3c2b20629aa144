"""Text messages: what becomes of them, and who wants no more. The table is told in the package's docstring."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from integrations.sandbox.twilio.courier import Callback, Courier, Delivery, Fields, Letter
from integrations.sandbox.twilio.exchange import Clock
from integrations.sandbox.twilio.outcomes import HttpAnswer
from integrations.sandbox.twilio.settings import CallbackHabit
from integrations.sandbox.twilio.wording import API_VERSION, new_sid, now, rfc_2822

_KEPT: Final = 20_000
_SENDING_S: Final = 0.5
_DELIVERY_S: Final = 1.5
# https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out#default-keywords
_STOP: Final = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE"})
_START: Final = frozenset({"START", "YES", "UNSTOP"})
_ERRORS: Final = {30003: "Unreachable destination handset", 30005: "Unknown destination handset"}
_GSM: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ!\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà^{}\\[~]|€"
)


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a message to a number."""

    says: str
    ending: Literal["delivered", "undelivered", "failed"] = "delivered"
    error_code: int | None = None
    http: HttpAnswer = "created"
    callbacks: CallbackHabit | None = None


_DELIVERED: Final = Fate("delivered")
_SCRIPTED: Final = {
    "+12025550150": Fate("refused: invalid number (error 21211)", http="invalid"),
    "+12025550151": Fate("HTTP 500, and nothing is sent", http="error"),
    "+12025550152": Fate("it is sent, but the answer to the request never comes", http="lost"),
    "+12025550153": Fate("HTTP 429 with Retry-After", http="rate_limited"),
    "+12025550155": Fate("delivered, but no callback ever comes", callbacks=CallbackHabit(is_sent=False)),
    "+12025550156": Fate(
        "delivered; each callback comes twice, and in the wrong order", callbacks=CallbackHabit(copies=2, is_swapped=True)
    ),
}
_BY_LAST_DIGIT: Final = {
    "6": Fate("undelivered: the handset can't be reached (error 30003)", "undelivered", 30003),
    "8": Fate("failed: there is no such handset (error 30005)", "failed", 30005),
}


def fate_of(number: str) -> Fate:
    """Return what becomes of a message to `number` (E.164)."""
    return _SCRIPTED.get(number) or _BY_LAST_DIGIT.get(number[-1]) or _DELIVERED


def message_table() -> list[tuple[str, str]]:
    """Return the rules, most specific first: whom they are for, and what they say."""
    return [
        *((number, fate.says) for number, fate in _SCRIPTED.items()),
        *((digit, fate.says) for digit, fate in _BY_LAST_DIGIT.items()),
    ]


@dataclass(slots=True, kw_only=True, eq=False)
class Message:
    """One message."""

    account_sid: str
    to: str
    from_: str
    body: str
    media: tuple[str, ...] = ()
    direction: str = "outbound-api"
    callback: Callback = field(default_factory=Callback)
    status: str = "queued"
    error_code: int | None = None
    sid: str = ""
    created_at: datetime = field(default_factory=now)
    updated_at: datetime = field(default_factory=now)
    sent_at: datetime | None = None
    deliveries: list[Delivery] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sid = new_sid("MM" if self.media else "SM")

    @property
    def uri(self) -> str:
        """Where it lives, without the extension."""
        return f"/{API_VERSION}/Accounts/{self.account_sid}/Messages/{self.sid}"

    @property
    def segments(self) -> int:
        """How many parts it is sent in: 160 letters of the GSM alphabet, or 70 of any other, fit into one."""
        one, more = (160, 153) if set(self.body) <= _GSM else (70, 67)
        return 1 if len(self.body) <= one else -(-len(self.body) // more)

    def as_resource(self) -> dict[str, Any]:
        """Return it as `api.v2010.account.message`."""
        return {
            "body": self.body,
            "num_segments": str(self.segments),
            "direction": self.direction,
            "from": self.from_,
            "to": self.to,
            "date_updated": rfc_2822(self.updated_at),
            "price": None,
            "error_message": _ERRORS.get(self.error_code or 0),
            "uri": f"{self.uri}.json",
            "account_sid": self.account_sid,
            "num_media": str(len(self.media)),
            "status": self.status,
            "messaging_service_sid": None,
            "sid": self.sid,
            "date_sent": rfc_2822(self.sent_at),
            "date_created": rfc_2822(self.created_at),
            "error_code": self.error_code,
            "price_unit": "USD",
            "api_version": API_VERSION,
            "subresource_uris": {"media": f"{self.uri}/Media.json"},
        }


class Messages:
    """All messages, and who wants none from whom."""

    def __init__(self, clock: Clock, courier: Courier) -> None:
        self._clock = clock
        self._courier = courier
        self._all: dict[str, Message] = {}
        self._opted_out: set[tuple[str, str]] = set()

    def get(self, sid: str) -> Message | None:
        """Return a message by its SID."""
        return self._all.get(sid)

    def newest_first(self) -> Iterator[Message]:
        """Go through the messages, backwards in time."""
        return reversed(list(self._all.values()))

    def keep(self, message: Message) -> None:
        """Remember a message."""
        self._all[message.sid] = message
        if len(self._all) > _KEPT:
            del self._all[next(iter(self._all))]

    def remove(self, message: Message) -> None:
        """Forget a message."""
        self._all.pop(message.sid, None)

    def has_opted_out(self, whom: str, of: str) -> bool:
        """Has this person asked for no more messages from that number?"""
        return (whom, of) in self._opted_out

    def heed(self, message: Message) -> None:
        """Do what an incoming message asks for: STOP, and START after it."""
        word, pair = message.body.strip().upper(), (message.from_, message.to)
        if word in _STOP:
            self._opted_out.add(pair)
        elif word in _START:
            self._opted_out.discard(pair)

    def send(self, message: Message) -> None:
        """Put a message on its way."""
        self.keep(message)
        self._clock.later(_SENDING_S, lambda: self._send(message))

    def _send(self, message: Message) -> None:
        fate = fate_of(message.to)
        if message.status == "canceled":
            return
        if fate.ending == "failed":
            self._move(message, "failed", fate)
            return
        message.sent_at = now()
        self._move(message, "sent", fate)
        self._clock.later(_DELIVERY_S, lambda: self._move(message, fate.ending, fate))

    def _move(self, message: Message, status: str, fate: Fate) -> None:
        message.status = status
        message.updated_at = now()
        if status in ("undelivered", "failed"):
            message.error_code = fate.error_code
        is_last = status != "sent"
        callback = Callback(message.callback.url, message.callback.method, frozenset({status}))
        fields = _callback_fields(message)
        self._courier.post(Letter(message.sid, callback, status, fields, message.deliveries, fate.callbacks, is_last=is_last))


def _callback_fields(message: Message) -> Fields:
    """What a status callback says: https://www.twilio.com/docs/messaging/guides/track-outbound-message-status"""
    fields = {
        "AccountSid": message.account_sid,
        "ApiVersion": API_VERSION,
        "From": message.from_,
        "MessageSid": message.sid,
        "MessageStatus": message.status,
        "SmsSid": message.sid,
        "SmsStatus": message.status,
        "To": message.to,
    }
    if message.error_code is not None:
        fields |= {"ErrorCode": str(message.error_code), "ErrorMessage": _ERRORS.get(message.error_code, "")}
    return fields
