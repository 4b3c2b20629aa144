"""Signing up, inviting and accepting.

The letters' links lead to pages of the console; these take the token in a body, so that it stands in no log of addresses.
"""

from __future__ import annotations

from typing import Any

from hub.config import Settings
from hub.db import Database, Tx
from hub.http.caller import caller_of
from hub.http.endpoint import Reply, Req, Routes
from hub.http.paging import page, read_cursor
from hub.joining import accepting, actions
from hub.joining.models import (
    Invitation,
    InvitationFilter,
    InvitationIn,
    InvitationPage,
    InvitationSeen,
    Joined,
    LetterSent,
    NewPerson,
    SignUpIn,
    SignUpIsOpen,
    SignUpSeen,
    TokenIn,
)
from hub.sqlfiles import load_sql

_SQL = load_sql("joining")


def joining_routes(settings: Settings) -> Routes:
    """The endpoints, bound to this server's address, which the letters' links lead to."""
    routes = Routes("joining")
    public_url = settings.public_url

    def place(req: Req[Any, Any]) -> str:
        return caller_of(req.http, settings.trusted_proxies)[0]

    _public(routes, settings, public_url, place)
    _signed_in(routes, place)
    _inviting(routes, public_url)
    return routes


def _public(routes: Routes, settings: Settings, public_url: str, place: Any) -> None:
    @routes.get("/signup", scope="public", returns=SignUpIsOpen)
    async def sign_up_is_open(db: Database, req: Req[None, None]) -> Reply:
        """Whether companies may sign up here by themselves."""
        return Reply(SignUpIsOpen(open=settings.sign_up))

    @routes.post("/signup", scope="public", body=SignUpIn, returns=LetterSent, status=202, errors=(403,))
    async def sign_up(db: Database, req: Req[None, SignUpIn]) -> Reply:
        """Sign up a company: a letter asks to confirm the address, and the company is live after that."""
        accepting.check_open(settings.sign_up)
        return Reply(await accepting.sign_up(db, req.body, public_url, place(req)), 202)

    @routes.post("/signup/look", scope="public", body=TokenIn, returns=SignUpSeen, errors=(404,))
    async def look_at_sign_up(db: Database, req: Req[None, TokenIn]) -> Reply:
        """What a letter's link is about. Uses nothing up."""
        return Reply(await accepting.look_at_sign_up(db, req.body.token))

    @routes.post("/signup/finish", scope="public", body=NewPerson, returns=Joined, status=201, errors=(404, 409))
    async def finish_sign_up(db: Database, req: Req[None, NewPerson]) -> Reply:
        """Confirm the address and choose a password: the company is live. Sign in with it then."""
        return Reply(await accepting.finish_sign_up(db, req.body), 201)

    @routes.post("/join/look", scope="public", body=TokenIn, returns=InvitationSeen, errors=(404,))
    async def look_at_invitation(db: Database, req: Req[None, TokenIn]) -> Reply:
        """What an invitation's link is about. Uses nothing up."""
        return Reply(await accepting.look_at_invitation(db, req.body.token))

    @routes.post("/join", scope="public", body=NewPerson, returns=Joined, status=201, errors=(402, 404, 409))
    async def join(db: Database, req: Req[None, NewPerson]) -> Reply:
        """Accept an invitation as a new person, with a password. Sign in with it then."""
        return Reply(await accepting.join(db, req.body, place(req)), 201)

    @routes.post("/signup/again", scope="public", body=TokenIn, returns=Joined, status=201, errors=(404, 409))
    async def found_company_again(db: Database, req: Req[None, TokenIn]) -> Reply:
        """Confirm the address with its account, which belongs to no company now. Sign in with it then."""
        return Reply(await accepting.found_company_again(db, req.body.token), 201)

    @routes.post("/join/again", scope="public", body=TokenIn, returns=Joined, status=201, errors=(402, 404, 409))
    async def join_again(db: Database, req: Req[None, TokenIn]) -> Reply:
        """Accept an invitation with the address' account, which belongs to no company now. Sign in with it then."""
        return Reply(await accepting.join_again(db, req.body.token, place(req)), 201)


def _signed_in(routes: Routes, place: Any) -> None:
    @routes.post("/signup/company", scope="db", body=TokenIn, returns=Joined, status=201, errors=(404, 409))
    async def found_company(db: Database, req: Req[None, TokenIn]) -> Reply:
        """Confirm the address with the account one is signed in with: one more company of one's own."""
        return Reply(await accepting.found_company(db, req.body.token, accepting.person_of(req.who)), 201)

    @routes.post("/join/accept", scope="db", body=TokenIn, returns=Joined, status=201, errors=(404, 409))
    async def accept_invitation(db: Database, req: Req[None, TokenIn]) -> Reply:
        """Accept an invitation with the account one is signed in with, whose address must be the invited one."""
        return Reply(await accepting.accept(db, req.body.token, accepting.person_of(req.who), place(req)), 201)


def _inviting(routes: Routes, public_url: str) -> None:
    @routes.get("/invitations", query=InvitationFilter, returns=InvitationPage, allow="members:invite")
    async def list_invitations(tx: Tx, req: Req[InvitationFilter, None]) -> Reply:
        """Invitations, the newest first; those that are settled too, unless `state=open` asks for the others alone."""
        after = read_cursor(req.query.cursor, "newest")
        rows = await tx.fetch(
            _SQL["list_invitations"],
            limit=req.query.limit + 1,
            open=req.query.state == "open",
            after=after.moment() if after else None,
            after_id=after.id if after else None,
        )
        return Reply(page(rows, req.query.limit, "newest"))

    @routes.post("/invitations", body=InvitationIn, returns=Invitation, status=201, allow="members:invite", errors=(409,))
    async def invite(tx: Tx, req: Req[None, InvitationIn]) -> Reply:
        """Invite somebody by letter, as what and into which teams; the link is good once and for seven days."""
        return Reply(await actions.invite(tx, req.body, public_url), 201)

    @routes.post("/invitations/{id}/send", returns=Invitation, allow="members:invite", errors=(409,))
    async def send_invitation_again(tx: Tx, req: Req[None, None]) -> Reply:
        """Send it again, for seven days from now. The link that was sent before is worth nothing then."""
        return Reply(await actions.send_again(tx, req.id(), public_url))

    @routes.post("/invitations/{id}/withdraw", returns=Invitation, allow="members:invite", errors=(409,))
    async def withdraw_invitation(tx: Tx, req: Req[None, None]) -> Reply:
        """Take it back: its link lets nobody in any more."""
        return Reply(await actions.withdraw(tx, req.id()))
