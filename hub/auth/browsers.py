"""Browsers that sign in: their cookies, the session each has, and telling people of new ones. All ways to sign in end here."""

from __future__ import annotations

from uuid import UUID

from aiohttp import web

from hub.accounts import devices, letters
from hub.accounts.letters import From
from hub.auth.sessions import SESSION_TTL_S, Client, hash_token, new_refresh_token
from hub.config import Settings
from hub.db import Database
from hub.http.caller import caller_of
from hub.http.cookies import Cookie, Cookies, forget_without_prefix, without_prefix
from hub.sqlfiles import load_sql

AUTH_PATH = "/api/v1/auth"
# What browsers were known again by before; its value goes on under the new name.
_FORMER_DEVICE = "ringside_device"
_SQL = load_sql("accounts")


class Browsers:
    """The browsers of this server's people."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        secure = settings.public_url.startswith("https://")
        self.refresh = Cookie("ringside_refresh", AUTH_PATH, "Strict", secure)
        # By it a browser is known again. It opens nothing. Lax: who comes back from a provider comes from another site.
        self.known = Cookie("ringside_browser", "/", "Lax", secure, everywhere=True)

    def client(self, request: web.Request) -> Client:
        """Where a request comes from; X-Forwarded-For counts only as far as configured proxies wrote it."""
        return Client(*caller_of(request, self._settings.trusted_proxies))

    def device(self, request: web.Request) -> str:
        """What the browser is known by; empty when it is new."""
        return self.known.of(request) or request.cookies.get(_FORMER_DEVICE, "")

    def refresh_token(self, request: web.Request) -> tuple[str, bool]:
        """The refresh token that a request brought, and whether it came under the name from before there were prefixes."""
        token = self.refresh.of(request)
        return (token, False) if token else (without_prefix(self.refresh, request), True)

    async def let_in(self, db: Database, request: web.Request, refresh_token: str, lasts_s: int = SESSION_TTL_S) -> Cookies:
        """The cookies for a session that was just opened. What the browser had before ends (ASVS 5.0, 7.2.4).

        The person is told by letter when they have not used this browser before, but others.
        """
        device, before = self.device(request) or new_refresh_token(), self.refresh_token(request)[0]
        row = await db.system_fetchrow(
            _SQL["claim_browser"],
            hash=hash_token(refresh_token),
            device=hash_token(device),
            before=hash_token(before) if before else None,
        )
        if row is not None and row["ended"]:
            db.notifier.access_changed()
        if row is not None and row["known"] == "new":
            where = From(*caller_of(request, self._settings.trusted_proxies))
            await letters.tell_of_device(db, self._settings.public_url, row["email"], row["name"], where)
        return self._kept(request, refresh_token, lasts_s) | self.known.holds(device, devices.REMEMBERED_S)

    async def go_on(self, db: Database, request: web.Request, session_id: UUID, refresh_token: str) -> Cookies:
        """The cookies for a session that goes on with its next refresh token."""
        kept = self._kept(request, refresh_token, SESSION_TTL_S)
        if without_prefix(self.refresh, request):
            # From now on it is this browser's, and goes on by the new name only.
            device = self.device(request) or new_refresh_token()
            await db.system_fetch(_SQL["adopt_browser"], session=session_id, device=hash_token(device))
            kept |= self.known.holds(device, devices.REMEMBERED_S)
        return kept

    def _kept(self, request: web.Request, refresh_token: str, lasts_s: int) -> Cookies:
        kept = self.refresh.holds(refresh_token, lasts_s)
        if without_prefix(self.refresh, request):
            kept |= forget_without_prefix(self.refresh)
        if _FORMER_DEVICE in request.cookies:
            kept |= forget_without_prefix(Cookie(_FORMER_DEVICE, AUTH_PATH, "Strict", self.refresh.secure))
        return kept
