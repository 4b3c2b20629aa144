"""Access to mailboxes: Google's consent and its dangers, what happens when it is gone, and giving it back."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from hub.mailboxes import syncing
from hub.mailboxes.connecting import reseal
from hub.sealing import Seals
from integrations.sandbox.gmail.signing import forge
from tests.conftest import Company
from tests.harness import Api, RunningHub, make_settings, until
from tests.mailboxes.conftest import ADA, House, nobodys_turn, settled, team_of


async def test_a_consent_serves_once_and_only_in_the_browser_in_which_it_began(
    house: House, acme: Company, server: RunningHub, rep: Api
) -> None:
    begun = (await rep.post("/mailboxes/google", {"login_hint": ADA})).body
    asked = parse_qs(urlsplit(begun["url"]).query)
    assert asked["code_challenge_method"] == ["S256"] and asked["redirect_uri"] == [f"{server.url}/oauth/google"]
    stranger = server.client()
    assert "another browser" in (await house.consent(stranger, begun["url"]))["problem"]
    assert "used already" in (await house.consent(rep, begun["url"]))["problem"], "the state went with the first try"

    again = (await rep.post("/mailboxes/google", {"login_hint": ADA})).body["url"]
    assert "not allowed" in (await house.consent(rep, again, error="access_denied"))["problem"]
    third = (await rep.post("/mailboxes/google", {"login_hint": ADA})).body["url"]
    assert "Google did not let us in" in (await house.consent(rep, third, code="a code that is none"))["problem"]
    assert (await rep.get("/mailboxes")).body["data"] == []
    lost = await rep.call("GET", "/oauth/google", allow_redirects=False)
    assert lost.status == 303 and "problem=" in lost.headers["Location"]


async def test_secrets_lie_sealed_and_the_key_can_be_changed(house: House, acme: Company, rep: Api) -> None:
    mailbox_id = UUID(await house.connect(rep))
    was = (await house.rows(acme, "SELECT sealed FROM mailboxes WHERE tenant_id = $1"))[0]["sealed"]

    def opened(seals: Seals, sealed: str) -> str:
        return seals.open(sealed, tenant_id=acme.tenant_id, kind="mailbox", row_id=mailbox_id)

    token = opened(Seals(house.settings), was)
    assert token in house.gmail.grants.refresh_tokens and token not in was
    changed = make_settings("", "", seal_keys={"new": "n" * 40, "secret": house.settings.secret})
    assert await reseal(house.server.hub.db, Seals(changed)) == 1
    assert await reseal(house.server.hub.db, Seals(changed)) == 0
    now = (await house.rows(acme, "SELECT sealed FROM mailboxes WHERE tenant_id = $1"))[0]["sealed"]
    assert now.startswith("v1.new.") and opened(Seals(changed), now) == token


async def test_a_revoked_consent_is_shown_at_once_and_mended_with_nothing_lost(
    house: House, acme: Company, rep: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syncing, "poll_due", nobodys_turn)
    mailbox_id = await house.connect(rep)
    async with house.worker():
        await settled(rep, mailbox_id, "current")
        await until(lambda: house.is_idle(acme))
        house.gmail.revoke(ADA)
        # Nobody notices before this is asked for: it could not be, then.
        assert (await rep.post(f"/mailboxes/{mailbox_id}/sync")).status == 202
        house.deliver("While nobody was let in")
        revoked = await settled(rep, mailbox_id, "revoked")
        assert revoked["state"] == "revoked" and "Connect it again" in revoked["meter"]["words"]
        told = (await rep.get("/notifications")).body["data"]
        assert [(one["kind"], one["subject_id"]) for one in told] == [("mailbox_revoked", mailbox_id)]
        assert (await rep.post(f"/mailboxes/{mailbox_id}/sync")).error == "mailbox_not_connected"

        wrong = (await rep.post(f"/mailboxes/{mailbox_id}/reconnect")).body["url"].replace("ada%40", "eve%40")
        assert "eve@example.com" in (await house.consent(rep, wrong))["problem"], "another account is no help"
        mended = (await rep.post(f"/mailboxes/{mailbox_id}/reconnect")).body["url"]
        assert (await house.consent(rep, mended)) == {"connected": mailbox_id}
        await settled(rep, mailbox_id, "current")
        await until(lambda: arrived(house, acme, "While nobody was let in"))
    assert len((await rep.get("/mailboxes")).body["data"]) == 1


async def arrived(house: House, company: Company, subject: str) -> bool:
    return subject in await house.subjects(company)


async def test_disconnecting_gives_the_consent_back_and_erases_what_is_to_be_erased(
    house: House, acme: Company, globex: Company, rep: Api, server: RunningHub
) -> None:
    house.gmail.seed(ADA, 20, days=10)
    mailbox_id = await house.connect(rep)
    elsewhere = server.as_member(globex, "owner")
    theirs = await house.connect(elsewhere)
    async with house.worker():
        await settled(rep, mailbox_id, "current")
        await settled(elsewhere, theirs, "current")
        gone = (await rep.delete(f"/mailboxes/{mailbox_id}?erase=true")).body
        assert (gone["state"], gone["meter"]["state"]) == ("disconnected", "disconnected")
        await until(lambda: erased(house, acme))
        files = [path for path in Path(house.settings.objects).rglob("*.eml") if str(acme.tenant_id) in str(path)]
        assert files == []
        assert len(await house.subjects(globex)) == 20, "the other company keeps its own"
        house.deliver("For those who are still here")
        await until(lambda: arrived(house, globex, "For those who are still here"))
        await elsewhere.delete(f"/mailboxes/{theirs}")
        await until(lambda: given_back(house))
        assert len(await house.subjects(globex)) == 21, "mail stays unless it is to be erased"

        assert await house.connect(elsewhere) == theirs, "connected again it is the same mailbox"
        await settled(elsewhere, theirs, "current")
    assert len(await house.subjects(globex)) == 21 and (await rep.get("/mailboxes")).body["data"] == []


async def erased(house: House, company: Company) -> bool:
    rows = await house.rows(
        company,
        "SELECT (SELECT count(*) FROM mail_messages WHERE tenant_id = $1) + (SELECT count(*) FROM mailbox_messages"
        " WHERE tenant_id = $1) + (SELECT count(*) FROM mailboxes WHERE tenant_id = $1 AND sealed IS NOT NULL) AS left",
    )
    return bool(rows[0]["left"] == 0)


async def given_back(house: House) -> bool:
    # Acme's stays, because at Google it is the same consent as Globex's was when Acme let go.
    return len(house.gmail.grants.refresh_tokens) == 1


async def test_a_team_shares_a_mailbox_and_a_private_one_is_nobody_elses(
    house: House, acme: Company, server: RunningHub, rep: Api
) -> None:
    team = await team_of(server, acme, "rep", "manager")
    shared = await house.connect(rep, "sales@example.com", team_id=str(team))
    own = await house.connect(rep, ADA)
    owner, manager = server.as_member(acme, "owner"), server.as_member(acme, "manager")

    async def seen(api: Api) -> set[str]:
        return {one["id"] for one in (await api.get("/mailboxes")).body["data"]}

    assert await seen(rep) == {shared, own}
    assert await seen(manager) == {shared} == await seen(owner), "no role opens a private mailbox"
    assert (await manager.get(f"/mailboxes/{own}")).status == 404 == (await owner.patch(f"/mailboxes/{own}", {})).status
    assert (await manager.patch(f"/mailboxes/{shared}", {"display_name": "Sales"})).status == 403
    opened = await rep.patch(f"/mailboxes/{own}", {"visibility": "everyone"})
    assert opened.body["visibility"] == "everyone" and own in await seen(manager)
    assert (await rep.patch(f"/mailboxes/{own}", {"visibility": "team"})).field("visibility")
    assert (await owner.patch(f"/mailboxes/{shared}", {"visibility": "everyone"})).status == 403, (
        "only its owner opens it further"
    )
    await rep.patch(f"/mailboxes/{own}", {"visibility": "private"})
    heard = [e["type"] for e in (await manager.get("/events")).body["data"] if e["subject"]["id"] == own]
    assert heard == ["mailbox.updated", "mailbox.hidden"], "others hear that it opened, and that it closed, and nothing else"
    assert {e["subject"]["id"] for e in (await rep.get("/events")).body["data"] if e["type"] == "mailbox.connected"} == {
        shared,
        own,
    }


async def test_a_colleague_cannot_connect_the_same_address_again(
    house: House, acme: Company, server: RunningHub, rep: Api
) -> None:
    await house.connect(rep)
    manager = server.as_member(acme, "manager")
    begun = (await manager.post("/mailboxes/google", {"login_hint": ADA})).body["url"]
    assert "A colleague has connected" in (await house.consent(manager, begun))["problem"]


async def test_a_forged_push_is_refused_and_a_repeated_one_counts_once(house: House, acme: Company, rep: Api) -> None:
    await house.connect(rep)
    pushes, signer = house.gmail.pushes, house.gmail.signer
    assert house.settings.google is not None
    push = pushes.push(ADA, 7)
    body = pushes.envelope(push)
    genuine = pushes.token()
    forged = {
        "no token": "",
        "another audience": pushes.token(aud="https://elsewhere.test"),
        "another sender": signer.identity(audience=house.settings.google.push_audience, subject="1", email="eve@example.com"),
        "unverified": pushes.token(email_verified=False),
        "expired": pushes.token(exp=1_000_000_000),
        "another issuer": pushes.token(iss="https://eve.test"),
        "another key": forge({"aud": "x"}, signer.key_id),
    }
    for why, token in forged.items():
        answer = await rep.call("POST", "/webhooks/google/push", data=body, headers={"Authorization": f"Bearer {token}"})
        assert (answer.status, answer.error) == (403, "bad_signature"), why
    for _ in range(2):
        answer = await rep.call("POST", "/webhooks/google/push", data=body, headers={"Authorization": f"Bearer {genuine}"})
        assert answer.status == 204
    kept = await house.rows(acme, "SELECT 1 FROM webhook_deliveries WHERE tenant_id = $1 AND provider = 'google'")
    queued = await house.rows(acme, "SELECT 1 FROM jobs WHERE tenant_id = $1 AND kind = 'mailboxes.sync'")
    assert (len(kept), len(queued)) == (1, 1)
