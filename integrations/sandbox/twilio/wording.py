"""How Twilio writes things down: SIDs, times, numbers, and the fields of a form."""

import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Any, Final

import orjson
import phonenumbers
from aiohttp import web
from multidict import MultiDictProxy
from yarl import URL

API_VERSION: Final = "2010-04-01"

Form = MultiDictProxy[Any]


def new_sid(kind: str) -> str:
    """Return a fresh SID of a kind: CA for calls, CF for conferences, RQ for requests."""
    return kind + secrets.token_hex(16)


def now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)


def rfc_2822(at: datetime | None) -> str | None:
    """Return a time as Twilio writes it."""
    return None if at is None else format_datetime(at)


def formatted(number: str) -> str:
    """Return a North American number as people there write it, and any other as it is."""
    if number.startswith("+1") and len(number) == 12:
        return f"({number[2:5]}) {number[5:8]}-{number[8:]}"
    return number


@lru_cache(maxsize=4096)
def country(number: str) -> str:
    """Return the country of a number in E.164, or nothing."""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number)) or ""
    except phonenumbers.NumberParseException:
        return ""


def truth(value: bool) -> str:
    """Return a boolean as Twilio's forms have it."""
    return "true" if value else "false"


def text(form: Form, name: str) -> str:
    """Return a form field without the space around it; nothing when it was not sent."""
    return str(form.get(name, "")).strip()


def flag(form: Form, name: str, default: bool = False) -> bool:
    """Return a boolean form field."""
    value = text(form, name).lower()
    return default if not value else value == "true"


def number(form: Form, name: str, default: int) -> int:
    """Return a whole number of a form; the default when it was not sent or is none."""
    value = text(form, name)
    return int(value) if value.isdigit() else default


def words(form: Form, name: str, default: Iterable[str]) -> frozenset[str]:
    """Return a field that comes several times, or once with spaces in it: both are accepted."""
    sent = [word for value in form.getall(name, []) for word in str(value).split()]
    return frozenset(sent or default)


def is_web_address(address: str) -> bool:
    """Is this a URL that could be asked?"""
    try:
        url = URL(address)
    except ValueError:
        return False
    return url.scheme in ("http", "https") and bool(url.host)


def reply(resource: Any, status: int = 200) -> web.Response:
    """Answer with JSON."""
    return web.Response(body=orjson.dumps(resource), status=status, content_type="application/json")


def gone() -> web.Response:
    """Answer that it has been deleted."""
    return web.Response(status=204)
