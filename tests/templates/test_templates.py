"""Templates and snippets over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from hub.db import tenant_tx
from hub.templates.actions import get_text, note_use
from hub.templates.facts import facts_for_many
from hub.tracking.actions import note_reply
from hub.who import Who
from tests.harness import Api
from tests.tracking.kit import Desk

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def a_template(api: Api, **more: Any) -> dict[str, Any]:
    given = {"name": "First touch", "subject": "Hello", "html": "<p>Hi {{ contact.first_name }}</p>"} | more
    answer = await api.post("/templates", given)
    assert answer.status == 201, answer.body
    found: dict[str, Any] = answer.body
    return found


async def test_a_changed_text_is_a_new_version_and_the_old_one_stays(desk: Desk) -> None:
    rep = desk.api()
    made = await a_template(rep)
    assert (made["version"], made["shared"], made["owner"]["id"]) == (1, False, str(desk.company.members["rep"]))
    renamed = await rep.patch(f"/templates/{made['id']}", {"name": "Opener"})
    assert (renamed.body["version"], renamed.body["name"]) == (1, "Opener")
    changed = await rep.patch(f"/templates/{made['id']}", {"html": "<p>Good morning</p>"})
    assert changed.body["version"] == 2
    versions = (await rep.get(f"/templates/{made['id']}/versions")).body["data"]
    assert [(v["version"], v["html"]) for v in versions] == [(2, "<p>Good morning</p>"), (1, made["html"])]
    assert await desk.events("template.%") == ["template.created", "template.updated", "template.updated"]


async def test_if_match_guards_against_overwriting(desk: Desk) -> None:
    rep = desk.api()
    made = await a_template(rep)
    first = await rep.get(f"/templates/{made['id']}")
    await rep.patch(f"/templates/{made['id']}", {"folder": "Winter"})
    late = await rep.patch(f"/templates/{made['id']}", {"folder": "Summer"}, headers={"If-Match": first.headers["ETag"]})
    assert (late.status, late.error) == (412, "changed_meanwhile")
    assert (await rep.patch(f"/templates/{made['id']}", {}, headers={"If-Match": "x"})).status == 422


async def test_ones_own_are_nobody_elses_and_shared_ones_are_changed_by_few(desk: Desk) -> None:
    rep, owner, manager = desk.api("rep"), desk.api("owner"), desk.api("manager")
    own = await a_template(rep)
    shared = await a_template(owner, name="Everybody's", shared=True)
    assert (await owner.get(f"/templates/{own['id']}")).status == 404
    assert [t["name"] for t in (await rep.get("/templates")).body["data"]] == ["Everybody's", "First touch"]
    assert [t["name"] for t in (await owner.get("/templates")).body["data"]] == ["Everybody's"]
    assert (await rep.patch(f"/templates/{shared['id']}", {"name": "Mine"})).status == 403
    assert (await manager.patch(f"/templates/{shared['id']}", {"name": "Ours"})).status == 200
    audiences = [
        row["audience"] for row in await desk.rows("SELECT audience FROM events WHERE type LIKE 'template.%' ORDER BY seq")
    ]
    assert audiences == [f"user:{desk.company.members['rep']}", "tenant", "tenant"]
    # A worker sends what is anybody's.
    async with tenant_tx(desk.db, Who.system(desk.company.tenant_id)) as tx:
        assert (await get_text(tx, own["id"])).subject == "Hello"


async def test_names_and_shortcuts_are_taken_once(desk: Desk) -> None:
    rep = desk.api()
    made = await a_template(rep, kind="snippet", name="Calendar", shortcut="cal")
    assert (await rep.post("/templates", {"kind": "snippet", "name": "calendar"})).error == "name_taken"
    assert (await rep.post("/templates", {"kind": "snippet", "name": "Other", "shortcut": "CAL"})).error == "shortcut_taken"
    assert (await rep.post("/templates", {"name": "Other", "shortcut": "cal2"})).field("shortcut") == "Only snippets have one."
    assert (await rep.delete(f"/templates/{made['id']}")).status == 204
    assert (await rep.delete(f"/templates/{made['id']}")).status == 204
    assert (await rep.get("/templates")).body["data"] == []
    await a_template(rep, kind="snippet", name="Calendar", shortcut="cal")
    assert (await rep.patch(f"/templates/{made['id']}", {"archived": False})).error == "name_taken"


async def test_lists_are_filtered_and_paged_by_name(desk: Desk) -> None:
    rep = desk.api()
    for name, more in (("Bye", {}), ("Alpha", {"folder": "Winter"}), ("Cal", {"kind": "snippet"})):
        await a_template(rep, name=name, **more)
    first = (await rep.get("/templates", limit=2)).body
    rest = (await rep.get("/templates", limit=2, cursor=first["next_cursor"])).body
    assert [t["name"] for t in first["data"] + rest["data"]] == ["Alpha", "Bye", "Cal"]
    assert [t["name"] for t in (await rep.get("/templates", kind="snippet")).body["data"]] == ["Cal"]
    assert [t["name"] for t in (await rep.get("/templates", folder="winter")).body["data"]] == ["Alpha"]
    assert [t["name"] for t in (await rep.get("/templates", name="b")).body["data"]] == ["Bye"]


async def test_what_can_not_be_read_is_not_kept(desk: Desk) -> None:
    answer = await desk.api().post("/templates", {"name": "Broken", "subject": "Hi", "html": "{{ contact.first_name"})
    assert (answer.status, answer.error) == (422, "template_unreadable")
    assert "line 1" in answer.field("html")
    endless = await desk.api().post("/templates", {"name": "Endless", "html": "x" * 200_001})
    assert endless.status == 422 and "200,000" in endless.field("html")


async def test_the_preview_shows_a_real_contact_and_what_would_stop_the_send(desk: Desk) -> None:
    rep = desk.api()
    ada = await desk.contact("ada@mail.example.com")
    mailbox = await desk.mailbox()
    given = {
        "subject": "For {{ contact.first_name }} of {{ contact.company }}",
        "html": "<p>{{ contact.email }} from {{ sender.email }} at {{ company.name }}</p><script>alert(1)</script>",
        "contact_id": str(ada),
    }
    shown = (await rep.post("/templates/preview", given | {"mailbox_id": str(mailbox)})).body
    assert shown["subject"] == "For Ada of"
    assert shown["html"] == f"<p>ada@mail.example.com from rep@acme.example.com at {desk.company.name}</p>"
    assert [problem["variable"] for problem in shown["problems"]] == ["contact.company"]
    nobody = (await rep.post("/templates/preview", given | {"contact_id": None})).body
    assert [p["variable"] for p in nobody["problems"]] == ["contact.first_name", "contact.company", "contact.email"]
    broken = (await rep.post("/templates/preview", {"subject": "{{"})).body
    assert [p["variable"] for p in broken["problems"]] == ["subject"]


async def test_the_variables_are_listed_with_the_contacts_own(desk: Desk) -> None:
    rep = desk.api()
    await rep.post("/contacts", {"first_name": "Ada", "custom": {"renewal": "2027-03-04", "last order": "7"}})
    names = [v["name"] for v in (await rep.get("/templates/variables")).body["data"]]
    assert "contact.first_name" in names and "unsubscribe_url" in names
    assert names[-2:] == ["contact.custom['last order']", "contact.custom.renewal"]


async def test_facts_of_many_contacts_come_together(desk: Desk) -> None:
    ids = [await desk.contact(f"a{n}@mail.example.com", name=f"A{n}") for n in range(3)]
    async with tenant_tx(desk.db, Who.system(desk.company.tenant_id)) as tx:
        facts = await facts_for_many(tx, ids, user_id=desk.company.members["rep"])
    assert [facts[one]["contact"]["first_name"] for one in ids] == ["A0", "A1", "A2"]


async def test_a_draft_written_from_a_template_counts_once_it_is_sent(desk: Desk) -> None:
    rep = desk.api()
    made = await a_template(rep)
    draft = await desk.sent(await desk.mailbox(), "ada@mail.example.com")
    assert (await rep.post(f"/templates/{made['id']}/uses", {"draft_id": str(draft)})).error == "no_such_draft"
    await desk.rows("UPDATE mail_sends SET state = 'draft' RETURNING 1")
    assert (await desk.api("owner").post(f"/templates/{made['id']}/uses", {"draft_id": str(draft)})).status == 404
    assert (await rep.post(f"/templates/{made['id']}/uses", {"draft_id": str(draft)})).status == 204
    assert (await rep.get(f"/templates/{made['id']}/results")).body["total"]["sent"] == 0
    await desk.rows("UPDATE mail_sends SET state = 'sent' RETURNING 1")
    assert (await rep.get(f"/templates/{made['id']}/results")).body["total"]["sent"] == 1


async def test_results_count_what_people_did_by_version(desk: Desk) -> None:
    rep = desk.api()
    made = await a_template(rep)
    mailbox = await desk.mailbox()
    await desk.track()
    sends = []
    for n in range(4):
        send_id = await desk.sent(mailbox, f"a{n}@mail.example.com")
        await desk.prepare(send_id, f"a{n}@mail.example.com", '<a href="https://example.com">x</a>')
        sends.append(send_id)
    async with tenant_tx(desk.db, Who.system(desk.company.tenant_id)) as tx:
        for send_id in sends[:3]:
            await note_use(tx, send_id, made["id"], 1)
        await note_reply(tx, sends[0])
    changed = await rep.patch(f"/templates/{made['id']}", {"subject": "Good morning"})
    async with tenant_tx(desk.db, Who.system(desk.company.tenant_id)) as tx:
        await note_use(tx, sends[3], made["id"], changed.body["version"])
    for kind, human, of in (("open", True, 0), ("open", False, 1), ("click", True, 2), ("open", True, 3)):
        await desk.rows(
            "INSERT INTO tracking_hits (tenant_id, send_id, kind, position, method, agent, at) VALUES"
            " ($1, $2, $3, CASE WHEN $3 = 'click' THEN 1 END, 'GET', $4, now() + interval '1 hour') RETURNING 1",
            desk.company.tenant_id,
            sends[of],
            kind,
            "Thunderbird" if human else "python-requests",
        )
        await desk.judge(sends[of])
    results = (await rep.get(f"/templates/{made['id']}/results")).body
    picked = [(r["version"], r["sent"], r["opens_tracked"], r["opened"], r["clicked"], r["replied"]) for r in results["data"]]
    assert picked == [(2, 1, 1, 1, 0, 0), (1, 3, 3, 2, 1, 1)]
    assert (results["total"]["sent"], results["total"]["opened"]) == (4, 3)
