"""The page about the law says what the database does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import orjson

from hub.db import Database, tenant_tx
from hub.permits import queries
from tests.conftest import Company

PAGE = Path(__file__).resolve().parents[2] / "docs" / "compliance.md"
DAYS = ["", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


def said(rule: dict[str, Any]) -> str:
    """A rule as the page puts it."""
    days = rule["days"] or []
    if rule["kind"] == "no_contact":
        return "none on " + ", ".join(DAYS[day] for day in days)
    if rule["kind"] == "holidays":
        return f"none on {len(rule['holidays'])} legal holidays"
    if rule["kind"] == "frequency":
        return f"{rule['calls']} calls in {rule['within_hours']} hours"
    opens, closes = (f"{minutes // 60:02}:{minutes % 60:02}" for minutes in (rule["opens"], rule["closes"]))
    which = "every day" if len(days) == 7 else DAYS[days[0]] if len(days) == 1 else f"{DAYS[days[0]]} to {DAYS[days[-1]]}"
    return f"{opens} to {closes}, {which}"


async def test_the_table_of_rules_is_the_databases(db: Database, acme: Company) -> None:
    async with tenant_tx(db, acme.who()) as tx:
        rules = orjson.loads(await queries.rules(tx))
    page = PAGE.read_text(encoding="utf-8")
    lines = page.split("<!-- rules:")[1].split("-->")[1].split("\n\n")[1].splitlines()[2:]
    listed = {cells[0].strip("`"): (cells[1], cells[2]) for cells in (re.split(r"\s*\|\s*", line)[1:-1] for line in lines)}
    assert listed == {rule["id"]: (said(rule), rule["source"]) for rule in rules["data"]}
    assert f"`{rules['version']}`" in page
