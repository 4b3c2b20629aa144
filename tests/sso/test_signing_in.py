"""Signing in at a company's own provider: who comes in, as whom, and who does not."""

from __future__ import annotations

import asyncio

import asyncpg
import pyotp
import pytest

from integrations.sandbox.oidc import Fault
from tests.harness import PASSWORD, until
from tests.joining.kit import events_of
from tests.letters import letters_to
from tests.sso.conftest import House, domain_of, mail

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_member_comes_in_by_a_proven_address_and_is_the_same_person_when_it_changes(house: House) -> None:
    acme = await house.company()
    await house.set_up(acme)
    browser = house.browser()
    assert await browser.sign_in(mail(acme)) == {"path": "/"}
    opened = await browser.opened()
    assert (opened.body["user"]["id"], opened.body["tenant"]["id"]) == (str(acme.members["rep"]), str(acme.tenant_id))
    assert (await browser.opened()).status == 200, "it is refreshed as any other"
    house.oidc.people[mail(acme, "renamed")] = {"sub": house.oidc.about(mail(acme))["sub"]}
    later = house.browser()
    assert await later.sign_in(mail(acme, "renamed")) == {"path": "/"}
    assert (await later.opened()).body["user"]["id"] == str(acme.members["rep"])
    told = await letters_to(house.database, house.server.settings, mail(acme))
    assert [letter.template for letter in told] == ["new_device"], "of the second browser, and not of the first"
    again = later.api.token
    assert await later.sign_in(mail(acme, "renamed")) == {"path": "/"}

    async def is_over() -> bool:
        answer = await house.server.client(again).get("/me")
        return answer.status == 401 and answer.error == "session_revoked"

    await later.api.within_a_second(is_over)
    assert (await browser.api.get("/me")).status == 200, "that of the other browser goes on"

    house.oidc.people[mail(acme)] = {"sub": "who got the address after them"}
    assert (await house.browser().sign_in(mail(acme)))["sso_problem"] == "other_person"
    owner = house.server.as_member(acme, "owner")
    assert (await owner.delete(f"/sso/members/{acme.members['rep']}")).status == 204
    assert await house.browser().sign_in(mail(acme)) == {"path": "/"}
    listed = await browser.api.get("/account/connected")
    assert [(one["email"], one["company"]) for one in listed.body["data"]] == [(mail(acme), True)]


async def test_nobody_comes_in_by_an_address_that_is_not_proven_and_nobody_becomes_an_owner(house: House) -> None:
    acme, globex = await house.company(), await house.company()
    await house.set_up(acme, prove=False, joins=True)
    company = {"company": str(acme.tenant_id)}
    assert (await house.server.client().post("/sso/begin", {"email": mail(acme)})).error == "no_sso"
    assert (await house.browser().sign_in(mail(acme), **company))["sso_problem"] == "address_unproven"
    owner = house.server.as_member(acme, "owner")
    await house.prove(owner, domain_of(acme))
    for address in (mail(globex), mail(globex, "owner"), "new@elsewhere.test"):
        assert (await house.browser().sign_in(address, **company))["sso_problem"] == "address_unproven", address
    assert (await house.browser().sign_in(mail(acme, "owner")))["sso_problem"] == "owner_connects"
    for claims in ({"email_verified": False}, {"email_verified": None}, {"email": "not an address"}):
        house.oidc.people[mail(acme, "manager")] = claims
        assert (await house.browser().sign_in(mail(acme, "manager")))["sso_problem"] == "address_unproven"
    house.oidc.people[mail(acme, "manager")] = {"email_verified": None}
    await house.set_up(acme, prove=False, trusts_addresses=True)
    assert await house.browser().sign_in(mail(acme, "manager")) == {"path": "/"}, "this one does not say it of anybody"


async def test_who_is_new_joins_as_what_was_set_where_that_is_wanted(house: House) -> None:
    acme = await house.company()
    owner = await house.set_up(acme)
    grace = mail(acme, "grace.hopper")
    assert (await house.browser().sign_in(grace))["sso_problem"] == "not_a_member"
    team = (await owner.post("/teams", {"name": "New here", "member_ids": []})).body["id"]
    await house.set_up(acme, prove=False, joins=True, role="manager", team_id=team)
    await house.bill(acme, plan="enterprise", seats=4)
    assert (await house.browser().sign_in(grace))["sso_problem"] == "no_seat"
    await house.bill(acme, plan="enterprise", seats=5)
    browser = house.browser()
    assert await browser.sign_in(grace, email=grace, return_to="/contacts?stage=new") == {"path": "/contacts", "stage": "new"}
    opened = (await browser.opened()).body
    assert (opened["user"]["name"], opened["user"]["email"], opened["role"]) == ("Grace Hopper", grace, "manager")
    (seen,) = (await owner.get("/teams")).body["data"]
    assert [member["name"] for member in seen["members"]] == ["Grace Hopper"]
    told = await events_of(owner, "member.joined", "team.updated")
    assert [event["type"] for event in told] == ["member.joined", "team.updated"]
    assert (await house.server.client().post("/auth/login", {"email": grace, "password": PASSWORD})).status == 401

    assert (await owner.patch(f"/members/{opened['user']['id']}", {"status": "deactivated"})).status == 200
    assert (await house.browser().sign_in(grace))["sso_problem"] == "deactivated"
    assert (await browser.opened()).status in (401, 403)


async def test_what_a_companys_provider_says_counts_at_that_company_only(house: House) -> None:
    acme, globex = await house.company(), await house.company()
    await house.set_up(acme)
    both = await house.person(mail(acme, "both"), rep=acme, admin=globex)
    browser = house.browser()
    assert await browser.sign_in(mail(acme, "both")) == {"path": "/"}
    opened = await browser.opened()
    assert (opened.body["tenant"]["id"], opened.body["role"]) == (str(acme.tenant_id), "rep")
    there = await browser.api.post("/auth/switch", {"tenant_id": str(globex.tenant_id)})
    assert (there.status, there.error) == (403, "sso_elsewhere")
    seed = (await browser.api.post("/account/totp")).body["secret"]
    lasting = await browser.api.post("/account/totp/start", {"code": pyotp.TOTP(seed).now()})
    google = await browser.api.post("/account/connected", {"google": True})
    assert (lasting.error, google.error) == ("sso_elsewhere", "sso_elsewhere"), "nor can it make a way in to the other one"
    alone = house.browser()
    await alone.sign_in(mail(acme))
    await alone.opened()
    assert (await alone.api.post("/account/connected", {"google": True})).status == 200
    owner = house.server.as_member(acme, "owner")
    await owner.patch(f"/members/{both}", {"status": "deactivated"})
    gone = await browser.opened()
    assert (gone.status, gone.error) == (403, "sso_elsewhere"), "nor when it no longer counts here"
    assert (await house.server.client().post("/auth/login", {"email": mail(acme, "both"), "password": PASSWORD})).status == 200


async def test_a_sign_in_serves_once_in_its_browser_for_its_provider(house: House) -> None:
    acme, globex = await house.company(), await house.company()
    await house.set_up(acme)
    await house.set_up(globex)
    browser, other = house.browser(), house.browser()
    begun = (await browser.api.post("/sso/begin", {"email": mail(acme)})).body["url"]
    back = await house.signed_in_at(begun)
    query = dict(p.split("=", 1) for p in back.query.split("&"))
    assert back.path == f"/oauth/sso/{acme.tenant_id}"

    async def begin(at: object = browser) -> str:
        url: str = (await at.api.post("/sso/begin", {"email": mail(acme)})).body["url"]  # type: ignore[attr-defined]
        return url

    assert (await other.follow(begun))["sso_problem"] == "other_browser"
    assert (await browser.follow(begun))["sso_problem"] == "too_late", "the state went with the first try"
    assert (await browser.land(back.path, query))["sso_problem"] == "too_late"
    assert (await browser.land(back.path, {}))["sso_problem"] == "too_late"

    again = await house.signed_in_at(await begin())
    elsewhere = await browser.land(f"/oauth/sso/{globex.tenant_id}", dict(p.split("=", 1) for p in again.query.split("&")))
    assert elsewhere["sso_problem"] == "other_provider"
    for name, value, problem in (
        ("error", "access_denied", "denied"),
        ("error", "server_error", "provider_error"),
        ("code", "a code that is none", "provider_error"),
        ("iss", "https://login.example.com", "provider_error"),
        ("state", "another", "too_late"),
    ):
        browser.changes = {name: value}
        assert (await browser.follow(await begin()))["sso_problem"] == problem, (name, value)
    browser.changes = {}
    house.oidc.faults.add(Fault("token", "alg_none"))
    assert (await browser.follow(await begin()))["sso_problem"] == "provider_error"
    changing = await begin()
    await house.as_admin("UPDATE sso_providers SET client_id = 'another' WHERE tenant_id = $1", acme.tenant_id)
    assert (await browser.follow(changing))["sso_problem"] == "provider_changed"
    await house.as_admin(
        "UPDATE sso_providers SET client_id = $2 WHERE tenant_id = $1", acme.tenant_id, house.oidc.settings.client_id
    )
    late = await begin()
    await house.as_admin("UPDATE sso_states SET created_at = now() - interval '16 minutes'")
    assert (await browser.follow(late))["sso_problem"] == "too_late"
    assert (await browser.opened()).status == 401, "nothing of all this signed anybody in"
    for path in ("//evil.example", "/\\evil.example", "https://evil.example", "/a b", "/api/v1/me", "evil"):
        assert (await browser.api.post("/sso/begin", {"email": mail(acme), "return_to": path})).status == 422, path


async def test_a_provider_that_is_away_says_so_and_the_link_of_a_tile_leads_to_it(house: House) -> None:
    acme = await house.company()
    owner = await house.set_up(acme)
    start = (await owner.get("/sso")).body["start_url"].replace("http://127.0.0.1", "")
    browser = house.browser()
    began = await browser.api.call("GET", start, params={"login_hint": mail(acme)}, allow_redirects=False)
    assert began.status == 303 and began.headers["Location"].startswith(house.oidc.url)
    assert await browser.follow(began.headers["Location"]) == {"path": "/"}
    house.oidc.faults.add(Fault("token", "503"))
    assert (await browser.sign_in(mail(acme)))["sso_problem"] == "provider_error"
    lost = await browser.api.call("GET", f"/oauth/sso/{acme.members['rep']}/start", allow_redirects=False)
    assert (lost.status, lost.headers["Location"]) == (303, "/?sso_problem=no_sso")
    for path in ("/oauth/sso/7/start", "/oauth/sso/7"):
        assert (await browser.api.get(path)).error == "no_sso"


async def test_enforcing_and_refreshing_at_once_neither_stand_in_each_others_way_nor_leave_a_session(house: House) -> None:
    acme = await house.company()
    owner = await house.set_up(acme)
    assert await house.browser().sign_in(mail(acme)) == {"path": "/"}
    by_password = house.server.client()
    given = {"email": mail(acme, "manager"), "password": PASSWORD}
    by_password.token = (await by_password.post("/auth/login", given)).body["access_token"]
    manager = acme.members["manager"]
    refreshing = await asyncpg.connect(house.database.admin_url)
    try:
        # A refresh holds its session, and asks then whether the company's sign-in is the only one.
        await refreshing.execute("BEGIN")
        await refreshing.execute("SELECT FROM sessions WHERE user_id = $1 FOR UPDATE", manager)
        holder = await refreshing.fetchval("SELECT pg_backend_pid()")
        enforcing = asyncio.create_task(owner.put("/sso/enforcement", {"enforced": True}))

        async def waits() -> bool:
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))"
            return bool(await house.as_admin(waiting, holder))

        await until(waits)
        with pytest.raises(asyncpg.CheckViolationError, match="a sign-in of its own"):
            await refreshing.execute("UPDATE sessions SET last_used_at = now() WHERE user_id = $1", manager)
    finally:
        await refreshing.close()
    assert (await enforcing).body["enforced"] is True
    alive = "SELECT count(*) FROM sessions WHERE user_id = $1 AND revoked_at IS NULL"
    assert await house.as_admin(alive, manager) == 0
    assert (await by_password.post("/auth/refresh")).error == "session_ended"


async def test_only_the_companys_sign_in_lets_in_once_it_is_enforced_but_for_owners(house: House) -> None:
    acme, globex = await house.company(), await house.company()
    both = await house.person(mail(acme, "both"), rep=acme, admin=globex)
    owner = await house.set_up(acme)
    assert (await owner.put("/sso/enforcement", {"enforced": True})).error == "sso_not_tested"

    async def password(address: str, **more: str) -> object:
        answer = await house.server.client().post("/auth/login", {"email": address, "password": PASSWORD, **more})
        return answer.status if answer.status == 200 else answer.error

    before = house.browser()
    before.api.token = (await before.api.post("/auth/login", {"email": mail(acme), "password": PASSWORD})).body["access_token"]
    through = house.browser()
    await through.sign_in(mail(acme, "manager"))
    await through.opened()
    enforced = await owner.put("/sso/enforcement", {"enforced": True})
    assert (enforced.status, enforced.body["enforced"], enforced.body["outside_count"]) == (200, True, 0)

    async def ended() -> bool:
        return (await before.api.get("/me")).status == 401

    await until(ended)
    assert (await before.opened()).status == 401
    assert (await through.opened()).status == 200
    assert await password(mail(acme)) == "sso_required"
    assert await password(mail(acme, "admin")) == "sso_required"
    assert await password(mail(acme, "owner")) == 200
    assert await password(mail(acme, "both")) == 200, "they belong to another company as well"
    assert await password(mail(acme, "both"), tenant_id=str(acme.tenant_id)) == "sso_required"
    moving = house.browser()
    moving.api.token = (await moving.api.post("/auth/login", {"email": mail(acme, "both"), "password": PASSWORD})).body[
        "access_token"
    ]
    assert (await moving.api.post("/auth/switch", {"tenant_id": str(acme.tenant_id)})).error == "sso_required"
    keeps = house.browser()
    await keeps.api.post("/auth/login", {"email": mail(acme, "owner"), "password": PASSWORD})
    await house.as_admin("UPDATE members SET role = 'admin' WHERE user_id = $1", acme.members["owner"])
    assert (await keeps.opened()).error == "sso_required", "who is no owner any more goes the others' way"
    await house.as_admin("UPDATE members SET role = 'owner' WHERE user_id = $1", acme.members["owner"])
    assert both

    assert (await owner.delete("/sso/provider")).error == "sso_is_enforced"
    changed = await owner.put(
        "/sso/provider", {"label": "x", "issuer": house.oidc.url, "client_id": "another", "client_secret": "secret"}
    )
    assert changed.error == "sso_is_enforced"
    assert (await owner.put("/sso/enforcement", {"enforced": False})).body["enforced"] is False
    assert await password(mail(acme)) == 200
    assert (await owner.delete("/sso/provider")).status == 204
    assert (await through.opened()).status == 401, "who came in through it goes with it"
