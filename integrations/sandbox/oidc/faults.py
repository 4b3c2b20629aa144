"""Faults on request: what goes wrong at the provider, and the lies that its ID tokens tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from integrations.sandbox.faults import ConnectionDrops, ConnectionHangs, FaultQueue, is_named

Lie = Literal[
    "alg_none",
    "key_confusion",
    "other_key",
    "unknown_key",
    "other_issuer",
    "other_audience",
    "more_audiences",
    "other_azp",
    "other_nonce",
    "no_nonce",
    "expired",
    "old",
    "from_the_future",
    "no_subject",
    "old_auth_time",
    "no_token",
]
Kind = Literal[
    "400", "401", "429", "500", "503", "hang", "drop", "redirect", "huge", "not_json", "other_issuer_said", "other_subject"
]
LIES: Final = frozenset(get_args(Lie))
KINDS: Final = frozenset(get_args(Kind)) | LIES


class Refusal(Exception):
    """An answer that is an error (RFC 6749, 5.2)."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(f"{error}: {description}")
        self.status = status
        self.body = {"error": error, "error_description": description}


@dataclass(slots=True)
class Fault:
    """The next `times` requests for `operation` go wrong."""

    operation: str
    kind: Kind | Lie
    times: int = 1


class Faults(FaultQueue[Fault]):
    """What still goes wrong."""

    def next_for(self, operation: str) -> Fault | None:
        """Return what goes wrong with this request, and count it."""
        return self.take(lambda each: is_named(each.operation, operation))


def strike(fault: Fault | None) -> None:
    """Do what a fault does before the operation. Raises Refusal, ConnectionHangs or ConnectionDrops."""
    if fault is None or not (fault.kind.isdecimal() or fault.kind in ("hang", "drop")):
        return
    if fault.kind == "hang":
        raise ConnectionHangs
    if fault.kind == "drop":
        raise ConnectionDrops
    status = int(fault.kind)
    raise Refusal("server_error" if status >= 500 else "invalid_grant", "As it was asked for.", status)
