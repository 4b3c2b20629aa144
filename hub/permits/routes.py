"""Permits over HTTP: the decision, its log, and what a company sets."""

from __future__ import annotations

from hub.contacts.actions import missing as contact_missing
from hub.contacts.addresses import AddressError, parse_phone
from hub.contacts.queries import contact_exists, contact_phone
from hub.db import Tx
from hub.errors import Invalid
from hub.http.endpoint import Reply, Req, Routes
from hub.permits import actions, queries
from hub.permits.models import (
    Consent,
    ConsentIn,
    ConsentList,
    PermitFilter,
    PermitLook,
    PermitOut,
    PermitPage,
    PermitQuery,
    PermitSettings,
    QuietDays,
    Rules,
    Suppression,
    SuppressionFilter,
    SuppressionIn,
    SuppressionPage,
)

routes = Routes("permits")


@routes.get("/contacts/{id}/permit", query=PermitQuery, returns=PermitLook, allow="permits:read")
async def look_at_permit(tx: Tx, req: Req[PermitQuery, None]) -> Reply:
    """Whether a contact may be reached now, and why. Nothing is written down."""
    address = await _address(tx, req)
    return Reply(await actions.look(tx, req.id(), req.query.channel, address))


@routes.get("/contacts/{id}/consent", returns=ConsentList, allow="contacts:read")
async def list_consents(tx: Tx, req: Req[None, None]) -> Reply:
    """What a contact has said about being reached."""
    if not await contact_exists(tx, req.id()):
        raise contact_missing()
    return Reply(await queries.list_consents(tx, req.id()))


@routes.put("/contacts/{id}/consent", body=ConsentIn, returns=Consent, allow="contacts:write")
async def set_consent(tx: Tx, req: Req[None, ConsentIn]) -> Reply:
    """Record what a contact has said about a channel."""
    return Reply(await actions.set_consent(tx, req.id(), req.body))


@routes.get("/permits", query=PermitFilter, returns=PermitPage, allow="permits:read")
async def list_permits(tx: Tx, req: Req[PermitFilter, None]) -> Reply:
    """The log of decisions, newest first."""
    return Reply(await queries.list_permits(tx, req.query))


@routes.get("/permits/rules", returns=Rules, allow="permits:read")
async def list_rules(tx: Tx, req: Req[None, None]) -> Reply:
    """The law as the decision knows it: every rule with its source, and the version of them all."""
    return Reply(await queries.rules(tx))


@routes.get("/permits/settings", returns=PermitSettings, allow="settings:read")
async def get_permit_settings(tx: Tx, req: Req[None, None]) -> Reply:
    """The company's own rules."""
    return Reply(await queries.get_settings(tx))


@routes.put("/permits/settings", body=PermitSettings, returns=PermitSettings, allow="settings:write")
async def save_permit_settings(tx: Tx, req: Req[None, PermitSettings]) -> Reply:
    """Set the company's own rules, all of them; what is left out is set to what it is at first."""
    return Reply(await actions.save_settings(tx, req.body))


@routes.get("/permits/{id}", returns=PermitOut, allow="permits:read")
async def get_permit(tx: Tx, req: Req[None, None]) -> Reply:
    """One decision with the facts it was made from."""
    return Reply(await actions.read_permit(tx, req.id()))


@routes.get("/quiet-days", returns=QuietDays, allow="settings:read")
async def list_quiet_days(tx: Tx, req: Req[None, None]) -> Reply:
    """The days on which the company reaches nobody."""
    return Reply(await queries.list_quiet_days(tx))


@routes.put("/quiet-days", body=QuietDays, returns=QuietDays, allow="quiet_days:write")
async def set_quiet_days(tx: Tx, req: Req[None, QuietDays]) -> Reply:
    """Replace the company's quiet days."""
    return Reply(await actions.set_quiet_days(tx, req.body.data))


@routes.get("/suppressions", query=SuppressionFilter, returns=SuppressionPage, allow="permits:read")
async def list_suppressions(tx: Tx, req: Req[SuppressionFilter, None]) -> Reply:
    """Who is not to be reached, newest first."""
    return Reply(await queries.list_suppressions(tx, req.query))


@routes.post("/suppressions", body=SuppressionIn, returns=Suppression, status=201, allow="suppressions:write")
async def add_suppression(tx: Tx, req: Req[None, SuppressionIn]) -> Reply:
    """Put a number, an address, a domain or a contact (its id) on the list of those who are not to be reached."""
    given = req.body
    made = await actions.suppress(
        tx, given.kind, given.value, given.reason, given.source, channel=given.channel, expires_at=given.expires_at
    )
    found = await queries.get_suppression(tx, made)
    assert found is not None
    return Reply(found[0], 201)


@routes.delete("/suppressions/{id}", status=204, allow="suppressions:delete")
async def remove_suppression(tx: Tx, req: Req[None, None]) -> Reply:
    """Take an entry off the list; what the contact asked for themselves only an owner or admin."""
    await actions.remove_suppression(tx, req.id())
    return Reply()


async def _address(tx: Tx, req: Req[PermitQuery, None]) -> str:
    asked, contact_id = req.query, req.id()
    wrong = asked.phone if asked.channel == "email" else asked.email
    if wrong is not None:
        field = "phone" if asked.channel == "email" else "email"
        raise Invalid.field(field, f"It does not go with the channel {asked.channel}.")
    found: str | None
    if asked.channel == "email":
        found = await queries.contact_email(tx, contact_id, asked.email)
        field, what = "email", "email address"
    else:
        found = await contact_phone(tx, contact_id, _e164(asked.phone) if asked.phone is not None else None)
        field, what = "phone", "telephone number"
    if found is not None:
        return found
    if not await contact_exists(tx, contact_id):
        raise contact_missing()
    given = asked.email or asked.phone
    raise Invalid.field(field, f"{given} is none of this contact's." if given else f"This contact has no {what}.")


def _e164(phone: str) -> str:
    # A plus sign that a URL turned into a space is put back.
    try:
        return parse_phone("+" + phone.strip() if phone.startswith(" ") else phone).e164
    except AddressError as exc:
        raise Invalid.field("phone", str(exc)) from None
