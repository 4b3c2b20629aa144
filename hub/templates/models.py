"""Templates and snippets as they go in and out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StringConstraints

from hub.http.paging import PageQuery

MAX_HTML = 200_000

Kind = Literal["template", "snippet"]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Folder = Annotated[str, StringConstraints(strip_whitespace=True, max_length=120)]
Shortcut = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,32}$")]
Subject = Annotated[str, StringConstraints(max_length=1000)]


def _not_endless(value: str) -> str:
    if len(value) > MAX_HTML:
        raise ValueError(f"It is longer than {MAX_HTML:,} characters.")
    return value


Html = Annotated[str, AfterValidator(_not_endless)]


class TemplateOwner(BaseModel):
    """A member."""

    id: UUID
    name: str


class Template(BaseModel):
    """A template or snippet with its present text. `shortcut` is what a snippet is put in by."""

    id: UUID
    kind: Kind
    name: str
    folder: str
    shortcut: str | None
    shared: bool
    owner: TemplateOwner | None
    version: int
    subject: str
    html: str
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None


class TemplatePage(BaseModel):
    """A page of templates, by name."""

    data: list[Template]
    next_cursor: str | None


class TemplateIn(BaseModel):
    """A new template or snippet. One's own unless `shared`, which everybody may then use and change."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind = "template"
    name: Name
    folder: Folder = ""
    shortcut: Shortcut | None = None
    shared: StrictBool = False
    subject: Subject = ""
    html: Html = ""


class TemplatePatch(BaseModel):
    """What to change. A changed text is a new version; `archived` false brings an archived one back."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    folder: Folder | None = None
    shortcut: Shortcut | None = None
    shared: StrictBool | None = None
    subject: Subject | None = None
    html: Html | None = None
    archived: StrictBool | None = None


class TemplateFilter(PageQuery):
    """Which templates; `name` is a name's beginning. Archived ones are left out unless asked for."""

    kind: Kind | None = None
    folder: Annotated[str | None, Field(max_length=120)] = None
    name: Annotated[str | None, Field(max_length=120)] = None
    archived: bool = False


class TemplateVersion(BaseModel):
    """A text that a template has had."""

    version: int
    subject: str
    html: str
    created_at: datetime
    created_by: TemplateOwner | None


class TemplateVersions(BaseModel):
    """Every text, newest first."""

    data: list[TemplateVersion]


class PreviewIn(BaseModel):
    """A text to fill in for a contact, as it would be sent by whoever asks, from a mailbox if one is given."""

    model_config = ConfigDict(extra="forbid")

    subject: Subject = ""
    html: Html = ""
    contact_id: UUID | None = None
    mailbox_id: UUID | None = None


class PreviewProblem(BaseModel):
    """What would stop the send: a variable without a value, or (then `variable` is subject or html) a text that can't be read."""

    variable: str
    message: str


class TemplatePreview(BaseModel):
    """The mail as the contact would get it, with gaps where values are missing; `problems` is empty when it may be sent."""

    subject: str
    html: str
    text: str
    problems: list[PreviewProblem]


class UseIn(BaseModel):
    """The draft that the template was put into."""

    model_config = ConfigDict(extra="forbid")

    draft_id: UUID


class Variable(BaseModel):
    """Something that templates may name."""

    name: str
    title: str


class Variables(BaseModel):
    """Every variable, those that contacts have of their own at the end."""

    data: list[Variable]


class VersionResult(BaseModel):
    """What became of mail written from one version. Opens and clicks are people's, of the mails in which they were looked for."""

    version: int
    sent: int
    delivered: int
    opens_tracked: int
    opened: int
    clicks_tracked: int
    clicked: int
    replied: int
    bounced: int
    unsubscribed: int


class TemplateResults(BaseModel):
    """What became of a template's mail, by version, newest first, and all together."""

    data: list[VersionResult]
    total: VersionResult
