"""A company's events reach its other systems: all of them, in order, signed, and nobody else's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from standardwebhooks.webhooks import WebhookVerificationError

from hub.outgoing.delivering import ATTEMPTS
from hub.outgoing.sealing import reseal
from hub.sealing import Seals
from tests.conftest import Company, TestDatabase
from tests.harness import Api, RunningHub, make_settings
from tests.outgoing.kit import Receiver, contact, endpoint, pass_time, say, work


def names(said: list[dict[str, object]]) -> list[object]:
    return [event["data"]["contact"]["first_name"] for event in said]  # type: ignore[index]


async def test_events_arrive_in_order_signed_and_once(
    server: RunningHub, database: TestDatabase, acme: Company, globex: Company, admin: Api, receiver: Receiver
) -> None:
    await contact(admin, "Before")
    path, secret = await endpoint(admin, receiver.url, "contact.created")
    for name in ("Ada", "Bob", "Eve"):
        await contact(admin, name)
    await contact(server.as_member(globex, "admin"), "Stranger")
    await admin.post("/tasks", {"title": "Of another type"})
    await work(server)
    headers = receiver.got[0][0]
    assert headers["Content-Type"] == "application/json"
    said = receiver.opened(secret)
    assert names(said) == ["Ada", "Bob", "Eve"]
    assert headers["webhook-id"] == said[0]["id"] and said[0]["type"] == "contact.created"
    await work(server)
    assert receiver.got == [], "each is sent once"
    listed = (await admin.get(f"{path}/deliveries")).body["data"]
    assert [(one["state"], one["status"], one["attempts"]) for one in listed] == [("accepted", 204, 1)] * 3
    shown = (await admin.get(f"/api/v1/webhook-deliveries/{listed[0]['id']}")).body
    assert shown["body"] == said[2]
    assert (await admin.get(path)).body["waiting"] == 0
    # While secrets change, whoever has either can verify; a day later the old one is worth nothing.
    changed = (await admin.post(f"{path}/secret/rotate")).body["secret"]
    assert (await admin.post(f"{path}/secret")).body["secret"] == changed != secret
    await contact(admin, "Rotated")
    await work(server)
    kept = list(receiver.got)
    assert receiver.opened(secret) and not receiver.got
    receiver.got = kept
    assert receiver.opened(changed)
    await say(database, "UPDATE outgoing_endpoints SET before_until = now()")
    await contact(admin, "Later")
    await work(server)
    with pytest.raises(WebhookVerificationError):
        receiver.opened(secret)
    assert names(receiver.opened(changed)) == ["Later"]
    [row] = await say(database, "SELECT sealed, sealed_before FROM outgoing_endpoints")
    assert secret not in str(row) and changed not in str(row)


async def test_what_is_refused_holds_up_the_rest_until_it_is_given_up(
    server: RunningHub, database: TestDatabase, admin: Api, receiver: Receiver
) -> None:
    path, secret = await endpoint(admin, receiver.url, "contact.created")
    for name in ("Ada", "Bob"):
        await contact(admin, name)
    receiver.answers = [web.Response(status=503, text="Try later", headers={"Retry-After": "120"})]
    await work(server)
    assert names(receiver.opened(secret)) == ["Ada"]
    [_, ada] = (await admin.get(f"{path}/deliveries")).body["data"]
    assert (ada["state"], ada["status"], ada["words"]) == ("waiting", 503, "It answers 503.")
    assert datetime.fromisoformat(ada["next_at"]) > datetime.now(UTC) + timedelta(seconds=100)
    assert (await admin.get(f"/api/v1/webhook-deliveries/{ada['id']}")).body["answer"] == "Try later"
    for _ in range(ATTEMPTS - 1):
        receiver.answers = [web.Response(status=302, headers={"Location": "/elsewhere"})]
        await pass_time(database)
        await work(server)
    assert names(receiver.opened(secret)) == ["Ada"] * (ATTEMPTS - 1), "Bob waits behind her, no redirect is followed"
    stopped = (await admin.get(path)).body
    assert stopped["state"] == "failing" and "redirect" in stopped["reason"] and stopped["waiting"] == 1
    [told] = (await admin.get("/notifications")).body["data"]
    assert told["kind"] == "webhook_stopped" and "127.0.0.1" in told["title"]
    await contact(admin, "Eve")
    await work(server)
    assert receiver.got == []
    assert (await admin.post(f"{path}/resume", {})).body["state"] == "active"
    await work(server)
    assert names(receiver.opened(secret)) == ["Ada", "Bob", "Eve"], "what was given up comes first"
    # A pause keeps the place; 410 pauses by itself.
    await admin.post(f"{path}/pause")
    await contact(admin, "Kim")
    await contact(admin, "Lea")
    await work(server)
    assert receiver.got == []
    receiver.answers = [web.Response(status=410)]
    await admin.post(f"{path}/resume", {})
    await work(server)
    assert names(receiver.opened(secret)) == ["Kim"]
    assert "410" in (await admin.get(path)).body["reason"]
    await admin.post(f"{path}/resume", {})
    await work(server)
    assert names(receiver.opened(secret)) == ["Kim", "Lea"]
    # What the log lost meanwhile is counted.
    await admin.post(f"{path}/pause")
    await contact(admin, "Lost")
    [row] = await say(database, "DELETE FROM events WHERE type = 'contact.created' AND frame LIKE '%Lost%' RETURNING seq")
    await say(database, "DELETE FROM events WHERE seq <= $1", row["seq"])
    await contact(admin, "Found")
    await admin.post(f"{path}/resume", {})
    await work(server)
    assert names(receiver.opened(secret)) == ["Found"]
    assert (await admin.get(path)).body["missed"] >= 1


async def test_tests_and_replays(server: RunningHub, admin: Api, receiver: Receiver) -> None:
    path, secret = await endpoint(admin, receiver.url, "contact.created")
    await admin.post(f"{path}/pause")
    assert (await admin.post(f"{path}/test")).status == 202
    await work(server)
    [test] = receiver.opened(secret)
    assert test["type"] == "webhook.test", "also where it stands still"
    await admin.post(f"{path}/resume", {})
    began = datetime.now(UTC)
    for name in ("Ada", "Bob"):
        await contact(admin, name)
    await work(server)
    first = receiver.opened(secret)
    [bob, *_] = (await admin.get(f"{path}/deliveries", state="accepted")).body["data"]
    assert (await admin.post(f"/api/v1/webhook-deliveries/{bob['id']}/replay")).body["kind"] == "replay"
    await work(server)
    assert receiver.opened(secret) == [first[1]], "with the id it had, so that receivers know it again"
    span = {"from_at": began.isoformat(), "until_at": datetime.now(UTC).isoformat()}
    assert (await admin.post(f"{path}/replay", span)).body == {"count": 2}
    await work(server)
    assert receiver.opened(secret) == first
    backwards = {"from_at": span["until_at"], "until_at": span["from_at"]}
    assert "later" in (await admin.post(f"{path}/replay", backwards)).field("until_at")
    ancient = {"from_at": "0001-01-01T00:00:00+14:00", "until_at": span["until_at"]}
    assert "nothing of that time" in (await admin.post(f"{path}/replay", ancient)).field("from_at")
    for url in (
        "http://example.com\\@[::1",
        "https://a:b@example.com",
        "https://example.com:99999/",
        "https://exämple.com",
        "ftp://x.org",
    ):
        assert (await admin.post("/api/v1/webhooks", {"url": url})).field("url"), url
    entries = (await admin.get("/audit")).body["data"]
    said = {one["action"] for one in entries}
    assert {"webhook.created", "webhook.state_changed", "webhook.replayed"} <= said
    assert secret not in str(entries)


async def test_nothing_is_sent_that_its_maker_may_not_see(
    server: RunningHub, database: TestDatabase, acme: Company, admin: Api, receiver: Receiver
) -> None:
    path, secret = await endpoint(admin, receiver.url)
    await admin.put("/notifications/settings", {"topics": {"tasks": {"console": True, "email": False, "push": False}}})
    owner = server.as_member(acme, "owner")
    await owner.post("/api-keys", {"name": "Mine", "scopes": ["contacts:read"]})
    await contact(admin, "Ada")
    await work(server)
    types = {event["type"] for event in receiver.opened(secret)}
    assert "contact.created" in types
    assert not any(name.startswith(("webhook.", "notification", "api_key.")) for name in types)
    # Who leaves or may not do it any more sends nothing more; whoever lets it go on does.
    await say(database, "UPDATE members SET status = 'deactivated' WHERE user_id = $1", acme.members["admin"])
    await contact(owner, "Bob")
    await work(server)
    assert receiver.got == []
    stopped = (await owner.get(path)).body
    assert stopped["state"] == "paused" and "does not work here" in stopped["reason"]
    taken = (await owner.post(f"{path}/resume", {})).body
    assert taken["user"]["id"] == str(acme.members["owner"])
    await work(server)
    assert any(event["type"] == "contact.created" for event in receiver.opened(secret))


async def test_private_hosts_are_refused_at_every_attempt(server: RunningHub, admin: Api, receiver: Receiver) -> None:
    path, _ = await endpoint(admin, receiver.url, "contact.created")
    await endpoint(admin, receiver.url.replace("127.0.0.1", "localhost"), "contact.created")
    await contact(admin, "Ada")
    secure = [one["id"] for one in (await admin.get("/api/v1/webhooks")).body["data"]]
    for each in secure:
        await admin.patch(f"/api/v1/webhooks/{each}", {"url": f"https://localhost:{receiver.url.split(':')[2]}"})
    await work(server, allow_private=False)
    assert receiver.got == []
    [ada] = (await admin.get(f"{path}/deliveries")).body["data"]
    assert ada["state"] == "waiting" and "public internet" in ada["words"]


async def test_secrets_are_sealed_anew_while_nothing_is_sent(
    server: RunningHub, database: TestDatabase, admin: Api, receiver: Receiver
) -> None:
    path, first = await endpoint(admin, receiver.url)
    second = (await admin.post(f"{path}/secret/rotate")).body["secret"]
    lone, _ = await endpoint(admin, receiver.url)
    await admin.post(f"{lone}/secret/rotate")
    await say(database, "UPDATE outgoing_endpoints SET before_until = now() WHERE id = $1", lone.rpartition("/")[2])
    changed = make_settings("", "", seal_keys={"new": "n" * 40, "secret": server.settings.secret})
    db = server.hub.db
    db.seals = Seals(changed)
    assert await reseal(db, db.seals) == 2
    assert await reseal(db, db.seals) == 0
    rows = await say(database, "SELECT sealed, sealed_before FROM outgoing_endpoints ORDER BY created_at")
    assert all(row["sealed"].startswith("v1.new.") for row in rows)
    assert rows[0]["sealed_before"].startswith("v1.new.") and rows[1]["sealed_before"] is None, "that one signs no more"
    # With the new key alone, all is as it was.
    db.seals = Seals(make_settings("", "", seal_keys={"new": "n" * 40}))
    await contact(admin, "Ada")
    await admin.post(f"{lone}/pause")
    await work(server)
    kept = list(receiver.got)
    assert receiver.opened(first)
    receiver.got = kept
    assert receiver.opened(second)
