"""What goes into and comes out of sign-in in two steps, passkeys, and the confirmation of who somebody is."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, RootModel, StringConstraints, model_validator

from hub.auth.models import SignedIn

Token = Annotated[str, StringConstraints(min_length=20, max_length=100, pattern=r"^[A-Za-z0-9_-]+$")]
Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=6, max_length=64)]
Password = Annotated[str, Field(min_length=1, max_length=1024)]
NewPassword = Annotated[
    str, Field(min_length=1, max_length=1024, description="At least 15 characters; 8 with an authenticator app.")
]
Email = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=254)]
Credential = Annotated[dict[str, Any], Field(description="What navigator.credentials gave, as JSON (WebAuthn level 3).")]
Options = Annotated[
    dict[str, Any], Field(description="The publicKey options for navigator.credentials, as JSON (WebAuthn level 3).")
]

SecondMethod = Literal["totp", "recovery_code", "passkey"]
ConfirmMethod = Literal["password", "totp", "passkey", "sign_in_again"]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SecondStep(BaseModel):
    """The password was right; one of these methods is needed, too."""

    step: Literal["second"]
    token: str
    expires_in: int
    methods: list[SecondMethod]
    passkey: Options | None


class LoginAnswer(RootModel[SignedIn | SecondStep]):
    """Signed in, or what is needed besides the password."""


class SecondStepIn(_In):
    """The token of the first step, and one of: a code of the app, a recovery code, a passkey's answer."""

    token: Token
    code: Code | None = None
    recovery_code: Code | None = None
    credential: Credential | None = None

    @model_validator(mode="after")
    def _one(self) -> SecondStepIn:
        if sum(given is not None for given in (self.code, self.recovery_code, self.credential)) != 1:
            raise ValueError("Send one of code, recovery_code and credential.")
        return self


class PasskeyAsk(BaseModel):
    """What to ask the browser for, and the token that finishes it."""

    token: str
    options: Options


class PasskeySignIn(_In):
    """A passkey's answer; `tenant_id` picks the company when there are several."""

    token: Token
    credential: Credential
    tenant_id: UUID | None = None


class ConfirmAsk(BaseModel):
    """How the signed-in person can show that it is they; the passkey's options and token where they have one."""

    methods: list[ConfirmMethod]
    token: str | None
    passkey: Options | None


class ConfirmIn(_In):
    """One of: the password, a code of the app, a passkey's answer with its token."""

    password: Password | None = None
    code: Code | None = None
    token: Token | None = None
    credential: Credential | None = None

    @model_validator(mode="after")
    def _one(self) -> ConfirmIn:
        if sum(given is not None for given in (self.password, self.code, self.credential)) != 1:
            raise ValueError("Send one of password, code and credential.")
        if (self.token is None) != (self.credential is None):
            raise ValueError("A credential comes with its token.")
        return self


class ForgotIn(_In):
    """Whose password is forgotten."""

    email: Email


class ResetIn(_In):
    """The token of the letter's link, and the new password."""

    token: Token
    password: NewPassword
