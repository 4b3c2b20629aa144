"""The planner: when a step happens, and why not sooner. It reads no clock and no database, so the simulation and the scheduler
are the same code: what is shown before the launch is what happens after it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from typing import Literal
from uuid import UUID

from hub.sequences.hours import Days, Hours, Schedule, said
from hub.sequences.slots import Caps, Lane, Note

StepKind = Literal["email", "call", "sms", "task", "wait", "condition"]
# These happen with a person on either side; the others only pass time.
_IN_HOURS = frozenset({"email", "call", "sms", "task"})
# A scheduler that comes to a step later than this says so.
_NOTICED_S = 120
_CAPS_OF = {
    "gap": "the mailbox keeps its mails apart",
    "hour": "the mailbox's cap of {per_hour} an hour is reached",
    "day": "the mailbox's cap of a day is reached",
    "week": "the mailbox's cap of {per_week} in seven days is reached",
    "queue": "others are ahead in this mailbox, with its caps and the hours",
    "domain hour": "the cap of {per_hour} mails an hour to {domain} is reached",
    "domain day": "the cap of {per_day} mails a day to {domain} is reached",
    "domain week": "the cap of {per_week} mails in seven days to {domain} is reached",
}
# Said by the scheduler of a mail whose place went to mail that people wrote after it was planned. What is written down of it
# before that stays true.
PEOPLE = "people"


@dataclass(frozen=True, slots=True)
class Step:
    """A step as planning sees it. The wait is counted from the step before, or from the enrolment."""

    id: UUID
    position: int
    kind: StepKind
    wait_minutes: int = 0
    wait_business_days: int = 0


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody whose next step wants a moment. `base` is when the step before happened, in seconds since 1970.

    `key` is the same in the simulation and in earnest: what is random about it is drawn from the key.
    """

    key: str
    base: int
    zone: str
    mailbox_id: UUID | None = None
    domain: str | None = None


@dataclass(frozen=True, slots=True)
class Delay:
    """One reason why a step waits, and until when (seconds since 1970)."""

    code: str
    until: int
    words: str


@dataclass(frozen=True, slots=True)
class Moment:
    """When a step happens (seconds since 1970; None: never within the horizon), and why not sooner."""

    at: int | None
    reasons: tuple[Delay, ...]


def candidate_key(sequence_id: UUID, contact_id: UUID) -> str:
    """What everything random about a contact in a sequence is drawn from."""
    return f"{sequence_id}{contact_id}"


def draw(key: str, step_id: UUID, what: str = "") -> float:
    """A number from 0 up to 1 that is always the same for the same contact and step."""
    digest = blake2b(f"{key}{step_id}{what}".encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big") / 281_474_976_710_656


def choose_variant(key: str, step_id: UUID, weights: Sequence[tuple[UUID, int]]) -> UUID | None:
    """The variant for this contact, by the weights; always the same one. None when there are none."""
    total = sum(weight for _, weight in weights)
    if total <= 0:
        return weights[0][0] if weights else None
    place = draw(key, step_id, "variant") * total
    for variant_id, weight in weights:
        place -= weight
        if place < 0:
            return variant_id
    return weights[-1][0]


class Planner:
    """Gives moments away for one company, as of `now` (seconds since 1970), and remembers what it gave.

    `lanes` are the mailboxes' (with everything that is planned and was sent in the last week), `domains` those of the
    recipients' domains that have a cap, `quiet` the company's quiet days.
    """

    def __init__(
        self,
        now: int,
        days: Days,
        lanes: Mapping[UUID, Lane],
        domains: Mapping[str, Lane],
        domain_caps: Caps,
        quiet: Mapping[date, str],
        free_domains: frozenset[str] = frozenset(),
    ) -> None:
        self.now = now
        self._days = days
        self._lanes = lanes
        self._domains = dict(domains)
        self._domain_caps = domain_caps
        self._quiet = quiet
        self._free_domains = free_domains
        self._hours: dict[tuple[str, str], Hours] = {}

    def hours_for(self, schedule: Schedule, zone: str) -> Hours:
        """The schedule's hours for contacts of a zone."""
        key = (schedule.key, schedule.zone_of(zone))
        found = self._hours.get(key)
        if found is None:
            found = self._hours[key] = Hours(schedule, key[1], self._quiet, min(self.now, self._days.begin(8)))
        return found

    def next_moment(self, step: Step, who: Candidate, hours: Hours) -> Moment:
        """Find the moment for a step and give it away."""
        delays: dict[str, Delay] = {}
        moment = self._after_wait(step, who, hours, delays)
        if step.kind not in _IN_HOURS:
            return Moment(moment, tuple(delays.values()))

        def note(code: str, since: int, until: int) -> None:
            # The last word on each reason is the one that counts; it stands where the reason last came up.
            delays.pop(code, None)
            delays[code] = Delay(code, until, f"It is {hours.why_shut(since, until)}" if code == "hours" else code)

        at: int | None
        if step.kind != "email" or who.mailbox_id is None:
            at = hours.open_at(moment)
            if at is not None and at > moment:
                note("hours", moment, at)
        else:
            at = self._place_in_mailbox(step, who, hours, moment, note)
        lane = self._lane_of(who)
        caps = lane.caps if lane is not None else Caps()
        return Moment(at, tuple(self._worded(delay, caps, who, hours) for delay in delays.values()))

    def _after_wait(self, step: Step, who: Candidate, hours: Hours, delays: dict[str, Delay]) -> int:
        moment, words = who.base, ""
        if step.wait_business_days:
            moment = hours.after_business_days(moment, step.wait_business_days)
            count = step.wait_business_days
            words = f"It waits {count} business day{'s' if count > 1 else ''} after the step before"
        elif step.wait_minutes:
            moment = hours.after_minutes(moment, step.wait_minutes)
            words = f"It waits {_span(step.wait_minutes)} after the step before"
        if moment <= self.now:
            if self.now - moment > _NOTICED_S:
                due, got = said(hours.zone, moment), said(hours.zone, self.now)
                delays["late"] = Delay("late", self.now, f"It could have happened on {due}, and was seen to on {got} only.")
            return self.now
        if words:
            delays["wait"] = Delay("wait", moment, f"{words}, until {said(hours.zone, moment)} in {hours.place}.")
        return moment

    def _place_in_mailbox(self, step: Step, who: Candidate, hours: Hours, moment: int, note: Note) -> int | None:
        assert who.mailbox_id is not None
        lane = self._lanes[who.mailbox_id]
        domain = self._domain(who.domain)
        gap_s = int(lane.caps.gap_s * (1 + draw(who.key, step.id))) if lane.caps.gap_s else 0
        while True:
            at = lane.first_free(moment, hours, gap_s, note)
            if at is None:
                return None
            if domain is None:
                break
            moment = domain.fits(at, 0, lambda code, since, until: note("domain " + code, since, until))
            if moment == at:
                domain.take(at)
                break
        lane.take(at)
        return at

    def _lane_of(self, who: Candidate) -> Lane | None:
        return self._lanes.get(who.mailbox_id) if who.mailbox_id is not None else None

    def _domain(self, domain: str | None) -> Lane | None:
        if not domain or self._domain_caps.is_open or domain in self._free_domains:
            return None
        found = self._domains.get(domain)
        if found is None:
            found = self._domains[domain] = Lane(self._domain_caps, self._days)
        return found

    def _worded(self, delay: Delay, caps: Caps, who: Candidate, hours: Hours) -> Delay:
        if delay.code in ("wait", "late"):
            return delay
        until = said(hours.zone, delay.until)
        if delay.code == "hours":
            return Delay(delay.code, delay.until, f"{delay.words} in {hours.place}; it opens {until}.")
        of = self._domain_caps if delay.code.startswith("domain") else caps
        words = _CAPS_OF[delay.code].format(per_hour=of.per_hour, per_day=of.per_day, per_week=of.per_week, domain=who.domain)
        if delay.code == "day":
            cap = caps.on(self._days.date(max(self._days.index(delay.until) - 1, 0)))
            ramp = " while it warms up" if caps.warm_up is not None and cap != caps.per_day else ""
            words = f"the mailbox's cap of {cap} a day{ramp} is reached"
        lane = self._domains.get(who.domain or "") if of is self._domain_caps else self._lane_of(who)
        by_people = lane.written_by_people(delay.code.removeprefix("domain "), delay.until) if lane is not None else 0
        if by_people:
            words += f" ({by_people} of these mails {'was' if by_people == 1 else 'were'} written by people)"
        return Delay(delay.code, delay.until, f"{words[0].upper()}{words[1:]}, until {until} in {hours.place}.")


def _span(minutes: int) -> str:
    for size, name in ((1440, "day"), (60, "hour")):
        if minutes % size == 0:
            count = minutes // size
            return f"{count} {name}{'s' if count > 1 else ''}"
    return f"{minutes} minute{'s' if minutes > 1 else ''}"
