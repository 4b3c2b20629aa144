"""What happens to the rule."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from hub.events import MANAGERS, Event, declare


class SecondFactorData(BaseModel):
    """What the company wants now."""

    required: bool
    trusts_provider: bool


@declare
@dataclass(frozen=True, slots=True)
class SecondFactorRuleChanged(Event):
    """Whether everybody has to have a second factor was set."""

    type = "second_factor.changed"
    subject_kind = "second_factor"
    data_model = SecondFactorData
    audited = True
    audit_fields = ("required", "trusts_provider")

    @classmethod
    def of(cls, *, required: bool, trusts_provider: bool) -> SecondFactorRuleChanged:
        """The event; the company has one rule, so that there is no id."""
        return cls(None, {"required": required, "trusts_provider": trusts_provider}, MANAGERS)
