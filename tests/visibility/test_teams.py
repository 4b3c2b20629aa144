"""Who sees what as teams change: somebody in two of them, another manager, a team that is no more; at every door."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from functools import partial

import pytest

from tests.harness import RunningHub
from tests.realtime.kit import Client, clients
from tests.visibility.kit import Zoo, a_zoo
from tests.visibility.test_telling import api, end, of_kind, say, socket, until_end

pytestmark = pytest.mark.asyncio(loop_scope="module")

PEOPLE = ("manager", "rep", "mate", "loner")
_numbers = itertools.count(1)


def words_in(zoo: Zoo, body: object) -> set[str]:
    return {name for name, word in zoo.words.items() if word in str(body)}


async def check(server: RunningHub, zoo: Zoo, sockets: Mapping[str, Client], sees: Mapping[str, str]) -> None:
    """Each person sees what is these people's (and nobody's), and nothing else, wherever they look and whatever they are told."""
    for name, told in sockets.items():
        await told.until(partial(told.of, "resync"), f"resync of {name}")
        told.heard.clear()
    last = end(zoo)
    await say(server, zoo, [*(of_kind("contact", zoo, of) for of in zoo.words), last])
    await until_end(list(sockets.values()), last)
    for name in PEOPLE:
        mine, client = set(sees[name].split()) | {"nobody"}, api(server, zoo, name)
        for path in ("/contacts", "/calls", "/mail/threads", "/events"):
            assert words_in(zoo, (await client.get(path)).body) == mine, (name, path)
        hidden = [of for of in zoo.words if of not in mine]
        for of in (*hidden[:1], *sorted(mine)[:1], name):
            answer = await client.get(f"/contacts/{zoo.ids[of]}")
            assert (answer.status == 200) == (of in mine), (name, of)
            assert words_in(zoo, (await client.get("/search", q=zoo.words[of])).body["data"]) == {of} & mine, (name, of)
        assert words_in(zoo, [event["data"] for event in sockets[name].events]) == mine, name


async def test_teams_that_change_change_who_sees_what(server: RunningHub) -> None:
    zoo = await a_zoo(server.hub.db, f"Teams{next(_numbers)}")
    ids = {name: str(user_id) for name, (_, user_id) in zoo.people.items()}
    owner, east = api(server, zoo, "owner"), f"/teams/{zoo.team}"
    async with clients(*(socket(server, zoo, name) for name in PEOPLE)) as opened:
        sockets = dict(zip(PEOPLE, opened, strict=True))
        before = opened[0].ready["seq"]
        assert (await owner.put("/visibility", {"visibility": "team"})).status == 200
        await check(server, zoo, sockets, dict.fromkeys(("manager", "rep", "mate"), "manager rep mate") | {"loner": "loner"})

        # In two teams: one sees both, and each of them sees one, but nobody sees the one team through the other.
        made = await owner.post("/teams", {"name": "West", "member_ids": [ids["rep"], ids["loner"]]})
        assert made.status == 201
        seen = dict.fromkeys(("manager", "mate"), "manager rep mate")
        await check(server, zoo, sockets, seen | {"rep": "manager rep mate loner", "loner": "rep loner"})

        # Where everybody sees their own, who manages a team sees its members'; another one does after them.
        assert (await owner.put("/visibility", {"visibility": "own"})).status == 200
        own = {"rep": "rep", "mate": "mate", "loner": "loner", "manager": "manager"}
        await check(server, zoo, sockets, own | {"manager": "manager rep mate"})
        assert (await owner.patch(east, {"manager_ids": [ids["mate"]]})).status == 200
        await check(server, zoo, sockets, own | {"mate": "manager rep mate"})

        # Who manages one team and is a member of another sees the one. A manager who is taken out of it sees it no more.
        both = [ids["rep"], ids["loner"], ids["mate"]]
        assert (await owner.patch(f"/teams/{made.body['id']}", {"member_ids": both, "manager_ids": [ids["rep"]]})).status == 200
        await check(server, zoo, sockets, own | {"mate": "manager rep mate", "rep": "rep loner mate"})
        assert (await owner.patch(east, {"member_ids": [ids["manager"], ids["rep"]]})).status == 200
        await check(server, zoo, sockets, own | {"rep": "rep loner mate"})

        # A team that is deleted shows nobody anything, and leaves the other one as it is.
        assert (await owner.put("/visibility", {"visibility": "team"})).status == 200
        seen = {"manager": "manager rep", "rep": "manager rep loner mate", "mate": "rep loner mate", "loner": "rep loner mate"}
        await check(server, zoo, sockets, seen)
        assert (await owner.delete(east)).status == 204
        await check(server, zoo, sockets, own | dict.fromkeys(("rep", "mate", "loner"), "rep loner mate"))

        # What was told under other teams is not told again to who comes back with an old place in the log.
        client = api(server, zoo, "manager")
        now = (await client.get("/events")).body
        assert (await client.get("/events", after=before)).error == "resync"
        async with clients(socket(server, zoo, "manager", {"epoch": now["epoch"], "seq": before})) as (again,):
            await again.until(lambda: again.of("resync"), "resync")
            assert words_in(zoo, again.heard) == set()
