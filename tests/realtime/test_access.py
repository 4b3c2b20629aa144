"""Withdrawn access reaches live sockets and requests within a second, also with Redis down."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from uuid import UUID, uuid4

import aiohttp
import pytest

from hub.db import Database, tenant_tx
from hub.errors import Unauthorized
from hub.events import MANAGERS
from hub.realtime.limits import Limits
from hub.realtime.metrics import REFUSED
from hub.sqlfiles import Statement
from hub.who import Who
from tests.beats import whole_beats, within_a_second
from tests.conftest import Company, TestDatabase
from tests.patience import PATIENCE_S
from tests.realtime.kit import NOWHERE, Client, HubProcess, clients, hub_process, note, token_for

_REVOKE = Statement("revoke", "SELECT auth_revoke_session(:session, 'signed out')")
_OPEN = Statement("open", "SELECT auth_open_session(:user, :tenant, '', '', :hash, 3600) AS id")


@pytest.fixture
async def hub(database: TestDatabase) -> AsyncIterator[HubProcess]:
    """One hub without Redis."""
    async with hub_process(database.app_url, NOWHERE) as running:
        yield running


async def open_session(db: Database, company: Company, role: str = "rep") -> UUID:
    """A session of a member."""
    row = await db.system_fetchrow(_OPEN, user=company.members[role], tenant=company.tenant_id, hash=uuid4().bytes)
    assert row is not None
    session_id: UUID = row["id"]
    return session_id


async def change_member(db: Database, company: Company, role: str, *, to: str | None = None, status: str = "active") -> None:
    """What an admin's change of a member does to the database."""
    async with tenant_tx(db, Who.system(company.tenant_id)) as tx:
        await tx.conn.execute(
            "UPDATE members SET role = $2, status = $3 WHERE user_id = $1", company.members[role], to or role, status
        )
        kind = "member_deactivated" if status == "deactivated" else "role_changed"
        await tx.conn.execute("SELECT access_note_member($1, $2)", company.members[role], kind)


async def test_a_revoked_session_is_sent_away_and_stays_away(hub: HubProcess, acme: Company, db: Database) -> None:
    session_id = await open_session(db, acme)
    token = token_for(acme, session_id=session_id)
    async with clients(Client.connect(hub.url, token), Client.connect(hub.url, token_for(acme))) as (theirs, other):
        await db.system_fetch(_REVOKE, session=session_id)
        await within_a_second(hub.realtime.withdrawn, lambda: theirs.of("bye"))
        assert theirs.of("bye") == [{"reason": "session_revoked"}]
        await theirs.until_gone()
        again = await Client.connect(hub.url, token)
        assert again.refused["message"] == "session_revoked"
        with pytest.raises(Unauthorized) as refused:
            hub.realtime.access.verify(token)
        assert refused.value.code == "session_revoked"
        await note(db, acme, "on")
        await other.until_noted("on")
        assert not other.disconnected


async def test_a_deactivated_member_is_sent_away_and_their_token_is_dead(hub: HubProcess, acme: Company, db: Database) -> None:
    token = token_for(acme)
    async with clients(Client.connect(hub.url, token)) as (client,):
        await change_member(db, acme, "rep", status="deactivated")
        await within_a_second(hub.realtime.withdrawn, lambda: client.of("bye"))
        assert client.of("bye") == [{"reason": "deactivated"}]
        await client.until_gone()
    assert (await Client.connect(hub.url, token)).refused["message"] == "deactivated"
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as http,
        http.get(f"{hub.url}/api/v1/events") as answer,
    ):
        assert (answer.status, (await answer.json())["error"]) == (401, "deactivated")


async def test_a_member_who_loses_a_role_hears_no_more_of_it_within_a_second(
    hub: HubProcess, acme: Company, db: Database
) -> None:
    token = token_for(acme, "manager")
    async with clients(Client.connect(hub.url, token)) as (client,):
        await note(db, acme, "secret 1", audience=MANAGERS)
        await client.until_noted("secret 1")
        await change_member(db, acme, "manager", to="rep")
        await within_a_second(hub.realtime.withdrawn, lambda: hub.realtime.access.is_refused(hub.tokens.verify(token)))
        await note(db, acme, "secret 2", audience=MANAGERS)
        await note(db, acme, "end")
        await client.until_noted("end")
        assert "secret 2" not in client.notes
        assert not client.disconnected
        assert (await Client.connect(hub.url, token)).refused["message"] == "role_changed"
        fresh = hub.tokens.issue(
            user_id=acme.members["manager"], tenant_id=acme.tenant_id, role="rep", session_id=uuid4(), name="Demoted"
        )
        async with clients(Client.connect(hub.url, fresh)) as (again,):
            assert not again.refused


async def test_a_member_who_gains_a_role_hears_of_it_within_a_second(hub: HubProcess, acme: Company, db: Database) -> None:
    token = token_for(acme)
    async with clients(Client.connect(hub.url, token)) as (client,):
        await note(db, acme, "secret", audience=MANAGERS)
        await change_member(db, acme, "rep", to="manager")
        await within_a_second(hub.realtime.withdrawn, lambda: hub.realtime.access.is_refused(hub.tokens.verify(token)))
        await note(db, acme, "open", audience=MANAGERS)
        await within_a_second(hub.realtime.heads, lambda: "open" in client.notes)
        assert "secret" not in client.notes


async def test_what_was_withdrawn_while_a_hub_was_down_is_known_to_it_from_the_start(
    database: TestDatabase, acme: Company, db: Database
) -> None:
    session_id = await open_session(db, acme)
    token = token_for(acme, session_id=session_id)
    await db.system_fetch(_REVOKE, session=session_id)
    async with hub_process(database.app_url, NOWHERE) as hub:
        assert (await Client.connect(hub.url, token)).refused["message"] == "session_revoked"


async def test_a_change_that_commits_late_is_not_missed(hub: HubProcess, acme: Company, db: Database) -> None:
    token = token_for(acme)
    async with clients(Client.connect(hub.url, token)) as (client,):
        async with tenant_tx(db, Who.system(acme.tenant_id)) as slow:
            await slow.conn.execute("UPDATE members SET status = 'deactivated' WHERE user_id = $1", acme.members["rep"])
            await slow.conn.execute("SELECT access_note_member($1, 'member_deactivated')", acme.members["rep"])
            # Another change is seen meanwhile, and several ticks pass.
            await db.system_fetch(_REVOKE, session=await open_session(db, acme, "owner"))
            await slow.conn.execute("SELECT pg_sleep(1.2)")
        await within_a_second(hub.realtime.withdrawn, lambda: client.of("bye"))


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """What sockets take to be the time, from now on so many seconds ahead."""

    def set_ahead(seconds: float) -> None:
        clock = SimpleNamespace(time=lambda: time.time() + seconds, monotonic=time.monotonic)
        monkeypatch.setattr("hub.realtime.sockets.time", clock)

    return set_ahead


async def test_a_token_that_expires_ends_its_socket(hub: HubProcess, acme: Company, later: Callable[[float], None]) -> None:
    async with clients(Client.connect(hub.url, token_for(acme, lifetime_s=600))) as (client,):
        later(300)
        await whole_beats(hub.realtime.sweep)
        assert not client.of("bye")
        later(600)
        await within_a_second(hub.realtime.sweep, lambda: client.of("bye"))
        assert client.of("bye") == [{"reason": "token_expired"}]
        await client.until_gone()


async def test_a_fresh_token_on_the_live_socket_keeps_it_alive(
    hub: HubProcess, acme: Company, db: Database, later: Callable[[float], None]
) -> None:
    async with clients(Client.connect(hub.url, token_for(acme, lifetime_s=600))) as (client,):
        assert await client.sio.call("auth", {"token": token_for(acme, lifetime_s=1200)}) == {"ok": True}
        later(700)
        for n in range(4):
            await whole_beats(hub.realtime.sweep)
            await note(db, acme, n)
            await client.until_noted(n)
        assert not client.of("bye")
        assert not client.disconnected


async def test_a_socket_takes_no_other_members_token_and_no_bad_one(hub: HubProcess, acme: Company, globex: Company) -> None:
    async with clients(Client.connect(hub.url, token_for(acme))) as (client,):
        for token in (token_for(acme, "owner"), token_for(globex), "nonsense", None, 7):
            answer = await client.sio.call("auth", {"token": token})
            assert answer["ok"] is False, answer
        assert not client.disconnected


@pytest.mark.parametrize("token", [None, "", "nonsense"])
async def test_without_a_good_token_nobody_connects(hub: HubProcess, token: str | None) -> None:
    client = await Client.connect(hub.url, token)
    assert client.refused["message"] in ("token_missing", "token_invalid")


async def test_an_expired_token_is_refused_by_name(hub: HubProcess, acme: Company) -> None:
    client = await Client.connect(hub.url, token_for(acme, lifetime_s=-5))
    assert client.refused["message"] == "token_expired"


async def test_a_page_of_another_site_cannot_connect(hub: HubProcess) -> None:
    address = f"{hub.url}/socket.io/?EIO=4&transport=websocket"
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await http.ws_connect(address, origin="https://evil.test")
        async with http.ws_connect(address, origin=hub.url) as same:
            assert (await same.receive_str()).startswith("0")
        async with http.ws_connect(address, origin="http://127.0.0.1:8080") as public:
            assert (await public.receive_str()).startswith("0")


async def test_a_connection_that_never_says_connect_is_cut(database: TestDatabase) -> None:
    cut = REFUSED.labels("connect_deadline")
    before = cut._value.get()
    async with (
        hub_process(database.app_url, NOWHERE, limits=Limits(connect_deadline_s=0.5)) as hub,
        aiohttp.ClientSession() as http,
        http.ws_connect(f"{hub.url}/socket.io/?EIO=4&transport=websocket") as ws,
    ):
        await ws.receive_str()
        said = await ws.receive(timeout=PATIENCE_S)
        assert cut._value.get() == before + 1
        assert said.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)


async def test_what_a_client_says_beyond_the_protocol_changes_nothing(hub: HubProcess, acme: Company) -> None:
    async with clients(Client.connect(hub.url, token_for(acme))) as (client,):
        for name in ("event", "ready", "join", "enter_room", "bye", "connect", "disconnect", "message"):
            await client.sio.emit(name, {"room": "managers"})
        await client.sio.emit("auth")
        await note(hub.db, acme, "secret", audience=MANAGERS)
        await note(hub.db, acme, "end")
        await client.until_noted("end")
        assert client.notes == ["end"]
