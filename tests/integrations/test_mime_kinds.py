"""Who is away and until when, who only says so, and what machines wrote."""

from __future__ import annotations

from datetime import date

import pytest

from integrations.mime import read_message
from tests.integrations.hostile_mail import text_message

DATE = "Mon, 23 Nov 2026 10:00:00 +0100"


def automatic(text: str, subject: str = "Re: Our offer", **headers: str) -> bytes:
    headers = {"Auto_Submitted": "auto-replied", **headers}
    return text_message(text.encode("utf-8"), Date=DATE, **headers).replace(b"Subject: Hi", f"Subject: {subject}".encode(), 1)


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("I am out of the office until 4 December.", date(2026, 12, 4)),
        ("I'm on annual leave until Friday, December 11th, 2026.", date(2026, 12, 11)),
        ("I will be out from 12/01/2026 through 12/15/2026.", date(2026, 12, 15)),
        ("Out of office, back on 2026-12-03.", date(2026, 12, 3)),
        ("I'm away and return on Wednesday.", date(2026, 11, 25)),
        ("I am on vacation from December 21 to January 8.", date(2027, 1, 8)),
        ("I am on leave. I'll be back in the office on 5 Jan 2027.", date(2027, 1, 5)),
        ("Ich bin bis zum 30.11. im Urlaub.", date(2026, 11, 30)),
        ("Ich bin ab dem 7. Dezember 2026 wieder im Büro.", date(2026, 12, 7)),
        ("Ich bin vom 1.12. bis 5.12.2026 nicht erreichbar.", date(2026, 12, 5)),
        ("Absent du 23 novembre au 2 décembre, de retour le 3 décembre 2026.", date(2026, 12, 3)),
        ("Estoy de vacaciones hasta el 15 de enero de 2027.", date(2027, 1, 15)),
        ("Sono in ferie fino al 6 gennaio 2027.", date(2027, 1, 6)),
        ("Estou de férias até 10 de dezembro de 2026.", date(2026, 12, 10)),
        ("Ik ben afwezig tot en met 4 december.", date(2026, 12, 4)),
        ("Jag är på semester till och med 4 december.", date(2026, 12, 4)),
        ("I am out of the office and will answer when I am back.", None),
        ("I am out of the office until further notice.", None),
        ("I was out of the office until 4 December 2019.", None),
    ],
)
def test_the_day_somebody_is_back_is_found(text: str, until: date | None) -> None:
    message = read_message(automatic(text))

    assert (message.kind, message.out_of_office_until) == ("out_of_office", until)


@pytest.mark.parametrize(
    "subject",
    [
        "Automatic reply: Our offer",
        "Re: Automatic reply: Our offer",
        "Automatische Antwort: Unser Angebot",
        "=?utf-8?Q?R=C3=A9ponse_automatique_=3A?= Offre",
        "Respuesta =?utf-8?Q?autom=C3=A1tica?=: Oferta",
    ],
)
def test_the_subjects_that_programs_write_are_known_without_headers(subject: str) -> None:
    raw = automatic("I am away until 4 December.", subject).replace(b"Auto-Submitted: auto-replied\r\n", b"")

    assert read_message(raw).kind == "out_of_office"


@pytest.mark.parametrize(
    "text",
    [
        "I was out of the office last week, sorry. Yes, we want it.",
        "I'm on vacation until Friday. Can we talk on Monday?",
        "Our office is closed on Monday, let us meet on Tuesday.",
        "Yes. By the way, I am out of the office on Thursdays.",
        "Please send the automatic reply text that you mentioned.",
        "Ich bin im Urlaub gewesen, jetzt gerne. Wann passt es Ihnen?",
    ],
)
def test_a_person_who_writes_of_absence_is_a_person(text: str) -> None:
    assert read_message(automatic(text, Auto_Submitted="no")).kind == "human"


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({"Auto_Submitted": "auto-generated"}, "auto_reply"),
        ({"Auto_Submitted": "auto-replied; owner-email=x"}, "auto_reply"),
        ({"Auto_Submitted": "auto-replied (vacation)"}, "out_of_office"),
        ({"Auto_Submitted": "no", "X_Autoreply": "yes"}, "auto_reply"),
        ({"Auto_Submitted": "no", "Precedence": "auto_reply"}, "auto_reply"),
        ({"Auto_Submitted": "no", "Precedence": "bulk"}, "bulk"),
        ({"Auto_Submitted": "no", "List_Unsubscribe": "<mailto:u@x.example>"}, "bulk"),
        ({"Auto_Submitted": "no", "List_Id": "<x.example>", "In_Reply_To": "<a@b.example>"}, "human"),
        ({"Auto_Submitted": "no", "X_Auto_Response_Suppress": "All"}, "human"),
        ({"Auto_Submitted": "no"}, "human"),
    ],
)
def test_headers_decide_first(headers: dict[str, str], kind: str) -> None:
    assert read_message(automatic("Thank you for your message.", **headers)).kind == kind


def test_a_person_called_postmaster_may_write() -> None:
    raw = text_message(b"Your mail could not be delivered? Call me.", Date=DATE).replace(
        b"eve@evil.example", b"postmaster@x.example"
    )

    assert read_message(raw).bounce is None


@pytest.mark.parametrize(
    ("status", "diagnostic", "permanent"),
    [
        ("5.1.1", "smtp; 550 no such user", True),
        ("4.4.7", "smtp; 451 delivery time expired", False),
        ("5.2.2", "smtp; 552 mailbox full", False),
        ("5.0.0", "smtp; 550 quota exceeded", False),
        ("5.7.1", "smtp; 550 blocked", True),
    ],
)
def test_a_full_mailbox_and_a_passing_failure_are_not_for_good(status: str, diagnostic: str, permanent: bool) -> None:
    report = (
        "From: MAILER-DAEMON@x.example\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n"
        "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
        f"Final-Recipient: rfc822; A@b.example\r\nAction: failed\r\nStatus: {status}\r\nDiagnostic-Code: {diagnostic}\r\n\r\n"
        "Final-Recipient: rfc822; c@d.example\r\nAction: failed\r\nStatus: 5.1.1\r\n--b--\r\n"
    )

    bounce = read_message(report.encode()).bounce

    assert bounce is not None
    assert (bounce.recipient, bounce.status, bounce.permanent) == ("a@b.example", status, permanent)
    assert bounce.others == ("c@d.example",)
