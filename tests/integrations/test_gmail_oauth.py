"""Google's consent, end to end in the sandbox: PKCE, scopes, codes that serve once, grants that are given back."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import ClientSession

from integrations.errors import Rejected, Transient
from integrations.gmail import SCOPES, Google
from integrations.gmail.oauth import MAIL_SCOPE
from integrations.sandbox.gmail import GmailSandbox
from tests.integrations.mail_worlds import client_of, quick_retry

BACK = "http://127.0.0.1:8080/oauth/google"
PERSON = "paula@ringside.example"


@pytest.fixture
async def sandbox() -> AsyncIterator[GmailSandbox]:
    async with GmailSandbox() as sandbox:
        yield sandbox


@pytest.fixture
async def google(sandbox: GmailSandbox) -> AsyncIterator[Google]:
    async with Google.open(client_of(sandbox), None, timeout_s=20.0, retry=quick_retry()) as google:
        yield google


def pkce() -> tuple[str, str]:
    """A verifier and its challenge (RFC 7636, 4.2)."""
    verifier = secrets.token_urlsafe(48)
    return verifier, base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


async def consent(google: Google, challenge: str, **changed: str) -> dict[str, str]:
    """Agree, as the person in the browser does; what comes back to us."""
    url = google.identity.consent_url(state="s t/a", code_challenge=challenge, redirect_uri=BACK, login_hint=PERSON)
    async with ClientSession() as browser, browser.get(url, params=changed | {"auto": "1"}, allow_redirects=False) as answer:
        assert answer.status == 302, await answer.text()
        place = answer.headers["Location"]
    assert place.startswith(BACK)
    return {name: values[0] for name, values in parse_qs(urlsplit(place).query).items()}


async def test_the_consent_asks_for_what_is_needed_and_no_more(google: Google) -> None:
    url = google.identity.consent_url(state="state", code_challenge="c" * 43, redirect_uri=BACK, login_hint=PERSON)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}

    assert asked["scope"].split() == list(SCOPES)
    assert (asked["access_type"], asked["prompt"], asked["code_challenge_method"]) == ("offline", "consent", "S256")
    assert asked["state"] == "state" and asked["redirect_uri"] == BACK and asked["login_hint"] == PERSON


async def test_a_consent_becomes_a_grant_that_opens_the_mailbox(google: Google) -> None:
    verifier, challenge = pkce()
    back = await consent(google, challenge)

    grant = await google.identity.exchange(code=back["code"], code_verifier=verifier, redirect_uri=BACK)

    assert back["state"] == "s t/a"
    assert grant.address == PERSON and MAIL_SCOPE in grant.scopes
    assert (await google.mailbox(PERSON, grant.refresh_token).profile()).address == PERSON
    assert grant.refresh_token not in repr(google.identity)


async def test_a_code_serves_once_and_only_whoever_asked_for_it(google: Google) -> None:
    verifier, challenge = pkce()
    code = (await consent(google, challenge))["code"]

    with pytest.raises(Rejected):
        await google.identity.exchange(code=code, code_verifier="x" * 64, redirect_uri=BACK)
    code = (await consent(google, challenge))["code"]
    await google.identity.exchange(code=code, code_verifier=verifier, redirect_uri=BACK)
    with pytest.raises(Rejected) as used:
        await google.identity.exchange(code=code, code_verifier=verifier, redirect_uri=BACK)
    assert used.value.code == "invalid_grant"


async def test_a_consent_without_leave_to_read_mail_is_told_in_words(sandbox: GmailSandbox, google: Google) -> None:
    verifier, challenge = pkce()
    url = google.identity.consent_url(state="s", code_challenge=challenge, redirect_uri=BACK, login_hint=PERSON)
    fewer = url.replace(
        parse_qs(urlsplit(url).query)["scope"][0].replace(" ", "+").replace(":", "%3A").replace("/", "%2F"), "openid+email"
    )
    assert fewer != url
    async with ClientSession() as browser, browser.get(f"{fewer}&auto=1", allow_redirects=False) as answer:
        code = parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]

    with pytest.raises(Rejected) as refused:
        await google.identity.exchange(code=code, code_verifier=verifier, redirect_uri=BACK)

    assert refused.value.code == "scope_missing"
    assert "tick" in refused.value.message


async def test_a_grant_is_given_back_and_giving_it_back_again_is_fine(google: Google) -> None:
    verifier, challenge = pkce()
    code = (await consent(google, challenge))["code"]
    grant = await google.identity.exchange(code=code, code_verifier=verifier, redirect_uri=BACK)

    await google.identity.revoke(grant.refresh_token)
    await google.identity.revoke(grant.refresh_token)

    with pytest.raises(Rejected) as refused:
        await google.mailbox(PERSON, grant.refresh_token).profile()
    assert refused.value.is_credential_fault


async def test_a_client_that_google_does_not_know_makes_no_mailbox_look_revoked(sandbox: GmailSandbox) -> None:
    token = sandbox.add_mailbox(PERSON)
    wrong = replace(client_of(sandbox), client_secret="GOCSPX-outdated")
    async with Google.open(wrong, None, retry=quick_retry()) as google:
        with pytest.raises(Rejected) as refused:
            await google.mailbox(PERSON, token).profile()

    assert refused.value.code == "invalid_client"
    assert not refused.value.is_credential_fault


async def test_a_token_endpoint_in_trouble_is_asked_again(sandbox: GmailSandbox, google: Google) -> None:
    token = sandbox.add_mailbox(PERSON)
    sandbox.fail("oauth.token", "500", 2)

    assert (await google.mailbox(PERSON, token).profile()).address == PERSON


async def test_a_token_endpoint_that_is_away_is_transient() -> None:
    async with GmailSandbox() as sandbox:
        client = client_of(sandbox)
    async with Google.open(client, None, retry=quick_retry(1)) as google:
        with pytest.raises(Transient) as away:
            await google.mailbox(PERSON, "1//token").profile()
    assert not away.value.ambiguous
