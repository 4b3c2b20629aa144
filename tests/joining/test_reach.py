"""Nobody gets farther by managing people: every way there is, tried by those whose role or sight does not reach that far."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from hub.app import api_endpoints
from hub.auth.tokens import Tokens
from hub.permissions import EVENTS_TELL, FOLLOW, PERMISSIONS, ROLE_PERMISSIONS
from hub.who import Role
from tests.conftest import Company
from tests.harness import Api, RunningHub, make_settings
from tests.joining.kit import invited, new_address
from tests.mailboxes.kit import mailbox_at_a_server

pytestmark = pytest.mark.asyncio(loop_scope="module")

MANAGES = frozenset(
    {"members:write", "members:invite", "members:read", "roles:write", "teams:write", "outbox:read", "webhooks:write"}
)
# What may be managed of people, roles, teams, invitations and keys: a new way is to be tried below, or named here with a reason.
TRIED = {
    "PATCH /members/{id}", "POST /members/{id}/deactivate", "POST /members/{id}/handover", "POST /invitations",
    "POST /invitations/{id}/send", "POST /invitations/{id}/withdraw", "POST /roles", "PATCH /roles/{id}", "DELETE /roles/{id}",
    "POST /teams", "PATCH /teams/{id}", "POST /api-keys", "POST /company/transfer",
}  # fmt: skip
LETS_BE = {
    "DELETE /teams/{id}": "shows nobody anything",
    "DELETE /api-keys/{id}": "one's own, or anybody's with security:write: a key that leaked is to be ended at once",
    "POST /company/leave": "is about oneself",
}


def with_role(server: RunningHub, company: Company, granted: frozenset[str], role: Role = "rep", name: Role = "rep") -> Api:
    """A built-in role's member, with a role of the company's own that is based on `role`."""
    return server.client(server.token(company, role, user_id=company.members[name], granted=granted, role_name="Office"))


async def somebody(server: RunningHub, company: Company, name: str, **has: str) -> UUID:
    """One more member, who never signs in."""
    async with server.hub.db.acquire() as conn:
        email = f"{name}@{company.name.lower()}.test"
        made: UUID = await conn.fetchval("SELECT create_member($1, $2, $2, '!', 'rep')", company.tenant_id, email)
    if has:
        assert (await server.as_member(company, "owner").patch(f"/members/{made}", has)).status == 200
    return made


async def test_every_way_to_manage_people_is_tried() -> None:
    kinds = ("members", "invitations", "roles", "teams", "api-keys", "company")
    found = {
        f"{e.method} {e.path.removeprefix('/api/v1')}"
        for e in api_endpoints(make_settings("", ""), Tokens(b"\0" * 32))
        if e.method != "GET" and e.path.removeprefix("/api/v1/").split("/")[0] in kinds
    }
    assert found - {"PATCH /company"} == TRIED | set(LETS_BE)


async def test_whoever_manages_people_reaches_no_farther_than_their_own_role(server: RunningHub, acme: Company) -> None:
    owner, admin = server.as_member(acme, "owner"), server.as_member(acme, "admin")
    everything = (await owner.post("/roles", {"name": "Everything", "base": "admin", "permissions": sorted(PERMISSIONS)})).body
    strong = (await owner.post("/roles", {"name": "Jobs", "permissions": ["jobs:read"]})).body
    boss = await somebody(server, acme, "grace", role_id=everything["id"])
    technician = await somebody(server, acme, "linus", role_id=strong["id"])
    _, asked, _ = await invited(server, owner, role="owner")
    _, asked_admin, _ = await invited(server, owner, role_id=strong["id"])
    office = with_role(server, acme, MANAGES)
    nearly = with_role(server, acme, frozenset(PERMISSIONS) - {"company:transfer", "jobs:read"}, "admin", "admin")
    me, my_boss = str(acme.members["rep"]), str(acme.members["owner"])
    to_me = {"to_id": me, "kinds": ["contacts", "tasks"]}
    tries: list[tuple[str, str, dict[str, Any]]] = []
    for above in (my_boss, str(acme.members["admin"]), str(acme.members["manager"]), str(boss), str(technician)):
        tries += [
            ("PATCH", f"/members/{above}", {"role": "rep"}),
            ("PATCH", f"/members/{above}", {"status": "deactivated"}),
            ("POST", f"/members/{above}/deactivate", {}),
            ("POST", f"/members/{above}/deactivate", {"handover": to_me}),
            ("POST", f"/members/{above}/handover", to_me),
            ("POST", f"/members/{above}/handover", {"to_id": None, "kinds": ["contacts"]}),
        ]
    for role in (
        {"role": "owner"},
        {"role": "admin"},
        {"role": "manager"},
        {"role_id": strong["id"]},
        {"role_id": everything["id"]},
    ):
        tries += [("PATCH", f"/members/{me}", role), ("POST", "/invitations", {"email": new_address(), **role})]
    for one in (asked["id"], asked_admin["id"]):
        tries += [("POST", f"/invitations/{one}/send", {}), ("POST", f"/invitations/{one}/withdraw", {})]
    tries += [
        ("POST", "/roles", {"name": "Mine", "permissions": ["jobs:read"]}),
        ("POST", "/roles", {"name": "Mine", "base": "manager", "permissions": []}),
        ("PATCH", f"/roles/{strong['id']}", {"name": "Ours"}),
        ("PATCH", f"/roles/{everything['id']}", {"permissions": []}),
        ("DELETE", f"/roles/{strong['id']}", {}),
        ("POST", "/api-keys", {"name": "Mine", "scopes": ["jobs:read"]}),
        ("POST", "/company/transfer", {"to_id": me}),
    ]
    for method, path, body in tries:
        answer = await office.call(method, path, json=body)
        assert answer.status == 403, (method, path, body, answer.body)
        assert answer.error in ("role_reaches_farther", "forbidden"), (method, path, body, answer.body)
    # With all but one permission it is the same where that one is concerned.
    for method, path, body in tries:
        if str(technician) in path or strong["id"] in str(body) + path or asked_admin["id"] in path or "jobs:read" in str(body):
            answer = await nearly.call(method, path, json=body)
            assert answer.status == 403, (method, path, body, answer.body)
    # An admin is no owner, and an owner who is gone is not theirs either; nobody else has changed.
    assert (await admin.post(f"/invitations/{asked['id']}/withdraw")).error == "role_reaches_farther"
    people = {one["id"]: one for one in (await owner.get("/members")).body["data"]}
    assert {people[str(one)]["role_name"] for one in (boss, technician)} == {"Everything", "Jobs"}
    assert {one["status"] for one in people.values()} == {"active"}
    assert (await owner.get("/handovers")).body["data"] == []
    # Who may do as much goes on: a rep by the office, anybody by the owner.
    newcomer = await somebody(server, acme, "ada")
    lead = with_role(server, acme, ROLE_PERMISSIONS["rep"] | MANAGES, "rep")
    assert (await lead.post(f"/members/{newcomer}/deactivate", {"handover": to_me})).status == 200
    assert (await owner.post(f"/members/{boss}/deactivate", {})).status == 200
    assert (await owner.post(f"/members/{technician}/handover", to_me)).status == 202


async def test_a_private_mailbox_of_who_is_gone_is_an_admins_to_give(server: RunningHub, acme: Company) -> None:
    admin = server.as_member(acme, "admin")
    second = await somebody(server, acme, "grace", role="owner")
    address = f"{acme.name.lower()}.example"
    await mailbox_at_a_server(server.hub.db, acme, f"gone@{address}", "rep", visibility="private")
    bosses = await mailbox_at_a_server(server.hub.db, acme, f"boss@{address}", "owner", visibility="private")
    lead = with_role(server, acme, ROLE_PERMISSIONS["manager"] | MANAGES, "manager", "manager")
    mine = {"to_id": str(acme.members["manager"]), "kinds": ["mailboxes"]}
    gone = acme.members["rep"]
    assert (await lead.post(f"/members/{gone}/deactivate", {"handover": mine})).error == "forbidden"
    assert (await lead.post(f"/members/{gone}/deactivate", {})).status == 200
    assert (await lead.post(f"/members/{gone}/handover", mine)).error == "forbidden"
    assert (await admin.post(f"/members/{gone}/handover", mine)).status == 202
    # Of an owner who is gone it is another owner's, by either way.
    as_second = server.client(server.token(acme, "owner", user_id=second))
    assert (await as_second.post(f"/members/{acme.members['owner']}/deactivate", {})).status == 200
    for_admin = {"user_id": str(acme.members["admin"])}
    answer = await admin.patch(f"/mailboxes/{bosses}", for_admin)
    assert (answer.status, answer.error) == (403, "role_reaches_farther"), answer.body
    assert (await as_second.patch(f"/mailboxes/{bosses}", for_admin)).status == 200


async def test_nobody_widens_by_a_team_or_a_handover_what_they_see(server: RunningHub, acme: Company) -> None:
    owner, manager = server.as_member(acme, "owner"), server.as_member(acme, "manager")
    me, mate, stranger = str(acme.members["manager"]), str(acme.members["rep"]), str(await somebody(server, acme, "ada"))
    east = (await manager.post("/teams", {"name": "East", "member_ids": [me, mate, stranger], "manager_ids": [me]})).body["id"]
    west = (await owner.post("/teams", {"name": "West", "member_ids": [stranger]})).body["id"]
    assert (await manager.patch(f"/teams/{east}", {"member_ids": [me, mate]})).status == 200
    for choice in ("team", "own"):
        assert (await owner.put("/visibility", {"visibility": choice})).status == 200
        for method, path, body in (
            ("PATCH", f"/teams/{west}", {"member_ids": [stranger, me]}),
            ("PATCH", f"/teams/{west}", {"member_ids": [stranger, mate]}),
            ("PATCH", f"/teams/{west}", {"manager_ids": [stranger]}),
            ("PATCH", f"/teams/{east}", {"member_ids": [me, mate, stranger]}),
            ("POST", "/teams", {"name": "All", "member_ids": [me, stranger]}),
            ("POST", "/teams", {"name": "All", "member_ids": [mate, stranger]}),
            ("POST", "/invitations", {"email": new_address(), "team_ids": [west]}),
        ):
            answer = await manager.call(method, path, json=body)
            assert (answer.status, answer.error) == (403, "beyond_your_sight"), (choice, method, path, body, answer.body)
            assert "ada@" in answer.body["message"]
        # Whom one sees one may put together, take out, and invite beside.
        assert (await manager.patch(f"/teams/{east}", {"name": f"East {choice}", "member_ids": [mate, me]})).status == 200
        assert (await manager.post("/teams", {"name": f"Both {choice}", "member_ids": [me, mate]})).status == 201
        assert (await manager.post("/invitations", {"email": new_address(), "team_ids": [east]})).status == 201
    lead = with_role(server, acme, ROLE_PERMISSIONS["manager"] | MANAGES, "manager", "manager")
    path = f"/members/{stranger}/handover"
    for to_id in (me, mate, None):
        answer = await lead.post(path, {"to_id": to_id, "kinds": ["contacts"]})
        assert (answer.status, answer.error) == (403, "beyond_your_sight"), answer.body
    assert (await lead.post(path, {"to_id": str(acme.members["admin"]), "kinds": ["contacts"]})).status == 202
    # Teams are for those who may change them, by an invitation too.
    recruiter = with_role(server, acme, ROLE_PERMISSIONS["manager"] - {"teams:write"}, "manager", "manager")
    refused = await recruiter.post("/invitations", {"email": new_address(), "team_ids": [east]})
    assert (refused.status, "teams:write" in refused.body["message"]) == (403, True)
    assert (await owner.patch(f"/teams/{west}", {"member_ids": [stranger, me]})).status == 200


async def test_the_outbox_lets_nobody_in_as_more_than_they_are(server: RunningHub, acme: Company) -> None:
    owner, admin = server.as_member(acme, "owner"), server.as_member(acme, "admin")
    _, _, for_owner = await invited(server, owner, role="owner")
    _, _, for_rep = await invited(server, owner, role="rep")
    async with server.hub.db.acquire() as conn, conn.transaction():
        await conn.execute("SELECT set_config('ringside.tenant_id', $1, true)", str(acme.tenant_id))
        await conn.execute("UPDATE letters SET state = 'kept', settled_at = now()")
    letters = [one["id"] for one in (await admin.get("/outbox")).body["data"]]

    async def read_by(api: Api) -> str:
        return str([(await api.get(f"/outbox/{one}")).body["text"] for one in letters])

    assert for_owner in await read_by(owner)
    assert for_rep in await read_by(owner)
    assert for_owner not in await read_by(admin)
    assert for_rep in await read_by(admin)


async def test_a_webhook_goes_elsewhere_only_in_the_name_of_who_says_so(server: RunningHub, acme: Company) -> None:
    owner = server.as_member(acme, "owner")
    made = (await owner.post("/api/v1/webhooks", {"url": "https://example.com/ours"})).body
    blind = with_role(server, acme, frozenset({"webhooks:write", "members:read"}))
    refused = await blind.patch(f"/api/v1/webhooks/{made['id']}", {"url": "https://example.org/mine"})
    assert (refused.status, FOLLOW in refused.body["message"]) == (403, True)
    sees = with_role(server, acme, EVENTS_TELL | {FOLLOW, "webhooks:write"})
    changed = await sees.patch(f"/api/v1/webhooks/{made['id']}", {"url": "https://example.org/mine"})
    assert changed.status == 200, changed.body
    async with server.hub.db.acquire() as conn, conn.transaction():
        await conn.execute("SELECT set_config('ringside.tenant_id', $1, true)", str(acme.tenant_id))
        whose: UUID = await conn.fetchval("SELECT user_id FROM outgoing_endpoints WHERE id = $1", UUID(made["id"]))
    assert whose == acme.members["rep"]
