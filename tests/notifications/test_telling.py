"""Where people are told of things: in the console, by mail, on their devices, and not in their quiet hours."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hub.notifications.topics import TOPICS, topic_of
from hub.sealing import Seals
from integrations.sandbox.push import PushSandbox
from tests.conftest import Company, TestDatabase
from tests.harness import Api, RunningHub, company_with_passwords
from tests.letters import letters_to
from tests.notifications.kit import pass_time, rows, signed_in, subscribe, tell, work
from tests.workflow.kit import events


def night_now() -> dict[str, object]:
    """Quiet hours that began an hour ago and end in an hour."""
    now = datetime.now(UTC)
    minute = now.hour * 60 + now.minute
    return {
        "quiet": True,
        "quiet_from": (minute - 60) % 1440,
        "quiet_until": (minute + 60) % 1440,
        "quiet_weekends": False,
        "zone": "UTC",
    }


async def test_everybody_says_where_they_want_to_be_told(server: RunningHub, acme: Company, rep: Api) -> None:
    usual = (await rep.get("/notifications/settings")).body
    assert [topic["name"] for topic in usual["topics"]] == [topic.name for topic in TOPICS]
    assert usual["hours"]["quiet"] is False
    assert all(topic["console"] for topic in usual["topics"])
    nowhere = {"console": False, "email": False, "push": False}
    night = night_now()
    answer = await rep.put("/notifications/settings", {"topics": {"tasks": nowhere}, "hours": night})
    changed = next(topic for topic in answer.body["topics"] if topic["name"] == "tasks")
    assert nowhere.items() <= changed.items() and answer.body["hours"] == night
    assert (await rep.get("/notifications/settings")).body == answer.body
    [event] = await events(rep, "notification_settings.")
    assert event["data"] == {"what": "choices"}
    manager = server.as_member(acme, "manager")
    assert (await manager.get("/notifications/settings")).body == usual, "it is nobody else's"
    assert await events(manager, "notification_settings.") == []
    assert "no topic called nonsense" in (await rep.put("/notifications/settings", {"topics": {"nonsense": nowhere}})).field(
        "topics"
    )
    moon = night_now() | {"zone": "Moon/Tycho"}
    assert "time zone" in (await rep.put("/notifications/settings", {"hours": moon})).field("hours")
    await tell(server, acme, "task_due", "Call Ada")
    assert (await rep.get("/notifications")).body == {"data": [], "next_cursor": None, "unread": 0}
    assert await events(rep, "notification.") == []
    assert topic_of("brand_new_kind").name == "other"


async def test_mail_gathers_what_was_not_read_and_says_it_once(
    server: RunningHub, database: TestDatabase, acme: Company, rep: Api
) -> None:
    both = {"console": True, "email": True, "push": False}
    await rep.put("/notifications/settings", {"topics": {"messages": both, "tasks": both, "calls": both}})
    read = await tell(server, acme, "task_due", "Read at once")
    await tell(server, acme, "message", "Message from Ada", "Are you there?\nhttps://evil.test")
    await tell(server, acme, "missed_call", "Missed call from Bob")
    await tell(server, acme, "sequence_stopped", "Not by mail")
    await rep.post(f"/notifications/{read}/read")
    await work(server)
    assert await letters_to(database, server.settings, "rep@acme.test") == [], "who is at the console reads it there"
    await pass_time(database, 5)
    await work(server)
    await work(server)
    [letter] = await letters_to(database, server.settings, "rep@acme.test", acme)
    assert letter.subject == "2 things at Acme that you have not read yet"
    assert "- Message from Ada: Are you there? https: //evil.test" in letter.text
    assert "- Missed call from Bob" in letter.text and "Read at once" not in letter.text and "Not by mail" not in letter.text
    await tell(server, acme, "message", "Message from Eve", "Hello")
    await pass_time(database, 5)
    await work(server)
    [_, second] = await letters_to(database, server.settings, "rep@acme.test", acme)
    assert second.subject == "Message from Eve" and "\nHello" in second.text


async def test_quiet_hours_hold_mail_and_pushes_until_they_end(
    server: RunningHub, database: TestDatabase, service: PushSandbox
) -> None:
    company = await company_with_passwords(server, "Acme")
    rep = await signed_in(server, company)
    browser, _ = await subscribe(rep, service)
    everywhere = {"console": True, "email": True, "push": True}
    await rep.put("/notifications/settings", {"topics": {"messages": everywhere}, "hours": night_now()})
    for name in ("Ada", "Bob"):
        await tell(server, company, "message", f"Message from {name}", "secret words")
    assert (await rep.get("/notifications")).body["unread"] == 2, "the bell rings without a sound"
    await pass_time(database, 10)
    await work(server)
    assert browser.shown == [] and await letters_to(database, server.settings, "rep@acme.test") == []
    # The night was made longer meanwhile: what is due waits on.
    await pass_time(database, 70)
    await work(server)
    assert browser.shown == []
    await rep.put("/notifications/settings", {"hours": night_now() | {"quiet": False}})
    await pass_time(database, 70)
    await work(server)
    [push] = browser.shown
    assert push == {"id": None, "title": "2 things you have not read yet", "url": "/"}
    [letter] = await letters_to(database, server.settings, "rep@acme.test", company)
    assert letter.subject.startswith("2 things")
    held = await rows(database, "SELECT * FROM notifications WHERE mailed_at IS NULL OR pushed_at IS NULL")
    assert held == []


async def test_a_push_says_the_title_and_where_it_leads_and_only_its_browser_reads_it(
    server: RunningHub, database: TestDatabase, service: PushSandbox
) -> None:
    company = await company_with_passwords(server, "Acme")
    rep, manager = await signed_in(server, company), await signed_in(server, company, "manager")
    browser, path = await subscribe(rep, service)
    other, _ = await subscribe(manager, service)
    told = await tell(server, company, "message", "Message from Ada", "the private words")
    await work(server)
    assert browser.shown == [
        {"id": str(told), "title": "Message from Ada", "url": f"/contacts/{'0' * 8}-0000-0000-0000-{'0' * 11}1"}
    ]
    assert other.shown == []
    assert browser.headers[0]["urgency"] == "high" and browser.headers[0]["topic"] == told.hex
    [device] = (await rep.get("/push/devices")).body["data"]
    assert device["last_sent_at"] and device["is_this_sign_in"] and device["device"] == "Chromium on Linux"
    assert (await rep.post(f"{path}/test")).status == 204
    await work(server)
    assert browser.shown[1]["title"] == "Pushes from Ringside arrive here"
    stranger = await company_with_passwords(server, "Globex")
    for wrong in (manager, server.as_member(stranger, "owner")):
        assert (await wrong.post(f"{path}/test")).error == (await wrong.delete(path)).error == "device_not_found"
    # Nothing of the address, the keys or the text is in the database as it stands.
    kept = str(await rows(database, "SELECT * FROM push_subscriptions")) + str(await rows(database, "SELECT args FROM jobs"))
    assert browser.endpoint not in kept and "private words" not in kept
    keys = await rows(database, "SELECT * FROM installation_secrets")
    assert len(keys) == 1 and keys[0]["sealed"].startswith("v1.")
    assert (await rep.delete(path)).status == 204
    await tell(server, company, "message", "Message from Bob")
    await work(server)
    assert len(browser.shown) == 2


async def test_devices_go_when_the_browser_or_the_sign_in_does_and_stay_when_the_service_is_ill(
    server: RunningHub, database: TestDatabase, service: PushSandbox
) -> None:
    company = await company_with_passwords(server, "Acme")
    rep, phone = await signed_in(server, company), await signed_in(server, company)
    desk, _ = await subscribe(rep, service)
    mobile, _ = await subscribe(phone, service)
    tablet, _ = await subscribe(rep, service)
    service.gone.add(tablet.endpoint.rpartition("/")[2])
    await phone.post("/auth/logout", {})
    await tell(server, company, "message", "Message from Ada")
    await work(server)
    assert len(desk.shown) == 1 and mobile.shown == tablet.shown == []
    assert len((await rep.get("/push/devices")).body["data"]) == 1, "the others are forgotten"
    assert [e["data"]["what"] for e in await events(rep, "notification_settings.")].count("devices") >= 4
    service.answers = [503]
    await tell(server, company, "message", "Message from Bob")
    await work(server)
    [waiting] = await rows(database, "SELECT * FROM jobs WHERE state = 'ready'")
    assert waiting["kind"] == "notifications.push" and "503" in waiting["last_error"]
    await pass_time(database, 60)
    await work(server)
    assert [push["title"] for push in desk.shown] == ["Message from Ada", "Message from Bob"]
    service.answers = [403]
    await tell(server, company, "message", "Message from Cy")
    await work(server)
    [device] = (await rep.get("/push/devices")).body["data"]
    assert "403" in device["last_error"], "it is said where its person sees it"


async def test_only_what_a_browser_gives_is_taken_for_a_device(
    server: RunningHub, acme: Company, service: PushSandbox, rep: Api
) -> None:
    right = service.subscribe((await rep.get("/push/devices")).body["key"]).subscription()
    wrong = {
        "endpoint": ["ftp://push.test/x", "https://me:pw@push.test/x", "https://", "https://[::1/x", "http://a\u0308.test/x x"],
        "p256dh": ["A" * 87, right["p256dh"][:-2] + "AA", "\u2603" * 87, "B" + "!" * 86],
        "auth": ["A" * 21, "A" * 24],
    }
    for field, values in wrong.items():
        for value in values:
            answer = await rep.post("/push/devices", right | {field: value})
            assert answer.status == 422 and answer.field(field), (field, value)
    assert (await rep.post("/push/devices", right | {"device": "a\nb"})).status == 422
    for n in range(12):
        browser = service.subscribe("k").subscription(f"browser {n}")
        assert (await rep.post("/push/devices", browser)).status == 201
    listed = (await rep.get("/push/devices")).body["data"]
    assert len(listed) == 10 and listed[-1]["device"] == "browser 11"
    again = await rep.post("/push/devices", browser | {"device": "the same browser"})
    listed = (await rep.get("/push/devices")).body["data"]
    assert len(listed) == 10 and listed[-1] == again.body
    manager = server.as_member(acme, "manager")
    await manager.post("/push/devices", browser)
    assert len((await rep.get("/push/devices")).body["data"]) == 9, "somebody else uses this browser now"


async def test_pushes_outlive_the_key_that_their_secrets_were_sealed_with(
    server: RunningHub, database: TestDatabase, service: PushSandbox
) -> None:
    company = await company_with_passwords(server, "Acme")
    browser, _ = await subscribe(await signed_in(server, company), service)
    keys = {"new": "the key that seals from now on", "secret": server.settings.secret}
    server.hub.db.seals = Seals(replace(server.settings, seal_keys=keys))
    await tell(server, company, "message", "Message from Ada")
    await work(server)
    server.hub.db.seals = Seals(replace(server.settings, seal_keys={"new": keys["new"]}))
    await tell(server, company, "message", "Message from Bob")
    await work(server)
    assert [push["title"] for push in browser.shown] == ["Message from Ada", "Message from Bob"]
    server.hub.db.seals = Seals(replace(server.settings, seal_keys={"other": "nobody kept the one before"}))
    refused = await server.as_member(company).get("/push/devices")
    assert refused.status == 503 and "can't be opened" in refused.body["message"]
