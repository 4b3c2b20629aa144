"""Going: deactivated with somebody who takes over, leaving by oneself, handing the company on."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest

from hub.db import tenant_tx
from hub.handovers.actions import BATCH
from hub.who import Who
from tests.conftest import Company, make_company
from tests.harness import Api, RunningHub
from tests.joining.kit import PASSWORD, events_of, invited, joined, signed_in
from tests.mailboxes.kit import mailbox_at_a_server
from tests.patience import PATIENCE_S
from workers.job import Deps, Registry
from workers.joining import run_handover
from workers.ledger import Ledger
from workers.runner import Runner

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def run_jobs(server: RunningHub, company: Company) -> None:
    """Hand over whatever waits to be, as a worker does."""
    async with tenant_tx(server.hub.db, Who.system(company.tenant_id)) as tx:
        rows = await tx.conn.fetch("SELECT id FROM jobs WHERE kind = 'handovers.run' AND state = 'ready'")
    registry = Registry([run_handover])
    runner = Runner(Ledger(server.hub.db, "a worker", {}), registry, Deps(server.hub.db, server.settings), max_jobs=4)
    runner.start(company.tenant_id, [row["id"] for row in rows], "sweep")
    await runner.drain(PATIENCE_S)


async def handed_over(server: RunningHub, company: Company) -> dict[str, Any]:
    """The company's newest handover, once it is done."""
    await run_jobs(server, company)
    found: dict[str, Any] = (await server.as_member(company, "owner").get("/handovers")).body["data"][0]
    assert found["state"] == "done", found
    return found


async def refused(api: Api) -> bool:
    return (await api.get("/contacts")).status == 401


async def a_desk(server: RunningHub, company: Company, person: UUID, *, contacts: int) -> None:
    """Somebody with work under way: contacts, a task, a sequence, a template, a mailbox, a number, a queue."""
    api = server.client(server.token(company, "rep", user_id=person))
    async with tenant_tx(server.hub.db, Who.system(company.tenant_id)) as tx:
        await tx.conn.execute(
            "INSERT INTO contacts (tenant_id, first_name, owner_id) SELECT $1, 'No. ' || n, $2 FROM generate_series(1, $3) n",
            company.tenant_id, person, contacts,
        )  # fmt: skip
        await tx.conn.execute(
            "INSERT INTO numbers (tenant_id, e164, state, user_id) VALUES ($1, '+1415555' || lpad($3, 4, '0'), 'active', $2)",
            company.tenant_id, person, str(contacts),
        )  # fmt: skip
    contact = (await api.get("/contacts", limit=1)).body["data"][0]["id"]
    assert (await api.post("/tasks", {"title": "Send the brochure"})).status == 201
    sequence = (await api.post("/sequences", {"name": "Welcome", "steps": [{"kind": "call"}, {"kind": "task"}]})).body["id"]
    enrolled = await api.post(f"/sequences/{sequence}/enrolments", {"contact_ids": [contact]})
    assert enrolled.status < 300, enrolled.body
    assert (await api.post("/templates", {"name": f"Mine of {person}"})).status == 201
    queue = (await api.post("/queues", {"name": "Leads", "contact_ids": [contact]})).body["id"]
    async with tenant_tx(server.hub.db, Who.system(company.tenant_id)) as tx:
        await tx.conn.execute(
            "UPDATE dial_items SET state = 'callback', callback_for = $2, not_before = now() WHERE queue_id = $1",
            UUID(queue),
            person,
        )
        await tx.conn.execute(
            "INSERT INTO dial_queue_members (tenant_id, queue_id, user_id) VALUES ($1, $2, $3)",
            company.tenant_id, UUID(queue), person,
        )  # fmt: skip


async def test_a_deactivated_person_is_out_and_a_colleague_has_what_was_theirs(server: RunningHub, acme: Company) -> None:
    admin, rep = server.as_member(acme, "admin"), server.as_member(acme, "rep")
    heir, gone = acme.members["manager"], acme.members["rep"]
    await a_desk(server, acme, gone, contacts=BATCH + 3)
    mailbox = await mailbox_at_a_server(server.hub.db, acme, f"rep@{acme.name.lower()}.example", "rep", visibility="private")
    had = (await admin.get(f"/members/{gone}/belongings")).body
    assert had == {
        "contacts": BATCH + 3, "tasks": 1, "sequences": 1, "enrolments": 1, "conversations": 0, "callbacks": 1,
        "templates": 1, "numbers": 1, "mailboxes": 1,
    }  # fmt: skip
    kinds = ["contacts", "tasks", "sequences", "conversations", "queues", "templates", "numbers", "mailboxes"]
    answer = await admin.post(f"/members/{gone}/deactivate", {"handover": {"to_id": str(heir), "kinds": kinds}})
    assert (answer.status, answer.body["status"]) == (200, "deactivated")
    assert await rep.within_a_second(lambda: refused(rep))
    twice = await admin.post(f"/members/{gone}/handover", {"to_id": str(heir), "kinds": ["tasks"]})
    assert (twice.status, twice.error) == (409, "handover_is_running")

    done = await handed_over(server, acme)
    assert done["counts"] == had
    assert done["done"] == {
        "numbers": 1, "tasks": 1, "callbacks": 1, "queues": 1, "contacts": BATCH + 3, "sequences": 1, "enrolments": 1,
        "mailboxes": 1, "templates": 1,
    }  # fmt: skip
    assert set((await admin.get(f"/members/{gone}/belongings")).body.values()) == {0}
    now = (await admin.get(f"/members/{heir}/belongings")).body
    assert now == had
    manager = server.as_member(acme, "manager")
    assert [box["id"] for box in (await manager.get("/mailboxes")).body["data"]] == [str(mailbox)]
    told = (await manager.get("/notifications")).body["data"]
    assert told[0]["title"] == f"You took over from Rep of {acme.name}"
    assert f"{BATCH + 3} contacts" in told[0]["body"]
    happened = [event["type"] for event in await events_of(manager, "handover.", "member.")]
    assert happened[:2] == ["member.updated", "handover.started"]
    assert happened[-1] == "handover.completed"
    # Every batch was told of, contacts in two of them.
    assert happened.count("handover.progressed") == 10
    written = {entry["action"]: entry for entry in (await admin.get("/audit")).body["data"]}
    assert written["handover.started"]["details"]["to_id"] == str(heir)
    assert "handover.completed" in written
    back = await admin.patch(f"/members/{gone}", {"status": "active"})
    assert (back.status, back.body["status"]) == (200, "active")


async def test_with_nobody_to_take_over_it_is_everybodys_as_far_as_it_can_be(server: RunningHub, acme: Company) -> None:
    owner, gone = server.as_member(acme, "owner"), acme.members["rep"]
    await a_desk(server, acme, gone, contacts=2)
    for kinds in (["mailboxes"], ["contacts", "templates"]):
        answer = await owner.post(f"/members/{gone}/deactivate", {"handover": {"to_id": None, "kinds": kinds}})
        assert (answer.status, bool(answer.field("to_id"))) == (422, True)
    # What was refused left no trace.
    assert (await server.as_member(acme, "rep").get("/contacts")).status == 200
    assert (
        await owner.post(f"/members/{gone}/handover", {"to_id": None, "kinds": ["contacts", "tasks", "numbers"]})
    ).status == 202
    assert (await handed_over(server, acme))["done"] == {"numbers": 1, "tasks": 1, "contacts": 2}
    contacts = (await owner.get("/contacts")).body["data"]
    assert [contact["owner_id"] for contact in contacts] == [None, None]


async def test_what_cannot_be_handed_over_is_refused_in_words(server: RunningHub, acme: Company) -> None:
    owner, rep = server.as_member(acme, "owner"), acme.members["rep"]
    globex = await make_company(server.hub.db, f"Other{acme.name}")
    path, kinds = f"/members/{rep}/handover", ["contacts"]
    for to_id in (rep, globex.members["rep"]):
        answer = await owner.post(path, {"to_id": str(to_id), "kinds": kinds})
        assert (answer.status, bool(answer.field("to_id"))) == (422, True)
    manager = str(acme.members["manager"])
    here = await owner.post(path, {"to_id": manager, "kinds": ["mailboxes"]})
    assert (here.status, here.error) == (403, "forbidden")
    assert (await server.as_member(acme, "manager").post(path, {"to_id": manager, "kinds": kinds})).status == 403
    myself = await owner.post(f"/members/{acme.members['owner']}/deactivate")
    assert (myself.status, myself.error) == (403, "not_oneself")
    theirs = await server.as_member(globex, "owner").post(path, {"to_id": str(globex.members["rep"]), "kinds": kinds})
    assert (theirs.status, theirs.error) == (404, "member_not_found")


async def test_who_leaves_is_out_and_comes_back_by_an_invitation_only(server: RunningHub, acme: Company) -> None:
    owner = server.as_member(acme, "owner")
    ada, ada_id = await joined(server, acme, role="manager")
    address = (await ada.get("/me")).body["user"]["email"]
    _, _, token = await invited(server, ada)
    await ada.post("/tasks", {"title": "Call Ines"})
    handover = {"to_id": str(acme.members["rep"]), "kinds": ["contacts", "tasks"]}
    assert (await ada.post("/company/leave", {"handover": handover})).status == 204
    assert await ada.within_a_second(lambda: refused(ada))
    assert (await handed_over(server, acme))["done"] == {"tasks": 1}
    assert (await server.client().post("/join/look", {"token": token})).body["state"] == "withdrawn"
    back = await owner.patch(f"/members/{ada_id}", {"status": "active"})
    assert (back.status, back.error) == (409, "member_left")
    left = await events_of(owner, "member.left")
    assert [event["data"]["member_id"] for event in left] == [str(ada_id)]

    _, _, again = await invited(server, owner, email=address, role="rep")
    # Who belongs to no company can't sign in; the letter lets the account in, and then they can.
    assert (await server.client().post("/auth/login", {"email": address, "password": PASSWORD})).error == "no_company"
    seen = (await server.client().post("/join/look", {"token": again})).body
    assert (seen["has_account"], seen["has_company"]) == (True, False)
    assert (await server.client().post("/join/again", {"token": again})).status == 201
    ada = await signed_in(server, address)

    async def is_back() -> bool:
        return (await ada.get("/me")).status == 200

    assert await ada.within_a_second(is_back)
    assert (await ada.get("/me")).body["role"] == "rep"
    assert (await server.client().post("/join/again", {"token": again})).error == "invitation_accepted"
    last = await owner.post("/company/leave")
    assert (last.status, last.error) == (409, "last_owner")


async def test_a_company_is_handed_on_and_two_who_do_it_at_once_leave_one_owner(server: RunningHub, acme: Company) -> None:
    owner, admin = server.as_member(acme, "owner"), server.as_member(acme, "admin")
    assert (await admin.post("/company/transfer", {"to_id": str(acme.members["admin"])})).status == 403
    for to_id in (acme.members["owner"], UUID(int=9)):
        answer = await owner.post("/company/transfer", {"to_id": str(to_id)})
        assert (answer.status, bool(answer.field("to_id"))) == (422, True)
    both = await asyncio.gather(*(owner.post("/company/transfer", {"to_id": str(acme.members[r])}) for r in ("manager", "rep")))
    assert sorted(answer.status for answer in both) == [204, 403]
    members = (await server.as_member(acme, "manager").get("/members")).body["data"]
    roles = {m["id"]: m["role"] for m in members}
    assert sorted(roles.values()).count("owner") == 1
    assert roles[str(acme.members["owner"])] == "admin"
    happened = [event["type"] for event in await events_of(admin, "company.", "member.")]
    assert happened == ["member.updated", "member.updated", "company.transferred"]


async def test_a_company_and_a_person_are_called_otherwise_everywhere(server: RunningHub, acme: Company) -> None:
    admin, ada_id = await joined(server, acme, name="Ada King", role="admin")
    globex = await make_company(server.hub.db, f"Other{acme.name}")
    async with server.hub.db.acquire() as conn:
        email = (await admin.get("/me")).body["user"]["email"]
        await conn.execute("SELECT create_member($1, $2, 'x', '!', 'rep')", globex.tenant_id, email)
    answer = await admin.patch("/company", {"name": "Acme & Daughters", "zone": "Europe/Berlin"})
    assert (answer.status, answer.body["name"], answer.body["zone"]) == (200, "Acme & Daughters", "Europe/Berlin")
    assert (await admin.patch("/company", {"zone": "Europe/Berlin"})).status == 200
    assert (await admin.patch("/company", {"zone": "Berlin"})).field("zone")
    assert (await server.as_member(acme, "manager").patch("/company", {"name": "Ours"})).status == 403
    assert (await server.as_member(acme, "rep").get("/company")).body == answer.body
    assert (await server.as_member(globex, "rep").get("/company")).body["name"] == globex.name
    assert [e["data"]["company"] for e in await events_of(admin, "company.updated")] == [answer.body]

    assert (await admin.patch("/me", {"name": " Ada Lovelace "})).body == {"id": str(ada_id), "name": "Ada Lovelace"}
    assert (await admin.patch("/me", {"name": "\n"})).status == 422
    for company in (acme, globex):
        api = server.as_member(company, "manager")
        assert "Ada Lovelace" in [m["name"] for m in (await api.get("/members")).body["data"]]
        assert (await events_of(api, "member.updated"))[-1]["data"]["member"]["name"] == "Ada Lovelace"
