"""A smaller plan: what it lacks is said before, rests at once and all together, and comes back with the larger one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from hub.db import tenant_tx
from hub.permissions import EVENTS_TELL, FOLLOW
from hub.realtime.asyncapi import BYE_REASONS
from hub.who import Who
from tests.billing.kit import Bank
from tests.conftest import Company
from tests.harness import Api, until
from tests.realtime.kit import Client

_PROVIDER = """
INSERT INTO sso_providers (tenant_id, label, issuer, client_id, sealed, joins, is_enforced, tested_at)
VALUES ($1, 'Acme', 'https://id.acme.test', 'ringside', 'sealed', true, true, now())
"""
_ENDPOINT = """
INSERT INTO outgoing_endpoints (tenant_id, user_id, url, sealed, position)
VALUES ($1, $2, 'https://acme.test/hook', 'sealed', 0) RETURNING id
"""


async def furnish(bank: Bank, company: Company, owner: Api) -> dict[str, Any]:
    """What a company on the largest plan may have: a role of its own, a key, a webhook, a provider, narrow sight."""
    lead = {"name": "Lead", "base": "rep", "permissions": ["calls:supervise", "contacts:read", "contacts:write", "teams:write"]}
    role = (await owner.post("/roles", lead)).body
    assert (await owner.patch(f"/members/{company.members['rep']}", {"role_id": role["id"]})).status == 200
    key = (await owner.post("/api-keys", {"name": "CRM", "scopes": ["contacts:read"]})).body["key"]
    assert (await owner.put("/visibility", {"visibility": "own"})).status == 200
    async with tenant_tx(bank.deps.db, Who.system(company.tenant_id)) as tx:
        await tx.conn.execute(_PROVIDER, company.tenant_id)
        hook: UUID = await tx.conn.fetchval(_ENDPOINT, company.tenant_id, company.members["owner"])
    return {"role": role, "key": key, "hook": hook}


async def change(owner: Api, plan: str) -> None:
    """Change the plan as a person does who has seen what it costs."""
    wanted = {"plan": plan, "every": "month", "seats": 5}
    shown = (await owner.post("/billing/preview", wanted)).body
    answer = await owner.post("/billing/change", wanted | {"at": shown["at"]})
    assert (answer.status, answer.body["account"]["plan"]) == (200, plan), answer.body


async def test_what_a_smaller_plan_lacks_is_said_rests_and_comes_back(bank: Bank, acme: Company, globex: Company) -> None:
    owner = bank.server.as_member(acme, "owner")
    await bank.open()
    await bank.pass_days(15)
    other = bank.server.as_member(globex, "owner")
    for api in (owner, other):
        await bank.buy(api, "enterprise", 5)
    has = await furnish(bank, acme, owner)
    theirs = await furnish(bank, globex, other)
    key = bank.server.client(has["key"])
    assert (await key.get("/contacts")).status == 200

    # Said before: what is in use, in words, and nothing that is not.
    said = (await owner.get("/billing/effects", plan="basic")).body
    words = {each["feature"]: each["words"] for each in said["rests"]}
    assert set(words) == {"custom_roles", "api_keys", "webhooks", "visibility", "sso", "audit_export"}
    assert words["custom_roles"].startswith("1 person has a role of your company's own.")
    assert words["api_keys"].startswith("1 API key stops working at once")
    assert words["sso"].startswith("Nobody has to sign in through your provider any more")
    assert said["back"] == []
    assert {each["feature"] for each in (await owner.get("/billing/effects", plan="pro")).body["rests"]} == {
        "sso",
        "audit_export",
    }

    listener = await Client.connect(bank.server.url, await a_listening_key(owner))
    await change(owner, "basic")

    # All of it rests, and nobody has more than before.
    role = await of_name(owner, "Lead")
    assert (set(has["role"]["permissions"]) - set(role["permissions"]), role["members"]) == (
        {"calls:supervise", "teams:write"},
        1,
    )
    await listener.until(lambda: listener.of("bye"), "bye")
    assert listener.of("bye") == [{"reason": "plan_limit"}]
    assert "plan_limit" in BYE_REASONS

    async def refused() -> bool:
        return (await key.get("/contacts")).status == 402

    await until(refused)
    [hook] = await bank.rows(acme, "SELECT state, reason FROM outgoing_endpoints WHERE tenant_id = $1")
    assert (hook["state"], hook["reason"]) == ("paused", "The company's plan has no webhooks.")
    assert (await owner.get("/visibility")).body["visibility"] == "own"
    [sso] = await bank.rows(acme, "SELECT is_enforced, joins FROM sso_providers WHERE tenant_id = $1")
    assert (sso["is_enforced"], sso["joins"]) == (False, False)
    for path, body in (
        (f"/members/{acme.members['manager']}", {"role_id": role["id"]}),
        (f"/roles/{role['id']}", {"name": "Head"}),
    ):
        answer = await owner.patch(path, body)
        assert (answer.status, answer.error) == (402, "plan_limit"), path
    invited = await owner.post("/invitations", {"email": "new@acme.test", "role_id": role["id"]})
    assert (invited.status, invited.error) == (402, "plan_limit")
    # The owner is who they were, and the other company has all that it had.
    assert (await owner.get("/me")).body["role"] == "owner"
    assert (await of_name(other, "Lead"))["permissions"] == theirs["role"]["permissions"]
    assert (await bank.server.client(theirs["key"]).get("/contacts")).status == 200
    [hook] = await bank.rows(globex, "SELECT state FROM outgoing_endpoints WHERE tenant_id = $1")
    assert hook["state"] == "active"

    # And comes back; what a person has to decide is left to them.
    back = (await owner.get("/billing/effects", plan="enterprise")).body
    assert (back["rests"], {each["feature"] for each in back["back"]}) == ([], {"custom_roles", "api_keys", "webhooks", "sso"})
    await change(owner, "enterprise")
    assert (await of_name(owner, "Lead"))["permissions"] == has["role"]["permissions"]
    assert (await key.get("/contacts")).status == 200
    [hook] = await bank.rows(acme, "SELECT state, reason FROM outgoing_endpoints WHERE tenant_id = $1")
    assert (hook["state"], hook["reason"]) == ("active", "")
    [sso] = await bank.rows(acme, "SELECT is_enforced FROM sso_providers WHERE tenant_id = $1")
    assert sso["is_enforced"] is False
    trail = (await owner.get("/audit", action="plan.features_changed")).body["data"]
    assert [len(each["details"]["rests"]) for each in trail] == [0, 6]
    assert (await bank.server.as_member(acme, "manager").get("/billing/effects", plan="basic")).status == 403


async def a_listening_key(owner: Api) -> str:
    """A key that may listen to the floor."""
    answer = await owner.post("/api-keys", {"name": "Wall", "scopes": [*EVENTS_TELL, FOLLOW]})
    assert answer.status == 201, answer.body
    return str(answer.body["key"])


async def of_name(owner: Api, name: str) -> dict[str, Any]:
    """A role of the company's own."""
    roles: list[dict[str, Any]] = (await owner.get("/roles")).body["data"]
    return next(role for role in roles if role["name"] == name)
