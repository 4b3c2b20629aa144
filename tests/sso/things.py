"""What there is of signing in elsewhere to ask for."""

from __future__ import annotations

import hashlib
import itertools
from uuid import UUID

from hub.db import tenant_tx
from hub.sqlfiles import load_sql
from integrations.identity import GOOGLE_ISSUER
from tests.conftest import Company
from tests.harness import RunningHub

_SQL = load_sql("sso")
_numbers = itertools.count(1)


async def a_domain(server: RunningHub, company: Company) -> str:
    """A domain that the company has proven."""
    domain, code = f"domain{next(_numbers)}.test", hashlib.sha256(b"CODE").digest()
    async with tenant_tx(server.hub.db, company.who("owner")) as tx:
        await tx.fetchval(_SQL["ask_domain"], domain=domain, sent_to=f"postmaster@{domain}", hash=code, ttl_s=600)
        assert await tx.fetchval(_SQL["prove_domain"], domain=domain, hash=code, tries=10) == "ok"
    return domain


async def a_connected_account(server: RunningHub, company: Company) -> str:
    """What the owner signs in with elsewhere."""
    owner: UUID = company.members["owner"]
    async with tenant_tx(server.hub.db, company.who("owner")) as tx:
        await tx.fetchval(
            _SQL["link"],
            user=owner,
            tenant=company.tenant_id,
            issuer=f"{GOOGLE_ISSUER}/{next(_numbers)}",
            subject=str(owner),
            email="ada@example.com",
        )
        rows = await tx.fetch(_SQL["identities"], user=owner, tenant=company.tenant_id)
    return str(rows[-1]["id"])
