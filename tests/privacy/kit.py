"""What the tests of privacy share."""

from __future__ import annotations

from tests.conftest import Company
from tests.harness import RunningHub


async def an_export(server: RunningHub, company: Company) -> str:
    """An export of a contact that somebody asked for, with nobody to make it, in a company that keeps mail for a year."""
    owner = server.as_member(company, "owner")
    assert (await owner.put("/privacy/retention", {"mail_days": 365})).status == 200
    contact = (await owner.post("/contacts", {"first_name": "Ada"})).body["id"]
    asked = await owner.post("/privacy/exports", {"subject_kind": "contact", "subject_id": contact})
    assert asked.status == 202, asked.body
    return str(asked.body["id"])
