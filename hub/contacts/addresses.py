"""Telephone numbers and email addresses, checked and brought to the one form they are stored in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType
from phonenumbers import timezone as phone_timezone
from phonenumbers.phonenumberutil import is_number_type_geographical

from hub.contacts.north_america import read_usual

_KINDS = {
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE: "fixed",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "fixed_or_mobile",
    PhoneNumberType.TOLL_FREE: "toll_free",
    PhoneNumberType.PREMIUM_RATE: "premium",
    PhoneNumberType.SHARED_COST: "shared_cost",
    PhoneNumberType.VOIP: "voip",
    PhoneNumberType.PERSONAL_NUMBER: "personal",
    PhoneNumberType.PAGER: "pager",
    PhoneNumberType.UAN: "uan",
    PhoneNumberType.VOICEMAIL: "voicemail",
}
_INTERNATIONAL = re.compile(r"^\s*(?:\(?00|011)[-. )]?(?=[1-9(])")
_UNKNOWN_ZONE = "Etc/Unknown"
# A plus and fifteen digits (ITU-T E.164, section 6); libphonenumber knows longer ones, which exist only within a country.
_LONGEST_E164 = 16
# Plain addresses need no more than this; everything else goes through the whole check, which takes ten times as long.
_PLAIN_EMAIL = re.compile(
    r"(?!postmaster@)(?=[^@]{1,64}@.{1,180}$)([a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*)@"
    r"((?:[a-z0-9](?:[a-z0-9]|-(?!-)){0,61}[a-z0-9]\.|[a-z0-9]\.)+(?!(?:arpa|invalid|local|localhost|onion)$)[a-z]{2,24})",
    re.ASCII | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Phone:
    """A valid number: E.164, the extension behind it, what kind of line it is, and the time zones it may be in."""

    e164: str
    extension: str
    kind: str
    time_zones: tuple[str, ...]


class AddressError(ValueError):
    """What is wrong with a number or an address, in a sentence."""


def parse_phone(text: str, region: str = "US") -> Phone:
    """A valid telephone number from whatever people write; `region` (ISO 3166) is assumed where no country code is given.

    Raises AddressError with what is wrong. Valid means valid by libphonenumber's metadata, not merely possible.
    """
    found = read_phone(text, region)
    if isinstance(found, str):
        raise AddressError(found)
    return found


def read_phone(text: str, region: str) -> Phone | str:
    """The same for who reads many: what is wrong is returned."""
    return _parse_phone(text.strip(), region)


@lru_cache(maxsize=8192)
def _parse_phone(text: str, region: str) -> Phone | str:
    if len(text) > 100:
        return "This is too long to be a telephone number."
    usual = read_usual(text, region)
    if usual is not None:
        if usual.kind == PhoneNumberType.UNKNOWN:
            return f"{text!r} is not a number that exists in US (+1)."
        return Phone(f"+1{usual.national}", usual.extension, _KINDS[usual.kind], usual.zones)
    number, kind = _read(text, region)
    if kind == PhoneNumberType.UNKNOWN and _INTERNATIONAL.match(text):
        # 00 (and 011 in North America) dials abroad; libphonenumber only knows the prefix of the region it assumes. It comes
        # first all the same: 011 is also how numbers in Buenos Aires and Riyadh begin at home.
        number, kind = _read(_INTERNATIONAL.sub("+", text), region)
    if isinstance(number, NumberParseException):
        if number.error_type == NumberParseException.INVALID_COUNTRY_CODE:
            return f"{text!r} has no known country code. Write it like +14155550100."
        return f"{text!r} is not a telephone number. Write it like +14155550100."
    if kind == PhoneNumberType.UNKNOWN:
        return _why_not_valid(text, number)
    # The library would work out the kind a second time.
    if is_number_type_geographical(kind, number.country_code or 0):
        found = phone_timezone.time_zones_for_geographical_number(number)
    else:
        found = phone_timezone.time_zones_for_number(number)
    zones = tuple(zone for zone in found if zone != _UNKNOWN_ZONE)
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    if len(e164) > _LONGEST_E164:
        return f"{text!r} is too long: with its country code a number has fifteen digits at the most."
    return Phone(e164, number.extension or "", _KINDS[kind], zones)


def _read(text: str, region: str) -> tuple[phonenumbers.PhoneNumber | NumberParseException, int]:
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException as exc:
        return exc, PhoneNumberType.UNKNOWN
    return number, phonenumbers.number_type(number)


def _why_not_valid(text: str, number: phonenumbers.PhoneNumber) -> str:
    country = phonenumbers.region_code_for_country_code(number.country_code or 0)
    where = "any country" if country in ("ZZ", "001") else country
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason == phonenumbers.ValidationResult.TOO_SHORT:
        return f"{text!r} is too short for a number in {where}."
    if reason == phonenumbers.ValidationResult.TOO_LONG:
        return f"{text!r} is too long for a number in {where}."
    return f"{text!r} is not a number that exists in {where} (+{number.country_code})."


def parse_email(text: str) -> str:
    """A valid address with its domain in lower case, checked by syntax (RFC 5321, 5322, 6531), never by the network.

    Raises AddressError with what is wrong.
    """
    plain = _PLAIN_EMAIL.fullmatch(text.strip())
    if plain is not None:
        return f"{plain[1]}@{plain[2].lower()}"
    try:
        found = validate_email(text.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError as exc:
        raise AddressError(f"{text[:200]!r} is not an email address: {exc}") from None
    return found.normalized
