"""What happens to contacts."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from pydantic import BaseModel

from hub.contacts.models import Contact
from hub.events import Event, declare


class ContactData(BaseModel):
    """The contact as it is now."""

    contact: Contact


class ContactGone(BaseModel):
    """Which contact is gone."""

    contact_id: UUID


@declare
@dataclass(frozen=True, slots=True)
class ContactCreated(Event):
    """Somebody added a contact."""

    type = "contact.created"
    subject_kind = "contact"
    data_model = ContactData


@declare
@dataclass(frozen=True, slots=True)
class ContactUpdated(Event):
    """Somebody changed a contact."""

    type = "contact.updated"
    subject_kind = "contact"
    data_model = ContactData


@declare
@dataclass(frozen=True, slots=True)
class ContactDeleted(Event):
    """Somebody deleted a contact; it can be restored."""

    type = "contact.deleted"
    subject_kind = "contact"
    data_model = ContactGone
    audited = True


@declare
@dataclass(frozen=True, slots=True)
class ContactRestored(Event):
    """A deleted contact is back."""

    type = "contact.restored"
    subject_kind = "contact"
    data_model = ContactData
    audited = True


@declare
@dataclass(frozen=True, slots=True)
class ContactHandedOver(Event):
    """A contact went to another owner where not everybody sees everything: others see it now. Everybody is told, so that those
    who don't any more put it away; it is no more than an id."""

    type = "contact.handed_over"
    subject_kind = "contact"
    data_model = ContactGone
