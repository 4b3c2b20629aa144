"""TwiML documents: reading them, and the addresses in them."""

import re
from dataclasses import dataclass, field
from typing import Final
from xml.etree import ElementTree

from yarl import URL

from integrations.sandbox.twilio.courier import Callback

MAX_BYTES: Final = 64 * 1024
# Roughly what a voice says in a second.
_LETTERS_A_SECOND: Final = 15


class NotTwiml(Exception):
    """What came is no TwiML document (Twilio's error 12100)."""


class HangUp(Exception):
    """The instructions end the call, with this status."""

    def __init__(self, status: str = "completed") -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True, slots=True)
class Document:
    """A document's verbs, and where it came from: relative addresses start there."""

    verbs: tuple[ElementTree.Element, ...]
    url: str = ""

    def address(self, element: ElementTree.Element, name: str) -> str:
        """Return an attribute as an absolute URL; nothing when it is not there."""
        value = (element.get(name) or "").strip()
        return self.resolve(value) if value else ""

    def resolve(self, address: str) -> str:
        """Return an address as an absolute URL."""
        if not self.url or "://" in address:
            return address
        return str(URL(self.url).join(URL(address)))

    def callback(self, element: ElementTree.Element, name: str = "statusCallback", default: str = "completed") -> Callback:
        """Return where an element's events go: three attributes with a common beginning."""
        events = (element.get(f"{name}Event") or default).split()
        return Callback(self.address(element, name), method_of(element, f"{name}Method"), frozenset(events))


@dataclass(slots=True)
class Speech:
    """What a leg hears: the words, and how long they take."""

    words: str
    seconds: float = field(init=False)

    def __post_init__(self) -> None:
        self.seconds = max(0.5, len(self.words) / _LETTERS_A_SECOND)


def read(body: bytes, url: str = "") -> Document:
    """Return the document in `body`. Raises NotTwiml."""
    if len(body) > MAX_BYTES:
        raise NotTwiml("longer than 64 kB")
    try:
        # Expat resolves no external entities, and what expands beyond reason it refuses by itself.
        root = ElementTree.fromstring(body)  # noqa: S314
    except ElementTree.ParseError as error:
        raise NotTwiml(str(error)) from error
    if root.tag != "Response":
        raise NotTwiml(f"the root is {root.tag}, not Response")
    return Document(tuple(root), url)


def method_of(element: ElementTree.Element, name: str = "method") -> str:
    """Return the HTTP method that an attribute names, POST without one."""
    return "GET" if (element.get(name) or "").upper() == "GET" else "POST"


def flag(element: ElementTree.Element, name: str, default: bool) -> bool:
    """Return a boolean attribute."""
    value = (element.get(name) or "").strip().lower()
    return default if not value else value == "true"


def number(element: ElementTree.Element, name: str, default: float) -> float:
    """Return an attribute that counts; the default when it is missing or no number."""
    value = (element.get(name) or "").strip()
    return float(value) if re.fullmatch(r"\d+(\.\d+)?", value) else default


def words(element: ElementTree.Element) -> str:
    """Return the text in an element, white space made even."""
    return " ".join("".join(element.itertext()).split())
