"""The endpoints of a person's own account. What opens a way in, or closes one, demands that they confirmed who they are."""

from __future__ import annotations

from typing import Any

from hub.accounts.actions import Accounts, Acting
from hub.accounts.letters import From
from hub.accounts.models import (
    AccountSecurity,
    PasskeyAdd,
    PasskeyPatch,
    PasswordChange,
    RecoveryCodes,
    SessionPage,
    SessionsEnded,
    TotpBegun,
    TotpStart,
)
from hub.accounts.passkeys import RelyingParty
from hub.auth.step_models import ForgotIn, PasskeyAsk, ResetIn
from hub.config import Settings
from hub.db import Database
from hub.errors import Forbidden
from hub.http.caller import caller_of
from hub.http.endpoint import Reply, Req, Routes
from hub.sealing import Seals

_UNKEPT = {"Cache-Control": "no-store"}


def account_routes(settings: Settings) -> Routes:
    """The endpoints, bound to this server's address and keys."""
    routes = Routes("account")
    site, seals = RelyingParty(settings.public_url), Seals(settings)

    def accounts(db: Database) -> Accounts:
        return Accounts(db, settings.public_url, site, seals)

    def where(req: Req[Any, Any]) -> From:
        return From(*caller_of(req.http, settings.trusted_proxies))

    def acting(req: Req[Any, Any]) -> Acting:
        assert req.claims is not None
        if req.claims.key_id is not None:
            raise Forbidden("An API key cannot change how its person signs in. Sign in.")
        return Acting(req.claims, where(req), req.request_id)

    @routes.post("/auth/forgot", scope="public", body=ForgotIn, status=202)
    async def forgot_password(db: Database, req: Req[None, ForgotIn]) -> Reply:
        """Send a link to choose a new password, if the address has an account."""
        await accounts(db).send_reset(req.body.email, where(req))
        return Reply(status=202)

    @routes.post("/auth/reset", scope="public", body=ResetIn, status=204)
    async def reset_password(db: Database, req: Req[None, ResetIn]) -> Reply:
        """Choose a new password with the token of a letter; all sessions end."""
        await accounts(db).reset_password(req.body.token, req.body.password, where(req), req.request_id)
        return Reply()

    @routes.get("/account/security", scope="db", returns=AccountSecurity)
    async def account_security(db: Database, req: Req[None, None]) -> Reply:
        """How you sign in."""
        return Reply(await accounts(db).security(acting(req).user_id))

    @routes.put("/account/password", scope="db", body=PasswordChange, status=204)
    async def change_password(db: Database, req: Req[None, PasswordChange]) -> Reply:
        """Change your password; your other sessions end."""
        await accounts(db).change_password(acting(req), req.body.current, req.body.password)
        return Reply()

    @routes.get("/account/sessions", scope="db", returns=SessionPage)
    async def list_sessions(db: Database, req: Req[None, None]) -> Reply:
        """Where you are signed in."""
        return Reply(await accounts(db).sessions(acting(req).claims))

    @routes.delete("/account/sessions/{id}", scope="db", status=204, fresh=True)
    async def end_session(db: Database, req: Req[None, None]) -> Reply:
        """Sign out somewhere else."""
        await accounts(db).end_session(acting(req), req.id())
        return Reply()

    @routes.post("/account/sessions/end-others", scope="db", returns=SessionsEnded, fresh=True)
    async def end_other_sessions(db: Database, req: Req[None, None]) -> Reply:
        """Sign out everywhere else."""
        return Reply(SessionsEnded(ended=await accounts(db).end_other_sessions(acting(req))))

    @routes.post("/account/totp", scope="db", returns=TotpBegun, errors=(409,), fresh=True)
    async def begin_totp(db: Database, req: Req[None, None]) -> Reply:
        """Begin to set up an authenticator app."""
        return Reply(await accounts(db).begin_totp(acting(req)), headers=_UNKEPT)

    @routes.post("/account/totp/start", scope="db", body=TotpStart, returns=RecoveryCodes, errors=(409,), fresh=True)
    async def start_totp(db: Database, req: Req[None, TotpStart]) -> Reply:
        """Finish setting up the app with its first code; the recovery codes are shown this once."""
        return Reply(RecoveryCodes(codes=await accounts(db).start_totp(acting(req), req.body.code)), headers=_UNKEPT)

    @routes.delete("/account/totp", scope="db", status=204, errors=(404, 409), fresh=True)
    async def stop_totp(db: Database, req: Req[None, None]) -> Reply:
        """Remove the authenticator app."""
        await accounts(db).stop_totp(acting(req))
        return Reply()

    @routes.post("/account/recovery-codes", scope="db", returns=RecoveryCodes, errors=(409,), fresh=True)
    async def make_recovery_codes(db: Database, req: Req[None, None]) -> Reply:
        """New recovery codes in place of the old."""
        return Reply(RecoveryCodes(codes=await accounts(db).make_recovery_codes(acting(req))), headers=_UNKEPT)

    @routes.post("/account/passkeys/options", scope="db", returns=PasskeyAsk, fresh=True)
    async def ask_for_new_passkey(db: Database, req: Req[None, None]) -> Reply:
        """What to ask the browser for to make a passkey."""
        return Reply(await accounts(db).ask_for_new_passkey(acting(req)), headers=_UNKEPT)

    @routes.post("/account/passkeys", scope="db", body=PasskeyAdd, returns=AccountSecurity, errors=(409,), fresh=True)
    async def add_passkey(db: Database, req: Req[None, PasskeyAdd]) -> Reply:
        """Keep the passkey that the browser has made."""
        given = req.body
        await accounts(db).add_passkey(acting(req), given.token, given.credential, given.name)
        return Reply(await accounts(db).security(acting(req).user_id))

    @routes.patch("/account/passkeys/{id}", scope="db", body=PasskeyPatch, status=204)
    async def rename_passkey(db: Database, req: Req[None, PasskeyPatch]) -> Reply:
        """Call a passkey something else."""
        await accounts(db).rename_passkey(acting(req), req.id(), req.body.name)
        return Reply()

    @routes.delete("/account/passkeys/{id}", scope="db", status=204, errors=(409,), fresh=True)
    async def remove_passkey(db: Database, req: Req[None, None]) -> Reply:
        """Remove a passkey."""
        await accounts(db).remove_passkey(acting(req), req.id())
        return Reply()

    return routes
