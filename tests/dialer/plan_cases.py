"""What the dialer's statements are asked in the large company of tests/test_plans.py: a queue of 100,000 items."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

# As tests/big_company.sql makes them.
QUEUE = UUID("00000000-0000-7000-8000-00000000d001")
SESSION = UUID("00000000-0000-7000-8000-00000000d002")
ITEM = UUID("00000000-0000-7000-8000-00000000d003")
CALL = UUID("00000000-0000-7000-8000-00000000d004")
NOW = datetime.now(UTC)

Params = dict[str, Any]


def reads(rep: UUID, contact: UUID, contacts: Sequence[UUID]) -> dict[str, list[Params]]:
    """The reads by name."""
    queue: list[Params] = [{"id": QUEUE}]
    session: list[Params] = [{"id": SESSION}]
    page: Params = {"limit": 51}
    items: Params = page | {"queue_id": QUEUE}
    return {
        "dialer.get_queue": queue,
        "dialer.list_queues": [
            page,
            page | {"state": "running"},
            page | {"after": NOW - timedelta(days=3), "after_id": QUEUE},
        ],
        "dialer.lock_queue": queue,
        "dialer.queue_facts": queue,
        "dialer.may_work": queue,
        "dialer.live_sessions_of_queue": queue,
        "dialer.known_contacts": [{"ids": list(contacts)}],
        "dialer.find_contacts_after": [
            {"query": "family12", "after": None, "limit": 100},
            {"query": "ada", "after": contact, "limit": 100},
        ],
        "dialer.census": queue,
        "dialer.census_by_outcome": queue,
        "dialer.queue_rest": queue,
        "dialer.list_items": [
            items,
            items | {"state": "skipped"},
            items | {"state": "callback"},
            items | {"state": "dialing"},
            items | {"state": "done", "after_id": ITEM},
            items | {"after_id": ITEM},
        ],
        "dialer.open_zones": queue,
        "dialer.get_item": [{"id": ITEM}],
        "dialer.claims_of_session": [{"session_id": SESSION}],
        "dialer.lock_session": session,
        "dialer.get_session": session,
        "dialer.current_session": [{}],
        "dialer.list_sessions": [{}, {"queue_id": QUEUE}],
        "dialer.session_of_call": [{"call_id": CALL}],
        "dialer.live_session_of_user": [{"rep": rep}],
        "dialer.open_attempts": [{"session_id": SESSION}],
        "dialer.attempt_of_call": [{"call_id": CALL}],
        "dialer.pace": [{"id": QUEUE, "wanted": 5}],
        "dialer.busy_with": [{"rep": rep}],
        "dialer.contact_on_call": [{"contact_id": contact}],
        "dialer.rep_presence": [{"rep": rep}],
        "dialer.callback_task_of_call": [{"call_id": CALL}],
        "dialer.sessions_due": [{"gone_s": 3.0, "limit": 500}],
        "dialer.queues_moved": [{"margin_s": 15.0, "limit": 500}],
    }


def writes(rep: UUID) -> dict[str, list[Params]]:
    """The writes by name. Batches are asked for fifty at a time."""
    queue: Params = {"id": QUEUE}
    claim: Params = {"queue_id": QUEUE, "session_id": SESSION, "rep": rep}
    call: list[Params] = [{"call_id": CALL}]
    batch: Params = {"queue_id": QUEUE, "limit": 50}
    return {
        "dialer.update_queue": [queue | {"set_name": True, "name": "Others"}],
        "dialer.clear_members": [queue],
        "dialer.set_queue_state": [queue | {"state": "paused"}],
        "dialer.delete_queue": [queue],
        "dialer.fill_batch": [
            batch,
            batch | {"after": ITEM},
            batch | {"stage": "rare"},
            batch | {"stage": "lead", "tag": "rare"},
            batch | {"company": "zenith"},
            batch | {"owner_id": rep, "updated_since": NOW - timedelta(days=30)},
        ],
        "dialer.advance_fill": [queue | {"after": ITEM}],
        "dialer.end_fill": [queue | {"state": "filled", "error": None}],
        "dialer.keep_census": [queue | {"counts": "{}"}],
        "dialer.claim_callback": [claim],
        "dialer.claim_retry": [claim],
        "dialer.claim_fresh": [
            claim | {"by_local_time": True, "zone": "America/Chicago"},
            claim | {"by_local_time": True, "zone": "Europe/Berlin"},
            claim | {"by_newest": True, "zones": ["America/Chicago", "America/Denver"]},
            claim | {"by_oldest": True, "zones": ["America/Chicago", "America/Denver"]},
            claim | {"by_name": True, "zones": ["America/Chicago", "America/Denver"]},
        ],
        "dialer.permit_item": [{"id": ITEM, "phone": "+12125550100", "permit_id": ITEM, "reason": "It is noon."}],
        "dialer.put_item": [
            {
                "id": ITEM,
                "state": "done",
                "permit_id": None,
                "not_before": None,
                "callback_for": None,
                "outcome": "busy",
                "reason_code": None,
                "reason": None,
            }
        ],
        "dialer.dial_item": [{"id": ITEM, "session_id": SESSION}],
        "dialer.note_items_call": [{"id": ITEM, "call_id": None}],
        "dialer.plan_callback": [{"id": ITEM, "at": NOW, "rep": rep}],
        "dialer.save_session": [
            {
                "id": SESSION,
                "state": "ready",
                "next_item_id": ITEM,
                "call_id": None,
                "lines": 1,
                "lines_used": 1,
                "lines_note": None,
                "is_automatic": True,
                "pause_asked": False,
                "leave_asked": False,
                "dial_at": None,
                "look_at": NOW,
                "note": None,
                "calls": 1,
                "connected": 0,
            }
        ],
        "dialer.mark_connected": call,
        "dialer.mark_abandoned": call,
        "dialer.settle_attempt": [call[0] | {"result": "busy"}],
        "dialer.set_one_line_since": [queue | {"is_one_line": True}],
    }


INSERTS = ("insert_queue", "add_members", "insert_session", "insert_attempt", "count_day")
