"""Inviting and accepting: once, for seven days, as what was said, and for nobody else."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from hub.who import Role
from tests.conftest import Company, TestDatabase, make_company
from tests.harness import PASSWORD as OLD_PASSWORD
from tests.harness import RunningHub, company_with_passwords
from tests.joining.kit import PASSWORD, events_of, invited, joined, letters_to, new_address, signed_in, token_in

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_who_is_invited_joins_as_what_was_said_into_their_teams_and_only_once(server: RunningHub, acme: Company) -> None:
    manager = server.as_member(acme, "manager")
    team = (await manager.post("/teams", {"name": "Closers", "member_ids": [str(acme.members["rep"])]})).body
    address, invitation, token = await invited(server, manager, name="Ada", role="rep", team_ids=[team["id"]])
    assert (invitation["state"], invitation["teams"]) == ("open", [{"id": team["id"], "name": "Closers"}])
    assert token not in str(invitation)

    stranger = server.client()
    for _ in range(2):
        seen = (await stranger.post("/join/look", {"token": token})).body
    assert (seen["state"], seen["company"], seen["email"], seen["has_account"]) == ("open", acme.name, address, False)
    weak = await stranger.post("/join", {"token": token, "name": "Ada Byron", "password": "password"})
    assert (weak.status, bool(weak.field("password"))) == (422, True)
    given = {"token": token, "name": "Ada Byron", "password": PASSWORD}
    answers = await asyncio.gather(*(server.client().post("/join", given) for _ in range(2)))
    assert sorted(answer.status for answer in answers) == [201, 409]
    again = await stranger.post("/join", given)
    assert (again.status, again.error) == (409, "invitation_accepted")

    ada = await signed_in(server, address)
    me = (await ada.get("/me")).body
    assert (me["role"], me["tenant"]["id"], me["user"]["name"]) == ("rep", str(acme.tenant_id), "Ada Byron")
    members = (await manager.get("/teams")).body["data"][0]["members"]
    assert [m["name"].split()[0] for m in members] == ["Rep", "Ada"]
    happened = await events_of(manager, "invitation.", "member.")
    assert [event["type"] for event in happened] == ["invitation.created", "member.joined", "invitation.accepted"]
    assert happened[1]["actor"]["name"] == "Ada Byron"
    assert [e["type"] for e in await events_of(server.as_member(acme, "rep"), "invitation.", "member.")] == ["member.joined"]
    assert token not in str(happened)
    listed = (await manager.get("/invitations")).body["data"]
    assert listed == [happened[2]["data"]["invitation"]]
    assert (await manager.get("/invitations", state="open")).body["data"] == []


async def test_an_account_elsewhere_joins_signed_in_as_that_address_and_no_other_does(server: RunningHub, acme: Company) -> None:
    owner = server.as_member(acme, "owner")
    globex = await company_with_passwords(server, f"Globex{acme.name}")
    theirs = f"rep@{globex.name.lower()}.test"
    _, _, token = await invited(server, owner, email=theirs, role="admin")
    assert (await server.client().post("/join/look", {"token": token})).body["has_account"] is True
    taken = await server.client().post("/join", {"token": token, "name": "Eve", "password": PASSWORD})
    assert (taken.status, taken.error) == (409, "has_account")
    assert (await server.client().post("/join/again", {"token": token})).error == "has_account"
    assert (await server.client().post("/join/accept", {"token": token})).status == 401
    other = await server.as_member(globex, "manager").post("/join/accept", {"token": token})
    assert (other.status, other.error) == (403, "other_account")

    rep = await signed_in(server, theirs, OLD_PASSWORD)
    answer = await rep.post("/join/accept", {"token": token})
    assert (answer.status, answer.body["tenant_id"], answer.body["company"]) == (201, str(acme.tenant_id), acme.name)
    switched = (await rep.post("/auth/switch", {"tenant_id": str(acme.tenant_id)})).body
    assert (switched["role"], len(switched["tenants"])) == ("admin", 2)
    assert (await rep.post("/join/accept", {"token": token})).error == "invitation_accepted"
    # The other company hears nothing of it.
    assert await events_of(server.as_member(globex, "owner"), "member.", "invitation.") == []


async def test_an_invitation_is_renewed_withdrawn_and_runs_out(server: RunningHub, acme: Company) -> None:
    owner = server.as_member(acme, "owner")
    address, invitation, first = await invited(server, owner)
    twice = await owner.post("/invitations", {"email": address.upper()})
    assert (twice.status, twice.error) == (409, "already_invited")
    soon = await owner.post(f"/invitations/{invitation['id']}/send")
    assert (soon.status, soon.headers["Retry-After"]) == (429, "60")

    async def age(by: str) -> None:
        async with server.hub.db.acquire() as conn, conn.transaction():
            await conn.execute("SELECT set_config('ringside.tenant_id', $1, true)", str(acme.tenant_id))
            await conn.execute(
                "UPDATE invitations SET sent_at = sent_at - $1::text::interval, expires_at = expires_at - $1::text::interval", by
            )

    await age("8 days")
    assert (await owner.get("/invitations")).body["data"][0]["state"] == "expired"
    late = await server.client().post("/join", {"token": first, "name": "Ada", "password": PASSWORD})
    assert (late.status, late.error) == (409, "link_expired")
    assert (await owner.post(f"/invitations/{invitation['id']}/send")).body["state"] == "open"
    second = token_in((await letters_to(server, address))[-1])
    assert (await server.client().post("/join/look", {"token": first})).status == 404
    assert (await owner.post(f"/invitations/{invitation['id']}/withdraw")).body["state"] == "withdrawn"
    gone = await server.client().post("/join", {"token": second, "name": "Ada", "password": PASSWORD})
    assert (gone.status, gone.error) == (409, "invitation_withdrawn")
    for act in ("send", "withdraw"):
        assert (await owner.post(f"/invitations/{invitation['id']}/{act}")).error == "invitation_withdrawn"
    assert (await owner.post("/invitations", {"email": address})).status == 201
    kinds = [event["type"] for event in await events_of(owner, "invitation.")]
    assert kinds == ["invitation.created", "invitation.sent", "invitation.withdrawn", "invitation.created"]


@pytest.mark.parametrize(("inviter", "role", "status"), [
    ("rep", "rep", 403), ("manager", "manager", 201), ("manager", "admin", 403), ("admin", "owner", 403), ("owner", "owner", 201),
])  # fmt: skip
async def test_nobody_invites_to_more_than_they_have(
    server: RunningHub, acme: Company, inviter: Role, role: Role, status: int
) -> None:
    answer = await server.as_member(acme, inviter).post("/invitations", {"email": new_address(), "role": role})
    assert answer.status == status, answer.body


async def test_what_cannot_be_asked_is_said_at_its_field(server: RunningHub, acme: Company) -> None:
    owner = server.as_member(acme, "owner")
    other = await make_company(server.hub.db, f"Other{acme.name}")
    theirs = (await server.as_member(other, "owner").post("/teams", {"name": "Theirs"})).body["id"]
    for field, value in (("email", "no address"), ("role", "king"), ("name", "two\nlines"), ("team_ids", ["x"])):
        answer = await owner.post("/invitations", {"email": new_address()} | {field: value})
        assert answer.status == 422, (field, answer.body)
    assert (await owner.post("/invitations", {"email": new_address(), "team_ids": [theirs]})).status == 422
    member = await owner.post("/invitations", {"email": f"REP@{acme.name}.test"})
    assert (member.status, member.error) == (409, "already_a_member")
    # An account of another company is invited as any address is.
    elsewhere = await owner.post("/invitations", {"email": f"rep@{other.name.lower()}.test"})
    assert elsewhere.status == 201
    for path in ("/join/look", "/signup/look"):
        assert (await server.client().post(path, {"token": "guessed"})).status == 404


async def test_who_is_deactivated_leaves_no_way_in_behind(server: RunningHub, acme: Company) -> None:
    owner = server.as_member(acme, "owner")
    admin, admin_id = await joined(server, acme, role="admin")
    _, _, token = await invited(server, admin)
    address = (await admin.get("/me")).body["user"]["email"]
    assert (await owner.patch(f"/members/{admin_id}", {"status": "deactivated"})).status == 200
    assert (await server.client().post("/join/look", {"token": token})).body["state"] == "withdrawn"
    back = await owner.post("/invitations", {"email": address})
    assert (back.status, back.error) == (409, "member_deactivated")


async def test_nobody_is_invited_or_let_in_beyond_the_seats(
    server: RunningHub, acme: Company, lasting_database: TestDatabase
) -> None:
    owner = server.as_member(acme, "owner")
    _, _, early = await invited(server, owner)
    conn = await asyncpg.connect(lasting_database.admin_url)
    try:
        given = "INSERT INTO billing_accounts (tenant_id, plan, seats, trial_ends_at) VALUES ($1, 'basic', 5, now() + '1 day')"
        await conn.execute(given, acme.tenant_id)
        # Four people are here, and the fifth seat is promised.
        full = await owner.post("/invitations", {"email": new_address()})
        assert (full.status, full.error) == (402, "plan_limit")
        await conn.execute("UPDATE billing_accounts SET seats = 4 WHERE tenant_id = $1", acme.tenant_id)
        shut = await server.client().post("/join", {"token": early, "name": "Ada", "password": PASSWORD})
        assert (shut.status, shut.error, shut.body["details"]) == (402, "plan_limit", {})
        assert acme.name in shut.body["message"]
        await conn.execute("UPDATE billing_accounts SET seats = 5 WHERE tenant_id = $1", acme.tenant_id)
        assert (await server.client().post("/join", {"token": early, "name": "Ada", "password": PASSWORD})).status == 201
    finally:
        await conn.close()
