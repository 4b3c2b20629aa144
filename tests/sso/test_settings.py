"""Setting up a company's sign-in: what is asked of a provider, how a domain is proven, and what nobody gets to see."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.sealing import Seals
from integrations.sandbox.oidc import Fault
from tests.harness import make_settings, running_hub
from tests.joining.kit import events_of
from tests.letters import letters_to
from tests.sso.conftest import Browser, House, domain_of, mail

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_provider_is_asked_before_it_is_kept_and_its_secret_is_never_shown(house: House) -> None:
    acme, globex = await house.company(), await house.company()
    owner = house.server.as_member(acme, "owner")
    given = {
        "label": "Acme's sign-in",
        "issuer": house.oidc.url,
        "client_id": house.oidc.settings.client_id,
        "client_secret": "a secret that nobody sees again",
    }
    for role in ("rep", "manager"):
        assert (await house.server.as_member(acme, role).put("/sso/provider", given)).status == 403
    stale = house.server.client(house.server.token(acme, "owner", confirmed_at=0.0))
    assert (await stale.put("/sso/provider", given)).error == "step_up_required"
    assert "client_secret" in str((await owner.put("/sso/provider", given | {"client_secret": None})).body["details"])
    house.oidc.faults.add(Fault("description", "other_issuer_said"))
    assert "says that its issuer" in (await owner.put("/sso/provider", given)).field("issuer")
    for issuer in ("nonsense", "https://127.0.0.1:9", "https://user@127.0.0.1/"):
        assert "can't be used" in (await owner.put("/sso/provider", given | {"issuer": issuer})).field("issuer")
    foreign = (await house.server.as_member(globex, "owner").post("/teams", {"name": "Theirs", "member_ids": []})).body["id"]
    assert "no such team" in (await owner.put("/sso/provider", given | {"team_id": foreign})).field("team_id")

    await house.bill(acme, plan="pro", seats=10)
    smaller = await owner.put("/sso/provider", given)
    assert (smaller.status, smaller.error, smaller.body["details"]["needed"]) == (402, "plan_limit", "enterprise")
    await house.bill(acme, plan="enterprise", seats=10)
    kept = await owner.put("/sso/provider", given)
    assert kept.body["provider"]["issuer"] == house.oidc.url and kept.body["provider"]["tested_at"] is None
    assert kept.body["redirect_uri"].endswith(f"/oauth/sso/{acme.tenant_id}")
    again = await owner.put("/sso/provider", {name: value for name, value in given.items() if name != "client_secret"})
    assert again.status == 200, "the secret that is there is kept"
    everything = (kept.body, (await owner.get("/sso")).body, (await events_of(owner, "sso.")))
    assert "nobody sees" not in str(everything)
    sealed = await house.as_admin("SELECT sealed FROM sso_providers WHERE tenant_id = $1", acme.tenant_id)
    place = {"kind": "sso_provider", "row_id": acme.tenant_id}
    assert Seals(house.server.settings).open(sealed, tenant_id=acme.tenant_id, **place) == given["client_secret"]  # type: ignore[arg-type]
    assert "nobody sees" not in sealed

    elsewhere = (await house.server.as_member(globex, "owner").get("/sso")).body
    assert (elsewhere["provider"], elsewhere["domains"], elsewhere["connected"]) == (None, [], [])
    assert await events_of(house.server.as_member(globex, "owner"), "sso.") == []
    assert await events_of(house.server.as_member(acme, "rep"), "sso.") == [], "managers hear of it"
    logged = (await owner.get("/audit", action="sso.updated")).body["data"]
    assert [entry["details"]["what"] for entry in logged] == ["provider_set", "provider_set"]


async def test_a_domain_is_proven_by_its_postmaster_and_is_one_companys(house: House) -> None:
    acme, globex = await house.company(), await house.company()
    owner, domain = house.server.as_member(acme, "owner"), domain_of(acme)
    asked = await owner.post("/sso/domains", {"domain": f" @{domain.upper()} "})
    assert [(d["domain"], d["sent_to"], d["verified_at"]) for d in asked.body["domains"]] == [
        (domain, f"postmaster@{domain}", None)
    ]
    letters = await letters_to(house.database, house.server.settings, f"postmaster@{domain}")
    assert acme.name in letters[0].text
    assert await letters_to(house.database, house.server.settings, f"postmaster@{domain}", acme) == [], (
        "who asks must not read it in the company's own outbox"
    )
    first = await house.code_for(domain)
    assert (await owner.post("/sso/domains", {"domain": domain, "mailbox": "admin"})).status == 200
    assert "not the code" in (await owner.post(f"/sso/domains/{domain}/code", {"code": first})).field("code")
    stranger = house.server.as_member(globex, "owner")
    assert (await stranger.post(f"/sso/domains/{domain}/code", {"code": first})).error == "domain_not_found"
    assert (await owner.post("/sso/domains", {"domain": domain})).status == 200
    second = await house.code_for(domain)
    assert (await owner.post(f"/sso/domains/{domain}/code", {"code": second.lower().replace("-", " ")})).status == 200
    assert (await owner.post("/sso/domains", {"domain": domain})).error == "domain_is_proven"

    assert (await stranger.post("/sso/domains", {"domain": domain, "mailbox": "webmaster"})).status == 200
    (theirs,) = await letters_to(house.database, house.server.settings, f"webmaster@{domain}")
    code = theirs.text.split("code:\n\n")[1].split("\n")[0]
    assert (await stranger.post(f"/sso/domains/{domain}/code", {"code": code})).error == "domain_is_taken"
    assert (await owner.delete(f"/sso/domains/{domain}")).status == 204
    assert (await stranger.post(f"/sso/domains/{domain}/code", {"code": code})).status == 200
    assert (await owner.delete(f"/sso/domains/{domain}")).error == "domain_not_found"
    for wrong in ("gmail.com", "com", "a_b.test", "-a.test", "1.2.3.4", "b\u00fccher.test"):
        assert (await owner.post("/sso/domains", {"domain": wrong})).status == 422, wrong


async def test_a_code_is_tried_ten_times_and_letters_are_few(house: House) -> None:
    acme = await house.company()
    owner, domain = house.server.as_member(acme, "owner"), domain_of(acme)
    await owner.post("/sso/domains", {"domain": domain})
    right = await house.code_for(domain)
    for _ in range(10):
        assert "not the code" in (await owner.post(f"/sso/domains/{domain}/code", {"code": "AAAAA"})).field("code")
    assert "too often" in (await owner.post(f"/sso/domains/{domain}/code", {"code": right})).field("code")
    await owner.post("/sso/domains", {"domain": domain})
    assert (await owner.post("/sso/domains", {"domain": domain})).status == 200
    assert (await owner.post("/sso/domains", {"domain": domain})).status == 429


async def test_who_could_not_come_through_is_named_and_connecting_tries_it(house: House) -> None:
    acme = await house.company()
    contractor = await house.person("contractor@elsewhere.test", rep=acme)
    owner = await house.set_up(acme)
    settings = (await owner.get("/sso")).body
    assert [(one["id"], settings["outside_count"]) for one in settings["outside"]] == [(str(contractor), 1)]
    theirs = house.browser(house.server.token(acme, "rep", user_id=contractor))
    begun = (await theirs.api.post("/account/connected", {})).body["url"]
    assert await theirs.follow(begun, "contractor@elsewhere.test") == {"path": "/settings/security", "connected": "1"}
    settings = (await owner.get("/sso")).body
    assert (settings["outside"], settings["connected_count"]) == ([], 1) and settings["provider"]["tested_at"]
    through = house.browser()
    assert await through.sign_in("contractor@elsewhere.test", company=str(acme.tenant_id)) == {"path": "/"}
    mine = house.browser(owner.token)
    begun = (await mine.api.post("/account/connected", {})).body["url"]
    await mine.follow(begun, mail(acme, "owner"))
    assert await house.browser().sign_in(mail(acme, "owner")) == {"path": "/"}, "owners connect themselves first"
    changed = await owner.put(
        "/sso/provider",
        {"label": "x", "issuer": house.oidc.url, "client_id": "another", "client_secret": "s", "role": "manager"},
    )
    assert changed.body["provider"]["tested_at"] is None
    assert (await through.opened()).status == 401, "another provider's people sign in anew"


async def test_what_an_older_key_sealed_is_sealed_anew_when_it_is_used(house: House) -> None:
    acme = await house.company()
    await house.set_up(acme)
    settings = house.server.settings
    older = replace(settings, seal_keys={"older": "o" * 40})
    place = {"tenant_id": acme.tenant_id, "kind": "sso_provider", "row_id": acme.tenant_id}
    both = Seals(replace(settings, seal_keys={"new": "n" * 40, "older": "o" * 40}))
    sealed = Seals(older).seal(house.oidc.settings.client_secret, **place)  # type: ignore[arg-type]
    await house.as_admin("UPDATE sso_providers SET sealed = $2 WHERE tenant_id = $1", acme.tenant_id, sealed)
    rotated = replace(settings, seal_keys={"new": "n" * 40, "older": "o" * 40}, port=0)
    async with running_hub(rotated) as server:
        browser = Browser(house, server.client())
        assert await browser.sign_in(mail(acme)) == {"path": "/"}
    now = await house.as_admin("SELECT sealed FROM sso_providers WHERE tenant_id = $1", acme.tenant_id)
    assert now.startswith("v1.new.") and both.open(now, **place) == house.oidc.settings.client_secret  # type: ignore[arg-type]


async def test_keys_that_were_lost_are_said_to_be_lost(house: House) -> None:
    acme = await house.company()
    await house.set_up(acme)
    other = Seals(make_settings("", "", seal_keys={"gone": "g" * 40}))
    sealed = other.seal("x", tenant_id=acme.tenant_id, kind="sso_provider", row_id=acme.tenant_id)
    await house.as_admin("UPDATE sso_providers SET sealed = $2 WHERE tenant_id = $1", acme.tenant_id, sealed)
    answer = await house.server.client().post("/sso/begin", {"email": mail(acme)})
    assert answer.status == 503 and "keys of this installation" in answer.body["message"]
