"""Sign-in: what it answers, whom it refuses, how its tokens rotate and end."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import ipaddress
import itertools
import time
from collections.abc import Callable
from http.cookies import Morsel, SimpleCookie
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import jwt
import orjson
import pytest
import pytest_asyncio
from argon2 import PasswordHasher

from hub.auth.actions import FAILURES_PER_ACCOUNT, FAILURES_PER_ADDRESS
from hub.auth.tokens import ALGORITHM, AUDIENCE, ISSUER, LIFETIME_S
from hub.sqlfiles import load_sql
from tests.conftest import Company, TestDatabase, make_company
from tests.harness import PASSWORD, Answer, Api, RunningHub, make_settings, running_hub, until

COOKIE = "ringside_refresh"
AGENT = "Mozilla/5.0 (a laptop)"
# What is checked is what the hash says: a cheap one keeps the tests quick.
CHEAP_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
AUTH = load_sql("auth")


pytestmark = pytest.mark.asyncio(loop_scope="module")
_numbers = itertools.count(1)


@pytest_asyncio.fixture(loop_scope="module")
async def server(lasting_server: RunningHub, lasting_database: TestDatabase) -> RunningHub:
    """One hub for the file; nobody has failed to sign in yet."""
    await as_admin(lasting_database, "DELETE FROM sign_in_failures")
    return lasting_server


@pytest_asyncio.fixture(loop_scope="module")
async def acme(server: RunningHub) -> Company:
    return await make_company(server.hub.db, f"Acme{next(_numbers)}", CHEAP_HASH)


@pytest_asyncio.fixture(loop_scope="module")
async def globex(server: RunningHub) -> Company:
    return await make_company(server.hub.db, f"Globex{next(_numbers)}", CHEAP_HASH)


async def as_admin(database: TestDatabase, sql: str, *args: Any) -> Any:
    """What only the database's administrator may do or see: the first column of the first row."""
    conn = await asyncpg.connect(database.admin_url)
    try:
        return await conn.fetchval(sql, *args)
    finally:
        await conn.close()


def mail(company: Company, role: str = "rep") -> str:
    """The address of the company's member of a role."""
    return f"{role}@{company.name.lower()}.test"


async def join(server: RunningHub, email: str, **roles: Company) -> UUID:
    """A person with PASSWORD who belongs to these companies, as what the keyword says."""
    async with server.hub.db.acquire() as conn:
        for role, company in roles.items():
            user_id: UUID = await conn.fetchval(
                "SELECT create_member($1, $2, 'Bo Both', $3, $4)", company.tenant_id, email, CHEAP_HASH, role
            )
    return user_id


async def sign_in(api: Api, email: str, password: str = PASSWORD, **more: Any) -> Answer:
    return await api.post("/auth/login", {"email": email, "password": password, **more})


async def signed_in(server: RunningHub, email: str, agent: str = AGENT) -> tuple[Api, str]:
    """A client with a live access token and its cookie, and the refresh token in it."""
    api = server.client(**{"User-Agent": agent})
    answer = await sign_in(api, email)
    assert answer.status == 200, answer.body
    api.token = answer.body["access_token"]
    return api, cookie_of(answer).value


def cookie_of(answer: Answer) -> Morsel[str]:
    (header,) = answer.headers.getall("Set-Cookie")
    return SimpleCookie(header)[COOKIE]


async def refresh(server: RunningHub, token: str, agent: str = AGENT) -> Answer:
    """Exchange a refresh token from a client that has nothing else."""
    return await server.client().post("/auth/refresh", headers={"Cookie": f"{COOKIE}={token}", "User-Agent": agent})


async def refused(api: Api, within_s: float = 1.0) -> Answer:
    """The first answer that refuses the client's access token."""

    async def look() -> Answer | None:
        answer = await api.get("/me")
        return answer if answer.status == 401 else None

    found: Answer = await until(look, seconds=within_s)
    return found


async def test_signing_in_answers_who_where_and_as_what(server: RunningHub, acme: Company) -> None:
    answer = await sign_in(server.client(), f" {mail(acme).title()} ")
    assert answer.status == 200
    assert set(answer.body) == {"access_token", "expires_in", "user", "tenant", "role", "tenants"}
    company = {"id": str(acme.tenant_id), "name": acme.name}
    assert answer.body["user"] == {"id": str(acme.members["rep"]), "email": mail(acme), "name": f"Rep of {acme.name}"}
    assert (answer.body["tenant"], answer.body["role"]) == (company, "rep")
    assert answer.body["tenants"] == [{**company, "role": "rep"}]
    assert 300 <= answer.body["expires_in"] <= 900
    assert answer.headers["Cache-Control"] == "no-store"
    me = await server.client(answer.body["access_token"]).get("/me")
    assert {k: me.body[k] for k in ("user", "tenant", "role", "tenants")} == {
        k: answer.body[k] for k in ("user", "tenant", "role", "tenants")
    }


async def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(server: RunningHub, acme: Company) -> None:
    wrong = await sign_in(server.client(), mail(acme), "not it")
    unknown = await sign_in(server.client(), mail(acme, "nobody"))
    assert wrong.status == unknown.status == 401
    assert (wrong.error, wrong.body["message"], wrong.body["details"]) == (
        unknown.error,
        unknown.body["message"],
        unknown.body["details"],
    )
    assert "Set-Cookie" not in wrong.headers
    assert "Set-Cookie" not in unknown.headers


async def test_the_cookie_is_for_the_sign_in_endpoints_only_and_no_script_sees_it(server: RunningHub, acme: Company) -> None:
    cookie = cookie_of(await sign_in(server.client(), mail(acme)))
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/api/v1/auth")
    assert cookie["domain"] == ""
    assert cookie["secure"] == ""
    assert int(cookie["max-age"]) > 86_400


async def test_behind_https_the_cookie_is_secure(acme: Company, lasting_database: TestDatabase, valkey_url: str) -> None:
    settings = make_settings(lasting_database.app_url, valkey_url, public_url="https://ringside.example.com")
    async with running_hub(settings) as server:
        assert cookie_of(await sign_in(server.client(), mail(acme)))["secure"] is True


async def test_an_account_is_closed_after_ten_failures_even_when_they_come_at_once(server: RunningHub, acme: Company) -> None:
    api = server.client()
    tries = [sign_in(api, mail(acme), f"guess {n}") for n in range(FAILURES_PER_ACCOUNT + 6)]
    answers = await asyncio.gather(*tries)
    assert sorted(a.status for a in answers) == [401] * FAILURES_PER_ACCOUNT + [429] * 6
    late = await sign_in(api, mail(acme))
    assert (late.status, late.error) == (429, "sign_in_throttled")
    assert 0 < int(late.headers["Retry-After"]) <= 900
    assert late.body["details"]["retry_after_s"] == int(late.headers["Retry-After"])
    assert "Too many failed sign-ins" in late.body["message"]
    assert (await sign_in(api, mail(acme, "owner"))).status == 200


async def test_an_address_is_closed_after_fifty_failures_over_many_accounts(
    server: RunningHub, acme: Company, lasting_database: TestDatabase
) -> None:
    for n in range(FAILURES_PER_ADDRESS - 1):
        await server.hub.db.system_fetch(
            AUTH["take_attempt"],
            keys=[f"account:{n}@nowhere.test", "address:127.0.0.1"],
            limits=[FAILURES_PER_ACCOUNT, FAILURES_PER_ADDRESS],
            window_s=900,
        )
    assert (await sign_in(server.client(), mail(acme), "the fiftieth")).status == 401
    closed = await sign_in(server.client(), mail(acme, "owner"))
    assert (closed.status, closed.error) == (429, "sign_in_throttled")
    # What the closed address goes on trying is not held against the account.
    assert await failures_of(lasting_database, f"account:{mail(acme, 'owner')}") is None


async def failures_of(database: TestDatabase, key: str) -> int | None:
    found: int | None = await as_admin(database, "SELECT failures FROM sign_in_failures WHERE key = $1", key)
    return found


async def test_a_success_clears_the_account_and_gives_the_address_its_attempt_back(
    server: RunningHub, acme: Company, lasting_database: TestDatabase
) -> None:
    api = server.client()
    for _ in range(2):
        for n in range(FAILURES_PER_ACCOUNT - 1):
            assert (await sign_in(api, mail(acme), f"guess {n}")).status == 401
        assert (await sign_in(api, mail(acme))).status == 200
    assert await failures_of(lasting_database, f"account:{mail(acme)}") is None
    assert await failures_of(lasting_database, "address:127.0.0.1") == 2 * (FAILURES_PER_ACCOUNT - 1)


async def test_the_window_ends_by_itself(server: RunningHub, acme: Company, lasting_database: TestDatabase) -> None:
    api = server.client()
    for n in range(FAILURES_PER_ACCOUNT):
        await sign_in(api, mail(acme), f"guess {n}")
    assert (await sign_in(api, mail(acme))).status == 429
    await as_admin(lasting_database, "UPDATE sign_in_failures SET window_ends_at = now()")
    assert (await sign_in(api, mail(acme), "once more")).status == 401
    assert await failures_of(lasting_database, f"account:{mail(acme)}") == 1
    assert (await sign_in(api, mail(acme))).status == 200


FORWARDED: dict[str, list[tuple[list[str], str]]] = {
    "": [(["203.0.113.9"], "127.0.0.1")],
    "127.0.0.0/8,10.0.0.0/8": [
        ([], "127.0.0.1"),
        (["203.0.113.9"], "203.0.113.9"),
        (["6.6.6.6, 203.0.113.9"], "203.0.113.9"),
        (["6.6.6.6", "203.0.113.9"], "203.0.113.9"),
        (["6.6.6.6, 203.0.113.9, 10.1.2.3"], "203.0.113.9"),
        (["10.9.9.9, 192.0.2.7"], "192.0.2.7"),
    ],
}


@pytest.mark.parametrize("trusted", FORWARDED)
async def test_forwarded_addresses_count_only_as_far_as_trusted_proxies_wrote_them(
    acme: Company, lasting_database: TestDatabase, valkey_url: str, trusted: str
) -> None:
    networks = tuple(ipaddress.ip_network(n) for n in trusted.split(",") if n)
    body = {"email": mail(acme), "password": PASSWORD}
    async with running_hub(make_settings(lasting_database.app_url, valkey_url, trusted_proxies=networks)) as server:
        for forwarded, address in FORWARDED[trusted]:
            headers = [("X-Forwarded-For", value) for value in forwarded]
            async with server.client().session.post(f"{server.url}/api/v1/auth/login", json=body, headers=headers) as answer:
                assert answer.status == 200
            latest = "SELECT address FROM sessions ORDER BY id DESC LIMIT 1"
            assert await as_admin(lasting_database, latest) == address, forwarded


async def test_headers_that_are_no_text_do_no_harm(server: RunningHub, acme: Company) -> None:
    port = int(server.url.rsplit(":", 1)[1])
    body = orjson.dumps({"email": mail(acme), "password": PASSWORD})
    for path, sent in (("login", body), ("refresh", b"{}")):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"POST /api/v1/auth/%b HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
            b"User-Agent: \xff\xfe\r\nX-Forwarded-For: \xff\r\nAuthorization: Bearer \xff\r\nIdempotency-Key: \xff\r\n"
            b"Cookie: %b=\xff\xfe\r\nContent-Length: %d\r\n\r\n%b" % (path.encode(), COOKIE.encode(), len(sent), sent)
        )
        status = int((await reader.readline()).split()[1])
        writer.close()
        assert status == (200 if path == "login" else 401)


def forged(claims: dict[str, Any], key: bytes, header: dict[str, Any]) -> str:
    """A token whose header says what one likes, signed with HMAC-SHA256."""

    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    signed = part(orjson.dumps(header)) + "." + part(orjson.dumps(claims))
    return signed + "." + part(hmac.new(key, signed.encode(), hashlib.sha256).digest())


def without(name: str) -> Callable[[dict[str, Any], bytes], str]:
    return lambda claims, key: jwt.encode({k: v for k, v in claims.items() if k != name}, key, ALGORITHM)


def saying(**changed: Any) -> Callable[[dict[str, Any], bytes], str]:
    return lambda claims, key: jwt.encode(claims | changed, key, ALGORITHM)


FORGERIES: dict[str, Callable[[dict[str, Any], bytes], str]] = {
    "no algorithm": lambda claims, key: jwt.encode(claims, "", "none"),
    "no algorithm, in capitals": lambda claims, key: forged(claims, key, {"alg": "NONE", "typ": "JWT"}),
    "RS256 over an HMAC": lambda claims, key: forged(claims, key, {"alg": "RS256", "typ": "JWT"}),
    "another HMAC": lambda claims, key: jwt.encode(claims, key, "HS512"),
    "another key": lambda claims, key: jwt.encode(claims, b"k" * 32, ALGORITHM),
    "an empty key": lambda claims, key: forged(claims, b"", {"alg": "HS256", "typ": "JWT"}),
    "no signature": lambda claims, key: jwt.encode(claims, key, ALGORITHM).rpartition(".")[0] + ".",
    "an unknown critical header": lambda claims, key: jwt.encode(claims, key, ALGORITHM, headers={"crit": ["x"], "x": 1}),
    "another audience": saying(aud="another-api"),
    "another issuer": saying(iss="another"),
    "another type": saying(typ="refresh"),
    "another role": saying(role="system"),
    "expired": saying(exp=int(time.time()) - 1),
    "from the future": saying(iat=int(time.time()) + 3600),
    "a subject that is no id": saying(sub="rep"),
    "a tenant that is no id": saying(tid=7),
    **{f"without {name}": without(name) for name in ("exp", "iat", "sub", "aud", "iss", "typ", "tid", "sid", "role")},
}


@pytest.mark.filterwarnings("ignore:The HMAC key is")
@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_token_is_refused_in_words(server: RunningHub, acme: Company, forgery: str) -> None:
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "typ": "access",
        "sub": str(acme.members["owner"]),
        "tid": str(acme.tenant_id),
        "sid": str(uuid4()),
        "role": "owner",
        "name": "Owner",
        "iat": int(time.time()),
        "exp": int(time.time()) + LIFETIME_S,
    }
    key = server.settings.key("access-token")
    good = await server.client(jwt.encode(claims, key, ALGORITHM)).get("/contacts")
    answer = await server.client(FORGERIES[forgery](claims, key)).get("/contacts")
    assert (good.status, answer.status) == (200, 401)
    assert answer.error == ("token_expired" if forgery == "expired" else "token_invalid")
    assert answer.body["message"].endswith(".")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic cmVwOnJlcA==", "Bearer a.b.c", "bearer ..", "Token x"])
async def test_without_a_token_one_is_told_how_to_send_it(server: RunningHub, acme: Company, header: str) -> None:
    answer = await server.client(**{"Authorization": header}).get("/contacts")
    assert answer.status == 401
    assert answer.error in ("unauthorized", "token_invalid")


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
    assert (await refused(api)).error == "session_revoked"
    assert (await refused(server.client(fresh.body["access_token"]))).error == "session_revoked"
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
    assert (await refused(api)).error == "session_revoked"


async def test_a_thief_who_was_quicker_is_found_out_when_the_owner_comes(server: RunningHub, acme: Company) -> None:
    api, old = await signed_in(server, mail(acme))
    thief = await refresh(server, old, "curl/8")
    assert thief.status == 200
    assert (await api.post("/auth/refresh")).error == "refresh_token_reused"
    assert (await refresh(server, cookie_of(thief).value, "curl/8")).error == "session_ended"
    assert (await refused(server.client(thief.body["access_token"]))).error == "session_revoked"


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
    assert (await refused(here)).error == "session_revoked"
    assert (await refresh(server, token)).error == "session_ended"
    assert (await there.get("/me")).status == 200
    assert (await there.post("/auth/refresh")).status == 200


async def test_signing_out_everywhere_ends_all_of_ones_sessions_and_nobody_elses(server: RunningHub, acme: Company) -> None:
    here, _ = await signed_in(server, mail(acme))
    there, token = await signed_in(server, mail(acme), "a phone")
    colleague, _ = await signed_in(server, mail(acme, "owner"))
    assert (await here.post("/auth/logout", {"everywhere": True})).status == 204
    assert (await refused(here)).error == "session_revoked"
    assert (await refused(there)).error == "session_revoked"
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
    assert (await refused(api)).error == "deactivated"
    answer = await api.post("/auth/refresh")
    assert (answer.body["tenant"]["name"], [t["name"] for t in answer.body["tenants"]]) == (globex.name, [globex.name])
    api.token = answer.body["access_token"]
    assert (await api.get("/contacts")).status == 200
    assert (await api.post("/auth/switch", {"tenant_id": str(acme.tenant_id)})).status == 403


async def test_who_belongs_to_no_company_any_more_is_told_so(server: RunningHub, acme: Company) -> None:
    api, token = await signed_in(server, mail(acme))
    owner = server.as_member(acme, "owner")
    await owner.patch(f"/members/{acme.members['rep']}", {"status": "deactivated"})
    assert (await refused(api)).error == "deactivated"
    for answer in (await refresh(server, token), await sign_in(server.client(), mail(acme))):
        assert (answer.status, answer.error) == (403, "no_company")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": "rep@acme.test"},
        {"email": "", "password": "x"},
        {"email": "a@b.c", "password": ""},
        {"email": 1, "password": 2},
    ],
)
async def test_an_incomplete_sign_in_names_what_is_missing(server: RunningHub, body: dict[str, Any]) -> None:
    answer = await server.client().post("/auth/login", body)
    assert answer.status == 422
    assert answer.body["details"]["fields"]
