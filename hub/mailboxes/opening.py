"""Opening a mailbox at its provider, and telling when access to it is gone."""

from __future__ import annotations

from typing import Protocol

import orjson

from hub.mailboxes.rows import MailboxRow
from hub.sealing import Seals, Unsealable
from integrations.errors import ProviderError, Rejected
from integrations.mail import Mailbox, Mailboxes, ServerAccount

SEAL_KIND = "mailbox"


class AccessGone(Exception):
    """There is no secret for this mailbox, or none that can be opened: only connecting it again helps."""


class NoMail(Exception):
    """This installation opens no mailboxes: nothing is set up for it."""


class Keyring(Protocol):
    """What opening needs of whoever composes."""

    @property
    def mailboxes(self) -> Mailboxes | None:
        """Opens mailboxes at their providers."""

    @property
    def seals(self) -> Seals | None:
        """Opens their secrets."""


def open_mailbox(deps: Keyring, row: MailboxRow) -> Mailbox:
    """The mailbox at its provider; close it after the job. Nothing is asked yet.

    Raises AccessGone when its secret can't be opened, NoMail when nothing is set up to open mailboxes.
    """
    if deps.mailboxes is None or deps.seals is None:
        raise NoMail("No mail is set up for this process.")
    if row.sealed is None:
        raise AccessGone("This mailbox is not connected.")
    try:
        secret = deps.seals.open(row.sealed, tenant_id=row.tenant_id, kind=SEAL_KIND, row_id=row.id)
    except Unsealable:
        raise AccessGone("The key that this mailbox's access was sealed with is not there any more.") from None
    if row.kind == "gmail":
        return deps.mailboxes.gmail(row.address, secret)
    return deps.mailboxes.server(ServerAccount(**orjson.loads(secret)))


def access_is_gone(exc: BaseException) -> bool:
    """Does this say that the provider does not let us in any more, or that we have nothing to ask with?"""
    return isinstance(exc, AccessGone) or (isinstance(exc, Rejected) and exc.is_credential_fault)


def in_words(exc: BaseException) -> str:
    """What a person is told of a provider's failure: its words, without anything of ours in them."""
    if isinstance(exc, Rejected) and exc.is_credential_fault and exc.provider == "gmail":
        # Google's own words are about tokens.
        return "Google does not let us in any more: the consent was withdrawn or has run out."
    if isinstance(exc, ProviderError):
        return exc.message[:500] or "It gave no reason."
    if isinstance(exc, TimeoutError):
        return "It did not answer in time."
    return str(exc)[:500] or type(exc).__name__
