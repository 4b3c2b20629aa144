"""Signing in elsewhere: begin, come back, and how a company sets it up."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from hub.auth.browsers import Browsers
from hub.auth.tokens import Tokens
from hub.config import Settings
from hub.db import Database, Tx
from hub.errors import HubError, NotFound
from hub.http.cookies import Cookie, Cookies
from hub.http.endpoint import Reply, Req, Routes
from hub.providers import Providers
from hub.sealing import Seals
from hub.sqlfiles import load_sql
from hub.sso import actions
from hub.sso.arriving import come_back
from hub.sso.beginning import BACK, GOOGLE, LASTS_S, Begun, Refused, Site, begin, provider_of
from hub.sso.models import (
    BeginIn,
    CodeIn,
    ConnectedAccounts,
    ConnectIn,
    DomainIn,
    EnforceIn,
    ProviderAnswer,
    ProviderIn,
    SignInPage,
    SsoSettings,
    StartQuery,
    Ways,
    domain_name,
)
from hub.sso.required import check_whole_account

_CONNECTED = "/settings/security"
_SQL = load_sql("sso")
_UNKEPT = {"Cache-Control": "no-store"}


def sso_routes(settings: Settings, tokens: Tokens, providers: Providers) -> Routes:
    """The endpoints, bound to this server's keys and providers."""
    routes = Routes("sso")
    site = Site(settings, providers.identity, Seals(settings))
    browsers = Browsers(settings)
    # Lax, not Strict: the way back from a provider is a link from another site.
    begun_here = Cookie("ringside_sso", BACK, "Lax", browsers.refresh.secure, everywhere=True)

    def sent(begun: Begun) -> Reply:
        return Reply({"url": begun.url}, headers=_UNKEPT, cookies=begun_here.holds(begun.browser, LASTS_S))

    def landing(path: str, cookies: Cookies, fragment: dict[str, str] | None = None, **query: str) -> Reply:
        place = path + (f"?{urlencode(query)}" if query else "") + (f"#{urlencode(fragment)}" if fragment else "")
        return Reply(None, 303, {**_UNKEPT, "Location": place, "Referrer-Policy": "no-referrer"}, cookies=cookies)

    @routes.get("/sso/ways", scope="public", returns=Ways)
    async def sign_in_ways(db: Database, req: Req[None, None]) -> Reply:
        """In which ways people can sign in elsewhere."""
        return Reply(Ways(google=site.has_google))

    @routes.post("/sso/begin", scope="public", body=BeginIn, returns=SignInPage, errors=(403, 404, 503))
    async def begin_sso(db: Database, req: Req[None, BeginIn]) -> Reply:
        """Begin to sign in elsewhere: send the browser to `url`. It comes back by itself, signed in or with `sso_problem`."""
        given = req.body
        if given.google:
            return sent(await begin(db, site, site.google(), None, return_to=given.return_to))
        row = await provider_of(db, email=given.email or "", company=given.company)
        hint = given.email or ""
        return sent(await begin(db, site, site.client(row), row["tenant_id"], return_to=given.return_to, login_hint=hint))

    @routes.get("/" + BACK + "/{way}/start", scope="public", query=StartQuery, status=303, errors=(404,))
    async def start_sso(db: Database, req: Req[StartQuery, None]) -> Reply:
        """The link to a company's own sign-in, for bookmarks and the provider's own page of tiles."""
        company = _company(req)
        try:
            row = await provider_of(db, company=company)
            begun = await begin(db, site, site.client(row), row["tenant_id"], login_hint=req.query.login_hint)
        except HubError as exc:
            return landing("/", {}, sso_problem=exc.code)
        return Reply(None, 303, {**_UNKEPT, "Location": begun.url}, cookies=begun_here.holds(begun.browser, LASTS_S))

    @routes.get("/" + BACK + "/{way}", scope="public", query=ProviderAnswer, status=303, errors=(404,))
    async def sso_answered(db: Database, req: Req[ProviderAnswer, None]) -> Reply:
        """Where a provider sends the browser after the sign-in; it lands in the console, or with `sso_problem`, a code."""
        forgotten, browser, client = begun_here.forgotten(), begun_here.of(req.http), browsers.client(req.http)
        company = None if req.path["way"] == GOOGLE else _company(req)
        try:
            landed = await come_back(db, tokens, site, company, req.query, browser, client)
        except Refused as exc:
            return landing(exc.path, forgotten, sso_problem=exc.code)
        if landed.second:
            return landing(landed.path, forgotten, {"second": landed.second})
        if landed.connected:
            return landing(landed.path, forgotten, connected="1")
        opened = await browsers.let_in(db, req.http, landed.refresh_token, landed.lasts_s)
        return landing(landed.path, forgotten | opened)

    @routes.get("/sso", returns=SsoSettings, allow="security:write")
    async def get_sso(tx: Tx, req: Req[None, None]) -> Reply:
        """How the company signs in: its provider, its proven domains, and who could not come through."""
        return Reply(await actions.read_settings(tx, site))

    @routes.put(
        "/sso/provider", scope="db", body=ProviderIn, returns=SsoSettings, allow="security:write", fresh=True, errors=(402, 409)
    )
    async def set_sso_provider(db: Database, req: Req[None, ProviderIn]) -> Reply:
        """Set the company's OpenID provider. It is asked whether it is one before it is kept."""
        return Reply(await actions.set_provider(db, site, req.who, req.body))

    @routes.delete("/sso/provider", scope="db", status=204, allow="security:write", fresh=True, errors=(404, 409))
    async def remove_sso_provider(db: Database, req: Req[None, None]) -> Reply:
        """Take the company's provider away; who came in through it is signed out."""
        await actions.remove_provider(db, req.who)
        return Reply()

    @routes.put(
        "/sso/enforcement",
        scope="db",
        body=EnforceIn,
        returns=SsoSettings,
        allow="security:write",
        fresh=True,
        errors=(402, 404, 409),
    )
    async def enforce_sso(db: Database, req: Req[None, EnforceIn]) -> Reply:
        """Let everybody but the owners in through the provider only. Who is signed in otherwise is signed out."""
        return Reply(await actions.enforce(db, site, req.who, enforced=req.body.enforced))

    @routes.post("/sso/domains", scope="db", body=DomainIn, returns=SsoSettings, allow="security:write", errors=(402, 409))
    async def ask_for_domain(db: Database, req: Req[None, DomainIn]) -> Reply:
        """Send a code to a domain's postmaster, which proves that the domain is the company's."""
        return Reply(await actions.ask_for_domain(db, site, req.who, req.body))

    @routes.post(
        "/sso/domains/{value}/code",
        scope="db",
        body=CodeIn,
        returns=SsoSettings,
        allow="security:write",
        fresh=True,
        errors=(404, 409),
    )
    async def prove_domain(db: Database, req: Req[None, CodeIn]) -> Reply:
        """Enter the code that the domain's postmaster got."""
        return Reply(await actions.prove_domain(db, site, req.who, _domain(req), req.body.code))

    @routes.delete("/sso/domains/{value}", status=204, allow="security:write", fresh=True, errors=(404,))
    async def remove_domain(tx: Tx, req: Req[None, None]) -> Reply:
        """Let a domain go."""
        await actions.remove_domain(tx, _domain(req))
        return Reply()

    @routes.delete("/sso/members/{id}", status=204, allow="security:write", fresh=True, errors=(404,))
    async def disconnect_member(tx: Tx, req: Req[None, None]) -> Reply:
        """Forget as whom the provider knows a member."""
        await actions.disconnect_member(tx, req.id())
        return Reply()

    @routes.get("/account/connected", scope="db", returns=ConnectedAccounts)
    async def list_connected_accounts(db: Database, req: Req[None, None]) -> Reply:
        """What you can sign in with elsewhere."""
        who = req.who
        rows = await db.system_fetch(_SQL["identities"], user=who.user_id, tenant=who.tenant_id)
        own = await db.system_fetchrow(_SQL["provider_for"], domain="", tenant=who.tenant_id)
        listed = [
            {
                "id": row["id"],
                "label": "Google" if row["tenant_id"] is None else row["label"] or row["issuer"],
                "email": row["email"],
                "company": row["tenant_id"] is not None,
                "linked_at": row["linked_at"],
                "last_used_at": row["last_used_at"],
            }
            for row in rows
        ]
        answer = {"data": listed, "google": site.has_google, "company": own["label"] if own else None}
        return Reply(ConnectedAccounts.model_validate(answer))

    @routes.post("/account/connected", scope="db", body=ConnectIn, returns=SignInPage, fresh=True, errors=(404, 503))
    async def connect_account(db: Database, req: Req[None, ConnectIn]) -> Reply:
        """Begin to connect your account with Google or the company's provider: send the browser to `url`."""
        who = req.who
        if req.body.google:
            assert req.claims is not None
            await check_whole_account(db, req.claims)
            known_as, company = site.google(), None
        else:
            row = await provider_of(db, company=who.tenant_id)
            known_as, company = site.client(row), who.tenant_id
        begun = await begin(db, site, known_as, company, purpose="connect", user_id=who.user_id, return_to=_CONNECTED)
        return sent(begun)

    @routes.delete("/account/connected/{id}", scope="db", status=204, fresh=True, errors=(404,))
    async def disconnect_account(db: Database, req: Req[None, None]) -> Reply:
        """Disconnect one of your accounts; it signs nobody in any more."""
        who = req.who
        row = await db.system_fetchrow(_SQL["forget_identity"], user=who.user_id, tenant=who.tenant_id, id=req.id())
        if row is None or not row["gone"]:
            raise NotFound("There is nothing with this id.")
        return Reply()

    return routes


def _domain(req: Req[Any, Any]) -> str:
    try:
        return domain_name(req.path["value"])
    except ValueError:
        raise NotFound("There is no such domain.", code="domain_not_found") from None


def _company(req: Req[Any, Any]) -> UUID:
    try:
        return UUID(req.path["way"])
    except ValueError:
        raise NotFound("There is no such company.", code="no_sso") from None
