"""What the holders of letters do: let a company become live, join one. Nobody knows their company before the token is read.

Looking changes nothing, so that a scanner that follows links uses nothing up.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import orjson

from hub.auth.password_rules import refuse_weak
from hub.auth.passwords import hash_password
from hub.db import Database, Tx, tenant_tx
from hub.errors import Conflict, Forbidden, HubError, NotFound, TooMany, Unauthorized
from hub.events import MANAGERS
from hub.joining import letters
from hub.joining.actions import read_invitation
from hub.joining.events import InvitationAccepted, MemberJoined
from hub.joining.models import InvitationSeen, Joined, LetterSent, NewPerson, SignUpIn, SignUpSeen
from hub.mailboxes import owners
from hub.plans.actions import PlanLimit, check_seats
from hub.post import rationing
from hub.roles import actions as roles
from hub.sqlfiles import load_sql
from hub.teams.actions import read_team
from hub.teams.events import TeamUpdated
from hub.tenants.actions import read_member
from hub.who import Role, Who

_SQL = load_sql("joining")

# Letters to addresses that nobody has proved: so many asked for from one place, so many to one address.
_PER_PLACE = 20
_PER_ADDRESS = 5
_WINDOW_S = 3600
_SENT = "If this address can be reached, a letter is on its way to it. Its link is good for a day."

_REFUSED: dict[str, tuple[type[HubError], str, str]] = {
    "unknown": (NotFound, "link_unknown", "This link is not one of ours, or a newer letter has taken its place."),
    "used": (Conflict, "link_used", "This link was used already. Sign in."),
    "expired": (Conflict, "link_expired", "This link has run out. Ask for a new letter."),
    "accepted": (Conflict, "invitation_accepted", "This invitation was accepted already. Sign in."),
    "withdrawn": (Conflict, "invitation_withdrawn", "This invitation was withdrawn. Ask whoever invited you."),
    "role_is_gone": (Conflict, "role_is_gone", "The role you were invited as is gone. Ask to be invited anew."),
    "beyond_inviter": (Conflict, "beyond_inviter", "Who invited you may not give this role now. Ask to be invited anew."),
    "is_member": (Conflict, "already_a_member", "You belong to this company already, or your access was withdrawn."),
    "has_account": (Conflict, "has_account", "There is an account with this address. Sign in with it, then accept."),
    "other_account": (Forbidden, "other_account", "You are signed in with another address than the one the letter went to."),
}


def check_open(is_open: bool) -> None:
    """Raises Forbidden where the operator keeps companies from signing up by themselves."""
    if not is_open:
        raise Forbidden("Companies can't sign up here by themselves. Ask whoever runs this Ringside.", code="sign_up_closed")


def person_of(who: Who) -> UUID:
    """The person who acts, themselves. Raises Unauthorized for an API key, which joins nothing."""
    if who.user_id is None:
        raise Unauthorized("Sign in to do this.")
    return who.user_id


async def sign_up(db: Database, given: SignUpIn, public_url: str, address: str) -> LetterSent:
    """Send the letter that makes a company live once its link is followed. The answer is always the same.

    `address` is where the request comes from. Raises TooMany after many from there; too many letters to one address are left
    out without a word.
    """
    await _take_attempt(db, f"signup:{address}", _PER_PLACE)
    waits = await _wait_s(db, f"signup-to:{given.email.lower()}", _PER_ADDRESS)
    if waits == 0 and await rationing.wait_s(db, rationing.UNASKED, given.email) == 0:
        token, hashed = letters.new_token()
        await db.system_fetch(
            _SQL["signup_begin"],
            hash=hashed,
            email=given.email,
            name=given.name,
            company=given.company,
            zone=given.zone,
            ttl_s=letters.SIGN_UP_TTL_S,
        )
        await letters.send_verification(db, public_url, token, to=given.email, name=given.name, company=given.company)
    return LetterSent(message=_SENT)


async def look_at_sign_up(db: Database, token: str) -> SignUpSeen:
    """What the letter's holder may know. Raises NotFound for a link that is none."""
    row = await db.system_fetchrow(_SQL["signup_look"], hash=letters.hash_of(token))
    if row is None:
        raise _refusal("unknown")
    return SignUpSeen.model_validate(dict(row))


async def finish_sign_up(db: Database, given: NewPerson) -> Joined:
    """Make the account and its company, which is live from here on.

    Raises NotFound and Conflict for a link that is worth nothing, Conflict `has_account` for who has to sign in instead, and
    what the rules of passwords raise.
    """
    seen = await look_at_sign_up(db, given.token)
    _refuse_settled(seen.state)
    await refuse_weak(given.password, words=(seen.email, given.name, seen.company))
    hashed = await hash_password(given.password)
    return await _found(db, seen, given.token, uuid4(), given.name, hashed)


async def found_company(db: Database, token: str, user_id: UUID) -> Joined:
    """The same for who is signed in: one more company of theirs. Raises Forbidden for another address than the letter's."""
    return await _found(db, await look_at_sign_up(db, token), token, user_id, "", None)


async def found_company_again(db: Database, token: str) -> Joined:
    """The same for the account of the letter's address when it belongs to no company. They sign in with it then.

    Raises Conflict `has_account` for one that does: who has it signs in first.
    """
    return await _found(db, await look_at_sign_up(db, token), token, None, "", None)


async def look_at_invitation(db: Database, token: str) -> InvitationSeen:
    """What the invited person may know. Raises NotFound for a link that is none."""
    row = await db.system_fetchrow(_SQL["invitation_look"], hash=letters.hash_of(token))
    if row is None:
        raise _refusal("unknown")
    return InvitationSeen.model_validate({name: row[name] for name in InvitationSeen.model_fields})


async def join(db: Database, given: NewPerson, address: str = "") -> Joined:
    """Make the account of somebody who was invited, and let them in. Raises as `finish_sign_up`; PlanLimit without a seat."""
    seen = await look_at_invitation(db, given.token)
    _refuse_settled(seen.state)
    await refuse_weak(given.password, words=(seen.email, given.name, seen.company))
    hashed = await hash_password(given.password)
    return await _accept(db, given.token, uuid4(), given.name, hashed, address)


async def accept(db: Database, token: str, user_id: UUID, address: str = "") -> Joined:
    """Let somebody in who is signed in. Raises Forbidden for another address than the one that was invited."""
    return await _accept(db, token, user_id, "", None, address)


async def join_again(db: Database, token: str, address: str = "") -> Joined:
    """Let the account of the invited address in when it belongs to no company. They sign in with it then.

    Raises Conflict `has_account` for one that does: who has it signs in first.
    """
    return await _accept(db, token, None, "", None, address)


async def _found(db: Database, seen: SignUpSeen, token: str, user_id: UUID | None, name: str, hashed: str | None) -> Joined:
    row = await db.system_fetchrow(
        _SQL["signup_finish"], hash=letters.hash_of(token), person_id=user_id, name=name, password_hash=hashed
    )
    assert row is not None
    if row["outcome"] != "ok":
        raise _refusal(row["outcome"])
    return Joined(tenant_id=row["tenant_id"], company=seen.company, email=seen.email)


async def _accept(db: Database, token: str, user_id: UUID | None, name: str, hashed: str | None, address: str) -> Joined:
    seen = await db.system_fetchrow(_SQL["invitation_look"], hash=letters.hash_of(token))
    if seen is None:
        raise _refusal("unknown")
    member_id: UUID | None = user_id or seen["account_id"]
    if member_id is None:
        raise _refusal("has_account")
    if hashed is None:
        person = await db.system_fetchrow(_SQL["person"], person_id=member_id)
        name = person["name"] if person else ""
    _refuse_settled(seen["state"])
    role: Role = seen["role"]
    async with tenant_tx(db, Who(seen["tenant_id"], member_id, role, name=name, address=address)) as tx:
        await _take_seat(tx, seen["company"], seen["inviter"])
        await _check_inviter(tx, seen["id"])
        teams = {row["team_id"] for row in await tx.fetch(_SQL["teams_of"], member_id=member_id)}
        outcome = await tx.fetchval(
            _SQL["invitation_accept"], hash=letters.hash_of(token), person_id=user_id, name=name, password_hash=hashed
        )
        if outcome != "ok":
            raise _refusal(outcome)
        # Who was here before is known as gone to every process, and their mailboxes rest.
        await tx.execute(_SQL["note_access_change"], id=member_id, kind="role_changed")
        await owners.member_changed(tx, member_id)
        member = await read_member(tx, member_id)
        tx.emit(MemberJoined(member_id, {"member": orjson.Fragment(member)}))
        teams ^= {row["team_id"] for row in await tx.fetch(_SQL["teams_of"], member_id=member_id)}
        for team_id in sorted(teams):
            tx.emit(TeamUpdated(team_id, {"team": orjson.Fragment(await read_team(tx, team_id))}))
        text = await read_invitation(tx, seen["id"])
        tx.emit(InvitationAccepted(seen["id"], {"invitation": orjson.Fragment(text)}, MANAGERS))
    db.notifier.access_changed()
    return Joined(tenant_id=seen["tenant_id"], company=seen["company"], email=seen["email"])


async def forget_old(db: Database, keep_days: int = 30) -> None:
    """Delete sign-ups that ran out so many days ago, and invitations three times as old, whatever became of them."""
    await db.system_fetch(_SQL["signups_forget"], keep=timedelta(days=keep_days))


async def _take_seat(tx: Tx, company: str, inviter: str) -> None:
    try:
        await check_seats(tx)
    except PlanLimit:
        # How many seats there are is none of a guest's business.
        raise PlanLimit(f"{company} has no free seat just now. Tell {inviter}, then follow the link once more.") from None


async def _check_inviter(tx: Tx, invitation_id: UUID) -> None:
    """Nobody comes in as more than who invited them could make them now: they may have lost their role since."""
    row = await tx.fetchrow(_SQL["inviter_of"], id=invitation_id)
    if row is None or not row["role_is_there"]:
        return
    holder = await roles.resolve(tx, row["has_role"], row["has_role_id"])
    given = await roles.resolve(tx, row["role"], row["role_id"])
    if row["status"] != "active" or not roles.is_within(given, holder):
        raise _refusal("beyond_inviter")


def _refuse_settled(state: str) -> None:
    # Hashing costs tens of milliseconds, which a link that is worth nothing is not given.
    if state != "open":
        raise _refusal(state)


async def _take_attempt(db: Database, key: str, limit: int) -> None:
    wait_s = await _wait_s(db, key, limit)
    if wait_s > 0:
        raise TooMany("Too many companies were signed up from here. Try again later.", retry_after_s=wait_s, code="throttled")


async def _wait_s(db: Database, key: str, limit: int) -> int:
    row = await db.system_fetchrow(_SQL["take_attempt"], keys=[key], limits=[limit], window_s=_WINDOW_S)
    wait_s: int = row["wait_s"] if row else 0
    return wait_s


def _refusal(outcome: str) -> HubError:
    kind, code, message = _REFUSED[outcome]
    return kind(message, code=code)
