"""A hub whose letters a test delivers itself."""

from tests.api import conftest as api

server, acme, globex, rep = api.server, api.acme, api.globex, api.rep
