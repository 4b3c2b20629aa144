"""Sign-in endpoints. The refresh token travels only in an httpOnly cookie that no other path sees."""

from __future__ import annotations

from typing import Any

from hub.accounts import letters
from hub.accounts.letters import From
from hub.accounts.passkeys import RelyingParty
from hub.auth import actions, steps
from hub.auth.browsers import Browsers
from hub.auth.models import Login, Logout, Me, SignedIn, Switch
from hub.auth.sessions import Client, Grant
from hub.auth.step_models import ConfirmAsk, ConfirmIn, LoginAnswer, PasskeyAsk, PasskeySignIn, SecondStep, SecondStepIn
from hub.auth.tokens import Tokens
from hub.config import Settings
from hub.db import Database
from hub.http.endpoint import Reply, Req, Routes
from hub.sealing import Seals

_UNKEPT = {"Cache-Control": "no-store"}


def auth_routes(settings: Settings, tokens: Tokens) -> Routes:
    """The sign-in endpoints, bound to this server's keys."""
    routes = Routes("auth")
    site, seals, browsers = RelyingParty(settings.public_url), Seals(settings), Browsers(settings)

    def client(req: Req[Any, Any]) -> Client:
        return browsers.client(req.http)

    async def let_in(db: Database, req: Req[Any, Any], grant: Grant) -> Reply:
        return Reply(grant.answer, headers=_UNKEPT, cookies=await browsers.let_in(db, req.http, grant.refresh_token))

    @routes.post("/auth/login", scope="public", body=Login, returns=LoginAnswer, errors=(401, 403, 429))
    async def login(db: Database, req: Req[None, Login]) -> Reply:
        """Sign in with email address and password; where an authenticator app is set up, a second step follows."""
        given = req.body
        device = browsers.device(req.http)
        answer = await actions.log_in(
            db, tokens, site, settings.public_url, given.email, given.password, given.tenant_id, client(req), device
        )
        if isinstance(answer, SecondStep):
            return Reply(answer, headers=_UNKEPT)
        return await let_in(db, req, answer)

    @routes.post("/auth/second-step", scope="public", body=SecondStepIn, returns=SignedIn, errors=(401, 403, 429))
    async def finish_sign_in(db: Database, req: Req[None, SecondStepIn]) -> Reply:
        """Finish signing in with a code, a recovery code or a passkey."""
        grant, codes_left = await steps.finish_sign_in(db, tokens, seals, site, req.body, client(req))
        if codes_left is not None:
            user, where = grant.answer.user, From(client(req).address, client(req).user_agent)
            await letters.tell_of_change(db, settings.public_url, user.email, user.name, "recovery_code_used", where)
        return await let_in(db, req, grant)

    @routes.post("/auth/passkey/options", scope="public", returns=PasskeyAsk)
    async def ask_for_passkey(db: Database, req: Req[None, None]) -> Reply:
        """What to ask the browser for to sign in with a passkey."""
        return Reply(await steps.ask_for_passkey(db, site), headers=_UNKEPT)

    @routes.post("/auth/passkey", scope="public", body=PasskeySignIn, returns=SignedIn, errors=(401, 403, 429))
    async def sign_in_with_passkey(db: Database, req: Req[None, PasskeySignIn]) -> Reply:
        """Sign in with a passkey, without a name and without a password."""
        given = req.body
        grant = await steps.sign_in_with_passkey(db, tokens, site, given.token, given.credential, given.tenant_id, client(req))
        return await let_in(db, req, grant)

    @routes.post("/auth/confirm/options", scope="db", returns=ConfirmAsk)
    async def ask_to_confirm(db: Database, req: Req[None, None]) -> Reply:
        """How to confirm that it is you, before something dangerous."""
        assert req.claims is not None
        return Reply(await steps.ways_to_confirm(db, site, req.claims), headers=_UNKEPT)

    @routes.post("/auth/confirm", scope="db", body=ConfirmIn, returns=SignedIn)
    async def confirm(db: Database, req: Req[None, ConfirmIn]) -> Reply:
        """Confirm that it is you: an access token that opens what demands it for the next ten minutes."""
        assert req.claims is not None
        return Reply(await steps.confirm(db, tokens, seals, site, req.claims, req.body, client(req)), headers=_UNKEPT)

    @routes.post("/auth/refresh", scope="public", returns=SignedIn, errors=(401, 403))
    async def refresh(db: Database, req: Req[None, None]) -> Reply:
        """Exchange the refresh cookie for a new access token and a new cookie."""
        token, is_old = browsers.refresh_token(req.http)
        device = browsers.device(req.http)
        grant = await actions.refresh(db, tokens, token, client(req), device=device, is_old=is_old)
        cookies = await browsers.go_on(db, req.http, grant.session_id, grant.refresh_token)
        return Reply(grant.answer, headers=_UNKEPT, cookies=cookies)

    @routes.post("/auth/switch", scope="db", body=Switch, returns=SignedIn)
    async def switch(db: Database, req: Req[None, Switch]) -> Reply:
        """Go on in another company."""
        assert req.claims is not None
        answer = await actions.switch(db, tokens, req.claims, req.body.tenant_id)
        return Reply(answer, headers=_UNKEPT)

    @routes.post("/auth/logout", scope="db", body=Logout, status=204)
    async def logout(db: Database, req: Req[None, Logout]) -> Reply:
        """Sign out here, or everywhere."""
        assert req.claims is not None
        await actions.log_out(db, req.claims, everywhere=req.body.everywhere)
        return Reply(cookies=browsers.refresh.forgotten())

    @routes.get("/me", scope="db", returns=Me)
    async def me(db: Database, req: Req[None, None]) -> Reply:
        """Who is signed in, and where else they belong."""
        assert req.claims is not None
        return Reply(await actions.me(db, req.claims))

    return routes
