"""What people do with a mailbox that is connected: settings, privacy, pause, resume, sync now, disconnect."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import nh3
import orjson

from hub.db import Tx
from hub.errors import Conflict, Forbidden, Invalid, PreconditionFailed
from hub.mailboxes import owners, queries, syncing
from hub.mailboxes.audience import settings_audiences, tell
from hub.mailboxes.events import MailboxDisconnected, MailboxStateChanged, MailboxUpdated
from hub.mailboxes.models import CapsPatch, MailboxPatch, PrivacyIn
from hub.mailboxes.privacy import folded
from hub.mailboxes.rows import MailboxRow
from hub.notifications.actions import notify
from hub.sqlfiles import load_sql
from hub.who import ADMINS

_SQL = load_sql("mailboxes")

_EARLIEST = timedelta(days=3650)
_CAPS = ("per_hour", "per_day", "per_week", "min_gap_s", "bounce_limit_permille")


async def update_mailbox(tx: Tx, mailbox_id: UUID, given: MailboxPatch, version: int | None) -> tuple[str, int]:
    """Change a mailbox's settings; its JSON and version.

    Raises NotFound, Forbidden for somebody else's, PreconditionFailed when somebody was quicker, Invalid for what can't be.
    """
    mailbox = await _mine(tx, mailbox_id)
    if version is not None and version != mailbox.version:
        raise PreconditionFailed("Somebody changed this mailbox since you opened it. Look at it again, then save.")
    before = await settings_audiences(tx, mailbox)
    changes = await _changes(tx, mailbox, given)
    if changes:
        await tx.execute(_SQL["update_mailbox"], id=mailbox_id, **changes)
        if "set_sync_since" in changes and mailbox.is_live:
            await tx.defer("mailboxes.first_sync", {"mailbox_id": mailbox_id})
        if {"set_visibility", "set_team", "set_owner"} & changes.keys():
            await tx.defer("mail.reclassify", {"mailbox_id": mailbox_id})
        changed = await _row(tx, mailbox_id)
        await tell(tx, MailboxUpdated, changed, before=before)
        if "set_owner" in changes:
            await owners.go_on(tx, changed)
            await _tell_new_owner(tx, changed)
            # Who gave it away may not see it any more.
            return await _json(tx, mailbox_id), (await _row(tx, mailbox_id)).version
    return await queries.read_mailbox(tx, mailbox_id)


async def pause_mailbox(tx: Tx, mailbox_id: UUID) -> str:
    """Take nothing in and send nothing until it is resumed; its JSON."""
    mailbox = await _mine(tx, mailbox_id)
    if mailbox.state == "disconnected":
        raise Conflict("This mailbox is disconnected.", code="mailbox_is_disconnected")
    if mailbox.state != "paused":
        await tx.execute(_SQL["move_mailbox"], id=mailbox_id, state="paused", error=mailbox.error)
        await tell(tx, MailboxStateChanged, await _row(tx, mailbox_id))
    return (await queries.read_mailbox(tx, mailbox_id))[0]


async def resume_mailbox(tx: Tx, mailbox_id: UUID) -> str:
    """Take in again what was paused, and let it send again where it had stopped itself; its JSON.

    Raises Conflict for a mailbox that must be connected again first.
    """
    mailbox = await _mine(tx, mailbox_id)
    if mailbox.state in ("revoked", "disconnected"):
        raise Conflict("Connect this mailbox again first.", code="mailbox_not_connected")
    owners.check_owner(mailbox)
    await tx.execute(_SQL["resume_mailbox"], id=mailbox_id)
    await syncing.start(tx, mailbox_id)
    await tell(tx, MailboxStateChanged, await _row(tx, mailbox_id))
    return (await queries.read_mailbox(tx, mailbox_id))[0]


async def sync_now(tx: Tx, mailbox_id: UUID) -> str:
    """Ask the provider at once and compare everything with it; the mailbox's JSON. Raises Conflict where nothing can be asked."""
    mailbox = await _seen(tx, mailbox_id)
    if not mailbox.is_live:
        raise Conflict("This mailbox is not connected just now.", code="mailbox_not_connected")
    await tx.execute(_SQL["compare_soon"], id=mailbox_id)
    await tx.defer("mailboxes.sync", {"mailbox_id": mailbox_id, "by": "asked"})
    await tx.defer("mailboxes.measure", {"mailbox_id": mailbox_id})
    return (await queries.read_mailbox(tx, mailbox_id))[0]


async def disconnect_mailbox(tx: Tx, mailbox_id: UUID, *, erase: bool) -> str:
    """Let go of a mailbox; its JSON. Access is given back, and the mail erased if that is asked for, by a job."""
    mailbox = await _mine(tx, mailbox_id)
    if mailbox.state != "disconnected":
        await tx.execute(_SQL["disconnect_mailbox"], id=mailbox_id)
        await tx.execute(_SQL["forget_changes"], mailbox_id=mailbox_id)
        await tell(tx, MailboxDisconnected, await _row(tx, mailbox_id))
    if mailbox.state != "disconnected" or erase:
        await tx.defer("mailboxes.disconnect", {"mailbox_id": mailbox_id, "erase": erase}, max_attempts=12)
    return (await queries.read_mailbox(tx, mailbox_id))[0]


async def set_privacy(tx: Tx, mailbox_id: UUID | None, given: PrivacyIn) -> str:
    """Put these rules in place of a mailbox's, or of the company's; their JSON. Raises NotFound, Forbidden, Invalid."""
    mailbox = await _mine(tx, mailbox_id) if mailbox_id is not None else None
    rules = folded(given.rules, labels_too=mailbox is not None)
    await tx.execute(_SQL["clear_rules"], mailbox_id=mailbox_id)
    kinds, values = [kind for kind, _ in rules], [value for _, value in rules]
    await tx.execute(_SQL["add_rules"], mailbox_id=mailbox_id, kinds=kinds, values=values)
    if mailbox is not None:
        await tx.execute(_SQL["mark_private_labels"], mailbox_id=mailbox.id)
        await tx.defer("mail.reclassify", {"mailbox_id": mailbox.id})
        await tell(tx, MailboxUpdated, mailbox)
    else:
        for row in await tx.fetch(_SQL["live_mailboxes"]):
            await tx.defer("mail.reclassify", {"mailbox_id": row["id"]})
    return await queries.read_rules(tx, mailbox_id)


async def mark_revoked(tx: Tx, mailbox_id: UUID, words: str) -> None:
    """The provider does not let us in any more: shown at once, and its owner is told. May be repeated.

    For whoever asks the provider on the mailbox's behalf and is turned away (`hub.mailboxes.opening.access_is_gone`).
    """
    row = await tx.fetchrow(_SQL["lock_row"], id=mailbox_id)
    if row is None or row["state"] in ("revoked", "disconnected", "paused"):
        return
    await tx.execute(_SQL["move_mailbox"], id=mailbox_id, state="revoked", error=words[:500])
    mailbox = await _row(tx, mailbox_id)
    await tell(tx, MailboxStateChanged, mailbox)
    title = f"{mailbox.address} is not connected any more"
    await notify(tx, mailbox.user_id, "mailbox_revoked", title, f"{words} Connect it again.", "mailbox", mailbox_id)


async def stop_sending(tx: Tx, mailbox_id: UUID, reason: str) -> bool:
    """Let a mailbox send nothing by itself until it is resumed, and tell its owner why. False when it stood still already."""
    if await tx.fetchval(_SQL["stop_sending"], id=mailbox_id, reason=reason[:500]) is None:
        return False
    mailbox = await _row(tx, mailbox_id)
    await tell(tx, MailboxStateChanged, mailbox)
    title = f"{mailbox.address} has stopped sending"
    await notify(tx, mailbox.user_id, "mailbox_stopped", title, reason, "mailbox", mailbox_id)
    return True


async def change_labels_later(
    tx: Tx, mailbox_id: UUID, provider_id: str, thread_id: str = "", *, add: Sequence[str] = (), remove: Sequence[str] = ()
) -> None:
    """Have the provider told of a change of labels, as far as the mailbox's owner wants that (`unread` is a label, too)."""
    mailbox = await queries.get_row(tx, mailbox_id)
    if mailbox is None or not mailbox.is_live:
        return
    wanted = {"unread": mailbox.sync_read}
    added = [label for label in add if wanted.get(label, mailbox.sync_labels)]
    removed = [label for label in remove if wanted.get(label, mailbox.sync_labels)]
    if not added and not removed:
        return
    await tx.execute(
        _SQL["add_change"], mailbox_id=mailbox_id, provider_id=provider_id, thread_id=thread_id, added=added, removed=removed
    )
    await tx.defer("mailboxes.tell_provider", {"mailbox_id": mailbox_id}, max_attempts=20)


async def may_change(tx: Tx, mailbox_id: UUID) -> MailboxRow:
    """The mailbox, held, if who acts may change it. Raises NotFound for one they do not see, Forbidden otherwise."""
    return await _mine(tx, mailbox_id)


async def _tell_new_owner(tx: Tx, mailbox: MailboxRow) -> None:
    if mailbox.user_id != tx.who.user_id:
        words = f"{tx.who.name or 'Ringside'} gave you this mailbox, with the mail in it."
        await notify(tx, mailbox.user_id, "mailbox_given", f"{mailbox.address} is yours now", words, "mailbox", mailbox.id)


async def _seen(tx: Tx, mailbox_id: UUID) -> MailboxRow:
    await queries.read_mailbox(tx, mailbox_id)
    return await _row(tx, mailbox_id)


async def _mine(tx: Tx, mailbox_id: UUID) -> MailboxRow:
    await queries.read_mailbox(tx, mailbox_id)
    row = await tx.fetchrow(_SQL["lock_row"], id=mailbox_id)
    assert row is not None
    mailbox = MailboxRow.of(row)
    if mailbox.user_id != tx.who.user_id and tx.who.role not in ADMINS:
        raise Forbidden("This is a colleague's mailbox; its owner or an admin can change it.")
    return mailbox


async def _row(tx: Tx, mailbox_id: UUID) -> MailboxRow:
    row = await queries.get_row(tx, mailbox_id)
    assert row is not None
    return row


async def _json(tx: Tx, mailbox_id: UUID) -> str:
    text: str = await tx.fetchval(_SQL["mailbox_json"], id=mailbox_id)
    return text


async def _changes(tx: Tx, mailbox: MailboxRow, given: MailboxPatch) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for name in ("display_name", "sync_read", "sync_labels"):
        value = getattr(given, name)
        if value is not None and value != getattr(mailbox, name):
            changes |= {f"set_{name}": True, name: value}
    if given.signature_html is not None:
        changes |= {"set_signature_html": True, "signature_html": nh3.clean(given.signature_html)}
    changes |= await _who_sees(tx, mailbox, given)
    changes |= await owners.new_owner(tx, mailbox, given.user_id)
    if given.sync_since is not None:
        changes |= _since(mailbox, given.sync_since)
    return changes | _caps(given.caps)


async def _who_sees(tx: Tx, mailbox: MailboxRow, given: MailboxPatch) -> dict[str, Any]:
    team = given.team_id if "team_id" in given.model_fields_set else mailbox.team_id
    visibility = given.visibility or mailbox.visibility
    if team != mailbox.team_id and team is not None:
        await check_team(tx, team)
    if visibility == "team" and team is None:
        raise Invalid.field("visibility", "Name the team that is to see it (team_id).")
    if mailbox.user_id != tx.who.user_id and mailbox.visibility != visibility and visibility != "private":
        raise Forbidden("Only its owner can open a mailbox to more people.")
    changes: dict[str, Any] = {}
    if visibility != mailbox.visibility:
        changes |= {"set_visibility": True, "visibility": visibility}
    if team != mailbox.team_id:
        changes |= {"set_team": True, "to_team": team}
    return changes


async def check_team(tx: Tx, team_id: UUID) -> None:
    """Raises Invalid unless this is a team that who acts is in, or an admin may use."""
    if await tx.fetchval(_SQL["team_exists"], to_team=team_id) is None:
        raise Invalid.field("team_id", "There is no such team.")
    if tx.who.role not in ADMINS and await tx.fetchval(_SQL["is_in_team"], to_team=team_id) is None:
        raise Invalid.field("team_id", "You are not in this team.")


def _since(mailbox: MailboxRow, since: datetime) -> dict[str, Any]:
    if since.tzinfo is None:
        raise Invalid.field("sync_since", "Say the time zone, too, as in 2026-01-31T00:00:00Z.")
    if since < datetime.now(UTC) - _EARLIEST:
        raise Invalid.field("sync_since", "It can be ten years back at the most.")
    if since >= mailbox.sync_since:
        raise Invalid.field("sync_since", "It can only be moved back; what was taken in stays.")
    return {"set_sync_since": True, "sync_since": since}


def _caps(given: CapsPatch | None) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if given is None:
        return changes
    for name in _CAPS:
        value = getattr(given, name)
        if value is not None:
            changes |= {f"set_{name}": True, name: value}
    if "warm_up" in given.model_fields_set:
        warm_up = given.warm_up.model_dump(mode="json") if given.warm_up is not None else None
        changes |= {"set_warm_up": True, "warm_up": orjson.dumps(warm_up).decode() if warm_up is not None else None}
    return changes
