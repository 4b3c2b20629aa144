"""What becomes of a call, by the number called. The table is told in the package's docstring; a test compares."""

from dataclasses import dataclass
from typing import Final, Literal

from integrations.sandbox.twilio.settings import CallbackHabit

Ending = Literal["answered", "busy", "no-answer", "failed"]
HttpAnswer = Literal["created", "invalid", "error", "lost", "rate_limited"]

CLIENT: Final = "client:"
_ROBOT: Final = f"{CLIENT}sim-"


@dataclass(frozen=True, slots=True)
class Plan:
    """The script of one call, in seconds. `talk_s` None means that whoever answers never hangs up.

    `rings` False ends the call before it rings. `sip_code` is what the far end said, where it is not the usual.
    """

    says: str
    ending: Ending = "answered"
    rings: bool = True
    setup_s: float = 0.2
    dial_s: float = 0.6
    ring_s: float = 2.0
    talk_s: float | None = None
    answered_by: str = "human"
    sip_code: str = ""
    http: HttpAnswer = "created"
    callbacks: CallbackHabit | None = None


_PERSON: Final = "answered by a person, who talks for 20 to 60 s (20 + the last four digits modulo 41)"
_SCRIPTED: Final = {
    "+12025550150": Plan("refused: invalid number (error 21211)", http="invalid"),
    "+12025550151": Plan("HTTP 500, and no call is made", http="error"),
    "+12025550152": Plan("the call is made, but the answer to the request never comes", talk_s=30.0, http="lost"),
    "+12025550153": Plan("HTTP 429 with Retry-After", http="rate_limited"),
    "+12025550154": Plan("answered, and never ends by itself"),
    "+12025550155": Plan("answered, but no callback ever comes", talk_s=20.0, callbacks=CallbackHabit(is_sent=False)),
    "+12025550156": Plan(
        "answered; each callback comes twice, and in the wrong order",
        talk_s=20.0,
        callbacks=CallbackHabit(copies=2, is_swapped=True),
    ),
    "+12025550157": Plan("answered by a fax machine", talk_s=15.0, answered_by="fax"),
    "+12025550158": Plan("answered by something that detection does not recognise", talk_s=30.0, answered_by="unknown"),
    "+12025550159": Plan("answered, and never ends by itself, either"),
}
_BY_LAST_DIGIT: Final = {
    "5": Plan("busy", ending="busy", ring_s=1.0),
    "6": Plan("rings until it is given up: no answer", ending="no-answer", ring_s=15.0),
    "7": Plan("answered by voicemail", ring_s=6.0, talk_s=25.0, answered_by="machine_start"),
    "8": Plan("fails before it rings", ending="failed", rings=False),
    "9": Plan("answered, then drops after 4 s", talk_s=4.0),
}
_CLIENTS: Final = {
    "client:sim-…": Plan("a robot that answers after some 50 ms and stays", setup_s=0.0, dial_s=0.01, ring_s=0.04),
    "client:…": Plan(
        "nobody is registered: no answer, at once", ending="no-answer", rings=False, setup_s=0.05, dial_s=0.1, sip_code="480"
    ),
}


class Clients:
    """The browsers that have registered to be called. A robot needs no registration."""

    def __init__(self) -> None:
        self._answer_after_s: dict[str, float | None] = {}

    def register(self, identity: str, answer_after_s: float | None) -> None:
        """Let calls to `identity` ring; it picks up by itself after so many seconds, or by hand only (None)."""
        self._answer_after_s[identity] = answer_after_s

    def forget(self, identity: str) -> bool:
        """Take a registration back; False when there was none."""
        return self._answer_after_s.pop(identity, 0.0) != 0.0

    def plan_for(self, address: str) -> Plan:
        """Return what happens to a call to `client:identity`."""
        if address.startswith(_ROBOT):
            return _CLIENTS["client:sim-…"]
        identity = address.removeprefix(CLIENT)
        if identity not in self._answer_after_s:
            return _CLIENTS["client:…"]
        after_s = self._answer_after_s[identity]
        return Plan("a registered browser", setup_s=0.0, dial_s=0.05, ring_s=float("inf") if after_s is None else after_s)


def plan_for(number: str) -> Plan:
    """Return what happens to a call to `number` (E.164)."""
    plan = _SCRIPTED.get(number) or _BY_LAST_DIGIT.get(number[-1])
    return plan or Plan(_PERSON, talk_s=20.0 + int(number[-4:]) % 41)


def table() -> list[tuple[str, str]]:
    """Return the rules, most specific first: whom they are for, and what they say."""
    return [
        *((number, plan.says) for number, plan in _SCRIPTED.items()),
        ("0-4", _PERSON),
        *((digit, plan.says) for digit, plan in _BY_LAST_DIGIT.items()),
        *((client, plan.says) for client, plan in _CLIENTS.items()),
    ]
