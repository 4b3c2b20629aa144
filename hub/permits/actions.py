"""The permit: asked for before every outreach, decided in the database, written down with its reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson

from hub.contacts.actions import missing as contact_missing
from hub.contacts.addresses import AddressError, parse_email, parse_phone
from hub.db import Tx
from hub.errors import Conflict, Forbidden, Invalid, NotFound
from hub.permits import queries
from hub.permits.events import (
    ConsentChanged,
    PermitOverridden,
    PermitRefused,
    PermitSettingsUpdated,
    QuietDaysUpdated,
    SuppressionAdded,
    SuppressionRemoved,
)
from hub.permits.models import Channel, ConsentIn, PermitSettings, QuietDay, Source, SuppressionChannel, SuppressionKind
from hub.sqlfiles import load_sql
from hub.who import ADMINS

_SQL = load_sql("permits")
_OWN_WORD = frozenset({"contact", "stop", "unsubscribe", "complaint"})


@dataclass(frozen=True, slots=True)
class Permit:
    """A decision that is written down: whether one outreach may happen, and why. Allowed ones run out at `expires_at`."""

    id: UUID
    contact_id: UUID
    channel: Channel
    address: str
    allowed: bool
    code: str
    explanation: str
    next_allowed_at: datetime | None
    expires_at: datetime | None

    def refusal(self) -> Forbidden:
        """The error for a permit that was refused: its explanation in words, and what a client needs to offer more."""
        told = {
            "id": str(self.id),
            "code": self.code,
            "explanation": self.explanation,
            "next_allowed_at": self.next_allowed_at.isoformat() if self.next_allowed_at else None,
        }
        return Forbidden(self.explanation, code="not_permitted", details={"permit": told})


async def decide(
    tx: Tx,
    contact_id: UUID,
    channel: Channel,
    address: str,
    *,
    user_id: UUID | None,
    override_reason: str | None = None,
    queue_item_id: UUID | None = None,
    at: datetime | None = None,
) -> Permit:
    """Decide whether a contact may be reached at an address, as of now or of a schedule's moment, and write that down.

    A refusal is a Permit that is not allowed: let the transaction commit and then refuse (`Permit.refusal`,
    hub.permits.replies), so that the log keeps it. `user_id` is who would reach out. With `override_reason` an owner or admin
    sets a refusal aside, unless it is the contact's own word.

    Raises NotFound for the contact, Forbidden when somebody else wants to override, Invalid for an empty reason.
    """
    override_by: UUID | None = None
    if override_reason is not None:
        if tx.who.role not in ADMINS or tx.who.user_id is None:
            raise Forbidden("Only an owner or an admin can set a refusal aside.", code="override_not_allowed")
        override_reason = override_reason.strip()[:500]
        if not override_reason:
            raise Invalid.field("override.reason", "Say why; it is kept with the permit.")
        override_by = tx.who.user_id
    row = await tx.fetchrow(
        _SQL["decide"],
        contact_id=contact_id,
        channel=channel,
        address=address,
        for_user=user_id,
        override_by=override_by,
        override_reason=override_reason,
        queue_item_id=queue_item_id,
        at=at,
    )
    if row is None:
        raise contact_missing()
    permit = Permit(
        row["id"],
        contact_id,
        channel,
        address,
        row["allowed"],
        row["code"],
        row["explanation"],
        row["next_allowed_at"],
        row["expires_at"],
    )
    if not permit.allowed or row["overridden"]:
        told = {"permit": orjson.Fragment(await read_permit(tx, permit.id))}
        tx.emit(PermitOverridden(permit.id, told) if permit.allowed else PermitRefused(permit.id, told))
    return permit


async def require(
    tx: Tx,
    contact_id: UUID,
    channel: Channel,
    address: str,
    *,
    user_id: UUID | None,
    override_reason: str | None = None,
    queue_item_id: UUID | None = None,
    at: datetime | None = None,
) -> UUID:
    """A permit that is used in this transaction, or Forbidden ("not_permitted") with the explanation.

    Raising rolls the caller back, and the written refusal with it: whoever wants the log to keep refusals decides first.
    """
    permit = await decide(
        tx,
        contact_id,
        channel,
        address,
        user_id=user_id,
        override_reason=override_reason,
        queue_item_id=queue_item_id,
        at=at,
    )
    if not permit.allowed:
        raise permit.refusal()
    await use(tx, permit.id)
    return permit.id


async def use(tx: Tx, permit_id: UUID) -> None:
    """Use a permit for the one outreach it was given for. Raises Conflict when it is used, refused or has run out."""
    if await tx.fetchval(_SQL["use_permit"], id=permit_id) is None:
        raise Conflict("This permit was used or has run out. Ask for a new one.", code="permit_not_valid")


async def read_permit(tx: Tx, permit_id: UUID) -> str:
    """A decision as JSON. Raises NotFound."""
    text = await queries.get_permit(tx, permit_id)
    if text is None:
        raise NotFound("There is no such permit.", code="permit_not_found")
    return text


async def look(tx: Tx, contact_id: UUID, channel: Channel, address: str, *, at: datetime | None = None) -> str:
    """What the decision would be at a moment (None: now), as JSON; nothing is written down. Raises NotFound for the contact."""
    text = await queries.look(tx, contact_id, channel, address, at)
    if text is None:
        raise contact_missing()
    return text


def _normal(kind: SuppressionKind, value: str) -> str:
    try:
        if kind == "phone":
            return parse_phone(value).e164
        if kind == "email":
            return parse_email(value).lower()
        if kind == "contact":
            return str(UUID(value))
        if kind == "company":
            return _company(value)
        return parse_email(f"any@{value.strip().removeprefix('@')}").split("@", 1)[1].lower()
    except AddressError as exc:
        raise Invalid.field("value", str(exc)) from None
    except ValueError:
        raise Invalid.field("value", "Give the contact's id.") from None


def _company(value: str) -> str:
    if not value.strip() or "\x00" in value:
        raise Invalid.field("value", "Give the company's name as it stands on its contacts.")
    return value.strip()


async def suppress(
    tx: Tx,
    kind: SuppressionKind,
    value: str,
    reason: str,
    source: Source,
    *,
    channel: SuppressionChannel = "all",
    expires_at: datetime | None = None,
) -> UUID:
    """Put a number, address, domain, company (its name) or contact (its id) on the suppression list. Repeated, it only becomes
    stricter.

    `source` contact, stop, unsubscribe and complaint are the contact's own word, which nobody overrides. Raises Invalid for a
    bad value.
    """
    suppression_id: UUID = await tx.fetchval(
        _SQL["add_suppression"],
        kind=kind,
        value_lc=_normal(kind, value),
        channel=channel,
        reason=reason[:500],
        source=source,
        expires_at=expires_at,
    )
    text = await queries.get_suppression(tx, suppression_id)
    assert text is not None
    tx.emit(SuppressionAdded(suppression_id, {"suppression": orjson.Fragment(text[0])}))
    return suppression_id


async def lift_stop(tx: Tx, kind: SuppressionKind, value: str) -> int:
    """Take back what the contact's own STOP put on the list, because they said START. Returns how many entries went."""
    return await _lift(tx, kind, value, "stop")


async def lift_unsubscribe(tx: Tx, address: str) -> int:
    """Take back what somebody's unsubscribing put on the list, because they want mail again. Returns how many entries went."""
    return await _lift(tx, "email", address, "unsubscribe")


async def _lift(tx: Tx, kind: SuppressionKind, value: str, source: Source) -> int:
    rows = await tx.fetch(_SQL["lift_stop"], kind=kind, value_lc=_normal(kind, value), source=source)
    for row in rows:
        tx.emit(SuppressionRemoved(row["id"], {"suppression": orjson.Fragment(row["json"])}))
    return len(rows)


async def remove_suppression(tx: Tx, suppression_id: UUID) -> None:
    """Take an entry off the list. Raises NotFound; Forbidden for what the contact said, unless an owner or admin does it."""
    found = await queries.get_suppression(tx, suppression_id)
    if found is None:
        raise NotFound("There is no such entry.", code="suppression_not_found")
    if found[1] in _OWN_WORD and tx.who.role not in ADMINS:
        raise Forbidden("They asked for this themselves; only an owner or an admin can take it back.")
    text: str = await tx.fetchval(_SQL["remove_suppression"], id=suppression_id)
    tx.emit(SuppressionRemoved(suppression_id, {"suppression": orjson.Fragment(text)}))


async def set_consent(tx: Tx, contact_id: UUID, given: ConsentIn) -> str:
    """Record a contact's word about a channel and return it as JSON. Raises NotFound for the contact."""
    text: str | None = await tx.fetchval(
        _SQL["set_consent"], contact_id=contact_id, channel=given.channel, state=given.state, source=given.source
    )
    if text is None:
        raise contact_missing()
    tx.emit(ConsentChanged(contact_id, {"consent": orjson.Fragment(text)}))
    return text


async def set_quiet_days(tx: Tx, days: Sequence[QuietDay]) -> str:
    """Replace the company's quiet days (those of long past years stay) and return them as JSON."""
    await tx.execute(_SQL["clear_quiet_days"])
    await tx.execute(_SQL["add_quiet_days"], days=orjson.dumps([day.model_dump() for day in days]).decode())
    text = await queries.list_quiet_days(tx)
    tx.emit(QuietDaysUpdated(tx.who.tenant_id, {"quiet_days": orjson.Fragment(orjson.dumps(orjson.loads(text)["data"]))}))
    return text


async def save_settings(tx: Tx, given: PermitSettings) -> str:
    """Replace the company's own rules and return them as JSON."""
    text: str = await tx.fetchval(_SQL["save_settings"], **given.model_dump())
    tx.emit(PermitSettingsUpdated(tx.who.tenant_id, {"settings": orjson.Fragment(text)}))
    return text


async def begin_in_practice(tx: Tx) -> None:
    """Let a company that has no settings yet practise: hours, days and caps are worked out, but refuse nothing."""
    await tx.execute(_SQL["begin_in_practice"])
