"""What OWASP ASVS 5.0 says of sessions, tokens, OAuth and OpenID Connect, tried as somebody would who wants in.

Each test is named by its requirement. Companies' isolation is walked by tests/api/test_matrix.py, permissions by
tests/access, second factors and passkeys by tests/accounts.
"""

from __future__ import annotations

import base64
import hmac
import itertools
import re
import time
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import jwt
import orjson
import pytest
from aiohttp import ClientSession, CookieJar
from cryptography.hazmat.primitives.asymmetric import rsa

from hub.app import api_endpoints
from hub.auth.tokens import ALGORITHM, AUDIENCE, ISSUER, Tokens
from integrations.errors import Rejected
from integrations.oidc.provider import Description
from integrations.sandbox.oidc import Fault, OidcSandbox
from tests.conftest import Company
from tests.harness import PASSWORD, Answer, Api, make_settings, running_hub
from tests.sso import conftest
from tests.sso.conftest import House, mail

pytestmark = pytest.mark.asyncio(loop_scope="module")
house = conftest.house

COOKIE = "ringside_refresh"


async def log_in(house: House, email: str, cookie: str = "") -> tuple[Api, str]:
    """A signed-in client, and the refresh token that its browser keeps."""
    api = house.server.client()
    headers = {"Cookie": f"{COOKIE}={cookie}"} if cookie else {}
    answer = await api.post("/auth/login", {"email": email, "password": PASSWORD}, headers=headers)
    assert answer.status == 200, answer.body
    api.token = answer.body["access_token"]
    return api, cookies_of(answer)[COOKIE].value


def cookies_of(answer: Answer) -> SimpleCookie:
    found = SimpleCookie()
    for header in answer.headers.getall("Set-Cookie", ()):
        found.load(header)
    return found


async def refresh(house: House, token: str, **headers: str) -> Answer:
    """Try a refresh token from a client that has nothing else."""
    return await house.server.client().post("/auth/refresh", headers={"Cookie": f"{COOKIE}={token}", **headers})


async def refused(api: Api) -> str:
    """Why the client's access token is refused, within a second."""

    async def look() -> str | None:
        answer = await api.get("/me")
        return answer.error if answer.status == 401 else None

    reason: str = await api.within_a_second(look)
    return reason


# --- V3 Web frontend: cookies, requests from elsewhere, redirects ------------------------------------------------------


async def test_v3_3_cookies_are_for_their_purpose_and_no_script_sees_them(house: House, valkey_url: str) -> None:
    acme = await house.company()
    await house.set_up(acme)
    settings = make_settings(
        house.database.app_url, valkey_url, public_url="https://ringside.example.com", private_sso_hosts=True
    )
    async with running_hub(settings) as server:
        begun = await server.client().post("/sso/begin", {"email": mail(acme)})
        signed_in = await server.client().post("/auth/login", {"email": mail(acme), "password": PASSWORD})
    state, device = cookies_of(begun)["__Host-ringside_sso"], cookies_of(signed_in)["__Host-ringside_browser"]
    for kept in (state, device):
        assert (kept["httponly"], kept["secure"], kept["samesite"]) == (True, True, "Lax")
        assert (kept["path"], kept["domain"]) == ("/", ""), "what the prefix demands (3.3.3)"
    token = cookies_of(signed_in)["__Secure-" + COOKIE]
    assert (token["httponly"], token["secure"], token["samesite"], token["path"]) == (True, True, "Strict", "/api/v1/auth")
    assert token.value not in str(signed_in.body) and state.value not in str(begun.body), "only Set-Cookie carries them (3.3.4)"


async def test_v3_4_what_signs_in_is_in_no_frame_kept_nowhere_and_named_to_nobody(house: House) -> None:
    acme = await house.company()
    await house.set_up(acme)
    api = house.server.client()
    signed_in = await api.post("/auth/login", {"email": mail(acme), "password": PASSWORD})
    begun = await api.post("/sso/begin", {"email": mail(acme)})
    back = await api.call("GET", f"/oauth/sso/{acme.tenant_id}", allow_redirects=False)
    for answer in (signed_in, begun, back):
        assert answer.headers["Cache-Control"] == "no-store" and answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert back.headers["Referrer-Policy"] == "no-referrer", "nobody learns what came back from a provider"


async def test_v3_5_another_site_can_make_a_browser_do_nothing(house: House) -> None:
    acme = await house.company()
    _, token = await log_in(house, mail(acme))
    body = orjson.dumps({"email": mail(acme), "password": PASSWORD})
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as browser:
        for path, sent in (("/auth/login", body), ("/auth/refresh", b""), ("/sso/begin", b'{"google": true}')):
            url = f"{house.server.url}/api/v1{path}"
            for site in ("cross-site", "same-site"):
                headers = {"Sec-Fetch-Site": site, "Cookie": f"{COOKIE}={token}", "Content-Type": "application/json"}
                async with browser.post(url, data=sent, headers=headers) as answer:
                    assert (answer.status, (await answer.json())["error"]) == (403, "cross_site"), (path, site)
                    assert "Set-Cookie" not in answer.headers and "Access-Control-Allow-Origin" not in answer.headers
            for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
                async with browser.post(url, data=sent or b"{}", headers={"Content-Type": kind}) as answer:
                    assert answer.status in (401, 422), "what needs no preflight is no JSON (3.5.2)"
            for method in ("GET", "HEAD"):
                async with browser.request(method, url, headers={"Cookie": f"{COOKIE}={token}"}) as answer:
                    assert answer.status == 405, "what is safe by its method does nothing (3.5.3)"
        async with browser.options(f"{house.server.url}/api/v1/me", headers={"Origin": "https://evil.example"}) as answer:
            assert "Access-Control-Allow-Origin" not in answer.headers
    assert (await refresh(house, token)).status == 200, "the cookie was not used up"


async def test_v3_7_2_nobody_is_sent_to_another_site_but_the_provider_that_was_set(house: House) -> None:
    acme = await house.company()
    await house.set_up(acme)
    api = house.server.client()
    for path in (
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "/%0d%0a x",
    ):
        answer = await api.post("/sso/begin", {"email": mail(acme), "return_to": path})
        assert answer.status == 422, path
    for query in ({"state": "x", "code": "y"}, {"error": "https://evil.example"}, {"iss": "https://evil.example"}):
        back = await api.call("GET", "/oauth/sso/google", params=query, allow_redirects=False)
        assert urlsplit(back.headers["Location"])[:2] == ("", "")
    for lie in ("javascript:alert(1)", "//evil.example/x", "data:text/html,x", "http://169.254.169.254/"):
        said = description(authorization_endpoint=lie)
        with pytest.raises(Rejected):
            Description.read(said, said["issuer"], allow_private=False)


# --- V6 Authentication: what must not be told, and who says who somebody is ---------------------------------------------


async def test_v6_3_8_no_answer_says_whether_an_address_has_an_account(house: House) -> None:
    acme = await house.company()
    await house.set_up(acme)
    api = house.server.client()
    known, unknown = mail(acme), mail(acme, "nobody.here")
    for path, more in (("/auth/login", {"password": "not it"}), ("/auth/forgot", {}), ("/sso/begin", {})):
        answers = [await api.post(path, {"email": email, **more}) for email in (known, unknown)]
        told = [
            {k: v for k, v in (answer.body or {}).items() if k not in ("request_id", "timestamp", "url")} for answer in answers
        ]
        assert (answers[0].status, told[0]) == (answers[1].status, told[1]), path


async def test_v6_8_1_one_provider_cannot_speak_for_the_people_of_another(house: House) -> None:
    acme, globex = await house.company(), await house.company()
    await house.set_up(acme)
    assert await house.browser().sign_in(mail(acme)) == {"path": "/"}
    async with OidcSandbox() as theirs:
        victim = {"sub": house.oidc.about(mail(acme))["sub"], "email": mail(acme)}
        theirs.people[mail(globex, "admin")] = victim
        owner = house.server.as_member(globex, "owner")
        client = {"client_id": theirs.settings.client_id, "client_secret": theirs.settings.client_secret}
        assert (await owner.put("/sso/provider", {"label": "x", "issuer": theirs.url, "joins": True, **client})).status == 200
        browser = house.browser()
        landed = await browser.sign_in(mail(globex, "admin"), company=str(globex.tenant_id))
    assert landed["sso_problem"] == "address_unproven"
    assert (await browser.opened()).status == 401


# --- V7 Sessions -----------------------------------------------------------------------------------------------------


async def test_v7_2_session_tokens_are_random_new_each_time_and_not_kept(house: House) -> None:
    acme = await house.company()
    _, planted = await log_in(house, mail(acme, "manager"))
    victim, own = await log_in(house, mail(acme), cookie=planted)
    _, again = await log_in(house, mail(acme))
    assert len({planted, own, again}) == 3
    for token in (planted, own, again):
        assert len(base64.urlsafe_b64decode(token + "=")) >= 32, "256 bits where 128 are asked for (7.2.3)"
    who = (await victim.get("/me")).body["user"]["email"]
    taken = await refresh(house, planted)
    assert who == mail(acme) and (taken.status != 200 or taken.body["user"]["email"] == mail(acme, "manager")), (
        "a planted session does not become the victim's (7.2.4)"
    )
    kept = await house.as_admin(
        "SELECT count(*) FROM refresh_tokens WHERE encode(hash, 'escape') LIKE ANY ($1)", [f"%{planted}%", f"%{own}%"]
    )
    assert kept == 0


async def test_v7_3_2_and_v10_4_8_no_refreshing_makes_a_session_last_longer(house: House) -> None:
    acme = await house.company()
    _, token = await log_in(house, mail(acme))
    ends = "SELECT max(expires_at) FROM sessions WHERE user_id = $1"
    before = await house.as_admin(ends, acme.members["rep"])
    following = cookies_of(await refresh(house, token))[COOKIE].value
    assert await house.as_admin(ends, acme.members["rep"]) == before
    await house.as_admin("UPDATE sessions SET expires_at = now() WHERE user_id = $1", acme.members["rep"])
    late = await refresh(house, following)
    assert (late.status, late.error) == (401, "session_ended")


async def test_v7_4_a_session_that_ended_is_over_everywhere_within_a_second(house: House) -> None:
    acme = await house.company()
    api, token = await log_in(house, mail(acme))
    assert (await api.post("/auth/logout", {})).status == 204
    assert await refused(api) == "session_revoked"
    assert (await refresh(house, token)).error == "session_ended"
    gone, token = await log_in(house, mail(acme, "manager"))
    owner = house.server.as_member(acme, "owner")
    assert (await owner.patch(f"/members/{acme.members['manager']}", {"status": "deactivated"})).status == 200
    assert await refused(gone) == "deactivated"
    assert (await refresh(house, token)).status in (401, 403)


FRESH = [e for e in api_endpoints(make_settings("", ""), Tokens(b"\0" * 32)) if e.fresh]


async def test_v7_5_what_is_dangerous_asks_who_it_is_once_more(house: House) -> None:
    acme = await house.company()
    names = {e.name for e in FRESH}
    assert {"set_sso_provider", "enforce_sso", "connect_account", "prove_domain"} <= names and len(names) > 10
    stale = house.server.client(house.server.token(acme, "owner", confirmed_at=time.time() - 3600))
    for endpoint in FRESH:
        path = re.sub(r"{\w+}", str(uuid4()), endpoint.path)
        answer = await stale.call(endpoint.method, path, json={} if endpoint.body else None)
        assert (answer.status, answer.error) in {(403, "step_up_required"), (422, "invalid")}, endpoint.path
        assert answer.status == 403, endpoint.path


# --- V9 Self-contained tokens ----------------------------------------------------------------------------------------


def claims_of(house: House, company: Company, **more: Any) -> dict[str, Any]:
    now = time.time()
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "typ": "access",
        "sub": str(company.members["rep"]),
        "tid": str(company.tenant_id),
        "sid": str(UUID(int=7)),
        "role": "rep",
        "name": "Rep",
        "iat": now,
        "auth_time": now,
        "exp": now + 300,
    }
    return {name: value for name, value in (claims | more).items() if value is not None}


def part(said: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(said)).rstrip(b"=").decode()


async def test_v9_1_only_our_own_signature_counts_by_our_own_key(house: House) -> None:
    acme, globex = await house.company(), await house.company()
    key = house.server.settings.key("access-token")
    good = jwt.encode(claims_of(house, acme), key, algorithm=ALGORITHM)
    assert (await house.server.client(good).get("/me")).status == 200
    header, body, signature = good.split(".")
    theirs = rsa.generate_private_key(65537, 2048)
    public = {
        k: v for k, v in jwt.algorithms.RSAAlgorithm.to_jwk(theirs.public_key(), as_dict=True).items() if k in ("kty", "n", "e")
    }
    forged: dict[str, str] = {
        "without a signature": f"{header}.{body}.",
        "of another company": f"{header}.{part(claims_of(house, globex))}.{signature}",
        "of a larger role": f"{header}.{part(claims_of(house, acme, role='owner'))}.{signature}",
        "with more permissions": f"{header}.{part(claims_of(house, acme, perms=['security:write']))}.{signature}",
        "by another key": jwt.encode(claims_of(house, acme), b"k" * 32, algorithm=ALGORITHM),
        "by an empty key": jwt_hmac({"alg": "HS256"}, claims_of(house, acme), b""),
        "by the key of something else": jwt.encode(claims_of(house, acme), house.server.settings.key("sso"), algorithm=ALGORITHM),
        "by a larger hash of our key": jwt_hmac({"alg": "HS512"}, claims_of(house, acme), key, "sha512"),
        "by a key of their own": jwt.encode(claims_of(house, acme), theirs, algorithm="RS256", headers={"jwk": public}),
        "with a key to fetch": jwt.encode(
            claims_of(house, acme), theirs, algorithm="RS256", headers={"jku": f"{house.oidc.url}/keys", "x5u": house.oidc.url}
        ),
        "with a key from a file": jwt_hmac({"alg": "HS256", "kid": "../../../../dev/null"}, claims_of(house, acme), b""),
    }
    for none in ("none", "None", "NONE", "nOnE", ""):
        forged[f"alg {none!r}"] = f"{part({'alg': none, 'typ': 'JWT'})}.{body}."
        forged[f"alg {none!r} with our signature"] = f"{part({'alg': none, 'typ': 'JWT'})}.{body}.{signature}"
    before = house.oidc.calls.get("keys", 0)
    for name, token in forged.items():
        answer = await house.server.client(token).get("/me")
        assert (answer.status, answer.error) == (401, "token_invalid"), name
    assert house.oidc.calls.get("keys", 0) == before, "nobody says where our key is (9.1.3)"


def jwt_hmac(header: dict[str, Any], claims: dict[str, Any], key: bytes, digest_by: str = "sha256") -> str:
    signing = f"{part(header)}.{part(claims)}"
    digest = hmac.new(key, signing.encode(), digest_by).digest()
    return f"{signing}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


async def test_v9_2_and_v10_3_1_a_token_is_for_its_time_its_purpose_and_its_service(house: House) -> None:
    acme = await house.company()
    key = house.server.settings.key("access-token")
    now = time.time()
    wrong: dict[str, dict[str, Any]] = {
        "expired": {"exp": now - 1},
        "without an end": {"exp": None},
        "before its time": {"nbf": now + 300},
        "made in the future": {"iat": now + 300},
        "another audience": {"aud": "another-api"},
        "no audience": {"aud": None},
        "another issuer": {"iss": "https://evil.example"},
        "no issuer": {"iss": None},
        "an ID token's type": {"typ": "id"},
        "no type": {"typ": None},
        "no subject": {"sub": None},
        "a subject that is no id": {"sub": "owner"},
        "a role that is none": {"role": "system"},
        "no company": {"tid": None},
        "no session": {"sid": None},
    }
    for name, change in wrong.items():
        token = jwt.encode(claims_of(house, acme, **change), key, algorithm=ALGORITHM)
        answer = await house.server.client(token).get("/me")
        assert (answer.status, answer.error in ("token_invalid", "token_expired")) == (401, True), name
    _, cookie = await log_in(house, mail(acme))
    access = house.server.token(acme, "rep")
    id_token = house.oidc.signer.sign(claims_of(house, acme))
    for name, token in (("a refresh token", cookie), ("an ID token", id_token), ("nothing", "x"), ("a key", "rsk_" + "x" * 43)):
        assert (await house.server.client(token).get("/me")).status == 401, name
    assert (await refresh(house, access)).status == 401, "an access token is no refresh token"


# --- V10 OAuth and OpenID Connect ------------------------------------------------------------------------------------


async def test_v10_1_2_and_v10_2_1_an_answer_counts_in_the_browser_and_for_the_sign_in_it_belongs_to(house: House) -> None:
    acme = await house.company()
    await house.set_up(acme)
    victim, attacker = house.browser(), house.browser()

    async def begun(at: Any) -> str:
        url: str = (await at.api.post("/sso/begin", {"email": mail(acme)})).body["url"]
        return url

    asked = [parse_qs(urlsplit(await begun(victim)).query) for _ in range(2)]
    for name in ("state", "nonce", "code_challenge"):
        values = {each[name][0] for each in asked}
        assert len(values) == 2 and all(len(value) >= 43 for value in values), f"{name}: 256 bits, another each time"
    assert asked[0]["code_challenge_method"] == ["S256"] and asked[0]["response_type"] == ["code"]
    assert set(asked[0]["scope"][0].split()) == {"openid", "email", "profile"}, "no more than is needed (10.2.3)"

    theirs = await house.signed_in_at(await begun(attacker), mail(acme, "manager"))
    planted = {name: values[0] for name, values in parse_qs(theirs.query).items()}
    assert (await victim.land(theirs.path, planted))["sso_problem"] == "other_browser", "a whole answer of theirs"
    own = await begun(victim)
    stolen = {name: values[0] for name, values in parse_qs((await house.signed_in_at(await begun(attacker))).query).items()}
    victim.changes = {"code": stolen["code"]}
    assert (await victim.follow(own))["sso_problem"] == "provider_error", "their code in one's own sign-in: PKCE and the nonce"
    victim.changes = {}
    own = await begun(victim)
    back = await house.signed_in_at(own)
    mine = {name: values[0] for name, values in parse_qs(back.query).items()}
    assert (await attacker.land(back.path, mine))["sso_problem"] == "other_browser", "one's own answer at theirs"
    for browser in (victim, attacker):
        assert (await browser.opened()).status == 401


def description(**more: Any) -> dict[str, Any]:
    said = {
        "issuer": "https://login.example.com",
        "authorization_endpoint": "https://login.example.com/authorize",
        "token_endpoint": "https://login.example.com/token",
        "jwks_uri": "https://login.example.com/keys",
        "response_types_supported": ["code"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "code_challenge_methods_supported": ["S256"],
    }
    return {name: value for name, value in (said | more).items() if value is not None}


async def test_v10_2_2_and_v10_5_3_no_provider_can_pass_for_another(house: House) -> None:
    acme = await house.company()
    await house.set_up(acme)
    browser = house.browser()
    for named in ("https://login.example.com", ""):
        browser.changes = {"iss": named}
        assert (await browser.sign_in(mail(acme)))["sso_problem"] == "provider_error"
    assert Description.read(description(), "https://login.example.com", allow_private=False).algorithms == {"RS256"}
    downgrades: dict[str, dict[str, Any]] = {
        "another issuer": {"issuer": "https://login.example.com/"},
        "no PKCE": {"code_challenge_methods_supported": ["plain"]},
        "tokens without a signature": {"id_token_signing_alg_values_supported": ["none"]},
        "tokens by a shared secret": {"id_token_signing_alg_values_supported": ["HS256"]},
        "the implicit flow": {"response_types_supported": ["id_token token"]},
        "no encryption": {"token_endpoint": "http://login.example.com/token"},
        "no keys": {"jwks_uri": None},
        "no secret": {"token_endpoint_auth_methods_supported": ["none"]},
    }
    for name, change in downgrades.items():
        with pytest.raises(Rejected):
            Description.read(description(**change), "https://login.example.com", allow_private=False)
            pytest.fail(name)


async def test_v10_4_5_and_v10_4_9_a_refresh_token_that_comes_back_ends_the_session(house: House) -> None:
    acme = await house.company()
    api, first = await log_in(house, mail(acme))
    second = cookies_of(await refresh(house, first))[COOKIE].value
    replayed = await refresh(house, first, **{"User-Agent": "somebody else"})
    assert (replayed.status, replayed.error) == (401, "refresh_token_reused")
    assert (await refresh(house, second)).status == 401, "the thief's and the owner's are worth nothing now"
    assert await refused(api) == "session_revoked"
    for forged in ("", "x", first[:-1], first.swapcase(), second + "x", "a" * 43):
        assert (await refresh(house, forged)).status == 401


ID_TOKENS = {
    "v10_5_1_replayed": ("other_nonce", "no_nonce", "old", "expired"),
    "v10_5_2_nobody": ("no_subject",),
    "v10_5_4_for_others": ("other_audience", "more_audiences", "other_azp", "other_issuer"),
    "v6_8_2_unsigned": ("alg_none", "key_confusion", "other_key", "unknown_key"),
}


async def test_v10_5_an_id_token_is_for_this_sign_in_signed_and_for_us(house: House) -> None:
    acme = await house.company()
    await house.set_up(acme)
    browser = house.browser()
    for lie in itertools.chain(*ID_TOKENS.values()):
        house.oidc.faults.add(Fault("token", lie))  # type: ignore[arg-type]
        assert (await browser.sign_in(mail(acme)))["sso_problem"] == "provider_error", lie
    assert (await browser.opened()).status == 401
    assert await browser.sign_in(mail(acme)) == {"path": "/"}
