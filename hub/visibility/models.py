"""The setting as it goes in and out."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Choice = Annotated[
    Literal["everyone", "team", "own"],
    Field(
        description="Whose contacts, calls and mail a member sees: everybody's; those of the members of their teams, and their "
        "own; or their own. What is nobody's is everybody's. Owners and admins see all, and who manages a team sees its members'."
    ),
]


class Visibility(BaseModel):
    """Who sees what in this company."""

    visibility: Choice


class VisibilityIn(BaseModel):
    """Who is to see what."""

    model_config = ConfigDict(extra="forbid")

    visibility: Choice
