"""When a number is answered, by its own clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def is_open(hours: Mapping[str, Sequence[Mapping[str, str]]] | None, time_zone: str, at: datetime) -> bool:
    """Whether a number with these hours is answered at this moment. Without hours always; a day left out is closed.

    `hours` is {"mon": [{"from": "09:00", "to": "17:00"}], ...} on the clock of `time_zone`; the end does not belong to it.
    """
    if hours is None:
        return True
    local = at.astimezone(ZoneInfo(time_zone))
    clock = f"{local:%H:%M}"
    return any(span["from"] <= clock < span["to"] for span in hours.get(_DAYS[local.weekday()], ()))
