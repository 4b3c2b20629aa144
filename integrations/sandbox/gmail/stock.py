"""The mailboxes that there are."""

from collections.abc import Callable

from integrations.sandbox.gmail.clock import SandboxClock
from integrations.sandbox.gmail.mailbox import Mailbox


class Stock:
    """Opens mailboxes and finds them by address."""

    def __init__(self, clock: SandboxClock, on_change: Callable[[Mailbox, tuple[str, ...]], None]) -> None:
        self.mailboxes: dict[str, Mailbox] = {}
        self._clock = clock
        self._on_change = on_change

    def open(self, address: str) -> Mailbox:
        """Return the mailbox of an address, a new one if need be."""
        address = address.strip().lower()
        mailbox = self.mailboxes.get(address)
        if mailbox is None:
            mailbox = self.mailboxes[address] = Mailbox(address, self._clock, self._on_change)
        return mailbox

    def find(self, address: str) -> Mailbox | None:
        """Return the mailbox of an address, if there is one."""
        return self.mailboxes.get(address.strip().lower())
