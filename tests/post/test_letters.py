"""Letters that Ringside itself sends."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from hub.config import Settings
from hub.db import tenant_tx
from hub.environment import SettingsError
from hub.post import writing
from hub.post.actions import claim, erase_letters, post, settle
from hub.post.settings import SmtpSettings, page_path
from hub.post.writing import UnwritableLetter, write
from hub.templates.language import Language, parse
from tests.conftest import Company, TestDatabase
from tests.harness import RunningHub, make_settings, running_hub
from tests.letters import letters_to
from tests.post.kit import deliver, open_postman
from workers.post import deliver_letters
from workers.settings import compose

TEMPLATES = Path(writing.__file__).parent / "templates"
VALUES = {"company": "Acme", "by": "Ada", "link": "https://ringside.test/join?token=abc"}


def test_a_letter_has_a_subject_a_text_and_html_of_the_same_words() -> None:
    letter = write("test", VALUES)
    assert letter.subject == "A test letter from Acme"
    assert "Open Ringside:\nhttps://ringside.test/join?token=abc\n" in letter.text
    assert '<a href="https://ringside.test/join?token=abc"' in letter.html and ">Open Ringside</a>" in letter.html
    assert "asked for it" in letter.html.partition("border-top")[2], "what follows the dashes is small print"


def test_every_letter_there_is_can_be_read_and_says_what_it_is_about() -> None:
    found = sorted(TEMPLATES.glob("*.liquid"))
    assert [path.name for path in found if path.name == "test.txt.liquid"]
    for path in found:
        source = path.read_text(encoding="utf-8")
        assert parse(Language(html=path.name.endswith(".html.liquid")), source)
        if path.name.endswith(".txt.liquid"):
            first, empty, *rest = source.split("\n")
            assert first.startswith("Subject: ") and empty == "" and any(rest), path.name


def test_what_people_type_leads_nowhere_and_breaks_no_line() -> None:
    evil = "Acme\r\nBcc: x@y.test\n\n[Win](https://evil.test) www.evil.test <b>"
    letter = write("test", VALUES | {"company": evil})
    assert "\n" not in letter.subject and len(letter.subject) <= 200
    assert "https://evil" not in letter.text + letter.html and "www.evil" not in letter.text + letter.html
    assert "<b>" not in letter.html
    assert len(write("test", VALUES | {"by": "x" * 5000}).text) < 1000
    invited = {"inviter": "Ada", "name": "", "days": 7, "link": VALUES["link"]}
    for company in ("A [very] ](odd) name", "x" * 200):
        letter = write("invite", invited | {"company": company})
        assert f":\n{VALUES['link']}\n" in letter.text and "](" not in letter.html and letter.html.count("<a ") == 1
    with pytest.raises(UnwritableLetter, match="link"):
        write("test", VALUES | {"link": "javascript:alert(1)"})
    with pytest.raises(UnwritableLetter, match="needs by"):
        write("test", {"company": "Acme", "link": "https://x.test/"})
    for name in ("no_such_letter", "../actions", "Test"):
        with pytest.raises(UnwritableLetter):
            write(name, {})


def test_the_mail_server_is_set_by_one_address() -> None:
    needed = {"DATABASE_URL": "postgresql://db", "REDIS_URL": "redis://", "RINGSIDE_SECRET": "-" * 32}
    sender = {"MAIL_FROM": "Acme Sales <no-reply@acme.test>"}
    assert Settings.from_env(needed).smtp is None
    found = Settings.from_env(needed | sender | {"SMTP_URL": "smtps://me%40acme.test:s%2Fe@mail.acme.test"}).smtp
    assert found == SmtpSettings("mail.acme.test", 465, "tls", "me@acme.test", "s/e", "Acme Sales", "no-reply@acme.test")
    assert "s/e" not in repr(found)
    for url in ("mail.acme.test", "http://mail", "smtp://", "smtp://host:99999", "smtp://host/path", "smtp+plain://u:p@host"):
        with pytest.raises(SettingsError, match="SMTP_URL"):
            Settings.from_env(needed | sender | {"SMTP_URL": url})
    for wrong in ("", "nobody", "a@", "@b"):
        with pytest.raises(SettingsError, match="MAIL_FROM"):
            Settings.from_env(needed | {"SMTP_URL": "smtp://host", "MAIL_FROM": wrong})


async def test_without_a_mail_server_letters_lie_in_the_outbox_of_their_company(
    server: RunningHub, database: TestDatabase, acme: Company, globex: Company
) -> None:
    admin, stranger = server.as_member(acme, "admin"), server.as_member(globex, "owner")
    made = await admin.post("/outbox/test")
    assert (made.status, made.body["to"], made.body["state"]) == (201, "admin@acme.test", "waiting")
    path = f"/outbox/{made.body['id']}"
    assert (await admin.get(path)).body["text"] is None, "it may go out yet"
    await deliver(server)
    [listed] = (await admin.get("/outbox", state="kept")).body["data"]
    read = (await admin.get(path)).body
    assert read["letter"] == listed and listed["is_readable"] and "arrive at this address" in read["text"]
    assert (await admin.get("/outbox")).body["goes_out"] is False
    assert (await admin.post(f"{path}/again")).error == "letter_not_failed"
    assert (await server.as_member(acme, "manager").get("/outbox")).status == 403
    assert (await stranger.get("/outbox")).body["data"] == []
    assert (await stranger.get(path)).error == (await stranger.post(f"{path}/again")).error == "letter_not_found"
    [sealed] = await rows(database, "SELECT content FROM letters")
    assert sealed["content"].startswith("v1."), "who has a copy of the database has no links"


async def test_a_letter_comes_and_goes_with_its_transaction_and_its_key_is_used_once(
    server: RunningHub, database: TestDatabase, acme: Company
) -> None:
    db = server.hub.db
    with pytest.raises(ZeroDivisionError):
        async with tenant_tx(db, acme.who("admin")) as tx:
            await post(tx, to="ada@example.test", template="test", values=VALUES)
            raise ZeroDivisionError
    assert await letters_to(database, server.settings, "ada@example.test") == []
    async with tenant_tx(db, acme.who("admin")) as tx:
        assert await post(tx, to="ada@example.test", template="test", values=VALUES, key="once") is not None
        assert await post(tx, to="ada@example.test", template="test", values=VALUES, key="once") is None
    assert await post(db, to="ada@example.test", template="test", values=VALUES, tenant_id=acme.tenant_id, key="once") is None
    assert await post(db, to="ada@example.test", template="test", values=VALUES) is not None
    found = await letters_to(database, server.settings, "ada@example.test")
    assert [letter.token for letter in found] == ["abc", "abc"]
    assert len(await letters_to(database, server.settings, "ada@example.test", acme)) == 1
    seen = (await server.as_member(acme, "manager").get("/events", after=0)).body["data"]
    assert [event["data"]["state"] for event in seen if event["type"] == "letter.changed"] == ["waiting"]
    assert not [e for e in (await server.as_member(acme).get("/events", after=0)).body["data"] if e["type"] == "letter.changed"]


async def test_letters_of_no_company_are_on_a_page_that_only_a_sandbox_has(database: TestDatabase, valkey_url: str) -> None:
    for has_page in (True, False):
        settings = make_settings(database.app_url, valkey_url, outbox_page=has_page)
        async with running_hub(settings) as server:
            await post(server.hub.db, to="new@example.test", template="test", values=VALUES)
            session = server.client().session
            async with session.get(server.url + page_path(settings.key("outbox-page"))) as page:
                assert page.status == (200 if has_page else 404)
                body = await page.text()
                assert (f'<a href="{VALUES["link"]}">' in body and "new@example.test" in body) is has_page
            async with session.get(f"{server.url}/outbox/{'0' * 32}") as page:
                assert page.status == 404


async def test_letters_go_out_by_smtp_once_and_leave_no_text_behind(
    server: RunningHub, database: TestDatabase, acme: Company
) -> None:
    admin = server.as_member(acme, "admin")
    async with open_postman() as postman:
        await admin.post("/outbox/test")
        await post(server.hub.db, to="n\u00f6@b\u00fccher.test", template="test", values=VALUES)
        await post(server.hub.db, to="new@b\u00fccher.test", template="test", values=VALUES)
        postman.answers = ["451 greylisted, come again"]
        await deliver(server, postman)
        await rows(database, "UPDATE letters SET due_at = now()")
        await deliver(server, postman)
        await deliver(server, postman)
    got = {message.to[0].address: message for message in postman.taken}
    assert sorted(got) == ["admin@acme.test", "new@xn--bcher-kva.test"] and len(postman.taken) == 2
    letter = got["admin@acme.test"]
    assert (letter.from_.name, letter.from_.address) == ("Ringside", "no-reply@ringside.test")
    assert letter.headers.get("auto-submitted") == "auto-generated"
    assert "arrive at this address" in letter.text and "Open Ringside" in letter.html
    states = {row["to_address"]: (row["state"], row["content"]) for row in await rows(database, "SELECT * FROM letters")}
    assert states["admin@acme.test"] == ("sent", None)
    assert states["n\u00f6@b\u00fccher.test"][0] == "failed", "no server takes such a name without SMTPUTF8"


async def test_a_worker_has_its_mail_server_from_the_settings(database: TestDatabase, valkey_url: str) -> None:
    async with open_postman() as postman:
        smtp = SmtpSettings("127.0.0.1", postman.port, "none", "", "", "Acme Sales", "no-reply@acme.test")
        async with compose(make_settings(database.app_url, valkey_url, smtp=smtp)) as parts:
            await post(parts.deps.db, to="ada@example.test", template="test", values=VALUES)
            await deliver_letters.function(parts.deps)
            assert parts.deps.pushes is not None
    [letter] = postman.taken
    assert (letter.from_.name, letter.from_.address) == ("Acme Sales", "no-reply@acme.test")
    assert VALUES["link"] in letter.text


async def test_a_letter_whose_worker_died_is_taken_over_and_only_the_last_attempt_counts(
    server: RunningHub, database: TestDatabase, acme: Company
) -> None:
    db = server.hub.db
    for n in range(6):
        await post(db, to=f"ada{n}@example.test", template="test", values=VALUES, tenant_id=acme.tenant_id if n % 2 else None)
    both = await asyncio.gather(claim(db, limit=3, lease_s=120), claim(db, limit=3, lease_s=120))
    taken = [letter.id for letters in both for letter in letters]
    assert len(taken) == len(set(taken)) == 6, "no two workers have the same letter"
    assert await claim(db, limit=10, lease_s=120) == []
    await rows(database, "UPDATE letters SET due_at = now()")
    again = await claim(db, limit=10, lease_s=120)
    assert {letter.attempt for letter in again} == {2}
    for letter in both[0] + both[1]:
        await settle(db, letter.tenant_id, letter.id, letter.attempt, "failed", "the one that was thought dead")
    for letter in again:
        await settle(db, letter.tenant_id, letter.id, letter.attempt, "sent")
    assert {row["state"] for row in await rows(database, "SELECT * FROM letters")} == {"sent"}


async def test_a_letter_that_is_refused_is_given_up_and_an_admin_tries_again(
    server: RunningHub, database: TestDatabase, acme: Company
) -> None:
    admin = server.as_member(acme, "admin")
    path = f"/outbox/{(await admin.post('/outbox/test')).body['id']}"
    async with open_postman() as postman:
        postman.answers = ["550 no such mailbox"]
        await deliver(server, postman)
        failed = (await admin.get(path)).body
        assert failed["letter"]["state"] == "failed" and "no such mailbox" in failed["letter"]["last_error"]
        assert failed["text"] is None, "it may still be sent to somebody else"
        [told] = (await admin.get("/notifications")).body["data"]
        assert told["kind"] == "letter_failed" and told["title"] == "A letter to admin@acme.test could not be delivered"
        assert (await server.as_member(acme, "manager").get("/notifications")).body["data"] == []
        assert (await admin.post(f"{path}/again")).body["state"] == "waiting"
        await deliver(server, postman)
        assert (await admin.get(path)).body["letter"]["state"] == "sent"
    await admin.post("/outbox/test")
    await deliver(server, postman)
    [waiting] = (await admin.get("/outbox", state="waiting")).body["data"]
    assert waiting["attempts"] == 1 and waiting["last_error"], "nobody answers: it is tried again"


async def test_letters_to_whom_is_erased_or_about_them_go(server: RunningHub, database: TestDatabase, acme: Company) -> None:
    async with tenant_tx(server.hub.db, acme.who("admin")) as tx:
        for to, company in (("ada@example.test", "Acme"), ("bob@example.test", "Ada Lovelace"), ("eve@example.test", "Acme")):
            await post(tx, to=to, template="test", values=VALUES | {"company": company})
        await erase_letters(tx, ["ADA@example.test", "Ada Lovelace", "a"])
    assert [row["to_address"] for row in await rows(database, "SELECT * FROM letters")] == ["eve@example.test"]


async def rows(database: TestDatabase, sql: str) -> list[Any]:
    """What the database says to somebody whom no rule hides anything from."""
    conn = await asyncpg.connect(database.admin_url)
    try:
        return list(await conn.fetch(sql))
    finally:
        await conn.close()
