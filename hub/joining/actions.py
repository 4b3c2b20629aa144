"""Inviting: who may ask whom to join, as what, and until when."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import asyncpg
import orjson

from hub.db import Tx
from hub.errors import Conflict, Forbidden, NotFound, TooMany
from hub.events import MANAGERS
from hub.joining import letters
from hub.joining.events import InvitationCreated, InvitationSent, InvitationWithdrawn
from hub.joining.models import InvitationIn
from hub.permissions import permissions_of
from hub.plans.actions import check_seats, require
from hub.post import rationing
from hub.roles import actions as roles
from hub.sqlfiles import load_sql
from hub.teams.actions import check_may_fill

_SQL = load_sql("joining")

# Letters to strangers: so many of a company in an hour, so many to one invited person.
_PER_COMPANY = 200
_PER_HOUR_S = 3600
_PER_INVITATION = 10


def missing() -> NotFound:
    """The answer for an invitation that is not there, or not this tenant's."""
    return NotFound("There is no such invitation.", code="invitation_not_found")


async def invite(tx: Tx, given: InvitationIn, public_url: str) -> str:
    """Ask somebody to join; the invitation's JSON. It runs out after seven days.

    Raises Forbidden for a role that may do more than who invites and for teams they may put nobody into, Conflict for who is a
    member or is invited already, Invalid for a team or a role there is not, PlanLimit without a seat for them,
    TooMany after very many letters.
    """
    if given.role_id is not None:
        await require(tx, "custom_roles")
    role = await roles.resolve(tx, given.role or "rep", given.role_id)
    roles.check_reach(tx, role)
    await _check_teams(tx, given.team_ids)
    await _check_address(tx, given.email)
    # Who is invited should not meet a closed door: each open invitation is as good as a seat.
    await check_seats(tx, 1 + await tx.fetchval(_SQL["count_open"]))
    await _take_letter(tx, given.email)
    token, hashed = letters.new_token()
    invitation_id: UUID = await tx.fetchval(
        _SQL["insert_invitation"],
        email=given.email,
        name=given.name,
        role=role.role,
        role_id=role.role_id,
        hash=hashed,
        ttl_s=letters.INVITATION_TTL_S,
    )
    await _add_teams(tx, invitation_id, given.team_ids)
    await _send(tx, public_url, token, given.email, given.name)
    text = await read_invitation(tx, invitation_id)
    tx.emit(InvitationCreated(invitation_id, {"invitation": orjson.Fragment(text)}, MANAGERS))
    return text


async def send_again(tx: Tx, invitation_id: UUID, public_url: str) -> str:
    """Send an open or expired invitation again, for seven days from now; the link of the letter before is worth nothing then.

    Raises NotFound, Conflict for one that is settled, Forbidden as for a new one, TooMany when the last letter is too young.
    """
    row = await _lock_open(tx, invitation_id)
    roles.check_reach(tx, await roles.resolve(tx, row["role"], row["role_id"]))
    if row["is_fresh"]:
        raise TooMany("It was sent just now. Wait a minute before you send it again.", retry_after_s=60)
    if row["sent"] >= _PER_INVITATION:
        raise Conflict(
            f"It was sent {_PER_INVITATION} times. Withdraw it and ask the person how to reach them.", code="sent_too_often"
        )
    await _take_letter(tx, row["email"])
    token, hashed = letters.new_token()
    await tx.execute(_SQL["renew_invitation"], id=invitation_id, hash=hashed, ttl_s=letters.INVITATION_TTL_S)
    await _send(tx, public_url, token, row["email"], row["name"])
    text = await read_invitation(tx, invitation_id)
    tx.emit(InvitationSent(invitation_id, {"invitation": orjson.Fragment(text)}, MANAGERS))
    return text


async def withdraw(tx: Tx, invitation_id: UUID) -> str:
    """Take an invitation back: its link lets nobody in any more; its JSON.

    Raises NotFound, Conflict when it is settled, Forbidden for one as what reaches farther than who takes it back.
    """
    row = await _lock_open(tx, invitation_id)
    # Without the company's own role it was to give it lets nobody in; it counts as the role that one was based on.
    role_id = row["role_id"] if row["role_is_there"] else None
    roles.check_reach(tx, await roles.resolve(tx, row["role"], role_id))
    await tx.execute(_SQL["withdraw_invitation"], id=invitation_id)
    return await _tell_withdrawn(tx, invitation_id)


async def withdraw_all_of(tx: Tx, member_id: UUID) -> None:
    """Take back what somebody who is no active member any more has sent out: no way back in that they made themselves."""
    for row in await tx.fetch(_SQL["withdraw_invitations_of"], member_id=member_id):
        await _tell_withdrawn(tx, row["id"])


async def read_invitation(tx: Tx, invitation_id: UUID) -> str:
    """An invitation as JSON. NotFound when there is none."""
    text: str | None = await tx.fetchval(_SQL["get_invitation"], id=invitation_id)
    if text is None:
        raise missing()
    return text


async def _tell_withdrawn(tx: Tx, invitation_id: UUID) -> str:
    text = await read_invitation(tx, invitation_id)
    tx.emit(InvitationWithdrawn(invitation_id, {"invitation": orjson.Fragment(text)}, MANAGERS))
    return text


async def _lock_open(tx: Tx, invitation_id: UUID) -> asyncpg.Record:
    row = await tx.fetchrow(_SQL["lock_invitation"], id=invitation_id)
    if row is None:
        raise missing()
    if row["accepted_at"] is not None:
        raise Conflict("It was accepted: this person is in the company now.", code="invitation_accepted")
    if row["withdrawn_at"] is not None:
        raise Conflict("It was withdrawn. Invite the person anew.", code="invitation_withdrawn")
    return row


async def _check_teams(tx: Tx, teams: Sequence[UUID]) -> None:
    if not teams:
        return
    if "teams:write" not in permissions_of(tx.who):
        raise Forbidden("To put who is invited into teams takes the permission teams:write. Invite them without teams.")
    await check_may_fill(tx, teams)


async def _check_address(tx: Tx, email: str) -> None:
    known = await tx.fetchval(_SQL["member_by_address"], email_lc=email.lower())
    if known == "active":
        raise Conflict("There is a member with this address already.", code="already_a_member")
    if known == "deactivated":
        raise Conflict("This person was deactivated. Activate them again in Members instead.", code="member_deactivated")


async def _add_teams(tx: Tx, invitation_id: UUID, teams: Sequence[UUID]) -> None:
    if teams:
        await tx.execute(_SQL["add_invitation_teams"], id=invitation_id, teams=list(dict.fromkeys(teams)))


async def _take_letter(tx: Tx, email: str) -> None:
    wait_s = await tx.fetchval(
        _SQL["take_attempt"], keys=[f"invite:{tx.who.tenant_id}"], limits=[_PER_COMPANY], window_s=_PER_HOUR_S
    )
    if wait_s > 0:
        raise TooMany(
            f"Your company has sent {_PER_COMPANY} invitations within an hour. Go on in {max(1, wait_s // 60)} minutes.",
            retry_after_s=wait_s,
            code="invitations_throttled",
        )
    wait_s = await rationing.wait_s(tx, rationing.UNASKED, email)
    if wait_s > 0:
        hours, minutes = divmod(max(1, wait_s // 60), 60)
        waiting = f"{hours} hours" if hours > 1 else f"{hours * 60 + minutes} minutes"
        raise TooMany(
            f"Ringside has written to this address often enough, for all companies together. Try again in {waiting}.",
            retry_after_s=wait_s,
            code="address_throttled",
        )


async def _send(tx: Tx, public_url: str, token: str, to: str, name: str) -> None:
    company: str = await tx.fetchval(_SQL["company_name"])
    await letters.send_invitation(tx, public_url, token, to=to, name=name, company=company)
