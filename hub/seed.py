"""The demo: two companies, a few people, some contacts whose numbers make the sandbox play every outcome."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from hub.auth.passwords import hash_password
from hub.config import Settings
from hub.contacts.actions import create_contact
from hub.contacts.models import ContactIn
from hub.db import Database, tenant_tx
from hub.permits.actions import begin_in_practice
from hub.sqlfiles import load_sql
from hub.who import Role, Who

_SQL = load_sql("seed")

DEMO_PASSWORD = "ringside-demo"  # noqa: S105 - printed for everybody by `ringside up`; the demo listens on loopback

_COMPANIES: dict[str, list[tuple[Role, str, str]]] = {
    "Harbor Lane Coffee": [
        ("owner", "olivia@harborlane.test", "Olivia Marsh"),
        ("manager", "marcus@harborlane.test", "Marcus Webb"),
        ("rep", "rosa@harborlane.test", "Rosa Delgado"),
        ("rep", "ravi@harborlane.test", "Ravi Shah"),
    ],
    "Bluebird Tools": [("rep", "bea@bluebird.test", "Bea Lindqvist")],
}

# The sandbox decides by the last digit: 0 to 4 are answered, 5 busy, 6 no answer, 7 voicemail, 8 fails, 9 drops.
# 202-555-01xx is set aside for fiction, so even a real account would reach nobody.
_CONTACTS: dict[str, list[tuple[str, str, str, str, str, str]]] = {
    "Harbor Lane Coffee": [
        ("Ada", "Brennan", "Cedar & Finch", "Head of Procurement", "+12025550100", "qualified"),
        ("Tomas", "Okafor", "Quarry Street Bakery", "Owner", "+12025550101", "lead"),
        ("Ines", "Castellan", "Northgate Hotels", "F&B Director", "+12025550102", "contacted"),
        ("Jonah", "Pike", "Pike Brothers Catering", "Partner", "+12025550105", "lead"),
        ("Mei", "Tanaka", "Lantern Workspace", "Office Manager", "+12025550106", "lead"),
        ("Greta", "Holm", "Fjord Airlines", "Buyer", "+12025550107", "contacted"),
        ("Samir", "Haddad", "Olive Row Restaurants", "Operations", "+12025550108", "lead"),
        ("Lucy", "Adeyemi", "Bright Steps Nurseries", "Director", "+12025550109", "qualified"),
        ("Peter", "Novak", "Novak & Daughters", "Owner", "+12025550103", "won"),
        ("Clara", "Whitfield", "Museum Quarter Cafés", "Manager", "+12025550104", "contacted"),
    ],
    "Bluebird Tools": [
        ("Hugo", "Lindgren", "Granite Builders", "Site Manager", "+12025550120", "lead"),
        ("Nadia", "Rahman", "Keystone Joinery", "Owner", "+12025550121", "lead"),
    ],
}


@dataclass(frozen=True, slots=True)
class Login:
    """One way into the demo."""

    email: str
    password: str
    role: str
    tenant: str
    tenant_id: UUID


async def seed_demo(settings: Settings) -> list[Login]:
    """Make the demo companies where they are missing; the logins of all of them."""
    db = await Database.open(settings.database_url, max_size=2, name="ringside-seed")
    try:
        logins: list[Login] = []
        for company in _COMPANIES:
            logins += await _seed_company(db, company)
        return logins
    finally:
        await db.close()


async def _seed_company(db: Database, company: str) -> list[Login]:
    found = await db.system_fetchrow(_SQL["find_companies"], name=company)
    if found is not None:
        tenant_id: UUID = found["tenant_id"]
    else:
        row = await db.system_fetchrow(_SQL["create_company"], name=company)
        assert row is not None
        tenant_id = row["tenant_id"]
    hashed = await hash_password(DEMO_PASSWORD)
    members: list[UUID] = []
    for role, email, name in _COMPANIES[company]:
        row = await db.system_fetchrow(_SQL["create_member"], tenant=tenant_id, email=email, name=name, hash=hashed, role=role)
        assert row is not None
        members.append(row["member_id"])
    who = Who(tenant_id, members[0], _COMPANIES[company][0][0], name=_COMPANIES[company][0][2])
    async with tenant_tx(db, who) as tx:
        # The sandbox's line reaches nobody, so the demo may call at any hour; what the law would say is shown all the same.
        await begin_in_practice(tx)
    if found is None:
        async with tenant_tx(db, who) as tx:
            for place, (first, last, firm, title, phone, stage) in enumerate(_CONTACTS[company]):
                given = {
                    "first_name": first,
                    "last_name": last,
                    "company": firm,
                    "title": title,
                    "stage": stage,
                    "phones": [{"e164": phone, "label": "work"}],
                    "emails": [{"address": f"{first}.{last}@example.com".lower()}],
                    "owner_id": members[place % len(members)],
                    "tags": ["demo"],
                }
                await create_contact(tx, ContactIn.model_validate(given))
    return [Login(email, DEMO_PASSWORD, role, company, tenant_id) for role, email, _ in _COMPANIES[company]]
