"""What the planner needs to know of a company: whose mailboxes may send, and which of their moments are given away."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import asyncpg
import orjson

from hub.db import Tx
from hub.sequences.hours import Days, moment_of
from hub.sequences.planning import Planner
from hub.sequences.rules import quiet_days
from hub.sequences.slots import WEEK_SPAN_S, Caps, Lane, WarmUp
from hub.sqlfiles import load_sql

_SQL = load_sql("enrolments")

# Where everybody's mail lives: the cap of a domain is meant for a company's.
# fmt: off
FREE_DOMAINS = frozenset({
    "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com", "yahoo.com", "ymail.com", "aol.com",
    "icloud.com", "me.com", "mac.com", "gmx.com", "gmx.de", "gmx.net", "gmx.at", "gmx.ch", "web.de", "t-online.de",
    "freenet.de", "proton.me", "protonmail.com", "pm.me", "zoho.com", "fastmail.com", "mail.com", "yandex.com", "yandex.ru",
    "mail.ru", "qq.com", "163.com", "126.com", "naver.com", "orange.fr", "wanadoo.fr", "free.fr", "laposte.net", "libero.it",
    "comcast.net", "verizon.net", "att.net", "sbcglobal.net", "cox.net", "btinternet.com", "rediffmail.com", "hotmail.co.uk",
    "yahoo.co.uk", "yahoo.fr", "yahoo.de",
})
# fmt: on
_LIVE = frozenset({"connecting", "syncing", "active", "failing"})


@dataclass(frozen=True, slots=True)
class Box:
    """A mailbox as planning sees it. `shut` says in words why nothing goes out of it now; None when it may."""

    id: UUID
    address: str
    caps: Caps
    shut: str | None


async def boxes_of(tx: Tx, mailbox_ids: Iterable[UUID]) -> dict[UUID, Box]:
    """The mailboxes named."""
    return {row["id"]: _box(row) for row in await tx.fetch(_SQL["caps_of"], ids=list(mailbox_ids))}


def _box(row: asyncpg.Record) -> Box:
    shut = None
    if row["stopped_reason"]:
        shut = f"{row['address']} has stopped itself: {row['stopped_reason']}"
    elif row["state"] not in _LIVE:
        shut = f"{row['address']} is {row['state']}"
    given = orjson.loads(row["warm_up"]) if row["warm_up"] else None
    ramp = WarmUp(date.fromisoformat(given["started_on"]), given["start"], given["add"]) if given else None
    return Box(row["id"], row["address"], Caps(row["per_hour"], row["per_day"], row["per_week"], row["min_gap_s"], ramp), shut)


async def open_planner(
    tx: Tx, now: int, settings: asyncpg.Record | None, boxes: Iterable[Box], domains: Iterable[str | None]
) -> Planner:
    """A planner that knows what these mailboxes, and all of them to these domains, sent in the last week and are to send.

    Whoever wants to keep what it plans holds the row of the settings.
    """
    since = moment_of(now) - timedelta(seconds=WEEK_SPAN_S)
    days = Days(settings["zone"] if settings is not None else "UTC", now)
    chosen = list(boxes)
    taken = {
        row["mailbox_id"]: row["moments"]
        for row in await tx.fetch(_SQL["taken_by_mailbox"], ids=[box.id for box in chosen], since=since)
    }
    lanes = {box.id: Lane(box.caps, days, taken.get(box.id, ())) for box in chosen}
    domain_caps, free, by_domain = Caps(), FREE_DOMAINS, {}
    if settings is not None:
        domain_caps = Caps(settings["domain_per_hour"], settings["domain_per_day"], settings["domain_per_week"])
        free = frozenset() if settings["caps_free_domains"] else FREE_DOMAINS
    if not domain_caps.is_open:
        wanted = sorted({domain for domain in domains if domain and domain not in free})
        by_domain = {
            row["domain_lc"]: Lane(domain_caps, days, row["moments"])
            for row in await tx.fetch(_SQL["taken_by_domain"], domains=wanted, since=since)
        }
    return Planner(now, days, lanes, by_domain, domain_caps, await quiet_days(tx), free)
