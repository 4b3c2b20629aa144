"""Twilio's error codes in words that a rep can do something with: https://www.twilio.com/docs/api/errors."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

# Delivery states come with a code only; a refused request brings its own sentence, which mostly serves.
_MESSAGES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "21211": "This is no telephone number that exists.",
        "21408": "The account may not send messages to this country.",
        "21606": "The sending number can't send text messages.",
        "21610": "The contact has opted out of messages from this number.",
        "21612": "This number can't be reached from the sending number.",
        "21614": "This is no mobile number.",
        "21617": "The message is too long.",
        "30001": "Too many messages wait to be sent.",
        "30002": "The telephone account is suspended.",
        "30003": "The phone is switched off or out of reach.",
        "30004": "The contact's phone blocks messages from this number.",
        "30005": "The number is unknown or no longer in service.",
        "30006": "This is a landline, or its carrier can't be reached.",
        "30007": "The carrier filtered the message as unwanted.",
        "30008": "The message was not delivered; the carrier did not say why.",
        "30010": "The message costs more than the account allows.",
        "30032": "The toll-free number has not been verified for messages.",
        "30034": "The sending number is not registered for business messages (A2P 10DLC).",
        "30410": "The carrier did not answer in time.",
        "30453": "The contact gets too many messages and the carrier holds this one back.",
        "30454": "The same message was sent to this contact too often.",
    }
)


def message_error(code: str | None) -> str | None:
    """Why a message was not delivered; None where nothing went wrong."""
    if not code or code == "0":
        return None
    return _MESSAGES.get(code, f"The message was not delivered (Twilio error {code}).")
