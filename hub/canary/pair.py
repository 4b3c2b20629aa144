"""The two canaries: made on demand, and filled with something of each kind to be found."""

from __future__ import annotations

import io
import wave
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from uuid import UUID, uuid4

import asyncpg
import orjson

from hub.activities.actions import add_activity
from hub.contacts.actions import create_contact
from hub.contacts.models import ContactIn
from hub.db import Database, tenant_tx
from hub.recordings.running import object_key
from hub.sqlfiles import load_sql
from hub.who import Who
from integrations.ports import ObjectStore

_SQL = load_sql("canary")


@dataclass(frozen=True, slots=True)
class Canary:
    """One of the two, with the ids of what lies in it by name."""

    tenant_id: UUID
    user_id: UUID
    planted: Mapping[str, UUID]

    @property
    def mark(self) -> str:
        """The word that everything of it carries and nothing else does."""
        return mark_of(self.tenant_id)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be seen elsewhere: its mark, and the ids of what is its own."""
        return (self.mark, *(str(one) for one in self.planted.values()))

    @property
    def who(self) -> Who:
        """Its one member, who may do everything in it."""
        return Who(self.tenant_id, self.user_id, "owner", name=f"Canary {self.tenant_id}")


Pair = tuple[Canary, Canary]


def mark_of(tenant_id: UUID) -> str:
    """The mark of a canary; one word for every search."""
    return f"canary{tenant_id.hex}"


async def open_pair(db: Database, objects: ObjectStore | None) -> Pair:
    """The canaries with what lies in them, made and filled if need be. `objects` is where the sound of their recordings goes."""
    left, right = [await _filled(db, row, objects) for row in await db.system_fetch(_SQL["pair"])]
    return left, right


async def _filled(db: Database, row: asyncpg.Record, objects: ObjectStore | None) -> Canary:
    planted = {name: UUID(value) for name, value in orjson.loads(row["planted"]).items()}
    canary = Canary(row["tenant_id"], row["user_id"], planted)
    if not planted:
        return await _plant(db, canary, objects)
    return canary


async def _plant(db: Database, canary: Canary, objects: ObjectStore | None) -> Canary:
    recording_id, sound = uuid4(), _silence()
    key = object_key(canary.tenant_id, recording_id)
    if objects is not None:
        await objects.put(key, _once(sound), "audio/wav")
    given = ContactIn.model_validate({"first_name": "Canary", "last_name": canary.mark, "company": canary.mark})
    async with tenant_tx(db, canary.who) as tx:
        contact_id, _, _ = await create_contact(tx, given)
        activity = orjson.loads(await add_activity(tx, contact_id, "note", body=canary.mark))
        row = await tx.fetchrow(
            _SQL["plant"],
            contact_id=contact_id,
            recording_id=recording_id,
            object_key=key,
            bytes=len(sound),
            mark=canary.mark,
        )
        assert row is not None
        planted = {"contact": contact_id, "activity": UUID(activity["id"]), **dict(row)}
        # In the same transaction: a crash between the two would leave half a canary.
        written = orjson.dumps({name: str(one) for name, one in planted.items()}).decode()
        await tx.fetchval(_SQL["note_planted"], tenant=canary.tenant_id, planted=written)
    return Canary(canary.tenant_id, canary.user_id, planted)


def _silence() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\0\0" * 800)
    return out.getvalue()


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
