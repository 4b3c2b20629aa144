"""The limits and their defaults, and how they are written in RINGSIDE_LIMITS."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_s` units a second in the long run, `burst` of them at once."""

    per_s: float
    burst: float

    @property
    def interval_s(self) -> float:
        """How long one unit takes to come back."""
        return 1.0 / self.per_s

    @property
    def window_s(self) -> float:
        """How long it takes until everything has come back."""
        return self.burst / self.per_s


@dataclass(frozen=True, slots=True)
class Limits:
    """What the rates and numbers are. A read costs 1 unit, a write 2, what is expensive more (hub.limits.costs)."""

    enforced: bool = True
    # By who asks, in all processes together.
    tenant: Rate = Rate(200, 600)
    user: Rate = Rate(40, 200)
    # By where it comes from, for whoever has not shown a good token.
    address: Rate = Rate(20, 200)
    pages: Rate = Rate(300, 3000)
    webhooks: Rate = Rate(500, 5000)
    # Sockets that come, by address and of one process.
    connects: Rate = Rate(300, 500)
    connects_user: Rate = Rate(1, 60)
    hub_connects: Rate = Rate(500, 500)
    # Bytes that a client sends on its socket: a token now and then, and the answers to pings.
    socket_bytes: Rate = Rate(500, 40_000)
    socket_messages: Rate = Rate(2, 30)
    # How many at once, in one process.
    sockets_user: int = 50
    sockets_tenant: int = 4000
    sockets_address: int = 4000
    waiting: int = 5000
    waiting_address: int = 2500
    connections_address: int = 5000
    uploads_tenant: int = 4
    queue_tenant: int = 300
    held: int = 1000

    @classmethod
    def parse(cls, text: str) -> Limits:
        """The limits as `name=PER_SECOND/BURST` and `name=NUMBER`, separated by commas, on top of the defaults; `off` for none.

        Raises ValueError saying what is wrong.
        """
        if text.strip().lower() == "off":
            return cls(enforced=False)
        kinds = {field.name: field.default for field in fields(cls) if field.name != "enforced"}
        given: dict[str, Rate | int] = {}
        for part in filter(None, (part.strip() for part in text.split(","))):
            name, _, value = part.partition("=")
            if name.strip() not in kinds:
                raise ValueError(f"there is no limit {name.strip()!r}; there are {', '.join(kinds)}")
            as_rate = isinstance(kinds[name.strip()], Rate)
            given[name.strip()] = _rate(part, value) if as_rate else _number(part, value)
        return replace(cls(), **given)  # type: ignore[arg-type]


def _rate(part: str, value: str) -> Rate:
    per_s, _, burst = value.partition("/")
    try:
        rate = Rate(float(per_s), float(burst))
    except ValueError:
        raise ValueError(f"{part!r} should be PER_SECOND/BURST, such as tenant=200/600") from None
    if not (0.01 <= rate.per_s <= 1e6 and 1 <= rate.burst <= 1e6):
        raise ValueError(f"{part!r} should be between 0.01/1 and 1000000/1000000")
    return rate


def _number(part: str, value: str) -> int:
    if not value.strip().isdigit() or not 1 <= int(value) <= 1_000_000:
        raise ValueError(f"{part!r} should be a number from 1 to 1000000")
    return int(value)
