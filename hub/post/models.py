"""Letters as admins see them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from hub.http.paging import PageQuery

LetterState = Literal["waiting", "sent", "kept", "failed"]


class Letter(BaseModel):
    """A letter that Ringside sent for the company, or will. `kept` means that it lies here, for want of a mail server."""

    id: UUID
    template: str
    to: str
    subject: str
    state: LetterState
    attempts: int
    last_error: str | None
    created_at: datetime
    settled_at: datetime | None
    is_readable: bool


class LetterPage(BaseModel):
    """A page of letters. `goes_out` is false where no mail server is set up."""

    data: list[Letter]
    next_cursor: str | None
    goes_out: bool


class LetterText(BaseModel):
    """What stands in a letter; null where it went out, since there may be links in it that are somebody else's."""

    letter: Letter
    text: str | None
    html: str | None


class LetterFilter(PageQuery):
    """Which letters."""

    state: Annotated[LetterState | None, Field(description="Only those in this state.")] = None
