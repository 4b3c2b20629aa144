"""Ports for telling people things outside of the console: letters of our own, and pushes to browsers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class OwnLetter:
    """A letter to hand over. `name` is its own for good, so that a repeated attempt is recognised as the same letter."""

    name: str
    to: str
    subject: str
    text: str
    html: str
    written_at: datetime


class LetterCarrier(Protocol):
    """Takes letters to a mail server."""

    async def carry(self, letter: OwnLetter) -> None:
        """Hand one over. Raises Transient (it may arrive twice after an `ambiguous` one), CircuitOpen, or Rejected.

        A Rejected with a number for a code is about this letter; any other is about how the mail server is set up.
        """
        ...


@dataclass(frozen=True, slots=True)
class PushTarget:
    """Where a browser takes pushes: its push service's address for it, and its keys in base64url (RFC 8291)."""

    endpoint: str = field(repr=False)
    p256dh: str = field(repr=False)
    auth: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PushMessage:
    """What is pushed. The service keeps it for `ttl_s` while the device is off; of one `topic` it keeps only the last."""

    body: bytes = field(repr=False)
    ttl_s: int = 86_400
    topic: str = ""
    is_urgent: bool = False


class PushCarrier(Protocol):
    """Takes pushes to the browsers' push services."""

    async def push(self, target: PushTarget, message: PushMessage, key: str) -> None:
        """Push one, signed with the installation's `key` (PEM). Raises Transient, CircuitOpen, or Rejected.

        A Rejected with the status 404 or 410 says that the browser takes no more pushes.
        """
        ...
