"""What the statements of roles and API keys are asked in the large company of tests.test_plans."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

Params = dict[str, Any]
UNKNOWN = UUID(int=9)


def reads(rep: UUID) -> dict[str, list[Params]]:
    """The reads, by feature and name, with what to ask."""
    page: Params = {"limit": 51}
    middle: Params = {"after_key": datetime.now(UTC) - timedelta(days=3), "after_id": UNKNOWN}
    return {
        "roles.list_roles": [{}],
        "roles.get_role": [{"id": UNKNOWN}],
        "roles.lock_role": [{"id": UNKNOWN}],
        "roles.count_roles": [{}],
        "api_keys.list_keys": [page, page | middle, page | {"owner_id": rep}, page | middle | {"owner_id": rep}],
        "api_keys.get_key": [{"id": UNKNOWN}],
        "api_keys.count_keys": [{}],
    }


def writes() -> dict[str, list[Params]]:
    """The writes that look for what they change."""
    return {
        "roles.update_role": [{"id": UNKNOWN, "name": "x", "base": "rep", "permissions": []}],
        "roles.delete_role": [{"id": UNKNOWN}],
        "roles.note_role_changed": [{"id": UNKNOWN}],
        "api_keys.use_key": [{"hash": b"x", "address": "192.0.2.1"}],
        "api_keys.end_key": [{"id": UNKNOWN}],
        "api_keys.note_key_ended": [{"id": UNKNOWN}],
    }


INSERTS = ("roles.insert_role", "api_keys.insert_key")
