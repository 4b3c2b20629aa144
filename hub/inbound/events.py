"""What happens to calls that come in, for those who are rung."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from hub.events import Event, declare


class OfferedData(BaseModel):
    """An incoming call that rings somebody: whose it is, which number was called, and until when it rings."""

    call_id: UUID
    contact_id: UUID
    contact_name: str
    from_number: str
    to_number: str
    number_label: str
    until: datetime


class WithdrawnData(BaseModel):
    """An incoming call that no longer rings somebody, and why: they or a colleague took it, or it went on."""

    call_id: UUID
    result: Literal["answered", "taken", "missed", "gone"]


@declare
@dataclass(frozen=True, slots=True)
class InboundOffered(Event):
    """An incoming call rings this member."""

    type = "inbound.offered"
    subject_kind = "call"
    data_model = OfferedData


@declare
@dataclass(frozen=True, slots=True)
class InboundWithdrawn(Event):
    """An incoming call rings this member no longer."""

    type = "inbound.withdrawn"
    subject_kind = "call"
    data_model = WithdrawnData
