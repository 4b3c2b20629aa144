"""The mail port: what a mailbox at a provider is to the features, and the values it gives and takes.

Mail travels as RFC 5322 bytes (`integrations.mime` reads and writes them). Errors are those of `integrations.errors`: a
credential that was revoked raises `Rejected` with `is_credential_fault`, a history that is gone raises `HistoryGone`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

MailboxKind = Literal["gmail", "imap"]
# The folders and marks that every provider has a word for; other labels keep the provider's name.
SystemLabel = Literal["inbox", "sent", "draft", "spam", "trash", "unread", "starred", "important"]


class HistoryGone(Exception):
    """The provider can't tell any more what changed since the cursor: everything must be compared anew."""


@dataclass(frozen=True, slots=True)
class MailboxProfile:
    """Whose mailbox it is. `cursor` is the provider's present place in the history, `messages` how many there are."""

    address: str
    cursor: str
    messages: int


@dataclass(frozen=True, slots=True)
class MessageRef:
    """A message at the provider. `id` never changes; an empty `thread_id` means that the provider knows no threads."""

    id: str
    thread_id: str = ""


@dataclass(frozen=True, slots=True)
class MessagePage:
    """References, newest first, and where the next page begins (None: this was the last)."""

    refs: tuple[MessageRef, ...]
    next_page: str | None
    estimated_total: int | None = None


@dataclass(frozen=True, slots=True)
class RawMessage:
    """A message as the provider keeps it. `labels` are system labels and the provider's own ids; `size` is in bytes."""

    ref: MessageRef
    raw: bytes
    labels: frozenset[str]
    received_at: datetime
    size: int


@dataclass(frozen=True, slots=True)
class LabelChange:
    """What became of a known message's labels."""

    ref: MessageRef
    added: frozenset[str]
    removed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Changes:
    """What happened since a cursor, each message once. `cursor` is the place to go on from; `more` says go on at once."""

    added: tuple[MessageRef, ...]
    deleted: tuple[MessageRef, ...]
    labels: tuple[LabelChange, ...]
    cursor: str
    more: bool = False


@dataclass(frozen=True, slots=True)
class MailLabel:
    """A label or folder of the mailbox's own."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Watch:
    """Pushes are on until `expires_at`; `cursor` is the place in the history at that moment."""

    cursor: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SentMail:
    """A message that the provider has sent: its reference and the Message-ID it really went out with."""

    ref: MessageRef
    message_id: str


@dataclass(frozen=True, slots=True)
class GoogleClient:
    """The OAuth client that mailboxes are connected with. Empty addresses mean Google itself, an empty topic no pushes.

    Pushes are signed as `push_account` for `push_audience`.
    """

    client_id: str
    client_secret: str = field(repr=False)
    api_url: str = ""
    oauth_url: str = ""
    topic: str = ""
    push_account: str = ""
    push_audience: str = ""


@dataclass(frozen=True, slots=True)
class GoogleGrant:
    """What a person has granted: `refresh_token` is the secret that lasts."""

    refresh_token: str = field(repr=False)
    scopes: frozenset[str]
    address: str


@dataclass(frozen=True, slots=True)
class ServerAccount:
    """A mailbox reached by IMAP and SMTP. `security` is tls (from the first byte) or starttls."""

    address: str
    username: str
    password: str = field(repr=False)
    imap_host: str
    imap_port: int
    smtp_host: str
    smtp_port: int
    imap_security: Literal["tls", "starttls", "none"] = "tls"
    smtp_security: Literal["tls", "starttls", "none"] = "tls"


@dataclass(frozen=True, slots=True)
class Push:
    """A genuine push: something changed in this address's mailbox. `delivery_id` names the delivery."""

    address: str
    cursor: str
    delivery_id: str


class Mailbox(Protocol):
    """One mailbox at its provider. Built for one job, closed after it; calls go through the guard."""

    kind: MailboxKind

    async def profile(self) -> MailboxProfile:
        """Whose it is and where its history stands."""
        ...

    async def list_messages(self, *, since: datetime | None = None, page: str | None = None, limit: int = 500) -> MessagePage:
        """Messages received at or after `since`, newest first, without spam, trash and drafts."""
        ...

    async def fetch(self, refs: Sequence[MessageRef]) -> list[RawMessage]:
        """These messages, whole; those that are gone are left out."""
        ...

    async def changes(self, cursor: str) -> Changes:
        """What happened since. Raises HistoryGone when the provider can't say."""
        ...

    async def labels(self) -> list[MailLabel]:
        """The mailbox's own labels (folders), without the system's."""
        ...

    async def change_labels(self, ref: MessageRef, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
        """Set and take labels, `unread` among them. A message that is gone is let be."""
        ...

    async def check_sending(self) -> None:
        """See that mail would be taken from us; nothing is sent."""
        ...

    async def send(self, raw: bytes, *, thread_id: str = "") -> SentMail:
        """Send, into a thread where the provider knows threads. Never repeated by itself: after an ambiguous
        `Transient` look with `find_sent`."""
        ...

    async def find_sent(self, message_id: str, *, to: str, since: datetime) -> SentMail | None:
        """The message with this Message-ID (ours, also where the provider gave it another) among those sent since."""
        ...

    async def save_draft(self, raw: bytes, *, thread_id: str = "", draft_id: str | None = None) -> str:
        """Put a draft there, or a new version of it; its id."""
        ...

    async def delete_draft(self, draft_id: str) -> None:
        """Remove a draft; gone already is fine."""
        ...

    async def watch(self) -> Watch | None:
        """Have pushes come; None where the provider has none (then it is asked again and again)."""
        ...

    async def unwatch(self) -> None:
        """Have no more pushes."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class GoogleIdentity(Protocol):
    """Google's consent: from the address to send the browser to, to the grant that comes back."""

    def consent_url(self, *, state: str, code_challenge: str, redirect_uri: str, login_hint: str = "") -> str:
        """Where the person is asked (RFC 7636 with S256, offline access)."""
        ...

    async def exchange(self, *, code: str, code_verifier: str, redirect_uri: str) -> GoogleGrant:
        """Trade the code in. Raises Rejected when Google does not take it."""
        ...

    async def revoke(self, refresh_token: str) -> None:
        """Give the grant back; gone already is fine."""
        ...


class PushReader(Protocol):
    """Reads pushes. Raises ValueError for a forgery or for what is no push."""

    async def read(self, authorization: str, body: bytes) -> Push:
        """Check the bearer token (signature, audience, issuer, the sender's verified address), then read the body."""
        ...


class Mailboxes(Protocol):
    """Opens mailboxes from what is kept of them."""

    def gmail(self, address: str, refresh_token: str) -> Mailbox:
        """A Gmail mailbox. The credential is checked when it is first used."""
        ...

    def server(self, account: ServerAccount) -> Mailbox:
        """A mailbox by IMAP and SMTP."""
        ...
