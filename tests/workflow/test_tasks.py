"""Tasks and the notifications about them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hub.db import Database, tenant_tx
from hub.notifications.actions import notify
from hub.tasks.actions import tell_of_due_tasks
from hub.tasks.models import Task
from tests.conftest import Company
from tests.harness import Api, RunningHub
from tests.workflow.kit import events, make_call, run_sql


def later(**more: float) -> str:
    return (datetime.now(UTC) + timedelta(**more)).isoformat()


def titles(body: dict[str, list[dict[str, str]]]) -> list[str]:
    return [t["title"] for t in body["data"]]


async def test_a_task_is_ones_own_unless_it_is_said_otherwise(rep: Api, acme: Company) -> None:
    mine = (await rep.post("/tasks", {"title": "Send the brochure"})).body
    assert mine["assignee"]["id"] == mine["created_by"]["id"] == str(acme.members["rep"])
    pool = (await rep.post("/tasks", {"title": "Anybody", "assignee_id": None})).body
    assert pool["assignee"] is None
    assert (await rep.get("/notifications")).body == {"data": [], "next_cursor": None, "unread": 0}


async def test_tasks_come_in_the_order_they_are_due_and_done_ones_last_done_first(rep: Api) -> None:
    for hours in (3, 1, 2):
        await rep.post("/tasks", {"title": f"in {hours}", "due_at": later(hours=hours)})
    first = (await rep.get("/tasks", open=True, limit=2)).body
    second = (await rep.get("/tasks", open=True, limit=2, cursor=first["next_cursor"])).body
    assert titles(first) + titles(second) == ["in 1", "in 2", "in 3"]
    for task in first["data"]:
        assert (await rep.post(f"/tasks/{task['id']}/done")).body["done_at"]
    assert titles((await rep.get("/tasks", open=True)).body) == ["in 3"]
    done = (await rep.get("/tasks", open=False, limit=1)).body
    assert titles(done) == ["in 2"]
    assert titles((await rep.get("/tasks", open=False, cursor=done["next_cursor"])).body) == ["in 1"]
    assert titles((await rep.get("/tasks", due_before=later(hours=1.5))).body) == ["in 1"]
    assert (await rep.get("/tasks", open=False, due_before="2026-01-01")).status == 422


async def test_a_task_is_changed_done_opened_and_taken_away_and_each_is_told(rep: Api) -> None:
    task = await rep.post("/tasks", {"title": "Send the brochure"})
    path = f"/tasks/{task.body['id']}"
    changed = await rep.patch(path, {"title": "Send both"}, headers={"If-Match": task.headers["ETag"]})
    assert changed.status == 200
    stale = await rep.patch(path, {"title": "Send none"}, headers={"If-Match": task.headers["ETag"]})
    assert stale.error == "changed_meanwhile"
    await rep.post(f"{path}/done")
    await rep.post(f"{path}/done")
    assert (await rep.patch(path, {"done": False})).body["done_at"] is None
    fresh = (await rep.get(path)).body
    assert (await events(rep, "task."))[-1]["data"]["task"] == fresh, "state plus events is state"
    assert (await rep.delete(path)).status == 204
    assert (await rep.get(path)).error == "task_not_found"
    seen = await events(rep, "task.")
    assert [e["type"].split(".")[1] for e in seen] == ["created", "updated", "done", "updated", "deleted"]
    for event in seen:
        Task.model_validate(event["data"]["task"])


async def test_a_colleagues_task_is_for_them_or_a_manager(rep: Api, hub: RunningHub, acme: Company) -> None:
    manager = hub.as_member(acme, "manager")
    task = (await manager.post("/tasks", {"title": "Call the board"})).body
    assert (await rep.post(f"/tasks/{task['id']}/done")).status == 403
    theirs = (await rep.post("/tasks", {"title": "Tidy up"})).body
    assert (await manager.post(f"/tasks/{theirs['id']}/done")).body["done_by"]["id"] == str(acme.members["manager"])


async def test_who_is_given_a_task_is_told_live_and_alone(rep: Api, hub: RunningHub, acme: Company) -> None:
    manager = hub.as_member(acme, "manager")
    body = {"title": "Call the board", "assignee_id": str(acme.members["rep"]), "due_at": later(hours=1)}
    task = (await manager.post("/tasks", body)).body
    page = (await rep.get("/notifications")).body
    [told] = page["data"]
    assert (page["unread"], told["kind"], told["subject_id"]) == (1, "task_assigned", task["id"])
    [event] = await events(rep, "notification.")
    assert event["data"]["notification"] == told
    assert await events(manager, "notification.") == [], "it is nobody else's"
    assert (await manager.post(f"/notifications/{told['id']}/read")).error == "notification_not_found"
    read = await rep.post(f"/notifications/{told['id']}/read")
    assert read.body["read_at"]
    assert (await rep.get("/notifications", unread=True)).body == {"data": [], "next_cursor": None, "unread": 0}


async def test_only_active_members_and_contacts_of_this_company_are_taken(rep: Api, hub: RunningHub, globex: Company) -> None:
    refused = await rep.post("/tasks", {"title": "x", "assignee_id": str(globex.members["rep"])})
    assert "active members" in refused.field("assignee_id")
    stranger = hub.as_member(globex, "owner")
    theirs = (await stranger.post("/contacts", {"first_name": "Zed"})).body
    assert "no such contact" in (await rep.post("/tasks", {"title": "x", "contact_id": theirs["id"]})).field("contact_id")


async def test_what_is_done_for_a_contact_stands_in_its_timeline(rep: Api) -> None:
    contact = (await rep.post("/contacts", {"first_name": "Ada"})).body["id"]
    task = (await rep.post("/tasks", {"title": "Send the brochure", "contact_id": contact})).body
    assert task["contact"] == {"id": contact, "name": "Ada"}
    await rep.post(f"/tasks/{task['id']}/done")
    [entry] = (await rep.get(f"/contacts/{contact}/timeline")).body["data"]
    assert (entry["kind"], entry["body"]) == ("task", "Send the brochure")
    assert titles((await rep.get("/tasks", contact_id=contact)).body) == ["Send the brochure"]


async def test_a_task_that_becomes_due_is_told_of_once(db: Database, rep: Api, acme: Company, globex: Company) -> None:
    task = (await rep.post("/tasks", {"title": "Call Ada", "due_at": later(hours=1)})).body
    await rep.post("/tasks", {"title": "Due when it was made", "due_at": later(hours=-1)})
    assert await tell_of_due_tasks(db) == 0
    await run_sql(db, acme, "UPDATE tasks SET due_at = now() WHERE id = $1", task["id"])
    assert await tell_of_due_tasks(db) == 1
    assert await tell_of_due_tasks(db) == 0
    assert [(n["kind"], n["title"]) for n in (await rep.get("/notifications")).body["data"]] == [("task_due", "Call Ada")]
    await rep.patch(f"/tasks/{task['id']}", {"due_at": later(hours=2)})
    await run_sql(db, acme, "UPDATE tasks SET due_at = now() WHERE id = $1", task["id"])
    assert await tell_of_due_tasks(db) == 1, "it was put off, and is due again"


async def test_all_are_read_at_once(db: Database, rep: Api, acme: Company) -> None:
    async with tenant_tx(db, acme.who("manager")) as tx:
        for n in range(3):
            await notify(tx, acme.members["rep"], "task_due", f"number {n}")
        await notify(tx, acme.members["manager"], "task_due", "another's")
    assert (await rep.get("/notifications", limit=2)).body["unread"] == 3
    assert (await rep.post("/notifications/read")).body == {"read": 3}
    assert (await rep.post("/notifications/read")).body == {"read": 0}
    assert [e["type"] for e in await events(rep, "notification.")][-1] == "notification.all_read"


async def test_a_call_has_one_open_callback(db: Database, rep: Api, acme: Company) -> None:
    call = await make_call(db, acme)
    await rep.put(f"/calls/{call}/disposition", {"disposition": "callback"})
    [first] = (await rep.get("/tasks")).body["data"]
    await rep.post(f"/tasks/{first['id']}/done")
    await rep.put(f"/calls/{call}/disposition", {"disposition": "callback"})
    assert len((await rep.get("/tasks")).body["data"]) == 2
    assert (await rep.patch(f"/tasks/{first['id']}", {"done": False})).error == "task_exists"
