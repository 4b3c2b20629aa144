"""The ways a rep can talk, and what has to be dialed for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from hub.config import Settings

LineKind = Literal["softphone", "bridge", "simulated"]


@dataclass(frozen=True, slots=True)
class Way:
    """How to reach a rep: the kind of line and what is dialed for it, E.164 or client:identity."""

    kind: LineKind
    address: str


def kinds_of(settings: Settings) -> tuple[LineKind, ...]:
    """The kinds this installation can do, the one for those who have chosen nothing first.

    The simulated line is there where the telephone account is a stand-in; a real one knows no robots.
    """
    account = settings.twilio
    if account is None:
        return ()
    kinds: list[LineKind] = []
    if account.api_url:
        kinds.append("simulated")
    if account.has_softphone:
        kinds.append("softphone")
    return (*kinds, "bridge")


def identity_of(tenant_id: UUID, user_id: UUID) -> str:
    """A person's name at the provider: of letters, digits and underscores only."""
    return f"{tenant_id.hex}_{user_id.hex}"


def way_to(
    settings: Settings, tenant_id: UUID, user_id: UUID, chosen: LineKind | None = None, phone: str | None = None
) -> Way | None:
    """How to reach a person who has chosen this, or nothing; None when there is no way.

    What is not set up any more falls back to what is.
    """
    kinds = kinds_of(settings)
    if chosen == "bridge" and phone and "bridge" in kinds:
        return Way("bridge", phone)
    identity = identity_of(tenant_id, user_id)
    wanted = chosen if chosen in kinds and chosen != "bridge" else next((kind for kind in kinds if kind != "bridge"), None)
    if wanted == "softphone":
        return Way("softphone", f"client:{identity}")
    if wanted == "simulated":
        return Way("simulated", f"client:sim-{identity}")
    return None
