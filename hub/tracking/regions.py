"""Where a contact may be, as far as telephone numbers and addresses tell: for companies that track in some regions only."""

from __future__ import annotations

from collections.abc import Iterable

import phonenumbers
from phonenumbers import NumberParseException


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# https://european-union.europa.eu/principles-countries-history/eu-countries_en
_EU = _words("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK")
# With the other states of the European Economic Area: https://www.efta.int/eea
GROUPS: dict[str, frozenset[str]] = {"EU": _EU, "EEA": _EU | {"IS", "LI", "NO"}}
COUNTRIES = frozenset(phonenumbers.SUPPORTED_REGIONS)

# Domains of countries that people all over the world use for their looks.
_WORLDWIDE = _words("ac ai cc cd co dj fm gg gl io is la ly me ms nu sc sh so st tk to tv vc ws")


def regions_of(numbers: Iterable[str], addresses: Iterable[str]) -> frozenset[str]:
    """The countries (ISO 3166) that E.164 numbers and the ends of email addresses speak of; empty when nothing does.

    `eu` as an address's end stands for itself, as EU.
    """
    found = set[str]()
    for number in numbers:
        try:
            country = phonenumbers.region_code_for_number(phonenumbers.parse(number))
        except NumberParseException:
            continue
        if country is not None and country != "001":
            found.add(country)
    for address in addresses:
        end = address.rsplit(".", 1)[-1].lower()
        country = "GB" if end == "uk" else end.upper()
        if end not in _WORLDWIDE and (country in COUNTRIES or country == "EU"):
            found.add(country)
    return frozenset(found)


def is_off(regions: frozenset[str], off: Iterable[str]) -> str | None:
    """The first of the regions (countries or groups) in `off` that speaks for one of these; None when none does."""
    for given in off:
        members = GROUPS.get(given, frozenset({given})) | {given}
        if regions & members:
            return given
    return None
