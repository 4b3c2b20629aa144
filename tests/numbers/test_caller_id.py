"""Which number is shown to whom is called."""

from __future__ import annotations

from uuid import UUID

import pytest

from hub.db import Database, tenant_tx
from hub.numbers.actions import caller_id
from hub.numbers.areas import area_of
from tests.conftest import Company

SHARED = "+18885550100"


async def add(db: Database, company: Company, e164: str, *, user: UUID | None = None, team: UUID | None = None) -> UUID:
    area = area_of(e164)
    async with tenant_tx(db, company.who("owner")) as tx:
        found: UUID = await tx.conn.fetchval(
            "INSERT INTO numbers (tenant_id, e164, state, country, region, area_code, user_id, team_id)"
            " VALUES ($1, $2, 'active', $3, $4, $5, $6, $7) RETURNING id",
            company.tenant_id,
            e164,
            *area,
            user,
            team,
        )
        return found


async def add_team(db: Database, company: Company, *members: UUID) -> UUID:
    async with tenant_tx(db, company.who("owner")) as tx:
        team: UUID = await tx.conn.fetchval(
            "INSERT INTO teams (tenant_id, name) VALUES ($1, 'A') RETURNING id", company.tenant_id
        )
        for member in members:
            await tx.conn.execute(
                "INSERT INTO team_members (tenant_id, team_id, user_id) VALUES ($1, $2, $3)", company.tenant_id, team, member
            )
        return team


async def shown(db: Database, company: Company, to: str, default: str = SHARED) -> tuple[UUID | None, str]:
    async with tenant_tx(db, company.who("rep")) as tx:
        return await caller_id(tx, to, company.members["rep"], default=default)


async def test_the_installations_number_is_shown_where_the_company_has_none(db: Database, acme: Company) -> None:
    assert await shown(db, acme, "+14155550199") == (None, SHARED)


async def test_a_number_of_the_same_area_comes_before_one_of_the_same_state_and_that_before_the_teams(
    db: Database, acme: Company
) -> None:
    team = await add_team(db, acme, acme.members["rep"])
    teams = await add(db, acme, "+12125550101", team=team)
    await add(db, acme, "+13035550101")
    assert await shown(db, acme, "+14155550199") == (teams, "+12125550101")
    state = await add(db, acme, "+12135550101")
    assert await shown(db, acme, "+14155550199") == (state, "+12135550101")
    area = await add(db, acme, "+14155550101")
    assert await shown(db, acme, "+14155550199") == (area, "+14155550101")


async def test_the_reps_own_number_comes_first_and_of_several_the_nearest(db: Database, acme: Company) -> None:
    await add(db, acme, "+14155550101")
    own = await add(db, acme, "+12125550101", user=acme.members["rep"])
    assert await shown(db, acme, "+14155550199") == (own, "+12125550101")
    nearer = await add(db, acme, "+12135550101", user=acme.members["rep"])
    assert await shown(db, acme, "+14155550199") == (nearer, "+12135550101")


async def test_numbers_of_others_and_of_other_teams_and_companies_are_never_shown(
    db: Database, acme: Company, globex: Company
) -> None:
    await add(db, acme, "+14155550101", user=acme.members["manager"])
    await add(db, acme, "+14155550102", team=await add_team(db, acme, acme.members["manager"]))
    await add(db, globex, "+14155550103")
    assert await shown(db, acme, "+14155550199") == (None, SHARED)


async def test_without_a_number_of_the_installation_any_of_the_company_does(db: Database, acme: Company) -> None:
    far = await add(db, acme, "+12125550101")
    assert await shown(db, acme, "+14155550199") == (None, SHARED)
    assert await shown(db, acme, "+14155550199", default="") == (far, "+12125550101")


async def test_abroad_a_number_of_the_same_country_is_local(db: Database, acme: Company) -> None:
    await add(db, acme, "+12125550101")
    london = await add(db, acme, "+442079460101")
    assert await shown(db, acme, "+441214960101") == (london, "+442079460101")


@pytest.mark.parametrize(
    ("e164", "area"),
    [
        ("+14155550100", ("US", "CA", "415")),
        ("+16135550100", ("CA", "ON", "613")),
        ("+442079460000", ("GB", "", "")),
        ("+18005550100", ("US", "", "800")),
        ("+999", ("", "", "")),
    ],
)
def test_the_area_of_a_number(e164: str, area: tuple[str, str, str]) -> None:
    assert tuple(area_of(e164)) == area
