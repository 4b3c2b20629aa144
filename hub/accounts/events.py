"""What happens to a person's account. Only they themselves hear of it; the audit log has it for each of their companies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from hub.events import Event, declare, only_user

Change = Literal[
    "password_changed",
    "totp_on",
    "totp_off",
    "recovery_codes_made",
    "passkey_added",
    "passkey_renamed",
    "passkey_removed",
    "sessions_ended",
]


class AccountChange(BaseModel):
    """What was changed; no more than that, and nothing that is secret."""

    what: Change


@declare
@dataclass(frozen=True, slots=True)
class AccountChanged(Event):
    """How a person signs in was changed, or their sessions were."""

    type = "account.changed"
    subject_kind = "member"
    data_model = AccountChange

    @classmethod
    def of(cls, user_id: UUID, what: Change) -> AccountChanged:
        """The event for the person alone."""
        return cls(user_id, {"what": what}, only_user(user_id))
