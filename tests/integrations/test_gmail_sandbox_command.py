"""`python -m integrations.sandbox.gmail`, its handles, and mail that outlasts it."""

import asyncio
import base64
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from integrations.sandbox.gmail import GmailSandbox, GmailSettings, SandboxClock
from integrations.sandbox.gmail.__main__ import parsed, serve
from tests.integrations.conftest import eventually
from tests.patience import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]
ADA = "ada@example.com"


async def test_the_command_prints_its_url_serves_and_stops_when_told() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "integrations.sandbox.gmail", "--port", "0", stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    assert process.stdout is not None
    url = (await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)).decode().strip()

    async with ClientSession() as session, session.get(url) as response:
        assert "Gmail sandbox" in await response.text()
    process.send_signal(signal.SIGTERM)

    assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0


async def test_serving_ends_with_the_signal(capsys: pytest.CaptureFixture[str]) -> None:
    serving = asyncio.create_task(serve(GmailSettings()))
    printed: list[str] = []

    def has_printed() -> bool:
        printed.append(capsys.readouterr().out)
        return bool(printed[-1])

    await eventually(has_printed)

    signal.raise_signal(signal.SIGTERM)

    await asyncio.wait_for(serving, PATIENCE_S)
    assert printed[-1].startswith("http://127.0.0.1:")


def test_the_command_line_sets_every_habit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_CLIENT_SECRET", "from the environment")
    pairs = {"--client-id": "an id", "--people": "silent", "--quota": "15000", "--mailbox": ADA, "--state": "mail.json"}
    pushes = {"--push-url": "http://127.0.0.1/push", "--push-topic": "projects/p/topics/t", "--push-account": "a@b"}
    values = [part for pair in (pairs | pushes).items() for part in pair]

    settings = parsed([*values, "--keep-message-id", "--clock", "2026-11-20T12:00:00+00:00@2026-11-20T11:00:00+00:00*60"])

    assert (settings.client_id, settings.client_secret, settings.people) == ("an id", "from the environment", "silent")
    assert (settings.quota_per_minute, settings.mailboxes, settings.state) == (15000, (ADA,), Path("mail.json"))
    assert (settings.push.url, settings.push.topic, settings.push.account) == tuple(pushes.values())
    assert parsed(["--seed", "40"]).seed == 40
    assert settings.keep_message_id and settings.clock.speed == 60
    assert parsed(["--speed", "5"]).clock == SandboxClock(speed=5) and parsed([]).people == "hash"


async def ask(sandbox: GmailSandbox, verb: str, path: str, body: Any = None) -> Any:
    async with ClientSession() as session, session.request(verb, f"{sandbox.url}/_sandbox/{path}", json=body) as response:
        told = await response.json()
        return told if response.status < 400 else response.status


async def test_the_handles_make_things_happen_and_show_them() -> None:
    async with GmailSandbox(GmailSettings(mailboxes=(ADA,))) as sandbox:
        opened = await ask(sandbox, "POST", "mailboxes", {"address": ADA, "display_name": "Ada"})
        arrived = await ask(
            sandbox,
            "POST",
            "deliver",
            {
                "address": ADA,
                "from": "Bob <bob@example.org>",
                "subject": "Größe",
                "text": "Hi",
                "html": "<p>Hi</p>",
                "headers": {"X-Odd": "1"},
                "attachments": [{"filename": "a.txt", "content_type": "text/plain", "data": base64.b64encode(b"a").decode()}],
            },
        )
        raw = base64.urlsafe_b64encode(b"Subject: raw\r\n\r\nx").decode()
        many = await ask(sandbox, "POST", "deliver", {"messages": [{"address": ADA, "raw": raw}] * 3})
        seeded = await ask(sandbox, "POST", "seed", {"address": "eva@example.com", "count": 20, "days": 2})

        assert opened["refresh_token"] in sandbox.grants.refresh_tokens
        stored = sandbox.mailboxes[ADA].get(arrived["id"])
        assert (stored.head.subject, stored.head.senders, len(many["messages"])) == ("Größe", ("bob@example.org",), 3)
        assert b"X-Odd: 1" in stored.raw and b"a.txt" in stored.raw
        assert (seeded["messages"], len((await ask(sandbox, "GET", "mailboxes"))["mailboxes"])) == (20, 2)
        assert (await ask(sandbox, "POST", "keep_message_id", {"on": True})) == {"on": True} and sandbox.keeps_message_id
        assert (await ask(sandbox, "POST", "people", {"mode": "hash"})) == {"mode": "hash"}
        assert (await ask(sandbox, "POST", "people", {"mode": "loud"})) == 400
        assert (await ask(sandbox, "POST", "expire", {"address": ADA})) == {}
        before = sandbox.mailboxes[ADA].history_id
        assert int((await ask(sandbox, "POST", "forget_history", {"address": ADA}))["history_id"]) > before
        assert (await ask(sandbox, "POST", "forget_history", {"address": "none@example.com"})) == 404
        assert (await ask(sandbox, "POST", "pushes", {"address": ADA}))["address"] == ADA
        assert (await ask(sandbox, "PUT", "pushes", {"url": "http://127.0.0.1:1/"}))["url"] == "http://127.0.0.1:1/"
        assert len((await ask(sandbox, "GET", "pushes"))["pushes"]) == 1
        assert (await ask(sandbox, "POST", "revoke", {"address": ADA})) == {"revoked": 1}
        assert (await ask(sandbox, "POST", "seed", {"address": "nothing"})) == 400


async def test_owner_and_people_act_when_told() -> None:
    async with GmailSandbox(GmailSettings(mailboxes=(ADA,))) as sandbox:
        sent = await ask(sandbox, "POST", "send", {"address": ADA, "to": "p@example.org", "subject": "By hand", "text": "Hi"})
        await ask(sandbox, "POST", "answer", {"number": sent["number"], "kind": "meet"})

        _, answer = sandbox.mailboxes[ADA].messages.values()
        assert (answer.head.subject, answer.thread_id) == ("Re: By hand", sent["thread_id"])
        assert await ask(sandbox, "POST", "answer", {"number": 2}) == 404
        assert await ask(sandbox, "POST", "answer", {"number": 1, "kind": "shout"}) == 400


async def test_what_was_sent_is_found_by_recipient_mailbox_and_message_id() -> None:
    async with GmailSandbox() as sandbox:
        sandbox.add_mailbox(ADA)
        for number in range(3):
            raw = f"To: p{number}@example.org\r\nMessage-ID: <{number}@ringside.example>\r\nSubject: {number}\r\n\r\nx".encode()
            sandbox.send(ADA, raw)

        async def found(query: str) -> list[int]:
            return [each["number"] for each in (await ask(sandbox, "GET", f"messages?{query}"))["messages"]]

        assert await found("") == [1, 2, 3]
        assert await found("to=p1@example.org") == [2]
        assert await found("message_id=<2@ringside.example>") == [3]
        assert await found(f"message_id={sandbox.sent[0].message_id}") == [1]
        assert await found("after=1") == [2, 3] and await found("mailbox=eva@example.com") == []
        (told,) = (await ask(sandbox, "GET", "messages?to=p0@example.org&raw=1"))["messages"]
        assert base64.urlsafe_b64decode(told["raw"]) == sandbox.sent[0].stored.raw


async def test_mail_outlasts_the_sandbox(tmp_path: Path) -> None:
    settings = GmailSettings(state=tmp_path / "mail.json")
    async with GmailSandbox(settings) as first:
        token = first.add_mailbox(ADA)
        first.seed(ADA, 30)
        mailbox = first.mailboxes[ADA]
        start = mailbox.history_id
        first.send(ADA, b"To: p@example.org\r\nSubject: x\r\nMessage-ID: <1@ringside.example>\r\n\r\ny")
        kept = {each.id: (each.thread_id, each.raw, each.labels, each.place) for each in mailbox.messages.values()}
    async with GmailSandbox(settings) as second:
        again = second.mailboxes[ADA]

        assert {each.id: (each.thread_id, each.raw, each.labels, each.place) for each in again.messages.values()} == kept
        assert [each.kind for each in again.changes_since(start)] == ["messagesAdded"]
        assert second.grants.refresh(token)[0] and second.sent[0].original_id == "<1@ringside.example>"
        assert again.add(b"Subject: new\r\n\r\n", {"INBOX"}).id not in kept
    assert (tmp_path / "mail.json").stat().st_mode & 0o077 == 0


async def test_a_damaged_file_is_put_aside(tmp_path: Path) -> None:
    for damaged in ("{", '{"mailboxes": [{"address": "ada@example.com"}]}', "[]"):
        (tmp_path / "mail.json").write_text(damaged)

        async with GmailSandbox(GmailSettings(state=tmp_path / "mail.json")) as sandbox:
            assert sandbox.mailboxes == {}
        assert (tmp_path / "mail.damaged").read_text() == damaged


async def test_ten_thousand_messages_are_there_in_no_time() -> None:
    async with GmailSandbox() as sandbox:
        began = time.process_time()
        mailbox = sandbox.seed(ADA, 10_000)

        assert len(mailbox.messages) == 10_000 and len({each.thread_id for each in mailbox.messages.values()}) > 5_000
        assert time.process_time() - began < 10
