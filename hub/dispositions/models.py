"""Dispositions as they go in and out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StringConstraints, model_validator

FollowUp = Literal["none", "callback", "do_not_call", "stage"]

Value = Annotated[
    str, StringConstraints(strip_whitespace=True, to_lower=True, max_length=40, pattern=r"^\s*[A-Za-z0-9][A-Za-z0-9_]*\s*$")
]
Label = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
Key = Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, pattern=r"^\s*[A-Za-z0-9]\s*$")]
Stage = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
Position = Annotated[int, Field(strict=True, ge=1, le=1000, description="Its place among the others, from 1.")]
RetryAfter = Annotated[int, Field(strict=True, ge=60, le=7_776_000, description="After how many seconds the dialer tries again.")]
RetryLimit = Annotated[int, Field(strict=True, ge=1, le=20, description="How many tries at the most.")]


class Disposition(BaseModel):
    """A way a call can go: its label, the key that chooses it, and what follows by itself."""

    value: str
    label: str
    key: str | None
    position: int
    counts_as_connected: bool
    follow_up: FollowUp
    stage: str | None
    retry_after_s: int | None
    retry_limit: int | None
    archived_at: datetime | None


class DispositionPage(BaseModel):
    """The dispositions of this company, in their order."""

    data: list[Disposition]
    next_cursor: str | None


class DispositionFilter(BaseModel):
    """Which dispositions."""

    model_config = ConfigDict(extra="forbid")

    archived: Annotated[bool, Field(description="Also those that are archived, at the end.")] = False


class DispositionIn(BaseModel):
    """A new disposition. Without a `value` one is made of the label; without a position it comes last.

    `stage` goes with the follow-up "stage" only. The retry rule is both its fields or neither.
    """

    model_config = ConfigDict(extra="forbid")

    value: Value | None = None
    label: Label
    key: Key | None = None
    position: Position | None = None
    counts_as_connected: StrictBool = False
    follow_up: FollowUp = "none"
    stage: Stage | None = None
    retry_after_s: RetryAfter | None = None
    retry_limit: RetryLimit | None = None


class DispositionPatch(BaseModel):
    """What to change; what is left out stays. `archived` false brings an archived one back."""

    model_config = ConfigDict(extra="forbid")

    label: Label | None = None
    key: Key | None = None
    position: Position | None = None
    counts_as_connected: StrictBool | None = None
    follow_up: FollowUp | None = None
    stage: Stage | None = None
    retry_after_s: RetryAfter | None = None
    retry_limit: RetryLimit | None = None
    archived: StrictBool | None = None

    @model_validator(mode="before")
    @classmethod
    def _no_nulls(cls, value: Any) -> Any:
        if isinstance(value, dict):
            for name, given in value.items():
                if given is None and name in ("label", "position", "counts_as_connected", "follow_up", "archived"):
                    raise ValueError(f"{name} can't be null; leave it out to keep it.")
        return value
