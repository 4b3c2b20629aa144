"""Signing in with Google: for accounts that are there, by addresses that Google hands out itself."""

from __future__ import annotations

import pytest

from tests.accounts.kit import Telephone
from tests.harness import PASSWORD
from tests.letters import letters_to
from tests.sso.conftest import House, mail

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_an_account_is_found_by_an_address_that_google_hands_out_and_told_by_letter(house: House) -> None:
    assert (await house.server.client().get("/sso/ways")).body == {"google": True}
    acme = await house.company()
    browser = house.browser()
    assert await browser.sign_in(mail(acme), google=True) == {"path": "/"}
    opened = (await browser.opened()).body
    assert (opened["user"]["email"], opened["role"]) == (mail(acme), "rep")
    (letter,) = await letters_to(house.database, house.server.settings, mail(acme))
    assert (letter.template, "Google" in letter.subject) == ("account_connected", True)
    assert await house.browser().sign_in(mail(acme), google=True) == {"path": "/"}
    letters = await letters_to(house.database, house.server.settings, mail(acme))
    assert [each.template for each in letters] == ["account_connected", "new_device"], "told once, and of a second browser"
    nobody = await house.browser().sign_in("nobody@nowhere.test", google=True)
    assert nobody["sso_problem"] == "no_account"

    (connected,) = (await browser.api.get("/account/connected")).body["data"]
    assert (connected["label"], connected["email"], connected["company"]) == ("Google", mail(acme), False)
    other = house.server.as_member(acme, "manager")
    assert (await other.delete(f"/account/connected/{connected['id']}")).status == 404
    assert (await browser.api.delete(f"/account/connected/{connected['id']}")).status == 204
    assert (await browser.api.get("/account/connected")).body["data"] == []


async def test_google_stands_for_the_password_and_not_for_the_second_step(house: House) -> None:
    acme = await house.company()
    browser = house.browser()
    signed_in = await browser.api.post("/auth/login", {"email": mail(acme), "password": PASSWORD})
    browser.api.token = signed_in.body["access_token"]
    begun = (await browser.api.post("/account/connected", {"google": True})).body["url"]
    assert await browser.follow(begun, "ada.private@gmail.com") == {"path": "/settings/security", "connected": "1"}
    taken = house.browser(
        (await house.server.client().post("/auth/login", {"email": mail(acme, "admin"), "password": PASSWORD})).body[
            "access_token"
        ]
    )
    theirs = (await taken.api.post("/account/connected", {"google": True})).body["url"]
    assert (await taken.follow(theirs, "ada.private@gmail.com"))["sso_problem"] == "other_account"
    second = (await browser.api.post("/account/connected", {"google": True})).body["url"]
    assert (await browser.follow(second, "ada.other@gmail.com"))["sso_problem"] == "connected_otherwise"

    seed = (await browser.api.post("/account/totp")).body["secret"]
    telephone = Telephone(seed)
    assert (await browser.api.post("/account/totp/start", {"code": telephone.code()})).status == 200
    later = house.browser()
    landed = await later.sign_in("ada.private@gmail.com", google=True)
    assert set(landed) == {"path", "second"} and (await later.opened()).status == 401
    wrong = await later.api.post("/auth/second-step", {"token": landed["second"], "code": telephone.wrong_code()})
    assert wrong.status == 401
    assert (await house.browser().sign_in(mail(acme), google=True))["sso_problem"] == "connect_first"
