"""Sequences over HTTP: making and changing them, enrolling, moving, refusing in words, results that do not peek."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import orjson
import pytest
import pytest_asyncio

from hub.embedded import PostgresServer
from hub.sequences import actions
from tests.conftest import Company, cloned_database, make_company
from tests.harness import Api, RunningHub, make_settings, running_hub
from tests.sequences.kit import Office, email

STEPS = [email(), {"kind": "call", "wait_business_days": 2}]


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(postgres: PostgresServer, valkey_url: str) -> AsyncIterator[RunningHub]:
    """A hub that these tests share, each with a company of its own."""
    async with cloned_database(postgres) as cloned, running_hub(make_settings(cloned.app_url, valkey_url)) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def company(house: RunningHub) -> Company:
    return await make_company(house.hub.db, f"Acme{uuid4().hex[:8]}")


@pytest_asyncio.fixture(loop_scope="module")
async def rep(house: RunningHub, company: Company) -> Api:
    return house.as_member(company, "rep")


@pytest_asyncio.fixture(loop_scope="module")
async def office(house: RunningHub, company: Company) -> Office:
    return Office(house.hub.db, company)


async def made(rep: Api, **fields: Any) -> dict[str, Any]:
    answer = await rep.post("/sequences", {"name": "Welcome", "steps": STEPS} | fields)
    assert answer.status == 201, answer.body
    body: dict[str, Any] = answer.body
    return body


async def test_a_sequence_is_made_changed_started_and_deleted(rep: Api) -> None:
    sequence = await made(rep)
    url = f"/sequences/{sequence['id']}"
    assert [step["position"] for step in sequence["steps"]] == [1, 2]
    assert sequence["schedule"]["days"]["1"] == [540, 1020]
    got = await rep.get(url)
    renamed = await rep.patch(url, {"name": "Hello", "goal": {"kind": "reply"}}, headers={"If-Match": got.headers["ETag"]})
    assert (renamed.body["name"], renamed.body["goal"]["kind"]) == ("Hello", "reply")
    late = await rep.patch(url, {"name": "Later"}, headers={"If-Match": got.headers["ETag"]})
    assert (late.status, late.error) == (412, "changed_meanwhile")
    assert (await rep.post(url + "/start")).body["state"] == "active"
    assert (await rep.post(url + "/pause")).body["state"] == "paused"
    assert (await rep.delete(url)).status == 204
    assert (await rep.get(url)).status == 404


async def test_steps_are_set_as_a_whole_and_keep_who_they_are(rep: Api) -> None:
    sequence = await made(rep)
    first, second = sequence["steps"]
    kept = {name: second[name] for name in ("id", "kind", "wait_business_days")}
    answer = await rep.put(f"/sequences/{sequence['id']}/steps", {"steps": [kept, {"kind": "task", "note": "Write a card"}]})
    assert answer.status == 200
    assert [step["kind"] for step in answer.body["steps"]] == ["call", "task"]
    assert answer.body["steps"][0]["id"] == second["id"] != first["id"]
    stranger = await rep.put(f"/sequences/{sequence['id']}/steps", {"steps": [{"id": str(uuid4()), "kind": "task"}]})
    assert "no step of the sequence" in stranger.field("steps.0.id")


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"steps": [{"kind": "email"}]}, "steps.0"),
        ({"steps": [email(variants=[{"subject": "Hi", "html": ""}])]}, "steps.0.variants.0.html"),
        ({"steps": [email(variants=[{"subject": "", "html": "Hi"}])]}, "steps.0.variants.0.subject"),
        ({"steps": [email(variants=[{"subject": "Hi", "html": "{{ contact."}])]}, "steps.0.variants.0.html"),
        ({"steps": [email(variants=[{"subject": "Hi", "template_id": str(uuid4())}])]}, "steps.0.variants.0.template_id"),
        ({"schedule": {"zone": "Mars/Olympus"}}, "schedule.zone"),
        ({"schedule": {"holidays": "XX"}}, "schedule.holidays"),
        ({"schedule": {"days": {"1": [600, 540]}}}, "schedule.days"),
        ({"goal": {"kind": "stage"}}, "goal"),
    ],
)
async def test_what_does_not_fit_is_refused_by_field(rep: Api, fields: dict[str, Any], name: str) -> None:
    answer = await rep.post("/sequences", {"name": "Welcome"} | fields)
    assert answer.status == 422, answer.body
    assert answer.field(name)


async def test_a_condition_only_leads_onwards(rep: Api) -> None:
    sequence = await made(rep)
    steps = [{"kind": "task"}, {"kind": "condition", "condition": {"if": "opened", "else_position": 2}}]
    assert (await rep.post("/sequences", {"name": "Round", "steps": steps})).status == 422
    answer = await rep.put(f"/sequences/{sequence['id']}/steps", {"steps": steps})
    assert answer.status == 422
    assert "must lead to a later step" in str(answer.body)


async def test_enrolling_says_who_is_refused_and_why(rep: Api, office: Office) -> None:
    sequence = await made(rep)
    url = f"/sequences/{sequence['id']}/enrolments"
    [fine] = await office.contacts(1)
    [mute] = await office.contacts(1, emails=[])
    [never] = await office.contacts(1, emails=[{"address": "never@firm.example"}])
    ids = [str(one) for one in (fine, mute, never)]
    unconnected = await rep.post(url, {"contact_ids": ids})
    assert "Connect a mailbox first" in unconnected.field("mailbox_id")
    await office.mailbox(f"{uuid4().hex}@acme.test")
    await rep.post("/suppressions", {"kind": "email", "value": "never@firm.example"})
    answer = await rep.post(url, {"contact_ids": ids})
    assert (answer.status, answer.body["enrolled"], answer.body["refused_total"]) == (202, 1, 2)
    why = {one["contact"]["id"]: one["why"] for one in answer.body["refused"]}
    assert why == {ids[1]: "They have no email address.", ids[2]: "never@firm.example is on the suppression list."}
    again = await rep.post(url, {"contact_ids": ids[:1]})
    assert again.body["refused"][0]["why"] == "They are in this sequence already."
    [enrolment] = (await rep.get(url)).body["data"]
    assert (enrolment["contact"]["id"], enrolment["state"], enrolment["step"]["position"]) == (ids[0], "active", 1)
    assert (await rep.post(f"/enrolments/{enrolment['id']}/stop", {"reason": "Wrong person"})).body["words"] == "Wrong person"
    assert (await rep.post(url, {"contact_ids": ids[:1]})).body["refused"][0]["why"] == "They were in this sequence before."
    assert (await rep.post(url, {"contact_ids": ids[:1], "again": True})).body["enrolled"] == 1


async def test_a_filters_worth_is_enrolled_and_simulated(rep: Api, office: Office) -> None:
    await office.mailbox(f"{uuid4().hex}@acme.test")
    await office.contacts(3, stage="lead")
    await office.contacts(2, stage="customer")
    sequence = await made(rep)
    shown = await rep.post(f"/sequences/{sequence['id']}/simulate", {"filter": {"stage": "lead"}, "days": 14})
    assert shown.status == 200, shown.body
    assert shown.body["steps_total"] == 6
    assert sum(day["sends"] for day in shown.body["per_day"]) == 3
    assert all(one["delays"] for one in shown.body["sends"] if one["step"] == 2)
    told = await rep.post(f"/sequences/{sequence['id']}/enrolments", {"filter": {"stage": "lead"}})
    assert (told.body["enrolled"], told.body["more"]) == (3, False)


async def test_enrolments_are_paused_skipped_moved_and_changed_many_at_once(rep: Api, office: Office) -> None:
    sequence = await made(rep, steps=[{"kind": "task"}, {"kind": "call"}, {"kind": "task"}])
    contacts = await office.contacts(2)
    await rep.post(f"/sequences/{sequence['id']}/enrolments", {"contact_ids": [str(one) for one in contacts]})
    one, other = (e["id"] for e in (await rep.get(f"/sequences/{sequence['id']}/enrolments")).body["data"])
    paused = await rep.post(f"/enrolments/{one}/pause", {"reason": "On holiday", "until": "2030-01-07T09:00:00Z"})
    assert (paused.body["state"], paused.body["words"], paused.body["resume_at"]) == (
        "paused",
        "On holiday",
        "2030-01-07T09:00:00+00:00",
    )
    assert (await rep.post(f"/enrolments/{one}/resume")).body["state"] == "active"
    skipped = await rep.post(f"/enrolments/{one}/skip")
    assert skipped.body["step"]["position"] == 2
    assert (await rep.post(f"/enrolments/{one}/move", {"position": 3})).body["step"]["position"] == 3
    back = await rep.post(f"/enrolments/{one}/move", {"position": 1})
    assert (back.status, back.error) == (409, "step_was_taken")
    many = await rep.post("/enrolments/bulk", {"ids": [one, other, str(uuid4())], "action": "stop"})
    assert (many.body["changed"], len(many.body["refused"])) == (2, 1)
    assert (await rep.post(f"/enrolments/{one}/resume")).error == "enrolment_is_over"
    runs = (await rep.get(f"/enrolments/{one}")).body["runs"]
    assert [(run["step"]["position"], run["state"]) for run in runs] == [(1, "skipped")]


async def test_a_colleagues_sequence_is_not_changed(rep: Api, house: RunningHub, company: Company) -> None:
    sequence = (await house.as_member(company, "owner").post("/sequences", {"name": "Theirs"})).body
    answer = await rep.patch(f"/sequences/{sequence['id']}", {"name": "Mine"})
    assert (answer.status, answer.body["message"]) == (403, "This is a colleague's sequence; a manager can do this.")


async def test_results_count_what_became_of_each_variant(office: Office) -> None:
    mailbox = await office.mailbox()
    variants = [{"label": label, "subject": f"{label}?", "html": "<p>Hi</p>"} for label in ("A", "B")]
    sequence = await office.sequence([email(variants=variants)])
    await office.enrol(sequence, await office.contacts(8), mailbox_id=mailbox)
    await office.run_for(0.1)
    first = (await office.mails())[0]
    async with office.tx() as tx:
        await actions.stop_for(tx, [first["contact_id"]], "reply", words="", send_id=first["id"])
        told = orjson.loads(await actions.results(tx, sequence, office.now))
    [step] = told["steps"]
    assert sum(one["sent"] for one in step["variants"]) == 8
    assert sum(one["replied"]["count"] for one in step["variants"]) == 1
    assert step["comparison"]["state"] == "not_enough"
    assert "Not enough yet: 0 of 100" in step["comparison"]["words"]
