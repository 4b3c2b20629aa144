"""The browser is back from a provider: who is it, and may they come in?

A company's provider is the company's own, and could say anything. So what it says counts at that company only (the session is
tied to it), its word on an address counts for domains that the company has proven, and nobody becomes an owner by it: who signs
in as an owner has connected that account themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
import structlog

from hub.accounts import factors
from hub.audit.actions import note_growth, record
from hub.auth.models import User
from hub.auth.sessions import SESSION_TTL_S, Client, hash_token, new_refresh_token, open_session
from hub.auth.tokens import Tokens
from hub.contacts.addresses import AddressError, parse_email
from hub.db import Database, Tx, tenant_tx
from hub.errors import HubError
from hub.joining.events import MemberJoined
from hub.plans.actions import PlanLimit, check_seats
from hub.post.actions import post
from hub.sqlfiles import load_sql
from hub.sso.beginning import Refused, Site, Taken, provider_of, take
from hub.sso.events import SsoUpdated
from hub.sso.models import ProviderAnswer
from hub.teams.actions import read_team
from hub.teams.events import TeamUpdated
from hub.tenants.actions import read_member
from hub.who import Who
from integrations.errors import ProviderError
from integrations.identity import OpenIdClient, Person

_SQL = load_sql("sso")
_log = structlog.get_logger("hub.sso")

# Shorter than other sessions: whom the company has shut out at its provider is out here by then, too (ASVS 5.0, 7.6.1).
TTL_S = 7 * 86_400

# The person said no, or the provider would have had to ask them.
_DENIED = ("", "access_denied", "login_required", "interaction_required", "consent_required")


@dataclass(frozen=True, slots=True)
class Landed:
    """Where the browser goes now, and the refresh token of the session that was opened, if one was, which
    ends after `lasts_s`.

    `second` is the token of the second step that the account asks for besides.
    """

    path: str
    refresh_token: str = ""
    lasts_s: int = SESSION_TTL_S
    second: str = ""
    connected: bool = False


async def come_back(
    db: Database, tokens: Tokens, site: Site, company: UUID | None, answer: ProviderAnswer, browser: str, client: Client
) -> Landed:
    """Finish what was begun in this browser. Raises Refused."""
    begun = await take(db, company, answer.state, browser)
    try:
        return await _finish(db, tokens, site, begun, answer, browser, client)
    except PlanLimit:
        raise Refused("no_seat") from None
    except (Refused, HubError) as exc:
        raise Refused(exc.code, begun.return_to if begun.purpose == "connect" else "/") from exc


async def _finish(
    db: Database, tokens: Tokens, site: Site, begun: Taken, answer: ProviderAnswer, browser: str, client: Client
) -> Landed:
    if answer.error or not answer.code:
        raise Refused("denied" if answer.error in _DENIED else "provider_error")
    row = await provider_of(db, company=begun.company) if begun.company is not None else None
    known_as = site.google() if row is None else site.client(row)
    if (known_as.issuer, known_as.client_id) != (begun.issuer, begun.client_id):
        raise Refused("provider_changed")
    person = await _identified(site, known_as, begun, answer, browser)
    if begun.purpose == "connect":
        await _connect(db, site, begun, person)
        return Landed(begun.return_to, connected=True)
    if row is None:
        return await _from_google(db, tokens, begun, person, client, site)
    return await _from_company(db, site, row, begun, person, client)


async def _identified(site: Site, known_as: OpenIdClient, begun: Taken, answer: ProviderAnswer, browser: str) -> Person:
    question = site.question(begun.company, answer.state, browser)
    try:
        return await site.asked().identify(known_as, question, answer.code, answer.iss)
    except ProviderError as exc:
        # The words are for whoever looks after the company's provider; they hold neither tokens nor codes.
        _log.warning(
            "a provider's answer was refused", tenant_id=str(begun.company or ""), issuer=begun.issuer, reason=exc.message
        )
        raise Refused("provider_error") from exc


# --- a company's own ---------------------------------------------------------------------------------------------


async def _from_company(db: Database, site: Site, row: Mapping[str, Any], begun: Taken, person: Person, client: Client) -> Landed:
    company: UUID = row["tenant_id"]
    refresh = new_refresh_token()
    who = Who(company, None, "system", name=row["label"], address=client.address)
    async with tenant_tx(db, who) as tx:
        user_id = await _admitted(tx, row, person)
        opened = await tx.fetchval(
            _SQL["open_session"],
            user=user_id,
            tenant=company,
            agent=client.user_agent,
            address=client.address,
            hash=hash_token(refresh),
            ttl_s=TTL_S,
        )
        if opened is None:
            raise Refused("deactivated")
        note_growth(tx)
        await tx.execute(_SQL["note_success"], tenant=company, issuer=person.issuer)
        if not row["sealed"].startswith(site.seals.prefix):
            sealed = site.seal(company, site.client(row).client_secret)
            await tx.execute(_SQL["reseal"], sealed=sealed, was=row["sealed"])
    return Landed(begun.return_to, refresh, TTL_S)


async def _admitted(tx: Tx, row: Mapping[str, Any], person: Person) -> UUID:
    """Whom the provider's person stands for: known already, known by a proven address, or new. Raises Refused."""
    email = _address(person)
    known = await _look(tx, person, email)
    user_id: UUID | None = known["known_user"]
    if user_id is not None:
        if known["status"] != "active":
            raise Refused("deactivated")
        await _link(tx, user_id, person)
        return user_id
    vouched = person.email_verified is True or (person.email_verified is None and row["trusts_addresses"])
    if not email or not vouched or not known["is_proven"]:
        raise Refused("address_unproven")
    user_id = known["user_of_address"]
    if known["other_subject"]:
        # The address was somebody else's at the provider before: perhaps a colleague who left.
        raise Refused("other_person")
    if known["status"] is None:
        user_id = await _let_join(tx, email, person)
    elif known["status"] != "active":
        raise Refused("deactivated")
    elif known["role"] == "owner":
        raise Refused("owner_connects")
    assert user_id is not None  # there is a member of this address
    if await _link(tx, user_id, person) != user_id:
        raise Refused("other_person")
    await record(tx, "sso.member_connected", subject_kind="member", subject_id=user_id, details={"issuer": person.issuer})
    return user_id


async def _let_join(tx: Tx, email: str, person: Person) -> UUID:
    provider = await tx.fetchrow(_SQL["get_provider"])
    if provider is None or not provider["joins"]:
        raise Refused("not_a_member")
    await check_seats(tx)
    name = person.name or email.partition("@")[0]
    user_id: UUID = await tx.fetchval(_SQL["make_member"], email=email, name=name, role=provider["role"])
    tx.emit(MemberJoined(user_id, {"member": orjson.Fragment(await read_member(tx, user_id))}))
    if provider["team_id"] is not None:
        await tx.execute(_SQL["join_team"], team_id=provider["team_id"], member_id=user_id)
        team = await read_team(tx, provider["team_id"])
        tx.emit(TeamUpdated(provider["team_id"], {"team": orjson.Fragment(team)}))
    return user_id


async def _look(tx: Tx, person: Person, email: str) -> Any:
    return await tx.fetchrow(
        _SQL["look"],
        tenant=tx.who.tenant_id,
        issuer=person.issuer,
        subject=person.subject,
        email_lc=email.lower(),
        domain=email.rpartition("@")[2].lower(),
    )


async def _link(tx: Tx, user_id: UUID, person: Person) -> UUID:
    linked: UUID = await tx.fetchval(
        _SQL["link"],
        user=user_id,
        tenant=tx.who.tenant_id,
        issuer=person.issuer,
        subject=person.subject,
        email=person.email[:254],
    )
    return linked


# --- Google -------------------------------------------------------------------------------------------------------


async def _from_google(db: Database, tokens: Tokens, begun: Taken, person: Person, client: Client, site: Site) -> Landed:
    email = _address(person)
    known = await _look_up(db, person, email)
    user_id: UUID | None = known["known_user"]
    if user_id is None:
        user_id = known["user_of_address"]
        if user_id is None or not email:
            raise Refused("no_account")
        means = await factors.means_of(db, user_id)
        if not is_googles(person, email) or known["other_subject"] or means.has_totp:
            raise Refused("connect_first")
        await _link_outside(db, user_id, None, person)
        await _tell(db, site, user_id, "Google", person.email)
    else:
        await _link_outside(db, user_id, None, person)
    means = await factors.means_of(db, user_id)
    if means.has_totp:
        # Google stands for the password, and for no more.
        token, _ = await factors.begin(db, "second_step", user_id=user_id)
        return Landed(begun.return_to, second=token)
    grant = await open_session(db, tokens, User(id=user_id, email=means.email, name=means.name), None, client, "sso")
    return Landed(begun.return_to, grant.refresh_token)


def is_googles(person: Person, email: str) -> bool:
    """Is Google the one that hands this address out, so that whoever it says has it has it today?

    Of other addresses Google only knows that they were somebody's once
    (https://developers.google.com/identity/gsi/web/guides/verify-google-id-token).
    """
    domain = email.rpartition("@")[2].lower()
    return person.email_verified is True and (domain in ("gmail.com", "googlemail.com") or person.hosted_domain == domain)


async def _look_up(db: Database, person: Person, email: str) -> Any:
    return await db.system_fetchrow(
        _SQL["look"], tenant=None, issuer=person.issuer, subject=person.subject, email_lc=email.lower(), domain=""
    )


async def _link_outside(db: Database, user_id: UUID, company: UUID | None, person: Person) -> None:
    row = await db.system_fetchrow(
        _SQL["link"],
        user=user_id,
        tenant=company,
        issuer=person.issuer,
        subject=person.subject,
        email=person.email[:254],
    )
    if row is None or row["user_id"] != user_id:
        raise Refused("other_account")


# --- connecting what one is signed in as -----------------------------------------------------------------------------


async def _connect(db: Database, site: Site, begun: Taken, person: Person) -> None:
    assert begun.user_id is not None  # nobody else begins to connect
    known = await db.system_fetchrow(
        _SQL["look"], tenant=begun.company, issuer=person.issuer, subject=person.subject, email_lc="", domain=""
    )
    assert known is not None
    if known["known_user"] not in (None, begun.user_id):
        raise Refused("other_account")
    if begun.company is None:
        await _link_outside(db, begun.user_id, None, person)
        label = "Google"
    else:
        async with tenant_tx(db, Who(begun.company, begun.user_id, "rep")) as tx:
            member = await tx.fetchval(_SQL["is_member"], member_id=begun.user_id)
            provider = await tx.fetchrow(_SQL["get_provider"])
            if not member or provider is None or await _link(tx, begun.user_id, person) != begun.user_id:
                raise Refused("other_account")
            await tx.execute(_SQL["note_success"], tenant=begun.company, issuer=person.issuer)
            tx.emit(SsoUpdated.of("member_connected", member_id=begun.user_id))
        label = provider["label"]
    await _tell(db, site, begun.user_id, label, person.email)


async def _tell(db: Database, site: Site, user_id: UUID, label: str, email: str) -> None:
    row = await db.system_fetchrow(_SQL["user"], user=user_id)
    if row is not None:
        values = {
            "name": row["name"],
            "label": label,
            "email": email,
            "link": f"{site.settings.public_url}/settings/security",
        }
        await post(db, to=row["email"], template="account_connected", values=values)


def _address(person: Person) -> str:
    """The person's address, or nothing when it is none that could have an account."""
    try:
        return parse_email(person.email)
    except AddressError:
        return ""
