"""What happens to API keys. Their owner hears of it, and the managers."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from hub.api_keys.models import ApiKey
from hub.events import Event, declare


class ApiKeyData(BaseModel):
    """The key as it is now."""

    api_key: ApiKey


@declare
@dataclass(frozen=True, slots=True)
class ApiKeyCreated(Event):
    """Somebody made an API key."""

    type = "api_key.created"
    subject_kind = "api_key"
    data_model = ApiKeyData
    audited = True
    audit_fields = ("api_key.name", "api_key.scopes", "api_key.expires_at")


@declare
@dataclass(frozen=True, slots=True)
class ApiKeyEnded(Event):
    """An API key was ended before it ran out."""

    type = "api_key.ended"
    subject_kind = "api_key"
    data_model = ApiKeyData
    audited = True
    audit_fields = ("api_key.name", "api_key.user.id")
