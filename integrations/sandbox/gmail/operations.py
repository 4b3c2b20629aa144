"""What every operation of the API is asked with, and how the answers of lists are paged."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from multidict import MultiDict, MultiMapping

from integrations.sandbox.gmail import refusals
from integrations.sandbox.gmail.mailbox import Mailbox, Stored
from integrations.sandbox.gmail.search import parse

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ask:
    """One request: whose mailbox, what is in the path, the query and the body; `media` are the bytes of an upload.

    `scopes` are those of the token.
    """

    mailbox: Mailbox
    path: Mapping[str, str]
    query: MultiMapping[str] = field(default_factory=MultiDict)
    body: Mapping[str, Any] = field(default_factory=dict)
    media: bytes | None = None
    scopes: frozenset[str] = frozenset()

    def number(self, name: str, usual: int, most: int) -> int:
        """Return a number of the query, at most `most`."""
        return min(int(self.query.get(name) or usual), most)

    def is_set(self, name: str) -> bool:
        """Return a switch of the query."""
        return self.query.get(name, "false").lower() == "true"


# None is an empty answer.
Handler = Callable[[Ask], dict[str, Any] | None]


def found_messages(ask: Ask) -> tuple[list[Stored], tuple[int, int] | None, int]:
    """Return a page of the messages that the query asks for, where the next begins (None: nowhere), and how many there are."""
    mailbox, wanted = ask.mailbox, set(ask.query.getall("labelIds", []))
    for label in wanted:
        if not mailbox.knows_label(label):
            raise refusals.invalid(f"Invalid label: {label}")
    query = parse(ask.query.get("q", ""), mailbox)
    hidden = set() if ask.is_set("includeSpamTrash") or query.reaches_bin else {"SPAM", "TRASH"} - wanted
    source: Iterable[Stored] = mailbox.newest_first()
    if query.header_id:
        source = sorted(mailbox.by_header_id.get(query.header_id, ()), key=lambda each: each.place, reverse=True)
    before = _place(ask.query.get("pageToken", ""))
    limit = ask.number("maxResults", 100, 500)
    page: list[Stored] = []
    total, goes_on = 0, False
    for message in source:
        labels = message.labels
        if not (wanted <= labels and hidden.isdisjoint(labels) and query.matches(message)):
            continue
        total += 1
        if before is None or message.place < before:
            if len(page) < limit:
                page.append(message)
            else:
                goes_on = True
    return page, page[-1].place if goes_on and page else None, total


def paged(items: list[T], ask: Ask, usual: int = 100, most: int = 500) -> tuple[list[T], str | None]:
    """Return a page of a list and the token of the next."""
    token = ask.query.get("pageToken") or "0"
    if not token.isdigit():
        raise refusals.invalid("Invalid pageToken")
    first = int(token)
    last = first + ask.number("maxResults", usual, most)
    return items[first:last], str(last) if last < len(items) else None


def token_of(place: tuple[int, int]) -> str:
    """Return the page token that goes on after a place."""
    return f"{place[0]}-{place[1]}"


def _place(token: str) -> tuple[int, int] | None:
    if not token:
        return None
    first, _, second = token.partition("-")
    if not (first.isdigit() and second.isdigit()):
        raise refusals.invalid("Invalid pageToken")
    return int(first), int(second)
