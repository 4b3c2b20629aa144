"""One address is left in peace, whoever has letters sent to it, and nobody learns from that whether it has an account."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from hub.post.rationing import RESETS, UNASKED
from tests.conftest import Company, TestDatabase, make_company
from tests.harness import Api, RunningHub
from tests.joining.kit import letters_to, new_address

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def an_hour_later(database: TestDatabase, already: int | None = None) -> None:
    """What was counted for an hour is over, and `already` so many letters went to each address within the day."""
    conn = await asyncpg.connect(database.admin_url)
    try:
        await conn.execute("DELETE FROM sign_in_failures WHERE key NOT LIKE 'letters:%:day:%'")
        if already is not None:
            await conn.execute("UPDATE sign_in_failures SET failures = $1 WHERE key LIKE 'letters:unasked:day:%'", already)
    finally:
        await conn.close()


async def invite(api: Api, email: str) -> tuple[int, str | None]:
    """Invite, and take it back where that worked, so that the same address can be invited again."""
    answer = await api.post("/invitations", {"email": email})
    if answer.status == 201:
        assert (await api.post(f"/invitations/{answer.body['id']}/withdraw")).status == 200
        return 201, None
    assert answer.headers["Retry-After"]
    return answer.status, answer.error


async def test_all_companies_together_write_to_a_stranger_so_often_and_no_more(
    server: RunningHub, lasting_database: TestDatabase, acme: Company
) -> None:
    globex = await make_company(server.hub.db, f"Globex of {acme.name}")
    owners = [server.as_member(acme, "owner"), server.as_member(globex, "owner")]
    address, other = new_address("peace"), new_address("other")
    name, _, domain = address.partition("@")
    for number in range(UNASKED.an_hour - 1):
        # A tag makes no other person of it.
        assert await invite(owners[number % 2], f"{name}+{number}@{domain}") == (201, None)
    form = {"company": "Initech", "name": "Ada", "email": address}
    assert (await server.client().post("/signup", form)).status == 202
    assert len(await letters_to(server, address)) == 1
    for owner in owners:
        assert await invite(owner, address.upper()) == (429, "address_throttled")
        assert await invite(owner, other) == (201, None)
    # A sign-up is answered as ever, and no letter comes of it; a new password is another matter.
    again = await server.client().post("/signup", form)
    assert (again.status, await letters_to(server, address)) == (202, [])
    assert (await server.client().post("/auth/forgot", {"email": address})).status == 202
    # The next hour has as many again, until the day's are used up.
    await an_hour_later(lasting_database, already=UNASKED.a_day - 1)
    assert await invite(owners[0], address) == (201, None)
    answer = await owners[1].post("/invitations", {"email": address})
    assert (answer.status, answer.error, "hours" in answer.body["message"]) == (429, "address_throttled", True)


async def test_a_reset_is_refused_alike_with_and_without_an_account(
    server: RunningHub, lasting_database: TestDatabase, acme: Company
) -> None:
    here, nobody = f"rep@{acme.name.lower()}.test", new_address("nobody")

    async def ask(address: str) -> int:
        return (await server.client().post("/auth/forgot", {"email": address})).status

    said: list[tuple[int, int]] = []
    for _ in range(RESETS.a_day // RESETS.an_hour + 1):
        await an_hour_later(lasting_database)
        for _ in range(RESETS.an_hour + 1):
            said.append(await asyncio.gather(ask(here), ask(nobody)))
    assert all(one == other for one, other in said), said
    assert [one for one, _ in said].count(202) == RESETS.a_day
    assert {one for one, _ in said} == {202, 429}
