"""The same ground as the numbers' tests stand on."""

from tests.numbers.conftest import acme, caller, globex, owner, server, stack

__all__ = ["acme", "caller", "globex", "owner", "server", "stack"]
