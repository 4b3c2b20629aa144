"""The hours, as the database works them out, against a simple oracle: over zones, changes of clocks and midnights."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hub.embedded import PostgresServer
from tests.conftest import cloned_database
from tests.permits.oracle import NEVER, STATES, Hours, Week, every_day, strictest

# Half-hour clock changes, two-hour ones, quarter-hour offsets, none at all, both hemispheres, both sides of the date line.
ZONES = [
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/Phoenix",
    "America/Anchorage",
    "America/Adak",
    "America/St_Johns",
    "America/Havana",
    "America/Santiago",
    "America/Sao_Paulo",
    "Pacific/Honolulu",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "Pacific/Chatham",
    "Australia/Lord_Howe",
    "Australia/Adelaide",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "Africa/Cairo",
    "Antarctica/Troll",
    "Europe/London",
    "Europe/Berlin",
    "Atlantic/Azores",
]
FIRST, LAST = datetime(2025, 1, 1, tzinfo=UTC), datetime(2027, 12, 31, tzinfo=UTC)


def changes(zone: str) -> list[datetime]:
    """The moments, to the quarter, at which a zone's clocks change."""
    found, at, clock = [], FIRST, ZoneInfo(zone)
    while at < LAST:
        then = at + timedelta(days=1)
        if at.astimezone(clock).utcoffset() != then.astimezone(clock).utcoffset():
            moment = at
            while moment.astimezone(clock).utcoffset() == at.astimezone(clock).utcoffset():
                moment += timedelta(minutes=15)
            found.append(moment)
        at = then
    return found


CHANGES = {zone: changes(zone) for zone in ZONES}
quarters = st.integers(0, 96).map(lambda n: n * 15)
spans = st.one_of(
    st.just(NEVER),
    st.sampled_from([(480, 1260), (480, 1200), (600, 1260), (0, 1440), (0, 120), (1320, 1440), (90, 150), (150, 180)]),
    st.tuples(quarters, quarters).map(lambda pair: (min(pair), max(pair))),
)
weeks = st.one_of(spans.map(lambda span: [span] * 7), st.lists(spans, min_size=7, max_size=7))


@st.composite
def cases(draw: st.DrawFn) -> tuple[Hours, datetime]:
    """Some hours, and a moment: any, or one near a change of clocks, or near a midnight."""
    zones = draw(st.lists(st.sampled_from(ZONES), min_size=1, max_size=3, unique=True))
    clock = ZoneInfo(zones[0])
    around = draw(st.sampled_from(["anywhere", "change", "midnight"]))
    at = FIRST + timedelta(seconds=draw(st.integers(0, 1000 * 24 * 3600)))
    if around == "change" and CHANGES[zones[0]]:
        at = draw(st.sampled_from(CHANGES[zones[0]])) + timedelta(seconds=draw(st.integers(-40 * 3600, 6 * 3600)))
    elif around == "midnight":
        midnight = at.astimezone(clock).replace(hour=0, minute=0, second=0, microsecond=0)
        at = midnight.astimezone(UTC) + timedelta(seconds=draw(st.integers(-900, 900)))
    shut = {at.astimezone(clock).date() + timedelta(days=n) for n in draw(st.sets(st.integers(-1, 6), max_size=4))}
    return Hours(zones, draw(weeks), frozenset(shut)), at


class Asked:
    """A connection as the app role, in a company that does not practise, for tests that are not coroutines."""

    def __init__(self, run: Callable[[Coroutine[Any, Any, Any]], Any], conn: asyncpg.Connection, contact_id: UUID) -> None:
        self._run = run
        self._conn = conn
        self.contact_id = contact_id

    def value(self, sql: str, *args: Any) -> Any:
        return self._run(self._conn.fetchval(sql, *args))

    def opens_at(self, hours: Hours, at: datetime) -> datetime | None:
        opens, closes = [day[0] for day in hours.week], [day[1] for day in hours.week]
        found: datetime | None = self.value(
            "SELECT outreach_opens_at($1, $2, $3, $4, $5)", list(hours.zones), opens, closes, list(hours.shut), at
        )
        return found

    def closes_at(self, hours: Hours, at: datetime) -> datetime:
        opens, closes = [day[0] for day in hours.week], [day[1] for day in hours.week]
        found: datetime = self.value("SELECT outreach_closes_at($1, $2, $3, $4)", list(hours.zones), opens, closes, at)
        return found

    def decision(self, number: str, at: datetime) -> tuple[bool, datetime | None]:
        row = self._run(self._conn.fetchrow("SELECT * FROM decide_outreach($1, 'call', $2, $3)", self.contact_id, number, at))
        return row["allowed"], row["next_allowed_at"]


@pytest.fixture(scope="module")
def asked(postgres: PostgresServer) -> Iterator[Asked]:
    with asyncio.Runner() as runner:
        cloning = cloned_database(postgres)
        database = runner.run(cloning.__aenter__())
        conn = runner.run(asyncpg.connect(database.app_url, server_settings={"TimeZone": "Asia/Kathmandu"}))
        tenant_id = runner.run(conn.fetchval("SELECT create_company('Acme')"))
        runner.run(conn.execute("SELECT set_config('ringside.tenant_id', $1, false)", str(tenant_id)))
        contact_id = runner.run(conn.fetchval("INSERT INTO contacts (tenant_id) VALUES ($1) RETURNING id", tenant_id))
        yield Asked(runner.run, conn, contact_id)
        runner.run(conn.close())
        runner.run(cloning.__aexit__(None, None, None))


often = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@often
@given(cases())
def test_the_next_opening_is_the_first_quarter_that_is_open_in_every_zone(asked: Asked, case: tuple[Hours, datetime]) -> None:
    hours, at = case
    expected, found = hours.opens_at(at), asked.opens_at(hours, at)
    assert found == expected, f"{found} where {expected} is right"


@often
@example((Hours(["America/New_York"], [(90, 150)] * 7, frozenset()), datetime(2025, 11, 2, 5, 59, 59, tzinfo=UTC)))
@given(cases())
def test_it_closes_at_the_first_quarter_that_is_not_open(asked: Asked, case: tuple[Hours, datetime]) -> None:
    hours, at = case
    if hours.is_open(at):
        assert asked.closes_at(hours, at) == hours.closes_at(at)


@often
@given(state=st.sampled_from(sorted(STATES)), minute=st.integers(0, 3 * 365 * 24 * 60), near_change=st.booleans())
def test_a_number_may_be_called_when_its_state_says(asked: Asked, state: str, minute: int, near_change: bool) -> None:
    area, zones, week = STATES[state]
    at = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    if near_change and zones[0] in CHANGES and CHANGES[zones[0]]:
        at = CHANGES[zones[0]][minute % len(CHANGES[zones[0]])] + timedelta(minutes=minute % 2880 - 1440)
    hours = Hours(zones, strictest(week, every_day(480, 1260)))  # the company's own hours are 8 to 21
    allowed, next_at = asked.decision(f"+1{area}5550123", at)
    assert allowed == hours.is_open(at)
    assert next_at == (None if allowed else hours.opens_at(at))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(STATES)), st.integers(0, 365 * 24 * 60))
def test_the_decision_of_a_moment_is_always_the_same(asked: Asked, state: str, minute: int) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    number = f"+1{STATES[state][0]}5550123"
    first = asked.decision(number, at)
    asked.value("SELECT set_config('TimeZone', $1, false)", "America/Los_Angeles" if minute % 2 else "Asia/Kathmandu")
    assert asked.decision(number, at) == first


@pytest.mark.parametrize(
    ("zone", "at", "opens"),
    [
        # 02:30 does not exist on 8 March 2026 in New York: the clocks go from 02:00 to 03:00, which is past it.
        ("America/New_York", "2026-03-08T06:10Z", "2026-03-08T07:00Z"),
        # 01:00 to 02:00 comes twice on 1 November 2026; in between the first 02:00 never comes.
        ("America/New_York", "2026-11-01T05:10Z", "2026-11-01T07:30Z"),
        # Samoa is the first to see a day, Hawaii among the last.
        ("Pacific/Apia", "2026-06-30T13:00Z", "2026-06-30T13:30Z"),
    ],
)
def test_hours_from_half_past_two(asked: Asked, zone: str, at: str, opens: str) -> None:
    hours = Hours([zone], every_day(150, 240))
    moment = datetime.fromisoformat(at)
    assert asked.opens_at(hours, moment) == hours.opens_at(moment) == datetime.fromisoformat(opens)


def test_what_never_opens_has_no_next_time(asked: Asked) -> None:
    at = datetime(2026, 5, 1, tzinfo=UTC)
    week: Week = [NEVER] * 7
    assert asked.opens_at(Hours(["Europe/Berlin"], week), at) is None
    apart = Hours(["Asia/Tokyo", "America/New_York"], every_day(480, 540))
    assert apart.opens_at(at) is None and asked.opens_at(apart, at) is None
    month = frozenset(date(2026, 4, 30) + timedelta(days=n) for n in range(40))
    assert asked.opens_at(Hours(["Europe/Berlin"], every_day(480, 1200), month), at) is None
