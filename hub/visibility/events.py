"""What happens to visibility."""

from __future__ import annotations

from dataclasses import dataclass

from hub.events import Event, declare
from hub.visibility.models import Visibility


@declare
@dataclass(frozen=True, slots=True)
class VisibilityChanged(Event):
    """Who sees what was set. The log begins anew with it: every socket is told to fetch state again."""

    type = "visibility.changed"
    subject_kind = "tenant"
    data_model = Visibility
    audited = True
    audit_fields = ("visibility",)
