"""Countries by the names people write, for telephone numbers without a country code."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from babel import Locale
from phonenumbers import SUPPORTED_REGIONS

# Languages whose country names are taken from the Unicode CLDR.
_LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "da")

_ALSO = {
    "usa": "US", "united states of america": "US", "america": "US", "u s a": "US", "u s": "US", "uk": "GB", "england": "GB",
    "scotland": "GB", "wales": "GB", "northern ireland": "GB", "great britain": "GB", "britain": "GB", "holland": "NL",
    "the netherlands": "NL", "south korea": "KR", "korea": "KR", "republic of korea": "KR", "north korea": "KP", "russia": "RU",
    "russian federation": "RU", "czech republic": "CZ", "czechia": "CZ", "uae": "AE", "ivory coast": "CI", "vatican": "VA",
    "holy see": "VA", "syrian arab republic": "SY", "libyan arab jamahiriya": "LY", "viet nam": "VN", "burma": "MM",
    "swaziland": "SZ", "cape verde": "CV", "macedonia": "MK", "east timor": "TL", "hong kong": "HK", "macau": "MO", "macao": "MO",
    "palestine": "PS", "palestinian territory": "PS", "brunei darussalam": "BN", "lao people s democratic republic": "LA",
    "micronesia": "FM", "democratic republic of the congo": "CD", "congo the democratic republic of the": "CD",
    "congo": "CG", "saint martin": "MF",
    "korea republic of": "KR", "iran islamic republic of": "IR", "moldova republic of": "MD", "turkey": "TR",
    "tschechische republik": "CZ", "republique tcheque": "CZ", "repubblica ceca": "CZ", "republica tcheca": "CZ",
    "vereinigte staaten von amerika": "US", "stany zjednoczone ameryki": "US", "holanda": "NL", "moldau": "MD",
    "macedoine": "MK", "mazedonien": "MK", "elfenbeinkuste": "CI", "costa de marfil": "CI", "costa d avorio": "CI",
}  # fmt: skip


def fold(text: str) -> str:
    """Lower case without accents, everything but letters and digits turned into single spaces."""
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join("".join(c if c.isalnum() else " " for c in text.lower()).split())


def is_region(code: str) -> bool:
    """Whether this is a country's ISO 3166 code that telephone numbers are known for."""
    return code in SUPPORTED_REGIONS


# "Trinidad & Tobago", "St. Lucia" and "Hongkong" are as good as their longer forms.
_LITTLE_WORDS = frozenset(["and", "und", "et", "y", "e", "och", "og", "en", "i", "the", "of", "de", "der"])


def _key(text: str) -> str:
    words = [("saint" if word == "st" else word) for word in fold(text).split() if word not in _LITTLE_WORDS]
    return "".join(words)


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    found: dict[str, str] = {}
    for language in _LANGUAGES:
        for code, name in Locale(language).territories.items():
            if code in SUPPORTED_REGIONS:
                found.setdefault(_key(name), code)
                # CLDR writes Myanmar (Burma); people write either.
                found.setdefault(_key(name.split("(")[0]), code)
    return found | {_key(name): region for name, region in _ALSO.items()}


@lru_cache(maxsize=4096)
def region_of(country: str) -> str | None:
    """The ISO 3166 code of a country as written (its name in one of ten languages, or its code); None when it is not known."""
    if len(country) > 100:
        return None
    code = country.strip().upper()
    return code if is_region(code) else _names().get(_key(country))
