"""What OWASP ASVS 5.0 says of how long sessions last and who ends them; docs/security-requirements.md has the whole table."""

from __future__ import annotations

import time
from uuid import UUID

import pytest

from tests.harness import PASSWORD, Api
from tests.sso import conftest
from tests.sso.conftest import House, mail

pytestmark = pytest.mark.asyncio(loop_scope="module")
house = conftest.house

LIVE = "SELECT count(*) FROM sessions WHERE user_id = $1 AND revoked_at IS NULL"


async def signed_in(house: House, email: str) -> Api:
    api = house.server.client()
    answer = await api.post("/auth/login", {"email": email, "password": PASSWORD})
    assert answer.status == 200, answer.body
    api.token = answer.body["access_token"]
    return api


async def test_v7_3_1_and_v7_6_1_sessions_end_when_nobody_uses_them_and_sooner_where_a_provider_let_in(house: House) -> None:
    acme = await house.company()
    await house.set_up(acme)
    rep = acme.members["rep"]
    api = await signed_in(house, mail(acme))
    assert (await api.post("/auth/refresh")).status == 200
    await house.as_admin("UPDATE sessions SET last_used_at = now() - interval '15 days' WHERE user_id = $1", rep)
    assert (await api.get("/account/sessions")).body["data"] == [], "it is none any more"
    idle = await api.post("/auth/refresh")
    assert (idle.status, idle.error) == (401, "session_ended")
    browser = house.browser()
    assert await browser.sign_in(mail(acme, "manager")) == {"path": "/"}
    lasts = "SELECT max(expires_at - created_at) FROM sessions WHERE user_id = $1 AND sso_tenant_id IS NOT NULL"
    assert (await house.as_admin(lasts, acme.members["manager"])).total_seconds() == pytest.approx(7 * 86_400, abs=5)


async def test_v7_4_2_and_v7_5_2_people_see_and_end_their_sessions_once_they_showed_who_they_are(house: House) -> None:
    acme = await house.company()
    here, there = await signed_in(house, mail(acme)), await signed_in(house, mail(acme))
    listed = (await here.get("/account/sessions")).body["data"]
    other = next(each["id"] for each in listed if not each["current"])
    own = next(each["id"] for each in listed if each["current"])
    stale = house.server.client(
        house.server.token(acme, "rep", confirmed_at=time.time() - 3600),
    )
    for refused in (await stale.delete(f"/account/sessions/{other}"), await stale.post("/account/sessions/end-others")):
        assert (refused.status, refused.error) == (403, "step_up_required")
    colleague = await signed_in(house, mail(acme, "manager"))
    assert (await colleague.delete(f"/account/sessions/{UUID(own)}")).status == 404, "nobody ends another's"
    assert (await here.delete(f"/account/sessions/{other}")).status == 204
    assert (await there.post("/auth/refresh")).error == "session_ended"
    owner = house.server.as_member(acme, "owner")
    assert (await owner.patch(f"/members/{acme.members['rep']}", {"status": "deactivated"})).status == 200
    assert (await here.post("/auth/refresh")).status in (401, 403), "an account that is shut opens nothing"


async def test_v7_4_3_a_changed_factor_ends_the_others_or_offers_to(house: House) -> None:
    acme = await house.company()
    here, _ = await signed_in(house, mail(acme)), await signed_in(house, mail(acme))
    new = {"current": PASSWORD, "password": "a long road to the old harbour"}
    assert (await here.put("/account/password", new)).status == 204
    assert await house.as_admin(LIVE, acme.members["rep"]) == 1, "a changed password ends the others by itself"


async def test_v7_6_2_and_v10_3_3_no_session_without_being_asked_for_and_people_are_known_by_ids_that_stay(house: House) -> None:
    acme = await house.company()
    await house.set_up(acme)
    visitor = house.browser()
    landed = await visitor.land(f"/oauth/sso/{acme.tenant_id}", {"state": "x" * 43, "code": "x"})
    assert landed["sso_problem"] == "too_late", "an answer that nobody here began opens nothing"
    assert (await visitor.opened()).status == 401
    api = await signed_in(house, mail(acme))
    await house.as_admin("UPDATE users SET email = $2, email_lc = $2 WHERE id = $1", acme.members["rep"], mail(acme, "renamed"))
    assert (await api.get("/me")).body["user"]["id"] == str(acme.members["rep"])
