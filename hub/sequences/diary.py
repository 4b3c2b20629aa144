"""What the planner needs to know of a company: whose mailboxes may send, and which of their moments are given away."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
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
_SEQUENCES = load_sql("sequences")

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
    elif row["owner_gone_at"] is not None:
        shut = f"{row['address']} rests, because its owner is no active member"
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
    days = Days(settings["zone"] if settings is not None else "UTC", now)
    since = moment_of(now) - timedelta(seconds=WEEK_SPAN_S)
    domain_caps, free = _domain_caps(settings)
    lanes = await _lanes(tx, days, boxes, since, planned=True)
    wanted = {domain for domain in domains if domain and domain not in free} if not domain_caps.is_open else set()
    by_domain = await _domain_lanes(tx, days, domain_caps, wanted, since, planned=True)
    return Planner(now, days, lanes, by_domain, domain_caps, await quiet_days(tx), free)


class Used:
    """What a mailbox, and all of them to a domain, have really sent beside what they are to send: for seeing, when its time has
    come, whether a planned mail still has its place. One round of the scheduler reads it once.
    """

    def __init__(self) -> None:
        self._settings: asyncpg.Record | None = None
        self._is_read = False
        # None: nobody wrote mail, and then everybody has the place that was planned.
        self._lanes: dict[UUID, Lane | None] = {}
        self._domains: dict[str, Lane | None] = {}

    async def take_place(self, tx: Tx, box: Box, domain: str | None, at: int) -> bool:
        """Take the place that a mail was given at `at` (seconds since 1970); False when people's own mail has used it up."""
        if not self._is_read:
            self._settings = await tx.fetchrow(_SEQUENCES["look_at_settings"])
            self._is_read = True
        if box.id not in self._lanes or (domain is not None and domain not in self._domains):
            await self._read(tx, box, domain, at)
        lanes = [
            lane for lane in (self._lanes[box.id], self._domains[domain] if domain is not None else None) if lane is not None
        ]
        if any(lane.fits(at, 0, _unheard) != at for lane in lanes):
            return False
        for lane in lanes:
            lane.take(at)
        return True

    async def _read(self, tx: Tx, box: Box, domain: str | None, at: int) -> None:
        days = Days(self._settings["zone"] if self._settings is not None else "UTC", at)
        since = moment_of(at) - timedelta(seconds=WEEK_SPAN_S)
        wrote = await tx.fetchrow(_SQL["people_wrote"], mailbox_id=box.id, domain=domain, since=since)
        assert wrote is not None
        if box.id not in self._lanes:
            lanes = await _lanes(tx, days, [box], since, planned=False) if wrote["in_mailbox"] else {}
            self._lanes[box.id] = lanes.get(box.id)
        if domain is not None and domain not in self._domains:
            caps, free = _domain_caps(self._settings)
            counts = wrote["to_domain"] and not caps.is_open and domain not in free
            by_domain = await _domain_lanes(tx, days, caps, {domain}, since, planned=False) if counts else {}
            self._domains[domain] = by_domain.get(domain)


def _unheard(code: str, since: int, until: int) -> None:
    """Nobody asks why."""


def _domain_caps(settings: asyncpg.Record | None) -> tuple[Caps, frozenset[str]]:
    """The caps of a domain, and the domains that have none."""
    if settings is None:
        return Caps(), FREE_DOMAINS
    caps = Caps(settings["domain_per_hour"], settings["domain_per_day"], settings["domain_per_week"])
    return caps, frozenset() if settings["caps_free_domains"] else FREE_DOMAINS


async def _lanes(tx: Tx, days: Days, boxes: Iterable[Box], since: datetime, *, planned: bool) -> dict[UUID, Lane]:
    chosen = list(boxes)
    rows = await tx.fetch(_SQL["taken_by_mailbox"], ids=[box.id for box in chosen], since=since, planned=planned)
    taken = {row["mailbox_id"]: row for row in rows}
    empty: dict[str, list[int]] = {"moments": [], "people": []}
    return {
        box.id: Lane(box.caps, days, taken.get(box.id, empty)["moments"], taken.get(box.id, empty)["people"]) for box in chosen
    }


async def _domain_lanes(
    tx: Tx, days: Days, caps: Caps, domains: Iterable[str], since: datetime, *, planned: bool
) -> dict[str, Lane]:
    wanted = sorted(domains)
    rows = await tx.fetch(_SQL["taken_by_domain"], domains=wanted, since=since, planned=planned) if wanted else []
    return {row["domain_lc"]: Lane(caps, days, row["moments"], row["people"]) for row in rows}
