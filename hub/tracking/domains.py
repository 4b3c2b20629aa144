"""A domain of one's own for links: used once it was seen to lead here, so that no mail goes out with links that lead nowhere.

It leads here when it answers a challenge as only this installation can; whatever the DNS says and whatever stands in between.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import orjson

from hub.config import Settings
from hub.db import Database, Tx, tenant_tx
from hub.errors import Conflict
from hub.notifications.actions import notify_managers
from hub.sqlfiles import load_sql
from hub.tracking import queries
from hub.tracking.events import TrackingSettingsUpdated
from hub.who import Who

_SQL = load_sql("tracking")

CHECK = "tracking.check_domain"
PATH = "/.well-known/ringside/"
_EVERY = timedelta(days=1)


def answer_to(settings: Settings, challenge: str) -> str:
    """What this installation answers to a challenge (HMAC-SHA256 with a key that is for nothing else)."""
    return hmac.new(settings.key("tracking-domain"), challenge.encode(), hashlib.sha256).hexdigest()


async def check_again(tx: Tx) -> str:
    """Have the domain looked at again; how it stands, as JSON. Raises Conflict where there is none."""
    domain = await domain_to_check(tx)
    if not domain:
        raise Conflict("No domain for links is set.", code="no_tracking_domain")
    await tx.defer(CHECK, {"domain": domain}, max_attempts=3)
    return await queries.get_domain(tx)


async def domain_to_check(tx: Tx) -> str:
    """The domain that is set; empty where there is none."""
    domain: str | None = await tx.fetchval(_SQL["domain_set"])
    return domain or ""


async def is_used(tx: Tx, domain: str) -> bool:
    """Whether links lead to this domain, because it was seen to lead here."""
    return bool(await tx.fetchval(_SQL["domain_in_use"]) == domain)


async def note_checked(tx: Tx, domain: str, problem: str | None) -> bool:
    """What looking at a domain has shown; None is well. False when another one was set meanwhile.

    The managers and admins are told of one that was used until now.
    """
    at = datetime.now(UTC)
    row = await tx.fetchrow(_SQL["note_domain"], domain=domain, at=at, problem=problem[:500] if problem else None)
    if row is None:
        return False
    tx.emit(TrackingSettingsUpdated(tx.who.tenant_id, {"settings": orjson.Fragment(await queries.get_settings(tx))}))
    if problem and row["was_used"]:
        words = f"{problem} New mail links to this server's own address meanwhile; links in mail sent before do not work."
        title = f"{domain} does not lead here any more"
        await notify_managers(tx, "tracking_domain_lost", title, words, "tracking_domain", tx.who.tenant_id)
    return True


async def check_daily(db: Database, limit: int = 1000) -> int:
    """Have the domains of any tenant looked at that nobody looked at for a day; how many those are. May be repeated."""
    rows = await db.system_fetch(_SQL["domains_to_check"], after=_EVERY, limit=limit)
    for row in rows:
        async with tenant_tx(db, Who.system(row["tenant_id"])) as tx:
            key = f"{row['domain']} {datetime.now(UTC).date()}"
            await tx.defer(CHECK, {"domain": row["domain"]}, key=key, max_attempts=5)
    return len(rows)
