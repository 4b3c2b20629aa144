"""What a process shows of its surroundings: its pools, the database, the disk that recordings are on."""

from __future__ import annotations

import shutil

from prometheus_client import Gauge

from hub.db import Database
from hub.sqlfiles import load_sql

_SQL = load_sql("watching")

_POOL = Gauge("ringside_pool_connections", "Database connections by pool and use: open, idle, most.", ["pool", "use"])
_BYTES = Gauge("ringside_database_bytes", "Size of the database.")
_CONNECTIONS = Gauge("ringside_database_connections", "Connections to the Postgres server, of all its databases.")
_CONNECTIONS_MOST = Gauge("ringside_database_connections_most", "Connections that ordinary roles may have.")
_OLDEST = Gauge("ringside_database_oldest_transaction_seconds", "Age of the app role's oldest transaction.")
_FREE = Gauge("ringside_objects_free_bytes", "Free space where recordings and files are kept, when that is a folder.")
_SIZE = Gauge("ringside_objects_size_bytes", "Size of the file system they are on.")


def show_pool(name: str, db: Database) -> None:
    """Show a pool's connections under a name of its own in this process."""
    pool = db.pool
    _POOL.labels(name, "open").set_function(pool.get_size)
    _POOL.labels(name, "idle").set_function(pool.get_idle_size)
    _POOL.labels(name, "most").set(pool.get_max_size())


def show_objects(location: str) -> None:
    """Show how much room there is for recordings; nothing where they are not in a folder."""
    if not location.startswith("/"):
        return
    _FREE.set_function(lambda: shutil.disk_usage(location).free)
    _SIZE.set_function(lambda: shutil.disk_usage(location).total)


async def look_at_database(db: Database) -> None:
    """Ask Postgres how it is and show that. Raises Unavailable when it does not answer."""
    row = await db.system_fetchrow(_SQL["database_state"])
    assert row is not None
    _BYTES.set(row["bytes"])
    _CONNECTIONS.set(row["connections"])
    _CONNECTIONS_MOST.set(row["connections_most"])
    _OLDEST.set(row["oldest_s"])
