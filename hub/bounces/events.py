"""What happens when mail comes back."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from hub.bounces.models import MailBounce
from hub.events import Event, declare


class MailBounceData(BaseModel):
    """The bounce or complaint."""

    bounce: MailBounce


@declare
@dataclass(frozen=True, slots=True)
class MailBounced(Event):
    """A mail came back."""

    type = "mail.bounced"
    subject_kind = "mail_bounce"
    data_model = MailBounceData


@declare
@dataclass(frozen=True, slots=True)
class MailComplained(Event):
    """Somebody complained to their provider about a mail."""

    type = "mail.complained"
    subject_kind = "mail_bounce"
    data_model = MailBounceData
