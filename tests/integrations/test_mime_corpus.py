"""Messages as they come in real life, and what is read in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.util import find_spec
from pathlib import Path

import pytest

from integrations.mime import Address, Attendee, Bounce, Complaint, MailKind, ParsedMessage, attachment, read_message
from tests.integrations.hostile_mail import html_message

CORPUS = Path(__file__).parent.parent / "corpus" / "mail"


def read(name: str) -> ParsedMessage:
    return read_message((CORPUS / f"{name}.eml").read_bytes())


@dataclass(frozen=True)
class Expected:
    kind: MailKind
    new_text: str = ""
    until: date | None = None


EXPECTED = {
    "gmail-reply": Expected("human", "Yes, let's talk on Thursday – 10:00 works.\n\nAnn"),
    "outlook-reply-de": Expected("human", "Guten Tag,\n\ngerne, rufen Sie mich nächste Woche an."),
    "apple-reply-plain": Expected("human", "Not interested, please remove me.\n\nSent from my iPhone"),
    "thunderbird-below": Expected("human", "Next month, as I am busy with the move and everything that comes with it.\n\n\nYes."),
    "person-on-holiday": Expected("human"),
    "list-reply": Expected("human", "I am interested."),
    "inline-image": Expected("human", "Here: Logo"),
    "japanese": Expected("human", "こんにちは。資料を送ってください。"),
    "unlabelled-latin": Expected("human", "Je suis très intéressée, à bientôt. C'est une idée géniale, merci beaucoup."),
    "unlabelled-russian": Expected("human", "Добрый день! Пришлите, пожалуйста, ваши цены и условия доставки в Москву. Спасибо."),
    "exchange-away-en": Expected("out_of_office", until=date(2026, 12, 4)),
    "exchange-away-de": Expected("out_of_office", until=date(2026, 12, 4)),
    "vacation-fr": Expected("out_of_office", until=date(2026, 12, 7)),
    "vacation-es": Expected("out_of_office", until=date(2026, 12, 9)),
    "gmail-vacation": Expected("out_of_office", until=date(2026, 11, 30)),
    "away-no-headers": Expected("out_of_office", until=date(2026, 11, 30)),
    "ticket-received": Expected("auto_reply"),
    "read-receipt": Expected("auto_reply"),
    "delayed": Expected("auto_reply"),
    "newsletter": Expected("bulk", "Sale\n\nEverything -20 %"),
    "postfix-bounce": Expected("bounce"),
    "exchange-bounce": Expected("bounce"),
    "gmail-bounce": Expected("bounce"),
    "qmail-bounce": Expected("bounce"),
    "complaint": Expected("complaint"),
    "google-invitation": Expected("calendar"),
    "outlook-cancel": Expected("calendar"),
    "calendar-accepted": Expected("calendar"),
}


def test_every_message_of_the_corpus_is_expected_to_be_something() -> None:
    assert {path.stem for path in CORPUS.glob("*.eml")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_message_is_of_its_kind(name: str) -> None:
    message = read(name)

    assert (message.kind, message.out_of_office_until) == (EXPECTED[name].kind, EXPECTED[name].until)
    if EXPECTED[name].new_text:
        assert message.quoted.new_text == EXPECTED[name].new_text
    assert message.date is not None and (message.message_id or name == "qmail-bounce")


@pytest.mark.parametrize("name", ["gmail-reply", "outlook-reply-de", "apple-reply-plain"])
def test_what_is_quoted_is_folded_away_with_its_introduction(name: str) -> None:
    quoted = read(name).quoted

    assert "ron@ringside.example" in quoted.quoted_text
    assert "unsubscribe" not in quoted.new_text
    assert "ron@ringside.example" not in quoted.new_html


def test_an_answer_between_the_quoted_lines_is_not_folded_away() -> None:
    quoted = read("thunderbird-below").quoted

    assert "Yes." in quoted.new_text and "right address" not in quoted.new_text
    assert "> Is it the right address?" in quoted.quoted_text


def test_an_answer_between_quoted_html_stays_in_sight() -> None:
    message = read_message(
        html_message(
            "<blockquote type=cite>Thursday?</blockquote>Yes.<blockquote type=cite>At ten?</blockquote><p>Rather at eleven."
        )
    )

    assert message.quoted.new_text == "Yes.\n\nRather at eleven."
    assert message.quoted.new_html == message.html and message.quoted.quoted_html == ""


def test_a_message_that_only_quotes_says_nothing_new_and_is_shown_whole() -> None:
    message = read_message(html_message('<div class="gmail_quote">On 1.1. a@b wrote: unsubscribe</div>'))

    assert message.quoted.new_text == ""
    assert "unsubscribe" in message.quoted.new_html


def test_both_halves_of_folded_html_are_whole() -> None:
    quoted = read("outlook-reply-de").quoted

    for half in (quoted.new_html, quoted.quoted_html):
        assert half.count("<div") == half.count("</div>")
    assert "hier unser Angebot" in quoted.quoted_html and "hier unser Angebot" not in quoted.new_html


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "postfix-bounce",
            Bounce(
                "kim@customer.example",
                "5.1.1",
                True,
                "<step-2@ringside.example>",
                "550 5.1.1 <kim@customer.example>: Recipient address rejected: User unknown",
            ),
        ),
        (
            "exchange-bounce",
            Bounce("lea@customer.example", "5.2.2", False, "<step-3@ringside.example>", "554 5.2.2 mailbox full"),
        ),
        (
            "gmail-bounce",
            Bounce(
                "max@customer.example",
                "5.1.1",
                True,
                "<step-4@ringside.example>",
                "550 5.1.1 The email account that you tried to reach does not exist.",
            ),
        ),
        (
            "qmail-bounce",
            Bounce(
                "nora@customer.example", "5.0.0", True, "<step-5@ringside.example>", "Remote host said: 550 No such user here"
            ),
        ),
    ],
)
def test_a_bounce_tells_whom_what_and_why(name: str, expected: Bounce) -> None:
    assert read(name).bounce == expected


def test_a_complaint_tells_who_and_of_what() -> None:
    assert read("complaint").complaint == Complaint("paul@customer.example", "<step-6@ringside.example>", "abuse")


def test_an_invitation_is_read_with_its_zone_its_rule_and_its_people() -> None:
    invitation = read("google-invitation").invitation

    assert invitation is not None
    assert (invitation.method, invitation.uid, invitation.sequence) == ("REQUEST", "7kukuqrfedlm2f9t@google.com", 2)
    assert invitation.start == datetime(2026, 12, 3, 14, tzinfo=UTC) and invitation.end == datetime(2026, 12, 3, 15, tzinfo=UTC)
    assert invitation.rrule == "FREQ=WEEKLY;COUNT=3" and invitation.location == "Unter den Linden 1, Berlin"
    assert invitation.organizer == Address("Quinn", "quinn@customer.example")
    assert Attendee("ron@ringside.example", "ron@ringside.example", "needs-action") in invitation.attendees


def test_a_meeting_is_called_off_and_another_accepted() -> None:
    canceled, accepted = read("outlook-cancel").invitation, read("calendar-accepted").invitation

    assert canceled is not None and accepted is not None
    assert (canceled.method, canceled.status, canceled.all_day) == ("CANCEL", "cancelled", True)
    assert (accepted.method, accepted.attendees) == ("REPLY", (Attendee("Sven", "sven@customer.example", "accepted"),))


def test_attachments_have_safe_names_and_their_content() -> None:
    raw = (CORPUS / "inline-image.eml").read_bytes()
    message = read_message(raw)

    image, paper = message.attachments
    assert (image.filename, image.is_inline, image.content_id) == ("logo.png", True, "logo@x")
    assert (paper.filename, paper.is_inline, paper.size) == ("_Übersicht 2026.pdf", False, 9)
    assert attachment(raw, paper.index) == b"%PDF-1.4\n"
    with pytest.raises(LookupError):
        attachment(raw, 99)


def test_addresses_come_with_their_names_out_of_groups_and_quotes() -> None:
    message = read("inline-image")

    assert message.from_ == Address('Vera "V" Vox', "vera@customer.example")
    assert message.to == ()
    assert message.cc == (Address("", "a@customer.example"), Address("B, b", "b@customer.example"))


def test_remote_images_wait_until_asked_for() -> None:
    message = read("newsletter")

    assert message.has_remote_images
    assert 'data-remote-src="https://shop.example/open.gif"' in message.html and " src=" not in message.html
    assert message.list_unsubscribe == "<https://shop.example/u/1>, <mailto:u@shop.example>"
    assert message.subject == "🎉 Sale!"


@pytest.mark.skipif(find_spec("test.test_email") is None, reason="this Python came without its tests")
def test_the_messages_of_pythons_own_tests_are_read() -> None:
    spec = find_spec("test.test_email")
    assert spec is not None and spec.submodule_search_locations is not None
    paths = sorted((Path(next(iter(spec.submodule_search_locations))) / "data").glob("*.txt"))

    for path in paths:
        message = read_message(path.read_bytes())
        assert "the message can't be read" not in message.problems, path.name
    assert len(paths) > 40
