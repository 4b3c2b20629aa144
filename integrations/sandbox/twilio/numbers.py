"""Numbers: those that the account owns, and those on sale."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import orjson
import phonenumbers

from integrations.sandbox.twilio.courier import Callback
from integrations.sandbox.twilio.wording import API_VERSION, country, formatted, new_sid, now, rfc_2822

TOLL_FREE: Final = frozenset({"800", "833", "844", "855", "866", "877", "888"})
_CAPABILITIES: Final = {"voice": True, "sms": True, "mms": True, "fax": False}
# Where a few area codes are; what is not here is on sale as well, without a place.
_PLACES: Final = {
    "202": ("Washington", "DC"),
    "206": ("Seattle", "WA"),
    "212": ("New York", "NY"),
    "303": ("Denver", "CO"),
    "305": ("Miami", "FL"),
    "312": ("Chicago", "IL"),
    "404": ("Atlanta", "GA"),
    "415": ("San Francisco", "CA"),
    "416": ("Toronto", "ON"),
    "512": ("Austin", "TX"),
    "514": ("Montreal", "QC"),
    "604": ("Vancouver", "BC"),
    "617": ("Boston", "MA"),
    "702": ("Las Vegas", "NV"),
    "860": ("Hartford", "CT"),
}
_KEYPAD: Final = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "22233344455566677778889999")
_IN_ALL: Final = 100


@dataclass(slots=True, kw_only=True, eq=False)
class OwnedNumber:
    """A number of the account, and where its calls and messages go."""

    account_sid: str
    e164: str
    friendly_name: str = ""
    voice_url: str = ""
    voice_method: str = "POST"
    voice_fallback_url: str = ""
    voice_fallback_method: str = "POST"
    voice_application_sid: str = ""
    sms_url: str = ""
    sms_method: str = "POST"
    sms_fallback_url: str = ""
    sms_fallback_method: str = "POST"
    sms_application_sid: str = ""
    status_callback: str = ""
    status_callback_method: str = "POST"
    sid: str = field(default_factory=lambda: new_sid("PN"))
    created_at: datetime = field(default_factory=now)
    updated_at: datetime = field(default_factory=now)

    @property
    def call_callback(self) -> Callback:
        """Where the end of a call to this number is told."""
        return Callback(self.status_callback, self.status_callback_method, frozenset({"completed"}))

    def as_resource(self) -> dict[str, Any]:
        """Return it as `api.v2010.account.incoming_phone_number`."""
        return {
            "account_sid": self.account_sid,
            "address_sid": None,
            "address_requirements": "none",
            "api_version": API_VERSION,
            "beta": False,
            "capabilities": _CAPABILITIES,
            "date_created": rfc_2822(self.created_at),
            "date_updated": rfc_2822(self.updated_at),
            "friendly_name": self.friendly_name or formatted(self.e164),
            "identity_sid": None,
            "phone_number": self.e164,
            "origin": "twilio",
            "sid": self.sid,
            "sms_application_sid": self.sms_application_sid or None,
            "sms_fallback_method": self.sms_fallback_method,
            "sms_fallback_url": self.sms_fallback_url,
            "sms_method": self.sms_method,
            "sms_url": self.sms_url,
            "status_callback": self.status_callback,
            "status_callback_method": self.status_callback_method,
            "trunk_sid": None,
            "uri": f"/{API_VERSION}/Accounts/{self.account_sid}/IncomingPhoneNumbers/{self.sid}.json",
            "voice_receive_mode": "voice",
            "voice_application_sid": self.voice_application_sid or None,
            "voice_caller_id_lookup": False,
            "voice_fallback_method": self.voice_fallback_method,
            "voice_fallback_url": self.voice_fallback_url or None,
            "voice_method": self.voice_method,
            "voice_url": self.voice_url or None,
            "emergency_status": "Active",
            "emergency_address_sid": None,
            "emergency_address_status": "unregistered",
            "bundle_sid": None,
            "status": "in-use",
            "type": "toll-free" if self.e164[2:5] in TOLL_FREE and self.e164.startswith("+1") else "local",
        }


_KEPT: Final = tuple(each.name for each in fields(OwnedNumber) if each.name not in ("account_sid", "created_at", "updated_at"))


class NumberBook:
    """The numbers of the account. Unless it is strict, others may be shown to those who are called, too.

    With a `state` file the numbers and their addresses outlive the sandbox, as those who bought them expect.
    """

    def __init__(self, account_sid: str, numbers: Iterable[str], is_strict: bool, state: Path | None = None) -> None:
        self._account_sid = account_sid
        self._is_strict = is_strict
        self._state = state
        self._by_sid: dict[str, OwnedNumber] = {}
        if state is not None and state.exists():
            for kept in orjson.loads(state.read_bytes())["numbers"]:
                owned = OwnedNumber(account_sid=account_sid, **kept)
                self._by_sid[owned.sid] = owned
        for number in numbers:
            if self.find(number) is None:
                # The same SID after every start: whoever noted it finds the number again.
                sid = "PN" + hashlib.sha256(f"{account_sid} {number}".encode()).hexdigest()[:32]
                self._by_sid[sid] = OwnedNumber(account_sid=account_sid, e164=number, sid=sid)

    def save(self) -> None:
        """Write the numbers down, where that was asked for."""
        if self._state is None:
            return
        kept = [{name: getattr(each, name) for name in _KEPT} for each in self._by_sid.values()]
        beside = self._state.with_suffix(".new")
        beside.write_bytes(orjson.dumps({"numbers": kept}))
        beside.replace(self._state)

    def add(self, e164: str) -> OwnedNumber:
        """Take a number in."""
        owned = OwnedNumber(account_sid=self._account_sid, e164=e164)
        self._by_sid[owned.sid] = owned
        return owned

    def remove(self, owned: OwnedNumber) -> None:
        """Give a number back."""
        self._by_sid.pop(owned.sid, None)

    def get(self, sid: str) -> OwnedNumber | None:
        """Return a number by its SID."""
        return self._by_sid.get(sid)

    def find(self, e164: str) -> OwnedNumber | None:
        """Return a number by its digits."""
        return next((each for each in self._by_sid.values() if each.e164 == e164), None)

    def newest_first(self) -> Iterator[OwnedNumber]:
        """Go through the numbers, backwards in time."""
        return reversed(list(self._by_sid.values()))

    def may_be_shown(self, e164: str) -> bool:
        """May this number call and write?"""
        return not self._is_strict or self.find(e164) is not None


@dataclass(frozen=True, slots=True)
class ForSale:
    """A number on sale."""

    e164: str

    @property
    def sid(self) -> str:
        """Its digits: it has no SID yet."""
        return self.e164

    @property
    def place(self) -> tuple[str | None, str | None]:
        """Its town and its state."""
        return _PLACES.get(self.e164[2:5], (None, None)) if self.e164.startswith("+1") else (None, None)

    def as_resource(self) -> dict[str, Any]:
        """Return it as `api.v2010.account.available_phone_number_country.available_phone_number_local`."""
        locality, region = self.place
        return {
            "friendly_name": formatted(self.e164),
            "phone_number": self.e164,
            "lata": None,
            "locality": locality,
            "rate_center": locality.upper() if locality else None,
            "latitude": None,
            "longitude": None,
            "region": region,
            "postal_code": None,
            "iso_country": _country_of(self.e164),
            "address_requirements": "none",
            "beta": False,
            "capabilities": _CAPABILITIES,
        }


def on_sale(iso_country: str, kind: str, area_code: str) -> list[ForSale] | None:
    """Return what is on sale in a country: kind is Local, TollFree or Mobile. None when nothing of the kind ever is."""
    if kind == "TollFree" and iso_country in ("US", "CA"):
        codes = [area_code] if area_code in TOLL_FREE else [] if area_code else sorted(TOLL_FREE)
        return _of_codes(codes)
    if kind == "Local" and iso_country in ("US", "CA"):
        codes = [area_code] if area_code else sorted(_PLACES)
        return [each for each in _of_codes(codes) if _country_of(each.e164) == iso_country]
    if iso_country == "GB" and kind in ("Local", "Mobile"):
        # Numbers that the regulator keeps free for fiction.
        stem = "+442079460" if kind == "Local" else "+447700900"
        return [ForSale(f"{stem}{number:03}") for number in range(_IN_ALL)]
    return None


def matches(e164: str, pattern: str) -> bool:
    """Does a number contain a pattern: digits and letters of the keypad, `*` for one digit, `%` for any number of them?

    `+` in front holds it to the beginning, `$` behind to the end.
    """
    parts = {"*": r"\d", "%": r"\d*", "+": "^", "$": "$"}
    wanted = "".join(parts.get(sign, re.escape(sign)) for sign in pattern.upper().translate(_KEYPAD))
    return re.search(wanted, e164.removeprefix("+")) is not None


def is_for_sale(e164: str) -> bool:
    """Could this number be bought, if nobody owns it?"""
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(e164))
    except phonenumbers.NumberParseException:
        return False


def _of_codes(codes: Iterable[str]) -> list[ForSale]:
    # 555-0100 to 555-0199 are set aside for fiction. The last come first: the first are often somebody in a demo.
    found = []
    for code in codes:
        numbers = (f"+1{code}5550{number}" for number in range(199, 99, -1))
        found += [ForSale(number) for number in numbers if _is_valid(number)]
    return found


@lru_cache(maxsize=4096)
def _is_valid(e164: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(e164))
    except phonenumbers.NumberParseException:
        return False


def _country_of(e164: str) -> str | None:
    return country(e164) or None
