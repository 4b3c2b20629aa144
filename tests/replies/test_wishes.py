"""Who is taken to ask for no more mail, and how long somebody away is left alone."""

from __future__ import annotations

from datetime import date

import pytest

from hub.replies.absences import away_until
from hub.replies.wishes import asks_to_be_left_alone

WISHES = [
    "Unsubscribe",
    "please unsubscribe me.",
    "Hi,\n\ntake me off your list, thanks\n\nBob\n-- \nBob Smith, Acme",
    "STOP",
    "remove me",
    "Please remove me from your mailing list!",
    "Could you stop emailing me? I am not interested.",
    "Don\u2019t contact me again.",
    "no more emails please",
    "I'd like to opt out.",
    "Bitte abmelden",
    "Bitte nehmen Sie mich aus Ihrem Verteiler.",
    "Keine weiteren E-Mails mehr bitte.",
    "Merci de me désabonner.",
    "Por favor, darme de baja.",
    "Vorrei cancellarmi, cancellami",
    "Graag uitschrijven",
    "Please unsubscribe me.\n\n" + "Our company's disclaimer follows. " * 40,
]
OTHERS = [
    "",
    "Sounds good, let's talk on Tuesday.",
    "Not interested at the moment, but stay in touch.",
    "Please don't unsubscribe me, I like these.",
    "How many stops does the tour have?",
    "Thanks!\n-- \nBob\nTo unsubscribe from Bob's news, write to news@example.com",
    "We looked at your tool. " * 30 + "How would our own customers unsubscribe from what we send with it?",
    "Remove the second line of the offer and I will sign.",
]


@pytest.mark.parametrize("text", WISHES)
def test_this_is_a_wish_for_no_more_mail(text: str) -> None:
    assert asks_to_be_left_alone(text)


@pytest.mark.parametrize("text", OTHERS)
def test_this_is_none(text: str) -> None:
    assert not asks_to_be_left_alone(text)


def test_a_hostile_text_is_judged_at_once() -> None:
    assert not asks_to_be_left_alone("ne plus " * 100_000)
    assert not asks_to_be_left_alone("liste " * 300 + "x")


def test_an_absence_lasts_until_the_day_that_is_named() -> None:
    thursday = date(2026, 11, 26)
    assert away_until(date(2026, 12, 3), thursday) == date(2026, 12, 3)
    assert away_until(date(2026, 11, 20), thursday) is None, "they are back"
    assert away_until(None, thursday) == date(2026, 12, 1), "three business days, over a weekend"
    assert away_until(date(2062, 1, 1), thursday) == date(2026, 12, 1), "nobody is away for so long"
