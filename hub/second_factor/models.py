"""The rule as it goes in and out."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

Required = Annotated[
    bool,
    Field(
        description="Whether everybody has to have an authenticator app or a passkey. Who has shown neither when they signed in "
        "can do nothing but set one up. API keys are not asked."
    ),
]
TrustsProvider = Annotated[
    bool, Field(description="Whether coming through the company's own sign-in counts as a second factor: it asks for one itself.")
]


class Lacking(BaseModel):
    """A member without a second factor here."""

    id: UUID
    name: str
    email: str


class SecondFactorRule(BaseModel):
    """What the company wants, and who has no second factor yet: how many, and the first 100 by name."""

    required: Required
    trusts_provider: TrustsProvider
    lacking_count: int
    lacking: list[Lacking]


class SecondFactorRuleIn(BaseModel):
    """What the company is to want."""

    model_config = ConfigDict(extra="forbid")

    required: Annotated[Required, Field(strict=True)]
    trusts_provider: Annotated[TrustsProvider, Field(strict=True)] = False
