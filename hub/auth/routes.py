"""Sign-in endpoints. The refresh token travels only in an httpOnly cookie that no other path sees."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from hub.auth import actions
from hub.auth.actions import Client, Grant
from hub.auth.models import Login, Logout, Me, SignedIn, Switch
from hub.auth.tokens import Tokens
from hub.config import Network, Settings
from hub.db import Database
from hub.http.caller import caller_of
from hub.http.endpoint import Reply, Req, Routes

COOKIE = "ringside_refresh"
COOKIE_PATH = "/api/v1/auth"


def client_of(request: web.Request, trusted: tuple[Network, ...]) -> Client:
    """Where a request comes from; X-Forwarded-For counts only as far as configured proxies wrote it."""
    return Client(*caller_of(request, trusted))


def auth_routes(settings: Settings, tokens: Tokens) -> Routes:
    """The sign-in endpoints, bound to this server's keys."""
    routes = Routes("auth")
    secure = settings.public_url.startswith("https://")

    def cookie(value: str, max_age: int) -> dict[str, dict[str, Any]]:
        options = {"httponly": True, "samesite": "Strict", "secure": secure, "path": COOKIE_PATH, "max_age": max_age}
        return {COOKIE: {"value": value, **options}}

    def granted(grant: Grant) -> Reply:
        return Reply(
            grant.answer, headers={"Cache-Control": "no-store"}, cookies=cookie(grant.refresh_token, actions.SESSION_TTL_S)
        )

    def client(req: Req[Any, Any]) -> Client:
        return client_of(req.http, settings.trusted_proxies)

    @routes.post("/auth/login", scope="public", body=Login, returns=SignedIn, errors=(401, 403, 429))
    async def login(db: Database, req: Req[None, Login]) -> Reply:
        """Sign in with email address and password."""
        given = req.body
        return granted(await actions.log_in(db, tokens, given.email, given.password, given.tenant_id, client(req)))

    @routes.post("/auth/refresh", scope="public", returns=SignedIn, errors=(401, 403))
    async def refresh(db: Database, req: Req[None, None]) -> Reply:
        """Exchange the refresh cookie for a new access token and a new cookie."""
        return granted(await actions.refresh(db, tokens, req.http.cookies.get(COOKIE), client(req)))

    @routes.post("/auth/switch", scope="db", body=Switch, returns=SignedIn)
    async def switch(db: Database, req: Req[None, Switch]) -> Reply:
        """Go on in another company."""
        assert req.claims is not None
        answer = await actions.switch(db, tokens, req.claims, req.body.tenant_id)
        return Reply(answer, headers={"Cache-Control": "no-store"})

    @routes.post("/auth/logout", scope="db", body=Logout, status=204)
    async def logout(db: Database, req: Req[None, Logout]) -> Reply:
        """Sign out here, or everywhere."""
        assert req.claims is not None
        await actions.log_out(db, req.claims, everywhere=req.body.everywhere)
        return Reply(cookies=cookie("", 0))

    @routes.get("/me", scope="db", returns=Me)
    async def me(db: Database, req: Req[None, None]) -> Reply:
        """Who is signed in, and where else they belong."""
        assert req.claims is not None
        return Reply(await actions.me(db, req.claims))

    return routes
