"""Pushes: the genuine ones are read, the others are told apart whatever is wrong with them."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from integrations.errors import Transient
from integrations.gmail import Google, GooglePushes
from integrations.mail import Push
from integrations.sandbox.gmail import GmailSandbox
from integrations.sandbox.gmail.signing import Signer, forge
from tests.integrations.conftest import eventually
from tests.integrations.mail_worlds import GmailWorld, client_of, letter, quick_retry

AUDIENCE = "https://ringside.example/webhooks/google/push"
PERSON = "paula@ringside.example"


@pytest.fixture
async def sandbox() -> AsyncIterator[GmailSandbox]:
    async with GmailSandbox() as sandbox:
        sandbox.push_to("http://127.0.0.1:1/", AUDIENCE)
        yield sandbox


@pytest.fixture
async def pushes(sandbox: GmailSandbox) -> AsyncIterator[GooglePushes]:
    async with Google.open(client_of(sandbox), None, timeout_s=20.0, retry=quick_retry(1)) as google:
        yield google.pushes


def body(told: Any = None, **changed: Any) -> bytes:
    told = {"emailAddress": PERSON, "historyId": 4711} if told is None else told
    message = {
        "data": base64.b64encode(json.dumps(told).encode()).decode(),
        "messageId": "17",
        "publishTime": "2026-11-23T09:00:00Z",
    }
    return json.dumps({"message": message | changed, "subscription": "projects/p/subscriptions/s"}).encode()


def bearer(sandbox: GmailSandbox, **changed: Any) -> str:
    given = {"audience": AUDIENCE, "subject": "1", "email": sandbox.push_settings.account} | changed
    return f"Bearer {sandbox.signer.identity(**given)}"


async def test_a_genuine_push_says_whose_mailbox_changed(sandbox: GmailSandbox, pushes: GooglePushes) -> None:
    assert await pushes.read(bearer(sandbox), body()) == Push(PERSON, "4711", "17")
    assert await pushes.read(bearer(sandbox, iss="accounts.google.com"), body()) == Push(PERSON, "4711", "17")


@pytest.mark.parametrize(
    "changed",
    [
        {"audience": "https://elsewhere.example/push"},
        {"email": "somebody@elsewhere.example"},
        {"email_verified": False},
        {"email_verified": "true"},
        {"iss": "https://accounts.elsewhere.example"},
        {"lasts_s": -3600},
        # Ahead of any run: the list is made when the tests are collected, long before some of them.
        {"iat": 4_102_444_800, "exp": 4_102_448_400},
        {"exp": None},
        {"aud": None},
        {"aud": [AUDIENCE, "https://elsewhere.example"]},
    ],
)
async def test_a_token_for_something_else_is_turned_away(
    sandbox: GmailSandbox, pushes: GooglePushes, changed: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=r"."):
        await pushes.read(bearer(sandbox, **changed), body())


async def test_a_token_that_another_has_signed_is_turned_away(sandbox: GmailSandbox, pushes: GooglePushes) -> None:
    now = int(time.time())
    claims = {
        "iss": "https://accounts.google.com",
        "aud": AUDIENCE,
        "email": sandbox.push_settings.account,
        "email_verified": True,
        "iat": now,
        "exp": now + 600,
    }
    for key_id in (sandbox.signer.key_id, "unknown", ""):
        with pytest.raises(ValueError, match=r"."):
            await pushes.read(f"Bearer {forge(claims, key_id)}", body())


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic abc", "Bearer a.b.c", "Bearer a.b", "Bearer é.é.é", "Bearer e30.e30.e30"]
)
async def test_no_token_is_no_push(pushes: GooglePushes, header: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        await pushes.read(header, body())


async def test_a_token_without_a_signature_is_turned_away(sandbox: GmailSandbox, pushes: GooglePushes) -> None:
    header, claims, _ = bearer(sandbox).removeprefix("Bearer ").split(".")
    none = base64.urlsafe_b64encode(json.dumps({"alg": "none", "kid": sandbox.signer.key_id}).encode()).decode().rstrip("=")
    for token in (f"{none}.{claims}.", f"{header}.{claims}.", f"{header}.{claims}.AAAA"):
        with pytest.raises(ValueError, match=r"."):
            await pushes.read(f"Bearer {token}", body())


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        body([]),
        body({"emailAddress": PERSON}),
        body({"emailAddress": "", "historyId": 1}),
        body({"emailAddress": PERSON, "historyId": "x"}),
        body({"emailAddress": 7, "historyId": 1}),
        body(data="%%%"),
        body(data=None),
        body(messageId=""),
        body(messageId=7),
        body(data="A" * 200_000),
    ],
)
async def test_what_is_no_push_is_turned_away(sandbox: GmailSandbox, pushes: GooglePushes, wrong: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        await pushes.read(bearer(sandbox), wrong)


async def test_certificates_are_asked_for_once_and_unknown_keys_do_not_hammer(
    sandbox: GmailSandbox, pushes: GooglePushes
) -> None:
    asked: list[str] = []
    certificates = sandbox.signer.certificates

    def counted() -> dict[str, str]:
        asked.append("")
        return certificates()

    sandbox.signer.certificates = counted  # type: ignore[method-assign]
    for _ in range(3):
        await pushes.read(bearer(sandbox), body())
    stranger = Signer()
    for _ in range(3):
        with pytest.raises(ValueError, match=r"."):
            token = stranger.identity(audience=AUDIENCE, subject="1", email=sandbox.push_settings.account)
            await pushes.read(f"Bearer {token}", body())

    assert len(asked) == 1


async def test_without_certificates_the_push_is_to_come_again() -> None:
    async with GmailSandbox() as sandbox:
        sandbox.push_to("http://127.0.0.1:1/", AUDIENCE)
        client, token = client_of(sandbox), bearer(sandbox)
    async with Google.open(client, None, retry=quick_retry(1)) as google:
        with pytest.raises(Transient):
            await google.pushes.read(token, body())


async def test_a_watched_mailbox_pushes_what_our_reader_takes(sandbox: GmailSandbox) -> None:
    got: list[Push] = []
    async with Google.open(client_of(sandbox), None, retry=quick_retry()) as google:

        async def take(request: web.Request) -> web.Response:
            got.append(await google.pushes.read(request.headers["Authorization"], await request.read()))
            return web.Response(status=204)

        app = web.Application()
        app.router.add_post("/push", take)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        sandbox.push_to(f"http://127.0.0.1:{runner.addresses[0][1]}/push", AUDIENCE)
        world = GmailWorld(sandbox, google, PERSON)
        watch = await world.mailbox.watch()
        assert watch is not None
        await world.deliver(letter())
        await eventually(lambda: any(int(each.cursor) > int(watch.cursor) for each in got))
        await runner.cleanup()

    assert {each.address for each in got} == {PERSON}
