"""Warning managers of what happens, or does not, on the floor."""

from __future__ import annotations

import orjson

from hub.db import Database, Tx, tenant_tx
from hub.floor.events import AlertCleared, AlertRaised, AlertRulesUpdated
from hub.floor.models import AlertRules
from hub.notifications.actions import notify_managers
from hub.sqlfiles import load_sql
from hub.who import Who

_SQL = load_sql("floor")


async def read_rules(tx: Tx) -> str:
    """The company's alert rules, or the defaults, as JSON."""
    text: str = await tx.fetchval(_SQL["get_alert_rules"])
    return text


async def put_rules(tx: Tx, given: AlertRules) -> str:
    """Set the company's alert rules; they are JSON again. What they raise or clear follows within seconds."""
    await tx.execute(
        _SQL["put_alert_rules"],
        rep_idle_on=given.rep_idle.on,
        rep_idle_minutes=given.rep_idle.minutes,
        queue_empty_on=given.queue_empty.on,
        queue_empty_left=given.queue_empty.contacts_left,
        abandonment_on=given.abandonment.on,
        abandonment_percent=given.abandonment.percent_of_cap,
        notifies=given.notify,
    )
    text = await read_rules(tx)
    tx.emit(AlertRulesUpdated(None, {"rules": orjson.Fragment(text)}))
    return text


async def watch(db: Database) -> int:
    """Raise and clear the alerts of every company in which somebody is there. Returns how many were raised or cleared."""
    changed = 0
    for row in await db.system_fetch(_SQL["alerts_tenants"]):
        async with tenant_tx(db, Who.system(row["tenant_id"])) as tx:
            changed += await _watch_company(tx)
    return changed


async def _watch_company(tx: Tx) -> int:
    changes = await tx.fetch(_SQL["alert_changes"])
    if not changes:
        return 0
    rules = await tx.fetchrow(_SQL["get_alert_rules"])
    assert rules is not None
    for change in changes:
        if change["cleared_id"] is not None:
            text = await tx.fetchval(_SQL["clear_alert"], id=change["cleared_id"])
            if text is not None:
                tx.emit(AlertCleared(change["cleared_id"], {"alert": orjson.Fragment(text)}))
            continue
        names = ("kind", "subject_kind", "subject_id", "subject_name", "message")
        raised = await tx.fetchrow(_SQL["raise_alert"], **{name: change[name] for name in names})
        if raised is not None:
            tx.emit(AlertRaised(raised["id"], {"alert": orjson.Fragment(raised["json"])}))
            if rules["notifies"]:
                await notify_managers(tx, "alert_raised", change["message"], "", change["subject_kind"], change["subject_id"])
    return len(changes)


async def forget_old_alerts(db: Database) -> None:
    """Delete what has passed long ago."""
    await db.system_fetch(_SQL["alerts_forget"])
