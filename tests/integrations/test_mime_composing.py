"""What we write: read again as it was meant, by us and by Python, with nothing smuggled in."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes, policy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.mime import (
    Address,
    Draft,
    NewAttachment,
    attachment,
    compose_message,
    make_invitation,
    make_reply,
    read_message,
    recipients_of,
    without_bcc,
    wrap_thread,
)

ANN = Address("Ann Example", "ann@customer.example")
RON = Address("Ron Rep", "ron@ringside.example")
WRITTEN = datetime(2026, 11, 23, 9, 0, 5, tzinfo=timezone(timedelta(hours=1)))


def draft(**changes: Any) -> Draft:
    plain = Draft("<step-1@ringside.example>", RON, (ANN,), "Our offer", WRITTEN, text="Dear Ann,\n\nmay we talk?\n")
    return replace(plain, **changes)


def headers_of(raw: bytes) -> bytes:
    return raw.partition(b"\r\n\r\n")[0]


def test_a_message_is_read_as_it_was_written() -> None:
    given_draft = draft(
        subject="Größe 🎉 und mehr, " * 9,
        cc=(Address('Müller, "Jörg"', "joerg@kunde.example"), Address("", "b@x.example")),
        reply_to=(Address("Büro", "office@ringside.example"),),
        in_reply_to="<before@customer.example>",
        references=("<first@customer.example>", "<before@customer.example>"),
        html='<p>Dear <b>Ann</b>,</p><p>may we talk? <img src="cid:logo"></p>',
        attachments=(
            NewAttachment("Größe 1/2.pdf", "application/pdf", b"%PDF\0\xff"),
            NewAttachment("logo.png", "image/png", b"\x89PNG", "logo"),
        ),
        headers={"X-Ringside-Id": "7", "List-Unsubscribe": "<https://x.example/u/1>, <mailto:u@x.example>"},
    )
    raw = compose_message(given_draft)

    message = read_message(raw)

    assert message.problems == ()
    assert (message.message_id, message.in_reply_to) == (given_draft.message_id, given_draft.in_reply_to)
    assert message.references == given_draft.references
    assert (message.from_, message.to, message.cc, message.reply_to) == (RON, (ANN,), given_draft.cc, given_draft.reply_to)
    assert message.subject == given_draft.subject.strip() and message.date == WRITTEN
    assert message.text.strip() == given_draft.text.strip()
    assert "<b>Ann</b>" in message.html and 'data-cid="logo"' in message.html
    assert [(each.filename, attachment(raw, each.index)) for each in message.attachments] == [
        ("logo.png", b"\x89PNG"),
        ("Größe 1_2.pdf", b"%PDF\0\xff"),
    ]
    assert message.headers["x-ringside-id"] == "7"
    assert message.list_unsubscribe == given_draft.headers["List-Unsubscribe"]


def test_python_reads_it_the_same() -> None:
    raw = compose_message(draft(subject="Größe", html="<p>Grüße</p>", attachments=(NewAttachment("ü.txt", "text/plain", b"x"),)))

    message = message_from_bytes(raw, policy=policy.default)

    assert message["Subject"] == "Größe" and message["To"].addresses[0].addr_spec == ANN.address
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "text/plain",
    ]
    assert [part.get_filename() for part in message.iter_attachments()] == ["ü.txt"]
    assert all(not part.defects for part in message.walk())


def test_it_passes_any_server_on_the_way() -> None:
    raw = compose_message(
        draft(text="ü" * 5000 + "\n.\nFrom me\n" + "x" * 5000, subject="x" * 3000 + "ü", html="<p>" + "y" * 5000)
    )

    assert raw.isascii() and b"\r" not in raw.replace(b"\r\n", b"") and b"\n" not in raw.replace(b"\r\n", b"")
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert not re.search(rb"^(\.|From )", raw.partition(b"\r\n\r\n")[2], re.MULTILINE)
    assert read_message(raw).text.startswith("ü" * 5000 + "\n.\nFrom me\n")


def test_long_ids_are_never_cut_nor_encoded() -> None:
    long = f"<{'a' * 300}@{'b' * 60}.example>"

    raw = compose_message(draft(message_id=long, references=tuple(f"<{at}{long[1:]}" for at in range(30)), in_reply_to=long))

    assert b"=?" not in headers_of(raw)
    assert read_message(raw).message_id == long and len(read_message(raw).references) == 30


def test_the_same_draft_gives_the_same_bytes() -> None:
    whole = draft(html="<p>x</p>", attachments=(NewAttachment("a", "text/plain", b"x"),))

    assert compose_message(whole) == compose_message(whole)


def test_who_gets_a_blind_copy_is_in_the_envelope_and_not_in_the_copy_of_others() -> None:
    raw = compose_message(draft(bcc=(Address("Secret", "secret@x.example"), Address("", "other@x.example")), cc=(RON,)))

    assert recipients_of(raw) == [ANN.address, RON.address, "secret@x.example", "other@x.example"]
    assert b"secret@x.example" not in without_bcc(raw) and b"other@x.example" not in without_bcc(raw)
    assert without_bcc(raw).endswith(raw.partition(b"\r\n\r\n")[2])
    assert read_message(without_bcc(raw)).cc == (RON,)


@pytest.mark.parametrize(
    "changes",
    [
        {"message_id": "<a@b>\r\nBcc: eve@evil.example"},
        {"message_id": "no id"},
        {"in_reply_to": "<a@b> <c@d>"},
        {"references": ("<a@b>\nX: y",)},
        {"to": (Address("", "ann@customer.example\r\nBcc: eve@evil.example"),)},
        {"to": (Address("", "ann@customer.example, eve@evil.example"),)},
        {"to": (Address("", "nobody"),)},
        {"to": ()},
        {"headers": {"X-A": "b\r\nBcc: eve@evil.example"}},
        {"headers": {"X-A\r\nBcc": "eve@evil.example"}},
        {"headers": {"Bcc": "eve@evil.example"}},
        {"html": "<p>", "attachments": (NewAttachment("a", "image/png", b"", "x>\r\nX: y"),)},
    ],
)
def test_what_would_be_another_header_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        compose_message(draft(**changes))


def test_line_breaks_in_names_and_subjects_become_spaces() -> None:
    raw = compose_message(
        draft(
            subject="Hi\r\nBcc: eve@evil.example",
            from_=Address("Ron\r\nBcc: eve@evil.example", RON.address),
            attachments=(NewAttachment('a"\r\nX: y.txt', "text/html\r\nX: y", b"x"),),
        )
    )

    message = read_message(raw)
    assert message.bcc == () and message.subject == "Hi Bcc: eve@evil.example"
    assert message.from_ == Address("Ron Bcc: eve@evil.example", RON.address)
    assert not re.search(rb"^(X|Bcc):", raw, re.MULTILINE)


def test_a_domain_in_another_script_travels_in_ascii() -> None:
    raw = compose_message(draft(to=(Address("", "info@münchen.example"),)))

    assert recipients_of(raw) == ["info@xn--mnchen-3ya.example"]


def test_html_alone_gets_its_words_as_text() -> None:
    message = read_message(compose_message(draft(text="", html="<h1>Hello</h1><ul><li>One</li><li>Two</li></ul>")))

    assert message.text == "Hello\n\n- One\n- Two"


@given(
    subject=st.text(max_size=200),
    name=st.text(max_size=80),
    text=st.text(max_size=400),
    filename=st.text(max_size=60),
)
@settings(max_examples=120, deadline=None)
def test_any_words_come_through(subject: str, name: str, text: str, filename: str) -> None:
    raw = compose_message(
        draft(
            subject=subject,
            to=(Address(name, ANN.address),),
            text=text,
            attachments=(NewAttachment(filename, "text/plain", b"x"),),
        )
    )

    message = read_message(raw)

    assert raw.isascii() and message.bcc == () and [each.address for each in message.to] == [ANN.address]
    assert message.message_id == "<step-1@ringside.example>" and len(message.attachments) == 1
    assert message.subject.split() == re.sub("[\x00-\x1f\x7f\u2028\u2029\ud800-\udfff]", " ", subject).split()


def test_an_answer_goes_into_the_thread() -> None:
    first = read_message(compose_message(draft()))
    assert wrap_thread(first) == ("<step-1@ringside.example>", ("<step-1@ringside.example>",))

    answer = read_message(
        compose_message(
            draft(message_id="<answer@customer.example>", in_reply_to=first.message_id, references=wrap_thread(first)[1])
        )
    )
    assert wrap_thread(answer) == (
        "<answer@customer.example>",
        ("<step-1@ringside.example>", "<answer@customer.example>"),
    )

    many = replace(answer, references=tuple(f"<{at}@x.example>" for at in range(80)))
    parent, references = wrap_thread(many)
    assert parent == answer.message_id and len(references) == 30
    assert references[0] == "<0@x.example>" and references[-1] == answer.message_id


NOON = datetime(2026, 12, 3, 12, tzinfo=UTC)


def invitation(**changes: Any) -> bytes:
    values: dict[str, Any] = {
        "method": "REQUEST",
        "uid": "m1@ringside.example",
        "sequence": 1,
        "summary": "Größe; eine, Vorführung",
        "start": NOON,
        "end": NOON + timedelta(hours=1),
        "organizer": RON,
        "attendees": [ANN],
        "now": WRITTEN,
        "location": "Straße 1, Berlin",
        "description": "Line one\nline two",
    }
    return make_invitation(**values | changes)


def test_an_invitation_goes_out_in_an_alternative_and_as_a_file() -> None:
    raw = compose_message(draft(invitation=invitation(), html="<p>Come</p>"))

    message = read_message(raw)

    assert message.kind == "calendar" and message.invitation is not None
    got = message.invitation
    assert (got.method, got.uid, got.sequence, got.summary) == ("REQUEST", "m1@ringside.example", 1, "Größe; eine, Vorführung")
    assert (got.start, got.end, got.location, got.description) == (
        NOON,
        NOON + timedelta(hours=1),
        "Straße 1, Berlin",
        "Line one\nline two",
    )
    assert got.organizer == RON and [each.address for each in got.attendees] == [ANN.address]
    assert [each.filename for each in message.attachments] == ["invite.ics"]
    assert b"method=REQUEST" in raw


def test_a_meeting_is_called_off_and_answered() -> None:
    canceled = read_message(compose_message(draft(invitation=invitation(method="CANCEL", sequence=2)))).invitation
    reply = make_reply(
        uid="m1@ringside.example", sequence=1, organizer=ANN, attendee=RON, status="accepted", now=WRITTEN, start=NOON
    )
    answered = read_message(compose_message(draft(invitation=reply))).invitation

    assert canceled is not None and (canceled.method, canceled.status) == ("CANCEL", "cancelled")
    assert answered is not None and answered.method == "REPLY"
    assert [(each.address, each.status) for each in answered.attendees] == [(RON.address, "accepted")]


@pytest.mark.parametrize(
    "changes",
    [
        {"end": NOON - timedelta(hours=1)},
        {"start": NOON.replace(tzinfo=None)},
        {"attendees": [Address("", "no address")]},
    ],
)
def test_a_meeting_that_can_not_be_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        invitation(**changes)


def test_a_summary_brings_no_line_of_its_own_into_the_calendar() -> None:
    written = invitation(
        summary="x\r\nATTENDEE:mailto:eve@evil.example", location="y\nORGANIZER:z", attendees=[Address('a";X=1:', "a@b.example")]
    )

    got = read_message(compose_message(draft(invitation=written))).invitation

    assert got is not None and [each.address for each in got.attendees] == ["a@b.example"]
    assert got.organizer == RON
