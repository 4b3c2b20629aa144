"""Permits, suppressions, consent, quiet days and settings over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from hub.db import tenant_tx
from hub.http.endpoint import Reply
from hub.permits.actions import decide
from hub.permits.replies import refused
from tests.conftest import Company
from tests.harness import Api, RunningHub

NUMBER = "+12025550123"


@pytest.fixture
async def contact_id(rep: Api) -> str:
    answer = await rep.post("/contacts", {"first_name": "Ada", "phones": [{"e164": NUMBER}, {"e164": "+12125550123"}]})
    found: str = answer.body["id"]
    return found


async def told(api: Api, kind: str) -> list[dict[str, Any]]:
    """The data of the events of a kind that a member sees."""
    events = (await api.get("/events")).body["data"]
    return [event["data"] for event in events if event["type"] == kind]


async def test_the_permit_is_explained_in_words_and_not_written_down(rep: Api, contact_id: str) -> None:
    first = await rep.get(f"/contacts/{contact_id}/permit")
    assert (first.status, first.body["address"], first.body["channel"]) == (200, NUMBER, "call")
    assert first.body["allowed"] and first.body["explanation"] and first.body["facts"]["zones"] == ["America/New_York"]
    other = await rep.get(f"/contacts/{contact_id}/permit", channel="sms", phone="+1 (212) 555-0123")
    assert (other.body["address"], other.body["channel"]) == ("+12125550123", "sms")
    assert (await rep.get("/permits")).body["data"] == []


async def test_what_is_wrong_with_the_question_is_said(rep: Api, contact_id: str) -> None:
    ask = f"/contacts/{contact_id}/permit"
    assert "none of this contact's" in (await rep.get(ask, phone="+14155550177")).field("phone")
    assert "not a telephone number" in (await rep.get(ask, phone="soon")).field("phone")
    assert (await rep.get(ask, channel="email")).field("email") == "This contact has no email address."
    assert "does not go with" in (await rep.get(ask, email="a@b.example")).field("email")
    assert (await rep.get(ask, channel="letter")).status == 422


async def test_the_log_is_filtered_and_paged(rep: Api, server: RunningHub, acme: Company, contact_id: str) -> None:
    await rep.post("/suppressions", {"kind": "phone", "value": "+12125550123", "reason": "They moved"})
    async with tenant_tx(server.hub.db, acme.who()) as tx:
        for address in (NUMBER, "+12125550123", NUMBER):
            await decide(tx, (await tx.conn.fetchval("SELECT id FROM contacts")), "call", address, user_id=acme.members["rep"])
    assert [p["allowed"] for p in (await rep.get("/permits", contact_id=contact_id)).body["data"]].count(True) == 2
    [no] = (await rep.get("/permits", allowed="false")).body["data"]
    assert (no["code"], no["user"]["name"], no["contact_name"]) == ("suppressed", "Rep of Acme", "Ada")
    assert (await rep.get(f"/permits/{no['id']}")).body == no
    page = await rep.get("/permits", limit=2)
    rest = await rep.get("/permits", limit=2, cursor=page.body["next_cursor"])
    assert len(page.body["data"]) == 2 and len(rest.body["data"]) == 1 and rest.body["next_cursor"] is None
    assert (await rep.get("/permits", since="2999-01-01")).body["data"] == []


async def test_a_refusal_is_answered_as_an_error_and_kept(server: RunningHub, acme: Company, rep: Api, contact_id: str) -> None:
    await rep.post("/suppressions", {"kind": "contact", "value": contact_id, "source": "contact"})
    answer = await rep.post("/calls", {"contact_id": contact_id})
    assert (answer.status, answer.error) == (403, "not_permitted")
    assert answer.body["details"]["permit"]["code"] == "do_not_contact"
    assert "by their own word" in answer.body["message"]
    [kept] = (await rep.get("/permits")).body["data"]
    assert kept["id"] == answer.body["details"]["permit"]["id"]
    assert await told(rep, "permit.refused") == [], "that is for managers"
    assert len(await told(server.as_member(acme, "manager"), "permit.refused")) == 1
    async with tenant_tx(server.hub.db, acme.who()) as tx:
        permit = await decide(tx, (await tx.conn.fetchval("SELECT id FROM contacts")), "call", NUMBER, user_id=None)
    assert isinstance(refused(permit, "r1"), Reply) and refused(permit, "r1").status == 403


async def test_the_suppression_list(rep: Api, owner: Api, server: RunningHub, acme: Company, stranger: Api) -> None:
    made = await rep.post("/suppressions", {"kind": "phone", "value": "(415) 555-0199", "reason": "Wrong number"})
    assert (made.status, made.body["value"], made.body["source"]) == (201, "+14155550199", "person")
    assert made.body["created_by"]["name"] == "Rep of Acme"
    again = await rep.post("/suppressions", {"kind": "phone", "value": "+14155550199", "source": "contact"})
    assert (again.body["id"], again.body["reason"], again.body["source"]) == (made.body["id"], "Wrong number", "contact")
    await rep.post("/suppressions", {"kind": "domain", "value": "@Example.COM"})
    assert [s["value"] for s in (await rep.get("/suppressions")).body["data"]] == ["example.com", "+14155550199"]
    assert len((await rep.get("/suppressions", kind="domain")).body["data"]) == 1
    assert len((await rep.get("/suppressions", value="+1415")).body["data"]) == 1
    assert (await stranger.get("/suppressions")).body["data"] == []
    assert "not a telephone number" in (await rep.post("/suppressions", {"kind": "phone", "value": "x"})).field("value")
    assert (await rep.post("/suppressions", {"kind": "email", "value": "x"})).status == 422
    assert (await rep.post("/suppressions", {"kind": "domain", "value": "no domain"})).status == 422
    assert (await rep.post("/suppressions", {"kind": "contact", "value": "x"})).field("value") == "Give the contact's id."
    manager = server.as_member(acme, "manager")
    assert (await rep.delete(f"/suppressions/{made.body['id']}")).status == 403
    assert (await manager.delete(f"/suppressions/{made.body['id']}")).status == 403, "they asked for it themselves"
    assert (await owner.delete(f"/suppressions/{made.body['id']}")).status == 204
    assert (await owner.delete(f"/suppressions/{made.body['id']}")).status == 404
    assert len(await told(rep, "suppression.added")) == 3
    [gone] = await told(rep, "suppression.removed")
    assert gone["suppression"]["value"] == "+14155550199"
    assert await told(stranger, "suppression.removed") == []


async def test_consent_is_recorded_with_its_source(rep: Api, contact_id: str) -> None:
    path = f"/contacts/{contact_id}/consent"
    assert (await rep.get(path)).body == {"data": []}
    given = {"channel": "call", "state": "denied", "source": "Said so on 3 May"}
    answer = await rep.put(path, given)
    assert (answer.status, answer.body["state"], answer.body["by"]["name"]) == (200, "denied", "Rep of Acme")
    assert (await rep.get(path)).body["data"] == [answer.body]
    assert (await rep.get(f"/contacts/{contact_id}/permit")).body["code"] == "consent_denied"
    await rep.put(path, given | {"state": "granted"})
    assert (await rep.get(f"/contacts/{contact_id}/permit")).body["allowed"]
    assert [c["consent"]["state"] for c in await told(rep, "consent.changed")] == ["denied", "granted"]


async def test_quiet_days_are_replaced_as_a_whole(rep: Api, owner: Api) -> None:
    days = [{"day": "2027-01-02", "name": "Stocktaking"}, {"day": "2026-12-24", "name": ""}]
    answer = await owner.put("/quiet-days", {"data": days})
    assert answer.body == {"data": [days[1], days[0]]}
    assert (await rep.get("/quiet-days")).body == answer.body
    assert await told(rep, "quiet_days.updated") == [{"quiet_days": answer.body["data"]}]
    assert (await rep.put("/quiet-days", {"data": []})).status == 403
    assert (await owner.put("/quiet-days", {"data": [{"day": "2026-02-30"}]})).status == 422
    assert (await owner.put("/quiet-days", {"data": [days[0], days[0]]})).body == {"data": [days[0]]}
    assert (await owner.put("/quiet-days", {"data": []})).body == {"data": []}


async def test_settings_are_checked_and_told(rep: Api, owner: Api, server: RunningHub, acme: Company) -> None:
    before = (await rep.get("/permits/settings")).body
    assert before["practice"] and before["hours_start"] == 480
    given = before | {
        "practice": False,
        "hours_start": 600,
        "hours_end": 1080,
        "calls_per_contact_per_week": None,
        "days": [5, 1, 1],
    }
    saved = await owner.put("/permits/settings", given)
    assert saved.body == given | {"days": [1, 5]}
    assert (await rep.get("/permits/settings")).body == saved.body
    assert await told(rep, "permit_settings.updated") == [{"settings": saved.body}]
    for role in ("rep", "manager"):
        refusal = await server.as_member(acme, "rep" if role == "rep" else "manager").put("/permits/settings", given)
        assert refusal.status == 403
    wrongs: tuple[dict[str, Any], ...] = (
        {"hours_start": 601},
        {"hours_start": 1080},
        {"days": []},
        {"days": [8]},
        {"calls_per_contact_per_day": 0},
        {"x": 1},
    )
    for wrong in wrongs:
        assert (await owner.put("/permits/settings", given | wrong)).status == 422, wrong


async def test_the_rules_are_readable_with_their_sources(rep: Api) -> None:
    rules = (await rep.get("/permits/rules")).body
    by_id = {rule["id"]: rule for rule in rules["data"]}
    assert rules["version"]
    assert by_id["us-hours"]["source"].startswith("47 CFR 64.1200(c)(1)") and by_id["us-hours"]["opens"] == 480
    assert "Mardi Gras" in by_id["us-la-holidays"]["holidays"]
    assert all(rule["source"] and rule["title"] for rule in rules["data"])
    hours = [rule for rule in rules["data"] if rule["kind"] == "hours"]
    assert all(rule["opens"] % 15 == rule["closes"] % 15 == 0 for rule in hours)


async def test_leases_over_http(rep: Api, owner: Api, contact_id: str, stranger: Api) -> None:
    path = f"/contacts/{contact_id}/lease"
    taken = await rep.post(path, {"purpose": "email"})
    assert (taken.status, taken.body["user"]["name"], taken.body["purpose"]) == (200, "Rep of Acme", "email")
    refusal = await owner.post(path, {"purpose": "call"})
    assert (refusal.status, refusal.error) == (409, "contact_is_claimed")
    assert refusal.body["details"]["lease"]["user"]["name"] == "Rep of Acme"
    assert [lease["contact_id"] for lease in (await owner.get("/leases")).body["data"]] == [contact_id]
    assert (await stranger.get("/leases")).body["data"] == []
    assert (await owner.delete(path)).status == 204 and (await owner.get("/leases")).body["data"], "not the owner's to give back"
    assert (await rep.delete(path)).status == 204
    assert (await owner.get("/leases")).body["data"] == []
    assert (await rep.post(path, {"purpose": "lunch"})).status == 422
