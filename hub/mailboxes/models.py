"""Mailboxes as they go in and out."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from integrations.mail import MailboxKind

MailboxState = Literal["connecting", "syncing", "active", "revoked", "failing", "paused", "disconnected"]
Visibility = Literal["private", "team", "everyone"]
MeterState = Literal["current", "behind", "unmeasured", "stale", "first_sync", "failing", "revoked", "paused", "disconnected"]
RuleKind = Literal["address", "domain", "label", "subject"]
Security = Literal["tls", "starttls"]

_Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
_Host = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=253, pattern=r"^[A-Za-z0-9.:\-_]+$")]
_Port = Annotated[int, Field(ge=1, le=65535)]
_Address = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=3, max_length=320, pattern=r"^[^\s@<>,;\"]+@[^\s@<>,;\"]+$")
]
_Days = Annotated[int, Field(ge=1, le=3650, description="How many days of older mail are taken in.")]


class MailboxPerson(BaseModel):
    """Whose mailbox it is."""

    id: UUID
    name: str


class MailboxTeam(BaseModel):
    """The team that shares it."""

    id: UUID
    name: str


class WarmUp(BaseModel):
    """A new sender begins with `start` mails on the day `started_on` and sends `add` more each day, up to its caps."""

    model_config = ConfigDict(extra="forbid")

    started_on: date
    start: Annotated[int, Field(ge=1, le=10_000)]
    add: Annotated[int, Field(ge=1, le=10_000)]


class Caps(BaseModel):
    """How much a mailbox sends by itself at the most, and its bounces (per mille) after which it stops."""

    per_hour: int
    per_day: int
    per_week: int
    min_gap_s: int
    warm_up: WarmUp | None
    bounce_limit_permille: int


class FirstSync(BaseModel):
    """How far the older mail is taken in; `total` is null until it was counted."""

    state: Literal["waiting", "running", "done"]
    done: int
    total: int | None


class Meter(BaseModel):
    """How far a mailbox is behind its provider: measured by comparing with it, null where nobody has measured."""

    behind: int | None
    oldest_s: Annotated[int | None, Field(description="How long the oldest missing message has been there, in seconds.")]
    measured_at: datetime | None
    last_sync_at: datetime | None
    pushes: Annotated[bool | None, Field(description="Whether the provider is known to tell of new mail by itself.")]
    state: MeterState
    words: str
    first_sync: FirstSync


class Mailbox(BaseModel):
    """A mailbox and how it stands."""

    id: UUID
    user: MailboxPerson
    team: MailboxTeam | None
    kind: MailboxKind
    address: str
    display_name: str
    state: MailboxState
    visibility: Visibility
    signature_html: str
    sync_read: bool
    sync_labels: bool
    sync_since: datetime
    caps: Caps
    meter: Meter
    error: str | None
    stopped_reason: Annotated[str | None, Field(description="Why it sends nothing by itself any more.")]
    created_at: datetime


class MailboxPage(BaseModel):
    """A page of mailboxes."""

    data: list[Mailbox]
    next_cursor: str | None


class ServerMailboxIn(BaseModel):
    """A mailbox at a server that speaks IMAP and SMTP. It is tried before it is kept."""

    model_config = ConfigDict(extra="forbid")

    address: _Address
    display_name: _Name = ""
    username: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=320)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    imap_host: _Host
    imap_port: _Port = 993
    imap_security: Security = "tls"
    smtp_host: _Host
    smtp_port: _Port = 465
    smtp_security: Security = "tls"
    team_id: UUID | None = None
    visibility: Visibility | None = None
    since_days: _Days = 90


class GoogleIn(BaseModel):
    """Which mailbox is to be asked for at Google."""

    model_config = ConfigDict(extra="forbid")

    team_id: UUID | None = None
    login_hint: Annotated[str, StringConstraints(strip_whitespace=True, max_length=320)] = ""
    visibility: Visibility | None = None
    since_days: _Days = 90


class ConsentPage(BaseModel):
    """Where the person is to be sent; from there they come back by themselves."""

    url: str


class GoogleAnswer(BaseModel):
    """What Google sends the browser back with."""

    model_config = ConfigDict(extra="ignore")

    state: str = ""
    code: str = ""
    error: str = ""


class CapsPatch(BaseModel):
    """The caps to change."""

    model_config = ConfigDict(extra="forbid")

    per_hour: Annotated[int | None, Field(ge=1, le=10_000)] = None
    per_day: Annotated[int | None, Field(ge=1, le=100_000)] = None
    per_week: Annotated[int | None, Field(ge=1, le=500_000)] = None
    min_gap_s: Annotated[int | None, Field(ge=0, le=86_400)] = None
    warm_up: WarmUp | None = None
    bounce_limit_permille: Annotated[int | None, Field(ge=1, le=1000)] = None


class MailboxPatch(BaseModel):
    """What is to change about a mailbox. An earlier `sync_since` takes older mail in.

    `user_id` gives it to another member, with the mail in it: its owner may, and an admin when the owner is no active member.
    """

    model_config = ConfigDict(extra="forbid")

    display_name: _Name | None = None
    visibility: Visibility | None = None
    team_id: UUID | None = None
    signature_html: Annotated[str | None, StringConstraints(max_length=50_000)] = None
    sync_read: bool | None = None
    sync_labels: bool | None = None
    sync_since: datetime | None = None
    caps: CapsPatch | None = None
    user_id: UUID | None = None


class DisconnectQuery(BaseModel):
    """What becomes of the mail that was taken in."""

    model_config = ConfigDict(extra="forbid")

    erase: Annotated[bool, Field(description="Delete the mail that was taken in, too.")] = False


class MailLabelOut(BaseModel):
    """A label (folder) of the mailbox's own; mail under a private one is seen by the mailbox's owner only."""

    id: str
    name: str
    private: bool


class Labels(BaseModel):
    """The labels of a mailbox."""

    data: list[MailLabelOut]


class PrivacyRule(BaseModel):
    """Mail that only the mailbox's owner sees: to or from an address or a domain, under a label (its id), or with words in the
    subject."""

    id: UUID
    kind: RuleKind
    value: str


class PrivacyRules(BaseModel):
    """The privacy rules of a mailbox or of the company."""

    rules: list[PrivacyRule]


class PrivacyRuleIn(BaseModel):
    """A privacy rule."""

    model_config = ConfigDict(extra="forbid")

    kind: RuleKind
    value: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=320)]


class PrivacyIn(BaseModel):
    """The whole list of rules, in place of the present one."""

    model_config = ConfigDict(extra="forbid")

    rules: Annotated[list[PrivacyRuleIn], Field(max_length=500)]
