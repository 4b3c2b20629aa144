"""That something was written into the audit log by what has no event of its own."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from hub.events import Event, declare


class AuditGrewData(BaseModel):
    """Nothing: what was written is read with the permission for it."""


@declare
@dataclass(frozen=True, slots=True)
class AuditGrew(Event):
    """Something was written into the audit log that no event tells of, such as listening, an export or a sign-in.

    It is heard by managers, who may not be let see the log: so it says neither what was done nor who did it.
    """

    type = "audit.grew"
    subject_kind = "company"
    data_model = AuditGrewData
    nameless = True
