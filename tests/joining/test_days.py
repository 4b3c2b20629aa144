"""The company's time zone: where its day begins, also when clocks change, and wherever else nobody said another one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from hub.billing.letters import write_letters
from hub.billing.office import Office
from hub.billing.standing import Standing
from hub.clock import Clock
from hub.company.days import midnight, zone_named, zone_said
from hub.db import tenant_tx
from hub.who import Who
from tests.conftest import Company, make_company
from tests.harness import RunningHub
from tests.joining.kit import letters_to
from tests.mailboxes.kit import mailbox_at_a_server

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Where clocks change at two, at midnight into the day (Cairo, Asuncion) and out of it (Havana), by half an hour, and never.
ZONES = ("Europe/Berlin", "Africa/Cairo", "America/Asuncion", "America/Havana", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC")


async def test_a_day_begins_once_however_long_it_is() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    for day, hours in (((2026, 3, 29), 23), ((2026, 10, 25), 25), ((2026, 6, 1), 24)):
        noon = datetime(*day, 12, tzinfo=berlin)
        assert midnight(berlin, noon + timedelta(days=1)) - midnight(berlin, noon) == timedelta(hours=hours)
    # In Cairo the clock went from 23:59:59 to 01:00.
    cairo = ZoneInfo("Africa/Cairo")
    begun = midnight(cairo, datetime(2026, 4, 24, 12, tzinfo=cairo)).astimezone(cairo)
    assert (begun.day, begun.hour) == (24, 1)
    assert (begun.astimezone(UTC) - timedelta(seconds=1)).astimezone(cairo).day == 23
    assert zone_said(zone_named("Mars/Olympus")) == "UTC"
    assert zone_said(ZoneInfo("America/New_York")) == "America/New York time"


@given(some.sampled_from(ZONES), some.integers(1_704_067_200, 1_893_456_000))
async def test_every_moment_is_in_the_day_that_began_before_it(name: str, second: int) -> None:
    zone, moment = ZoneInfo(name), datetime.fromtimestamp(second, UTC)
    begun = midnight(zone, moment)
    assert begun <= moment < begun + timedelta(hours=26)
    assert begun.astimezone(zone).date() == moment.astimezone(zone).date()
    assert begun == midnight(zone, begun)


async def test_what_nobody_placed_elsewhere_is_where_the_company_is(server: RunningHub, acme: Company) -> None:
    owner, rep = server.as_member(acme, "owner"), server.as_member(acme, "rep")
    before = (await owner.get("/sequences/settings")).body
    assert before["zone"] == "UTC"
    # Far from UTC on either side, so that on one of them it is another day there now.
    for name in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        assert (await owner.patch("/company", {"zone": name})).status == 200
        zone = ZoneInfo(name)
        before = datetime.now(zone)
        since = datetime.fromisoformat((await rep.get("/floor")).body["today"]["since"])
        assert (await owner.get("/sequences/settings")).body["zone"] == name
        assert (await rep.get("/notifications/settings")).body["hours"]["zone"] == name
        made = await rep.post("/sequences", {"name": f"Hello {name}", "steps": [{"kind": "call"}]})
        assert made.body["schedule"]["fallback"] == name
        shown = await rep.post(
            "/templates/preview", {"subject": "{{ 'now' | date: '%d %H %z' }}", "html": "x", "contact_id": None}
        )
        # An hour, or a day, may have begun there since it was asked for.
        moments = (before, datetime.now(zone))
        assert since in {midnight(zone, moment) for moment in moments}
        assert shown.body["subject"] in {f"{moment:%d %H %z}" for moment in moments}

    # What was read and saved as it was goes with the company; what was set apart stays.
    kept = (await owner.get("/sequences/settings")).body
    assert (await owner.put("/sequences/settings", {**kept, "domain_per_day": 100})).body["zone"] == "Pacific/Pago_Pago"
    await owner.patch("/company", {"zone": "Europe/Berlin"})
    assert (await owner.get("/sequences/settings")).body["zone"] == "Europe/Berlin"
    assert (await owner.put("/sequences/settings", {"zone": "UTC"})).body["zone"] == "UTC"
    await owner.patch("/company", {"zone": "Asia/Tokyo"})
    assert (await owner.get("/sequences/settings")).body["zone"] == "UTC"
    assert (await owner.put("/sequences/settings", {})).body["zone"] == "Asia/Tokyo"
    hours = {"quiet": True, "quiet_from": 1200, "quiet_until": 480, "quiet_weekends": False, "zone": "UTC"}
    assert (await rep.put("/notifications/settings", {"topics": {}, "hours": hours})).status == 200
    assert (await rep.get("/notifications/settings")).body["hours"]["zone"] == "UTC"
    chosen = {"days": {"1": [540, 1020]}, "fallback": "America/Chicago"}
    other = await rep.post("/sequences", {"name": "Elsewhere", "steps": [{"kind": "call"}], "schedule": chosen})
    assert other.body["schedule"]["fallback"] == "America/Chicago"


async def test_letters_say_the_companys_day(server: RunningHub, acme: Company) -> None:
    globex = await make_company(server.hub.db, f"Globex of {acme.name}")
    await server.as_member(acme, "owner").patch("/company", {"zone": "Pacific/Kiritimati"})
    # The last moments of 3 December in UTC are the 4th on Kiritimati.
    standing = Standing("read_only", "payment_failed", datetime(2026, 12, 3, 23, 30, tzinfo=UTC))
    for company, said in ((acme, "4 December 2026 (Pacific/Kiritimati time)"), (globex, "3 December 2026 (UTC)")):
        async with tenant_tx(server.hub.db, Who.system(company.tenant_id)) as tx:
            await write_letters(tx, "read_only", standing, Office(Clock(), "https://ringside.test"))
            address: str = await tx.conn.fetchval("SELECT email FROM users WHERE id = $1", UUID(str(company.members["owner"])))
        (letter,) = await letters_to(server, address)
        assert said in letter


async def test_an_invitation_says_the_companys_clock(server: RunningHub, acme: Company) -> None:
    owner, rep = server.as_member(acme, "owner"), server.as_member(acme, "rep")
    await owner.patch("/company", {"zone": "America/New_York"})
    await mailbox_at_a_server(server.hub.db, acme, f"rep@{acme.name.lower()}.example", "rep")
    contact = (await rep.post("/contacts", {"first_name": "Ada", "emails": [{"address": "ada@example.com"}]})).body["id"]
    # The clocks were put forward in between.
    for start, end in (("2031-03-08T15:00:00Z", "2031-03-08T15:30:00Z"), ("2031-03-10T15:00:00Z", "2031-03-10T15:30:00Z")):
        given = {"summary": "Demo", "start_at": start, "end_at": end}
        assert (await rep.post(f"/contacts/{contact}/meetings", given)).status == 201
    async with tenant_tx(server.hub.db, Who.system(acme.tenant_id)) as tx:
        sent = await tx.conn.fetch("SELECT html FROM mail_sends WHERE tenant_id = $1", acme.tenant_id)
    assert len(sent) == 2
    for said in ("Saturday, 8 March 2031, 10:00 to 10:30", "Monday, 10 March 2031, 11:00 to 11:30"):
        assert sum(f"{said} America/New York time" in row["html"] for row in sent) == 1
