"""What the statements of meetings and of answers are asked in the large company of tests.test_plans."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

Params = dict[str, Any]

NOW = datetime.now(UTC)
# As tests/big_company.sql makes them.
MAILBOX = UUID("00000000-0000-7000-8000-000000000101")
SEND = UUID("00000000-0000-7000-8003-000000000010")
ENROLMENT = UUID("00000000-0000-7000-8008-000000000010")
MEETING = UUID("00000000-0000-7000-8011-000000000010")


def reads(contact: UUID, contacts: Sequence[UUID], rep: UUID) -> dict[str, list[Params]]:
    """The reads, by feature and name, with what to ask."""
    page: Params = {"limit": 51, "contact_id": contact}
    meeting: list[Params] = [{"id": MEETING}]
    return {
        "meetings.list_meetings": [
            page,
            page | {"upcoming": True, "now": NOW},
            page | {"after": NOW - timedelta(days=3), "after_id": MEETING},
        ],
        "meetings.get_meeting": meeting,
        "meetings.meeting_told": meeting,
        "meetings.lock_meeting": meeting,
        "meetings.lock_known": [{"mailbox_id": MAILBOX, "uid": "meeting-77"}],
        "meetings.mailbox_to_invite_from": [{}, {"mailbox_id": MAILBOX}],
        "meetings.contact_to_invite": [{"contact_id": contact}, {"contact_id": contact, "to": "nobody@example.com"}],
        "replies.written_to": [{"contact_ids": list(contacts[:5]), "mailbox_id": MAILBOX}],
        "replies.copied_contacts": [{"send_id": SEND, "address_lc": "home5@mail.example.org"}],
        "replies.contact_of_send": [{"send_id": SEND}],
        "replies.address_of_send": [{"send_id": SEND}],
        "replies.contact_name": [{"contact_id": contact}],
        "replies.whose_enrolments": [{"ids": [ENROLMENT]}],
        "replies.member_name": [{"person_id": rep}],
    }


def writes() -> dict[str, list[Params]]:
    """The writes that look for what they change."""
    return {"meetings.update_meeting": [{"id": MEETING, "state": "canceled", "sequence": 1}]}


INSERTS = ["meetings.insert_meeting"]
