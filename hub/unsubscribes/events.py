"""What happens when somebody wants no more mail."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from hub.events import Event, declare
from hub.unsubscribes.models import Unsubscribe


class UnsubscribeData(BaseModel):
    """Who it is and how they said it."""

    unsubscribe: Unsubscribe


@declare
@dataclass(frozen=True, slots=True)
class MailUnsubscribed(Event):
    """Somebody unsubscribed."""

    type = "mail.unsubscribed"
    subject_kind = "unsubscribe"
    data_model = UnsubscribeData


@declare
@dataclass(frozen=True, slots=True)
class MailResubscribed(Event):
    """Somebody took their unsubscribing back."""

    type = "mail.resubscribed"
    subject_kind = "unsubscribe"
    data_model = UnsubscribeData
