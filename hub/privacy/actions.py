"""Asking for exports and erasures, taking them back, and setting how long things are kept. Jobs do the work (workers.privacy)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import asyncpg
import orjson

from hub.audit.actions import record
from hub.contacts.actions import missing as contact_missing
from hub.db import Tx
from hub.errors import Conflict, Forbidden, Invalid, NotFound
from hub.privacy import queries
from hub.privacy.events import PrivacyRequestChanged, RetentionUpdated
from hub.privacy.models import ErasureIn, ExportIn, Kind, RetentionIn, SubjectKind
from hub.sqlfiles import load_sql

EXPORT = "privacy.export"
ERASE = "privacy.erase"
# A company that is erased by mistake, or by somebody who should not, has this long to notice.
COMPANY_WAITS_S = 7 * 86_400
EXPORT_KEPT_DAYS = 7

_SQL = load_sql("privacy")


def missing() -> NotFound:
    """The answer for a request that is not there, or not this tenant's."""
    return NotFound("There is no such request.", code="privacy_request_not_found")


async def ask_export(tx: Tx, given: ExportIn) -> str:
    """Have somebody's or the company's data put together as files in a zip. The request's JSON.

    Raises NotFound for a contact or member who is not there, Conflict while the same is under way.
    """
    subject_id, label = await _subject(tx, given.subject_kind, given.subject_id)
    return await _ask(tx, "export", given.subject_kind, subject_id, label, EXPORT)


async def ask_erasure(tx: Tx, given: ErasureIn) -> str:
    """Have a contact's, a former member's or the company's data erased. The request's JSON.

    Raises NotFound, Invalid when the name was not typed in, Forbidden unless an owner asks for the company, Conflict for a
    contact who is being called, a member who is active, or while the same is under way.
    """
    subject_id, label = await _subject(tx, given.subject_kind, given.subject_id)
    if given.subject_kind == "company" and tx.who.role != "owner":
        raise Forbidden("Only an owner can have the company erased.")
    if given.subject_kind == "company":
        await _expect_no_costs(tx)
    if given.subject_kind == "contact" and await tx.fetchval(_SQL["live_calls"], id=subject_id):
        raise Conflict("There is a call with this contact. Wait until it is over.", code="call_under_way")
    if given.confirm.casefold() != label.casefold():
        raise Invalid.field("confirm", f"Type in the name as it is written, {label}, to erase it for good.")
    wait_s = COMPANY_WAITS_S if given.subject_kind == "company" else 0
    return await _ask(tx, "erasure", given.subject_kind, subject_id, label, ERASE, wait_s)


async def _expect_no_costs(tx: Tx) -> None:
    row = await tx.fetchrow(_SQL["what_costs_money"])
    assert row is not None
    if row["plan"]:
        raise Conflict("Cancel the plan first: it would be charged for on and on.", code="plan_renews")
    if row["numbers"]:
        raise Conflict("Release your telephone numbers first: they would be charged for on and on.", code="numbers_are_held")


async def _subject(tx: Tx, kind: SubjectKind, subject_id: UUID | None) -> tuple[UUID, str]:
    if subject_id is None:
        return tx.who.tenant_id, str(await tx.fetchval(_SQL["company_label"]))
    if kind == "contact":
        row = await tx.fetchrow(_SQL["contact_label"], id=subject_id)
        if row is None or row["is_erased"]:
            raise contact_missing()
        return subject_id, row["label"]
    row = await tx.fetchrow(_SQL["member_label"], id=subject_id)
    if row is None:
        raise NotFound("There is no such member.", code="member_not_found")
    return subject_id, row["label"]


async def _ask(tx: Tx, kind: Kind, subject_kind: SubjectKind, subject_id: UUID, label: str, job: str, wait_s: int = 0) -> str:
    if kind == "erasure" and subject_kind == "member":
        row = await tx.fetchrow(_SQL["member_label"], id=subject_id)
        if row is not None and row["status"] == "active":
            raise Conflict("They are still a member. Deactivate them and hand over what they own first.", code="member_is_active")
    row = await tx.fetchrow(
        _SQL["insert_request"], kind=kind, subject_kind=subject_kind, subject_id=subject_id, label=label, wait_s=wait_s
    )
    if row is None:
        raise Conflict(f"This {kind} is under way already.", code="under_way")
    await tx.defer(job, {"request_id": row["id"]}, run_at=row["due_at"] if wait_s else None, max_attempts=8)
    await record(tx, f"{kind}.asked", subject_kind=subject_kind, subject_id=subject_id, details={"request_id": row["id"]})
    return await tell(tx, row["id"])


async def cancel(tx: Tx, request_id: UUID) -> str:
    """Take a request back that has not begun. Its JSON. Raises NotFound, and Conflict when it has."""
    row = await tx.fetchrow(_SQL["lock_request"], id=request_id)
    if row is None:
        raise missing()
    if row["state"] != "waiting":
        raise Conflict("It has begun already, and can't be taken back.", code="has_begun")
    await settle(tx, request_id, "canceled")
    await record(tx, f"{row['kind']}.canceled", subject_kind=row["subject_kind"], subject_id=row["subject_id"])
    return await tell(tx, request_id)


async def begin(tx: Tx, request_id: UUID) -> asyncpg.Record | None:
    """A request whose turn it is; None when it was taken back or is over."""
    row = await tx.fetchrow(_SQL["lock_request"], id=request_id)
    return row if row is not None and row["state"] in ("waiting", "running") and row["is_due"] else None


async def under_way(tx: Tx, subject_kind: SubjectKind, subject_id: UUID) -> UUID:
    """The request of an erasure that is done again (hub.privacy.shell), running at once whoever asked for it before."""
    row = await tx.fetchrow(
        _SQL["insert_request"], kind="erasure", subject_kind=subject_kind, subject_id=subject_id, label="", wait_s=0
    )
    request_id: UUID = (
        row["id"] if row else await tx.fetchval(_SQL["request_under_way"], subject_kind=subject_kind, id=subject_id)
    )
    await tx.execute(_SQL["set_progress"], id=request_id, step="", done=0, total=0)
    return request_id


async def progress(tx: Tx, request_id: UUID, step: str, done: int, total: int) -> None:
    """Say how far it is."""
    await tx.execute(_SQL["set_progress"], id=request_id, step=step, done=done, total=total)
    await tell(tx, request_id)


async def settle(
    tx: Tx,
    request_id: UUID,
    state: str,
    *,
    error: str | None = None,
    counts: dict[str, int] | None = None,
    object_key: str | None = None,
    size: int | None = None,
) -> None:
    """Note how it ended: done, failed or canceled, with what there was and where the file is."""
    await tx.execute(
        _SQL["settle_request"],
        id=request_id,
        state=state,
        error=error,
        counts=None if counts is None else orjson.dumps(counts).decode(),
        object_key=object_key,
        bytes=size,
        keep_days=EXPORT_KEPT_DAYS,
    )


async def tell(tx: Tx, request_id: UUID) -> str:
    """Log the request as it is now. Its JSON."""
    row = await queries.get_request(tx, request_id)
    assert row is not None
    told = {name: row[name] for name in ("id", "kind", "state", "step", "done", "total")}
    tx.emit(PrivacyRequestChanged(request_id, told))
    return str(row["json"])


async def tell_erased(tx: Tx, request_id: UUID) -> None:
    """Log that an erasure is done, and write it into the audit log."""
    row = await queries.get_request(tx, request_id)
    assert row is not None
    await record(
        tx, "erasure.done", subject_kind=row["subject_kind"], subject_id=row["subject_id"], details={"request_id": request_id}
    )
    await tell(tx, request_id)


async def get_file(tx: Tx, request_id: UUID) -> asyncpg.Record:
    """The file of an export, written down as taken. Raises NotFound, and Conflict while there is none, or no more."""
    row = await queries.get_request(tx, request_id)
    if row is None:
        raise missing()
    if not row["has_file"]:
        raise Conflict("There is no file: it is not ready, or its seven days are over.", code="export_not_there")
    await record(tx, "export.downloaded", subject_kind=row["subject_kind"], subject_id=row["subject_id"])
    return row


async def set_retention(tx: Tx, given: RetentionIn) -> str:
    """Keep things for another time from now on; each night takes what is older. The settings' JSON."""
    values: dict[str, Any] = given.model_dump()
    await tx.execute(_SQL["set_retention"], **values)
    text = await queries.get_retention(tx)
    tx.emit(RetentionUpdated(tx.who.tenant_id, {"retention": orjson.Fragment(text)}))
    return text
