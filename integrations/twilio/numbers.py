"""The account's numbers, and those on sale."""

from __future__ import annotations

import builtins
from typing import Any, Final

from integrations.ports import AvailableNumber, NumberKind, OwnedNumber
from integrations.twilio.account import Resource, nothing
from integrations.twilio.mapping import can, owned_number

_KINDS: Final = {"local": "local", "toll_free": "toll_free", "mobile": "mobile"}
_PAGE: Final = 1000


class TwilioNumbers(Resource):
    """The `Numbers` port."""

    async def search(
        self,
        country: str,
        *,
        area_code: str | None = None,
        contains: str | None = None,
        kind: NumberKind = "local",
        limit: int = 20,
    ) -> builtins.list[AvailableNumber]:
        """Numbers on sale that can be called from. A country where Twilio sells none has none."""
        filters: dict[str, Any] = {}
        if area_code:
            filters["area_code"] = area_code
        if contains:
            filters["contains"] = contains
        on_sale = getattr(self._account.client.available_phone_numbers(country), _KINDS[kind])
        found = await self._account.ask_or_none(
            "numbers.search",
            lambda: on_sale.list_async(voice_enabled=True, limit=limit, page_size=min(limit, _PAGE), **filters),
            lambda instances: [_available(instance, country) for instance in instances],
        )
        return found or []

    async def buy(self, e164: str, voice_url: str, sms_url: str, status_url: str) -> OwnedNumber:
        """Buy a number, once: it costs money each time."""
        return await self._account.ask(
            "numbers.buy",
            lambda: self._account.client.incoming_phone_numbers.create_async(
                phone_number=e164,
                **_addresses(voice_url, sms_url, status_url),
            ),
            owned_number,
            repeatable=False,
        )

    async def configure(self, sid: str, voice_url: str, sms_url: str, status_url: str | None = None) -> OwnedNumber:
        """Send a number's calls and messages elsewhere."""
        return await self._account.ask(
            "numbers.configure",
            lambda: self._account.client.incoming_phone_numbers(sid).update_async(**_addresses(voice_url, sms_url, status_url)),
            owned_number,
            repeatable=True,
        )

    async def release(self, sid: str) -> None:
        """Give a number back."""
        await self._account.ask_or_none(
            "numbers.release", lambda: self._account.client.incoming_phone_numbers(sid).delete_async(), nothing
        )

    async def list(self, e164: str | None = None) -> builtins.list[OwnedNumber]:
        """The account's numbers, or the one of these digits."""
        filters = {"phone_number": e164} if e164 else {}
        found = await self._account.ask(
            "numbers.list",
            lambda: self._account.client.incoming_phone_numbers.list_async(page_size=_PAGE, **filters),
            lambda instances: [owned_number(instance) for instance in instances],
            repeatable=True,
        )
        # Twilio's filter takes parts of a number, too.
        return [number for number in found if e164 is None or number.e164 == e164]


def _addresses(voice_url: str, sms_url: str, status_url: str | None) -> dict[str, str]:
    given = {
        "voice_url": voice_url,
        "voice_method": "POST",
        "sms_url": sms_url,
        "sms_method": "POST",
    }
    if status_url is not None:
        given |= {"status_callback": status_url, "status_callback_method": "POST"}
    return given


def _available(instance: Any, country: str) -> AvailableNumber:
    return AvailableNumber(
        e164=instance.phone_number,
        locality=instance.locality or None,
        region=instance.region or None,
        country=instance.iso_country or country,
        voice=can(instance.capabilities, "voice"),
        sms=can(instance.capabilities, "sms"),
    )
