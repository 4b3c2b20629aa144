"""One house for all tests of this folder: it takes some seconds to start."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from hub.embedded import PostgresServer
from tests.conftest import cloned_database
from tests.topology.house import House, open_house, skip_without


@pytest.fixture(scope="module")
def house(postgres: PostgresServer) -> Iterator[House]:
    """nginx, two hubs, two workers, PgBouncer, Valkey, and what watches them, before a database of its own."""
    skip_without("nginx", "pgbouncer", "prometheus", "prometheus-alertmanager", "prometheus-node-exporter")
    with asyncio.Runner() as runner:
        cloned = cloned_database(postgres)
        database = runner.run(cloned.__aenter__())
        try:
            with open_house(postgres, database.name) as opened:
                yield opened
        finally:
            runner.run(cloned.__aexit__(None, None, None))
