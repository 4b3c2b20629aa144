"""What the decision is made of, one thing at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from phonenumbers.tzdata import TIMEZONE_DATA

from hub.contacts.addresses import AddressError, parse_phone
from hub.db import Database, tenant_tx
from hub.errors import Conflict, Forbidden, Invalid, NotFound
from hub.permits.actions import decide, lift_stop, remove_suppression, require, set_consent, suppress, use
from hub.permits.models import ConsentIn
from tests.conftest import make_company
from tests.permits.kit import MIDNIGHT, NOON, Desk, events
from tests.processor import backend_s

NUMBER = "+12125550123"


@pytest.fixture
async def desk(db: Database) -> Desk:
    desk = Desk(db, await make_company(db, "Acme", practice=False))
    await desk.contact(NUMBER)
    return desk


async def test_at_noon_a_call_is_allowed_and_says_until_when(desk: Desk) -> None:
    said = await desk.decide()
    assert (said.allowed, said.code) == (True, "allowed")
    assert said.explanation == "It is Wednesday 12:00 in New York; calls are allowed until 21:00."
    assert said.facts["zones"] == ["America/New_York"] and said.facts["jurisdictions"] == ["US", "US-NY"]
    assert said.facts["rules"] == ["us-hours"] and said.facts["local"] == {"America/New_York": "2026-06-10 12:00"}
    assert said.expires_at == NOON + timedelta(minutes=5)
    assert said.rule_version


async def test_a_permit_does_not_outlast_the_hours(desk: Desk) -> None:
    late = NOON.replace(day=11, hour=0, minute=58)
    assert (await desk.decide(at=late)).expires_at == late + timedelta(minutes=2)
    assert not (await desk.decide(at=late + timedelta(minutes=2))).allowed


async def test_at_midnight_it_is_refused_with_the_law_and_the_next_time(desk: Desk) -> None:
    said = await desk.decide(at=MIDNIGHT)
    assert (said.allowed, said.code, said.overridable) == (False, "outside_hours", True)
    assert "allowed from 08:00 to 21:00" in said.explanation and "47 CFR 64.1200(c)(1)" in said.explanation
    assert said.next_allowed_at == datetime(2026, 6, 11, 12, 0, tzinfo=UTC)
    assert "The next time is Thursday 11 June, 08:00 in New York." in said.explanation


async def test_of_two_zones_the_stricter_wins(desk: Desk) -> None:
    # 850 is in both halves of Florida's panhandle.
    early, late = datetime(2026, 6, 10, 12, 30, tzinfo=UTC), datetime(2026, 6, 11, 0, 30, tzinfo=UTC)
    assert not (await desk.decide("+18505550123", at=early)).allowed  # 08:30 in the east, 07:30 in the west
    assert not (await desk.decide("+18505550123", at=late)).allowed  # 19:30 in the west, 20:30 in the east
    assert (await desk.decide("+18505550123")).allowed


async def test_the_zones_of_the_contacts_number_are_finer_than_its_area_codes(desk: Desk) -> None:
    await desk.contact("+18502012345")
    zones = list(parse_phone("+18502012345").time_zones)
    assert (await desk.decide("+18502012345")).facts["zones"] == zones


async def test_holidays_and_sundays_are_kept_where_the_state_keeps_them(desk: Desk) -> None:
    thanksgiving = datetime(2026, 11, 26, 18, 0, tzinfo=UTC)
    sunday = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
    assert (await desk.decide("+14015550123", at=thanksgiving)).code == "holiday"
    assert "Thanksgiving (R.I. Gen. Laws" in (await desk.decide("+14015550123", at=thanksgiving)).explanation
    assert (await desk.decide("+18015550123", at=sunday)).code == "closed_day"
    assert (await desk.decide(at=thanksgiving)).allowed and (await desk.decide(at=sunday)).allowed


@pytest.mark.parametrize(
    ("number", "day"),
    [
        ("+12255550123", "2026-02-17"),  # Mardi Gras in Louisiana
        ("+12255550123", "2027-03-26"),  # Good Friday
        ("+14015550123", "2026-08-10"),  # Victory Day in Rhode Island
        ("+14015550123", "2026-11-03"),  # a general election
        ("+18015550123", "2026-06-15"),  # Utah's Juneteenth on the Monday before
        ("+18015550123", "2026-07-03"),  # Independence Day, observed
        ("+12155550123", "2026-06-15"),  # nothing in Pennsylvania: Flag Day was a Sunday, kept on the Monday
        ("+12055550123", "2026-04-27"),  # Confederate Memorial Day in Alabama
    ],
)
async def test_states_keep_days_of_their_own(desk: Desk, number: str, day: str) -> None:
    noon = datetime.fromisoformat(day).replace(hour=18, tzinfo=UTC)
    assert (await desk.decide(number, at=noon)).code == "holiday"


async def test_abroad_the_companys_hours_hold(desk: Desk) -> None:
    london, early = "+442079460123", datetime(2026, 6, 10, 7, 30, tzinfo=UTC)
    assert (await desk.decide(london, at=early)).code == "outside_hours"
    assert "your company's setting" in (await desk.decide(london, at=early)).explanation
    await desk.settings(abroad_start=480, abroad_end=1200)
    assert (await desk.decide(london, at=early)).allowed
    assert (await desk.decide(london, at=datetime(2026, 6, 14, 12, 0, tzinfo=UTC))).code == "closed_day"
    await desk.settings(abroad_days=[7])
    assert (await desk.decide(london, at=datetime(2026, 6, 14, 12, 0, tzinfo=UTC))).allowed


async def test_a_number_of_nowhere_is_refused_and_an_admin_may_call_it(desk: Desk) -> None:
    said = await desk.decide("+8835100012345")
    assert (said.code, said.overridable, said.next_allowed_at) == ("no_place", True, None)


async def test_the_companys_own_hours_and_days_narrow_the_law_and_never_widen_it(desk: Desk) -> None:
    await desk.settings(hours_start=600, hours_end=960, days=[1, 2, 3, 4, 5])
    assert (await desk.decide(at=NOON + timedelta(hours=4))).code == "outside_hours"
    assert (await desk.decide(at=NOON + timedelta(days=3))).code == "closed_day"
    await desk.settings(hours_start=0, hours_end=1440)
    assert (await desk.decide(at=MIDNIGHT)).code == "outside_hours"


async def test_quiet_days_are_the_contacts_days(desk: Desk) -> None:
    await desk.quiet("2026-06-10")
    said = await desk.decide()
    assert (said.code, said.explanation[:61]) == ("quiet_day", "Your company keeps 10 June 2026 as a quiet day (Stocktaking).")
    assert said.next_allowed_at == datetime(2026, 6, 11, 12, 0, tzinfo=UTC)
    # It is still the 10th in New York, and the 11th in Tokyo.
    assert (await desk.decide("+81312345678", at=datetime(2026, 6, 11, 0, 30, tzinfo=UTC))).allowed


async def test_three_calls_in_a_day_are_the_cap_until_the_first_is_a_day_old(desk: Desk) -> None:
    await desk.contact(NUMBER)
    for hours in (20, 10, 1):
        assert (await desk.decide()).allowed
        await desk.called(NOON - timedelta(hours=hours))
    said = await desk.decide()
    assert (said.code, said.facts["calls_7_days"]) == ("called_too_often", 3)
    assert "3 times within 24 hours" in said.explanation
    assert said.next_allowed_at == NOON + timedelta(hours=4)
    assert (await desk.decide(at=NOON + timedelta(hours=4))).allowed


async def test_the_weeks_cap_and_a_cap_of_none(desk: Desk) -> None:
    for day in range(1, 7):
        await desk.called(NOON - timedelta(days=day, hours=3))
    assert (await desk.decide()).allowed
    await desk.called(NOON - timedelta(days=6, hours=20))
    said = await desk.decide()
    assert said.code == "called_too_often" and "7 times within 7 days" in said.explanation
    await desk.settings(calls_per_contact_per_week=None)
    assert (await desk.decide()).allowed


async def test_a_states_cap_holds_whatever_the_company_sets(desk: Desk) -> None:
    florida = "+13055550123"
    await desk.contact(florida)
    await desk.settings(calls_per_contact_per_day=None, calls_per_contact_per_week=50)
    for hours in (3, 2, 1):
        await desk.called(NOON - timedelta(hours=hours), florida)
    said = await desk.decide(florida)
    assert said.code == "called_too_often" and "Fla. Stat. § 501.616(6)(b)" in said.explanation


async def test_what_never_rang_and_what_rang_elsewhere_counts_rightly(desk: Desk) -> None:
    await desk.settings(calls_per_contact_per_day=1)
    await desk.called(NOON - timedelta(hours=1), state="failed")
    await desk.called(NOON - timedelta(hours=1), state="canceled", asked_at=None)
    await desk.called(NOON - timedelta(hours=1), direction="inbound")
    assert (await desk.decide()).allowed
    first = desk.contact_id
    await desk.contact(NUMBER)
    await desk.called(NOON - timedelta(hours=1), contact_id=first)
    assert (await desk.decide()).code == "called_too_often", "the same number on another contact has rung"
    assert (await desk.decide(channel="sms")).allowed


async def test_the_suppression_list_refuses_numbers_addresses_domains_and_contacts(desk: Desk) -> None:
    async with tenant_tx(desk.db, desk.company.who()) as tx:
        await suppress(tx, "phone", "(212) 555-0123", "They moved", "person")
        await suppress(tx, "domain", "Mail.Example.com", "", "person")
    said = await desk.decide()
    assert (said.code, said.overridable) == ("suppressed", True)
    assert said.explanation == "+12125550123 is on the suppression list: They moved."
    assert (await desk.decide("ada@mail.example.com", channel="email")).code == "suppressed"
    assert (await desk.decide("ada@example.com", channel="email")).allowed
    async with tenant_tx(desk.db, desk.company.who()) as tx:
        await suppress(tx, "contact", str(desk.contact_id), "", "disposition")
    assert (await desk.decide("+12125550199")).code == "do_not_contact"


async def test_a_suppression_may_be_for_one_channel_and_for_a_time(desk: Desk) -> None:
    async with tenant_tx(desk.db, desk.company.who()) as tx:
        await suppress(tx, "phone", NUMBER, "", "person", channel="sms", expires_at=NOON + timedelta(hours=1))
    assert (await desk.decide()).allowed
    assert (await desk.decide(channel="sms")).code == "suppressed"
    assert (await desk.decide(channel="sms", at=NOON + timedelta(hours=2))).allowed


async def test_nobody_overrides_the_contacts_own_stop_and_start_lifts_it(desk: Desk) -> None:
    owner = desk.company.who("owner")
    async with tenant_tx(desk.db, desk.company.who()) as tx:
        entry = await suppress(tx, "phone", NUMBER, "STOP", "stop")
        assert await suppress(tx, "phone", NUMBER, "", "person") == entry, "repeating it keeps whose word it was"
    assert not (await desk.decide()).overridable
    async with tenant_tx(desk.db, owner) as tx:
        permit = await decide(tx, desk.contact_id, "call", NUMBER, user_id=owner.user_id, override_reason="A good customer")
        assert not permit.allowed and "Nobody can set aside" in permit.explanation
    with pytest.raises(Forbidden):
        async with tenant_tx(desk.db, desk.company.who("manager")) as tx:
            await remove_suppression(tx, entry)
    async with tenant_tx(desk.db, desk.company.who()) as tx:
        assert await lift_stop(tx, "phone", NUMBER) == 1
        assert await lift_stop(tx, "phone", NUMBER) == 0
    assert (await desk.decide()).allowed


async def test_consent_denied_refuses_and_consent_missing_where_it_is_asked_for(desk: Desk) -> None:
    async with tenant_tx(desk.db, desk.company.who()) as tx:
        await set_consent(tx, desk.contact_id, ConsentIn(channel="call", state="denied"))
    said = await desk.decide()
    assert (said.code, said.overridable) == ("consent_denied", False)
    await desk.settings(require_consent=True)
    assert (await desk.decide(channel="sms")).code == "consent_missing"
    async with tenant_tx(desk.db, desk.company.who()) as tx:
        await set_consent(tx, desk.contact_id, ConsentIn(channel="sms", state="granted", source="Form of 3 May"))
    assert (await desk.decide(channel="sms")).allowed


async def test_in_practice_hours_and_caps_are_noted_and_suppressions_still_refuse(desk: Desk) -> None:
    await desk.settings(practice=True, calls_per_contact_per_day=1)
    await desk.quiet("2026-06-11")
    await desk.called(MIDNIGHT - timedelta(hours=1))
    said = await desk.decide(at=MIDNIGHT)
    assert (said.allowed, said.code, said.next_allowed_at) == (True, "allowed_in_practice", None)
    assert len(said.facts["would_refuse"]) == 2 and "In earnest it would be refused" in said.explanation
    assert said.expires_at == MIDNIGHT + timedelta(minutes=5)
    async with tenant_tx(desk.db, desk.company.who()) as tx:
        await suppress(tx, "phone", NUMBER, "", "person")
    assert (await desk.decide(at=MIDNIGHT)).code == "suppressed"


async def test_several_refusals_are_all_told_the_gravest_first(desk: Desk) -> None:
    async with tenant_tx(desk.db, desk.company.who()) as tx:
        await suppress(tx, "phone", NUMBER, "", "person")
    said = await desk.decide(at=MIDNIGHT)
    assert said.facts["refusals"] == ["suppressed", "outside_hours"]
    assert said.next_allowed_at is None, "waiting does not help"


async def test_a_decision_is_written_down_and_used_once(desk: Desk) -> None:
    who = desk.company.who()
    await desk.settings(practice=True)
    async with tenant_tx(desk.db, who) as tx:
        permit = await decide(tx, desk.contact_id, "call", NUMBER, user_id=who.user_id)
        assert permit.allowed
        await use(tx, permit.id)
        with pytest.raises(Conflict):
            await use(tx, permit.id)
        assert (await tx.conn.fetchval("SELECT used_at FROM permits WHERE id = $1", permit.id)) is not None
        assert await require(tx, desk.contact_id, "call", NUMBER, user_id=who.user_id) != permit.id
        with pytest.raises(NotFound):
            await decide(tx, who.tenant_id, "call", NUMBER, user_id=None)


async def test_a_refusal_is_kept_and_told_to_managers_and_require_raises_it(desk: Desk) -> None:
    who = desk.company.who()
    async with tenant_tx(desk.db, who) as tx:
        await suppress(tx, "phone", NUMBER, "They moved", "person")
        permit = await decide(tx, desk.contact_id, "call", NUMBER, user_id=who.user_id)
    assert not permit.allowed
    refusal = permit.refusal()
    assert (refusal.code, refusal.details["permit"]["code"]) == ("not_permitted", "suppressed")
    async with tenant_tx(desk.db, who) as tx:
        [told] = await events(tx, "permit.refused")
        assert told["permit"]["explanation"] == permit.explanation and told["permit"]["user"]["name"] == "Rep of Acme"
        audience = await tx.conn.fetchval("SELECT audience FROM events WHERE type = 'permit.refused'")
        assert audience == "managers"
        with pytest.raises(Conflict):
            await use(tx, permit.id)
    with pytest.raises(Forbidden, match="They moved"):
        async with tenant_tx(desk.db, who) as tx:
            await require(tx, desk.contact_id, "call", NUMBER, user_id=who.user_id)


async def test_an_admin_sets_a_refusal_aside_with_a_reason_that_is_kept(desk: Desk) -> None:
    owner = desk.company.who("owner")
    async with tenant_tx(desk.db, owner) as tx:
        await suppress(tx, "phone", NUMBER, "", "list")
    with pytest.raises(Forbidden) as refused:
        async with tenant_tx(desk.db, desk.company.who("manager")) as tx:
            await decide(tx, desk.contact_id, "call", NUMBER, user_id=None, override_reason="Because")
    assert refused.value.code == "override_not_allowed"
    with pytest.raises(Invalid):
        async with tenant_tx(desk.db, owner) as tx:
            await decide(tx, desk.contact_id, "call", NUMBER, user_id=None, override_reason="  ")
    async with tenant_tx(desk.db, owner) as tx:
        permit = await decide(tx, desk.contact_id, "call", NUMBER, user_id=owner.user_id, override_reason=" They asked for it ")
        assert (permit.allowed, permit.code) == (True, "overridden")
        await use(tx, permit.id)
    async with tenant_tx(desk.db, owner) as tx:
        [told] = await events(tx, "permit.overridden")
    assert told["permit"]["override"] == {
        "by": {"id": str(owner.user_id), "name": "Owner of Acme"},
        "reason": "They asked for it",
    }


async def test_another_company_is_not_affected(desk: Desk) -> None:
    async with tenant_tx(desk.db, desk.company.who()) as tx:
        await suppress(tx, "phone", NUMBER, "", "person")
    for _ in range(4):
        await desk.called(NOON - timedelta(hours=1))
    other = Desk(desk.db, await make_company(desk.db, "Globex", practice=False))
    await other.contact(NUMBER)
    assert (await other.decide()).allowed


def area_codes() -> list[str]:
    """Every area code in which there can be a number of a place in North America."""
    found = []
    for code in range(200, 1000):
        for line in ("2015550123", "2025550123"):
            try:
                kind = parse_phone(f"+1{code}{line[3:]}").kind
            except AddressError:
                continue
            if kind in ("fixed_or_mobile", "fixed", "mobile"):
                found.append(str(code))
            break
    return found


async def test_every_area_code_has_a_place(desk: Desk) -> None:
    codes = area_codes()
    assert len(codes) > 380
    async with tenant_tx(desk.db, desk.company.who()) as tx:
        for code in codes:
            row = await tx.conn.fetchrow("SELECT * FROM outreach_law($1, 'call')", f"+1{code}5550123")
            assert row is not None
            assert row["geographic"] and row["zones"], code
            assert row["jurisdictions"][0] != "US" or len(row["jurisdictions"]) == 2, f"{code} is in no state"


async def test_the_database_knows_every_zone_that_a_number_can_have(desk: Desk) -> None:
    zones = sorted({zone for found in TIMEZONE_DATA.values() for zone in found} - {"Etc/Unknown"})
    assert len(zones) > 200
    async with tenant_tx(desk.db, desk.company.who()) as tx:
        assert await tx.conn.fetchval("SELECT count(now() AT TIME ZONE z) FROM unnest($1::text[]) AS z", zones) == len(zones)


async def test_a_decision_takes_about_a_millisecond(desk: Desk) -> None:
    for n in range(60):
        await desk.called(NOON - timedelta(hours=3 * n + 1), state="busy")
    statement = (
        "SELECT count(d.code) FROM generate_series(1, 300) AS n,"
        " LATERAL decide_outreach($1, 'call', $2, $3::timestamptz + n * interval '1 second') AS d"
    )
    async with tenant_tx(desk.db, desk.company.who()) as tx:
        for number in (NUMBER, "+18505550123"):
            begun = await backend_s(tx.conn)
            await tx.conn.fetchval(statement, desk.contact_id, number, NOON)
            # Four times what it takes on a quiet machine.
            assert (await backend_s(tx.conn) - begun) / 300 < 0.004, number
