"""What a Stripe sandbox is told when it starts."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

DEMO_SECRET_KEY: Final = "sk_test_ringside"  # noqa: S105
DEMO_WEBHOOK_SECRET: Final = "whsec_ringside_sandbox"  # noqa: S105

AfterRetries = Literal["cancel", "unpaid", "past_due"]


@dataclass(slots=True)
class StripeSettings:
    """How the account is set: the key, the rules for payments that fail, and how webhooks are sent.

    Failed payments are tried again `retry_after_days` after the failure before; then `after_retries` happens to the
    subscription. `webhook_retry_s` is the first pause after a delivery that failed, in our seconds; it doubles.
    """

    secret_key: str = DEMO_SECRET_KEY
    host: str = "127.0.0.1"
    port: int = 0
    speed: float = 1.0
    retry_after_days: tuple[float, ...] = (3.0, 5.0, 7.0)
    after_retries: AfterRetries = "cancel"
    webhook_url: str = ""
    webhook_secret: str = DEMO_WEBHOOK_SECRET
    webhook_retry_s: float = 1.0
    webhook_tries: int = 8
    # More than this many requests in a second are refused with 429; 100 is what Stripe allows in live mode, 25 in test mode.
    requests_per_s: float = 0.0
    currency: str = "usd"
    account_name: str = "Ringside"
    account_country: str = "US"
    # "SHOWN@BEGAN*SPEED" instead of `speed`, and where everything is kept for the next start.
    clock: str = ""
    state: Path | None = None
