"""Stripe's webhooks: https://docs.stripe.com/webhooks#verify-manually

Signed with HMAC-SHA256 over the time and the body, by each secret that is good at the time: while one is rotated there are two.
The SDK refuses signatures older than its tolerance, and takes those from the future; we take neither.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import orjson
import stripe

from integrations.payments import PaymentEvent

TOLERANCE_S: Final = 300
_TIME: Final = re.compile(r"(?:^|,)\s*t=(\d{1,12})(?:,|$)")


class StripeWebhook:
    """The `PaymentEventReader` port on Stripe. Any of the `secrets` will do; `now` is in Unix seconds."""

    provider = "stripe"

    def __init__(self, secrets: Sequence[str], *, now: Callable[[], float] = time.time) -> None:
        self._secrets = tuple(secrets)
        self._now = now

    def read(self, body: bytes, signature: str) -> PaymentEvent:
        """The event. Raises PermissionError for a forgery, ValueError for what is genuine but no event."""
        if not self._is_genuine(body, signature):
            raise PermissionError("the signature does not fit")
        try:
            event = orjson.loads(body)
        except orjson.JSONDecodeError as exc:
            raise ValueError(f"it is no JSON: {exc}") from None
        if not isinstance(event, dict) or event.get("object") != "event":
            raise ValueError("it is no event")
        thing = (event.get("data") or {}).get("object") if isinstance(event.get("data"), dict) else None
        if not isinstance(thing, dict):
            raise ValueError("it is about nothing")
        customer = thing.get("id") if thing.get("object") == "customer" else thing.get("customer")
        if isinstance(customer, dict):
            customer = customer.get("id")
        return PaymentEvent(
            id=_text(event, "id"),
            kind=_text(event, "type"),
            customer=customer if isinstance(customer, str) else "",
            thing=str(thing.get("id") or ""),
            created_at=datetime.fromtimestamp(int(event.get("created") or 0), UTC),
        )

    def _is_genuine(self, body: bytes, signature: str) -> bool:
        # The SDK's comparison raises for anything else.
        if not signature.isascii():
            return False
        times = _TIME.findall(signature)
        # Two times: nobody could say which of them was signed.
        if len(times) != 1 or abs(int(times[0]) - self._now()) > TOLERANCE_S:
            return False
        try:
            text = body.decode()
        except UnicodeDecodeError:
            return False
        return any(_fits(text, signature, secret) for secret in self._secrets)


def _fits(text: str, signature: str, secret: str) -> bool:
    try:
        # The time is looked at by ourselves.
        stripe.WebhookSignature.verify_header(text, signature, secret, None)
    except stripe.SignatureVerificationError:
        return False
    return True


def _text(event: dict[str, Any], name: str) -> str:
    value = event.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= 255:
        raise ValueError(f"it has no {name}")
    return value
