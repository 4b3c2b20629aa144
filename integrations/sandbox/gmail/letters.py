"""What the people write: replies, absences, bounces, complaints, invitations, each as real programs word it."""

import base64
import quopri
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from email import message_from_bytes
from email.utils import format_datetime
from html import escape
from typing import Final

from integrations.sandbox.gmail.payload import text_in
from integrations.sandbox.gmail.post import Sent
from integrations.sandbox.gmail.rfc822 import header, split

LEAVE: Final = timedelta(days=5)
_MONTHS: Final = {
    language: months.split()
    for language, months in (
        ("en", "January February March April May June July August September October November December"),
        ("de", "Januar Februar März April Mai Juni Juli August September Oktober November Dezember"),
        ("fr", "janvier février mars avril mai juin juillet août septembre octobre novembre décembre"),
        ("es", "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"),
    )
}
_ABSENCES: Final = {
    "en": ("Automatic reply", "Thank you for your message. I am out of the office and will be back on {}.\n\nKind regards"),
    "de": (
        "Automatische Antwort",
        "Vielen Dank für Ihre Nachricht. Ich bin bis zum {} nicht im Büro.\n\nMit freundlichen Grüßen",
    ),
    "fr": ("Réponse automatique", "Merci de votre message. Je suis absent du bureau jusqu'au {}.\n\nCordialement"),
    "es": ("Respuesta automática", "Gracias por su mensaje. Estaré fuera de la oficina hasta el {}.\n\nUn saludo"),
}
_REPLIES: Final = (
    "Thanks for reaching out. Could you send me a price for twenty seats?",
    "Interesting timing, we are looking at this right now. How about a call on Thursday?",
    "Hi, this sounds useful. Who else in our trade do you work with?",
    "Not the right moment for us. Please come back to me in spring.",
)


def write(kind: str, letter: Sent, recipient: str, now: datetime) -> bytes:
    """Return the answer of a kind (see `people.TABLE`) that `recipient` writes at `now`."""
    return _WRITERS[kind](letter, recipient, now)


def _reply(letter: Sent, recipient: str, now: datetime) -> bytes:
    return _answer(letter, recipient, now, _REPLIES[sum(recipient.encode()) % len(_REPLIES)])


def _reply_from_elsewhere(letter: Sent, recipient: str, now: datetime) -> bytes:
    local, _, domain = recipient.partition("@")
    return _answer(letter, f"{local.removeprefix('reply-other').strip('-.') or 'me'}.private@{domain}", now, _REPLIES[0])


def _reply_without_reference(letter: Sent, recipient: str, now: datetime) -> bytes:
    return _answer(letter, recipient, now, _REPLIES[1], refers=False, mark="RE")


def _unsubscribe(letter: Sent, recipient: str, now: datetime) -> bytes:
    return _answer(letter, recipient, now, "Please unsubscribe me.")


def _unsubscribe_in_german(letter: Sent, recipient: str, now: datetime) -> bytes:
    return _answer(letter, recipient, now, "Bitte abmelden, ich möchte keine weiteren E-Mails von Ihnen.", mark="AW")


def _absence(language: str, *, tells_date: bool = True, tells_headers: bool = True) -> Callable[[Sent, str, datetime], bytes]:
    mark, text = _ABSENCES[language]

    def write_absence(letter: Sent, recipient: str, now: datetime) -> bytes:
        words = (
            text.format(_date(now + LEAVE, language))
            if tells_date
            else "I am currently out of the office with limited access to email."
        )
        extra = (
            [("Auto-Submitted", "auto-replied"), ("X-Autoreply", "yes"), ("X-Auto-Response-Suppress", "All")]
            if tells_headers
            else []
        )
        subject = f"{mark}: {letter.head.subject}" if tells_headers else f"Out of office: {letter.head.subject}"
        return _plain([*_envelope(letter, recipient, now, subject), *extra], words)

    return write_absence


def _bounce(letter: Sent, recipient: str, now: datetime) -> bytes:
    return _report(letter, recipient, now, "5.1.1", "550-5.1.1 The email account that you tried to reach does not exist.")


def _soft_bounce(letter: Sent, recipient: str, now: datetime) -> bytes:
    return _report(letter, recipient, now, "4.2.2", "452-4.2.2 The email account that you tried to reach is over quota.")


def _delay(letter: Sent, recipient: str, now: datetime) -> bytes:
    """A warning only: the message is still being tried."""
    words = "The recipient server did not accept our requests to connect."
    return _report(letter, recipient, now, "4.4.1", words, action="delayed")


def _plain_bounce(letter: Sent, recipient: str, now: datetime) -> bytes:
    """A bounce in qmail's words, without a report."""
    host = recipient.partition("@")[2]
    fields = [
        ("From", f"MAILER-DAEMON@{host}"),
        ("To", letter.mailbox),
        ("Subject", "failure notice"),
        ("Date", format_datetime(now)),
        ("Message-ID", _new_id(host)),
    ]
    words = (
        f"Hi. This is the qmail-send program at {host}.\n"
        "I'm afraid I wasn't able to deliver your message to the following addresses.\n"
        "This is a permanent error; I've given up. Sorry it didn't work out.\n\n"
        f"<{recipient}>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n"
        "--- Below this line is a copy of the message.\n\n"
    )
    return _plain(fields, words + split(letter.delivered)[0].decode("utf-8", "replace").replace("\r\n", "\n"))


def _complaint(letter: Sent, recipient: str, now: datetime) -> bytes:
    fields = [
        ("From", "<staff@hotmail.example>"),
        ("To", letter.mailbox),
        ("Subject", f"complaint about message from {letter.mailbox}"),
        ("Date", format_datetime(now)),
        ("Message-ID", _new_id("hotmail.example")),
    ]
    machine = (
        "Feedback-Type: abuse\r\nUser-Agent: Sandbox-FBL/1.0\r\nVersion: 1\r\n"
        f"Original-Mail-From: <{letter.mailbox}>\r\nOriginal-Rcpt-To: {recipient}\r\n"
        f"Arrival-Date: {format_datetime(now)}\r\nReported-Domain: {letter.mailbox.partition('@')[2]}\r\n"
    )
    parts = (
        ("text/plain; charset=us-ascii", b"This is an email abuse report for a message that you have sent.\r\n"),
        ("message/feedback-report", machine.encode()),
        ("message/rfc822", letter.delivered),
    )
    return _multipart(fields, "report; report-type=feedback-report", parts)


def _invitation(letter: Sent, recipient: str, now: datetime) -> bytes:
    start = (now + timedelta(days=3)).replace(hour=15, minute=0, second=0, microsecond=0)
    calendar = "\r\n".join(
        (
            "BEGIN:VCALENDAR",
            "PRODID:-//Sandbox//Calendar 1.0//EN",
            "VERSION:2.0",
            "METHOD:REQUEST",
            "BEGIN:VEVENT",
            f"UID:{secrets.token_hex(12)}@{recipient.partition('@')[2]}",
            "SEQUENCE:0",
            f"DTSTAMP:{now:%Y%m%dT%H%M%SZ}",
            f"DTSTART:{start:%Y%m%dT%H%M%SZ}",
            f"DTEND:{start + timedelta(minutes=30):%Y%m%dT%H%M%SZ}",
            "SUMMARY:Getting to know each other",
            "LOCATION:https://meet.example.com/abc-defg-hij",
            f"ORGANIZER;CN={_name(recipient)}:mailto:{recipient}",
            f"ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{letter.mailbox}",
            "STATUS:CONFIRMED",
            "END:VEVENT",
            "END:VCALENDAR",
            "",
        )
    ).encode()
    text = "Happy to talk. I have put thirty minutes into your calendar.\r\n"
    fields = _envelope(letter, recipient, now, _answered_subject(letter, "Re"))
    parts = (
        ('text/plain; charset="UTF-8"', text.encode()),
        ('text/calendar; charset="UTF-8"; method=REQUEST; name="invite.ics"', calendar),
    )
    return _multipart(fields, "mixed", parts)


_WRITERS: Final[dict[str, Callable[[Sent, str, datetime], bytes]]] = {
    "reply-other": _reply_from_elsewhere,
    "reply-noref": _reply_without_reference,
    "reply": _reply,
    "slow": _reply,
    "ooo-nodate": _absence("en", tells_date=False),
    "ooo-plain": _absence("en", tells_headers=False),
    "ooo-de": _absence("de"),
    "ooo-fr": _absence("fr"),
    "ooo-es": _absence("es"),
    "ooo": _absence("en"),
    "bounce-soft": _soft_bounce,
    "bounce-delay": _delay,
    "bounce-plain": _plain_bounce,
    "bounce": _bounce,
    "complain": _complaint,
    "unsub-de": _unsubscribe_in_german,
    "unsub": _unsubscribe,
    "meet": _invitation,
}
WRITTEN: Final = tuple(_WRITERS)


def _answer(letter: Sent, sender: str, now: datetime, words: str, *, refers: bool = True, mark: str = "Re") -> bytes:
    """A person's reply, in text and in HTML, with what they answer quoted below."""
    original = text_in(message_from_bytes(letter.delivered)).strip()
    written = f"On {now:%a, %b} {now.day}, {now:%Y} at {now:%I:%M %p} <{letter.mailbox}> wrote:"
    quoted = "\n".join(f"> {line}" for line in original.splitlines())
    text = f"{words}\n\n{written}\n\n{quoted}\n"
    markup = (
        f'<div dir="ltr">{escape(words)}</div><br><div class="gmail_quote">'
        f'<div dir="ltr" class="gmail_attr">{escape(written)}<br></div>'
        f'<blockquote class="gmail_quote" style="padding-left:1ex">{escape(original)}</blockquote></div>'
    )
    fields = _envelope(letter, sender, now, _answered_subject(letter, mark), refers=refers)
    parts = (('text/plain; charset="UTF-8"', text.encode()), ('text/html; charset="UTF-8"', markup.encode()))
    return _multipart(fields, "alternative", parts)


def _report(letter: Sent, recipient: str, now: datetime, status: str, diagnostic: str, *, action: str = "failed") -> bytes:
    """A delivery status notification as Google writes it (RFC 3464)."""
    fields = [
        ("From", "Mail Delivery Subsystem <mailer-daemon@googlemail.com>"),
        ("To", letter.mailbox),
        ("Auto-Submitted", "auto-replied"),
        ("Subject", f"Delivery Status Notification ({'Failure' if action == 'failed' else 'Delay'})"),
        ("References", letter.message_id),
        ("In-Reply-To", letter.message_id),
        ("X-Failed-Recipients", recipient),
        ("Date", format_datetime(now)),
        ("Message-ID", _new_id("mx.google.com")),
    ]
    text = (
        f"** {'Address not found' if status.startswith('5') else 'Message not delivered'} **\r\n\r\n"
        f"Your message wasn't delivered to {recipient}.\r\n\r\n"
        f"The response was:\r\n\r\n{diagnostic}\r\n"
    )
    machine = (
        f"Reporting-MTA: dns; googlemail.com\r\nArrival-Date: {format_datetime(now)}\r\n"
        f"X-Original-Message-ID: {letter.message_id}\r\n\r\n"
        f"Final-Recipient: rfc822; {recipient}\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Remote-MTA: dns; mx.{recipient.partition('@')[2]}\r\nDiagnostic-Code: smtp; {diagnostic}\r\n"
        f"Last-Attempt-Date: {format_datetime(now)}\r\n"
    )
    parts = (
        ('text/plain; charset="UTF-8"', text.encode()),
        ("message/delivery-status", machine.encode()),
        ("message/rfc822", letter.delivered),
    )
    return _multipart(fields, "report; report-type=delivery-status", parts)


def _envelope(letter: Sent, sender: str, now: datetime, subject: str, *, refers: bool = True) -> list[tuple[str, str]]:
    fields = [
        ("From", f"{_name(sender)} <{sender}>"),
        ("To", header(letter.delivered, "Reply-To") or letter.mailbox),
        ("Subject", _encoded(subject)),
        ("Date", format_datetime(now)),
        ("Message-ID", _new_id(sender.partition("@")[2])),
    ]
    if refers:
        known = " ".join(dict.fromkeys((*letter.head.references, letter.message_id)))
        fields += [("In-Reply-To", letter.message_id), ("References", known)]
    return fields


def _answered_subject(letter: Sent, mark: str) -> str:
    subject = letter.head.subject
    return subject if subject.lower().startswith("re:") and mark == "Re" else f"{mark}: {subject}"


def _plain(fields: list[tuple[str, str]], words: str) -> bytes:
    body = quopri.encodestring(words.replace("\n", "\r\n").encode())
    kind = [
        ("MIME-Version", "1.0"),
        ("Content-Type", 'text/plain; charset="UTF-8"'),
        ("Content-Transfer-Encoding", "quoted-printable"),
    ]
    return _written([*fields, *kind]) + body


def _multipart(fields: list[tuple[str, str]], kind: str, parts: tuple[tuple[str, bytes], ...]) -> bytes:
    boundary = f"000000000000{secrets.token_hex(8)}"
    made = []
    for content_type, data in parts:
        head = [("Content-Type", content_type)]
        if content_type.startswith("text/") and "us-ascii" not in content_type:
            head.append(("Content-Transfer-Encoding", "base64"))
            data = base64.encodebytes(data).replace(b"\n", b"\r\n")
        made.append(_written(head) + data)
    edge = f"--{boundary}".encode()
    body = b"".join(edge + b"\r\n" + part + b"\r\n" for part in made) + edge + b"--\r\n"
    subtype, _, more = kind.partition(";")
    content = f'multipart/{subtype}; boundary="{boundary}"' + (f";{more}" if more else "")
    return _written([*fields, ("MIME-Version", "1.0"), ("Content-Type", content)]) + body


def _written(fields: list[tuple[str, str]]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in fields).encode() + b"\r\n"


def _encoded(text: str) -> str:
    return text if text.isascii() else f"=?UTF-8?B?{base64.b64encode(text.encode()).decode()}?="


def _name(address: str) -> str:
    return " ".join(
        part.capitalize() for part in address.partition("@")[0].replace("_", ".").replace("-", ".").split(".") if part
    )


def _new_id(host: str) -> str:
    return f"<{secrets.token_hex(16)}@{host}>"


def _date(day: datetime, language: str) -> str:
    month = _MONTHS[language][day.month - 1]
    join = {"en": "{} {} {}", "de": "{}. {} {}", "fr": "{} {} {}", "es": "{} de {} de {}"}[language]
    return join.format(day.day, month, day.year)
