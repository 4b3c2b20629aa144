"""What the tests of signing in share: people with a password, their cookies, and the ways in and out."""

from __future__ import annotations

import itertools
from http.cookies import Morsel, SimpleCookie
from typing import Any
from uuid import UUID

import asyncpg
import pytest_asyncio
from argon2 import PasswordHasher

from hub.sqlfiles import load_sql
from tests.conftest import Company, TestDatabase, make_company
from tests.harness import PASSWORD, Answer, Api, RunningHub

COOKIE = "ringside_refresh"
AGENT = "Mozilla/5.0 (a laptop)"
# What is checked is what the hash says: a cheap one keeps the tests quick.
CHEAP_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
AUTH = load_sql("auth")
_numbers = itertools.count(1)


@pytest_asyncio.fixture(loop_scope="module")
async def server(lasting_server: RunningHub, lasting_database: TestDatabase) -> RunningHub:
    """One hub for the file; nobody has failed to sign in yet."""
    await as_admin(lasting_database, "DELETE FROM sign_in_failures")
    return lasting_server


@pytest_asyncio.fixture(loop_scope="module")
async def acme(server: RunningHub) -> Company:
    """A company of this test alone, whose people sign in quickly."""
    return await make_company(server.hub.db, f"Acme{next(_numbers)}", CHEAP_HASH)


@pytest_asyncio.fixture(loop_scope="module")
async def globex(server: RunningHub) -> Company:
    """Another one."""
    return await make_company(server.hub.db, f"Globex{next(_numbers)}", CHEAP_HASH)


async def as_admin(database: TestDatabase, sql: str, *args: Any) -> Any:
    """What only the database's administrator may do or see: the first column of the first row."""
    conn = await asyncpg.connect(database.admin_url)
    try:
        return await conn.fetchval(sql, *args)
    finally:
        await conn.close()


def mail(company: Company, role: str = "rep") -> str:
    """The address of the company's member of a role."""
    return f"{role}@{company.name.lower()}.test"


async def join(server: RunningHub, email: str, **roles: Company) -> UUID:
    """A person with PASSWORD who belongs to these companies, as what the keyword says."""
    async with server.hub.db.acquire() as conn:
        for role, company in roles.items():
            user_id: UUID = await conn.fetchval(
                "SELECT create_member($1, $2, 'Bo Both', $3, $4)", company.tenant_id, email, CHEAP_HASH, role
            )
    return user_id


async def sign_in(api: Api, email: str, password: str = PASSWORD, **more: Any) -> Answer:
    return await api.post("/auth/login", {"email": email, "password": password, **more})


async def signed_in(server: RunningHub, email: str, agent: str = AGENT) -> tuple[Api, str]:
    """A client with a live access token and its cookie, and the refresh token in it."""
    api = server.client(**{"User-Agent": agent})
    answer = await sign_in(api, email)
    assert answer.status == 200, answer.body
    api.token = answer.body["access_token"]
    return api, cookie_of(answer).value


def cookie_of(answer: Answer, name: str = COOKIE) -> Morsel[str]:
    (header,) = [each for each in answer.headers.getall("Set-Cookie") if each.startswith(f"{name}=")]
    return SimpleCookie(header)[name]


async def refresh(server: RunningHub, token: str, agent: str = AGENT) -> Answer:
    """Exchange a refresh token from a client that has nothing else."""
    return await server.client().post("/auth/refresh", headers={"Cookie": f"{COOKIE}={token}", "User-Agent": agent})
