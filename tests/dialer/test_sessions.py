"""A rep's session: what is prepared, dialed, written up, put off, and for whom."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from hub.calls import actions as calls
from hub.db import Database, tenant_tx
from hub.dialer import actions, looking, queries
from hub.dialer.looking import GONE_S
from hub.errors import Conflict, Forbidden, Invalid
from hub.leases import actions as leases
from hub.permits import actions as permits
from hub.presence import actions as presence
from hub.who import Who
from tests.conftest import Company, make_company
from tests.dialer.kit import Desk
from tests.loop_clock import LIMIT_S


@pytest.fixture
async def desk(db: Database, acme: Company) -> Desk:
    return Desk(db, acme)


async def answered(desk: Desk, session: dict[str, Any]) -> dict[str, Any]:
    """The contact answers and the call ends: the session in its wrap-up."""
    await desk.call(session["call_id"], "dialing", "ringing", "in_progress")
    talking = await desk.look(session["id"])
    assert talking["state"] == "talking"
    await desk.call(session["call_id"], "completed")
    return await desk.look(session["id"])


async def dispose(desk: Desk, call_id: str, value: str, at: datetime | None = None) -> None:
    async with tenant_tx(desk.db, desk.who) as tx:
        await calls.set_disposition(tx, UUID(call_id), value, None, at)


async def test_the_first_contact_is_prepared_with_permit_and_lease_and_waits_for_the_rep(desk: Desk) -> None:
    [first] = await desk.contacts(1)
    session = await desk.join(await desk.queue([first]))
    assert session["state"] == "ready" and session["dial_at"] is None
    card = session["next"]
    assert card["contact"]["id"] == str(first) and card["phone"].startswith("+1212555")
    assert "llowed" in card["permit"] and card["zones"] == ["America/New_York"] and len(card["local_time"]) == 5
    held = await desk.fetch("SELECT user_id, purpose FROM leases WHERE tenant_id = :tenant_id AND contact_id = :c", c=first)
    assert held == [{"user_id": desk.who.user_id, "purpose": "dialer"}]


async def test_an_answered_call_is_talked_written_up_and_the_next_one_counts_down(desk: Desk) -> None:
    queue_id = await desk.queue(await desk.contacts(2), countdown_s=5)
    session = await desk.join(queue_id)
    dialing = await desk.act("dial", UUID(session["id"]))
    assert dialing["state"] == "dialing" and dialing["is_automatic"] and len(dialing["current"]) == 1
    wrap_up = await answered(desk, dialing)
    assert wrap_up["state"] == "wrap_up" and wrap_up["connected"] == 1
    assert wrap_up["next"] is not None, "the next one is prepared while the rep writes up"
    assert wrap_up["next"]["contact"]["id"] != dialing["current"][0]["contact"]["id"]
    await dispose(desk, dialing["call_id"], "meeting_booked")
    before = datetime.now(UTC)
    ready = await desk.look(session["id"])
    assert ready["state"] == "ready"
    assert before <= datetime.fromisoformat(ready["dial_at"]) - timedelta(seconds=5) <= datetime.now(UTC)
    await desk.run("UPDATE dial_sessions SET dial_at = now() WHERE tenant_id = :tenant_id")
    assert (await desk.look(session["id"]))["state"] == "dialing"
    states = [e["session"]["state"] for e in await desk.events("dial_session.changed")]
    assert states == ["ready", "dialing", "talking", "wrap_up", "ready", "dialing"]


async def test_an_unanswered_call_goes_straight_on_and_is_tried_again_by_the_rule(desk: Desk) -> None:
    queue_id = await desk.queue(await desk.contacts(3), countdown_s=0, retry={"busy_s": 600})
    session = await desk.join(queue_id)
    dialing = await desk.act("dial", UUID(session["id"]))
    for outcome in ("busy", "no_answer", "failed"):
        await desk.call(dialing["call_id"], "dialing", "ringing", outcome)
        dialing = await desk.look(session["id"])
    items = list((await desk.items(queue_id)).values())
    assert [(i["state"], i["last_outcome"], i["attempts"]) for i in items] == [
        ("waiting", "busy", 1),
        ("waiting", "no_answer", 1),
        ("waiting", "failed", 1),
    ]
    waits = [(i["not_before"] - i["changed_at"]).total_seconds() for i in items]
    assert [round(w, -1) for w in waits] == [600, 14400, 600]
    assert dialing["state"] == "preparing" and "waits for their time" in dialing["note"]
    assert all(i["reason"] for i in items)


async def test_after_the_last_attempt_the_contact_is_done(desk: Desk) -> None:
    [only] = await desk.contacts(1)
    queue_id = await desk.queue([only], retry={"attempts": 2})
    session = await desk.join(queue_id)
    for number in (1, 2):
        dialing = await desk.act("dial", UUID(session["id"]))
        await desk.call(dialing["call_id"], "no_answer")
        after = await desk.look(session["id"])
        item = (await desk.items(queue_id))[only]
        assert item["attempts"] == number
        await desk.run("UPDATE dial_items SET not_before = now() WHERE tenant_id = :tenant_id AND not_before IS NOT NULL")
        await desk.run("UPDATE dial_sessions SET look_at = now() WHERE tenant_id = :tenant_id AND state <> 'ended'")
        if number == 1:
            assert (await desk.look(session["id"]))["state"] == "ready"
    assert item["state"] == "done" and item["reason"] == "Nobody answered, and it was attempt 2 of 2."
    assert after["state"] == "ended" and "Everybody" in after["note"]
    [queue] = await desk.fetch("SELECT state FROM dial_queues WHERE tenant_id = :tenant_id")
    assert queue["state"] == "done"


async def test_who_may_not_be_called_is_skipped_and_the_permit_says_why(desk: Desk) -> None:
    ids = await desk.contacts(3)
    queue_id = await desk.queue(ids)
    [phone] = await desk.fetch("SELECT e164 FROM contact_phones WHERE tenant_id = :tenant_id AND contact_id = :c", c=ids[0])
    async with tenant_tx(desk.db, desk.company.who("owner")) as tx:
        await permits.suppress(tx, "phone", phone["e164"], "asked us to stop", "contact")
    session = await desk.join(queue_id)
    assert session["next"]["contact"]["id"] == str(ids[1])
    item = (await desk.items(queue_id))[ids[0]]
    [permit] = await desk.fetch("SELECT * FROM permits WHERE tenant_id = :tenant_id AND NOT allowed")
    assert item["state"] == "skipped" and item["reason_code"] == permit["code"] and item["reason"] == permit["explanation"]
    assert permit["queue_item_id"] == item["id"] == item["id"] and item["permit_id"] == permit["id"]
    assert await desk.fetch("SELECT 1 FROM calls WHERE tenant_id = :tenant_id") == []


async def test_who_may_be_called_later_waits_until_then(db: Database) -> None:
    desk = Desk(db, await make_company(db, "Umbrella", practice=False))
    # Whatever the hour, it is not yet nine or past nine somewhere: the order alone never dials them.
    ids = await desk.contacts(1, phones=[{"e164": "+12125550142"}])
    queue_id = await desk.queue(ids)
    await desk.run("INSERT INTO quiet_days (tenant_id, day) SELECT :tenant_id, (now() AT TIME ZONE 'America/New_York')::date")
    session = await desk.join(queue_id)
    assert session["state"] == "preparing" and session["next"] is None
    item = (await desk.items(queue_id))[ids[0]]
    assert item["state"] == "waiting"
    assert item["not_before"] is None or item["not_before"] > datetime.now(UTC)
    assert session["note"] in (
        "Nobody is due just now. The next one waits for their time.",
        "It is too early or too late to call whoever is left.",
    )


async def test_two_reps_never_get_the_same_contact(desk: Desk) -> None:
    queue_id = await desk.queue(await desk.contacts(4))
    desks = [desk, *(Desk(desk.db, desk.company, role) for role in ("owner", "admin", "manager"))]
    sessions = await asyncio.gather(*(one.join(queue_id) for one in desks))
    got = [s["next"]["contact"]["id"] for s in sessions]
    assert len(set(got)) == 4


async def test_a_contact_of_two_queues_is_a_colleagues_first(desk: Desk) -> None:
    [only] = await desk.contacts(1)
    mine, theirs = await desk.queue([only]), await desk.queue([only])
    other = Desk(desk.db, desk.company, "manager")
    assert (await other.join(theirs))["next"] is not None
    session = await desk.join(mine)
    assert session["next"] is None
    item = (await desk.items(mine))[only]
    assert item["reason_code"] == "claimed" and "Manager of Acme is about to call" in item["reason"]


async def test_skip_pause_resume_and_leave(desk: Desk) -> None:
    ids = await desk.contacts(3)
    queue_id = await desk.queue(ids)
    session = await desk.join(queue_id)
    session_id = UUID(session["id"])
    skipped = await desk.act("skip", session_id, "A friend of the boss")
    assert skipped["state"] == "ready" and skipped["next"]["contact"]["id"] == str(ids[1])
    item = (await desk.items(queue_id))[ids[0]]
    assert (item["state"], item["reason_code"], item["reason"]) == ("skipped", "skipped_by_rep", "A friend of the boss")
    paused = await desk.act("pause", session_id)
    assert paused["state"] == "paused" and paused["next"] is None
    assert await desk.fetch("SELECT 1 FROM leases WHERE tenant_id = :tenant_id") == []
    with pytest.raises(Conflict):
        await desk.act("dial", session_id)
    resumed = await desk.act("resume", session_id)
    assert resumed["state"] == "ready" and resumed["next"]["contact"]["id"] == str(ids[1])
    assert (await desk.act("leave", session_id))["state"] == "ended"
    assert (await desk.items(queue_id))[ids[1]]["state"] == "waiting"
    assert (await desk.act("leave", session_id))["state"] == "ended", "leaving again is leaving"
    with pytest.raises(Conflict):
        await desk.act("resume", session_id)


async def test_a_pause_or_leaving_during_a_call_waits_for_its_end(desk: Desk) -> None:
    queue_id = await desk.queue(await desk.contacts(3))
    session = await desk.join(queue_id)
    dialing = await desk.act("dial", UUID(session["id"]))
    assert (await desk.act("pause", UUID(session["id"])))["pause_asked"]
    assert (await answered(desk, dialing))["state"] == "wrap_up"
    await dispose(desk, dialing["call_id"], "connected")
    assert (await desk.look(session["id"]))["state"] == "paused"
    await desk.act("resume", UUID(session["id"]))
    dialing = await desk.act("dial", UUID(session["id"]))
    assert (await desk.act("leave", UUID(session["id"])))["leave_asked"]
    await desk.call(dialing["call_id"], "busy")
    assert (await desk.look(session["id"]))["state"] == "ended"


async def test_a_rep_who_is_gone_is_paused_and_their_contact_is_free(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert GONE_S > 1, "a reload takes a moment"
    # An hour instead: it does not pass while this test runs, however slow the machine is.
    monkeypatch.setattr(looking, "GONE_S", LIMIT_S)
    queue_id = await desk.queue(await desk.contacts(2))
    session = await desk.join(queue_id)
    await desk.go()

    async def away_since(seconds_ago: float) -> None:
        at = datetime.now(UTC) - timedelta(seconds=seconds_ago)
        await desk.run("UPDATE presence SET since = :at WHERE tenant_id = :tenant_id", at=at)
        await desk.run("UPDATE dial_sessions SET since = :at WHERE tenant_id = :tenant_id", at=at)

    await away_since(LIMIT_S / 2)
    assert (await desk.look(session["id"]))["state"] == "ready", "they may be back in a moment"
    await away_since(LIMIT_S + 1)
    due = await queries.sessions_due(desk.db, LIMIT_S, 10)
    assert due == [(desk.company.tenant_id, UUID(session["id"]))]
    gone = await desk.look(session["id"])
    assert gone["state"] == "paused" and "lost" in gone["note"]
    assert await desk.fetch("SELECT 1 FROM leases WHERE tenant_id = :tenant_id") == []
    assert {i["state"] for i in (await desk.items(queue_id)).values()} == {"waiting"}


async def test_a_callback_comes_first_when_it_is_due(desk: Desk) -> None:
    ids = await desk.contacts(3)
    queue_id = await desk.queue(ids, countdown_s=0)
    session = await desk.join(queue_id)
    session_id = UUID(session["id"])
    soon = datetime.now(UTC) + timedelta(hours=1)
    with pytest.raises(Invalid):
        await desk.act("call_back", session_id, datetime.now(UTC) - timedelta(minutes=1))
    after = await desk.act("call_back", session_id, soon)
    assert after["next"]["contact"]["id"] == str(ids[1]), "the prepared one waits for their time"
    dialing = await desk.act("dial", session_id)
    await desk.call(dialing["call_id"], "in_progress")
    await desk.look(session["id"])
    await desk.act("call_back", session_id, soon + timedelta(hours=1))
    await desk.call(dialing["call_id"], "completed")
    await desk.look(session["id"])
    items = await desk.items(queue_id)
    assert [(items[i]["state"], items[i]["callback_for"]) for i in ids[:2]] == [("callback", desk.who.user_id)] * 2
    await desk.run("UPDATE dial_items SET not_before = now() WHERE tenant_id = :tenant_id AND contact_id = :c", c=ids[1])
    # The third is prepared already; the callback comes right after.
    await desk.act("skip", session_id, "later")
    assert (await desk.session(session["id"]))["next"]["contact"]["id"] == str(ids[1])


async def test_a_disposition_that_asks_for_a_callback_sets_its_time(desk: Desk) -> None:
    ids = await desk.contacts(1)
    queue_id = await desk.queue(ids)
    session = await desk.join(queue_id)
    dialing = await desk.act("dial", UUID(session["id"]))
    await answered(desk, dialing)
    at = datetime.now(UTC) + timedelta(hours=3)
    await dispose(desk, dialing["call_id"], "callback", at)
    await desk.look(session["id"])
    item = (await desk.items(queue_id))[ids[0]]
    assert item["state"] == "callback" and abs(item["not_before"] - at) < timedelta(seconds=1)


async def test_dialing_in_the_wrap_up_ends_it(desk: Desk) -> None:
    queue_id = await desk.queue(await desk.contacts(2))
    session = await desk.join(queue_id)
    first = await desk.act("dial", UUID(session["id"]))
    await answered(desk, first)
    second = await desk.act("dial", UUID(session["id"]))
    assert second["state"] == "dialing" and second["call_id"] != first["call_id"]


async def test_a_paused_queue_lets_nobody_be_called(desk: Desk) -> None:
    queue_id = await desk.queue(await desk.contacts(2))
    session = await desk.join(queue_id)
    await desk.act("set_state", queue_id, "paused", who=desk.company.who("owner"))
    assert await desk.fetch("SELECT 1 FROM jobs WHERE tenant_id = :tenant_id AND kind = 'dialer.look'"), "who works is told"
    stopped = await desk.look(session["id"])
    assert stopped["state"] == "preparing" and stopped["note"] == "The queue is paused." and stopped["next"] is None
    with pytest.raises(Conflict):
        await desk.act("dial", UUID(session["id"]))
    await desk.act("set_state", queue_id, "running", who=desk.company.who("owner"))
    assert (await desk.look(session["id"]))["state"] == "ready"


async def test_a_lease_is_kept_while_the_rep_takes_their_time_and_its_loss_is_noticed(desk: Desk) -> None:
    ids = await desk.contacts(2)
    session = await desk.join(await desk.queue(ids))
    await desk.run("UPDATE leases SET lease_until = now() + interval '1 second' WHERE tenant_id = :tenant_id")
    await desk.run("UPDATE dial_sessions SET look_at = now() WHERE tenant_id = :tenant_id")
    await desk.look(session["id"])
    [held] = await desk.fetch(
        "SELECT lease_until > now() + interval '5 seconds' AS is_long FROM leases WHERE tenant_id = :tenant_id"
    )
    assert held["is_long"]
    async with tenant_tx(desk.db, desk.who) as tx:
        await leases.release(tx, ids[0], desk.company.members["rep"])
        await leases.take(tx, ids[0], desk.company.members["manager"], "email")
    await desk.run("UPDATE dial_sessions SET look_at = now() WHERE tenant_id = :tenant_id")
    assert (await desk.look(session["id"]))["next"]["contact"]["id"] == str(ids[1])


async def test_what_comes_twice_or_late_changes_nothing(desk: Desk) -> None:
    queue_id = await desk.queue(await desk.contacts(2), countdown_s=30)
    session = await desk.join(queue_id)
    dialing = await desk.act("dial", UUID(session["id"]))
    await desk.call(dialing["call_id"], "busy")
    for _ in range(3):
        await desk.look(session["id"])
        async with tenant_tx(desk.db, Who.system(desk.company.tenant_id)) as tx:
            await actions.call_ended(tx, UUID(dialing["call_id"]))
    assert [i["attempts"] for i in (await desk.items(queue_id)).values()] == [1, 0]
    assert len(await desk.fetch("SELECT 1 FROM calls WHERE tenant_id = :tenant_id")) == 1


async def test_a_manual_call_holds_the_next_one_back(desk: Desk) -> None:
    ids = await desk.contacts(2)
    queue_id = await desk.queue(ids[:1], countdown_s=0)
    session = await desk.join(queue_id)
    async with tenant_tx(desk.db, desk.who) as tx:
        manual = await calls.place_call(tx, ids[1])
    held = await desk.act("dial", UUID(session["id"]))
    assert held["state"] == "ready" and "another call" in held["note"]
    await desk.call(manual, "no_answer")
    async with tenant_tx(desk.db, desk.who) as tx:
        assert desk.who.user_id
        await presence.free(tx, desk.who.user_id)
    await desk.run("UPDATE dial_sessions SET dial_at = now() WHERE tenant_id = :tenant_id")
    assert (await desk.look(session["id"]))["state"] == "dialing"


async def test_a_rep_is_in_one_session_and_only_where_they_belong(desk: Desk) -> None:
    ids = await desk.contacts(2)
    first, second = await desk.queue(ids), await desk.queue(ids, members=[desk.company.members["manager"]])
    draft = await desk.queue(ids, start=False)
    with pytest.raises(Conflict):
        await desk.join(draft)
    with pytest.raises(Forbidden):
        await desk.join(second)
    session = await desk.join(first)
    with pytest.raises(Conflict):
        await desk.join(first)
    other = Desk(desk.db, desk.company, "owner")
    with pytest.raises(Forbidden):
        await other.act("skip", UUID(session["id"]), "not mine")
    assert (await other.act("pause", UUID(session["id"])))["state"] == "paused", "a manager may"
