"""The demo: there after the first time, the same after the second, and its people can sign in."""

from __future__ import annotations

from typing import Any

import asyncpg

from hub.seed import DEMO_PASSWORD, seed_demo
from tests.conftest import TestDatabase
from tests.harness import make_settings, running_hub

COUNTS = """SELECT json_build_object('tenants', (SELECT count(*) FROM tenants), 'members', (SELECT count(*) FROM members),
    'users', (SELECT count(*) FROM users), 'contacts', (SELECT count(*) FROM contacts),
    'events', (SELECT count(*) FROM events))::text"""


async def counts(database: TestDatabase) -> Any:
    conn = await asyncpg.connect(database.admin_url)
    try:
        return await conn.fetchval(COUNTS)
    finally:
        await conn.close()


async def test_the_demo_is_made_once_and_its_people_sign_in(database: TestDatabase, valkey_url: str) -> None:
    settings = make_settings(database.app_url, valkey_url)
    first = await seed_demo(settings)
    there = await counts(database)
    assert await seed_demo(settings) == first
    assert await counts(database) == there
    assert [login.role for login in first] == ["owner", "manager", "rep", "rep", "rep"]
    assert len({login.tenant_id for login in first}) == 2
    async with running_hub(settings) as server:
        for login in first:
            api = server.client()
            answer = await api.post("/auth/login", {"email": login.email, "password": login.password})
            assert (answer.status, answer.body["role"]) == (200, login.role)
            assert answer.body["tenant"] == {"id": str(login.tenant_id), "name": login.tenant}
            api.token = answer.body["access_token"]
            contacts = (await api.get("/contacts")).body["data"]
            assert len(contacts) == (10 if login.tenant == first[0].tenant else 2)
            assert all(contact["phones"][0]["e164"].startswith("+1202555") for contact in contacts)
            assert all(contact["owner_id"] for contact in contacts)


async def test_a_changed_password_of_the_demo_stays_changed(database: TestDatabase, valkey_url: str) -> None:
    settings = make_settings(database.app_url, valkey_url)
    login = (await seed_demo(settings))[0]
    conn = await asyncpg.connect(database.admin_url)
    await conn.execute("UPDATE user_passwords SET hash = '!'")
    await conn.close()
    await seed_demo(settings)
    async with running_hub(settings) as server:
        answer = await server.client().post("/auth/login", {"email": login.email, "password": DEMO_PASSWORD})
        assert (answer.status, answer.error) == (401, "wrong_credentials")
