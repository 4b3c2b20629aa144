"""One session a browser: what its cookies are called, what ends when somebody signs in again, and who is told of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from http.cookies import SimpleCookie

import pytest
import pytest_asyncio

from tests.accounts.kit import LAPTOP, Ground, sign_in
from tests.beats import within_a_second
from tests.conftest import Company
from tests.harness import PASSWORD, Answer, RunningHub, make_settings, running_hub
from tests.realtime.kit import Client, clients

pytestmark = pytest.mark.asyncio(loop_scope="module")

OLD, NEW, BROWSER = "ringside_refresh", "__Secure-ringside_refresh", "__Host-ringside_browser"
KNOWN = "k" * 43


def mail(company: Company, role: str = "rep") -> str:
    return f"{role}@{company.name.lower()}.test"


def kept(answer: Answer) -> SimpleCookie:
    """What the browser is to keep."""
    found = SimpleCookie()
    for header in answer.headers.getall("Set-Cookie", ()):
        found.load(header)
    return found


async def test_who_signs_in_again_in_a_browser_ends_the_session_it_had(ground: Ground, server: RunningHub, acme: Company) -> None:
    browser, _ = await sign_in(server, mail(acme))
    elsewhere, _ = await sign_in(server, mail(acme), **{"User-Agent": "a phone"})
    before = server.client(browser.token)
    async with clients(Client.connect(server.url, browser.token)) as (live,):
        again = await browser.post("/auth/login", {"email": mail(acme), "password": PASSWORD})
        assert again.status == 200
        assert (await before.refused()).error == "session_revoked"
        await within_a_second(server.hub.realtime.withdrawn, lambda: live.of("bye"))
        assert live.of("bye") == [{"reason": "session_revoked"}]
    assert (await elsewhere.get("/me")).status == 200, "other browsers go on"
    reason = "SELECT revoked_reason FROM sessions WHERE user_id = $1 AND revoked_at IS NOT NULL"
    assert await ground.sql(reason, acme.members["rep"]) == "signed in again in the same browser"

    mine = server.client(again.body["access_token"])
    manager = await browser.post("/auth/login", {"email": mail(acme, "manager"), "password": PASSWORD})
    assert manager.status == 200
    assert (await mine.refused()).error == "session_revoked", "it was the browser's, whoever signs in there now"
    assert (await browser.post("/auth/refresh")).body["user"]["email"] == mail(acme, "manager")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def behind_https(lasting_ground: Ground, valkey_url: str) -> AsyncIterator[RunningHub]:
    """The same people at a hub that is reached by https."""
    url = lasting_ground.server.settings.database_url
    async with running_hub(make_settings(url, valkey_url, public_url="https://ringside.example.com")) as server:
        yield server


async def test_behind_https_cookies_have_prefixes_and_old_names_serve_once(
    ground: Ground, server: RunningHub, behind_https: RunningHub, acme: Company
) -> None:
    async def refresh(**cookies: str) -> Answer:
        jar = "; ".join(f"{name}={value}" for name, value in cookies.items())
        return await behind_https.client().post("/auth/refresh", headers={"Cookie": jar, "User-Agent": LAPTOP})

    _, answer = await sign_in(behind_https, mail(acme))
    own = {name: kept(answer)[name].value for name in (NEW, BROWSER)}
    going_on = await refresh(**own)
    assert going_on.status == 200 and OLD not in kept(going_on)
    own[NEW] = kept(going_on)[NEW].value
    planted = await refresh(**{OLD: own[NEW]})
    assert (planted.status, planted.error) == (401, "session_ended"), "any host of the domain can plant a plain name"

    _, theirs = await sign_in(behind_https, mail(acme, "manager"))
    fixed = await refresh(**{BROWSER: own[BROWSER], NEW: kept(theirs)[NEW].value})
    assert (fixed.status, fixed.error) == (401, "session_ended"), "a session of another browser's was planted"
    assert (await refresh(**own)).status == 200

    # A session from before there were prefixes.
    _, before = await sign_in(server, mail(acme, "admin"))
    await ground.sql("UPDATE sessions SET device = NULL WHERE user_id = $1", acme.members["admin"])
    old = kept(before)[OLD].value
    moved = await refresh(**{OLD: old, "ringside_device": KNOWN})
    assert moved.status == 200
    cookies = kept(moved)
    assert (cookies[OLD].value, cookies[OLD]["max-age"], cookies[OLD]["path"]) == ("", "0", "/api/v1/auth")
    assert (cookies["ringside_device"].value, cookies[BROWSER].value) == ("", KNOWN)
    assert (await refresh(**{OLD: cookies[NEW].value})).status == 401, "once"
    assert (await refresh(**{NEW: cookies[NEW].value, BROWSER: cookies[BROWSER].value})).status == 200
