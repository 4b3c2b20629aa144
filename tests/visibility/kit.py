"""A company in which each member has a contact of their own, with one of everything that hangs on a contact."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from hub.db import Database, tenant_tx
from hub.sqlfiles import Statement
from hub.who import Role, Who
from tests.conftest import Company, make_company

PLANT = (Path(__file__).parent / "plant.sql").read_text()
WORDS = ("quokka", "wombat", "numbat", "bilby", "dunnart", "potoroo")
_numbers = itertools.count(1000)
_QUEUE = Statement("queue", "INSERT INTO dial_queues (tenant_id, name, state) VALUES (:tenant_id, 'All', 'running') RETURNING id")
_SEQUENCE = Statement(
    "sequence",
    "INSERT INTO sequences (tenant_id, name, state, schedule, stop_on) "
    "VALUES (:tenant_id, 'Hello', 'paused', '{}', '{}') RETURNING id",
)
_STEP = Statement(
    "step",
    "INSERT INTO sequence_steps (tenant_id, sequence_id, position, kind) "
    "VALUES (:tenant_id, :sequence_id, 1, 'call') RETURNING id",
)
_MAILBOX = Statement(
    "mailbox",
    "INSERT INTO mailboxes (tenant_id, user_id, kind, address, address_lc, state, visibility) "
    "VALUES (:tenant_id, :person_id, 'imap', :address, :address, 'active', 'everyone') RETURNING id",
)
_TEAM = Statement("team", "INSERT INTO teams (tenant_id, name) VALUES (:tenant_id, 'East') RETURNING id")
_TEAM_MEMBER = Statement(
    "member",
    "INSERT INTO team_members (tenant_id, team_id, user_id, is_manager) VALUES (:tenant_id, :team, :person_id, :manages)",
)


@dataclass(frozen=True, slots=True)
class Zoo:
    """The company, its people, and by each person's name the word and the id of what is theirs; "nobody" has a contact, too.

    Rep and mate are in one team, which manager manages; loner is in none.
    """

    company: Company
    people: dict[str, tuple[Role, UUID]]
    words: dict[str, str]
    ids: dict[str, UUID]
    team: UUID

    def who(self, name: str) -> Who:
        """A person, acting."""
        role, user_id = self.people[name]
        return Who(self.company.tenant_id, user_id, role, name=name)


async def a_zoo(db: Database, name: str) -> Zoo:
    """A company of six."""
    company = await make_company(db, name)
    people: dict[str, tuple[Role, UUID]] = {role: (role, company.members[role]) for role in ("owner", "admin", "manager", "rep")}
    async with db.acquire() as conn:
        for other in ("mate", "loner"):
            made = await conn.fetchval("SELECT create_member($1, $2, $2, '!', 'rep')", company.tenant_id, f"{other}@{name}.test")
            people[other] = ("rep", made)
    words, ids = {}, {}
    async with tenant_tx(db, Who.system(company.tenant_id)) as tx:
        queue, sequence = await tx.fetchval(_QUEUE), await tx.fetchval(_SEQUENCE)
        step = await tx.fetchval(_STEP, sequence_id=sequence)
        team = await tx.fetchval(_TEAM)
        for one, manages in (("manager", True), ("rep", False), ("mate", False)):
            await tx.execute(_TEAM_MEMBER, team=team, person_id=people[one][1], manages=manages)
        mailbox = await tx.fetchval(_MAILBOX, person_id=people["owner"][1], address=f"all@{name}.test".lower())
        for one, word in zip(("manager", "rep", "mate", "loner", "nobody"), WORDS, strict=False):
            words[one], ids[one] = word, uuid4()
            user = people.get(one, people["owner"])[1]
            values: dict[str, Any] = {
                "tenant": company.tenant_id,
                "id": ids[one],
                "mark": word,
                "user": user,
                "owner": "NULL" if one == "nobody" else f"'{user}'",
                "number": next(_numbers),
                "mailbox": mailbox,
                "queue": queue,
                "sequence": sequence,
                "step": step,
            }
            sql = PLANT
            for key, value in values.items():
                sql = sql.replace("{" + key + "}", str(value))
            await tx.conn.execute(sql)
    return Zoo(company, people, words, ids, team)
