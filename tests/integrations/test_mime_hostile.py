"""Whatever a stranger sends: it is read, in time, and nothing in it runs."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.mime import ParsedMessage, attachment, read_message
from integrations.mime.markup import ATTRIBUTES, TAGS
from integrations.mime.structure import Structure
from tests.e2e.people import find_chromium, open_browser
from tests.integrations.hostile_mail import SCRIPTS, broken_messages, html_message, nested, text_message

CORPUS = Path(__file__).parent.parent / "corpus" / "mail"
# Many times what the slowest takes on a machine of its own.
LONGEST_S = 8.0


def strings(value: object) -> Iterator[str]:
    """Every string in a value."""
    if isinstance(value, str):
        yield value
    elif is_dataclass(value):
        for field in fields(value):
            yield from strings(getattr(value, field.name))
    elif isinstance(value, tuple):
        for each in value:
            yield from strings(each)
    elif isinstance(value, dict):
        yield from strings((*value.keys(), *value.values()))


def check(message: ParsedMessage) -> None:
    """What holds for every message: Postgres takes its strings, its headers are one line each, nothing in its HTML acts."""
    assert "the message can't be read" not in message.problems
    for each in strings(message):
        assert "\0" not in each
        each.encode("utf-8")
    one_line = [message.subject, message.message_id, message.list_unsubscribe, *message.references, *message.headers.values()]
    one_line += [each.filename for each in message.attachments]
    for people in (message.to, message.cc, message.bcc, message.reply_to, (message.from_,)):
        one_line += [part for each in people for part in (each.name, each.address)]
    assert not any(re.search(r"[\r\n]", each) for each in one_line)
    for html in (message.html, message.quoted.new_html, message.quoted.quoted_html):
        check_html(html)


class Checker(HTMLParser):
    """Fails at whatever should not be there."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS
        allowed = ATTRIBUTES["*"] | ATTRIBUTES.get(tag, set()) | {"rel", "target", "data-remote-src", "data-cid"}
        for name, set_to in attrs:
            value = (set_to or "").lower()
            assert name in allowed - {"class", "id"}, name
            if name == "href":
                assert re.match(r"https?://|mailto:|tel:", value), value
            elif name == "src":
                assert re.match(r"data:image/(png|gif|jpe?g|webp|bmp);base64,", value), value
            elif name == "style":
                assert not re.search(r"url|expression|import|binding|behavior|position|var\(|\\|/\*|@", value), value

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)


def check_html(html: str) -> None:
    checker = Checker()
    checker.feed(html)
    checker.close()


BROKEN = dict(broken_messages())


@pytest.mark.parametrize("name", BROKEN)
def test_a_hostile_message_is_read_in_time(name: str) -> None:
    started = time.thread_time()
    message = read_message(BROKEN[name])

    assert time.thread_time() - started < LONGEST_S
    check(message)


def test_what_lies_too_deep_is_left_closed_and_said() -> None:
    message = read_message(nested(1000))

    assert "the message is nested too deeply or has too many parts, some were not looked into" in message.problems
    assert read_message(nested(10)).text == "at the bottom"


def test_a_header_that_hides_a_line_break_gives_no_other_header() -> None:
    message = read_message(BROKEN["an encoded line break"])

    assert message.subject == "a Bcc: eve@evil.example"
    assert message.bcc == ()


@pytest.mark.parametrize("script", SCRIPTS)
def test_nothing_that_acts_is_left_in_the_html(script: str) -> None:
    for html in (script, f"<p>before</p>{script}<p>after</p>", f"<table><tr><td>{script}</td></tr></table>", f"<b>{script * 3}"):
        check(read_message(html_message(html)))


def test_text_that_looks_like_html_stays_text() -> None:
    message = read_message(text_message(b"<script>alert(1)</script> a < b"))

    assert message.text == "<script>alert(1)</script> a < b" and message.html == ""


@given(st.binary(max_size=2000))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_read(raw: bytes) -> None:
    check(read_message(raw))


@given(st.text(max_size=600))
@settings(max_examples=150, deadline=None)
def test_any_html_is_made_safe(html: str) -> None:
    check(read_message(html_message(html.encode("utf-8", "replace"))))


@pytest.mark.parametrize("seed", range(3))
def test_damaged_messages_are_read(seed: int) -> None:
    dice = random.Random(seed)
    for path in sorted(CORPUS.glob("*.eml")):
        raw = bytearray(path.read_bytes())
        for _ in range(dice.randint(1, 25)):
            at = dice.randrange(len(raw))
            damage = dice.randrange(4)
            if damage == 0:
                raw[at] = dice.randrange(256)
            elif damage == 1:
                del raw[at : at + dice.randrange(60)]
            elif damage == 2:
                raw[at:at] = raw[: dice.randrange(80)]
            else:
                raw[at:at] = dice.choice([b"\r\n", b"\0", b"--", b"=?utf-8?b?", b'"', b"<script>", b"\xff\xfe", b";"])
            raw = raw or bytearray(b"x")
        check(read_message(bytes(raw)))
        for part in range(len(Structure(bytes(raw)).leaves())):
            attachment(bytes(raw), part)


async def test_no_browser_runs_or_loads_anything_of_them() -> None:
    chromium = find_chromium()
    if chromium is None:
        pytest.skip("no Chromium here: install it (Debian: apt install chromium) or name one in RINGSIDE_CHROMIUM")
    shown = [read_message(html_message(script)) for script in SCRIPTS]
    asked_for: list[str] = []
    ran: list[str] = []
    async with open_browser(chromium) as browser:
        page = await browser.new_page()
        page.on("request", lambda request: asked_for.append(request.url))
        page.on("dialog", lambda dialog: ran.append(dialog.message))
        await page.evaluate("() => { window.alert = () => { window.ran = true } }")
        await page.set_content("<!doctype html><div id=mail></div>")
        # Each by itself, as a page puts it in, and all of them as one document.
        await page.evaluate(
            """messages => {
                const mail = document.getElementById("mail")
                for (const html of messages) {
                    mail.innerHTML = html
                    for (const each of mail.querySelectorAll("*:not(a)")) { each.click?.(); each.focus?.() }
                }
            }""",
            [message.html for message in shown],
        )
        await page.set_content(f"<!doctype html>{''.join(message.html for message in shown)}")

        assert await page.evaluate("() => window.ran") is None

    assert ran == []
    assert [url for url in asked_for if not url.startswith(("about:", "data:image/"))] == []
