"""The same ground as the tests of tracking stand on."""

from tests.tracking.conftest import desk, other, server

__all__ = ["desk", "other", "server"]
