"""Google's words in ours: errors, labels, times."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

import httplib2
from googleapiclient.errors import Error, HttpError

from integrations.errors import ProviderError, RateLimited, Rejected, Transient
from integrations.gmail.wire import Unreachable
from integrations.mail import SystemLabel
from integrations.waiting import seconds_of

# A 403 with one of these reasons is about the pace, not about the credential.
# https://developers.google.com/workspace/gmail/api/guides/handle-errors
PACE_REASONS: Final = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "dailyLimitExceeded", "quotaExceeded"})
# And with one of these it is the installation's own project that is not set up: no mailbox is to be called revoked.
PROJECT_REASONS: Final = frozenset({"accessNotConfigured", "SERVICE_DISABLED"})
LABELS: Final[Mapping[SystemLabel, str]] = MappingProxyType(
    {
        "inbox": "INBOX",
        "sent": "SENT",
        "draft": "DRAFT",
        "spam": "SPAM",
        "trash": "TRASH",
        "unread": "UNREAD",
        "starred": "STARRED",
        "important": "IMPORTANT",
    }
)
_OURS: Final[Mapping[str, str]] = MappingProxyType({theirs: ours for ours, theirs in LABELS.items()})
_RETRY_AFTER: Final = re.compile(r"Retry after (\d{4}-\d\d-\d\dT[\d:.]+Z)")


def our_labels(ids: Iterable[str]) -> frozenset[str]:
    """Our names of the system's labels, Google's ids of the others."""
    return frozenset(_OURS.get(each, each) for each in ids)


def their_labels(names: Iterable[str]) -> list[str]:
    """Google's ids."""
    theirs: Mapping[str, str] = {str(ours): google for ours, google in LABELS.items()}
    return sorted({theirs.get(each, each) for each in names})


def moment(milliseconds: Any) -> datetime:
    """The time of Google's milliseconds since 1970. Raises ValueError or TypeError."""
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)


def our_error(error: Exception) -> ProviderError | None:
    """Our error for what the SDK raised; None for what is none of the provider's doing.

    What happened after the request was sent is ambiguous, and so is an answer of success that can't be read.
    """
    if isinstance(error, ProviderError):
        return error
    if isinstance(error, HttpError):
        return answer_error(int(error.resp.status), error.content, error.resp.get("retry-after"))
    if isinstance(error, Unreachable):
        return Transient(f"could not connect: {error}")
    if isinstance(error, OSError | http.client.HTTPException | httplib2.HttpLib2Error):
        return Transient(f"the answer was lost: {in_short(error)}", ambiguous=True)
    if isinstance(error, Error | ValueError | KeyError | TypeError | IndexError):
        return Transient(f"unreadable answer: {in_short(error)}", ambiguous=True)
    return None


def in_short(error: Exception) -> str:
    """What an error is about, without what it is about: some hold the whole answer."""
    return f"{type(error).__name__}: {error}"[:300]


def answer_error(status: int, content: bytes, retry_after: str | None) -> ProviderError:
    """Our error for an answer with a status of 300 or more. A 5xx is ambiguous: it may have been done before something broke."""
    code, message = _reason(status, content)
    wait_s = seconds_of(retry_after) or _named_wait_s(message)
    if status == 429 or (status == 403 and code in PACE_REASONS):
        return RateLimited(message, wait_s)
    if status == 408 or status >= 500:
        return Transient(f"{message} (HTTP {status}, {code})", wait_s, ambiguous=True)
    return Rejected(code, message, 400 if code in PROJECT_REASONS else status)


def _named_wait_s(message: str) -> float | None:
    # A mailbox that has sent too much is told in words until when it may not.
    found = _RETRY_AFTER.search(message)
    if found is None:
        return None
    try:
        return max(0.0, (datetime.fromisoformat(found[1]) - datetime.now(UTC)).total_seconds())
    except ValueError:
        return None


def _reason(status: int, content: bytes) -> tuple[str, str]:
    """The reason and the message in an error's body, or what can be said without."""
    try:
        error = json.loads(content)["error"]
        message = str(error.get("message") or f"HTTP {status}")
        first = (error.get("errors") or [{}])[0]
        return str(first.get("reason") or error.get("status") or status), message
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return str(status), f"HTTP {status}"
