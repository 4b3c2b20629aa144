"""Everything that a sandbox consists of, for those that look at all of it."""

from dataclasses import dataclass, replace

from integrations.sandbox.gmail.faults import Faults
from integrations.sandbox.gmail.grants import MAIL_SCOPES, Grants
from integrations.sandbox.gmail.people import People
from integrations.sandbox.gmail.post import PostOffice
from integrations.sandbox.gmail.pushes import Pushes
from integrations.sandbox.gmail.settings import GmailSettings
from integrations.sandbox.gmail.stock import Stock


@dataclass(frozen=True, slots=True)
class World:
    """The mailboxes, what was granted, the post and the people, the pushes, and what goes wrong."""

    settings: GmailSettings
    stock: Stock
    grants: Grants
    post: PostOffice
    people: People
    pushes: Pushes
    faults: Faults

    def add_mailbox(self, address: str, scopes: frozenset[str] = MAIL_SCOPES) -> str:
        """Open a mailbox as if its owner had consented; the refresh token."""
        return self.grants.grant(self.stock.open(address).address, scopes)

    def push_to(self, url: str, audience: str = "") -> None:
        """Send pushes there from now on; an empty audience is the URL."""
        self.pushes.settings = replace(self.pushes.settings, url=url, audience=audience)
