"""OpenID Connect: what is asked, what is believed of the answers, and what is not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import get_args
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import ClientSession

from integrations.errors import Rejected, Transient
from integrations.guard import RetryPolicy
from integrations.identity import OpenIdClient, Person, Question
from integrations.oidc import OpenId
from integrations.sandbox.oidc import Fault, OidcSandbox, OidcSettings
from integrations.sandbox.oidc.faults import Lie
from tests.loop_clock import LIMIT_S

ADA = "ada@acme.test"
QUESTION = Question("http://127.0.0.1/oauth/sso/here", "a-state", "a-nonce", "a-verifier" * 5, ADA)


@pytest.fixture
async def sandbox() -> AsyncIterator[OidcSandbox]:
    async with OidcSandbox() as opened:
        yield opened


@pytest.fixture
async def oidc() -> AsyncIterator[OpenId]:
    async with OpenId.open(None, private_hosts=True, retry=RetryPolicy(2, 0.001, 0.01)) as opened:
        yield opened


def client_of(sandbox: OidcSandbox) -> OpenIdClient:
    return OpenIdClient(sandbox.url, sandbox.settings.client_id, sandbox.settings.client_secret)


async def code_for(oidc: OpenId, sandbox: OidcSandbox, question: Question = QUESTION) -> str:
    """The person signs in at the provider; the code that the browser brings back."""
    url = await oidc.ask_url(client_of(sandbox), question)
    async with ClientSession() as browser, browser.get(url + "&auto=1", allow_redirects=False) as answer:
        assert answer.status == 302, await answer.text()
        back = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert (back["state"], back["iss"]) == ([question.state], [sandbox.url])
    return back["code"][0]


async def identified(oidc: OpenId, sandbox: OidcSandbox, question: Question = QUESTION) -> Person:
    return await oidc.identify(client_of(sandbox), question, await code_for(oidc, sandbox, question), sandbox.url)


async def test_a_person_is_who_the_provider_says_with_keys_that_change(oidc: OpenId, sandbox: OidcSandbox) -> None:
    person = await identified(oidc, sandbox)
    assert (person.issuer, person.email, person.email_verified, person.name) == (sandbox.url, ADA, True, "Ada")
    assert (await identified(oidc, sandbox)).subject == person.subject
    assert sandbox.calls["description"] == sandbox.calls["keys"] == 1, "what was told is believed for a while"

    sandbox.people[ADA] = {"name": " Ada\n\x07 Lovelace ", "email_verified": "true"}
    said = await identified(oidc, sandbox)
    assert (said.name, said.email_verified) == ("Ada Lovelace", True)
    sandbox.people[ADA] = {"email": None, "email_verified": None}
    assert (await identified(oidc, sandbox)).email == ADA, "asked for at userinfo"
    sandbox.faults.add(Fault("userinfo", "other_subject"))
    with pytest.raises(Rejected, match="two different people"):
        await identified(oidc, sandbox)
    again = Question(QUESTION.redirect_uri, "s", "n", "v" * 43, ADA, max_age_s=0)
    assert "prompt=login" in await oidc.ask_url(client_of(sandbox), again)
    assert (await identified(oidc, sandbox, again)).subject == person.subject


async def test_a_new_key_is_asked_for_but_not_for_every_forgery(
    oidc: OpenId, sandbox: OidcSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integrations.oidc.provider.ASKED_AGAIN_S", LIMIT_S)
    await identified(oidc, sandbox)
    sandbox.faults.add(Fault("token", "unknown_key", times=3))
    for _ in range(3):
        with pytest.raises(Rejected, match="does not show"):
            await identified(oidc, sandbox)
    assert sandbox.calls["keys"] == 1, "they were asked for a moment ago"
    sandbox.signer.rotate(forget=True)
    monkeypatch.setattr("integrations.oidc.provider.ASKED_AGAIN_S", 0.0)
    assert (await identified(oidc, sandbox)).email == ADA
    assert sandbox.signer.keys[-1].algorithm == "ES256" and sandbox.calls["keys"] == 2


@pytest.mark.parametrize("lie", get_args(Lie))
async def test_an_id_token_is_not_believed_with(lie: Lie, oidc: OpenId, sandbox: OidcSandbox) -> None:
    sandbox.faults.add(Fault("token", lie))
    question = Question(QUESTION.redirect_uri, "s", "n", "v" * 43, ADA, max_age_s=0 if lie == "old_auth_time" else None)
    with pytest.raises(Rejected) as caught:
        await identified(oidc, sandbox, question)
    assert "eyJ" not in str(caught.value)


async def test_a_code_serves_once_for_its_verifier_and_its_way_back(oidc: OpenId, sandbox: OidcSandbox) -> None:
    client = client_of(sandbox)
    code = await code_for(oidc, sandbox)
    await oidc.identify(client, QUESTION, code, sandbox.url)
    stolen = Question(QUESTION.redirect_uri, QUESTION.state, QUESTION.nonce, "another-verifier" * 3)
    elsewhere = Question("http://127.0.0.1/oauth/sso/there", QUESTION.state, QUESTION.nonce, QUESTION.verifier)
    for question, used in ((QUESTION, code), (stolen, ""), (elsewhere, "")):
        with pytest.raises(Rejected) as caught:
            await oidc.identify(client, question, used or await code_for(oidc, sandbox), sandbox.url)
        assert caught.value.code == "invalid_grant"
    wrong = OpenIdClient(client.issuer, client.client_id, "not the secret")
    with pytest.raises(Rejected) as caught:
        await oidc.identify(wrong, QUESTION, await code_for(oidc, sandbox), sandbox.url)
    for named in ("", "https://login.example.com"):
        with pytest.raises(Rejected, match="another provider"):
            await oidc.identify(client, QUESTION, await code_for(oidc, sandbox), named)
    assert caught.value.code == "invalid_client" and "not the secret" not in str(caught.value)


async def test_a_provider_that_is_none_is_refused_in_words(oidc: OpenId, sandbox: OidcSandbox) -> None:
    client = client_of(sandbox)
    await oidc.check(client)
    for kind, words in (
        ("other_issuer_said", "says that it"),
        ("redirect", "elsewhere"),
        ("huge", "more than"),
        ("not_json", "JSON"),
    ):
        sandbox.faults.add(Fault("description", kind))  # type: ignore[arg-type]
        with pytest.raises(Rejected, match=words):
            await oidc.check(client)
    sandbox.faults.add(Fault("description", "503", times=5))
    with pytest.raises(Transient):
        await oidc.check(client)
    sandbox.faults.clear()
    for issuer in ("https://user:pw@127.0.0.1/", "ftp://127.0.0.1/x", "https://127.0.0.1/#f", "https://[::1", "https://a b/"):
        with pytest.raises(Rejected):
            await oidc.check(OpenIdClient(issuer, "id", "secret"))
    async with OidcSandbox(OidcSettings(secret_in_body=True)) as other:
        assert (await identified(oidc, other)).email == ADA


async def test_nothing_private_is_dialled_and_nothing_without_encryption(sandbox: OidcSandbox) -> None:
    async with OpenId.open(None, retry=RetryPolicy(1, 0.001, 0.01)) as careful:
        for issuer, words in (
            (sandbox.url, "https://"),
            (sandbox.url.replace("http:", "https:"), "public internet"),
            ("https://localhost:1", "public internet"),
            ("https://169.254.169.254", "public internet"),
            ("https://[::ffff:10.0.0.1]", "public internet"),
        ):
            with pytest.raises(Rejected, match=words):
                await careful.check(OpenIdClient(issuer, "id", "secret"))
    assert sandbox.calls == {}


async def test_what_the_operator_points_at_may_be_on_this_machine(sandbox: OidcSandbox) -> None:
    async with OpenId.open(None) as careful:
        ours = OpenIdClient(sandbox.url, sandbox.settings.client_id, sandbox.settings.client_secret, found_at=sandbox.url)
        await careful.check(ours)
        with pytest.raises(Rejected, match="https://"):
            await careful.check(client_of(sandbox))
