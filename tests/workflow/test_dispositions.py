"""Each company's dispositions, and what follows a call that gets one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hub.db import Database, tenant_tx
from hub.dispositions.queries import RetryRule, retry_rule
from tests.conftest import Company
from tests.harness import Api, RunningHub
from tests.workflow.kit import NUMBER, events, make_call

DEFAULTS = ["connected", "left_voicemail", "no_answer", "busy", "wrong_number", "not_interested", "meeting_booked", "callback"]


def values(body: dict[str, list[dict[str, str]]]) -> list[str]:
    return [d["value"] for d in body["data"]]


async def test_every_company_begins_with_the_same_ones(rep: Api, hub: RunningHub, globex: Company) -> None:
    for api in (rep, hub.as_member(globex)):
        body = (await api.get("/dispositions")).body
        assert values(body) == DEFAULTS
        assert [d["key"] for d in body["data"]] == list("12345678")
        assert {d["value"] for d in body["data"] if d["follow_up"] == "callback"} == {"callback"}


async def test_one_is_added_changed_archived_and_brought_back(admin: Api, rep: Api) -> None:
    added = (await admin.post("/dispositions", {"label": "Gate keeper!", "key": "g"})).body
    assert (added["value"], added["position"], added["follow_up"]) == ("gate_keeper", 9, "none")
    changed = await admin.patch("/dispositions/gate_keeper", {"position": 1, "follow_up": "stage", "stage": "contacted"})
    assert (changed.body["stage"], changed.body["key"]) == ("contacted", "g")
    changed = await admin.patch("/dispositions/gate_keeper", {"follow_up": "none"})
    assert changed.body["stage"] is None, "a stage goes with its follow-up"
    assert (await admin.delete("/dispositions/gate_keeper")).status == 204
    assert (await admin.delete("/dispositions/gate_keeper")).status == 204, "once more is the same"
    assert "gate_keeper" not in values((await rep.get("/dispositions")).body)
    assert values((await rep.get("/dispositions", archived=True)).body)[-1] == "gate_keeper"
    assert (await admin.post("/dispositions", {"label": "Gatekeeper", "key": "g"})).status == 201, "its key and label are free"
    back = await admin.patch("/dispositions/gate_keeper", {"archived": False})
    assert back.body["archived_at"] is None
    assert [e["type"].split(".")[1] for e in await events(rep, "disposition.")] == [
        "created", "updated", "updated", "archived", "created", "updated",
    ]  # fmt: skip


async def test_what_is_taken_or_half_said_is_refused_in_words(admin: Api) -> None:
    assert (await admin.post("/dispositions", {"label": "busy"})).error == "disposition_exists"
    assert (await admin.post("/dispositions", {"label": "New", "key": "1"})).error == "key_taken"
    assert (await admin.post("/dispositions", {"label": "New", "value": "busy"})).error == "disposition_exists"
    assert "stage" in (await admin.post("/dispositions", {"label": "New", "follow_up": "stage"})).field("stage")
    assert "how often" in (await admin.post("/dispositions", {"label": "New", "retry_after_s": 600})).field("retry_limit")
    assert (await admin.patch("/dispositions/busy", {"stage": "won"})).status == 422
    assert (await admin.patch("/dispositions/busy", {"key": "2"})).error == "key_taken"


async def test_the_last_one_stays(admin: Api) -> None:
    for value in DEFAULTS[1:]:
        assert (await admin.delete(f"/dispositions/{value}")).status == 204
    assert (await admin.delete(f"/dispositions/{DEFAULTS[0]}")).error == "last_disposition"


async def test_a_call_gets_any_active_one_and_no_other(
    db: Database, acme: Company, rep: Api, admin: Api, globex: Company
) -> None:
    call = await make_call(db, acme)
    await admin.post("/dispositions", {"label": "Gatekeeper"})
    assert (await rep.put(f"/calls/{call}/disposition", {"disposition": "gatekeeper"})).body["disposition"] == "gatekeeper"
    await admin.delete("/dispositions/gatekeeper")
    again = await rep.put(f"/calls/{call}/disposition", {"disposition": "gatekeeper", "note": "kept"})
    assert again.body["note"] == "kept", "what a call has it may keep"
    refused = await rep.put(f"/calls/{await make_call(db, acme)}/disposition", {"disposition": "gatekeeper"})
    assert refused.status == 422 and all(value in refused.field("disposition") for value in DEFAULTS)


async def test_a_callback_becomes_one_task_of_the_rep_however_often_it_is_said(
    db: Database, acme: Company, rep: Api, hub: RunningHub
) -> None:
    call = await make_call(db, acme)
    at = datetime.now(UTC) + timedelta(hours=3)
    for _ in range(2):
        await rep.put(f"/calls/{call}/disposition", {"disposition": "callback", "callback_at": at.isoformat()})
    [task] = (await rep.get("/tasks", open=True)).body["data"]
    assert (task["kind"], task["title"], task["call_id"]) == ("callback", "Call Ada Lovelace back", str(call))
    assert task["assignee"]["id"] == str(acme.members["rep"])
    assert datetime.fromisoformat(task["due_at"]) == at
    manager = hub.as_member(acme, "manager")
    await manager.put(f"/calls/{call}/disposition", {"disposition": "wrong_number"})
    assert (await rep.get("/tasks")).body["data"] == [], "it was corrected"
    assert [e["type"] for e in await events(rep, "task.")] == ["task.created", "task.updated", "task.deleted"]


async def test_a_callback_may_go_with_any_disposition_and_without_a_time_is_for_tomorrow(
    db: Database, acme: Company, rep: Api
) -> None:
    first, second = await make_call(db, acme), await make_call(db, acme)
    at = datetime.now(UTC) + timedelta(hours=3)
    await rep.put(f"/calls/{first}/disposition", {"disposition": "busy", "callback_at": at.isoformat()})
    await rep.put(f"/calls/{second}/disposition", {"disposition": "callback"})
    soon, later = [datetime.fromisoformat(t["due_at"]) for t in (await rep.get("/tasks")).body["data"]]
    assert soon == at
    assert timedelta(hours=23) < later - datetime.now(UTC) <= timedelta(hours=24)
    for wrong in (datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC) + timedelta(days=500)):
        body = {"disposition": "callback", "callback_at": wrong.isoformat()}
        assert "within the next year" in (await rep.put(f"/calls/{first}/disposition", body)).field("callback_at")


async def test_a_stage_change_is_the_contacts_with_its_event(db: Database, acme: Company, rep: Api, admin: Api) -> None:
    await admin.patch("/dispositions/meeting_booked", {"follow_up": "stage", "stage": "qualified"})
    call = await make_call(db, acme)
    body = (await rep.put(f"/calls/{call}/disposition", {"disposition": "meeting_booked"})).body
    assert (await rep.get(f"/contacts/{body['contact_id']}")).body["stage"] == "qualified"
    await rep.put(f"/calls/{call}/disposition", {"disposition": "meeting_booked"})
    [event] = await events(rep, "contact.updated")
    assert event["data"]["contact"]["stage"] == "qualified"


async def test_do_not_call_puts_the_number_on_the_list(db: Database, acme: Company, rep: Api, admin: Api) -> None:
    await admin.patch("/dispositions/not_interested", {"follow_up": "do_not_call"})
    call = await make_call(db, acme)
    assert (await rep.put(f"/calls/{call}/disposition", {"disposition": "not_interested"})).status == 200
    async with tenant_tx(db, acme.who()) as tx:
        rows = await tx.conn.fetch("SELECT kind, value_lc, source, reason FROM suppressions")
    assert [(row["kind"], row["value_lc"], row["source"]) for row in rows] == [("phone", NUMBER, "disposition")]
    assert "Not interested" in rows[0]["reason"]
    hidden = await make_call(db, acme, number="anonymous")
    assert (await rep.put(f"/calls/{hidden}/disposition", {"disposition": "not_interested"})).status == 200


@pytest.mark.parametrize(
    ("said", "rule"),
    [("busy", RetryRule(1800, 5)), ("voicemail", RetryRule(86400, 3)), ("no_answer", RetryRule(14400, 5)), ("connected", None),
     ("failed", None), ("meeting_booked", None)],
)  # fmt: skip
async def test_outcomes_and_dispositions_say_when_to_try_again(
    db: Database, acme: Company, said: str, rule: RetryRule | None
) -> None:
    async with tenant_tx(db, acme.who()) as tx:
        assert await retry_rule(tx, said) == rule


async def test_another_company_has_its_own(db: Database, admin: Api, hub: RunningHub, globex: Company) -> None:
    await admin.post("/dispositions", {"label": "Gatekeeper"})
    await admin.patch("/dispositions/busy", {"label": "Engaged"})
    body = (await hub.as_member(globex).get("/dispositions")).body
    assert values(body) == DEFAULTS
    assert next(d["label"] for d in body["data"] if d["value"] == "busy") == "Busy"
