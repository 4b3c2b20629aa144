"""Reading the letters that were written, and signing in."""

from __future__ import annotations

import itertools
import re
from typing import Any
from uuid import UUID

from hub.post.actions import claim
from tests.conftest import Company
from tests.harness import Api, RunningHub

PASSWORD = "seven quiet herons on the pier"
_numbers = itertools.count(1)


def new_address(name: str = "ada") -> str:
    """An address nobody had before."""
    return f"{name}{next(_numbers)}@example.com"


async def letters_to(server: RunningHub, address: str) -> list[str]:
    """The texts of the letters to an address that nobody has read yet, in order."""
    written = [
        (letter.created_at, letter.text) for letter in await claim(server.hub.db, limit=500, lease_s=600) if letter.to == address
    ]
    return [text for _, text in sorted(written)]


def token_in(letter: str) -> str:
    """The token of the letter's link."""
    found = re.search(r"/(?:join|verify)\?token=([\w%-]+)", letter)
    assert found, letter
    return found[1]


async def token_to(server: RunningHub, address: str) -> str:
    """The token of the one letter to an address."""
    (letter,) = await letters_to(server, address)
    return token_in(letter)


async def invited(server: RunningHub, inviter: Api, **given: Any) -> tuple[str, dict[str, Any], str]:
    """Somebody new is invited: their address, the invitation, the token of their letter."""
    address = given.pop("email", None) or new_address()
    answer = await inviter.post("/invitations", {"email": address, **given})
    assert answer.status == 201, answer.body
    return address, answer.body, await token_to(server, address)


async def signed_in(server: RunningHub, email: str, password: str = PASSWORD) -> Api:
    """A client of somebody who signed in with a password."""
    api = server.client()
    answer = await api.post("/auth/login", {"email": email, "password": password})
    assert answer.status == 200, answer.body
    return server.client(answer.body["access_token"])


async def joined(server: RunningHub, company: Company, name: str = "Ada Byron", **given: Any) -> tuple[Api, UUID]:
    """Somebody who was invited by the owner, is in, and has signed in; and who that is."""
    address, _, token = await invited(server, server.as_member(company, "owner"), **given)
    answer = await server.client().post("/join", {"token": token, "name": name, "password": PASSWORD})
    assert answer.status == 201, answer.body
    api = await signed_in(server, address)
    return api, UUID((await api.get("/me")).body["user"]["id"])


async def events_of(api: Api, *kinds: str) -> list[dict[str, Any]]:
    """The events whose type begins with one of these, in order."""
    found = (await api.get("/events", after=0, limit=200)).body["data"]
    return [event for event in found if event["type"].startswith(kinds)]
