"""Who is told what: over the socket, at replay and over HTTP, where not everybody sees everything."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from hub.app import api_endpoints
from hub.auth.tokens import Tokens
from hub.db import tenant_tx
from hub.events import CATALOGUE, MANAGERS, TENANT, Event, only_user
from hub.notifications.actions import notify
from hub.presence.events import PresenceChanged
from hub.sqlfiles import Statement
from hub.who import Who
from tests.harness import Api, RunningHub, make_settings, until
from tests.realtime.kit import Anything, Client, clients
from tests.visibility.kit import Zoo, a_zoo

pytestmark = pytest.mark.asyncio(loop_scope="module")

# What belongs to somebody, by the kinds of subjects of events: people_of() in sql/migrations/0029_visibility.sql knows them.
SOMEBODYS = (
    "contact",
    "call",
    "activity",
    "recording",
    "message",
    "task",
    "meeting",
    "mail_thread",
    "mail_send",
    "mail_bounce",
    "unsubscribe",
    "enrolment",
    "permit",
    "dial_session",
)
# The company's, or told to whom they are about, and nobody's contact: a new kind is to be entered here or above.
EVERYBODYS = {
    *("alert", "alert_rules", "disposition", "handover", "import", "invitation", "job", "letter", "line", "mailbox", "member"),
    *("privacy_request", "record", "session", "test", "webhook"),
    *("notification", "number", "push_device", "queue", "quiet_days", "role", "sequence", "suppression", "team", "template"),
    *("tenant", "user", "voicemail_drop", "api_key", "company", "billing", "plan", "invoice", "sso", "second_factor"),
}
_ADD = Statement("add", "INSERT INTO team_members (tenant_id, team_id, user_id) VALUES (:tenant_id, :team, :person_id)")
_SESSION = Statement(
    "session",
    "INSERT INTO dial_sessions (tenant_id, id, queue_id, user_id) "
    "SELECT q.tenant_id, :id, q.id, :person_id FROM dial_queues q WHERE q.tenant_id = :tenant_id",
)
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Said(Event):
    """Something of any kind that says a word."""

    type = "test.said"
    subject_kind = "test"
    data_model = Anything
    kind: str = "test"


def api(server: RunningHub, zoo: Zoo, name: str) -> Api:
    role, user_id = zoo.people[name]
    return server.as_member(zoo.company, role, user_id=user_id)


def socket(server: RunningHub, zoo: Zoo, name: str, cursor: dict[str, Any] | None = None) -> Any:
    role, user_id = zoo.people[name]
    return Client.connect(server.url, server.token(zoo.company, role, user_id=user_id), cursor)


async def say(server: RunningHub, zoo: Zoo, events: Sequence[Event]) -> None:
    async with tenant_tx(server.hub.db, Who.system(zoo.company.tenant_id)) as tx:
        for event in events:
            tx.emit(event)


def of_kind(kind: str, zoo: Zoo, of: str, audience: str = TENANT) -> Event:
    made = type(f"Said_{kind}", (Said,), {"__slots__": (), "subject_kind": kind})
    event: Event = made(zoo.ids[of], {"word": zoo.words[of], "kind": kind}, audience)
    return event


def end(zoo: Zoo) -> Event:
    return Said(None, {"kind": "end", "n": next(_numbers)})


async def until_end(some: Sequence[Client], last: Event) -> None:
    for client in some:
        await client.until(partial(_has_heard, client, last), "the end")


def _has_heard(client: Client, last: Event) -> bool:
    return any(event["data"] == last.data for event in client.events)


async def are_online(server: RunningHub, zoo: Zoo, names: Sequence[str]) -> bool:
    people = (await api(server, zoo, "owner").get("/floor")).body["people"]
    states = {person["user"]["id"]: person["state"] for person in people}
    return all(states[str(zoo.people[name][1])] == "online" for name in names)


def contact_events(client: Client) -> list[str]:
    return [event["type"] for event in client.events if event["type"].startswith("contact.")]


def kinds(client: Client) -> list[str]:
    return [event["data"]["kind"] for event in client.events if event["type"] == "test.said" and "word" in event["data"]]


async def test_what_is_hidden_is_told_to_nobody(server: RunningHub) -> None:
    zoo = await a_zoo(server.hub.db, f"Told{next(_numbers)}")
    async with tenant_tx(server.hub.db, Who.system(zoo.company.tenant_id)) as tx:
        await tx.execute(_SESSION, id=zoo.ids["rep"], person_id=zoo.people["rep"][1])
    people = ("owner", "manager", "rep", "mate", "loner")
    async with clients(*(socket(server, zoo, name) for name in people)) as told:
        owner, manager, rep, mate, loner = told
        before = loner.ready
        # That they came is written behind their backs; from here on nobody's presence changes by itself.
        await until(partial(are_online, server, zoo, people))
        last = end(zoo)
        await say(server, zoo, [*(of_kind(kind, zoo, "rep") for kind in SOMEBODYS), last])
        await until_end(told, last)
        assert kinds(loner) == list(SOMEBODYS), "as long as everybody sees everything everybody is told"

        await api(server, zoo, "owner").put("/visibility", {"visibility": "own"})
        for client in told:
            await client.until(partial(client.of, "resync"), "resync")
            client.heard.clear()
        last = end(zoo)
        call = {"person": {"call": {"id": str(zoo.ids["rep"]), "contact_name": zoo.words["rep"]}, "state": "on_call"}}
        to_loner = only_user(zoo.people["loner"][1])
        here = PresenceChanged(zoo.people["rep"][1], call)
        to_managers = of_kind("permit", zoo, "rep", MANAGERS)
        some = [to_managers, *(of_kind(kind, zoo, "rep") for kind in SOMEBODYS), of_kind("contact", zoo, "rep", to_loner), here]
        await say(server, zoo, [*some, of_kind("contact", zoo, "nobody"), last])
        await until_end(told, last)
        assert kinds(manager) == kinds(owner) == ["permit", *SOMEBODYS, "contact"]
        assert kinds(rep) == [*SOMEBODYS, "contact"], "what is for managers is not for reps, whose ever it is"
        assert kinds(mate) == kinds(loner) == ["contact"]
        for client, name in ((mate, "mate"), (loner, "loner")):
            assert zoo.words["rep"] not in str(client.heard)
            presence = [event["data"]["person"] for event in client.events if event["type"] == "presence.changed"]
            assert presence == [{"call": None, "state": "on_call"}], "that somebody is in a call is seen, and not in which"
            over_http = await api(server, zoo, name).get("/events")
            assert (over_http.status, zoo.words["rep"] in str(over_http.body)) == (200, False)
            assert zoo.words["nobody"] in str(over_http.body)
        assert [e["data"]["person"]["call"] is None for e in rep.events if e["type"] == "presence.changed"] == [True, False]
        assert zoo.words["rep"] in str((await api(server, zoo, "rep").get("/events")).body)

        # What was logged before is for nobody any more, also with the epoch of now.
        now = (await api(server, zoo, "loner").get("/events")).body["epoch"]
        assert (await api(server, zoo, "loner").get("/events", after=before["seq"])).error == "resync"
        async with clients(socket(server, zoo, "loner", {"epoch": now, "seq": before["seq"]})) as (again,):
            await again.until(lambda: again.of("resync"), "resync")
            assert zoo.words["rep"] not in str(again.heard)


async def test_a_contact_that_changes_hands_comes_and_goes(server: RunningHub) -> None:
    zoo = await a_zoo(server.hub.db, f"Hands{next(_numbers)}")
    await api(server, zoo, "owner").put("/visibility", {"visibility": "own"})
    contact, theirs = f"/contacts/{zoo.ids['rep']}", str(zoo.people["loner"][1])
    refused = await api(server, zoo, "rep").patch(contact, {"owner_id": theirs})
    assert (refused.status, "would not see this contact" in refused.field("owner_id")) == (422, True)
    made = await api(server, zoo, "rep").post("/contacts", {"first_name": "Eve", "owner_id": theirs})
    assert made.status == 422
    async with clients(*(socket(server, zoo, name) for name in ("rep", "loner"))) as (rep, loner):
        given = await api(server, zoo, "owner").patch(contact, {"owner_id": theirs})
        assert given.status == 200
        await loner.until(lambda: contact_events(loner) == ["contact.handed_over", "contact.updated"], "both events")
        noted = await api(server, zoo, "loner").post(f"{contact}/notes", {"body": zoo.words["rep"]})
        assert noted.status == 201
        last = end(zoo)
        await say(server, zoo, [last])
        await until_end([rep], last)
        assert contact_events(rep) == ["contact.handed_over"]
        assert (await api(server, zoo, "rep").get(contact)).status == 404

        # Whoever joins a team sees what is the others', once it is teams that see.
        await api(server, zoo, "owner").put("/visibility", {"visibility": "team"})
        await rep.until(lambda: rep.of("resync"), "resync")
        assert (await api(server, zoo, "rep").get(contact)).status == 404
        async with tenant_tx(server.hub.db, zoo.who("owner")) as tx:
            await tx.execute(_ADD, team=zoo.team, person_id=zoo.people["loner"][1])
        await rep.until(lambda: len(rep.of("resync")) == 2, "the second resync")
        last = end(zoo)
        rep.heard.clear()
        await say(server, zoo, [of_kind("contact", zoo, "rep"), last])
        await until_end([rep], last)
        assert kinds(rep) == ["contact"]
        assert (await api(server, zoo, "rep").get(contact)).status == 200


async def test_nobody_is_notified_of_what_they_do_not_see(server: RunningHub) -> None:
    zoo = await a_zoo(server.hub.db, f"Bell{next(_numbers)}")
    await api(server, zoo, "owner").put("/visibility", {"visibility": "own"})
    async with tenant_tx(server.hub.db, Who.system(zoo.company.tenant_id)) as tx:
        told = [
            await notify(tx, zoo.people[name][1], "message", "Grace wrote", "hello", kind, zoo.ids["rep"])
            for name in ("rep", "manager", "loner")
            for kind in ("contact", "call")
        ]
    assert [one is not None for one in told] == [True, True, True, True, False, False]


async def test_nobody_else_sets_it_and_another_company_notices_nothing(server: RunningHub) -> None:
    one, other = await a_zoo(server.hub.db, f"One{next(_numbers)}"), await a_zoo(server.hub.db, f"Other{next(_numbers)}")
    for name in ("manager", "rep"):
        assert (await api(server, one, name).put("/visibility", {"visibility": "own"})).status == 403
    assert (await api(server, one, "owner").put("/visibility", {"visibility": "mine"})).status == 422
    async with clients(socket(server, other, "rep")) as (stranger,):
        assert (await api(server, one, "owner").put("/visibility", {"visibility": "own"})).status == 200
        last = end(other)
        await say(server, other, [last])
        await until_end([stranger], last)
        assert not stranger.of("resync")
        assert not [event for event in stranger.events if event["type"] == "visibility.changed"]
    assert (await api(server, other, "rep").get("/visibility")).body == {"visibility": "everyone"}


async def test_every_kind_of_event_is_somebodys_or_everybodys() -> None:
    api_endpoints(make_settings("", ""), Tokens(b"\0" * 32))
    there = {event.subject_kind for event in CATALOGUE.values()}
    assert there - set(SOMEBODYS) - EVERYBODYS == set()
