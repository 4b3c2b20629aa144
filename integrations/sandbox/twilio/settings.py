"""How a sandbox behaves."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

DEMO_ACCOUNT_SID: Final = "AC00000000000000000000000000000000"
DEMO_AUTH_TOKEN: Final = "sandbox-auth-token"  # noqa: S105  # opens nothing but this sandbox


@dataclass(frozen=True, slots=True)
class CallbackHabit:
    """How callbacks reach us: at all, how often, in what order, how late (in seconds, not sped up)."""

    is_sent: bool = True
    copies: int = 1
    is_swapped: bool = False
    delay_s: float = 0.0


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """`from_numbers` are the only numbers that may call or write, together with those bought; None lets any.

    `owned_numbers` belong to the account from the start, and so do `from_numbers`.
    `calls_per_s` call creations a second are allowed. `speed` is how much faster than real the calls go.
    `hang_s` is how long a lost answer keeps the request waiting, `callback_timeout_s` how long a callback may take.
    `signing_key` (an id and a secret) signs the webhooks with HMAC-SHA256 instead of the auth token's HMAC-SHA1.
    `recording_cap_s` is the length at which a recording's file ends, however long the call was.
    `numbers_file` keeps the owned numbers and their addresses for the next start.
    """

    account_sid: str = DEMO_ACCOUNT_SID
    auth_token: str = field(default=DEMO_AUTH_TOKEN, repr=False)
    host: str = "127.0.0.1"
    port: int = 0
    speed: float = 1.0
    calls_per_s: float = 10.0
    from_numbers: frozenset[str] | None = None
    owned_numbers: tuple[str, ...] = ()
    callbacks: CallbackHabit = CallbackHabit()
    hang_s: float = 30.0
    callback_timeout_s: float = 15.0
    signing_key: tuple[str, str] | None = field(default=None, repr=False)
    recording_cap_s: float = 60.0
    numbers_file: Path | None = None
