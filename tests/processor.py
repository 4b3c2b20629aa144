"""How much a database computes, however long it has to wait for a processor."""

from __future__ import annotations

import os
from pathlib import Path

from hub.db import Connection

_TICKS = os.sysconf("SC_CLK_TCK")


async def backend_s(conn: Connection) -> float:
    """The seconds of a processor that the server has had for this connection so far."""
    return _had_s(await conn.fetchval("SELECT pg_backend_pid()"))


async def backends_s(conn: Connection) -> float:
    """The same of all connections to this database that are open now."""
    # Not autovacuum: it comes when it likes, and has gone by the time one looks.
    text = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
    rows = await conn.fetch(text)
    return sum(_had_s(row["pid"]) for row in rows)


def _had_s(pid: int) -> float:
    # proc(5): after the name in parentheses come the state and what follows; the times are the 14th and 15th of all.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
