"""How Google says no: one shape for the API, another for OAuth."""

from typing import Any, Final

_STATUS_WORDS: Final = {
    400: ("INVALID_ARGUMENT", "invalidArgument"),
    401: ("UNAUTHENTICATED", "authError"),
    403: ("PERMISSION_DENIED", "forbidden"),
    404: ("NOT_FOUND", "notFound"),
    409: ("ABORTED", "aborted"),
    429: ("RESOURCE_EXHAUSTED", "rateLimitExceeded"),
    500: ("INTERNAL", "backendError"),
    501: ("UNIMPLEMENTED", "notImplemented"),
    503: ("UNAVAILABLE", "backendError"),
}


class Refusal(Exception):
    """An answer of the API that is an error."""

    def __init__(self, status: int, message: str, reason: str = "", *, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.reason = reason or _STATUS_WORDS[status][1]
        self.retry_after_s = retry_after_s

    def body(self) -> dict[str, Any]:
        """Return what the answer says: https://developers.google.com/workspace/gmail/api/guides/handle-errors"""
        domain = "usageLimits" if "Limit" in self.reason else "global"
        told: dict[str, Any] = {"message": self.message, "domain": domain, "reason": self.reason}
        if self.status == 401:
            told |= {"location": "Authorization", "locationType": "header"}
        return {
            "error": {
                "code": self.status,
                "message": self.message,
                "errors": [told],
                "status": _STATUS_WORDS[self.status][0],
            }
        }


class OAuthRefusal(Exception):
    """An answer of the OAuth endpoints that is an error (RFC 6749, 5.2)."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description
        self.status = status

    def body(self) -> dict[str, str]:
        """Return what the answer says."""
        return {"error": self.error, "error_description": self.description}


def not_found() -> Refusal:
    """What is asked for is not there, or not any more."""
    return Refusal(404, "Requested entity was not found.")


def invalid(message: str) -> Refusal:
    """The request can't be understood."""
    return Refusal(400, message)


def bad_credentials() -> Refusal:
    """The access token is missing, unknown, expired or revoked."""
    return Refusal(
        401,
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
        "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
    )
