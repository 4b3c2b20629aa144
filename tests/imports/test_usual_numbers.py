"""The quick reading of usual numbers and addresses gives what the libraries give."""

from __future__ import annotations

import random

import pytest
from email_validator import EmailNotValidError, validate_email

from hub.contacts import addresses
from hub.contacts.addresses import AddressError, parse_email
from hub.contacts.north_america import read_usual

FORMS = [
    "+1-{}-{}-{}", "({}){}-{}", "({}) {}-{}", "{}.{}.{}", "001-{}-{}-{}x123", "1 {} {} {}", "+1{}{}{}", "{}{}{}", "1{}{}{}",
    "1-{}-{}-{} ext. 55", "00 1 {} {} {}", "011-1-{}-{}-{}", "+1 1 {} {} {}", "0011{}{}{}", "+1 ({}) {} {} x01", "(001) {} {} {}",
    "{}-{}-{} x 7", "001{}{}{}", "0111{}{}{}", "00-1{}{}{}", "+1.{}.{}.{}",
]  # fmt: skip
SPECIAL = [
    "800",
    "833",
    "900",
    "500",
    "521",
    "523",
    "524",
    "242",
    "268",
    "787",
    "939",
    "721",
    "670",
    "829",
    "345",
    "800",
    "416",
    "710",
]


def test_numbers_of_every_kind_are_read_as_the_library_reads_them(monkeypatch: pytest.MonkeyPatch) -> None:
    rnd = random.Random(20)
    written = []
    for _ in range(4000):
        area = rnd.choice([str(rnd.randint(100, 999)), rnd.choice(SPECIAL)])
        text = rnd.choice(FORMS).format(area, f"{rnd.randint(0, 999):03d}", f"{rnd.randint(0, 9999):04d}")
        written.append((text, rnd.choice(["US", "US", "CA", "GB", "BS"])))
    quick = [addresses._parse_phone.__wrapped__(text, region) for text, region in written]
    quick_ones = sum(read_usual(text, region) is not None for text, region in written)
    monkeypatch.setattr(addresses, "read_usual", lambda text, region: None)

    slow = [addresses._parse_phone.__wrapped__(text, region) for text, region in written]

    assert quick == slow
    assert quick_ones > 1000


def test_addresses_of_every_kind_are_read_as_the_library_reads_them() -> None:
    rnd = random.Random(21)
    ends = [".com", ".local", ".test", ".c", ".onion", ".x1", ".", ".co.uk"]
    written = [
        "".join(rnd.choices("aB1.-_+@", k=rnd.randint(1, 8)))
        + "@"
        + "".join(rnd.choices("aB1.-", k=rnd.randint(1, 8)))
        + rnd.choice(ends)
        for _ in range(4000)
    ]
    written += ["Postmaster@x.com", "a@xn--bcher-kva.de", "a" * 65 + "@x.com", "a@" + "b" * 63 + ".com", "a@" + "b" * 64 + ".com"]

    def whole(text: str) -> str | None:
        try:
            return validate_email(text, check_deliverability=False, test_environment=True).normalized
        except EmailNotValidError:
            return None

    def ours(text: str) -> str | None:
        try:
            return parse_email(text)
        except AddressError:
            return None

    assert [ours(text) for text in written] == [whole(text) for text in written]
