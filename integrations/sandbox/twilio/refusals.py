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
