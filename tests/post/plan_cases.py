"""What the statements of letters, notifications and pushes are asked in the large company of tests.test_plans."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

Params = dict[str, Any]

# As tests/big_company.sql makes it.
LETTER = UUID("00000000-0000-7000-8035-000000000010")
_MIDDLE: Params = {"after": datetime.now(UTC) - timedelta(days=3), "after_id": LETTER}
_SESSION: Params = {"session_id": UUID(int=7)}


def reads(rep: UUID) -> dict[str, list[Params]]:
    """The reads, by feature and name, with what to ask."""
    page: Params = {"limit": 51}
    return {
        "post.list_letters": [page, page | _MIDDLE, page | {"state": "failed"}, page | {"state": "failed"} | _MIDDLE],
        "post.get_letter": [{"id": LETTER}],
        "post.test_values": [{}],
        "post.admins": [{}],
        "notifications.wishes_of": [{"person_id": rep, "topic": "tasks"}],
        "notifications.choices_of": [{}],
        "notifications.hours_of": [{"person_id": rep}],
        "notifications.reader_of": [{"person_id": rep}],
        "notifications.to_push": [{"id": LETTER}],
        "push.list_devices": [_SESSION],
        "push.devices_of": [{"person_id": rep}],
        "push.own_device": [{"id": LETTER}],
        "push.open_device": [{"id": LETTER}],
    }


def writes(rep: UUID) -> dict[str, list[Params]]:
    """The writes that look for what they change."""
    return {
        "post.retry_letter": [{"id": LETTER}],
        "notifications.take_to_mail": [{"person_id": rep}],
        "notifications.take_to_push": [{"person_id": rep}],
        "post.erase_letters": [{"words": ["home5@mail.example.org", "Ada Lovelace"]}],
        "notifications.forget_choices": [{"person_id": rep}],
        "notifications.forget_hours": [{"person_id": rep}],
        "push.drop_all_of": [{"person_id": rep}],
        "push.drop_oldest": [{"most": 10}],
        "push.drop_own": [{"id": LETTER}],
        "push.drop_device": [{"id": LETTER}],
        "push.reseal_device": [{"id": LETTER, "before": "x", "after": "y"}],
        "push.note_push": [{"id": LETTER, "error": None}],
    }


INSERTS = ["post.insert_letter", "post.post_letter", "notifications.choose", "notifications.set_hours", "push.put_device"]
NOT_LOOKED_AT = {
    "post.claim_letters": "for all companies at once, along letters_due",
    "post.settle_letter": "it changes one letter by its key",
    "post.letters_of_nobody": "along letters_newest, for a sandbox",
    "post.letters_forget": "for all companies at once, along letters_by_age",
    "post.installation_secret": "an installation has a handful of them",
    "post.installation_secret_reseal": "an installation has a handful of them",
}
