"""What becomes of a feature that is in use when the company's plan loses it: one table, for whoever says it and whoever does it.

Nothing is deleted, nobody sees or may do more than before, and owners are never shut out: their role is a built-in one, and the
ways to sign in that every plan has stay open. What rests comes back with a plan that has it, but for single sign-on: whether a
provider that nobody used for a while is still the right one is for a person to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hub.plans.table import FEATURES, PLANS, Feature, PlanName

# Why a webhook stands still; those that stand still for this reason go on when the plan has webhooks again.
NO_WEBHOOKS: Final = "The company's plan has no webhooks."


@dataclass(frozen=True, slots=True)
class InUse:
    """What of a company's belongs to features that not every plan has."""

    people_with_roles: int
    roles: int
    keys: int
    webhooks: int
    visibility: str
    is_sso_enforced: bool
    joins_by_sso: bool
    has_sso: bool


@dataclass(frozen=True, slots=True)
class Rest:
    """What happens, in words; empty where nothing does, since nothing is in use. `back` is said before it comes back."""

    lost: str
    back: str


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def _custom_roles(used: InUse) -> Rest:
    if not used.roles:
        return Rest("", "")
    who = _count(used.people_with_roles, "person has a role", "people have roles")
    return Rest(
        f"{who} of your company's own. Such a role keeps what the built-in role that it is based on has as well, and loses what "
        "goes beyond it; it can't be changed or given to anybody.",
        f"What your company's {_count(used.roles, 'own role')} allowed before.",
    )


def _api_keys(used: InUse) -> Rest:
    if not used.keys:
        return Rest("", "")
    keys = _count(used.keys, "API key")
    if used.keys == 1:
        lost = f"{keys} stops working at once, and what listens with it is disconnected. It is kept."
        return Rest(lost, f"{keys} works again.")
    lost = f"{keys} stop working at once, and what listens with them is disconnected. They are kept."
    return Rest(lost, f"{keys} work again.")


def _webhooks(used: InUse) -> Rest:
    if not used.webhooks:
        return Rest("", "")
    one = used.webhooks == 1
    return Rest(
        f"{_count(used.webhooks, 'webhook')} {'is' if one else 'are'} paused. What happens meanwhile is sent later only if it is "
        "no older than the log, a week.",
        f"Webhooks that rested go on where {'it' if one else 'they'} stopped.",
    )


def _visibility(used: InUse) -> Rest:
    if used.visibility == "everyone":
        return Rest("", "")
    seen = {"team": "their teams'", "own": "their own"}[used.visibility]
    lost = f"Members go on seeing only what is {seen}. That can't be changed any more, except that everybody sees everything."
    return Rest(lost, "")


def _sso(used: InUse) -> Rest:
    if not used.has_sso:
        return Rest("", "")
    forced = "Nobody has to sign in through your provider any more: who has no password gets one by “Forgot your password?”. "
    joins = "Nobody new joins through it. "
    said = (forced if used.is_sso_enforced else "") + (joins if used.joins_by_sso else "")
    return Rest(
        said + "Who is connected with it can still come in that way; the settings can't be changed.",
        "Single sign-on can be set up again; that everybody has to use it is for you to switch on.",
    )


def _audit_export(_: InUse) -> Rest:
    return Rest("The audit log goes on and can be read, but not exported.", "")


RESTS: Final = {
    "custom_roles": _custom_roles,
    "api_keys": _api_keys,
    "webhooks": _webhooks,
    "visibility": _visibility,
    "sso": _sso,
    "audit_export": _audit_export,
}


def lost_with(plan: PlanName) -> frozenset[Feature]:
    """The features that a plan does not have."""
    return frozenset(FEATURES) - PLANS[plan].features
