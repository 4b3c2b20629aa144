"""Getting access to mailboxes: Google's consent (RFC 6749 with PKCE, RFC 7636), and servers that speak IMAP.

A consent is tied to the browser in which it began: the state that travels in the address is worth nothing without the cookie.
Otherwise somebody could have another person consent in their place, and read that person's mail.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import asdict, dataclass
from uuid import UUID, uuid4

import orjson

from hub.db import Database, Tx, tenant_tx
from hub.errors import Conflict, HubError, Invalid
from hub.mailboxes import owners, queries, syncing
from hub.mailboxes.actions import check_team, may_change
from hub.mailboxes.audience import tell
from hub.mailboxes.events import MailboxConnected
from hub.mailboxes.models import GoogleIn, ServerMailboxIn, Visibility
from hub.mailboxes.opening import SEAL_KIND, in_words
from hub.mailboxes.rows import MailboxRow
from hub.sealing import Seals, Unsealable
from hub.sqlfiles import load_sql
from hub.who import Who
from integrations.errors import ProviderError
from integrations.mail import GoogleIdentity, MailboxKind, ServerAccount

_SQL = load_sql("mailboxes")
_STATE_KIND = "oauth_state"


class NoConsent(Exception):
    """There is no access; the message says why, for the person at the browser."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A consent that was begun: where to send the browser, and the secret of its cookie."""

    url: str
    browser: str


async def begin_google(
    tx: Tx, google: GoogleIdentity, seals: Seals, redirect_uri: str, given: GoogleIn, mailbox: MailboxRow | None = None
) -> Begun:
    """Begin asking for a mailbox at Google, or for new access to `mailbox`. Raises Invalid for a team that is none."""
    assert tx.who.user_id is not None  # a token always names a person
    hint = given.login_hint
    if given.team_id is not None:
        await check_team(tx, given.team_id)
    _check_visibility(given.visibility, given.team_id)
    if mailbox is not None:
        hint = mailbox.address
    state, browser, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    state_id = uuid4()
    await tx.execute(
        _SQL["insert_oauth_state"],
        id=state_id,
        state_hash=_hash(state),
        browser_hash=_hash(browser),
        to_team=given.team_id,
        mailbox_id=mailbox.id if mailbox is not None else None,
        visibility=given.visibility,
        since_days=given.since_days,
        sealed=seals.seal(verifier, tenant_id=tx.who.tenant_id, kind=_STATE_KIND, row_id=state_id),
    )
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    url = google.consent_url(state=state, code_challenge=challenge, redirect_uri=redirect_uri, login_hint=hint)
    return Begun(url, browser)


async def gmail_to_mend(tx: Tx, mailbox_id: UUID) -> MailboxRow:
    """A Gmail mailbox whose access who acts may mend. Raises NotFound, Forbidden, Conflict for one that is at no Google."""
    mailbox = await may_change(tx, mailbox_id)
    if mailbox.kind != "gmail":
        raise Conflict("This mailbox is at no Google; connect it again with its password.", code="mailbox_is_not_gmail")
    return mailbox


async def finish_google(
    db: Database, google: GoogleIdentity, seals: Seals, redirect_uri: str, *, state: str, code: str, error: str, browser: str
) -> UUID:
    """The browser is back from Google: trade the code in and connect the mailbox. Returns its id.

    Raises NoConsent in words for the person.
    """
    begun = await db.system_fetchrow(_SQL["oauth_state_take"], state_hash=_hash(state))
    if begun is None or begun["is_late"]:
        raise NoConsent("This consent took too long, or was used already. Start again.")
    if not hmac.compare_digest(begun["browser_hash"], _hash(browser)):
        raise NoConsent("This consent was begun in another browser. Start again in this one.")
    if error or not code:
        raise NoConsent(
            "Google was not allowed to let us in." if error in ("", "access_denied") else f"Google says: {error[:100]}"
        )
    tenant_id: UUID = begun["tenant_id"]
    try:
        verifier = seals.open(begun["sealed"], tenant_id=tenant_id, kind=_STATE_KIND, row_id=begun["id"])
        grant = await google.exchange(code=code, code_verifier=verifier, redirect_uri=redirect_uri)
    except Unsealable:
        raise NoConsent("The keys of this installation have changed. Start again.") from None
    except ProviderError as exc:
        raise NoConsent(f"Google did not let us in: {in_words(exc)}") from exc
    async with tenant_tx(db, Who.system(tenant_id)) as tx:
        member = await tx.fetchrow(_SQL["member_of"], member_id=begun["user_id"])
    if member is None or member["status"] != "active":
        raise NoConsent("Your access to this company was withdrawn.")
    who = Who(tenant_id, begun["user_id"], member["role"], name=member["name"])
    new = _New("gmail", grant.address, "", grant.refresh_token, begun["team_id"], begun["visibility"], begun["since_days"])
    try:
        async with tenant_tx(db, who) as tx:
            return (await _keep(tx, seals, new, begun["mailbox_id"])).id
    except HubError as exc:
        raise NoConsent(exc.message) from exc


async def check_server(tx: Tx, given: ServerMailboxIn) -> None:
    """What can be said against a server mailbox before it is tried. Raises Invalid."""
    if given.team_id is not None:
        await check_team(tx, given.team_id)
    _check_visibility(given.visibility, given.team_id)


async def keep_server(tx: Tx, seals: Seals, given: ServerMailboxIn) -> tuple[str, int]:
    """Keep a mailbox at a server that was tried; its JSON and version. One that is here already gets the new password."""
    account = account_of(given)
    secret = orjson.dumps(asdict(account)).decode()
    new = _New("imap", given.address, given.display_name, secret, given.team_id, given.visibility, given.since_days)
    mailbox = await _keep(tx, seals, new, None)
    return await queries.read_mailbox(tx, mailbox.id)


def account_of(given: ServerMailboxIn) -> ServerAccount:
    """The account that was asked for."""
    return ServerAccount(
        address=given.address,
        username=given.username,
        password=given.password,
        imap_host=given.imap_host,
        imap_port=given.imap_port,
        smtp_host=given.smtp_host,
        smtp_port=given.smtp_port,
        imap_security=given.imap_security,
        smtp_security=given.smtp_security,
    )


@dataclass(frozen=True, slots=True)
class _New:
    kind: MailboxKind
    address: str
    display_name: str
    secret: str
    team_id: UUID | None
    visibility: Visibility | None
    since_days: int


async def _keep(tx: Tx, seals: Seals, new: _New, mailbox_id: UUID | None) -> MailboxRow:
    """Keep the access: for the mailbox that is here already, else for a new one."""
    address_lc = new.address.lower()
    row = await tx.fetchrow(_SQL["find_by_address"], address_lc=address_lc, owner_id=tx.who.user_id)
    known = MailboxRow.of(row) if row is not None else None
    if mailbox_id is not None and (known is None or known.id != mailbox_id):
        asked = await queries.get_row(tx, mailbox_id)
        wanted = asked.address if asked is not None else "another address"
        raise Conflict(f"That was {new.address}, and this mailbox is {wanted}. Choose that account.", code="other_address")
    if known is not None:
        if known.user_id != tx.who.user_id and mailbox_id is None:
            raise Conflict(f"A colleague has connected {new.address} already.", code="mailbox_is_taken")
        if known.kind != new.kind:
            raise Conflict(f"{new.address} is connected in another way already. Disconnect it first.", code="mailbox_is_taken")
        await tx.execute(_SQL["connect_again"], id=known.id, sealed=_sealed(tx, seals, new, known.id), kind=new.kind)
        found_id = known.id
    else:
        found_id = uuid4()
        await tx.execute(
            _SQL["insert_mailbox"],
            id=found_id,
            owner_id=tx.who.user_id,
            to_team=new.team_id,
            kind=new.kind,
            address=new.address,
            address_lc=address_lc,
            display_name=new.display_name or tx.who.name[:200],
            visibility=new.visibility or ("team" if new.team_id is not None else "private"),
            sealed=_sealed(tx, seals, new, found_id),
            since_days=new.since_days,
        )
    await syncing.start(tx, found_id)
    if known is not None and known.user_id != tx.who.user_id:
        # An admin mends a colleague's, who may be gone.
        await owners.member_changed(tx, known.user_id)
    mailbox = await queries.get_row(tx, found_id)
    assert mailbox is not None
    await tell(tx, MailboxConnected, mailbox)
    return mailbox


def _sealed(tx: Tx, seals: Seals, new: _New, mailbox_id: UUID) -> str:
    return seals.seal(new.secret, tenant_id=tx.who.tenant_id, kind=SEAL_KIND, row_id=mailbox_id)


def _check_visibility(visibility: Visibility | None, team_id: UUID | None) -> None:
    if visibility == "team" and team_id is None:
        raise Invalid.field("visibility", "Name the team that is to see it (team_id).")


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


async def reseal(db: Database, seals: Seals, limit: int = 200) -> int:
    """Seal with the present key what an older one has sealed; how many. What no key opens is let be."""
    done = 0
    for row in await db.system_fetch(_SQL["mailboxes_to_reseal"], prefix=seals.prefix, limit=limit):
        async with tenant_tx(db, Who.system(row["tenant_id"])) as tx:
            mailbox = await queries.get_row(tx, row["id"])
            if mailbox is None or mailbox.sealed is None:
                continue
            place = {"tenant_id": mailbox.tenant_id, "kind": SEAL_KIND, "row_id": mailbox.id}
            try:
                secret = seals.open(mailbox.sealed, **place)  # type: ignore[arg-type]
            except Unsealable:
                continue
            sealed = seals.seal(secret, **place)  # type: ignore[arg-type]
            done += await tx.execute(_SQL["reseal"], id=mailbox.id, sealed=sealed, was=mailbox.sealed)
    return done
