"""What happens to leases. Beats are no events: a lease is held until it is said to be released."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from hub.events import Event, declare
from hub.leases.models import Lease


class LeaseData(BaseModel):
    """The lease as it is now, or as it was."""

    lease: Lease


@declare
@dataclass(frozen=True, slots=True)
class LeaseTaken(Event):
    """Somebody is busy with a contact from now on, or with something else than before."""

    type = "lease.taken"
    subject_kind = "contact"
    data_model = LeaseData


@declare
@dataclass(frozen=True, slots=True)
class LeaseReleased(Event):
    """The contact is free again."""

    type = "lease.released"
    subject_kind = "contact"
    data_model = LeaseData
