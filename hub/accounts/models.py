"""A person's own account as it goes in and out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from hub.auth.step_models import Code, Credential, NewPassword, Password, Token

PasskeyName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Passkey(BaseModel):
    """A passkey as its owner sees it. `synced` says that it lives in an account of its maker's, and not on one device only."""

    id: UUID
    name: str
    synced: bool
    created_at: datetime
    last_used_at: datetime | None


class AccountSecurity(BaseModel):
    """How the signed-in person signs in. `passkey_address` is where Ringside must be open for passkeys to work."""

    has_password: bool
    password_changed_at: datetime | None
    totp_since: datetime | None
    recovery_codes: int
    passkeys: list[Passkey]
    passkey_address: str
    least_password_length: int


class PasswordChange(_In):
    """The present password, where there is one, and the new one."""

    current: Password | None = None
    password: NewPassword


class TotpBegun(BaseModel):
    """What to put into an authenticator app: as a picture (SVG), as an address, as text."""

    secret: str
    address: str
    picture: str


class TotpStart(_In):
    """The code that the app shows now."""

    code: Code


class RecoveryCodes(BaseModel):
    """Each signs in once in place of a code of the app. They are shown this once."""

    codes: list[str]


class PasskeyAdd(_In):
    """What the browser made, and what to call it."""

    token: Token
    credential: Credential
    name: PasskeyName


class PasskeyPatch(_In):
    """What to call it."""

    name: PasskeyName


class SessionOut(BaseModel):
    """A sign-in that is still good."""

    id: UUID
    device: str
    address: str
    company: str
    method: str
    created_at: datetime
    last_used_at: datetime
    current: Annotated[bool, Field(description="The session that asks.")]


class SessionPage(BaseModel):
    """Where the person is signed in, the last used first."""

    data: list[SessionOut]


class SessionsEnded(BaseModel):
    """How many there were."""

    ended: int
