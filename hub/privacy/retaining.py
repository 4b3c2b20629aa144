"""What each night's retention takes."""

from __future__ import annotations

from uuid import UUID

from hub.db import Database, Tx
from hub.privacy import actions
from hub.recordings.actions import delete as delete_recording
from hub.sqlfiles import load_sql

# Recordings first: a call goes when its recording is gone.
KINDS = ("recordings", "mail", "messages", "calls", "events", "audit")
AT_ONCE = 500

_SQL = load_sql("privacy")


async def companies(db: Database) -> list[UUID]:
    """The companies that keep something for a time only."""
    return [row["tenant_id"] for row in await db.system_fetch(_SQL["retention_due"])]


async def purge(tx: Tx, kind: str) -> tuple[int, list[str]]:
    """Take some of what is older than the company keeps: how many, and the files to delete. 0: nothing is left."""
    if kind == "recordings":
        rows = await tx.fetch(_SQL["old_recordings"], limit=AT_ONCE)
        for row in rows:
            await delete_recording(tx, row["id"], reason="retention")
        return len(rows), []
    taken = await tx.fetchrow(_SQL["purge_old"], kind=kind, limit=AT_ONCE)
    assert taken is not None
    return taken["purged"], list(taken["files"])


async def report(tx: Tx, counts: dict[str, int]) -> None:
    """Keep what a night took as a request that is done."""
    row = await tx.fetchrow(
        _SQL["insert_request"], kind="retention", subject_kind="company", subject_id=tx.who.tenant_id, label="", wait_s=0
    )
    if row is not None:
        await actions.settle(tx, row["id"], "done", counts=counts)
        await actions.tell(tx, row["id"])


async def expired_exports(db: Database, limit: int = 200) -> list[tuple[UUID, UUID, str]]:
    """Exports of any company whose time is over: tenant, request, key in the store."""
    rows = await db.system_fetch(_SQL["exports_expired"], limit=limit)
    return [(row["tenant_id"], row["id"], row["object_key"]) for row in rows]


async def forget_file(tx: Tx, request_id: UUID) -> None:
    """The file of an export is gone."""
    await tx.execute(_SQL["forget_file"], id=request_id)
