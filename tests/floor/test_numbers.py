"""The day in numbers, and the calls behind each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.db import Database, tenant_tx
from hub.who import Who
from tests.conftest import Company
from tests.harness import Api, RunningHub

NOON = datetime.now(UTC) - timedelta(hours=2)
# Whose, how it ended, what was said of it, how long it was talked.
CALLS = [
    ("rep", "connected", "meeting_booked", 120),
    ("rep", "connected", None, 60),
    ("rep", "voicemail", "left_voicemail", 20),
    ("rep", "connected", "wrong_number", 10),
    ("rep", "no_answer", None, None),
    ("manager", "no_answer", "connected", None),
    ("manager", None, None, None),
]
YESTERDAY = ("rep", "connected", "meeting_booked", 999)


@pytest.fixture
async def calls(db: Database, acme: Company) -> dict[str, int]:
    """A day's calls; their ids with their place in the list."""
    made = {}
    async with tenant_tx(db, Who.system(acme.tenant_id)) as tx:
        contact = "INSERT INTO contacts (tenant_id, first_name) VALUES ($1, 'Ada') RETURNING id"
        for n, (role, outcome, disposition, talked) in enumerate([*CALLS, YESTERDAY]):
            at = NOON + timedelta(minutes=n) if n < len(CALLS) else NOON - timedelta(days=1)
            call_id = await tx.conn.fetchval(
                "INSERT INTO calls (tenant_id, contact_id, user_id, state, to_number, from_number, created_at, outcome, "
                "disposition, answered_at, ended_at) "
                "VALUES ($1, $2, $3, $4, '+14155550100', '+14155550101', $5, $6, $7, $8, $9) RETURNING id",
                acme.tenant_id,
                await tx.conn.fetchval(contact, acme.tenant_id),
                acme.members[role],
                "completed" if outcome else "ringing",
                at,
                outcome,
                disposition,
                at if talked else None,
                at + timedelta(seconds=talked or 0) if outcome else None,
            )
            made[str(call_id)] = n
    return made


async def picture(api: Api) -> dict[str, Any]:
    body: dict[str, Any] = (await api.get("/floor", since=NOON.isoformat())).body
    return body


async def test_the_day_is_counted_by_what_people_said(manager: Api, calls: dict[str, int]) -> None:
    today = (await picture(manager))["today"]
    assert (today["calls"], today["connected"], today["meetings"]) == (7, 3, 1)
    assert today["connect_rate"] == 0.5, "of the six that are over"
    assert today["by_outcome"] == {"connected": 3, "voicemail": 1, "no_answer": 2}
    assert today["talk_s"] == 210


async def test_nothing_is_no_rate(manager: Api) -> None:
    today = (await picture(manager))["today"]
    assert (today["calls"], today["connect_rate"]) == (0, None)


async def test_the_leaderboard_has_every_rep_and_whoever_called(manager: Api, acme: Company, calls: dict[str, int]) -> None:
    board = (await picture(manager))["leaderboard"]
    assert [(s["user"]["id"], s["calls"], s["connected"], s["talk_s"], s["meetings"]) for s in board] == [
        (str(acme.members["rep"]), 5, 2, 210, 1),
        (str(acme.members["manager"]), 2, 1, 0, 0),
    ]


@pytest.mark.parametrize(
    ("asked", "behind"),
    [
        ({"outcome": "connected"}, [0, 1, 3]),
        ({"outcome": "abandoned"}, []),
        ({"disposition": "meeting_booked"}, [0]),
        ({"connected": True}, [0, 1, 5]),
        ({"connected": False}, [2, 3, 4, 6]),
        ({"connected": True, "role": "rep"}, [0, 1]),
        ({"outcome": "no_answer", "role": "manager"}, [5]),
        ({"role": "manager"}, [5, 6]),
    ],
)
async def test_every_number_opens_the_calls_behind_it(
    manager: Api, acme: Company, calls: dict[str, int], asked: dict[str, Any], behind: list[int]
) -> None:
    params = {k: v for k, v in asked.items() if k != "role"}
    if "role" in asked:
        params["user_id"] = acme.members[asked["role"]]
    found = await manager.get("/calls", since=NOON.isoformat(), **params)
    assert sorted(calls[call["id"]] for call in found.body["data"]) == behind


async def test_connected_calls_are_of_some_time(manager: Api) -> None:
    assert "since when" in (await manager.get("/calls", connected=True)).field("since")


async def test_another_companys_calls_are_not_counted(calls: dict[str, int], globex: Company, hub: RunningHub) -> None:
    owner = hub.as_member(globex, "owner")
    seen = await picture(owner)
    assert seen["today"]["calls"] == 0
    assert [(s["user"]["id"], s["calls"]) for s in seen["leaderboard"]] == [(str(globex.members["rep"]), 0)]
    assert (await owner.get("/calls", outcome="connected")).body["data"] == []
