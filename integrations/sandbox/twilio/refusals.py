"""Twilio's refusals: error codes, words and shape as its API has them. https://www.twilio.com/docs/api/errors"""

from collections.abc import Mapping
from types import MappingProxyType

from aiohttp import web


class Refusal(Exception):
    """An error answer, `{code, message, more_info, status}`."""

    def __init__(self, status: int, code: int, message: str, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers

    def response(self) -> web.Response:
        """Return it as Twilio sends it."""
        return web.json_response(
            {
                "code": self.code,
                "message": str(self),
                "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
                "status": self.status,
            },
            status=self.status,
            headers=self.headers,
        )


def unauthenticated() -> Refusal:
    """The account SID or the token is wrong."""
    challenge = {"WWW-Authenticate": 'Basic realm="Twilio API"'}
    return Refusal(401, 20003, "Authentication Error - invalid username", challenge)


def not_found(path: str) -> Refusal:
    """There is no such resource in this account."""
    return Refusal(404, 20404, f"The requested resource {path} was not found")


def too_many(retry_after_s: int = 1) -> Refusal:
    """More requests than the account may make."""
    return Refusal(429, 20429, "Too Many Requests", {"Retry-After": str(retry_after_s)})


def broken() -> Refusal:
    """An error of Twilio's own."""
    return Refusal(500, 20500, "An internal server error has occurred")


def no_to() -> Refusal:
    """The request names nobody to call."""
    return Refusal(400, 21201, "No 'To' number is specified")


def no_from() -> Refusal:
    """The request names no caller."""
    return Refusal(400, 21213, "No 'From' number is specified")


def invalid_to(number: str) -> Refusal:
    """The number to call is none."""
    return Refusal(400, 21211, f"The phone number you are attempting to call, {number}, is not valid.")


def invalid_from(number: str) -> Refusal:
    """The caller's number is none."""
    return Refusal(400, 21212, f"The source phone number provided, {number}, is not a valid phone number.")


def foreign_from(number: str) -> Refusal:
    """The caller's number does not belong to the account."""
    return Refusal(
        400,
        21210,
        f"The source phone number provided, {number}, is not yet verified for your account. "
        "You may only make calls from phone numbers that you've verified or purchased from Twilio.",
    )


def invalid_url(url: str) -> Refusal:
    """There is neither TwiML nor a URL to fetch it from."""
    return Refusal(400, 21205, f"Url is not a valid URL: {url}")


def invalid_callback(url: str) -> Refusal:
    """The address for status callbacks is none."""
    return Refusal(400, 21609, f"Invalid 'StatusCallback' URL: {url}")


def invalid_status(status: str) -> Refusal:
    """A call can't be moved to this status."""
    return Refusal(400, 21218, f"Invalid 'Status' parameter: {status}")


def not_in_progress() -> Refusal:
    """The call is over, or not yet where the change would make sense."""
    return Refusal(400, 21220, "Call is not in-progress. Cannot redirect.")


def no_coached() -> Refusal:
    """Somebody is to coach, and it is not said whom."""
    return Refusal(400, 20001, "CallSidToCoach must be provided when Coaching is true")


def invalid_coached(sid: str) -> Refusal:
    """The one who is to be coached is not in the conference."""
    return Refusal(400, 20001, f"Invalid CallSidToCoach {sid}: it is not a participant of this conference")


def label_taken(label: str) -> Refusal:
    """Two in one conference can't have the same label."""
    return Refusal(400, 16025, f"Participant label {label} is already in use in this conference")


def not_in_conference(sid: str) -> Refusal:
    """A participant that is still being called can't be changed."""
    return Refusal(400, 20001, f"Participant {sid} is not connected to the conference")


def not_eligible_for_recording() -> Refusal:
    """Only a call that is being talked on can be recorded."""
    return Refusal(400, 21220, "Requested resource is not eligible for recording")


def no_number() -> Refusal:
    """The request says neither which number to buy nor where."""
    return Refusal(400, 21450, "PhoneNumber or AreaCode is required")


def invalid_number(number: str) -> Refusal:
    """What is to be bought is no number."""
    return Refusal(400, 21421, f"PhoneNumber is invalid: {number}")


def not_on_sale(number: str) -> Refusal:
    """The number belongs to somebody."""
    return Refusal(400, 21422, f"{number} is not available to purchase because it is taken")


def none_in_area(area_code: str) -> Refusal:
    """No number of this area is on sale."""
    return Refusal(400, 21452, f"No phone numbers found in area code {area_code}")


def invalid_address(name: str, url: str) -> Refusal:
    """An address of a number is none."""
    return Refusal(400, 21502 if name.startswith("Voice") else 21609, f"{name} is not valid: {url}")


def no_recipient() -> Refusal:
    """The message is for nobody."""
    return Refusal(400, 21604, "A 'To' phone number is required.")


def invalid_recipient(number: str) -> Refusal:
    """The message is for no number."""
    return Refusal(400, 21211, f"Invalid 'To' Phone Number: {number}")


def no_sender() -> Refusal:
    """The message is from nobody."""
    return Refusal(400, 21603, "A 'From' phone number is required.")


def invalid_sender(number: str) -> Refusal:
    """The account can't write from this number."""
    return Refusal(
        400,
        21606,
        f"The 'From' phone number provided ({number}) is not a valid message-capable Twilio phone number for this destination.",
    )


def no_body() -> Refusal:
    """The message says nothing."""
    return Refusal(400, 21602, "Message body is required.")


def too_long(length: int) -> Refusal:
    """The message says too much."""
    return Refusal(400, 21617, f"The concatenated message body exceeds the 1600 character limit: {length}")


def opted_out() -> Refusal:
    """The recipient has asked for no more messages from this number."""
    return Refusal(400, 21610, "Attempt to send to unsubscribed recipient")
