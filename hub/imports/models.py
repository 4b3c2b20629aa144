"""What goes into and comes out of the import endpoints."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from hub.imports.merging import Duplicates

State = Literal["queued", "running", "done", "failed", "undone"]


class Import(BaseModel):
    """An import. `rows` is null until the file has been read; created, updated, skipped and failed add up to `processed`."""

    id: UUID
    filename: str
    state: State
    rows: int | None
    processed: int
    created: int
    updated: int
    skipped: int
    failed: int
    warnings: int = Field(
        description="Imported rows of which something was not taken as it stood, such as a second number that is not valid."
    )
    kept: int = Field(description="Contacts an undo left alone because somebody worked on them since.")
    error: str | None
    created_at: datetime
    finished_at: datetime | None
    created_by: UUID | None


class ImportPage(BaseModel):
    """A page of imports."""

    data: list[Import]
    next_cursor: str | None


class ImportId(BaseModel):
    """The import that was begun."""

    id: UUID


class PreviewForm(BaseModel):
    """The form of a preview."""

    file: bytes = Field(description="The file, or its first 256 KiB.", json_schema_extra={"format": "binary"})
    mapping: str | None = Field(default=None, description='JSON: {"Column": "field" or null}. Columns left out are guessed.')
    default_region: str = Field(default="US", description="ISO 3166 country of the numbers without a country code.")


class ImportForm(PreviewForm):
    """The form of an import."""

    duplicates: Duplicates = Field(default="update", description="What happens to contacts that are there already.")


class Column(BaseModel):
    """A column of the file, what it is taken for, and some of its values."""

    name: str
    field: str | None
    samples: list[str]


class FieldChoice(BaseModel):
    """Something a column can be mapped to."""

    field: str
    label: str


class PreviewRow(BaseModel):
    """A row as it would be imported, and what is wrong with it. A row that `fails` would not be imported."""

    line: int
    contact: dict[str, Any]
    problems: list[str]
    fails: bool


class Preview(BaseModel):
    """What a file looks like before it is imported."""

    encoding: str
    delimiter: str
    columns: list[Column]
    fields: list[FieldChoice]
    rows: list[PreviewRow]
