"""Lines and voice settings as they go in and out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StringConstraints

from hub.lines.kinds import LineKind

LineState = Literal["connecting", "open", "ended"]


class Line(BaseModel):
    """A rep's open line: it stays between calls. `call_id` is the call it is in, null while it is parked."""

    id: UUID
    user_id: UUID
    kind: LineKind
    state: LineState
    call_id: UUID | None
    since: datetime
    error: str | None


class LineChoice(BaseModel):
    """How one talks. `kind` is null where nothing was chosen; `in_use` is what then counts, null when nothing is set up.

    `kinds` are those that this installation has, `identity` is one's own at the provider.
    """

    kind: LineKind | None
    phone: str | None
    in_use: LineKind | None
    kinds: list[LineKind]
    identity: str


class LineChoiceIn(BaseModel):
    """How one wants to talk; a bridge needs one's telephone number."""

    model_config = ConfigDict(extra="forbid")

    kind: LineKind
    phone: Annotated[str | None, StringConstraints(strip_whitespace=True, max_length=100)] = None


class VoiceSettings(BaseModel):
    """What a company has settled about its calls. Times are seconds; a wrap-up of 0 never ends by itself."""

    model_config = ConfigDict(extra="forbid")

    show_listeners: StrictBool = True
    wrap_up_s: Annotated[int, Field(strict=True, ge=0, le=3600)] = 60
    ring_s: Annotated[int, Field(strict=True, ge=15, le=120)] = 25
    recording: Literal["off", "always", "ask"] = "off"
    announce_recording: Literal["never", "by_jurisdiction", "always"] = "by_jurisdiction"
    announcement: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)] = (
        "This call may be recorded."
    )
    machine_detection: StrictBool = False
    recording_keep_days: Annotated[int, Field(strict=True, ge=1, le=3650)] = 90
    transcribe_calls: Annotated[StrictBool, Field(description="Write down what is said in calls that are recorded.")] = False


class SoftphoneToken(BaseModel):
    """What the browser's telephone signs in with; `expires_in` is seconds."""

    token: str
    identity: str
    expires_in: int
