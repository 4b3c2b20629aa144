"""The letters on the way in, and the tokens in their links."""

from __future__ import annotations

import hashlib
import secrets
from urllib.parse import quote

from hub.db import Database, Tx
from hub.post.actions import post

INVITATION_TTL_S = 7 * 86_400
SIGN_UP_TTL_S = 86_400


def new_token() -> tuple[str, bytes]:
    """256 random bits for a link, and the hash of them that is kept."""
    token = secrets.token_urlsafe(32)
    return token, hash_of(token)


def hash_of(token: str) -> bytes:
    """What a token is found by. SHA-256 will do: nobody guesses 256 random bits."""
    return hashlib.sha256(token.encode(errors="replace")).digest()


async def send_invitation(tx: Tx, public_url: str, token: str, *, to: str, name: str, company: str) -> None:
    """Queue the letter that asks somebody to join, with the invitation."""
    values = {
        "name": name,
        "company": company,
        "inviter": tx.who.name or company,
        "link": f"{public_url}/join?token={quote(token)}",
        "days": INVITATION_TTL_S // 86_400,
    }
    await post(tx, to=to, template="invite", values=values, tenant_id=tx.who.tenant_id)


async def send_verification(db: Database, public_url: str, token: str, *, to: str, name: str, company: str) -> None:
    """Queue the letter that lets a company become live, before there is one."""
    values = {
        "name": name,
        "company": company,
        "link": f"{public_url}/verify?token={quote(token)}",
        "hours": SIGN_UP_TTL_S // 3600,
    }
    await post(db, to=to, template="verify", values=values, tenant_id=None)
