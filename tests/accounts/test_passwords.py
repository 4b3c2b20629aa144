"""Passwords: which are taken, changed and forgotten; sessions and new devices."""

from __future__ import annotations

import re

import pytest

from hub.accounts.devices import device_words
from hub.accounts.shell import NoAccount, recover
from hub.auth.password_rules import weakness
from hub.auth.sessions import hash_token
from tests.accounts.kit import LAPTOP, Authenticator, Ground, Telephone, an_owners_session, sign_in
from tests.conftest import Company
from tests.harness import PASSWORD, RunningHub

pytestmark = pytest.mark.asyncio(loop_scope="module")
NEW = "violet tractor under the bridge"


def mail(company: Company, role: str = "rep") -> str:
    return f"{role}@{company.name.lower()}.test"


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("short", "at least 15"),
        ("x" * 300, "at most 256"),
        ("passwordpassword", "guessed early"),
        ("qwertyuiopasdfgh", "guessed early"),
        ("abcdefghijklmnopq", "row of characters"),
        ("1qaz2wsx3edc4rfv", "stolen elsewhere"),
        ("ringsideringside1", "your company or Ringside"),
        ("ada.lovelace@acme.test", "your name, your address"),
        ("LovelaceAda123!", "your name, your address"),
    ],
)
async def test_a_weak_password_is_refused_with_its_reason(password: str, said: str) -> None:
    found = weakness(password, words=["ada.lovelace@acme.test", "Ada Lovelace", "Acme"])
    assert found is not None and said in found


async def test_length_in_any_script_is_all_that_is_asked_for() -> None:
    for password in (
        "violet tractor under the bridge",
        "грузовик под старым мостом",
        "🦊 a 🐘 b 🦉 c 🐳 d 🐌",
        "e" * 2 + "xkwqpzvmtrbnh",
    ):
        assert weakness(password, words=["ada@acme.test"]) is None, password
    assert weakness("tr0ub4dor", words=[], with_second=True) is None
    assert weakness("iloveyou", words=[], with_second=True)


async def test_a_changed_password_ends_the_other_sessions_and_is_told_by_letter(
    ground: Ground, server: RunningHub, acme: Company
) -> None:
    api, _ = await sign_in(server, mail(acme))
    elsewhere, _ = await sign_in(server, mail(acme))
    wrong = await api.put("/account/password", {"current": "nope", "password": NEW})
    assert (wrong.status, wrong.field("current")) == (422, "This is not your present password.")
    assert (await api.put("/account/password", {"password": NEW})).status == 422
    weak = await api.put("/account/password", {"current": PASSWORD, "password": f"{acme.name} {acme.name} 12345"})
    assert weak.status == 422 and "your company" in weak.field("password")
    assert (await api.put("/account/password", {"current": PASSWORD, "password": PASSWORD})).status == 422

    # Typed on another machine, the same letters can come as other characters (NFC and NFD).
    accented = "crème brûlée at noon, daily"
    assert (await api.put("/account/password", {"current": PASSWORD, "password": accented})).status == 204
    assert (await elsewhere.refused()).error == "session_revoked"
    assert (await api.get("/me")).status == 200
    decomposed = "cre\u0300me bru\u0302le\u0301e at noon, daily"
    assert (await sign_in(server, mail(acme), decomposed))[1].status == 200
    assert (await sign_in(server, mail(acme)))[1].status == 401
    (letter, *_) = [each for each in await ground.letters(mail(acme)) if each.template == "account_changed"]
    assert "password was changed" in letter.text and "Chrome on Windows" in letter.text


async def test_a_short_password_is_good_only_beside_an_app(server: RunningHub, acme: Company) -> None:
    api, _ = await sign_in(server, mail(acme))
    assert (await api.get("/account/security")).body["least_password_length"] == 15
    telephone = Telephone((await api.post("/account/totp")).body["secret"])
    assert (await api.post("/account/totp/start", {"code": telephone.code()})).status == 200
    assert (await api.get("/account/security")).body["least_password_length"] == 8
    assert (await api.put("/account/password", {"current": PASSWORD, "password": "tr0ub4dor"})).status == 204
    kept = await api.delete("/account/totp")
    assert (kept.status, kept.error) == (409, "password_needs_second")
    assert (await api.put("/account/password", {"current": "tr0ub4dor", "password": NEW})).status == 204
    assert (await api.delete("/account/totp")).status == 204


async def test_a_forgotten_password_is_chosen_anew_by_letter_once(ground: Ground, server: RunningHub, acme: Company) -> None:
    api, _ = await sign_in(server, mail(acme))
    anonymous = server.client()
    known = await anonymous.post("/auth/forgot", {"email": mail(acme).upper()})
    unknown = await anonymous.post("/auth/forgot", {"email": f"nobody@{acme.name}.test"})
    assert (known.status, known.body) == (unknown.status, unknown.body) == (202, None)
    assert await ground.letters(f"nobody@{acme.name}.test") == []
    (letter, *_) = await ground.letters(mail(acme))
    found = re.search(r"http://127\.0\.0\.1/reset\?token=([\w-]{43})", letter.text)
    assert found is not None
    token = found[1]
    assert not await ground.sql("SELECT count(*) FROM password_resets WHERE encode(hash, 'escape') LIKE '%' || $1 || '%'", token)

    weak = await anonymous.post("/auth/reset", {"token": token, "password": "short"})
    assert weak.status == 422 and "at least 15" in weak.field("password")
    assert (await api.get("/me")).status == 200, "nothing has happened yet"
    assert (await anonymous.post("/auth/reset", {"token": token, "password": NEW})).status == 204
    assert (await api.refused()).error == "session_revoked"
    again = await anonymous.post("/auth/reset", {"token": token, "password": NEW + "!"})
    assert (again.status, again.error) == (422, "link_ended")
    assert (await sign_in(server, mail(acme), NEW))[1].status == 200

    await anonymous.post("/auth/forgot", {"email": mail(acme)})
    await ground.sql("UPDATE password_resets SET expires_at = now()")
    late = re.search(r"token=([\w-]+)", (await ground.letters(mail(acme)))[0].text)
    assert late is not None
    assert (await anonymous.post("/auth/reset", {"token": late[1], "password": NEW})).error == "link_ended"
    for _ in range(6):
        last = await anonymous.post("/auth/forgot", {"email": mail(acme)})
    assert (last.status, last.error) == (429, "reset_throttled")


async def test_sessions_are_listed_and_ended_one_by_one(ground: Ground, server: RunningHub, acme: Company) -> None:
    api, _ = await sign_in(server, mail(acme, "owner"))
    phone, _ = await sign_in(server, mail(acme, "owner"), **{"User-Agent": "Mozilla/5.0 (iPhone) Version/19 Safari/604.1"})
    listed = (await api.get("/account/sessions")).body["data"]
    assert {(each["device"], each["current"]) for each in listed} == {("Chrome on Windows", True), ("Safari on an iPhone", False)}
    assert {each["company"] for each in listed} == {acme.name}
    theirs = next(each["id"] for each in listed if not each["current"])
    assert (await server.as_member(acme, "rep").delete(f"/account/sessions/{theirs}")).status == 404
    assert (await api.delete(f"/account/sessions/{theirs}")).status == 204
    assert (await phone.refused()).error == "session_revoked"
    assert (await api.delete(f"/account/sessions/{theirs}")).status == 404
    await an_owners_session(server, acme)
    assert (await api.post("/account/sessions/end-others")).body == {"ended": 1}
    assert [each["current"] for each in (await api.get("/account/sessions")).body["data"]] == [True]


async def test_a_new_browser_is_told_of_and_a_known_one_is_not(ground: Ground, server: RunningHub, acme: Company) -> None:
    async def told() -> int:
        return len([each for each in await ground.letters(mail(acme)) if each.template == "new_device"])

    browser, _ = await sign_in(server, mail(acme))
    assert await told() == 0, "the first one is not news"
    await browser.post("/auth/login", {"email": mail(acme), "password": PASSWORD})
    assert await told() == 0
    await sign_in(server, mail(acme))
    assert await told() == 1


async def test_who_guesses_elsewhere_does_not_lock_a_known_browser_out(ground: Ground, server: RunningHub, acme: Company) -> None:
    browser, _ = await sign_in(server, mail(acme))
    spent = "INSERT INTO sign_in_failures (key, failures, window_ends_at) VALUES ($1, 10, now() + interval '9 minutes')"
    await ground.sql(spent, f"account:{mail(acme)}")
    assert (await sign_in(server, mail(acme)))[1].status == 429
    assert (await browser.post("/auth/login", {"email": mail(acme), "password": "a guess"})).status == 401
    assert (await browser.post("/auth/login", {"email": mail(acme), "password": PASSWORD})).status == 200
    key = "SELECT key FROM sign_in_failures WHERE key LIKE 'device:%' AND key LIKE '%' || $1"
    assert await ground.sql(key, mail(acme)) is None, "it is forgiven as any other"
    await browser.post("/auth/login", {"email": mail(acme), "password": "a guess"})
    await ground.sql("UPDATE sign_in_failures SET failures = 10 WHERE key = $1", await ground.sql(key, mail(acme)))
    last = await browser.post("/auth/login", {"email": mail(acme), "password": PASSWORD})
    assert last.status == 429, "it has no more attempts than others have"


async def test_who_runs_the_server_lets_in_again_whoever_lost_everything(
    ground: Ground, server: RunningHub, acme: Company
) -> None:
    api, _ = await sign_in(server, mail(acme))
    telephone = Telephone((await api.post("/account/totp")).body["secret"])
    await api.post("/account/totp/start", {"code": telephone.code()})
    await api.put("/account/password", {"current": PASSWORD, "password": "tr0ub4dor"})
    for nobody in ("nobody@acme.test", ""):
        with pytest.raises(NoAccount, match=f"No account has the address '{nobody}'"):
            await recover(server.hub.db, "http://127.0.0.1", nobody)

    said = await recover(server.hub.db, "http://127.0.0.1", mail(acme), remove_app=True)
    assert (await api.refused()).error == "session_revoked"
    closed = await server.client().post("/auth/login", {"email": mail(acme), "password": "tr0ub4dor"})
    assert closed.status == 401, "without the app the short password opens nothing"
    token = said.rpartition("token=")[2]
    assert (await server.client().post("/auth/reset", {"token": token, "password": NEW})).status == 204
    assert (await sign_in(server, mail(acme), NEW))[1].body.get("access_token"), "no code is asked for"
    entry = "SELECT details FROM audit_entries WHERE subject_id = $1 AND action = 'account.recovered'"
    assert "true" in await ground.sql(entry, acme.members["rep"])
    assert said.startswith("Give this link")
    assert (
        await server.as_member(acme, "owner").patch(f"/members/{acme.members['rep']}", {"status": "deactivated"})
    ).status == 200
    assert (await recover(server.hub.db, "http://127.0.0.1", mail(acme))).startswith("This account belongs to no company")


async def test_browsers_are_called_by_names_that_people_know() -> None:
    assert device_words(LAPTOP) == "Chrome on Windows"
    assert device_words("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Version/18 Safari/605.1") == "Safari on a Mac"
    assert device_words("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0") == "Firefox on Linux"
    assert device_words("python-requests/2") == "A program"
    assert device_words("") == "An unknown device"


async def test_a_hundred_failures_in_a_row_lock_the_password_and_a_letter_or_a_passkey_opens_it_again(
    ground: Ground, server: RunningHub, acme: Company
) -> None:
    async def failed_before(address: str) -> None:
        said = "UPDATE sign_in_streaks SET failures = 99 WHERE subject = $1"
        await server.client().post("/auth/login", {"email": address, "password": "a guess"})
        await ground.sql(said, hash_token(address))
        await ground.sql("DELETE FROM sign_in_failures")

    within, _ = await sign_in(server, mail(acme))
    await failed_before(mail(acme))
    assert (await sign_in(server, mail(acme)))[1].status == 200, "the hundredth may be right, and starts the count anew"
    assert await ground.sql("SELECT count(*) FROM sign_in_streaks WHERE subject = $1", hash_token(mail(acme))) == 0

    nobody = f"nobody@{acme.name.lower()}.test"
    for address in (mail(acme), nobody):
        await failed_before(address)
        assert (await server.client().post("/auth/login", {"email": address, "password": "a guess"})).status == 401
    locked = [(await sign_in(server, address))[1] for address in (mail(acme), nobody)]
    assert {(each.status, each.error, each.body["message"]) for each in locked} == {
        (403, "sign_in_locked", locked[0].body["message"])
    }, "the right password opens nothing, and nothing says who has an account"
    assert "Forgot your password" in locked[0].body["message"]
    (letter,) = [each for each in await ground.letters(mail(acme)) if each.template == "sign_in_locked"]
    assert "/forgot" in letter.text
    assert (await within.get("/me")).status == (await within.post("/auth/refresh")).status == 200
    again = await within.post("/auth/login", {"email": mail(acme), "password": PASSWORD})
    assert again.status == 200, "guesses from elsewhere do not count in a browser that is known"
    within.token = again.body["access_token"]
    kept = await ground.sql("SELECT string_agg(encode(key, 'escape'), ' ') FROM sign_in_streaks")
    assert acme.name.lower() not in kept, "no address is kept"

    asked, device = (await within.post("/account/passkeys/options")).body, Authenticator()
    given = {"token": asked["token"], "credential": device.make(asked["options"]), "name": "Laptop"}
    assert (await within.post("/account/passkeys", given)).status == 200
    browser = server.client()
    asked = (await browser.post("/auth/passkey/options")).body
    signed = await browser.post("/auth/passkey", {"token": asked["token"], "credential": device.sign(asked["options"])})
    assert signed.status == 200
    assert (await sign_in(server, mail(acme)))[1].status == 200, "a factor was shown"

    await failed_before(mail(acme))
    await ground.sql("UPDATE sign_in_streaks SET failures = 101")
    assert (await sign_in(server, mail(acme)))[1].error == "sign_in_locked"
    assert (await server.client().post("/auth/forgot", {"email": mail(acme)})).status == 202
    (reset,) = [each for each in await ground.letters(mail(acme)) if each.template == "password_reset"]
    found = re.search(r"token=([A-Za-z0-9_-]+)", reset.text)
    assert found is not None
    assert (await server.client().post("/auth/reset", {"token": found[1], "password": NEW})).status == 204
    assert (await sign_in(server, mail(acme), NEW))[1].status == 200
