"""Permissions, roles of a company's own and API keys: who may do what, through every door there is."""

from __future__ import annotations

import hashlib
import re
from typing import Any
from uuid import uuid4

import pytest

from hub.app import api_endpoints
from hub.auth.keys import key_hash, new_key
from hub.auth.tokens import Tokens
from hub.http.endpoint import Endpoint
from hub.permissions import EVENTS_TELL, FOLLOW, NOT_FOR_KEYS, PERMISSIONS, ROLE_PERMISSIONS
from hub.roles.document import DOCUMENT, document
from hub.who import Role
from tests.api import lasting
from tests.beats import within_a_second
from tests.conftest import Company, make_company
from tests.harness import Api, RunningHub, company_with_passwords, make_settings
from tests.plans.test_plans import buy
from tests.realtime.kit import Client

pytestmark = pytest.mark.asyncio(loop_scope="module")

server, acme = lasting.server, lasting.acme

ENDPOINTS = [e for e in api_endpoints(make_settings("", ""), Tokens(b"\0" * 32)) if e.scope != "public"]
EVERYTHING = frozenset(PERMISSIONS)
# What needs no permission: one's own account and notices, joining and leaving, and what is on every price list.
PERSONAL: tuple[str, ...] = ("auth", "account", "me", "notifications", "push", "presence", "plans", "company", "company/leave")
PERSONAL += ("signup/company", "join/accept")


def as_one_with(server: RunningHub, company: Company, granted: frozenset[str], role: Role = "rep") -> Api:
    """The member of a built-in role, with what a role of the company's own grants."""
    return server.client(server.token(company, role, granted=granted, role_name="Closer"))


async def answered(api: Api, endpoint: Endpoint) -> tuple[int, str]:
    """What a request gets that nothing can come of: its id is nobody's, and its body is no JSON. Its status and its code."""
    path = re.sub(r"{\w+}", str(uuid4()), endpoint.path)
    data = b"[" if endpoint.method != "GET" else None
    headers = {"Authorization": f"Bearer {api.token}", "Content-Type": "application/json"}
    async with api.session.request(endpoint.method, api.base + path, data=data, headers=headers) as answer:
        body = await answer.json() if answer.status == 403 else {}
        return answer.status, body.get("message", "")


async def test_every_endpoint_asks_for_a_permission_there_is_or_is_about_oneself() -> None:
    for endpoint in ENDPOINTS:
        if isinstance(endpoint.allow, str):
            assert endpoint.allow in PERMISSIONS, endpoint.path
        else:
            assert endpoint.allow is None, f"{endpoint.path} asks for a role"
            rest = endpoint.path.removeprefix("/api/v1/")
            assert rest in PERSONAL or rest.split("/")[0] in PERSONAL[:7], f"{endpoint.path} is anybody's"
    assert (
        ROLE_PERMISSIONS["rep"]
        < ROLE_PERMISSIONS["manager"]
        < ROLE_PERMISSIONS["admin"]
        < ROLE_PERMISSIONS["owner"]
        == EVERYTHING
    )


async def test_the_page_of_permissions_is_what_the_code_says() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "run python -m hub.roles.document"


async def test_each_permission_opens_its_endpoints_and_no_other_does(server: RunningHub, acme: Company) -> None:
    """Every endpoint, with a role that has all but what it needs, and with one that has nothing else."""
    lacking: dict[str, Api] = {}
    having: dict[str, Api] = {}
    for name in PERMISSIONS:
        lacking[name] = as_one_with(server, acme, EVERYTHING - {name}, "admin")
        having[name] = as_one_with(server, acme, EVENTS_TELL | {name} if name == FOLLOW else frozenset({name}), "admin")
    for endpoint in ENDPOINTS:
        if endpoint.allow is None:
            continue
        assert isinstance(endpoint.allow, str)
        status, said = await answered(lacking[endpoint.allow], endpoint)
        assert status == 403, (endpoint.method, endpoint.path)
        assert endpoint.allow in said
        assert "Closer" in said
        status, said = await answered(having[endpoint.allow], endpoint)
        # A feature's own rule may say no to this company or thing; the permission does not.
        assert status not in (401, 500), (endpoint.method, endpoint.path, status)
        assert f"permission {endpoint.allow}" not in said, (endpoint.method, endpoint.path, said)


async def test_a_role_of_the_companys_own_from_making_it_to_its_end(server: RunningHub, acme: Company) -> None:
    owner, rep = server.as_member(acme, "owner"), acme.members["rep"]
    made = await owner.post("/roles", {"name": "Closer", "permissions": [*EVENTS_TELL, FOLLOW, "calls:write"]})
    assert (made.status, made.body["base"], made.body["members"]) == (201, "rep", 0)
    role = f"/roles/{made.body['id']}"
    again = await owner.post("/roles", {"name": "closer", "permissions": []})
    assert (again.status, again.error) == (409, "role_exists")
    assert (await owner.post("/roles", {"name": "Manager", "permissions": []})).error == "role_exists"
    assert "no permission 'x:y'" in (await owner.post("/roles", {"name": "x", "permissions": ["x:y"]})).field("permissions")
    assert "calls:read" in (await owner.post("/roles", {"name": "x", "permissions": [FOLLOW]})).field("permissions")

    # Given to somebody: the token they have is worth nothing more, and says why.
    before = server.as_member(acme, "rep")
    given = await owner.patch(f"/members/{rep}", {"role_id": made.body["id"]})
    assert (given.body["role"], given.body["role_name"]) == ("rep", "Closer")

    async def refused() -> str | None:
        answer = await before.get("/contacts")
        return answer.error if answer.status == 401 else None

    assert await before.within_a_second(refused) == "role_changed"
    granted = frozenset(made.body["permissions"])
    now = as_one_with(server, acme, granted)
    assert (await now.get("/contacts")).status == 200
    assert (await now.post("/contacts", {"first_name": "Ada"})).status == 403

    # Changed: everybody who has it has the new one within a second, on the socket too.
    socket = await Client.connect(server.url, now.token)
    more = await owner.patch(role, {"permissions": [*granted, "contacts:write"]})
    assert (more.status, more.body["members"]) == (200, 1)
    wider = as_one_with(server, acme, granted | {"contacts:write"})

    async def allowed() -> bool:
        return (await wider.post("/contacts", {"first_name": "Ada"})).status == 201

    await wider.within_a_second(allowed)
    await within_a_second(server.hub.realtime.heads, lambda: [e for e in socket.events if e["type"] == "contact.created"])
    assert (await owner.patch(role, {"permissions": ["contacts:read"]})).status == 200
    await within_a_second(server.hub.realtime.withdrawn, lambda: socket.of("bye") == [{"reason": "forbidden"}])
    refused_now = await Client.connect(server.url, server.token(acme, granted={"contacts:read"}))
    assert refused_now.refused["message"] == "forbidden"

    # Nobody loses their role by accident; another built-in role is the way out of it.
    in_use = await owner.delete(role)
    assert (in_use.status, in_use.error) == (409, "role_is_in_use")
    back = await owner.patch(f"/members/{rep}", {"role": "rep"})
    assert (back.body["role"], back.body["role_id"]) == ("rep", None)
    assert (await owner.delete(role)).status == 204
    assert (await owner.get("/roles")).body["data"] == []
    events = (await owner.get("/events", after=0)).body["data"]
    kinds = [event["type"] for event in events if event["type"].startswith(("role.", "member."))]
    assert kinds == ["role.created", "member.updated", "role.updated", "role.updated", "member.updated", "role.deleted"]


async def test_nobody_gives_or_takes_more_than_they_have(server: RunningHub, acme: Company) -> None:
    owner, admin = server.as_member(acme, "owner"), server.as_member(acme, "admin")
    lead = as_one_with(server, acme, ROLE_PERMISSIONS["rep"] | {"members:write", "roles:write"}, "manager")
    strong = (await owner.post("/roles", {"name": "Strong", "permissions": ["jobs:read"]})).body["id"]
    adminlike = (await owner.post("/roles", {"name": "Adminlike", "base": "admin", "permissions": []})).body["id"]
    heirs = (await owner.post("/roles", {"name": "Heirs", "permissions": ["company:transfer"]})).body["id"]
    me, rep = acme.members["manager"], acme.members["rep"]
    refused: list[tuple[Api, str, str, dict[str, Any]]] = [
        (lead, "PATCH", f"/members/{me}", {"role": "admin"}),
        (lead, "PATCH", f"/members/{rep}", {"role_id": strong}),
        (lead, "PATCH", f"/members/{rep}", {"role_id": adminlike}),
        (lead, "PATCH", f"/members/{acme.members['admin']}", {"status": "deactivated"}),
        (lead, "POST", "/roles", {"name": "Mine", "permissions": ["jobs:read"]}),
        (lead, "POST", "/roles", {"name": "Mine", "base": "admin", "permissions": []}),
        (lead, "PATCH", f"/roles/{strong}", {"permissions": []}),
        (lead, "DELETE", f"/roles/{adminlike}", {}),
        (admin, "PATCH", f"/members/{rep}", {"role_id": heirs}),
        (admin, "PATCH", f"/roles/{heirs}", {"name": "Ours"}),
    ]
    for api, method, path, body in refused:
        answer = await api.call(method, path, json=body)
        assert (answer.status, answer.error) == (403, "role_reaches_farther"), (method, path, body, answer.body)
    assert (await lead.patch(f"/members/{rep}", {"status": "deactivated"})).status == 200
    both = await owner.patch(f"/members/{rep}", {"role": "rep", "role_id": strong})
    assert both.status == 422
    globex = await make_company(server.hub.db, f"Globex of {acme.name}")
    theirs = await server.as_member(globex, "owner").patch(f"/members/{globex.members['rep']}", {"role_id": strong})
    assert (theirs.status, theirs.field("role_id")) == (422, "There is no such role. GET /roles lists them.")


async def test_signing_in_says_what_the_role_allows(server: RunningHub) -> None:
    acme = await company_with_passwords(server, f"Acme{uuid4().hex[:6]}")
    owner = server.as_member(acme, "owner")
    role = (await owner.post("/roles", {"name": "Reader", "permissions": ["contacts:read", "members:read"]})).body["id"]
    await owner.patch(f"/members/{acme.members['rep']}", {"role_id": role})
    email = f"rep@{acme.name.lower()}.test"
    answer = await server.client().post("/auth/login", {"email": email, "password": "correct horse battery staple"})
    if answer.status == 401:
        pytest.fail(str(answer.body))
    assert (answer.body["role"], answer.body["role_name"]) == ("rep", "Reader")
    assert answer.body["permissions"] == ["contacts:read", "members:read"]
    reader = server.client(answer.body["access_token"])
    assert (await reader.get("/me")).body["permissions"] == ["contacts:read", "members:read"]
    assert (await reader.get("/contacts")).status == 200
    assert (await reader.get("/calls")).body["message"].startswith("This needs the permission calls:read; your role, Reader,")


async def test_an_api_key_from_making_it_to_its_end(server: RunningHub, acme: Company) -> None:
    rep = server.as_member(acme, "rep")
    given = {"name": "Reports", "scopes": ["contacts:read", "tasks:read"], "expires_in_days": 30}
    stale = await server.client(server.token(acme, "rep", confirmed_at=0.0)).post("/api-keys", given)
    assert (stale.status, stale.error) == (403, "step_up_required")
    made = await rep.call("POST", "/api-keys", json=given, headers={"Idempotency-Key": "once"})
    assert made.status == 201
    again = await rep.call("POST", "/api-keys", json=given, headers={"Idempotency-Key": "once"})
    assert (again.status, again.error) == (409, "answer_shown_once")
    secret = made.body["key"]
    assert re.fullmatch(r"rsk_[\w-]{43}", secret)
    assert secret.startswith(made.body["hint"])

    # Nothing shows it again, and nothing keeps it.
    (listed,) = (await rep.get("/api-keys")).body["data"]
    assert "key" not in listed
    async with server.hub.db.acquire() as conn, conn.transaction():
        await conn.execute("SELECT set_config('ringside.tenant_id', $1, true)", str(acme.tenant_id))
        kept = await conn.fetchrow("SELECT * FROM api_keys")
        logged = [*await conn.fetch("SELECT frame FROM events"), *await conn.fetch("SELECT * FROM idempotency_keys")]
    assert kept is not None
    assert kept["hash"] == hashlib.sha256(secret.encode()).digest()
    assert secret not in str(dict(kept)) + str(logged)

    # It does what it is for and nothing else, on HTTP and on the socket.
    key = server.client(secret)
    assert (await key.get("/contacts")).status == 200
    refused = await key.post("/contacts", {"first_name": "Ada"})
    assert (refused.status, "this API key" in refused.body["message"]) == (403, True)
    for method, path in (("GET", "/me"), ("GET", "/api-keys"), ("POST", "/auth/logout"), ("GET", "/notifications")):
        assert (await key.call(method, path)).status == 403, path
    assert (await Client.connect(server.url, secret)).refused["message"] == "forbidden"
    (used,) = (await rep.get("/api-keys")).body["data"]
    assert (used["last_used_from"], used["last_used_at"] is None) == ("127.0.0.1", False)

    # Ended: refused within a second. To end it again changes nothing.
    assert (await rep.delete(f"/api-keys/{made.body['id']}")).body["ended_at"]
    await refused_within_a_second(key)
    assert (await rep.delete(f"/api-keys/{made.body['id']}")).status == 200
    kinds = [e["type"] for e in (await rep.get("/events", after=0)).body["data"] if e["type"].startswith("api_key.")]
    assert kinds == ["api_key.created", "api_key.ended"]
    heard = (await server.as_member(acme, "manager").get("/events", after=0)).body["data"]
    assert not [e for e in heard if e["type"].startswith("api_key.")]


async def refused_within_a_second(key: Api) -> None:
    async def look() -> bool:
        answer = await key.get("/contacts")
        return answer.status == 401 and answer.error == "api_key_invalid"

    await key.within_a_second(look)


async def test_an_api_key_is_never_more_than_its_person(server: RunningHub, acme: Company) -> None:
    owner, manager = server.as_member(acme, "owner"), server.as_member(acme, "manager")
    for scopes, said in ((["x:y"], "no permission"), (["roles:write"], "for people only"), ([FOLLOW], "calls:read")):
        assert said in (await owner.post("/api-keys", {"name": "x", "scopes": scopes})).field("scopes")
    beyond = await manager.post("/api-keys", {"name": "x", "scopes": ["jobs:read"]})
    assert (beyond.status, beyond.error) == (403, "scope_reaches_farther")
    assert not NOT_FOR_KEYS - EVERYTHING

    scopes = [*EVENTS_TELL, FOLLOW, "teams:write"]
    secret = (await manager.post("/api-keys", {"name": "Floor", "scopes": scopes})).body["key"]
    key = server.client(secret)
    assert (await key.post("/teams", {"name": "Closers"})).status == 201
    socket = await Client.connect(server.url, secret)
    people = (await owner.get("/floor")).body["people"]
    assert {person["state"] for person in people} == {"offline"}, "a program that listens is nobody at their desk"

    # Their role shrinks, and so does the key; the socket goes on with what is left.
    await owner.patch(f"/members/{acme.members['manager']}", {"role": "rep"})

    async def shrunk() -> bool:
        return (await key.post("/teams", {"name": "Openers"})).status == 403

    await key.within_a_second(shrunk)
    assert (await key.get("/contacts")).status == 200
    await owner.post("/contacts", {"first_name": "Ada"})
    await within_a_second(server.hub.realtime.heads, lambda: [e for e in socket.events if e["type"] == "contact.created"])

    # They go, and it goes with them, and does not come back with them.
    await owner.patch(f"/members/{acme.members['manager']}", {"status": "deactivated"})
    await within_a_second(server.hub.realtime.withdrawn, lambda: socket.of("bye") == [{"reason": "deactivated"}])
    await refused_within_a_second(key)
    await owner.patch(f"/members/{acme.members['manager']}", {"status": "active"})
    assert (await key.get("/contacts")).status == 401


async def test_keys_that_are_nobodys_run_out_or_anothers(server: RunningHub, acme: Company) -> None:
    rep, admin = server.as_member(acme, "rep"), server.as_member(acme, "admin")
    made = (await rep.post("/api-keys", {"name": "Short", "scopes": ["contacts:read"]})).body
    for wrong in ("rsk_", "rsk_" + "A" * 43, made["key"][:-1], made["key"] + "A", "rsk_\N{SNOWMAN}".encode().decode("latin-1")):
        answer = await server.client(wrong).get("/contacts")
        assert (answer.status, answer.error) == (401, "api_key_invalid"), wrong
    assert (await server.as_member(acme, "manager").delete(f"/api-keys/{made['id']}")).status == 404
    assert (await server.as_member(acme, "manager").get("/api-keys", everybody="true")).status == 403
    assert [k["name"] for k in (await admin.get("/api-keys", everybody="true")).body["data"]] == ["Short"]
    assert (await admin.get("/api-keys")).body["data"] == []

    key, old = server.client(made["key"]), new_key()
    async with server.hub.db.acquire() as conn, conn.transaction():
        await conn.execute("SELECT set_config('ringside.tenant_id', $1, true)", str(acme.tenant_id))
        await conn.execute(
            "INSERT INTO api_keys (tenant_id, user_id, name, hint, hash, scopes, expires_at) "
            "VALUES ($1, $2, 'Old', 'rsk_', $3, '{contacts:read}', now() - interval '1 second')",
            acme.tenant_id,
            acme.members["rep"],
            key_hash(old),
        )
    assert (await key.get("/contacts")).status == 200
    assert (await server.client(old).get("/contacts")).error == "api_key_invalid"
    assert (await admin.delete(f"/api-keys/{made['id']}")).status == 200
    await refused_within_a_second(key)


async def test_a_plan_without_roles_and_keys_makes_none_and_its_keys_rest(server: RunningHub, acme: Company) -> None:
    owner = server.as_member(acme, "owner")
    role = (await owner.post("/roles", {"name": "Closer", "permissions": ["contacts:read"]})).body["id"]
    secret = (await owner.post("/api-keys", {"name": "Reports", "scopes": ["contacts:read"]})).body["key"]
    await buy(server.hub.db, acme, "basic", 10)
    key = server.client(secret)
    for refused in (
        await owner.post("/roles", {"name": "Opener", "permissions": []}),
        await owner.patch(f"/roles/{role}", {"name": "Opener"}),
        await owner.post("/api-keys", {"name": "More", "scopes": ["contacts:read"]}),
        await key.get("/contacts"),
    ):
        assert (refused.status, refused.error) == (402, "plan_limit"), refused.body
    assert (await Client.connect(server.url, secret)).refused["message"] == "plan_limit"
    assert (await owner.delete(f"/roles/{role}")).status == 204
    await buy(server.hub.db, acme, "pro", 10)
    assert (await key.get("/contacts")).status == 200
