"""One hub for the file, with a store."""

from __future__ import annotations

from tests.api.conftest import lasting_database, lasting_server

__all__ = ["lasting_database", "lasting_server"]
