"""What happens to imports. A bulk change is announced by these, not contact by contact."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, Field

from hub.events import Event, declare
from hub.imports.models import Import


class ImportData(BaseModel):
    """The import as it is now."""

    # "import" is a keyword here; it is sent under that name all the same.
    imported: Import = Field(alias="import")


@declare
@dataclass(frozen=True, slots=True)
class ImportCreated(Event):
    """A file was uploaded and waits for a worker."""

    type = "import.created"
    subject_kind = "import"
    data_model = ImportData
    audited = True
    audit_fields = ("import.filename",)


@declare
@dataclass(frozen=True, slots=True)
class ImportProgressed(Event):
    """Some more rows are in, or an undo began."""

    type = "import.progressed"
    subject_kind = "import"
    data_model = ImportData


@declare
@dataclass(frozen=True, slots=True)
class ImportCompleted(Event):
    """All rows are dealt with."""

    type = "import.completed"
    subject_kind = "import"
    data_model = ImportData
    audited = True
    audit_fields = ("import.filename", "import.created", "import.updated")


@declare
@dataclass(frozen=True, slots=True)
class ImportFailed(Event):
    """The import could not go on; what is in stays and can be undone."""

    type = "import.failed"
    subject_kind = "import"
    data_model = ImportData
    audited = True
    audit_fields = ("import.filename",)


@declare
@dataclass(frozen=True, slots=True)
class ImportUndone(Event):
    """What the import did is taken back."""

    type = "import.undone"
    subject_kind = "import"
    data_model = ImportData
    audited = True
    audit_fields = ("import.filename",)
