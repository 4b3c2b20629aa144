"""How Stripe says no: https://docs.stripe.com/api/errors"""

from typing import Any, Final

DOCS: Final = "https://docs.stripe.com/error-codes/"


class Refusal(Exception):
    """An answer that is an error. `keeps`: what was done until then stays done, as when a card is declined."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str = "",
        param: str = "",
        keeps: bool = False,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.keeps = keeps
        self.headers = headers or {}
        told = {"type": kind, "message": message, "code": code, "param": param} | more
        self.error = {name: value for name, value in told.items() if value not in ("", None)}
        if code:
            self.error["doc_url"] = DOCS + code.replace("_", "-")

    def body(self) -> dict[str, Any]:
        """Return what the answer says."""
        return {"error": self.error}


def unknown_parameter(param: str) -> Refusal:
    """A parameter that the operation does not have."""
    return Refusal(f"Received unknown parameter: {param}", code="parameter_unknown", param=param)


def missing(param: str) -> Refusal:
    """A parameter that the operation can't do without."""
    return Refusal(f"Missing required param: {param}.", code="parameter_missing", param=param)


def empty(param: str) -> Refusal:
    """Nothing was given for something that must be something."""
    return Refusal(
        f"You passed an empty string for '{param}'. We assume empty values are an attempt to unset a parameter; however "
        f"'{param}' cannot be unset.",
        code="parameter_invalid_empty",
        param=param,
    )


def invalid(message: str, param: str = "", code: str = "") -> Refusal:
    """Something that can't be done as it is asked for."""
    return Refusal(message, param=param, code=code)


def resource_missing(noun: str, given: str, param: str, *, status: int = 404) -> Refusal:
    """There is no such thing. In the body of a request that is a 400, in the path a 404."""
    return Refusal(f"No such {noun}: '{given}'", status=status, code="resource_missing", param=param)


def not_in_sandbox(param: str) -> Refusal:
    """Stripe has this, the sandbox has not: better said than ignored."""
    return Refusal(f"The sandbox does not act on `{param}`.", code="sandbox_unsupported", param=param)


def unauthorized(header: str) -> Refusal:
    """The key is missing or wrong."""
    if not header:
        return Refusal(
            "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth "
            "(e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
            status=401,
        )
    return Refusal(f"Invalid API Key provided: {'*' * 8}{header[-4:]}", status=401)


def unrecognised(method: str, path: str) -> Refusal:
    """No operation has this path."""
    return Refusal(f"Unrecognized request URL ({method}: {path}).", status=404)
