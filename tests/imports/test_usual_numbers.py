"""The quick reading of usual numbers and addresses gives what the libraries give."""

from __future__ import annotations

import random

import phonenumbers
import pytest
from email_validator import EmailNotValidError, validate_email

from hub.contacts import addresses
from hub.contacts.addresses import AddressError, parse_email
from hub.contacts.impossible import is_impossible
from hub.contacts.north_america import _kind_in, _says_more, read_usual

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


def test_an_area_code_says_the_kind_only_where_the_library_finds_one_kind_in_all_of_it() -> None:
    rnd = random.Random(23)
    known = 0
    for area in map(str, range(200, 1000)):
        kind = _kind_in(area)
        if kind is None:
            continue
        known += 1
        national = f"{area}{rnd.randint(2, 9)}{rnd.randint(0, 999_999):06}"
        assert phonenumbers.number_type(phonenumbers.PhoneNumber(1, int(national))) == kind, national
    assert known > 600


@pytest.mark.parametrize(
    ("pattern", "says_more"),
    [
        (r"(?:2(?:0[1-35-9]|12)|415)[2-9]\d{6}", False),
        (r"[2-9]\d{9}|3\d{6}", False),
        (r"900[2-9]\d{6}|242(?:3|4[0-5])\d{6}", False),
        (r"[2-9]\d{9}|415[2-57-9]\d{6}", True),
        (r"41(?:5[2-9]|6\d)\d{6}", True),
        (r"41?5\d{7}", True),
        (r"(?:415[2-9]\d|5)\d{6}", True),
    ],
)
def test_a_pattern_that_may_look_behind_the_area_code_is_left_to_the_library(pattern: str, says_more: bool) -> None:
    assert _says_more(pattern, "415") is says_more


def test_what_is_called_impossible_in_a_country_is_not_valid_there_by_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "read_usual", lambda text, region: None)
    rnd = random.Random(22)
    regions = sorted(phonenumbers.SUPPORTED_REGIONS)
    impossible = 0
    for n in range(4000):
        region = regions[n % len(regions)]
        example = phonenumbers.example_number(region)
        at_home = phonenumbers.national_significant_number(example) if example else "2125550100"
        digits = rnd.choice([at_home, at_home, str(rnd.randint(10**4, 10**11))])
        digits = digits[: rnd.choice([99, 99, 6])] + rnd.choice(["", "", "7"])
        before = rnd.choice(["", "", "0", "1", "8", "00", str(phonenumbers.country_code_for_region(region))])
        text = rnd.choice(["{}", "({}", "{}x12", "{} x123456"]).format(before + digits[:3] + rnd.choice("-. )") + digits[3:])
        if is_impossible(text, region):
            impossible += 1
            assert isinstance(addresses._parse_phone.__wrapped__(text, region), str), (text, region)
    assert impossible > 1000


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
