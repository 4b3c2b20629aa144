"""More than a password: codes of an app, recovery codes, passkeys, and confirming once more."""

from __future__ import annotations

import pytest

from hub.db import tenant_tx
from tests.accounts.kit import Authenticator, Ground, Telephone, sign_in
from tests.conftest import Company
from tests.harness import PASSWORD, Answer, Api, RunningHub, until

pytestmark = pytest.mark.asyncio(loop_scope="module")


def mail(company: Company, role: str = "rep") -> str:
    return f"{role}@{company.name.lower()}.test"


async def with_an_app(api: Api) -> tuple[Telephone, list[str]]:
    """Sets up an authenticator app: the telephone, and the recovery codes."""
    telephone = Telephone((await api.post("/account/totp")).body["secret"])
    answer = await api.post("/account/totp/start", {"code": telephone.code()})
    assert answer.status == 200, answer.body
    return telephone, answer.body["codes"]


async def with_a_passkey(api: Api, **kind: object) -> Authenticator:
    """Adds a passkey."""
    asked = (await api.post("/account/passkeys/options")).body
    device = Authenticator(**kind)  # type: ignore[arg-type]
    answer = await api.post(
        "/account/passkeys", {"token": asked["token"], "credential": device.make(asked["options"]), "name": "Laptop"}
    )
    assert answer.status == 200, answer.body
    return device


async def by_passkey(server: RunningHub, device: Authenticator) -> Answer:
    api = server.client()
    asked = (await api.post("/auth/passkey/options")).body
    return await api.post("/auth/passkey", {"token": asked["token"], "credential": device.sign(asked["options"])})


async def test_what_is_dangerous_demands_a_fresh_confirmation(ground: Ground, server: RunningHub, acme: Company) -> None:
    api, answer = await sign_in(server, mail(acme))
    assert answer.status == 200
    await ground.sql("UPDATE sessions SET confirmed_at = now() - interval '11 minutes' WHERE user_id = $1", acme.members["rep"])
    api.token = (await api.post("/auth/refresh")).body["access_token"]
    refused = await api.post("/account/totp")
    assert (refused.status, refused.error) == (403, "step_up_required")

    ways = (await api.post("/auth/confirm/options")).body
    assert ways == {"methods": ["password"], "token": None, "passkey": None}
    wrong = await api.post("/auth/confirm", {"password": "wrong"})
    assert (wrong.status, wrong.error) == (403, "not_confirmed")
    assert (await api.post("/account/totp")).status == 403

    confirmed = await api.post("/auth/confirm", {"password": PASSWORD})
    assert confirmed.status == 200
    api.token = confirmed.body["access_token"]
    assert (await api.post("/account/totp")).status == 200
    api.token = (await api.post("/auth/refresh")).body["access_token"]
    assert (await api.post("/account/totp")).status == 200, "a refreshed token is as fresh as its session"

    for _ in range(12):
        last = await api.post("/auth/confirm", {"password": "wrong"})
    assert (last.status, last.error) == (429, "sign_in_throttled")


async def test_an_app_asks_for_a_code_at_each_sign_in_and_takes_none_twice(
    ground: Ground, server: RunningHub, acme: Company
) -> None:
    api, _ = await sign_in(server, mail(acme))
    begun = (await api.post("/account/totp")).body
    assert begun["address"].startswith("otpauth://totp/Ringside:") and begun["picture"].startswith("<svg")
    guess = Telephone(begun["secret"]).wrong_code()
    assert (await api.post("/account/totp/start", {"code": guess})).status == 422
    assert (await sign_in(server, mail(acme)))[1].body.get("access_token"), "it is not asked for before a first code was right"
    telephone, codes = await with_an_app(api)
    assert len(set(codes)) == 8
    stored = await ground.sql("SELECT seed FROM user_totp WHERE user_id = $1", acme.members["rep"])
    assert stored.startswith("v1.") and telephone.seed not in stored
    again = await api.post("/account/totp")
    assert (again.status, again.error) == (409, "totp_is_on")
    security = (await api.get("/account/security")).body
    assert security["totp_since"] and security["recovery_codes"] == 8

    browser, first = await sign_in(server, mail(acme))
    assert first.body["step"] == "second" and first.body["methods"] == ["totp", "recovery_code"]
    token = first.body["token"]
    assert "Set-Cookie" not in first.headers
    code = telephone.code()
    assert (await browser.post("/auth/second-step", {"token": "x" * 43, "code": code})).status == 401
    wrong = await browser.post("/auth/second-step", {"token": token, "code": telephone.wrong_code()})
    assert (wrong.status, wrong.error) == (401, "wrong_code")
    done = await browser.post("/auth/second-step", {"token": token, "code": f" {code[:3]} {code[3:]} "})
    assert done.status == 200 and done.body["user"]["email"] == mail(acme)
    assert (await browser.post("/auth/second-step", {"token": token, "code": telephone.code()})).error == "step_expired"

    _, second = await sign_in(server, mail(acme))
    replayed = await browser.post("/auth/second-step", {"token": second.body["token"], "code": code})
    assert (replayed.status, replayed.error) == (401, "wrong_code")

    recovered = await browser.post("/auth/second-step", {"token": second.body["token"], "recovery_code": codes[0].lower()})
    assert recovered.status == 200
    assert any("recovery codes" in letter.text for letter in await ground.letters(mail(acme)))
    _, third = await sign_in(server, mail(acme))
    used = await browser.post("/auth/second-step", {"token": third.body["token"], "recovery_code": codes[0]})
    assert (used.status, used.error) == (401, "wrong_code")

    assert (await api.post("/auth/confirm", {"password": PASSWORD})).error == "wrong_method"
    fresh = (await api.post("/account/recovery-codes")).body["codes"]
    assert not set(fresh) & set(codes)
    assert (await api.delete("/account/totp")).status == 204
    assert (await sign_in(server, mail(acme)))[1].body.get("access_token")
    actions = await ground.sql(
        "SELECT array_agg(action ORDER BY at) FROM audit_entries WHERE subject_id = $1 AND action LIKE 'account.%'",
        acme.members["rep"],
    )
    assert actions == ["account.totp_on", "account.recovery_codes_made", "account.totp_off"]


async def test_guessing_codes_ends_soon(server: RunningHub, acme: Company) -> None:
    api, _ = await sign_in(server, mail(acme))
    telephone, _ = await with_an_app(api)
    said = []
    for _ in range(3):
        _, first = await sign_in(server, mail(acme))
        for _ in range(6):
            guess = {"token": first.body["token"], "code": telephone.wrong_code()}
            said.append((await api.post("/auth/second-step", guess)).error)
    assert said[:5] == ["wrong_code"] * 5 and said[5] == "step_expired" and said[-2] == "sign_in_throttled"
    _, first = await sign_in(server, mail(acme))
    right = await api.post("/auth/second-step", {"token": first.body["token"], "code": telephone.code()})
    assert right.status == 429, "not even the right one, for a while"


async def test_a_passkey_signs_in_without_a_name_and_without_a_code(ground: Ground, server: RunningHub, acme: Company) -> None:
    api, _ = await sign_in(server, mail(acme))
    await with_an_app(api)
    device = await with_a_passkey(api)
    answer = await by_passkey(server, device)
    assert answer.status == 200 and answer.body["user"]["email"] == mail(acme)
    assert "ringside_refresh" in str(answer.headers.getall("Set-Cookie"))

    ways = (await api.post("/auth/confirm/options")).body
    assert ways["methods"] == ["passkey", "totp"]
    confirmed = await api.post("/auth/confirm", {"token": ways["token"], "credential": device.sign(ways["passkey"])})
    assert confirmed.status == 200
    browser, first = await sign_in(server, mail(acme))
    credential = device.sign(first.body["passkey"])
    assert (await browser.post("/auth/second-step", {"token": first.body["token"], "credential": credential})).status == 200

    (found,) = (await api.get("/account/security")).body["passkeys"]
    assert (found["name"], found["synced"]) == ("Laptop", False) and found["last_used_at"]
    assert (await api.patch(f"/account/passkeys/{found['id']}", {"name": "Desk"})).status == 204
    assert (await api.get("/account/security")).body["passkeys"][0]["name"] == "Desk"
    stranger = server.as_member(acme, "owner")
    assert (await stranger.patch(f"/account/passkeys/{found['id']}", {"name": "Mine"})).status == 404
    assert (await stranger.delete(f"/account/passkeys/{found['id']}")).status == 404
    assert (await api.delete(f"/account/passkeys/{found['id']}")).status == 204
    gone = await by_passkey(server, device)
    assert (gone.status, gone.error) == (401, "unknown_passkey")
    said = [letter.text for letter in await ground.letters(mail(acme))]
    assert any("passkey was added" in text for text in said) and any("passkey was removed" in text for text in said)


async def test_a_passkey_that_does_not_hold_is_refused(server: RunningHub, acme: Company) -> None:
    api, _ = await sign_in(server, mail(acme))
    device = await with_a_passkey(api)
    anonymous = server.client()
    asked = (await anonymous.post("/auth/passkey/options")).body
    good = device.sign(asked["options"])

    device.origin = "https://ringside.example.evil"
    assert (await by_passkey(server, device)).status == 422, "another page asked for it"
    device.origin = "http://localhost"
    device.verified = False
    assert (await by_passkey(server, device)).status == 422, "nobody showed a finger or a PIN"
    device.verified = True
    other = Authenticator(credential_id=device.credential_id, user_handle=device.user_handle, count=100)
    assert (await by_passkey(server, other)).status == 422, "signed with another key"
    other_handle = device.user_handle
    device.user_handle = "AAAAAAAAAAAAAAAAAAAAAA"
    assert (await by_passkey(server, device)).error == "unknown_passkey"
    device.user_handle = other_handle

    sent = {"token": asked["token"], "credential": good}
    assert (await anonymous.post("/auth/passkey", sent)).status == 200
    replayed = await anonymous.post("/auth/passkey", sent)
    assert (replayed.status, replayed.error) == (401, "step_expired")
    device.count = 0
    assert (await by_passkey(server, device)).status == 422, "a counter that goes back is a copy's"
    for junk in ({}, {"id": "x"}, {"id": good["id"], "response": {}}, good | {"response": {"clientDataJSON": "%%%"}}):
        asked = (await anonymous.post("/auth/passkey/options")).body
        answer = await anonymous.post("/auth/passkey", {"token": asked["token"], "credential": junk})
        assert answer.status in (401, 422), junk

    asked = (await api.post("/account/passkeys/options")).body
    assert asked["options"]["excludeCredentials"][0]["id"] == good["id"]
    begun = {"token": asked["token"], "credential": Authenticator().make(asked["options"]), "name": "Phone"}
    stolen = await server.as_member(acme, "owner").post("/account/passkeys", begun)
    assert (stolen.status, stolen.error) == (403, "forbidden"), "what one began another cannot finish"
    again = {"token": asked["token"], "credential": device.make(asked["options"]), "name": "Twice"}
    twice = await api.post("/account/passkeys", again)
    assert (twice.status, twice.error) == (409, "passkey_is_known")


async def test_another_console_of_the_same_person_hears_of_a_change_and_nobody_else(
    ground: Ground, server: RunningHub, acme: Company
) -> None:
    api, _ = await sign_in(server, mail(acme))
    await with_a_passkey(api)

    async def logged() -> str | None:
        found: str | None = await ground.sql(
            "SELECT audience FROM events WHERE tenant_id = $1 AND type = 'account.changed'", acme.tenant_id
        )
        return found

    assert await until(logged) == f"user:{acme.members['rep']}"


async def test_nothing_of_an_erased_persons_account_is_left(ground: Ground, server: RunningHub, acme: Company) -> None:
    api, _ = await sign_in(server, mail(acme))
    await with_an_app(api)
    device = await with_a_passkey(api)
    person = acme.members["rep"]
    async with tenant_tx(server.hub.db, acme.who("owner")) as tx:
        await tx.conn.execute("UPDATE members SET status = 'deactivated' WHERE user_id = $1", person)
        await tx.conn.execute("SELECT erase_member($1)", person)
    tables = "user_passwords", "user_totp", "recovery_codes", "passkeys", "known_devices", "password_resets", "sessions"
    left = [table for table in tables if await ground.sql(f"SELECT count(*) FROM {table} WHERE user_id = $1", person)]
    assert left == []
    assert (await by_passkey(server, device)).error == "unknown_passkey"
