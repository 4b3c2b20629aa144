"""A company that wants a second factor of everybody: who is led to one, who is not asked, and who cannot lock themselves out."""

from __future__ import annotations

import pytest

from tests.accounts.kit import Authenticator, Ground, Telephone, sign_in
from tests.conftest import Company, make_company
from tests.harness import PASSWORD, Api, RunningHub
from tests.joining.kit import events_of
from tests.realtime.kit import Client, clients
from tests.sso import conftest as sso
from tests.sso.conftest import House

pytestmark = pytest.mark.asyncio(loop_scope="module")
house = sso.house

RULE = "/second-factor"


def mail(company: Company, role: str = "rep") -> str:
    return f"{role}@{company.name.lower()}.test"


async def with_an_app(api: Api) -> Telephone:
    telephone = Telephone((await api.post("/account/totp")).body["secret"])
    assert (await api.post("/account/totp/start", {"code": telephone.code()})).status == 200
    return telephone


async def with_a_passkey(api: Api) -> Authenticator:
    asked, device = (await api.post("/account/passkeys/options")).body, Authenticator()
    given = {"token": asked["token"], "credential": device.make(asked["options"]), "name": "Laptop"}
    assert (await api.post("/account/passkeys", given)).status == 200
    return device


async def renewed(api: Api) -> bool:
    """Gets a new access token; whether it still demands a second factor."""
    answer = (await api.post("/auth/refresh")).body
    api.token = answer["access_token"]
    return bool(answer["needs_second_factor"])


async def test_who_has_no_second_factor_can_only_set_one_up_once_the_company_wants_it(
    ground: Ground, server: RunningHub, acme: Company
) -> None:
    globex = await make_company(server.hub.db, f"Other{acme.name}")
    owner, _ = await sign_in(server, mail(acme, "owner"))
    rep, _ = await sign_in(server, mail(acme))
    assert (await rep.get(RULE)).status == (await rep.put(RULE, {"required": True})).status == 403
    refused = await owner.put(RULE, {"required": True})
    assert (refused.status, refused.error) == (409, "own_second_factor_first"), "nobody locks themselves out"
    await with_an_app(owner)
    rule = (await owner.put(RULE, {"required": True})).body
    assert (rule["required"], rule["trusts_provider"], rule["lacking_count"]) == (True, False, 3)
    assert [each["email"] for each in rule["lacking"]] == [mail(acme, role) for role in ("admin", "manager", "rep")]
    assert [e["data"] for e in await events_of(owner, "second_factor.")] == [{"required": True, "trusts_provider": False}]
    assert (await owner.get("/audit", action="second_factor.changed")).body["data"][0]["actor"]["name"].startswith("Owner")
    await rep.refused()

    browser, answer = await sign_in(server, mail(acme))
    assert answer.body["needs_second_factor"] is True
    for path in ("/contacts", "/members", "/events", "/company", "/api-keys", RULE):
        shut = await browser.get(path)
        assert (shut.status, shut.error) == (403, "second_factor_required"), path
    assert (await browser.post("/contacts", {"first_name": "Ada"})).error == "second_factor_required"
    async with clients(Client.connect(server.url, browser.token)) as (live,):
        assert live.refused["message"] == "second_factor_required"
    assert await renewed(browser), "a new token opens no more"
    assert (await browser.get("/me")).status == (await browser.get("/account/security")).status == 200
    telephone = await with_an_app(browser)
    assert not await renewed(browser), "who has just set one up has shown it"
    assert (await browser.get("/contacts")).status == 200
    kept = await browser.delete("/account/totp")
    assert (kept.status, kept.error) == (409, "second_factor_wanted") and acme.name in kept.body["message"]

    again, first = await sign_in(server, mail(acme))
    given = {"token": first.body["token"], "code": telephone.code()}
    assert (await again.post("/auth/second-step", given)).body["needs_second_factor"] is False

    assert (await server.as_member(globex, "owner").get(RULE)).body["required"] is False, "it is one company's"
    assert await events_of(server.as_member(globex, "owner"), "second_factor.") == []
    assert (await owner.put(RULE, {"required": False})).body["required"] is False
    assert (await sign_in(server, mail(acme, "manager")))[1].body["needs_second_factor"] is False


async def test_a_passkey_counts_when_it_was_shown_and_keys_are_not_asked(
    ground: Ground, server: RunningHub, acme: Company
) -> None:
    owner, _ = await sign_in(server, mail(acme, "owner"))
    device = await with_a_passkey(owner)
    key = (await owner.post("/api-keys", {"name": "Reports", "scopes": ["contacts:read"]})).body["key"]
    by_password, answer = await sign_in(server, mail(acme, "owner"))
    assert answer.status == 200
    refused = await by_password.put(RULE, {"required": True})
    assert (refused.status, refused.error) == (409, "own_second_factor_first"), "theirs was not shown in this session"
    assert (await owner.put(RULE, {"required": True})).status == 200
    assert (await server.client(key).get("/contacts")).status == 200, "a program has no finger"
    assert (
        await owner.delete(f"/account/passkeys/{(await owner.get('/account/security')).body['passkeys'][0]['id']}")
    ).status == 409

    by_password, answer = await sign_in(server, mail(acme, "owner"))
    assert answer.body["needs_second_factor"] is True
    ask = (await by_password.post("/auth/confirm/options")).body
    assert ask["methods"] == ["passkey"], "the password was shown already"
    await by_password.post("/auth/confirm", {"password": PASSWORD})
    assert await renewed(by_password), "to show it again is no second factor"
    shown = await by_password.post("/auth/confirm", {"token": ask["token"], "credential": device.sign(ask["passkey"])})
    assert (shown.status, shown.body["needs_second_factor"]) == (200, False)
    by_password.token = shown.body["access_token"]
    assert (await by_password.get("/contacts")).status == 200


async def test_the_companys_own_sign_in_counts_where_the_company_says_so(house: House) -> None:
    acme = await house.company()
    await house.set_up(acme)
    owner = house.server.client()
    owner.token = (await owner.post("/auth/login", {"email": mail(acme, "owner"), "password": PASSWORD})).body["access_token"]
    await with_an_app(owner)
    browser = house.browser()
    assert await browser.sign_in(mail(acme)) == {"path": "/"}
    assert (await browser.opened()).body["needs_second_factor"] is False
    trusting = (await owner.put(RULE, {"required": True, "trusts_provider": True})).body
    assert mail(acme) not in [each["email"] for each in trusting["lacking"]] and trusting["lacking_count"] == 2
    assert (await browser.opened()).body["needs_second_factor"] is False
    strict = (await owner.put(RULE, {"required": True, "trusts_provider": False})).body
    assert strict["lacking_count"] == 3
    await browser.api.refused()
    assert await browser.sign_in(mail(acme)) == {"path": "/"}
    assert (await browser.opened()).body["needs_second_factor"] is True
