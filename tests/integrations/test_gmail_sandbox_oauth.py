"""The Gmail sandbox's consent, codes, tokens and what shows their worth."""

import base64
import hashlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import jwt
import pytest
from aiohttp import ClientSession
from cryptography.x509 import load_pem_x509_certificate
from yarl import URL

from integrations.sandbox.gmail import GmailSandbox, GmailSettings

ADA = "ada@example.com"
VERIFIER = "a-verifier-of-more-than-forty-three-characters-in-all"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
BACK = "https://ringside.example/oauth/google?kept=1"


@dataclass
class Google:
    sandbox: GmailSandbox
    session: ClientSession

    def asked(self, **other: str) -> dict[str, str]:
        return {
            "client_id": self.sandbox.settings.client_id,
            "redirect_uri": BACK,
            "response_type": "code",
            "scope": "openid email https://www.googleapis.com/auth/gmail.modify",
            "state": "a state",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "access_type": "offline",
        } | other

    async def consent(self, **other: str) -> URL:
        asked = self.asked(auto="1", login_hint=ADA, **other)
        async with self.session.get(f"{self.sandbox.url}/o/oauth2/v2/auth", params=asked, allow_redirects=False) as response:
            assert response.status == 302, await response.text()
            return URL(response.headers["Location"])

    async def post(self, path: str, **form: str) -> tuple[int, Any]:
        async with self.session.post(self.sandbox.url + path, data=form) as response:
            return response.status, await response.json()

    async def token(self, **form: str) -> tuple[int, Any]:
        known = {"client_id": self.sandbox.settings.client_id, "client_secret": self.sandbox.settings.client_secret}
        return await self.post("/token", **(known | form))

    async def trade(self, code: str, **other: str) -> tuple[int, Any]:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": VERIFIER}
        return await self.token(**(form | other))

    async def profile(self, access_token: str) -> int:
        headers = {"Authorization": f"Bearer {access_token}"}
        async with self.session.get(f"{self.sandbox.url}/gmail/v1/users/me/profile", headers=headers) as response:
            return response.status


@pytest.fixture
async def google() -> AsyncIterator[Google]:
    async with GmailSandbox() as sandbox, ClientSession() as session:
        yield Google(sandbox, session)


async def test_consent_leads_to_tokens_that_open_the_mailbox(google: Google) -> None:
    back = await google.consent()
    status, told = await google.trade(back.query["code"])
    _, renewed = await google.token(grant_type="refresh_token", refresh_token=told["refresh_token"])

    assert (str(back.with_query(None)), back.query["state"], back.query["kept"]) == (BACK.partition("?")[0], "a state", "1")
    assert (status, told["token_type"]) == (200, "Bearer")
    assert "https://www.googleapis.com/auth/userinfo.email" in told["scope"].split()
    assert await google.profile(told["access_token"]) == await google.profile(renewed["access_token"]) == 200
    claims = jwt.decode(told["id_token"], options={"verify_signature": False})
    assert (claims["email"], claims["email_verified"], claims["aud"]) == (ADA, True, google.sandbox.settings.client_id)


async def test_a_person_can_consent_on_the_page_or_not(google: Google) -> None:
    async with google.session.get(f"{google.sandbox.url}/o/oauth2/v2/auth", params=google.asked(login_hint=ADA)) as response:
        page = await response.text()
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))

    async def decide(decision: str) -> URL:
        form = hidden | {"address": "eva@example.com", "decision": decision}
        async with google.session.post(f"{google.sandbox.url}/o/oauth2/v2/auth", data=form, allow_redirects=False) as response:
            return URL(response.headers["Location"])

    assert f'value="{ADA}"' in page and "gmail.modify" in page
    allowed, denied = await decide("allow"), await decide("deny")
    assert (await google.trade(allowed.query["code"]))[0] == 200
    assert "eva@example.com" in google.sandbox.mailboxes
    assert (denied.query["error"], denied.query["state"]) == ("access_denied", "a state")


@pytest.mark.parametrize(
    "wrong",
    [{"client_id": "others"}, {"response_type": "token"}, {"redirect_uri": ""}, {"scope": ""}, {"code_challenge_method": "MD5"}],
)
async def test_what_can_not_be_asked_is_not_sent_back_to_the_program(google: Google, wrong: dict[str, str]) -> None:
    asked = google.asked(auto="1", **wrong)
    async with google.session.get(f"{google.sandbox.url}/o/oauth2/v2/auth", params=asked, allow_redirects=False) as response:
        assert response.status == 400 and "Access blocked" in await response.text()


async def test_a_code_works_once(google: Google) -> None:
    code = (await google.consent()).query["code"]
    first, _ = await google.trade(code)

    assert first == 200
    assert await google.trade(code) == (400, {"error": "invalid_grant", "error_description": "Malformed auth code."})


@pytest.mark.parametrize(
    ("other", "status", "error"),
    [
        ({"code_verifier": "another"}, 400, "invalid_grant"),
        ({"code_verifier": ""}, 400, "invalid_grant"),
        ({"redirect_uri": "https://elsewhere.example"}, 400, "redirect_uri_mismatch"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
async def test_a_code_is_traded_only_as_it_was_asked_for(google: Google, other: dict[str, str], status: int, error: str) -> None:
    answered, told = await google.trade((await google.consent()).query["code"], **other)

    assert (answered, told["error"]) == (status, error)


async def test_a_refresh_token_comes_the_first_time_or_when_consent_is_asked_anew(google: Google) -> None:
    _, first = await google.trade((await google.consent()).query["code"])
    _, second = await google.trade((await google.consent()).query["code"])
    _, third = await google.trade((await google.consent(prompt="consent")).query["code"])
    _, online = await google.trade((await google.consent(prompt="consent", access_type="online")).query["code"])

    assert ["refresh_token" in each for each in (first, second, third, online)] == [True, False, True, False]


async def test_a_revoked_grant_is_worth_nothing_at_once(google: Google) -> None:
    _, told = await google.trade((await google.consent()).query["code"])

    status, _ = await google.post("/revoke", token=told["refresh_token"])

    assert status == 200
    assert await google.profile(told["access_token"]) == 401
    again, refused = await google.token(grant_type="refresh_token", refresh_token=told["refresh_token"])
    assert (again, refused["error"]) == (400, "invalid_grant")
    assert (await google.post("/revoke", token=told["refresh_token"]))[1]["error"] == "invalid_token"


async def test_an_owner_takes_everything_back_or_lets_access_run_out(google: Google) -> None:
    refresh = google.sandbox.add_mailbox(ADA)
    _, told = await google.token(grant_type="refresh_token", refresh_token=refresh)

    google.sandbox.grants.expire_access(ADA)
    assert await google.profile(told["access_token"]) == 401
    assert (await google.token(grant_type="refresh_token", refresh_token=refresh))[0] == 200
    assert google.sandbox.revoke(ADA) == 1
    assert (await google.token(grant_type="refresh_token", refresh_token=refresh))[0] == 400


async def test_access_lasts_as_long_as_it_says() -> None:
    async with GmailSandbox(GmailSettings(access_token_s=0)) as sandbox, ClientSession() as session:
        google = Google(sandbox, session)
        _, told = await google.token(grant_type="refresh_token", refresh_token=sandbox.add_mailbox(ADA))

        assert told["expires_in"] == 0
        assert await google.profile(told["access_token"]) == 401


async def test_a_mailbox_may_have_a_past_when_it_opens() -> None:
    async with GmailSandbox(GmailSettings(seed=12)) as sandbox, ClientSession() as session:
        await Google(sandbox, session).consent()
        await Google(sandbox, session).consent()

        assert len(sandbox.mailboxes[ADA].messages) == 12


async def test_a_token_can_be_asked_whose_it_is(google: Google) -> None:
    _, told = await google.trade((await google.consent()).query["code"])

    status, info = await google.post("/tokeninfo", access_token=told["access_token"])
    headers = {"Authorization": f"Bearer {told['access_token']}"}
    async with google.session.get(f"{google.sandbox.url}/v1/userinfo", headers=headers) as response:
        person = await response.json()

    assert (status, info["email"], person["email"], person["sub"]) == (200, ADA, ADA, info["sub"])
    assert (await google.post("/tokeninfo", access_token="none"))[0] == 400
    async with google.session.get(f"{google.sandbox.url}/v1/userinfo") as response:
        assert response.status == 401


async def test_the_signature_can_be_checked_by_key_and_by_certificate(google: Google) -> None:
    token = google.sandbox.signer.identity(audience="aud", subject="1", email=ADA)
    async with google.session.get(f"{google.sandbox.url}/.well-known/openid-configuration") as response:
        places = await response.json()
    async with google.session.get(places["jwks_uri"]) as response:
        keys = jwt.PyJWKSet.from_dict(await response.json())
    async with google.session.get(f"{google.sandbox.url}/oauth2/v1/certs") as response:
        (certificate,) = (await response.json()).values()

    by_key = jwt.decode(token, keys[google.sandbox.signer.key_id].key, algorithms=["RS256"], audience="aud")
    public: Any = load_pem_x509_certificate(certificate.encode()).public_key()
    assert by_key == jwt.decode(token, public, algorithms=["RS256"], audience="aud")
    assert by_key["iss"] == places["issuer"]
