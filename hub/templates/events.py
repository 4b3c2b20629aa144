"""What happens to templates."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from hub.events import Event, declare
from hub.templates.models import Template


class TemplateData(BaseModel):
    """The template as it is now."""

    template: Template


@declare
@dataclass(frozen=True, slots=True)
class TemplateCreated(Event):
    """Somebody wrote a template or snippet."""

    type = "template.created"
    subject_kind = "template"
    data_model = TemplateData


@declare
@dataclass(frozen=True, slots=True)
class TemplateUpdated(Event):
    """Somebody changed a template or snippet, or brought it back."""

    type = "template.updated"
    subject_kind = "template"
    data_model = TemplateData


@declare
@dataclass(frozen=True, slots=True)
class TemplateArchived(Event):
    """Somebody put a template or snippet away, or keeps it for themselves now."""

    type = "template.archived"
    subject_kind = "template"
    data_model = TemplateData
