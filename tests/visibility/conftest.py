"""Fixtures of the tests of visibility: one hub a file."""

from __future__ import annotations

from tests.api import conftest, lasting

lasting_database, lasting_server = conftest.lasting_database, conftest.lasting_server
server = lasting.server
