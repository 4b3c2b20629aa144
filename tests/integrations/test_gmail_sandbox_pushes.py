"""The Gmail sandbox's pushes: signed, in Pub/Sub's envelope, until somebody takes them."""

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import jwt
import orjson
import pytest
from aiohttp import ClientSession, web

from integrations.sandbox.gmail import GmailSandbox, GmailSettings, PushSettings
from integrations.sandbox.gmail.mailbox import WatchState
from integrations.sandbox.gmail.signing import forge
from tests.integrations.conftest import eventually

ADA = "ada@example.com"
QUICK = PushSettings(twice_every=0, retry_s=0.01, gather_s=0.02)


@dataclass
class Endpoint:
    """Takes pushes, after refusing as many as it is told to."""

    url: str = ""
    refusals: int = 0
    got: list[tuple[dict[str, Any], str]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.got.append((orjson.loads(await request.read()), request.headers["Authorization"]))
        self.refusals -= 1
        return web.Response(status=503 if self.refusals >= 0 else 204)

    @property
    def told(self) -> list[dict[str, Any]]:
        return [orjson.loads(base64.b64decode(body["message"]["data"])) for body, _ in self.got]


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    endpoint = Endpoint()
    app = web.Application()
    app.router.add_post("/push", endpoint.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    endpoint.url = f"http://127.0.0.1:{runner.addresses[0][1]}/push"
    yield endpoint
    await runner.cleanup()


@pytest.fixture
async def sandbox(endpoint: Endpoint) -> AsyncIterator[GmailSandbox]:
    async with GmailSandbox(GmailSettings(push=replace(QUICK, url=endpoint.url))) as sandbox:
        sandbox.add_mailbox(ADA)
        yield sandbox


async def watch(sandbox: GmailSandbox, **body: object) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {sandbox.access_token(ADA)}"}
    asked = {"topicName": sandbox.push_settings.topic} | body
    async with (
        ClientSession() as session,
        session.post(f"{sandbox.url}/gmail/v1/users/me/watch", json=asked, headers=headers) as response,
    ):
        assert response.status == 200
        return dict(await response.json())


async def test_a_watch_begins_with_a_push_and_lasts_a_week(sandbox: GmailSandbox, endpoint: Endpoint) -> None:
    before_ms = sandbox.settings.clock.now_ms()
    told = await watch(sandbox)
    after_ms = sandbox.settings.clock.now_ms()
    await eventually(lambda: endpoint.got)

    assert endpoint.told == [{"emailAddress": ADA, "historyId": int(told["historyId"])}]
    assert before_ms <= int(told["expiration"]) - 7 * 24 * 3600 * 1000 <= after_ms


async def test_the_first_push_of_a_mailbox_waits_for_none_before_it(endpoint: Endpoint) -> None:
    # Longer than any machine has been up: its clock begins at nought.
    async with GmailSandbox(GmailSettings(push=replace(QUICK, url=endpoint.url, gather_s=1e9))) as sandbox:
        sandbox.add_mailbox(ADA)
        await watch(sandbox)
        await eventually(lambda: endpoint.got)


async def test_a_push_is_signed_by_google_for_this_endpoint(sandbox: GmailSandbox, endpoint: Endpoint) -> None:
    await watch(sandbox)
    await eventually(lambda: endpoint.got)

    body, authorization = endpoint.got[0]
    keys = jwt.PyJWKSet.from_dict(sandbox.signer.jwks())
    token = authorization.removeprefix("Bearer ")
    claims = jwt.decode(token, keys[sandbox.signer.key_id].key, algorithms=["RS256"], audience=endpoint.url)
    assert (claims["email"], claims["email_verified"]) == (sandbox.push_settings.account, True)
    assert set(body) == {"message", "subscription"} and body["message"]["messageId"] == sandbox.pushes.log[0].message_id
    with pytest.raises(jwt.InvalidSignatureError):
        forged = forge(claims, sandbox.signer.key_id)
        jwt.decode(forged, keys[sandbox.signer.key_id].key, algorithms=["RS256"], audience=endpoint.url)


async def test_changes_close_together_are_one_push_with_the_latest_place(sandbox: GmailSandbox, endpoint: Endpoint) -> None:
    await watch(sandbox)
    await eventually(lambda: endpoint.got)
    for _ in range(20):
        sandbox.deliver(ADA, b"Subject: x\r\n\r\ny")
    await eventually(lambda: len(endpoint.got) == 2)

    assert endpoint.told[-1]["historyId"] == sandbox.mailboxes[ADA].history_id


async def test_a_push_comes_again_until_it_is_taken(sandbox: GmailSandbox, endpoint: Endpoint) -> None:
    endpoint.refusals = 3

    await watch(sandbox)
    await eventually(lambda: sandbox.pushes.log and sandbox.pushes.log[0].statuses[-1:] == [204])

    assert sandbox.pushes.log[0].statuses == [503, 503, 503, 204]
    assert len({body["message"]["messageId"] for body, _ in endpoint.got}) == 1


async def test_a_push_may_come_twice(sandbox: GmailSandbox, endpoint: Endpoint) -> None:
    sandbox.pushes.settings = replace(sandbox.pushes.settings, twice_every=1)

    sandbox.pushes.push(ADA, 7)
    await eventually(lambda: len(endpoint.got) == 2)

    assert endpoint.got[0][0] == endpoint.got[1][0]


async def test_only_what_is_watched_is_told(sandbox: GmailSandbox, endpoint: Endpoint) -> None:
    await watch(sandbox, labelIds=["INBOX"], labelFilterBehavior="include")
    await eventually(lambda: endpoint.got)
    mailbox = sandbox.mailboxes[ADA]
    mailbox.add(b"Subject: mine\r\n\r\n", {"SENT"})
    assert not sandbox.pushes._timers
    mailbox.add(b"Subject: theirs\r\n\r\n", {"INBOX"})
    assert sandbox.pushes._timers
    await eventually(lambda: len(endpoint.got) == 2)

    mailbox.watch = WatchState(mailbox.clock.now_ms() - 1)
    mailbox.add(b"Subject: too late\r\n\r\n", {"INBOX"})
    assert not sandbox.pushes._timers


async def test_a_watch_may_leave_labels_out() -> None:
    exclusive = WatchState(1, frozenset({"SPAM"}), is_exclusive=True)

    assert exclusive.wants(["INBOX"]) and not exclusive.wants(["SPAM", "UNREAD"])


async def test_without_an_endpoint_nothing_leaves(endpoint: Endpoint) -> None:
    async with GmailSandbox(GmailSettings(push=QUICK)) as sandbox:
        sandbox.add_mailbox(ADA)
        await watch(sandbox)
        await eventually(lambda: sandbox.pushes.log)
        assert sandbox.pushes.log[0].statuses == []

        sandbox.push_to(endpoint.url)
        sandbox.deliver(ADA, b"Subject: x\r\n\r\ny")
        await eventually(lambda: endpoint.got)
