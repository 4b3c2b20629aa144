"""Planning: hours on the wall clock, days of 23 and 25 hours, caps that hold whatever the order, the same every time."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from hub.sequences.hours import SLACK_S, Days, Hours, Schedule, at_wall, moment_of, seconds, wall_intervals
from hub.sequences.planning import Candidate, Planner, Step, choose_variant
from hub.sequences.slots import Caps, Lane, WarmUp

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
ZONES = [
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",  # half an hour of daylight saving
    "America/St_Johns",
    "Africa/Cairo",  # changes at midnight
    "Asia/Kathmandu",
    "Pacific/Apia",
    "UTC",
]
WEEK = dict.fromkeys(range(1, 6), (540, 1020))
BOX = UUID(int=1)
STEP = Step(UUID(int=7), 1, "email")


def at(text: str, zone: str = "UTC") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp())


def hours(zone: str, days: dict[int, tuple[int, int]] | None = None, *, since: str = "2026-01-01", country: str = "") -> Hours:
    return Hours(Schedule(days or WEEK, country), zone, {}, at(since))


def planner(
    caps: Caps, now: int, *, domain_caps: Caps | None = None, taken: tuple[int, ...] = (), quiet: dict[date, str] | None = None
) -> Planner:
    days = Days("UTC", now)
    return Planner(now, days, {BOX: Lane(caps, days, taken)}, {}, domain_caps or Caps(), quiet or {}, frozenset({"gmail.com"}))


def plan_many(made: Planner, schedule: Schedule, wishes: list[tuple[int, str, str]]) -> list[int]:
    """The moments of mails that are wished for from a moment on, to a zone and a domain."""
    moments = []
    for number, (base, zone, domain) in enumerate(wishes):
        found = made.next_moment(STEP, Candidate(str(number), base, zone, BOX, domain), made.hours_for(schedule, zone))
        assert found.at is not None
        assert found.at >= base
        moments.append(found.at)
    return moments


@QUICK
@given(
    zone=some.sampled_from(ZONES),
    day=some.dates(date(2026, 1, 1), date(2027, 12, 31)),
    begins=some.integers(0, 1424),
    length=some.integers(15, 1440),
)
def test_it_is_open_exactly_when_the_clock_on_the_wall_says_so(zone: str, day: date, begins: int, length: int) -> None:
    ends = min(begins + length, 1440)
    found = wall_intervals(ZoneInfo(zone), day, begins, ends)
    assert found == sorted(found)
    noon = int(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp())
    for moment in range(noon - 30 * 3600, noon + 30 * 3600, 7 * 60):
        wall = datetime.fromtimestamp(moment, ZoneInfo(zone))
        shown = wall.date() == day and begins <= wall.hour * 60 + wall.minute < ends
        assert any(start <= moment < end for start, end in found) == shown, wall


def test_hours_keep_to_the_clock_over_the_change_of_the_clocks() -> None:
    """Given nine o'clock in New York, when the clocks change in March, then it is still nine o'clock there."""
    ny = hours("America/New_York")
    before, after = ny.open_at(at("2026-03-06T05:00")), ny.open_at(at("2026-03-08T12:00"))
    assert before is not None
    assert after is not None
    assert moment_of(before) == datetime(2026, 3, 6, 14, tzinfo=UTC)
    assert moment_of(after) == datetime(2026, 3, 9, 13, tzinfo=UTC)


def test_an_hour_that_is_skipped_opens_late_and_one_lived_twice_opens_twice() -> None:
    sundays = {7: (90, 150)}  # 01:30 to 02:30
    berlin = hours("Europe/Berlin", sundays)
    skipped = berlin.open_at(at("2026-03-28T12:00"))
    assert skipped == at("2026-03-29T01:30", "Europe/Berlin")
    new_york = ZoneInfo("America/New_York")
    assert wall_intervals(new_york, date(2026, 3, 8), 120, 180) == []
    assert at_wall(new_york, date(2026, 3, 8), 2 * 3600 + 1800) == at("2026-03-08T07:00")  # when the clock jumps
    assert wall_intervals(new_york, date(2026, 11, 1), 60, 90) == [
        (at("2026-11-01T05:00"), at("2026-11-01T05:30")),
        (at("2026-11-01T06:00"), at("2026-11-01T06:30")),
    ]


def test_holidays_and_quiet_days_are_left_out_and_named() -> None:
    made = Hours(Schedule(WEEK, "US"), "America/New_York", {date(2026, 11, 27): "Company outing"}, at("2026-11-01"))
    wednesday_evening = at("2026-11-25T18:00", "America/New_York")
    opens = made.open_at(wednesday_evening)
    assert opens == at("2026-11-30T09:00", "America/New_York")
    said = made.why_shut(wednesday_evening, opens)
    assert said == "closed: a holiday (Thanksgiving Day), a quiet day (Company outing), no Saturdays, no Sundays"


def test_business_days_leave_out_what_is_closed_and_keep_the_time_of_day() -> None:
    made = hours("America/New_York", country="US")
    friday = at("2026-03-06T10:30", "America/New_York")
    assert made.after_business_days(friday, 1) == at("2026-03-09T10:30", "America/New_York")
    before_thanksgiving = at("2026-11-25T16:00", "America/New_York")
    assert made.after_business_days(before_thanksgiving, 2) == at("2026-11-30T16:00", "America/New_York")


def test_whole_days_are_days_of_the_calendar() -> None:
    made = hours("Europe/Berlin")
    saturday = at("2026-10-24T10:00", "Europe/Berlin")
    assert made.after_minutes(saturday, 1440) == saturday + 25 * 3600
    assert made.after_minutes(saturday, 90) == saturday + 5400


wishes = some.lists(
    some.tuples(
        some.integers(0, 10 * 86_400),
        some.sampled_from(["America/New_York", "Europe/Berlin", "Asia/Tokyo", ""]),
        some.sampled_from(["acme.example", "zenith.example", "gmail.com"]),
    ),
    min_size=1,
    max_size=60,
)


@QUICK
@given(
    wishes=wishes,
    per_hour=some.integers(1, 6),
    per_day=some.integers(1, 15),
    per_week=some.integers(2, 40),
    gap_s=some.sampled_from([0, 30, 600]),
    domain_day=some.one_of(some.none(), some.integers(1, 5)),
    taken=some.lists(some.integers(-6 * 86_400, 5 * 86_400), max_size=12, unique=True),
)
def test_no_cap_is_ever_exceeded_in_whatever_order_moments_are_wanted(
    wishes: list[tuple[int, str, str]],
    per_hour: int,
    per_day: int,
    per_week: int,
    gap_s: int,
    domain_day: int | None,
    taken: list[int],
) -> None:
    now = at("2026-10-23T10:00")  # the clocks change within the week, in Europe first
    caps = Caps(per_hour, per_day, per_week, gap_s)
    before = [now + moment for moment in taken]
    made = planner(caps, now, domain_caps=Caps(None, domain_day, None), taken=tuple(before))
    schedule = Schedule(WEEK, "", "contact", "America/Los_Angeles")
    moments = plan_many(made, schedule, [(now + base, zone, domain) for base, zone, domain in wishes])

    every = sorted(before + moments)
    for moment, (_, zone, _) in zip(moments, wishes, strict=True):
        for checked in (moment, moment + SLACK_S):  # also when it is sent a little late
            wall = datetime.fromtimestamp(checked, ZoneInfo(zone or "America/Los_Angeles"))
            assert wall.isoweekday() <= 5
            assert 9 <= wall.hour < 17
        # What was there before may be closer together than the caps allow; what is added never makes it worse.
        for span, cap in ((3600, per_hour), (7 * 86_400, per_week)):
            for end in every[bisect_right(every, moment - 1) : bisect_right(every, moment + span - 1)]:
                assert sum(1 for one in every if end - span < one <= end) <= cap
        day = moment // 86_400
        assert sum(1 for one in every if one // 86_400 == day) <= per_day
        assert all(abs(one - moment) >= gap_s for one in every if one != moment)
    for domain in ("acme.example", "zenith.example"):
        if domain_day is None:
            continue
        days = [moment // 86_400 for moment, (_, _, to) in zip(moments, wishes, strict=True) if to == domain]
        assert all(days.count(day) <= domain_day for day in days)


@QUICK
@given(wishes=wishes, gap_s=some.sampled_from([0, 120]))
def test_the_same_wishes_get_the_same_moments(wishes: list[tuple[int, str, str]], gap_s: int) -> None:
    now = at("2026-03-05T10:00")
    asked = [(now + base, zone, domain) for base, zone, domain in wishes]
    once = plan_many(planner(Caps(3, 10, 30, gap_s), now), Schedule(WEEK), asked)
    assert plan_many(planner(Caps(3, 10, 30, gap_s), now), Schedule(WEEK), asked) == once


def test_a_mailbox_warms_up_day_by_day() -> None:
    monday = at("2026-11-23T00:00")
    made = planner(Caps(None, 100, None, 0, WarmUp(date(2026, 11, 23), 2, 1)), monday)
    moments = plan_many(made, Schedule(WEEK, "", "UTC"), [(monday, "UTC", "acme.example")] * 9)
    by_day = [moment_of(moment).date().day for moment in moments]
    assert by_day == [23] * 2 + [24] * 3 + [25] * 4


def test_every_delay_is_explained() -> None:
    """Given a Saturday and a mailbox that may send one mail a day, when two are planned, then the second says why it waits."""
    saturday = at("2026-11-21T10:00", "Europe/Berlin")
    made = planner(Caps(None, 1, None, 60), saturday)
    schedule = Schedule(WEEK, "", "contact")
    step = Step(UUID(int=7), 2, "email", wait_minutes=1440)
    first, second = (
        made.next_moment(step, Candidate(key, saturday, "Europe/Berlin", BOX), made.hours_for(schedule, "Europe/Berlin"))
        for key in ("first", "second")
    )
    assert [one.code for one in first.reasons] == ["wait", "hours"]
    assert first.reasons[0].words == "It waits 1 day after the step before, until Sun 22 Nov 10:00 in Berlin."
    assert first.reasons[1].words == "It is closed: no Sundays in Berlin; it opens Mon 23 Nov 09:00."
    assert "The mailbox's cap of 1 a day is reached, until Tue 24 Nov 01:00 in Berlin." in [one.words for one in second.reasons]
    assert second.reasons[-1].until <= (second.at or 0)


def test_nothing_is_planned_where_nothing_ever_opens() -> None:
    now = at("2026-01-01T00:00")
    every_day = {date(2026, 1, 1) + timedelta(days=n): "shut" for n in range(500)}
    made = planner(Caps(), now, quiet=every_day)
    found = made.next_moment(STEP, Candidate("k", now, "UTC", BOX), made.hours_for(Schedule(WEEK), "UTC"))
    assert found.at is None


def test_waits_and_conditions_need_no_open_hours_and_no_place() -> None:
    sunday = at("2026-11-22T03:00")
    made = planner(Caps(None, 1, None, 0), sunday)
    for kind in ("wait", "condition"):
        step = Step(UUID(int=9), 1, kind, wait_minutes=30)
        found = made.next_moment(step, Candidate("k", sunday, "UTC", BOX), made.hours_for(Schedule(WEEK), "UTC"))
        assert found.at == sunday + 1800


def test_variants_are_chosen_by_weight_and_stay_chosen() -> None:
    weights = [(UUID(int=1), 3), (UUID(int=2), 1), (UUID(int=3), 0)]
    chosen = [choose_variant(str(n), STEP.id, weights) for n in range(4000)]
    assert chosen == [choose_variant(str(n), STEP.id, weights) for n in range(4000)]
    assert 2800 < chosen.count(UUID(int=1)) < 3200
    assert UUID(int=3) not in chosen
    assert choose_variant("k", STEP.id, []) is None


def test_a_hundred_thousand_are_planned_in_seconds() -> None:
    """A tenth of them here, over ten mailboxes: far less than a second on any machine that is not asleep."""
    now = at("2026-11-23T00:00")
    days = Days("UTC", now)
    boxes = [UUID(int=n) for n in range(10)]
    made = Planner(now, days, {box: Lane(Caps(60, 400, 2000, 30), days) for box in boxes}, {}, Caps(), {})
    schedule = Schedule(WEEK)
    for n in range(10_000):
        zone = ZONES[n % 2]
        assert made.next_moment(STEP, Candidate(str(n), now, zone, boxes[n % 10]), made.hours_for(schedule, zone)).at
    assert seconds(moment_of(now)) == now
