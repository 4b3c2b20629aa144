"""The times and sizes the live floor keeps to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Defaults for production; tests that wait for one of these shorten it."""

    tick_s: float = 0.5
    """How often the log and the withdrawn access are looked at: the longest an event waits when Redis is down."""

    connect_deadline_s: float = 5.0
    """How long a connection may take to become a socket."""

    backlog_bytes: int = 256 * 1024
    """What a client may have left unread before it is taken off the live path."""

    resume_below_bytes: int = 32 * 1024
    """How little must be left unread before it is given more from the log."""

    stalled_s: float = 30.0
    """How long a client that is behind may take nothing at all before it is dropped."""

    max_behind: int = 10_000
    """More missed events than this are not replayed; the client fetches state again."""

    ping_interval_s: int = 15
    ping_timeout_s: int = 10
    max_message_bytes: int = 16 * 1024
    """The largest message a client may send. The only ones are CONNECT and `auth`, which carry a token."""

    absence_grace_s: float = 5.0
    """How long after their last socket a person still counts as being there: a reload takes less."""

    lease_s: float = 15.0
    beat_s: float = 4.0
    reap_s: float = 5.0
