"""Mailboxes with a past: many plausible messages at once."""

import random
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final

from integrations.sandbox.gmail.mailbox import Mailbox, Stored

_PEOPLE: Final = ("Ada Moreau", "Ben Okafor", "Carla Weiss", "Dan Ito", "Eva Lindt", "Femi Ade", "Gus Romero", "Hana Novak")
_COMPANIES: Final = (
    "wade.example",
    "dixon-hatfield.example",
    "reese.example",
    "holt.example",
    "english.example",
    "brandt.example",
)
_SUBJECTS: Final = (
    "Proposal for {}",
    "Question about {}",
    "Notes on {}",
    "Invoice for {}",
    "Next steps with {}",
    "{}: a short call?",
)
_THINGS: Final = ("the pilot", "onboarding", "the renewal", "seats in Lyon", "the spring order", "your demo", "the integration")
_TEXT: Final = (
    "thanks for the call on Tuesday and for the numbers you sent we have looked at them with the team and would like to go "
    "on as soon as the contract is through legal could you tell us whether the price holds until the end of the quarter and "
    "who on your side will set up the accounts for our people in the two offices it should be ready before the season begins"
)
_WORDS: Final = _TEXT.split()


def seed(mailbox: Mailbox, count: int, days: float) -> list[Stored]:
    """Put `count` messages of the last `days` there, oldest first, without a trace in the history.

    The same address and count give the same mail. One in five was sent from the mailbox, one in three continues a thread,
    one in ten of those received is unread, one in fifty is spam.
    """
    dice = random.Random(f"{mailbox.address} {count}")  # noqa: S311
    end_ms = mailbox.clock.now_ms()
    step_ms = days * 86_400_000 / max(count, 1)
    made: list[Stored] = []
    for number in range(count):
        at_ms = int(end_ms - (count - number) * step_ms)
        earlier = dice.choice(made[-200:]) if made and dice.random() < 0.33 else None
        raw, labels = _message(mailbox.address, dice, number, at_ms, earlier)
        made.append(mailbox.add(raw, labels, at_ms=at_ms, is_told=False))
    mailbox.history_floor = mailbox.history_id
    return made


def _message(own: str, dice: random.Random, number: int, at_ms: int, earlier: Stored | None) -> tuple[bytes, set[str]]:
    name, company = dice.choice(_PEOPLE), dice.choice(_COMPANIES)
    other = f"{name} <{name.lower().replace(' ', '.')}{dice.randrange(500)}@{company}>"
    is_sent = dice.random() < 0.2
    subject = dice.choice(_SUBJECTS).format(dice.choice(_THINGS))
    replies = ""
    if earlier is not None:
        head = earlier.head
        other = (head.to if own in head.senders else head.senders)[0]
        subject = f"Re: {head.topic}"
        replies = f"In-Reply-To: {head.message_id}\r\nReferences: {' '.join((*head.references[-5:], head.message_id))}\r\n"
    sender, receiver = (own, other) if is_sent else (other, own)
    text = " ".join(dice.choices(_WORDS, k=dice.randint(20, 160)))
    headers = (
        f"From: {sender}\r\nTo: {receiver}\r\nSubject: {subject}\r\n"
        f"Date: {format_datetime(datetime.fromtimestamp(at_ms / 1000, UTC))}\r\n"
        f"Message-ID: <seed-{number}-{dice.getrandbits(48):x}@{'mail.gmail.com' if is_sent else company}>\r\n"
        f"{replies}MIME-Version: 1.0\r\n"
    )
    if number % 3:
        body = f'Content-Type: text/plain; charset="UTF-8"\r\n\r\n{text}\r\n'
    else:
        body = (
            'Content-Type: multipart/alternative; boundary="=_seed"\r\n\r\n'
            f'--=_seed\r\nContent-Type: text/plain; charset="UTF-8"\r\n\r\n{text}\r\n'
            f'--=_seed\r\nContent-Type: text/html; charset="UTF-8"\r\n\r\n<p>{text}</p>\r\n--=_seed--\r\n'
        )
    if is_sent:
        return (headers + body).encode(), {"SENT"}
    labels = {"SPAM"} if dice.random() < 0.02 else {"INBOX"}
    return (headers + body).encode(), labels | ({"UNREAD"} if dice.random() < 0.1 else set())
