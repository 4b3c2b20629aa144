"""What managers are warned of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from hub.db import Database, tenant_tx
from hub.floor.actions import watch
from hub.presence import actions as presence
from hub.presence import queries
from hub.who import Who
from tests.conftest import Company
from tests.harness import Api, RunningHub
from tests.workflow.kit import events, run_sql

# Once for all that is counted: a test may go on past midnight.
YESTERDAY = datetime.now(UTC).date() - timedelta(days=1)
RULES: dict[str, Any] = {
    "rep_idle": {"on": True, "minutes": 10},
    "queue_empty": {"on": True, "contacts_left": 0},
    "abandonment": {"on": True, "percent_of_cap": 80},
    "notify": True,
}


async def be_there(db: Database, company: Company, role: str = "rep", *, minutes: int = 0) -> None:
    """A person has been online for so long, at a hub that is there: whoever is at none is soon taken offline."""
    hub_id = uuid4()
    await queries.beat(db, hub_id, "test", 3600)
    async with tenant_tx(db, Who.system(company.tenant_id)) as tx:
        await presence.arrive(tx, company.members[role], hub_id)
    await run_sql(
        db,
        company,
        "UPDATE presence SET since = now() - make_interval(mins => $2) WHERE user_id = $1",
        company.members[role],
        minutes,
    )


async def make_queue(db: Database, company: Company, *, contacts: int = 0, state: str = "running") -> UUID:
    """A queue with some contacts left."""
    async with tenant_tx(db, Who.system(company.tenant_id)) as tx:
        queue_id: UUID = await tx.conn.fetchval(
            "INSERT INTO dial_queues (tenant_id, name, state) VALUES ($1, 'Spring', $2) RETURNING id", company.tenant_id, state
        )
        for _ in range(contacts):
            await tx.conn.execute(
                "WITH c AS (INSERT INTO contacts (tenant_id, first_name) VALUES ($1, 'Ada') RETURNING id) "
                "INSERT INTO dial_items (tenant_id, queue_id, contact_id, created_key) SELECT $1, $2, id, now() FROM c",
                company.tenant_id,
                queue_id,
            )
    return queue_id


async def count_days(db: Database, company: Company, queue_id: UUID, answered: int, abandoned: int) -> None:
    """So many calls of a queue were answered, and abandoned, yesterday."""
    await run_sql(
        db,
        company,
        "INSERT INTO dial_days (tenant_id, queue_id, period, day, answered, abandoned) "
        "VALUES ($1, $2, 0, $5, $3, $4) ON CONFLICT (tenant_id, queue_id, period, day) "
        "DO UPDATE SET answered = excluded.answered, abandoned = excluded.abandoned",
        company.tenant_id,
        queue_id,
        answered,
        abandoned,
        YESTERDAY,
    )


async def kinds(api: Api) -> list[str]:
    return [alert["kind"] for alert in (await api.get("/floor/alerts", open=True)).body["data"]]


async def test_an_idle_rep_is_told_of_once_and_cleared_when_they_call(
    db: Database, acme: Company, manager: Api, rep: Api
) -> None:
    await be_there(db, acme, minutes=9)
    assert await watch(db) == 0
    await be_there(db, acme, minutes=11)
    assert await watch(db) == 1
    assert await watch(db) == 0
    [alert] = (await manager.get("/floor/alerts")).body["data"]
    assert alert["subject"] == {"kind": "user", "id": str(acme.members["rep"]), "name": "Rep of Acme"}
    assert alert["message"] == "Rep of Acme has been idle for 10 minutes."
    assert (await manager.get("/floor")).body["alerts"] == [alert]
    assert (await rep.get("/floor")).body["alerts"] == [], "alerts are for managers"
    [told] = (await manager.get("/notifications")).body["data"]
    assert (told["kind"], told["title"]) == ("alert_raised", alert["message"])
    assert (await rep.get("/notifications")).body["data"] == []
    await be_there(db, acme, minutes=0)
    assert await watch(db) == 1
    assert (await manager.get("/floor")).body["alerts"] == []
    raised, cleared = await events(manager, "alert.")
    assert (raised["type"], raised["data"]["alert"]) == ("alert.raised", alert)
    assert (cleared["type"], cleared["data"]["alert"]["id"]) == ("alert.cleared", alert["id"])
    assert cleared["data"]["alert"]["cleared_at"] is not None
    assert await events(rep, "alert") == []


async def test_managers_who_do_nothing_are_not_idle(db: Database, acme: Company, manager: Api) -> None:
    await be_there(db, acme, "manager", minutes=600)
    assert await watch(db) == 0


async def test_a_running_queue_without_contacts_is_told_of(db: Database, acme: Company, manager: Api) -> None:
    await be_there(db, acme)
    await make_queue(db, acme, state="paused")
    queue = await make_queue(db, acme, contacts=2)
    assert await watch(db) == 0
    await run_sql(db, acme, "UPDATE dial_items SET state = 'done'")
    assert await watch(db) == 1
    assert (await manager.get("/floor/alerts")).body["data"][0]["message"] == "There is nobody left to call in Spring."
    await run_sql(db, acme, "UPDATE dial_queues SET state = 'done' WHERE id = $1", queue)
    await watch(db)
    assert await kinds(manager) == []


async def test_few_contacts_may_be_enough_to_warn(db: Database, acme: Company, manager: Api) -> None:
    await be_there(db, acme)
    await make_queue(db, acme, contacts=2)
    await manager.put("/floor/alerts", RULES | {"queue_empty": {"on": True, "contacts_left": 2}})
    assert await watch(db) == 1
    assert (await manager.get("/floor/alerts")).body["data"][0]["message"] == "There are 2 contacts left to call in Spring."


async def test_abandonment_near_the_cap_is_told_of_and_does_not_flicker(db: Database, acme: Company, manager: Api) -> None:
    await be_there(db, acme)
    queue = await make_queue(db, acme, contacts=1)
    await count_days(db, acme, queue, 1000, 23)
    assert await watch(db) == 0
    await count_days(db, acme, queue, 1000, 24)
    assert await watch(db) == 1
    message = (await manager.get("/floor/alerts")).body["data"][0]["message"]
    assert message == "Spring abandoned 24 of 1000 answered calls in 30 days. The limit is 3.0 %."
    await count_days(db, acme, queue, 1000, 22)
    assert await watch(db) == 0
    await count_days(db, acme, queue, 1000, 21)
    assert await watch(db) == 1
    assert await kinds(manager) == []


async def test_rules_are_the_managers(db: Database, acme: Company, manager: Api, rep: Api) -> None:
    assert (await manager.get("/floor/alerts")).body == {"rules": RULES, "data": [], "next_cursor": None}
    quiet = RULES | {"rep_idle": {"on": False, "minutes": 5}, "notify": False}
    assert (await manager.put("/floor/alerts", quiet)).body == quiet
    assert (await manager.get("/floor/alerts")).body["rules"] == quiet
    [event] = await events(manager, "alert_rules.updated")
    assert event["data"]["rules"] == quiet
    await be_there(db, acme, minutes=60)
    assert await watch(db) == 0
    await manager.put("/floor/alerts", quiet | {"rep_idle": {"on": True, "minutes": 5}})
    assert await watch(db) == 1
    assert (await manager.get("/notifications")).body["data"] == [], "they asked for none"
    await manager.put("/floor/alerts", quiet)
    assert await watch(db) == 1, "what is no longer asked for is cleared"
    assert (await rep.get("/floor/alerts")).status == (await rep.put("/floor/alerts", RULES)).status == 403
    assert (await manager.put("/floor/alerts", RULES | {"rep_idle": {"on": True, "minutes": 0}})).field("rep_idle.minutes")


async def test_another_companys_alerts_are_theirs(
    db: Database, acme: Company, globex: Company, hub: RunningHub, manager: Api
) -> None:
    await be_there(db, globex, minutes=60)
    await be_there(db, acme)
    assert await watch(db) == 1
    assert (await manager.get("/floor/alerts")).body["data"] == []
    assert await kinds(hub.as_member(globex, "owner")) == ["rep_idle"]
    assert await events(manager, "alert.") == []
