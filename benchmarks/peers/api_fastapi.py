"""The peer of `./ringside bench api`: FastAPI, SQLAlchemy (async, asyncpg) and pydantic under uvicorn, as their manuals say.

The same endpoints on the same tables as the same role: the token is verified, the company is set for the transaction under
row-level security, a page is read with its addresses, numbers and tags (one statement for each by `selectinload`), and a note is
written with its event as the last statement before the commit and published through Redis after it. It has uvicorn's quick loop
and parser, pydantic's own writer of JSON (FastAPI takes it where the response has a model), the caches of SQLAlchemy and asyncpg
for statements, orjson for Postgres' JSON, and its modules frozen out of the collector's way, as Ringside has. It has no request
log, no metrics and no limits, all of which Ringside has.
"""

from __future__ import annotations

import argparse
import base64
import gc
import json
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID, uuid4

import jwt
import orjson
import uvicorn
from fastapi import BackgroundTasks, Depends, FastAPI, Header, HTTPException, Query
from redis.asyncio import Redis
from sqlalchemy import select, text, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import selectinload

from benchmarks.peers.api_models import (
    Activity,
    ActivityOut,
    ActorOut,
    Contact,
    ContactPageOut,
    Counter,
    LogEntry,
    NoteIn,
    User,
)

KEY = bytes.fromhex(os.environ["PEER_TOKEN_KEY"])
SOCKETS = re.search(r"host=(.+)$", os.environ["PEER_DATABASE_URL"])
ENGINE = create_async_engine(
    "postgresql+asyncpg://ringside_app@/ringside",
    connect_args={
        "host": SOCKETS.group(1) if SOCKETS else None,
        "server_settings": {"jit": "off", "TimeZone": "UTC", "statement_timeout": "15s"},
    },
    json_deserializer=orjson.loads,
    pool_size=16,
    max_overflow=0,
    pool_use_lifo=True,  # as asyncpg's own pool: the connections that have prepared their statements first
)
SESSIONS = async_sessionmaker(ENGINE, expire_on_commit=False)
REDIS = Redis.from_url(os.environ["PEER_REDIS_URL"])
IN_CONTEXT = text("SELECT set_config('ringside.tenant_id', :tenant_id, true), set_config('ringside.user_id', :user_id, true)")


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom the token speaks for."""

    tenant_id: UUID
    user_id: UUID


async def caller(authorization: Annotated[str, Header()] = "") -> Caller:
    """The verified caller. Raises HTTPException 401."""
    try:
        claims = jwt.decode(
            authorization.removeprefix("Bearer "), KEY, algorithms=["HS256"], audience="ringside-api", issuer="ringside"
        )
    except jwt.InvalidTokenError as problem:
        raise HTTPException(401, "sign in") from problem
    return Caller(UUID(claims["tid"]), UUID(claims["sub"]))


Who = Annotated[Caller, Depends(caller)]


async def session_of(who: Who) -> AsyncIterator[AsyncSession]:
    """A transaction in the company's context."""
    async with SESSIONS.begin() as session:
        await session.execute(IN_CONTEXT, {"tenant_id": str(who.tenant_id), "user_id": str(who.user_id)})
        yield session


# Committed before the answer goes out, as Ringside does: nobody is told of what is not kept.
Session = Annotated[AsyncSession, Depends(session_of, scope="function")]


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """Take what is loaded out of the garbage collector's way, and close the pools at the end."""
    gc.collect()
    gc.freeze()
    yield
    await ENGINE.dispose()
    await REDIS.aclose()


app = FastAPI(lifespan=lifespan)


@app.get("/api/v1/contacts", response_model=ContactPageOut)
async def list_contacts(
    who: Who,
    session: Session,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    stage: Annotated[str | None, Query(max_length=60)] = None,
    owner_id: UUID | None = None,
    cursor: Annotated[str | None, Query(max_length=2000)] = None,
) -> dict[str, Any]:
    """A page of contacts, newest first."""
    wanted = select(Contact).where(Contact.tenant_id == who.tenant_id, Contact.deleted_at.is_(None))
    if stage is not None:
        wanted = wanted.where(Contact.stage == stage)
    if owner_id is not None:
        wanted = wanted.where(Contact.owner_id == owner_id)
    if cursor is not None:
        at, last = json.loads(base64.urlsafe_b64decode(cursor))
        wanted = wanted.where(tuple_(Contact.created_at, Contact.id) < (datetime.fromisoformat(at), UUID(last)))
    wanted = wanted.order_by(Contact.created_at.desc(), Contact.id.desc()).limit(limit + 1)
    wanted = wanted.options(selectinload(Contact.emails), selectinload(Contact.phones), selectinload(Contact.labels))
    found = list((await session.scalars(wanted)).all())
    following = None
    if len(found) > limit:
        last_shown = found[limit - 1]
        following = base64.urlsafe_b64encode(
            json.dumps([last_shown.created_at.isoformat(), str(last_shown.id)]).encode()
        ).decode()
    return {"data": found[:limit], "next_cursor": following}


async def publish(channel: str, frame: bytes) -> None:
    """Tell whoever listens."""
    await REDIS.publish(channel, frame)


@app.post("/api/v1/contacts/{contact_id}/notes", response_model=ActivityOut, status_code=201)
async def add_note(who: Who, session: Session, later: BackgroundTasks, contact_id: UUID, note: NoteIn) -> ActivityOut:
    """Write a note on a contact, with its event, and publish that once it is committed."""
    found = await session.scalar(
        select(Contact.id).where(Contact.tenant_id == who.tenant_id, Contact.id == contact_id, Contact.deleted_at.is_(None))
    )
    if found is None:
        raise HTTPException(404, "there is no such contact")
    activity = Activity(tenant_id=who.tenant_id, contact_id=contact_id, kind="note", actor_id=who.user_id, body=note.body)
    session.add(activity)
    await session.flush()  # RETURNING brings its id and time
    user = await session.get_one(User, who.user_id)
    shown = ActivityOut(
        id=activity.id,
        contact_id=contact_id,
        kind=activity.kind,
        at=activity.at,
        actor=ActorOut(id=user.id, name=user.name),
        body=activity.body,
    )
    counted = update(Counter).where(Counter.tenant_id == who.tenant_id).values(seq=Counter.seq + 1).returning(Counter.seq)
    seq = (await session.execute(counted, execution_options={"synchronize_session": False})).scalar_one()
    at, event_id = datetime.now(UTC), uuid4()
    event = {
        "seq": seq,
        "id": str(event_id),
        "type": "activity.created",
        "at": at.isoformat(),
        "actor": {"kind": "user", "id": str(user.id), "name": user.name},
        "subject": {"kind": "activity", "id": str(activity.id)},
        "data": {"activity": shown.model_dump(mode="json")},
    }
    frame = orjson.dumps(event)
    session.add(
        LogEntry(
            tenant_id=who.tenant_id,
            seq=seq,
            at=at,
            id=event_id,
            type="activity.created",
            audience="tenant",
            actor_id=who.user_id,
            subject_kind="activity",
            subject_id=activity.id,
            frame=frame.decode(),
        )
    )
    later.add_task(publish, f"peer:events:{who.tenant_id}", frame)
    return shown


def main() -> None:
    """Serve on --port with uvloop and httptools and no access log."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    uvicorn.run(app, host="127.0.0.1", port=given.port, loop="uvloop", http="httptools", access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
