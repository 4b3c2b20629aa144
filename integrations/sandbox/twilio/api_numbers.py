"""The resources of numbers: those owned, and those on sale."""

from typing import Final

from aiohttp import web

from integrations.sandbox.twilio import refusals
from integrations.sandbox.twilio.door import Route, Visit
from integrations.sandbox.twilio.listing import is_equal, page_of
from integrations.sandbox.twilio.numbers import NumberBook, OwnedNumber, is_for_sale, matches, on_sale
from integrations.sandbox.twilio.wording import Form, gone, is_web_address, now, reply, text

_KINDS: Final = "Local|TollFree|Mobile"
# What a form may set, and what it is called here.
_ADDRESSES: Final = {
    "VoiceUrl": "voice_url",
    "VoiceFallbackUrl": "voice_fallback_url",
    "SmsUrl": "sms_url",
    "SmsFallbackUrl": "sms_fallback_url",
    "StatusCallback": "status_callback",
}
_METHODS: Final = {
    "VoiceMethod": "voice_method",
    "VoiceFallbackMethod": "voice_fallback_method",
    "SmsMethod": "sms_method",
    "SmsFallbackMethod": "sms_fallback_method",
    "StatusCallbackMethod": "status_callback_method",
}
_WORDS: Final = {
    "FriendlyName": "friendly_name",
    "VoiceApplicationSid": "voice_application_sid",
    "SmsApplicationSid": "sms_application_sid",
}


class NumbersApi:
    """The handlers of the resources."""

    def __init__(self, book: NumberBook) -> None:
        self._book = book

    def routes(self) -> list[Route]:
        """Return the routes of the resources."""
        one = "/IncomingPhoneNumbers/{sid:PN\\w+}.json"
        return [
            Route("GET", "/IncomingPhoneNumbers.json", "numbers.list", self.list),
            Route("POST", "/IncomingPhoneNumbers.json", "numbers.create", self.buy),
            Route("POST", f"/IncomingPhoneNumbers/{{kind:{_KINDS}}}.json", "numbers.create", self.buy),
            Route("GET", one, "numbers.fetch", self.fetch),
            Route("POST", one, "numbers.update", self.update),
            Route("DELETE", one, "numbers.delete", self.release),
            Route("GET", f"/AvailablePhoneNumbers/{{country}}/{{kind:{_KINDS}}}.json", "available_numbers.list", self.search),
        ]

    async def list(self, visit: Visit) -> web.StreamResponse:
        """Return a page of the account's numbers."""
        query = visit.request.query
        wanted = query.get("PhoneNumber", "").strip()
        found = (
            each
            for each in self._book.newest_first()
            if (not wanted or matches(each.e164, wanted)) and is_equal(query, FriendlyName=each.friendly_name)
        )
        return reply(page_of("incoming_phone_numbers", found, visit.request.path, query))

    async def fetch(self, visit: Visit) -> web.StreamResponse:
        """Return one number."""
        return reply(self._find(visit).as_resource())

    async def buy(self, visit: Visit) -> web.StreamResponse:
        """Buy a number, or any of an area."""
        form = visit.form
        e164, area_code = text(form, "PhoneNumber"), text(form, "AreaCode")
        if not e164 and not area_code:
            raise refusals.no_number()
        _check(form)
        if not e164:
            offers = [each.e164 for each in on_sale("US", "Local", area_code) or () if self._book.find(each.e164) is None]
            if not offers:
                raise refusals.none_in_area(area_code)
            e164 = offers[0]
        if not is_for_sale(e164):
            raise refusals.invalid_number(e164)
        if self._book.find(e164) is not None:
            raise refusals.not_on_sale(e164)
        owned = self._book.add(e164)
        _set(owned, form)
        self._book.save()
        return reply(owned.as_resource(), 201)

    async def update(self, visit: Visit) -> web.StreamResponse:
        """Send a number's calls and messages elsewhere."""
        owned = self._find(visit)
        _check(visit.form)
        _set(owned, visit.form)
        self._book.save()
        return reply(owned.as_resource())

    async def release(self, visit: Visit) -> web.StreamResponse:
        """Give a number back."""
        self._book.remove(self._find(visit))
        self._book.save()
        return gone()

    async def search(self, visit: Visit) -> web.StreamResponse:
        """Return a page of numbers on sale."""
        query = visit.request.query
        offers = on_sale(visit.part("country").upper(), visit.part("kind"), query.get("AreaCode", ""))
        if offers is None:
            raise visit.not_found()
        contains = query.get("Contains", "")
        found = (
            each
            for each in offers
            if self._book.find(each.e164) is None
            and (not contains or matches(each.e164, contains))
            and is_equal(query, InLocality=each.place[0] or "", InRegion=each.place[1] or "")
        )
        return reply(page_of("available_phone_numbers", found, visit.request.path, query))

    def _find(self, visit: Visit) -> OwnedNumber:
        owned = self._book.get(visit.part("sid"))
        if owned is None:
            raise visit.not_found()
        return owned


def _check(form: Form) -> None:
    for name in _ADDRESSES:
        url = text(form, name)
        if url and not is_web_address(url):
            raise refusals.invalid_address(name, url)


def _set(owned: OwnedNumber, form: Form) -> None:
    for name, attribute in (_ADDRESSES | _WORDS).items():
        # An empty field takes the address away; one that was not sent leaves it.
        if name in form:
            setattr(owned, attribute, text(form, name))
    for name, attribute in _METHODS.items():
        if name in form:
            setattr(owned, attribute, "GET" if text(form, name).upper() == "GET" else "POST")
    owned.updated_at = now()
