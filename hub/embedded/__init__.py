"""The default Postgres and Valkey: found, started, adopted and stopped by Ringside itself."""

from hub.embedded.errors import AlreadyRunning, EmbeddedError
from hub.embedded.postgres import PostgresServer, start_postgres
from hub.embedded.valkey import ValkeyServer, start_valkey

__all__ = [
    "AlreadyRunning",
    "EmbeddedError",
    "PostgresServer",
    "ValkeyServer",
    "start_postgres",
    "start_valkey",
]
