"""Sessions: how their tokens rotate, how they move between companies, and how they end."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from tests.api import sign_in as shared
from tests.api.sign_in import (
    as_admin,
    cookie_of,
    join,
    mail,
    refresh,
    sign_in,
    signed_in,
)
from tests.conftest import Company, TestDatabase
from tests.harness import RunningHub

pytestmark = pytest.mark.asyncio(loop_scope="module")
server, acme, globex = shared.server, shared.acme, shared.globex


async def test_refreshing_gives_a_new_token_and_a_new_cookie_again_and_again(server: RunningHub, acme: Company) -> None:
    api, first = await signed_in(server, mail(acme))
    seen = {first}
    session = (await api.get("/me")).body["session_id"]
    for _ in range(3):
        answer = await api.post("/auth/refresh")
        assert answer.status == 200
        assert answer.body["tenant"]["id"] == str(acme.tenant_id)
        seen.add(cookie_of(answer).value)
        me = await server.client(answer.body["access_token"]).get("/me")
        assert me.body["session_id"] == session
    assert len(seen) == 4


@pytest.mark.parametrize("token", ["", "made-up", "x" * 5000])
async def test_a_refresh_token_that_was_never_given_out_is_refused(server: RunningHub, acme: Company, token: str) -> None:
    answer = await refresh(server, token)
    assert answer.status == 401
    assert answer.error in ("no_refresh_token", "session_ended")


async def test_a_session_that_has_run_out_is_not_refreshed(
    server: RunningHub, acme: Company, lasting_database: TestDatabase
) -> None:
    _, token = await signed_in(server, mail(acme))
    await as_admin(lasting_database, "UPDATE sessions SET expires_at = now() - interval '1 second'")
    assert (await refresh(server, token)).error == "session_ended"


async def test_an_old_refresh_token_that_comes_back_ends_the_session_for_everybody(
    server: RunningHub, acme: Company, lasting_database: TestDatabase
) -> None:
    api, old = await signed_in(server, mail(acme))
    fresh = await refresh(server, old)
    latest = cookie_of(fresh).value
    await as_admin(lasting_database, "UPDATE refresh_tokens SET rotated_at = rotated_at - interval '1 minute'")
    again = await refresh(server, old)
    assert (again.status, again.error) == (401, "refresh_token_reused")
    assert (await refresh(server, latest)).error == "session_ended"
    assert (await api.refused()).error == "session_revoked"
    assert (await server.client(fresh.body["access_token"]).refused()).error == "session_revoked"
    assert (await sign_in(server.client(), mail(acme))).status == 200


async def test_within_the_grace_the_client_whose_answer_was_lost_is_forgiven(server: RunningHub, acme: Company) -> None:
    api, old = await signed_in(server, mail(acme))
    lost = await refresh(server, old)
    again = await refresh(server, old)
    assert (lost.status, again.status) == (200, 200)
    assert (await refresh(server, cookie_of(again).value)).status == 200
    assert (await api.get("/me")).status == 200


async def test_within_the_grace_another_client_is_not_forgiven(server: RunningHub, acme: Company) -> None:
    api, old = await signed_in(server, mail(acme))
    assert (await refresh(server, old)).status == 200
    thief = await refresh(server, old, "curl/8")
    assert thief.error == "refresh_token_reused"
    assert (await api.refused()).error == "session_revoked"


async def test_a_thief_who_was_quicker_is_found_out_when_the_owner_comes(server: RunningHub, acme: Company) -> None:
    api, old = await signed_in(server, mail(acme))
    thief = await refresh(server, old, "curl/8")
    assert thief.status == 200
    assert (await api.post("/auth/refresh")).error == "refresh_token_reused"
    assert (await refresh(server, cookie_of(thief).value, "curl/8")).error == "session_ended"
    assert (await server.client(thief.body["access_token"]).refused()).error == "session_revoked"


async def test_a_browser_that_was_updated_keeps_its_session(server: RunningHub, acme: Company) -> None:
    _, token = await signed_in(server, mail(acme), "Browser/1")
    answer = await refresh(server, token, "Browser/2")
    assert answer.status == 200
    assert (await refresh(server, token, "Browser/2")).status == 200


async def test_two_tabs_that_refresh_at_once_both_go_on(server: RunningHub, acme: Company) -> None:
    _, token = await signed_in(server, mail(acme))
    answers = await asyncio.gather(*(refresh(server, token) for _ in range(5)))
    assert {a.status for a in answers} == {200}
    following = await asyncio.gather(*(refresh(server, cookie_of(a).value) for a in answers))
    assert {a.status for a in following} == {200}


async def test_signing_out_ends_this_session_and_no_other(server: RunningHub, acme: Company) -> None:
    here, token = await signed_in(server, mail(acme))
    there, _ = await signed_in(server, mail(acme), "a phone")
    answer = await here.post("/auth/logout")
    assert answer.status == 204
    gone = cookie_of(answer)
    assert (gone.value, gone["max-age"], gone["path"]) == ("", "0", "/api/v1/auth")
    assert (await here.refused()).error == "session_revoked"
    assert (await refresh(server, token)).error == "session_ended"
    assert (await there.get("/me")).status == 200
    assert (await there.post("/auth/refresh")).status == 200


async def test_signing_out_everywhere_ends_all_of_ones_sessions_and_nobody_elses(server: RunningHub, acme: Company) -> None:
    here, _ = await signed_in(server, mail(acme))
    there, token = await signed_in(server, mail(acme), "a phone")
    colleague, _ = await signed_in(server, mail(acme, "owner"))
    assert (await here.post("/auth/logout", {"everywhere": True})).status == 204
    assert (await here.refused()).error == "session_revoked"
    assert (await there.refused()).error == "session_revoked"
    assert (await refresh(server, token)).error == "session_ended"
    assert (await colleague.get("/me")).status == 200


async def test_a_person_of_two_companies_goes_from_one_to_the_other(server: RunningHub, acme: Company, globex: Company) -> None:
    await join(server, mail(acme, "bo"), rep=acme, manager=globex)
    api, _ = await signed_in(server, mail(acme, "bo"))
    me = (await api.get("/me")).body
    assert [(t["name"], t["role"]) for t in me["tenants"]] == [(acme.name, "rep"), (globex.name, "manager")]
    assert (me["tenant"]["name"], me["role"]) == (acme.name, "rep")
    switched = await api.post("/auth/switch", {"tenant_id": str(globex.tenant_id)})
    assert (switched.status, switched.body["tenant"]["name"], switched.body["role"]) == (200, globex.name, "manager")
    assert switched.headers["Cache-Control"] == "no-store"
    other = server.client(switched.body["access_token"])
    made = (await other.post("/contacts", {"first_name": "Ada"})).body
    assert (await api.get(f"/contacts/{made['id']}")).status == 404
    # The session stays there: the next token is for the same company.
    assert (await api.post("/auth/refresh")).body["tenant"]["name"] == globex.name


async def test_signing_in_can_name_the_company(server: RunningHub, acme: Company, globex: Company) -> None:
    await join(server, mail(acme, "bo"), rep=acme, manager=globex)
    chosen = await sign_in(server.client(), mail(acme, "bo"), tenant_id=str(globex.tenant_id))
    assert chosen.body["tenant"]["name"] == globex.name
    for stranger in (globex.tenant_id, uuid4()):
        answer = await sign_in(server.client(), mail(acme), tenant_id=str(stranger))
        assert (answer.status, answer.error) == (403, "not_a_member")
        assert "Set-Cookie" not in answer.headers


async def test_nobody_switches_to_a_company_that_is_not_theirs(server: RunningHub, acme: Company, globex: Company) -> None:
    api, _ = await signed_in(server, mail(acme))
    answers = [await api.post("/auth/switch", {"tenant_id": str(t)}) for t in (globex.tenant_id, uuid4())]
    assert {(a.status, a.error, a.body["message"]) for a in answers} == {
        (403, "not_a_member", "You do not belong to this company.")
    }
    assert (await api.post("/auth/refresh")).body["tenant"]["name"] == acme.name


async def test_who_is_deactivated_in_one_company_goes_on_in_the_other(server: RunningHub, acme: Company, globex: Company) -> None:
    bo = await join(server, mail(acme, "bo"), rep=acme, manager=globex)
    api, _ = await signed_in(server, mail(acme, "bo"))
    owner = server.as_member(acme, "owner")
    assert (await owner.patch(f"/members/{bo}", {"status": "deactivated"})).status == 200
    assert (await api.refused()).error == "deactivated"
    answer = await api.post("/auth/refresh")
    assert (answer.body["tenant"]["name"], [t["name"] for t in answer.body["tenants"]]) == (globex.name, [globex.name])
    api.token = answer.body["access_token"]
    assert (await api.get("/contacts")).status == 200
    assert (await api.post("/auth/switch", {"tenant_id": str(acme.tenant_id)})).status == 403


async def test_who_belongs_to_no_company_any_more_is_told_so(server: RunningHub, acme: Company) -> None:
    api, token = await signed_in(server, mail(acme))
    owner = server.as_member(acme, "owner")
    await owner.patch(f"/members/{acme.members['rep']}", {"status": "deactivated"})
    assert (await api.refused()).error == "deactivated"
    for answer in (await refresh(server, token), await sign_in(server.client(), mail(acme))):
        assert (answer.status, answer.error) == (403, "no_company")
