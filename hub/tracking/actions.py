"""The writes of tracking: settings, what was fetched, and who it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

import orjson

from hub.db import Tx
from hub.sqlfiles import load_sql
from hub.tracking.domains import CHECK, domain_to_check
from hub.tracking.events import MailClicked, MailOpened, TrackingSettingsUpdated
from hub.tracking.models import TrackingSettings
from hub.tracking.rules import ALL_LINKS, Hit, judge

_SQL = load_sql("tracking")

# Hits are judged this much later, so that what comes at once is seen together.
JUDGE_AFTER_S = 4.0


@dataclass(frozen=True, slots=True)
class Fetch:
    """A request for something of a mail's: by which method, by what, from where."""

    method: str
    agent: str
    address: str


async def save_settings(tx: Tx, given: TrackingSettings) -> str:
    """Replace the company's settings and return them as JSON. Mail that went out before is still counted.

    A domain that is new is looked at, and used once it was seen to lead here.
    """
    before = await domain_to_check(tx)
    text: str = await tx.fetchval(
        _SQL["save_settings"],
        opens=given.opens == "on",
        clicks=given.clicks == "on",
        off_regions=given.off_regions,
        unknown_region=given.unknown_region,
        domain=given.domain,
    )
    if given.domain and given.domain != before:
        await tx.defer(CHECK, {"domain": given.domain}, max_attempts=5)
    tx.emit(TrackingSettingsUpdated(tx.who.tenant_id, {"settings": orjson.Fragment(text)}))
    return text


async def note_hit(tx: Tx, send_id: UUID, kind: Literal["open", "click"], position: int | None, fetch: Fetch) -> None:
    """Keep that something of a mail's was fetched; a job judges it. What is not known, or goes on without end, is let be."""
    row = await tx.fetchrow(
        _SQL["add_hit"],
        send_id=send_id,
        kind=kind,
        position=position,
        method=fetch.method[:20],
        agent=fetch.agent[:400],
        address=fetch.address or None,
    )
    if row is not None:
        at = datetime.now(UTC) + timedelta(seconds=JUDGE_AFTER_S)
        # What comes within the same few seconds is judged together.
        await tx.defer("tracking.judge", {"send_id": send_id}, run_at=at, key=f"{send_id}:{row['moment']}")


async def judge_hits(tx: Tx, send_id: UUID, audiences: Sequence[str]) -> bool:
    """Say of everything that was fetched of a mail whether it was a person, and tell `audiences` of what people did.

    A verdict stays; only what turns out to be one of many clicks at once becomes a machine's afterwards. True when it is known
    now that a person did something, or that they did not after all.
    """
    mail = await tx.fetchrow(_SQL["lock_tracked"], send_id=send_id)
    if mail is None:
        return False
    rows = await tx.fetch(_SQL["hits_of"], send_id=send_id)
    hits = [Hit(r["id"], r["kind"], r["position"], r["at"], r["method"], r["agent"], r["address"]) for r in rows]
    found = judge(hits, sent_at=mail["sent_at"], links=mail["links"])
    verdicts: dict[UUID, str | None] = {}
    for row in rows:
        rule = found[row["id"]]
        if row["human"] is None:
            verdicts[row["id"]] = rule.id if rule is not None else None
        elif row["human"] and rule is ALL_LINKS:
            verdicts[row["id"]] = rule.id
    if not verdicts:
        return False
    await tx.execute(_SQL["judge_hits"], ids=list(verdicts), rules=list(verdicts.values()))
    text = await tx.fetchval(_SQL["count_hits"], send_id=send_id)
    people = {row["kind"] for row in rows if row["id"] in verdicts and verdicts[row["id"]] is None}
    data = {"activity": orjson.Fragment(text)}
    for audience in audiences:
        if "open" in people:
            tx.emit(MailOpened(send_id, data, audience))
        if "click" in people:
            tx.emit(MailClicked(send_id, data, audience))
    return bool(people) or any(row["human"] for row in rows if row["id"] in verdicts)


async def note_reply(tx: Tx, send_id: UUID, *, at: datetime | None = None) -> None:
    """Note that a person answered a mail, for the results of templates. The first answer counts."""
    await tx.execute(_SQL["note_reply"], send_id=send_id, at=at)
