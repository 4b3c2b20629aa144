"""Countries by the names people write, for telephone numbers without a country code."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from phonenumbers import SUPPORTED_REGIONS
from phonenumbers.geodata.locale import LOCALE_DATA

# Languages whose country names are taken from libphonenumber's table.
_LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "da")

_ALSO = {
    "usa": "US", "united states of america": "US", "america": "US", "u s a": "US", "u s": "US", "uk": "GB", "england": "GB",
    "scotland": "GB", "wales": "GB", "northern ireland": "GB", "great britain": "GB", "britain": "GB", "holland": "NL",
    "the netherlands": "NL", "south korea": "KR", "korea": "KR", "republic of korea": "KR", "north korea": "KP", "russia": "RU",
    "russian federation": "RU", "czech republic": "CZ", "czechia": "CZ", "uae": "AE", "ivory coast": "CI", "vatican": "VA",
    "holy see": "VA", "syrian arab republic": "SY", "libyan arab jamahiriya": "LY", "viet nam": "VN", "burma": "MM",
    "swaziland": "SZ", "cape verde": "CV", "macedonia": "MK", "east timor": "TL", "hong kong": "HK", "macau": "MO", "macao": "MO",
    "palestine": "PS", "palestinian territory": "PS", "brunei darussalam": "BN", "lao people s democratic republic": "LA",
    "korea republic of": "KR", "iran islamic republic of": "IR", "moldova republic of": "MD", "turkey": "TR",
}  # fmt: skip


def fold(text: str) -> str:
    """Lower case without accents, everything but letters and digits turned into single spaces."""
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join("".join(c if c.isalnum() else " " for c in text.lower()).split())


def is_region(code: str) -> bool:
    """Whether this is a country's ISO 3166 code that telephone numbers are known for."""
    return code in SUPPORTED_REGIONS


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    found: dict[str, str] = {}
    for region in sorted(SUPPORTED_REGIONS):
        names = LOCALE_DATA.get(region, {})
        for language in _LANGUAGES:
            name = names.get(language, "")
            # A name that begins with * refers to the same name in another language.
            if name.startswith("*"):
                name = names.get(name[1:], "")
            if name:
                found.setdefault(fold(name), region)
        found[region.lower()] = region
    return found | _ALSO


@lru_cache(maxsize=4096)
def region_of(country: str) -> str | None:
    """The ISO 3166 code of a country as written (its name in one of ten languages, or its code); None when it is not known."""
    if len(country) > 100:
        return None
    return _names().get(fold(country))
