"""What happens to how a company signs in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel

from hub.events import MANAGERS, Event, declare

What = Literal[
    "provider_set",
    "provider_removed",
    "provider_tested",
    "enforced",
    "not_enforced",
    "domain_asked",
    "domain_proven",
    "domain_removed",
    "member_connected",
    "member_disconnected",
]


class SsoData(BaseModel):
    """What changed; the rest is read anew."""

    what: What
    issuer: str | None = None
    domain: str | None = None
    member_id: UUID | None = None


@declare
@dataclass(frozen=True, slots=True)
class SsoUpdated(Event):
    """Something about how the company signs in has changed."""

    type = "sso.updated"
    subject_kind = "sso"
    data_model = SsoData
    audited = True
    audit_fields = ("what", "issuer", "domain", "member_id")

    @classmethod
    def of(cls, what: What, **more: Any) -> SsoUpdated:
        """The event; the company has one sign-in, so that there is no id."""
        data: Mapping[str, Any] = {"what": what, **more}
        return cls(None, data, MANAGERS)
