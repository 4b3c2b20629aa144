"""What the tests of recordings share: sounds, and recordings that are there without anybody having called."""

from __future__ import annotations

import io
import wave
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

from hub.db import Database, tenant_tx
from hub.sqlfiles import Statement, load_sql
from integrations.objects import open_objects
from tests.conftest import Company

SQL = load_sql("recordings")

_CONTACT = Statement(
    "contact", "INSERT INTO contacts (tenant_id, first_name, last_name) VALUES (:tenant_id, 'Ada', 'Lovelace') RETURNING id"
)
_CALL = Statement(
    "call",
    "INSERT INTO calls (tenant_id, contact_id, user_id, state, to_number, from_number, answered_at, ended_at, provider_sid)"
    " VALUES (:tenant_id, :contact_id, :rep_id, 'completed', '+12025550101', '+14155550100', now(), now(), :sid) RETURNING id",
)
_AUDIT = Statement(
    "audit", "SELECT actor_id, detail ->> 'recording_id' AS of FROM call_audit"
    " WHERE tenant_id = :tenant_id AND call_id = :call_id AND action = :action ORDER BY at",
)  # fmt: skip


def wav(seconds: float = 1.0, *, channels: int = 1, rate: int = 8000) -> bytes:
    """Silence of this length, 16-bit PCM."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(b"\0\0" * channels * int(rate * seconds))
    return out.getvalue()


def mp3(frames: int, *, id3: bool = False) -> bytes:
    """Silent MPEG-1 layer III frames of 128 kbit/s at 44.1 kHz, each of 26 ms."""
    frame = b"\xff\xfb\x90\xc0" + b"\0" * 413
    return (b"ID3\x04\0\0\0\0\x01\0" + b"\0" * 128 if id3 else b"") + frame * frames


async def pieces(data: bytes) -> AsyncIterator[bytes]:
    """The bytes as a stream."""
    yield data


async def a_call(db: Database, company: Company, role: str = "rep") -> UUID:
    """A call that is over."""
    async with tenant_tx(db, company.who("owner")) as tx:
        contact = await tx.fetchval(_CONTACT)
        call: UUID = await tx.fetchval(_CALL, contact_id=contact, rep_id=company.members[role], sid=f"CA{uuid4().hex}")
    return call


async def a_recording(
    db: Database, company: Company, *, role: str = "rep", said: str | None = None, call: UUID | None = None
) -> UUID:
    """A recording that is in the store (its file need not be), and what was said in it."""
    call = call or await a_call(db, company, role)
    async with tenant_tx(db, company.who("owner")) as tx:
        recording: UUID = await tx.fetchval(SQL["insert_recording"], call_id=call, rule="one_party", places=["US-DC", "US-CA"])
        await tx.execute(SQL["adopt_recording"], id=recording, sid=f"RE{uuid4().hex}")
        await tx.execute(SQL["end_recording"], id=recording, duration_s=1, channels=2)
        key = f"recordings/{company.tenant_id}/{recording}.wav"
        await tx.execute(SQL["store_recording"], id=recording, key=key, bytes=len(wav()), duration_s=1, channels=2)
        if said is not None:
            await tx.fetchval(SQL["keep_transcript"], id=recording, text=said)
    return recording


async def put_file(folder: Path, company: Company, recording: UUID, data: bytes) -> None:
    """The recording's file, in the store."""
    await open_objects(str(folder), {}).put(f"recordings/{company.tenant_id}/{recording}.wav", pieces(data), "audio/wav")


async def audited(db: Database, company: Company, call: UUID, action: str) -> list[tuple[UUID | None, str | None]]:
    """Who did something in a call, and with which recording."""
    async with tenant_tx(db, company.who("owner")) as tx:
        return [(row["actor_id"], row["of"]) for row in await tx.fetch(_AUDIT, call_id=call, action=action)]
