"""The usual North American numbers, read an order of magnitude faster than libphonenumber does, from its own metadata.

An import reads hundreds of thousands of them. Whatever is written in an unusual way, or is of another country, is left to
the library; a test compares the two over numbers of every kind.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, PhoneNumberType
from phonenumbers.tzdata import TIMEZONE_DATA

_USUAL = re.compile(
    r"(\+1|(?:00|011)[-. ]?1(?=[-. (]))?[-. ]{0,2}(?:1[-. ])?"
    r"\(?([2-9][0-9]{2})\)?[-. ]{0,2}([0-9]{3})[-. ]?([0-9]{4})"
    r"(?: {0,2}(?:x|ext\.?) {0,1}([0-9]{1,6}))?",
    re.ASCII,
)
# The country code may only be followed by the number itself, so that "+1 1 ..." stays with the library.
_DOUBLED = re.compile(r"(?:\+1|(?:00|011)[-. ]?1)[-. ]{0,2}1[-. ]")
_HOME = frozenset({"US", "CA"})
_GEOGRAPHIC = frozenset({PhoneNumberType.FIXED_LINE, PhoneNumberType.FIXED_LINE_OR_MOBILE})


class Usual(NamedTuple):
    """A number in the usual form: whether it is valid is `kind`, PhoneNumberType.UNKNOWN when it is not."""

    national: str
    extension: str
    kind: int
    zones: tuple[str, ...]


class _Region(NamedTuple):
    leading: re.Pattern[str] | None
    general: re.Pattern[str]
    kinds: tuple[tuple[int, re.Pattern[str]], ...]
    fixed: re.Pattern[str] | None
    mobile: re.Pattern[str] | None

    def kind_of(self, national: str) -> int:
        if not self.general.fullmatch(national):
            return PhoneNumberType.UNKNOWN
        for kind, pattern in self.kinds:
            if pattern.fullmatch(national):
                return kind
        fixed = self.fixed is not None and self.fixed.fullmatch(national) is not None
        if fixed and self.mobile is self.fixed:
            return PhoneNumberType.FIXED_LINE_OR_MOBILE
        mobile = self.mobile is not None and self.mobile is not self.fixed and self.mobile.fullmatch(national) is not None
        if fixed:
            return PhoneNumberType.FIXED_LINE_OR_MOBILE if mobile else PhoneNumberType.FIXED_LINE
        return PhoneNumberType.MOBILE if mobile else PhoneNumberType.UNKNOWN


def _region(code: str) -> _Region:
    meta = PhoneMetadata.metadata_for_region(code)
    assert meta is not None and meta.general_desc is not None
    # The order is libphonenumber's.
    others = (
        (PhoneNumberType.PREMIUM_RATE, meta.premium_rate),
        (PhoneNumberType.TOLL_FREE, meta.toll_free),
        (PhoneNumberType.SHARED_COST, meta.shared_cost),
        (PhoneNumberType.VOIP, meta.voip),
        (PhoneNumberType.PERSONAL_NUMBER, meta.personal_number),
        (PhoneNumberType.PAGER, meta.pager),
        (PhoneNumberType.UAN, meta.uan),
        (PhoneNumberType.VOICEMAIL, meta.voicemail),
    )
    fixed = _pattern(meta.fixed_line)
    return _Region(
        leading=re.compile(meta.leading_digits) if meta.leading_digits else None,
        general=re.compile(str(meta.general_desc.national_number_pattern)),
        kinds=tuple((kind, pattern) for kind, desc in others if (pattern := _pattern(desc)) is not None),
        fixed=fixed,
        mobile=fixed if meta.same_mobile_and_fixed_line_pattern else _pattern(meta.mobile),
    )


def _pattern(desc: Any) -> re.Pattern[str] | None:
    """What ten digits must look like to be of a kind; None where no ten digits are."""
    if desc is None or not desc.national_number_pattern or (desc.possible_length and 10 not in desc.possible_length):
        return None
    return re.compile(desc.national_number_pattern)


@lru_cache(maxsize=1)
def _regions() -> tuple[_Region, ...]:
    return tuple(_region(code) for code in COUNTRY_CODE_TO_REGION_CODE[1])


@lru_cache(maxsize=10_000)
def _candidates(first_four: str) -> tuple[_Region, ...]:
    """The regions that can have such a number, in order; none after one that claims its first digits."""
    found: list[_Region] = []
    for region in _regions():
        if region.leading is None:
            found.append(region)
        elif region.leading.match(first_four):
            found.append(region)
            break
    return tuple(found)


def _kind(national: str) -> int:
    for region in _candidates(national[:4]):
        kind = region.kind_of(national)
        if kind != PhoneNumberType.UNKNOWN or region.leading is not None:
            return kind
    return PhoneNumberType.UNKNOWN


# Beyond these digits no number's time zone differs from its neighbour's.
_ZONE_DIGITS = max(len(prefix) for prefix in TIMEZONE_DATA if prefix.startswith("1"))


@lru_cache(maxsize=20_000)
def _zones(prefix: str) -> tuple[str, ...]:
    for length in range(len(prefix), 0, -1):
        if prefix[:length] in TIMEZONE_DATA:
            return tuple(zone for zone in TIMEZONE_DATA[prefix[:length]] if zone != "Etc/Unknown")
    return ()


def _alternatives(pattern: str) -> list[str]:
    """A pattern's alternatives, cut where no bracket is open."""
    found, depth = [""], 0
    for character in pattern:
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(character, 0)
        if character == "|" and not depth:
            found.append("")
        else:
            found[-1] += character
    return found


def _says_more(pattern: str, area: str) -> bool:
    """Whether a pattern may say more about ten digits with this area code than that the fourth of them is not 0 or 1.

    Nearly all do not: what comes before "[2-9]\\d{6}" can only be about the first three of ten digits.
    """
    for one in _alternatives(pattern):
        if one.endswith(r"[2-9]\d{6}") or one == r"[2-9]\d{9}":
            continue
        counted = re.fullmatch(r"([0-9]*)\\d\{([0-9]+)\}", one)
        if counted is not None and len(counted[1]) + int(counted[2]) != 10:
            continue
        # What a digit is followed by must not be about that digit.
        begins = re.match("[0-9]*(?![0-9?*+{])", one)
        if begins is None or area.startswith(begins[0][:3]):
            return True
    return False


@lru_cache(maxsize=1000)
def _kind_in(area: str) -> int | None:
    """The kind of all numbers with this area code whose fourth digit is not 0 or 1; None where they are not all of one."""
    regions = _candidates(area + "2")
    if any(_candidates(area + digit) != regions for digit in "3456789"):
        return None
    for region in regions:
        patterns = [region.general, *(pattern for _, pattern in region.kinds), region.fixed, region.mobile]
        if any(pattern is not None and _says_more(pattern.pattern, area) for pattern in patterns):
            return None
    return _kind(f"{area}2000000")


def read_usual(text: str, region: str) -> Usual | None:
    """The number in a text that has the usual form, with its kind; None when the library has to read it."""
    found = _USUAL.fullmatch(text)
    if found is None:
        return None
    abroad, area, middle, last, extension = found.groups()
    if (abroad is None and region not in _HOME) or (abroad and _DOUBLED.match(text)):
        return None
    national = area + middle + last
    kind = _kind_in(area) if middle[0] not in "01" else None
    if kind is None:
        kind = _kind(national)
    zones = _zones(("1" + national)[:_ZONE_DIGITS] if kind in _GEOGRAPHIC else "1")
    return Usual(national, extension or "", kind, zones)
