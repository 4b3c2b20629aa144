"""Telephone number endpoints."""

from __future__ import annotations

import re

from hub.config import Settings
from hub.db import Database, Tx
from hub.errors import Invalid, Unavailable
from hub.http.endpoint import Reply, Req, Routes
from hub.numbers import actions, queries
from hub.numbers.models import AvailableFilter, AvailablePage, Number, NumberFilter, NumberIn, NumberPage, NumberPatch
from hub.providers import Providers
from integrations.errors import CircuitOpen, Rejected, Transient


def number_routes(settings: Settings, providers: Providers) -> Routes:
    """The number endpoints, bound to this server's telephone account."""
    routes = Routes("numbers")
    shared = settings.twilio.from_number if settings.twilio else None

    @routes.get("/numbers", query=NumberFilter, returns=NumberPage, allow="numbers:read")
    async def list_numbers(tx: Tx, req: Req[NumberFilter, None]) -> Reply:
        """The company's numbers; the first is the installation's own, which everybody shares."""
        return Reply(await queries.list_numbers(tx, req.query, shared))

    @routes.get(
        "/numbers/available", scope="db", query=AvailableFilter, returns=AvailablePage, allow="numbers:write", errors=(422, 503)
    )
    async def available_numbers(db: Database, req: Req[AvailableFilter, None]) -> Reply:
        """Numbers on sale at the telephone provider."""
        if providers.numbers is None:
            raise _no_account()
        asked = req.query
        try:
            found = await providers.numbers.search(
                asked.country, area_code=asked.area_code, contains=asked.contains, kind=asked.kind, limit=asked.limit
            )
        except Rejected as exc:
            raise Invalid(exc.message) from None
        except (Transient, CircuitOpen):
            raise Unavailable("The telephone provider does not answer. Try again in a moment.", retry_after_s=5) from None
        data = [
            {
                "e164": number.e164,
                "locality": number.locality or "",
                "region": number.region or "",
                "country": number.country,
                "voice": number.voice,
                "sms": number.sms,
            }
            for number in found
        ]
        return Reply({"data": data, "next_cursor": None})

    @routes.post("/numbers", body=NumberIn, returns=Number, status=202, allow="numbers:buy", errors=(409,))
    async def buy_number(tx: Tx, req: Req[None, NumberIn]) -> Reply:
        """Buy a number; it can be used as soon as its state is active."""
        if shared is None:
            raise _no_account()
        return _tagged(*await actions.buy_number(tx, req.body, shared), status=202)

    @routes.get("/numbers/{id}", returns=Number, allow="numbers:read")
    async def get_number(tx: Tx, req: Req[None, None]) -> Reply:
        """One number, with its version as ETag."""
        return _tagged(*await actions.read_number(tx, req.id()))

    @routes.patch("/numbers/{id}", body=NumberPatch, returns=Number, allow="numbers:write", errors=(409, 412))
    async def update_number(tx: Tx, req: Req[None, NumberPatch]) -> Reply:
        """Label a number, assign it to a person or a team, say who answers it and when."""
        return _tagged(*await actions.update_number(tx, req.id(), req.body, _if_match(req)))

    @routes.delete("/numbers/{id}", returns=Number, status=202, allow="numbers:buy", errors=(409,))
    async def release_number(tx: Tx, req: Req[None, None]) -> Reply:
        """Give a number back to the telephone provider. It can't be taken back."""
        return _tagged(*await actions.release_number(tx, req.id()), status=202)

    return routes


def _no_account() -> Unavailable:
    return Unavailable("No telephone account is set up. Set TWILIO_ACCOUNT_SID and its companions.", retry_after_s=60)


def _tagged(text: str, version: int, status: int = 200) -> Reply:
    return Reply(text, status, {"ETag": f'"{version}"'})


def _if_match(req: Req[None, NumberPatch]) -> int | None:
    given = req.http.headers.get("If-Match", "*").strip()
    if given == "*":
        return None
    match = re.fullmatch(r'(?:W/)?"?(\d{1,9})"?', given)
    if match is None:
        raise Invalid.field("If-Match", "Send the ETag of the number as it was given, or leave the header out.")
    return int(match.group(1))
