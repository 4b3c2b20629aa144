"""Sign-in: what it answers, and whom it refuses."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import ipaddress
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import jwt
import orjson
import pytest

from hub.auth.actions import FAILURES_PER_ACCOUNT, FAILURES_PER_ADDRESS
from hub.auth.tokens import ALGORITHM, AUDIENCE, ISSUER, LIFETIME_S
from tests.api import sign_in as shared
from tests.api.sign_in import (
    AUTH,
    COOKIE,
    as_admin,
    cookie_of,
    mail,
    sign_in,
)
from tests.conftest import Company, TestDatabase
from tests.harness import PASSWORD, RunningHub, make_settings, running_hub

pytestmark = pytest.mark.asyncio(loop_scope="module")
server, acme, globex = shared.server, shared.acme, shared.globex


async def test_signing_in_answers_who_where_and_as_what(server: RunningHub, acme: Company) -> None:
    answer = await sign_in(server.client(), f" {mail(acme).title()} ")
    assert answer.status == 200
    assert {*answer.body} == {
        *("access_token", "expires_in", "user", "tenant", "role", "role_name", "permissions", "tenants"),
        "needs_second_factor",
    }
    company = {"id": str(acme.tenant_id), "name": acme.name}
    assert answer.body["user"] == {"id": str(acme.members["rep"]), "email": mail(acme), "name": f"Rep of {acme.name}"}
    assert (answer.body["tenant"], answer.body["role"]) == (company, "rep")
    assert answer.body["tenants"] == [{**company, "role": "rep", "role_name": None}]
    assert "contacts:read" in answer.body["permissions"]
    assert "roles:write" not in answer.body["permissions"]
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
        assert cookie_of(await sign_in(server.client(), mail(acme)), "__Secure-" + COOKIE)["secure"] is True


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


def later(name: str, seconds: int) -> Callable[[dict[str, Any], bytes], str]:
    # By the time at which it is used: these tests were collected long before.
    return lambda claims, key: jwt.encode(claims | {name: int(time.time()) + seconds}, key, ALGORITHM)


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
    "expired": later("exp", -1),
    "from the future": later("iat", 3600),
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
