"""How a company signs in: its provider, whether everybody has to use it, and the domains it has proven."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any
from uuid import UUID

import orjson

from hub.db import Database, Tx, tenant_tx
from hub.errors import Conflict, Invalid, NotFound, TooMany
from hub.plans import actions as plans
from hub.post.actions import post
from hub.sqlfiles import load_sql
from hub.sso.beginning import BACK, Site, check
from hub.sso.events import SsoUpdated
from hub.sso.models import DomainIn, ProviderIn
from hub.who import Who
from integrations.identity import OpenIdClient

_SQL = load_sql("sso")

CODE_TTL_S = 7 * 86_400
# A code has 100 random bits.
_CODE_SIGNS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_CODE_LENGTH = 20
_ENTER_IT = "Enter the client's secret; another issuer or client has another one."
_TRIES = 10
_LETTERS_AN_HOUR = 10
_LETTERS_TO_ONE = 3
_WINDOW_S = 3600
_MOST_DOMAINS = 50
# Whoever proves one of these speaks for strangers.
_EVERYBODYS = frozenset(
    (
        *(
            "gmail.com",
            "googlemail.com",
            "outlook.com",
            "hotmail.com",
            "live.com",
            "msn.com",
            "yahoo.com",
            "ymail.com",
            "aol.com",
        ),
        *("icloud.com", "me.com", "mac.com", "gmx.com", "gmx.de", "gmx.net", "web.de", "mail.com", "mail.ru", "yandex.ru"),
        *(
            "yandex.com",
            "proton.me",
            "protonmail.com",
            "pm.me",
            "zoho.com",
            "fastmail.com",
            "hey.com",
            "tutanota.com",
            "tuta.com",
        ),
        *("qq.com", "163.com", "126.com", "naver.com", "orange.fr", "free.fr", "libero.it", "t-online.de", "comcast.net"),
    )
)


async def read_settings(tx: Tx, site: Site) -> bytes:
    """How the company signs in, as JSON."""
    found: dict[str, Any] = orjson.loads(await tx.fetchval(_SQL["get_settings"]))
    company = tx.who.tenant_id
    found |= {"redirect_uri": site.redirect_uri(company), "start_url": f"{site.settings.public_url}{BACK}/{company}/start"}
    return orjson.dumps(found)


async def set_provider(db: Database, site: Site, who: Who, given: ProviderIn) -> bytes:
    """Set the company's provider, which is asked first whether it is one.

    Raises PlanLimit, Invalid, and Conflict while it is enforced and would become another one.
    """
    async with tenant_tx(db, who) as tx:
        await plans.require(tx, "sso")
        before = await tx.fetchrow(_SQL["get_provider"])
        if given.team_id is not None and not await tx.fetchval(_SQL["has_team"], team_id=given.team_id):
            raise Invalid.field("team_id", "There is no such team.")
    is_same = before is not None and (before["issuer"], before["client_id"]) == (given.issuer, given.client_id)
    if given.client_secret is None and not is_same:
        raise Invalid.field("client_secret", _ENTER_IT)
    if not is_same or given.client_secret is not None:
        await check(site, OpenIdClient(given.issuer, given.client_id, given.client_secret or ""))
    async with tenant_tx(db, who) as tx:
        locked = await tx.fetchrow(_SQL["lock_provider"])
        was = (locked["issuer"], locked["client_id"]) if locked else None
        changes = was is not None and was != (given.issuer, given.client_id)
        if changes and locked is not None and locked["is_enforced"]:
            raise Conflict(
                "Everybody has to sign in through this provider now. Let passwords in first, then change it.",
                code="sso_is_enforced",
            )
        if given.client_secret is not None:
            sealed = site.seal(who.tenant_id, given.client_secret)
        elif locked is not None and not changes:
            sealed = locked["sealed"]
        else:
            raise Invalid.field("client_secret", _ENTER_IT)
        await tx.execute(
            _SQL["put_provider"],
            label=given.label,
            issuer=given.issuer,
            client_id=given.client_id,
            sealed=sealed,
            joins=given.joins,
            role=given.role,
            team_id=given.team_id,
            trusts_addresses=given.trusts_addresses,
        )
        if changes:
            await tx.fetchval(_SQL["end_ours"])
        tx.emit(SsoUpdated.of("provider_set", issuer=given.issuer))
        text = await read_settings(tx, site)
    db.notifier.access_changed()
    return text


async def remove_provider(db: Database, who: Who) -> None:
    """Take the provider away and end the sessions it let in. Raises NotFound, and Conflict while it is enforced."""
    async with tenant_tx(db, who) as tx:
        row = await _locked(tx)
        if row["is_enforced"]:
            raise Conflict("Everybody has to sign in through it now. Let passwords in first.", code="sso_is_enforced")
        await tx.fetchval(_SQL["end_ours"])
        await tx.execute(_SQL["delete_provider"])
        tx.emit(SsoUpdated.of("provider_removed", issuer=row["issuer"]))
    db.notifier.access_changed()


async def enforce(db: Database, site: Site, who: Who, *, enforced: bool) -> bytes:
    """Let only the provider in, but for owners, and end the other sessions; or let passwords and passkeys in again.

    Raises NotFound without a provider, Conflict before somebody came through it.
    """
    async with tenant_tx(db, who) as tx:
        row = await _locked(tx)
        if enforced:
            await plans.require(tx, "sso")
            if row["tested_at"] is None:
                raise Conflict(
                    "Nobody has signed in through it yet. Connect your own account with it first.", code="sso_not_tested"
                )
        if row["is_enforced"] != enforced:
            await tx.execute(_SQL["set_enforced"], enforced=enforced)
            tx.emit(SsoUpdated.of("enforced" if enforced else "not_enforced", issuer=row["issuer"]))
        text = await read_settings(tx, site)
    if enforced:
        # Only now: a refresh holds its session and asks for the provider's row, and each would wait for the other. From here on
        # the database opens no other session and goes on with none, so that what is ended is all there is.
        async with tenant_tx(db, who) as tx:
            await tx.fetchval(_SQL["end_others"])
    db.notifier.access_changed()
    return text


async def disconnect_member(tx: Tx, member_id: UUID) -> None:
    """Forget as whom the provider knows a member, so that somebody else of that address can be connected. Raises NotFound."""
    if not await tx.fetchval(_SQL["is_member"], member_id=member_id):
        raise NotFound("There is no such member.", code="member_not_found")
    if await tx.fetchval(_SQL["disconnect_member"], member_id=member_id):
        tx.emit(SsoUpdated.of("member_disconnected", member_id=member_id))


async def ask_for_domain(db: Database, site: Site, who: Who, given: DomainIn) -> bytes:
    """Send the letter with the code to the domain's postmaster. Raises Conflict, TooMany, PlanLimit and Invalid."""
    if given.domain in _EVERYBODYS:
        raise Invalid.field("domain", "Everybody can have an address there. Enter a domain of your company's own.")
    to = f"{given.mailbox}@{given.domain}"
    await _take_attempt(db, f"sso-domain:{who.tenant_id}", _LETTERS_AN_HOUR)
    await _take_attempt(db, f"sso-domain-to:{to}", _LETTERS_TO_ONE)
    code = "".join(secrets.choice(_CODE_SIGNS) for _ in range(_CODE_LENGTH))
    async with tenant_tx(db, who) as tx:
        await plans.require(tx, "sso")
        if await tx.fetchval(_SQL["count_domains"]) >= _MOST_DOMAINS:
            raise Conflict(f"A company can have {_MOST_DOMAINS} domains.", code="too_many_domains")
        if await tx.fetchval(_SQL["ask_domain"], domain=given.domain, sent_to=to, hash=_hash(code), ttl_s=CODE_TTL_S) is None:
            raise Conflict("This domain is proven already.", code="domain_is_proven")
        company = await tx.fetchval(_SQL["company"])
        tx.emit(SsoUpdated.of("domain_asked", domain=given.domain))
        text = await read_settings(tx, site)
    shown = "-".join(code[at : at + 5] for at in range(0, _CODE_LENGTH, 5))
    values = {"company": company, "by": who.name or company, "domain": given.domain, "code": shown, "days": CODE_TTL_S // 86_400}
    # The company's own outbox must not show it: who asks would read there what only the domain's postmaster may know.
    await post(db, to=to, template="sso_domain", values=values)
    return text


async def prove_domain(db: Database, site: Site, who: Who, domain: str, code: str) -> bytes:
    """Take the code of the letter. Raises NotFound, Invalid for a wrong one, Conflict for one of another company's domains."""
    async with tenant_tx(db, who) as tx:
        outcome = await tx.fetchval(_SQL["prove_domain"], domain=domain, hash=_hash(code), tries=_TRIES)
        if outcome == "ok":
            tx.emit(SsoUpdated.of("domain_proven", domain=domain))
            return await read_settings(tx, site)
    # Only now: a wrong code counts, and an error inside would undo that.
    if outcome == "unknown":
        raise _no_domain()
    if outcome == "taken":
        raise Conflict("Another company here has proven this domain. It has to let it go first.", code="domain_is_taken")
    if outcome == "late":
        raise Invalid.field("code", "This code has run out, or was tried too often. Ask for a new letter.")
    raise Invalid.field("code", "This is not the code of the newest letter.")


async def remove_domain(tx: Tx, domain: str) -> None:
    """Let a domain go: the provider no longer speaks for its addresses. Who is connected stays so. Raises NotFound."""
    if await tx.fetchval(_SQL["delete_domain"], domain=domain) is None:
        raise _no_domain()
    tx.emit(SsoUpdated.of("domain_removed", domain=domain))


def _no_domain() -> NotFound:
    return NotFound("There is no such domain.", code="domain_not_found")


async def _locked(tx: Tx) -> Any:
    row = await tx.fetchrow(_SQL["lock_provider"])
    if row is None:
        raise NotFound("The company has no provider.", code="no_provider")
    return row


async def _take_attempt(db: Database, key: str, limit: int) -> None:
    row = await db.system_fetchrow(_SQL["take_attempt"], keys=[key], limits=[limit], window_s=_WINDOW_S)
    wait_s = row["wait_s"] if row else 0
    if wait_s > 0:
        raise TooMany("Too many letters were asked for. Try again later.", retry_after_s=wait_s, code="throttled")


def _hash(code: str) -> bytes:
    plain = "".join(sign for sign in code.upper() if sign.isalnum())
    return hashlib.sha256(plain.encode()).digest()
