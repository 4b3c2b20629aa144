"""Fixtures of the tests of joining and leaving: one hub a file, a company for each test."""

from __future__ import annotations

from tests.api import conftest, lasting

lasting_database, lasting_server = conftest.lasting_database, conftest.lasting_server
server, acme = lasting.server, lasting.acme
