"""Contacts over HTTP."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from hub.db import tenant_tx
from hub.sqlfiles import Statement
from tests.conftest import Company
from tests.harness import Answer, Api, RunningHub

EVENTS = Statement("events", "SELECT type, frame::json -> 'data' AS data FROM events WHERE tenant_id = :tenant_id ORDER BY seq")


async def events_of(server: RunningHub, company: Company) -> list[str]:
    async with tenant_tx(server.hub.db, company.who()) as tx:
        return [row["type"] for row in await tx.fetch(EVENTS)]


def ids(answer: Answer) -> set[str]:
    return {c["id"] for c in answer.body["data"]}


async def add(api: Api, **fields: Any) -> dict[str, Any]:
    answer = await api.post("/contacts", {"first_name": "Ada", **fields})
    assert answer.status == 201, answer.body
    contact: dict[str, Any] = answer.body
    return contact


async def test_a_contact_is_stored_as_it_was_given_with_its_numbers_in_e164(rep: Api) -> None:
    given = {
        "first_name": " Ada ",
        "last_name": "Brennan",
        "company": "Cedar & Finch",
        "title": "Buyer",
        "emails": [{"address": "Ada@Cedar.example.com"}, {"address": "ada.b@home.example.org", "label": "home"}],
        "phones": [{"number": "(415) 555-2671 x12", "label": "mobile"}, {"e164": "+442079460958"}],
        "tags": ["VIP", "vip", "west"],
        "stage": "lead",
        "custom": {"size": 12, "note": "tea, not coffee", "partner": True},
    }
    made = await add(rep, **given)
    read = (await rep.get(f"/contacts/{made['id']}")).body
    assert read == made
    assert read["first_name"] == "Ada"
    assert [e["address"] for e in read["emails"]] == ["Ada@cedar.example.com", "ada.b@home.example.org"]
    assert [(p["e164"], p["extension"], p["label"]) for p in read["phones"]] == [
        ("+14155552671", "12", "mobile"),
        ("+442079460958", "", "work"),
    ]
    assert read["phones"][0]["time_zones"] == ["America/Los_Angeles"]
    assert read["phones"][1]["kind"] == "fixed"
    assert read["tags"] == ["VIP", "west"]
    assert read["custom"] == given["custom"]
    assert read["owner_id"] is None


@pytest.mark.parametrize(
    ("wrong", "field", "says"),
    [
        ({"phones": [{"number": "394-387-5749"}]}, "phones.0.number", "not a number that exists"),
        ({"phones": [{"label": "work"}]}, "phones.0", "Give the telephone number"),
        ({"emails": [{"address": "ada@nowhere"}]}, "emails.0.address", "not an email address"),
        ({"owner_id": "me"}, "owner_id", "UUID"),
        ({"birthday": "1815"}, "birthday", "There is no such field"),
        ({"custom": {"list": [1]}}, "custom.list", ""),
        ({"stage": "x" * 61}, "stage", "60"),
        ({"tags": [""]}, "tags.0", "at least 1"),
    ],
)
async def test_wrong_input_names_the_field_and_what_would_be_right(
    rep: Api, wrong: dict[str, Any], field: str, says: str
) -> None:
    answer = await rep.post("/contacts", {"first_name": "Ada", **wrong})
    assert answer.status == 422
    named = [f for f in answer.body["details"]["fields"] if f["field"].startswith(field)]
    assert named and says in named[0]["message"], answer.body


async def test_an_empty_contact_is_refused(rep: Api) -> None:
    answer = await rep.post("/contacts", {"stage": "lead"})
    assert answer.status == 422
    assert "Give at least a name" in answer.body["message"]


@pytest.mark.parametrize("raw", [b"{", b"[]", b'"x"', b'{"first_name": "a\\u0000b"}', b"\xff\xfe", b'{"first_name": "\\ud800"}'])
async def test_a_malformed_body_is_a_clear_error(rep: Api, raw: bytes) -> None:
    answer = await rep.call("POST", "/contacts", data=raw, headers={"Content-Type": "application/json"})
    assert answer.status == 422
    assert answer.body["message"]


async def test_a_stranger_to_the_company_can_not_be_owner(rep: Api, globex: Company) -> None:
    answer = await rep.post("/contacts", {"first_name": "Ada", "owner_id": str(globex.members["rep"])})
    assert answer.status == 422
    assert "member of this company" in answer.body["message"]


async def test_pages_hold_every_contact_once_in_every_order(rep: Api) -> None:
    made = [await add(rep, first_name=f"N{i % 4}", last_name=f"L{i}", company=f"Firm {i % 3}") for i in range(11)]
    for sort in ("created_at", "-created_at", "updated_at", "-updated_at", "name", "-name", "company", "-company"):
        seen: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = (await rep.get("/contacts", limit=3, sort=sort, **cursor)).body
            seen += page["data"]
            if page["next_cursor"] is None:
                break
            cursor = {"cursor": page["next_cursor"]}
        assert sorted(c["id"] for c in seen) == sorted(c["id"] for c in made), sort
        column = sort.lstrip("-")
        keys = [f"{c['first_name']} {c['last_name']}".lower() if column == "name" else c[column] for c in seen]
        assert keys == sorted(keys, reverse=sort.startswith("-")), sort


async def test_filters_narrow_the_list(rep: Api, acme: Company) -> None:
    mine = str(acme.members["rep"])
    a = await add(rep, first_name="A", stage="lead", tags=["West"], company="Ostrich Ltd", owner_id=mine)
    b = await add(rep, first_name="B", stage="won", tags=["east"], company="ostara")
    assert ids(await rep.get("/contacts", stage="lead")) == {a["id"]}
    assert ids(await rep.get("/contacts", tag="west")) == {a["id"]}
    assert ids(await rep.get("/contacts", owner_id=mine)) == {a["id"]}
    assert ids(await rep.get("/contacts", company="OST")) == {a["id"], b["id"]}
    assert ids(await rep.get("/contacts", company="ostr", tag="west", sort="name")) == {a["id"]}
    assert ids(await rep.get("/contacts", updated_since=b["updated_at"])) == {b["id"]}
    assert ids(await rep.get("/contacts", updated_since="2999-01-01")) == set()
    facets = (await rep.get("/contacts/facets")).body
    assert facets["stages"] == ["lead", "won"]
    assert facets["tags"] == ["east", "West"]
    assert len(facets["owners"]) == 4


@pytest.mark.parametrize(
    "params",
    [
        {"limit": "0"},
        {"limit": "201"},
        {"limit": "many"},
        {"cursor": "nonsense"},
        {"cursor": "WyJuYW1lIiwiYSIsImIiXQ"},
        {"sort": "shoe size"},
        {"owner_id": "7"},
        {"updated_since": "yesterday"},
        {"colour": "red"},
        {"stage": "a\x00b"},
    ],
)
async def test_a_wrong_parameter_is_named(rep: Api, params: dict[str, str]) -> None:
    answer = await rep.get("/contacts", **params)
    assert answer.status == 422
    assert answer.body["details"]["fields"][0]["field"] == next(iter(params))


async def test_a_cursor_of_another_order_is_refused(rep: Api) -> None:
    for i in range(3):
        await add(rep, last_name=f"L{i}")
    cursor = (await rep.get("/contacts", limit=1, sort="name")).body["next_cursor"]
    answer = await rep.get("/contacts", limit=1, sort="company", cursor=cursor)
    assert answer.status == 422
    assert "another sort order" in answer.body["message"]


async def test_a_change_touches_only_what_was_given(rep: Api) -> None:
    made = await add(rep, company="Old", emails=[{"address": "a@x.example.com"}], custom={"a": 1, "b": 2})
    changed = await rep.patch(f"/contacts/{made['id']}", {"company": "New", "custom": {"b": None, "c": 3}})
    assert changed.status == 200
    assert changed.body["company"] == "New"
    assert changed.body["emails"] == made["emails"]
    assert changed.body["custom"] == {"a": 1, "c": 3}
    cleared = await rep.patch(f"/contacts/{made['id']}", {"emails": [], "phones": [{"number": "+14155552671"}], "tags": ["t"]})
    assert cleared.body["emails"] == []
    assert cleared.body["phones"][0]["e164"] == "+14155552671"
    assert cleared.body["tags"] == ["t"]


async def test_two_people_can_not_overwrite_each_other_unseen(rep: Api) -> None:
    made = await add(rep)
    seen = (await rep.get(f"/contacts/{made['id']}")).headers["ETag"]
    first = await rep.patch(f"/contacts/{made['id']}", {"title": "First"}, headers={"If-Match": seen})
    second = await rep.patch(f"/contacts/{made['id']}", {"title": "Second"}, headers={"If-Match": seen})
    assert (first.status, second.status) == (200, 412)
    assert "changed this contact" in second.body["message"]
    again = await rep.patch(f"/contacts/{made['id']}", {"title": "Second"}, headers={"If-Match": first.headers["ETag"]})
    assert again.body["title"] == "Second"
    assert (await rep.patch(f"/contacts/{made['id']}", {}, headers={"If-Match": "yes"})).status == 422


async def test_a_deleted_contact_is_gone_until_it_is_restored(rep: Api, server: RunningHub, acme: Company) -> None:
    made = await add(rep, last_name="Quixote")
    assert (await rep.delete(f"/contacts/{made['id']}")).status == 204
    assert (await rep.get(f"/contacts/{made['id']}")).status == 404
    assert (await rep.delete(f"/contacts/{made['id']}")).status == 404
    assert (await rep.get("/contacts")).body["data"] == []
    assert (await rep.get("/search", q="quixote")).body["data"] == []
    back = await rep.post(f"/contacts/{made['id']}/restore")
    assert back.status == 200
    assert [c["id"] for c in (await rep.get("/search", q="quixote")).body["data"]] == [made["id"]]
    assert (await rep.post(f"/contacts/{made['id']}/restore")).status == 200
    assert await events_of(server, acme) == ["contact.created", "contact.deleted", "contact.restored"]


@pytest.mark.parametrize(
    "query",
    [
        "zo", "Zoë", "zoe", "zoe kj", "Kjær", "kjaer", "acme ro", "rocket", "zoe@acme.example.com", "acme.example", "acme.ex",
        "+1415555", "4155552671", "(415) 555", "2671", "415-555-2671", "ocket", "jaer zoe",
    ],
)  # fmt: skip
async def test_search_finds_by_every_way_people_type(rep: Api, query: str) -> None:
    await add(
        rep,
        first_name="Zoë",
        last_name="Kjær",
        company="Acme Rocketry",
        emails=[{"address": "zoe@acme.example.com"}],
        phones=[{"number": "+14155552671"}],
    )
    await add(rep, first_name="Bob", last_name="Stone", company="Quarry", phones=[{"number": "+442079460958"}])
    found = (await rep.get("/search", q=query)).body["data"]
    assert [c["first_name"] for c in found] == ["Zoë"], query


@pytest.mark.parametrize(
    "query", ["", " ", "%", "_", "\\", "'", '"', "zzz", "+", "()", "%%%", "a b c d e f g h i j", "\U0010ffff"]
)
async def test_search_takes_anything_typed(rep: Api, query: str) -> None:
    await add(rep, first_name="Bob", last_name="Stone")
    answer = await rep.get("/search", q=query)
    assert answer.status == 200
    assert len(answer.body["data"]) <= (1 if query in ("\U0010ffff",) else 0) or query.strip() == ""


async def test_search_follows_changes(rep: Api) -> None:
    made = await add(rep, first_name="Bob", last_name="Stone")
    await rep.patch(f"/contacts/{made['id']}", {"last_name": "Flint", "emails": [{"address": "bob@flint.example.com"}]})
    assert (await rep.get("/search", q="stone")).body["data"] == []
    assert len((await rep.get("/search", q="flint.example")).body["data"]) == 1


async def test_a_repeated_write_with_its_key_is_done_once(rep: Api) -> None:
    key = {"Idempotency-Key": "abc-123"}
    first = await rep.post("/contacts", {"first_name": "Once"}, headers=key)
    second = await rep.post("/contacts", {"first_name": "Once"}, headers=key)
    assert (first.status, second.status) == (201, 201)
    assert second.body == first.body
    assert second.headers["Idempotent-Replayed"] == "true"
    other = await rep.post("/contacts", {"first_name": "Twice"}, headers=key)
    assert other.status == 422
    assert "different request" in other.body["message"]
    assert len((await rep.get("/contacts")).body["data"]) == 1


async def test_repeats_that_race_are_done_once(rep: Api) -> None:
    key = {"Idempotency-Key": "race"}
    answers = await asyncio.gather(*(rep.post("/contacts", {"first_name": "Once"}, headers=key) for _ in range(5)))
    assert {a.status for a in answers} == {201}
    assert len({a.body["id"] for a in answers}) == 1


async def test_another_companys_contact_is_the_same_404_as_a_missing_one(rep: Api, stranger: Api) -> None:
    made = await add(rep)
    for method, path, body in [
        ("GET", "", None),
        ("PATCH", "", {"title": "x"}),
        ("DELETE", "", None),
        ("POST", "/restore", {}),
        ("GET", "/timeline", None),
        ("POST", "/notes", {"body": "x"}),
    ]:
        theirs = await stranger.call(method, f"/contacts/{made['id']}{path}", json=body)
        missing = await stranger.call(method, f"/contacts/{uuid4()}{path}", json=body)
        assert theirs.status == missing.status == 404, (method, path)
        assert theirs.body["message"] == missing.body["message"]
    assert (await stranger.get("/contacts")).body["data"] == []
    assert (await stranger.get("/search", q="ada")).body["data"] == []
    assert (await rep.get(f"/contacts/{made['id']}")).body == made


async def test_notes_stand_on_the_timeline_newest_first(rep: Api) -> None:
    made = await add(rep)
    for text in ("first", "second", "third"):
        assert (await rep.post(f"/contacts/{made['id']}/notes", {"body": text})).status == 201
    page = (await rep.get(f"/contacts/{made['id']}/timeline", limit=2)).body
    assert [a["body"] for a in page["data"]] == ["third", "second"]
    rest = (await rep.get(f"/contacts/{made['id']}/timeline", limit=2, cursor=page["next_cursor"])).body
    assert [a["body"] for a in rest["data"]] == ["first"]
    assert rest["next_cursor"] is None
    assert page["data"][0]["actor"]["name"] == "Rep of Acme"
    assert (await rep.post(f"/contacts/{made['id']}/notes", {"body": "  "})).status == 422
    assert [a["body"] for a in (await rep.get("/activities")).body["data"]] == ["third", "second", "first"]
