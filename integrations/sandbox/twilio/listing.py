"""Lists: pages, and filters by time."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import dropwhile
from typing import Any, Final, Protocol
from urllib.parse import urlencode

from integrations.sandbox.twilio import refusals

_DEFAULT_PAGE_SIZE: Final = 50
_LONGEST_PAGE: Final = 1000
_PAGING: Final = frozenset({"Page", "PageSize", "PageToken"})


class Listed(Protocol):
    """Anything that a list can hold."""

    @property
    def sid(self) -> str:
        """What tells it from the others."""
        ...

    def as_resource(self) -> dict[str, Any]:
        """Return its JSON."""
        ...


def page_of(name: str, matching: Iterable[Listed], path: str, query: Mapping[str, str]) -> dict[str, Any]:
    """Return the page of `matching` that `query` asks for, under `name`, with links to its neighbours.

    A page goes on after the one named in its token, so that what is made meanwhile shifts nothing.
    """
    size = min(max(1, _integer(query, "PageSize", _DEFAULT_PAGE_SIZE)), _LONGEST_PAGE)
    page = max(0, _integer(query, "Page", 0))
    token = query.get("PageToken", "").removeprefix("PA")
    if token:
        matching = list(dropwhile(lambda each: each.sid != token, matching))[1:]
    chosen = list(matching)
    shown, more = chosen[:size], len(chosen) > size
    start = page * size

    def link(number: int, token: str = "") -> str:
        kept = {name: value for name, value in query.items() if name not in _PAGING}
        paging = {"PageSize": size, "Page": number} | ({"PageToken": f"PA{token}"} if token else {})
        return f"{path}?{urlencode(kept | paging)}"

    return {
        name: [each.as_resource() for each in shown],
        "first_page_uri": link(0),
        "next_page_uri": link(page + 1, shown[-1].sid) if more else None,
        "previous_page_uri": link(page - 1) if page else None,
        "page": page,
        "page_size": size,
        "start": start,
        "end": start + max(0, len(shown) - 1),
        "uri": link(page, token),
    }


def is_within(at: datetime | None, query: Mapping[str, str], name: str) -> bool:
    """Is a time on the day, after or before the times that the query asks for under `name`?"""
    if not any(key.startswith(name) for key in query):
        return True
    tests: dict[str, Callable[[datetime, datetime], bool]] = {
        name: lambda moment, day: day <= moment < day + timedelta(days=1),
        f"{name}>": lambda moment, since: moment >= since,
        f"{name}<": lambda moment, until: moment < until,
    }
    asked = [(test, _moment(query[key])) for key, test in tests.items() if key in query]
    # What has not started, or not ended, is on neither side of any time.
    return all(at is not None and test(at, limit) for test, limit in asked)


def is_equal(query: Mapping[str, str], **values: str) -> bool:
    """Has each named value the one that the query asks for, where it asks?"""
    return all(query.get(name, value) == value for name, value in values.items())


def _moment(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise refusals.Refusal(400, 20001, f"Invalid date: {text}") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _integer(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, "")
    return int(text) if text.isdigit() else default
