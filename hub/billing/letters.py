"""What the people who can pay are written."""

from __future__ import annotations

from hub.billing.office import Office
from hub.billing.standing import Standing
from hub.company.days import zone_of, zone_said
from hub.db import Tx
from hub.post.actions import post
from hub.sqlfiles import load_sql

_SQL = load_sql("billing")


async def write_letters(tx: Tx, letter: str, standing: Standing, office: Office) -> None:
    """Write to every owner and admin, with this transaction: `letter` is a template's name without its `billing_`."""
    template = f"billing_{letter}"
    # "3 December 2026"; the zone is said, since a day begins at another time for each of them.
    until = ""
    if standing.until is not None:
        zone = await zone_of(tx)
        day = standing.until.astimezone(zone)
        until = f"{day.day} {day:%B %Y} ({zone_said(zone)})"
    for row in await tx.fetch(_SQL["who_pays"]):
        values = {"company": row["company"], "until": until, "link": office.link}
        await post(tx, to=row["email"], template=template, values=values)
