"""Mailbox endpoints, the way back from Google's consent, and Google's pushes."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from hub.config import Settings
from hub.db import Database, Tx, tenant_tx
from hub.errors import Forbidden, Invalid, Unavailable
from hub.http.cookies import Cookie
from hub.http.endpoint import Reply, Req, Routes
from hub.http.paging import PageQuery
from hub.mailboxes import actions, connecting, queries
from hub.mailboxes.models import (
    ConsentPage,
    DisconnectQuery,
    GoogleAnswer,
    GoogleIn,
    Labels,
    Mailbox,
    MailboxPage,
    MailboxPatch,
    Meter,
    PrivacyIn,
    PrivacyRules,
    ServerMailboxIn,
)
from hub.mailboxes.opening import in_words
from hub.mailboxes.pushes import receive_push
from hub.providers import Providers
from hub.sealing import Seals
from integrations.errors import CircuitOpen, Rejected, Transient
from integrations.mail import GoogleIdentity, ServerAccount

BACK = "/oauth/google"
# As long as a consent may take.
_COOKIE_S = 900


def mailbox_routes(settings: Settings, providers: Providers) -> Routes:
    """The mailbox endpoints, bound to this server's keys and providers."""
    routes = Routes("mailboxes")
    seals = Seals(settings)
    redirect_uri = settings.public_url + BACK
    # Lax, not Strict: the way back from Google is a link from another site.
    begun_here = Cookie("ringside_consent", BACK, "Lax", settings.public_url.startswith("https://"), everywhere=True)

    def google() -> GoogleIdentity:
        if providers.google is None:
            raise Unavailable("No Google OAuth client is set up. Set GOOGLE_CLIENT_ID and its companions.", retry_after_s=60)
        return providers.google

    def begun(begin: connecting.Begun) -> Reply:
        return Reply(
            {"url": begin.url}, headers={"Cache-Control": "no-store"}, cookies=begun_here.holds(begin.browser, _COOKIE_S)
        )

    @routes.get("/mailboxes", query=PageQuery, returns=MailboxPage, allow="mailboxes:read")
    async def list_mailboxes(tx: Tx, req: Req[PageQuery, None]) -> Reply:
        """The mailboxes you may see: yours, your teams', those open to everyone; managers see all that are not private."""
        return Reply(await queries.list_mailboxes(tx, req.query))

    @routes.post(
        "/mailboxes", scope="db", body=ServerMailboxIn, returns=Mailbox, status=201, allow="mailboxes:write", errors=(409, 503)
    )
    async def connect_server(db: Database, req: Req[None, ServerMailboxIn]) -> Reply:
        """Connect a mailbox by IMAP and SMTP. It is tried first; one you have connected already gets the new password."""
        async with tenant_tx(db, req.who) as tx:
            await connecting.check_server(tx, req.body)
        await _try(providers, connecting.account_of(req.body))
        async with tenant_tx(db, req.who) as tx:
            text, version = await connecting.keep_server(tx, seals, req.body)
        return _tagged(text, version, status=201)

    @routes.post("/mailboxes/google", body=GoogleIn, returns=ConsentPage, allow="mailboxes:write", errors=(503,))
    async def connect_google(tx: Tx, req: Req[None, GoogleIn]) -> Reply:
        """Begin to connect a Gmail mailbox: send the browser to `url`. It comes back to /settings/mailboxes by itself."""
        return begun(await connecting.begin_google(tx, google(), seals, redirect_uri, req.body))

    @routes.get("/" + BACK, scope="public", query=GoogleAnswer, status=303)
    async def google_consented(db: Database, req: Req[GoogleAnswer, None]) -> Reply:
        """Where Google sends the browser after the consent; it lands at /settings/mailboxes with `connected` or `problem`."""
        answer = req.query
        browser = begun_here.of(req.http)
        try:
            mailbox_id = await connecting.finish_google(
                db, google(), seals, redirect_uri, state=answer.state, code=answer.code, error=answer.error, browser=browser
            )
            landing = {"connected": str(mailbox_id)}
        except (connecting.NoConsent, Unavailable) as exc:
            landing = {"problem": str(exc)}
        headers = {"Location": f"/settings/mailboxes?{urlencode(landing)}", "Cache-Control": "no-store"}
        return Reply(None, 303, headers, cookies=begun_here.forgotten())

    @routes.get("/mailboxes/privacy", returns=PrivacyRules, allow="mailboxes:read")
    async def get_company_privacy(tx: Tx, req: Req[None, None]) -> Reply:
        """Which mail is private in every mailbox of the company."""
        return Reply(await queries.read_rules(tx, None))

    @routes.put("/mailboxes/privacy", body=PrivacyIn, returns=PrivacyRules, allow="settings:write")
    async def set_company_privacy(tx: Tx, req: Req[None, PrivacyIn]) -> Reply:
        """Say which mail is private in every mailbox of the company."""
        return Reply(await actions.set_privacy(tx, None, req.body))

    @routes.get("/mailboxes/{id}", returns=Mailbox, allow="mailboxes:read")
    async def get_mailbox(tx: Tx, req: Req[None, None]) -> Reply:
        """One mailbox, with its version as ETag."""
        return _tagged(*await queries.read_mailbox(tx, req.id()))

    @routes.patch("/mailboxes/{id}", body=MailboxPatch, returns=Mailbox, allow="mailboxes:write", errors=(412,))
    async def update_mailbox(tx: Tx, req: Req[None, MailboxPatch]) -> Reply:
        """Change a mailbox: its name and signature, who sees it, what it sends at the most, whether read marks go both ways."""
        return _tagged(*await actions.update_mailbox(tx, req.id(), req.body, _if_match(req)))

    @routes.delete("/mailboxes/{id}", query=DisconnectQuery, returns=Mailbox, allow="mailboxes:write")
    async def disconnect_mailbox(tx: Tx, req: Req[DisconnectQuery, None]) -> Reply:
        """Disconnect a mailbox: access is given back; the mail stays unless it is to be erased."""
        return Reply(await actions.disconnect_mailbox(tx, req.id(), erase=req.query.erase))

    @routes.post("/mailboxes/{id}/sync", returns=Mailbox, status=202, allow="mailboxes:write", errors=(409,))
    async def sync_mailbox(tx: Tx, req: Req[None, None]) -> Reply:
        """Ask the provider now, and compare everything with it."""
        return Reply(await actions.sync_now(tx, req.id()), 202)

    @routes.post("/mailboxes/{id}/pause", returns=Mailbox, allow="mailboxes:write", errors=(409,))
    async def pause_mailbox(tx: Tx, req: Req[None, None]) -> Reply:
        """Take nothing in and send nothing until it is resumed."""
        return Reply(await actions.pause_mailbox(tx, req.id()))

    @routes.post("/mailboxes/{id}/resume", returns=Mailbox, allow="mailboxes:write", errors=(409,))
    async def resume_mailbox(tx: Tx, req: Req[None, None]) -> Reply:
        """Go on with a paused mailbox, and let one that stopped sending by itself send again."""
        return Reply(await actions.resume_mailbox(tx, req.id()))

    @routes.post("/mailboxes/{id}/reconnect", returns=ConsentPage, allow="mailboxes:write", errors=(409, 503))
    async def reconnect_mailbox(tx: Tx, req: Req[None, None]) -> Reply:
        """Begin to mend a Gmail mailbox's access: send the browser to `url`."""
        mailbox = await connecting.gmail_to_mend(tx, req.id())
        return begun(await connecting.begin_google(tx, google(), seals, redirect_uri, GoogleIn(), mailbox))

    @routes.get("/mailboxes/{id}/meter", returns=Meter, allow="mailboxes:read")
    async def get_meter(tx: Tx, req: Req[None, None]) -> Reply:
        """How far a mailbox is behind its provider, as measured."""
        return Reply(await queries.read_meter(tx, req.id()))

    @routes.get("/mailboxes/{id}/labels", returns=Labels, allow="mailboxes:read")
    async def list_labels(tx: Tx, req: Req[None, None]) -> Reply:
        """The labels (folders) of a mailbox's own."""
        return Reply(await queries.read_labels(tx, req.id()))

    @routes.get("/mailboxes/{id}/privacy", returns=PrivacyRules, allow="mailboxes:read")
    async def get_privacy(tx: Tx, req: Req[None, None]) -> Reply:
        """Which mail of a mailbox only its owner sees."""
        return Reply(await queries.read_rules(tx, req.id()))

    @routes.put("/mailboxes/{id}/privacy", body=PrivacyIn, returns=PrivacyRules, allow="mailboxes:write")
    async def set_privacy(tx: Tx, req: Req[None, PrivacyIn]) -> Reply:
        """Say which mail of a mailbox only its owner sees."""
        return Reply(await actions.set_privacy(tx, req.id(), req.body))

    @routes.post("//webhooks/google/push", scope="public", status=204, errors=(403, 503))
    async def google_push(db: Database, req: Req[None, None]) -> Reply:
        """Google says that something is new in a mailbox: the signature is checked, the push kept once, the asking is a job."""
        if providers.pushes is None:
            raise Forbidden("The signature does not fit.", code="bad_signature")
        await receive_push(db, providers.pushes, req.http.headers.get("Authorization", ""), await req.http.read())
        return Reply()

    return routes


async def _try(providers: Providers, account: ServerAccount) -> None:
    """Raises Invalid in words when the server does not let us in, Unavailable when it does not answer."""
    if providers.mailboxes is None:
        raise Unavailable("No mail is set up here.", retry_after_s=60)
    field = "imap_host"
    try:
        mailbox = providers.mailboxes.server(account)
        try:
            await mailbox.profile()
            field = "smtp_host"
            await mailbox.check_sending()
        finally:
            await mailbox.close()
    except Rejected as exc:
        named = "password" if exc.is_credential_fault and field == "imap_host" else field
        raise Invalid.field(named, f"The server said: {in_words(exc)}") from None
    except (Transient, CircuitOpen, TimeoutError) as exc:
        raise Invalid.field(field, f"The server could not be asked: {in_words(exc)}") from None


def _tagged(text: str, version: int, status: int = 200) -> Reply:
    return Reply(text, status, {"ETag": f'"{version}"'})


def _if_match(req: Req[None, MailboxPatch]) -> int | None:
    given = req.http.headers.get("If-Match", "*").strip()
    if given == "*":
        return None
    match = re.fullmatch(r'(?:W/)?"?(\d{1,9})"?', given)
    if match is None:
        raise Invalid.field("If-Match", "Send the ETag of the mailbox as it was given, or leave the header out.")
    return int(match.group(1))
