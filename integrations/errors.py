"""What can go wrong at a provider, in three words: try again, do not try again, not now."""

from typing import Final

CREDENTIAL_STATUSES: Final = frozenset({401, 403})


class ProviderError(Exception):
    """The root of everything that a provider call may raise on purpose.

    `provider` and `operation` are filled in by the guard, so that a client need not repeat them.
    """

    def __init__(self, message: str, *, provider: str = "", operation: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.provider = provider
        self.operation = operation

    def __str__(self) -> str:
        where = " ".join(part for part in (self.provider, self.operation) if part)
        return f"{where}: {self.message}" if where else self.message


class Transient(ProviderError):
    """The call failed now and may succeed later.

    `retry_after` is the wait in seconds that the provider (or our own budget) asks for, if any.
    `ambiguous` is true when the provider may have acted although we have no answer that says so:
    whoever made the call must look before doing it again.
    """

    def __init__(
        self,
        message: str,
        retry_after: float | None = None,
        ambiguous: bool = False,
        *,
        provider: str = "",
        operation: str = "",
    ) -> None:
        super().__init__(message, provider=provider, operation=operation)
        self.retry_after = retry_after
        self.ambiguous = ambiguous


class RateLimited(Transient):
    """The provider (429), or the budget that keeps us from getting there, asks us to slow down."""


class Rejected(ProviderError):
    """The provider understood the request and refuses it; sending it again changes nothing.

    `code` is the provider's own error code as text, `status` the HTTP status.
    """

    def __init__(self, code: str, message: str, status: int, *, provider: str = "", operation: str = "") -> None:
        super().__init__(message, provider=provider, operation=operation)
        self.code = code
        self.status = status

    @property
    def is_credential_fault(self) -> bool:
        """Is it the credential, and not this request, that the provider turns away (401, 403)?"""
        return self.status in CREDENTIAL_STATUSES


class CircuitOpen(ProviderError):
    """The breaker is open: the provider was not asked at all. `retry_after` is in seconds."""

    def __init__(self, retry_after: float, *, provider: str = "", operation: str = "") -> None:
        super().__init__(
            f"not asked, too many recent failures; next try in {retry_after:.1f} s",
            provider=provider,
            operation=operation,
        )
        self.retry_after = retry_after
