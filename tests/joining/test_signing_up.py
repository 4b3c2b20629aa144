"""Signing a company up: live once its address is proved, and no word about who has an account."""

from __future__ import annotations

import asyncio

import pytest

from hub.joining.accepting import forget_old
from tests.conftest import Company
from tests.harness import PASSWORD as OLD_PASSWORD
from tests.harness import RunningHub, company_with_passwords, make_settings, running_hub
from tests.joining.kit import PASSWORD, letters_to, new_address, signed_in, token_in, token_to

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_company_is_live_once_its_address_is_proved(server: RunningHub) -> None:
    stranger, address = server.client(), new_address("founder")
    given = {"company": "Lantern & Sons", "name": "Fay Lantern", "email": address, "zone": "Europe/Berlin"}
    assert (await stranger.post("/signup", given)).status == 202
    assert (await stranger.post("/auth/login", {"email": address, "password": PASSWORD})).status == 401
    token = await token_to(server, address)
    for _ in range(2):
        seen = (await stranger.post("/signup/look", {"token": token})).body
    assert seen == {"state": "open", "company": "Lantern & Sons", "name": "Fay Lantern", "email": address} | {
        "has_account": False,
        "has_company": False,
    }
    weak = await stranger.post("/signup/finish", {"token": token, "name": "Fay Lantern", "password": "lantern"})
    assert weak.status == 422
    finish = {"token": token, "name": "Fay Lantern", "password": PASSWORD}
    answers = await asyncio.gather(*(server.client().post("/signup/finish", finish) for _ in range(2)))
    assert sorted(answer.status for answer in answers) == [201, 409]
    assert (await stranger.post("/signup/finish", finish)).error == "link_used"

    fay = await signed_in(server, address)
    me = (await fay.get("/me")).body
    assert (me["role"], me["tenant"]["name"]) == ("owner", "Lantern & Sons")
    assert len((await fay.get("/dispositions")).body["data"]) == 8
    # The company works: somebody can be invited.
    assert (await fay.post("/invitations", {"email": new_address()})).status == 201

    # What ran out long ago is forgotten, and who has joined stays.
    await forget_old(server.hub.db, keep_days=-2)
    assert (await stranger.post("/signup/look", {"token": token})).status == 404
    assert len((await fay.get("/invitations")).body["data"]) == 1
    await forget_old(server.hub.db, keep_days=-8)
    assert (await fay.get("/invitations")).body["data"] == []
    assert (await fay.get("/me")).status == 200


async def test_an_address_with_an_account_is_answered_alike_and_signs_in_first(server: RunningHub, acme: Company) -> None:
    globex = await company_with_passwords(server, f"Globex{acme.name}")
    theirs = f"rep@{globex.name.lower()}.test"
    given = {"company": "Second", "name": "Rep", "email": theirs}
    known = await server.client().post("/signup", given)
    unknown = await server.client().post("/signup", given | {"email": new_address()})
    assert (known.status, known.body) == (unknown.status, unknown.body) == (202, unknown.body)
    token = await token_to(server, theirs)
    assert (await server.client().post("/signup/look", {"token": token})).body["has_account"] is True
    taken = await server.client().post("/signup/finish", {"token": token, "name": "Eve", "password": PASSWORD})
    assert (taken.status, taken.error) == (409, "has_account")
    assert (await server.client().post("/signup/again", {"token": token})).error == "has_account"
    other = await server.as_member(globex, "manager").post("/signup/company", {"token": token})
    assert (other.status, other.error) == (403, "other_account")
    rep = await signed_in(server, theirs, OLD_PASSWORD)
    made = await rep.post("/signup/company", {"token": token})
    assert (made.status, made.body["company"]) == (201, "Second")
    assert [t["name"] for t in (await rep.get("/me")).body["tenants"]] == [globex.name, "Second"]


async def test_nobody_is_flooded_with_letters_and_wrong_fields_are_named(server: RunningHub) -> None:
    address = new_address("flooded")
    given = {"company": "Acme", "name": "Ada", "email": address}
    answers = [await server.client().post("/signup", given) for _ in range(7)]
    assert {(answer.status, str(answer.body)) for answer in answers} == {(202, str(answers[0].body))}
    letters = await letters_to(server, address)
    assert len(letters) == len({token_in(letter) for letter in letters}) == 5
    for field, value in (("company", " "), ("email", "x"), ("zone", "Mars/Olympus"), ("name", "a\tb"), ("password", "x")):
        answer = await server.client().post("/signup", given | {field: value})
        assert answer.status == 422, (field, answer.body)
        assert answer.field(field)


async def test_an_operator_may_keep_companies_from_signing_up(server: RunningHub) -> None:
    assert (await server.client().get("/signup")).body == {"open": True}
    shut = make_settings(server.settings.database_url, server.settings.redis_url, sign_up=False)
    async with running_hub(shut) as closed:
        assert (await closed.client().get("/signup")).body == {"open": False}
        answer = await closed.client().post("/signup", {"company": "Acme", "name": "Ada", "email": new_address()})
        assert (answer.status, answer.error) == (403, "sign_up_closed")
