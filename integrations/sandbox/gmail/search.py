"""The search box: a useful part of https://support.google.com/mail/answer/7190 as a test for messages."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from typing import Final

from integrations.sandbox.gmail.mailbox import Mailbox, Stored
from integrations.sandbox.gmail.payload import text_in
from integrations.sandbox.gmail.rfc822 import header

Test = Callable[[Stored], bool]

_TERM: Final = re.compile(
    r'(?P<not>-)?(?:(?P<key>[A-Za-z0-9_]+):)?(?:"(?P<quoted>[^"]*)"|\((?P<group>[^)]*)\)|(?P<plain>[^\s"]+))'
)
_AGE: Final = re.compile(r"(\d+)([dmy])")
_DAYS: Final = {"d": 1, "m": 30, "y": 365}
_PLACES: Final = {"anywhere", "all"}


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query; `reaches_bin` says that it names spam, trash or everything, `header_id` a Message-ID that it asks for."""

    matches: Test
    reaches_bin: bool = False
    header_id: str = ""


def parse(text: str, mailbox: Mailbox) -> Query:
    """Read a query. What is not understood is searched as words; an empty query finds everything."""
    clauses: list[list[Test]] = []
    reaches_bin, header_id, joins = False, "", False
    for found in _TERM.finditer(text):
        if found["plain"] == "OR" and not found["key"]:
            joins = bool(clauses)
            continue
        key = (found["key"] or "").lower()
        value = found["quoted"] if found["quoted"] is not None else found["group"] or found["plain"] or ""
        reaches_bin |= key in ("in", "label", "is") and value.lower() in (*_PLACES, "spam", "trash")
        if key == "rfc822msgid" and not found["not"]:
            header_id = f"<{value.strip('<>')}>"
        test = _test(key, value, mailbox)
        if found["not"]:
            test = _not(test)
        if joins:
            clauses[-1].append(test)
        else:
            clauses.append([test])
        joins = False
    if not clauses:
        return Query(lambda message: True)
    single = header_id if all(len(clause) == 1 for clause in clauses) else ""
    return Query(lambda message: all(any(test(message) for test in clause) for clause in clauses), reaches_bin, single)


def _not(test: Test) -> Test:
    return lambda message: not test(message)


def _test(key: str, value: str, mailbox: Mailbox) -> Test:
    words = value.lower()
    known = _KEYS.get(key)
    if known is not None:
        return known(words, mailbox)
    if key:
        words = f"{key}:{words}"
    return lambda message: words in f"{message.head.subject} {' '.join(message.head.senders)} {_body(message)}".lower()


def _body(message: Stored) -> str:
    return text_in(message_from_bytes(message.raw))


def _place(value: str, mailbox: Mailbox) -> Test:
    if value in _PLACES:
        return lambda message: True
    label = {"drafts": "DRAFT", "draft": "DRAFT"}.get(value, value.upper())
    if value == "read":
        return lambda message: "UNREAD" not in message.labels
    named = {
        each.id for each in mailbox.labels.values() if value in (each.name.lower(), re.sub(r"[\s/]", "-", each.name.lower()))
    }
    wanted = named | {label}
    return lambda message: not wanted.isdisjoint(message.labels)


def _from(value: str, mailbox: Mailbox) -> Test:
    wanted = mailbox.address if value == "me" else value
    return lambda message: any(wanted in each for each in message.head.senders) or wanted in header(message.raw, "From").lower()


def _to(value: str, mailbox: Mailbox) -> Test:
    wanted = mailbox.address if value == "me" else value
    return lambda message: any(wanted in each for each in message.head.recipients)


def _moment(value: str) -> int | None:
    if value.isdigit() and len(value) > 8:
        return int(value) * 1000
    try:
        year, month, day = (int(part) for part in re.split(r"[/-]", value))
        return int(datetime(year, month, day, tzinfo=UTC).timestamp() * 1000)
    except ValueError:
        return None


def _after(value: str, mailbox: Mailbox) -> Test:
    moment = _moment(value)
    return lambda message: moment is not None and message.internal_ms >= moment


def _before(value: str, mailbox: Mailbox) -> Test:
    moment = _moment(value)
    return lambda message: moment is not None and message.internal_ms < moment


def _age_ms(value: str, mailbox: Mailbox) -> int | None:
    found = _AGE.fullmatch(value)
    if found is None:
        return None
    moment = mailbox.clock.now() - timedelta(days=int(found[1]) * _DAYS[found[2]])
    return int(moment.timestamp() * 1000)


def _newer(value: str, mailbox: Mailbox) -> Test:
    moment = _age_ms(value, mailbox)
    return lambda message: moment is not None and message.internal_ms >= moment


def _older(value: str, mailbox: Mailbox) -> Test:
    moment = _age_ms(value, mailbox)
    return lambda message: moment is not None and message.internal_ms < moment


_KEYS: Final[dict[str, Callable[[str, Mailbox], Test]]] = {
    "in": _place,
    "is": _place,
    "label": _place,
    "category": lambda value, mailbox: _place(f"category_{value}", mailbox),
    "from": _from,
    "to": _to,
    "cc": lambda value, mailbox: lambda message: any(value in each for each in message.head.cc),
    "bcc": lambda value, mailbox: lambda message: any(value in each for each in message.head.bcc),
    "subject": lambda value, mailbox: lambda message: value in message.head.subject.lower(),
    "rfc822msgid": lambda value, mailbox: lambda message: message.head.message_id.strip("<>").lower() == value.strip("<>"),
    "after": _after,
    "newer": _after,
    "before": _before,
    "older": _before,
    "newer_than": _newer,
    "older_than": _older,
    "has": lambda value, mailbox: lambda message: value == "attachment" and message.head.content_type == "multipart/mixed",
}
