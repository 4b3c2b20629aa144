"""What the statements of mailboxes are asked in the large company of tests.test_plans."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

Params = dict[str, Any]

NOW = datetime.now(UTC)
NOBODY = UUID(int=9)
BOX = UUID("00000000-0000-7000-8000-000000000107")
SOME = [UUID(f"00000000-0000-7000-8000-{number:012}") for number in range(101, 121)]
IDS = [f"p{number:06}1" for number in range(500)]


def reads(rep: UUID) -> dict[str, list[Params]]:
    """The reads, by feature and name, with what to ask."""
    page: Params = {"limit": 51}
    box: Params = {"mailbox_id": BOX}
    one: Params = {"id": BOX}
    seen: Params = {"is_manager": True}
    listed = page | seen
    return {
        "mailboxes.list_mailboxes": [listed, listed | {"after_key": "box12@acme.test", "after_id": BOX}],
        "mailboxes.get_mailbox": [one | seen],
        "mailboxes.mailbox_json": [one],
        "mailboxes.mailbox_meter": [one],
        "mailboxes.get_row": [one],
        "mailboxes.mailboxes_at_rest": [{"owner_id": rep}],
        "mailboxes.mailboxes_to_rest": [{"limit": 500}],
        "mailboxes.lock_row": [one],
        "mailboxes.is_visible": [one],
        "mailboxes.team_people": [{"of_team": NOBODY}],
        "mailboxes.find_by_address": [{"address_lc": "box7@acme.test", "owner_id": rep}],
        "mailboxes.known_messages": [box | {"ids": IDS}],
        "mailboxes.list_labels": [box],
        "mailboxes.list_rules": [box, {"mailbox_id": None}],
        "mailboxes.rules_that_hold": [box],
        "mailboxes.live_mailboxes": [{}],
        "mailboxes.waiting_changes": [box | {"limit": 100}],
        "mailboxes.member_of": [{"member_id": rep}],
        "mailboxes.team_exists": [{"to_team": NOBODY}],
        "mailboxes.is_in_team": [{"to_team": NOBODY}],
        "mailboxes.mailboxes_of_address": [{"address_lc": "box7@acme.test"}],
        "mailboxes.mailboxes_to_poll": [{"limit": 500}],
        "mailboxes.mailboxes_to_measure": [{"limit": 200}],
        "mailboxes.mailboxes_to_watch": [{"limit": 200}],
        "mailboxes.mailboxes_to_reseal": [{"prefix": "v1.secret.", "limit": 200}],
    }


def writes() -> dict[str, list[Params]]:
    """The writes, by feature and name, with what to ask."""
    box: Params = {"mailbox_id": BOX}
    one: Params = {"id": BOX}
    held = box | {"kind": "changes", "fence": 1}
    return {
        "mailboxes.connect_again": [one | {"sealed": "x", "kind": "gmail"}],
        "mailboxes.update_mailbox": [one | {"set_display_name": True, "display_name": "x"}],
        "mailboxes.move_mailbox": [one | {"state": "failing", "error": "x"}],
        "mailboxes.resume_mailbox": [one],
        "mailboxes.rest_mailboxes": [{"owner_id": BOX}],
        "mailboxes.wake_mailbox": [one],
        "mailboxes.stop_sending": [one | {"reason": "x"}],
        "mailboxes.disconnect_mailbox": [one],
        "mailboxes.forget_secret": [one],
        "mailboxes.reseal": [one | {"sealed": "x", "was": "y"}],
        "mailboxes.set_watch": [one | {"until": NOW}],
        "mailboxes.note_push": [one],
        "mailboxes.distrust_pushes": [one],
        "mailboxes.queue_syncs": [{"ids": SOME, "lost_after_s": 30.0}],
        "mailboxes.postpone_polls": [{"ids": SOME}],
        "mailboxes.begin_sync": [one],
        "mailboxes.save_cursor": [one | {"cursor": "7"}],
        "mailboxes.set_first_cursor": [one | {"cursor": "7"}],
        "mailboxes.note_failure": [one | {"error": "x"}],
        "mailboxes.set_first_sync": [one | {"first_sync": '{"state": "done", "done": 0}'}],
        "mailboxes.compare_soon": [one],
        "mailboxes.restart_history": [one],
        "mailboxes.touch_history": [one],
        "mailboxes.resume_history": [one | {"lost_after_s": 60.0}],
        "mailboxes.take_lease": [box | {"kind": "changes", "lease_s": 12.0}],
        "mailboxes.ask_again": [box | {"kind": "changes"}],
        "mailboxes.hold_lease": [held | {"lease_s": 12.0}],
        "mailboxes.heed_again": [held],
        "mailboxes.release_lease": [held],
        "mailboxes.note_deleted": [box | {"ids": IDS[:50]}],
        "mailboxes.note_measured": [one | {"behind": 1, "oldest_at": NOW - timedelta(minutes=1), "soon_s": 60.0, "whole": True}],
        "mailboxes.put_off_measuring": [{"ids": SOME, "soon_s": 60.0}],
        "mailboxes.forget_labels": [box | {"ids": ["x"]}],
        "mailboxes.mark_private_labels": [box],
        "mailboxes.clear_rules": [box],
        "mailboxes.changes_are_told": [{"ids": SOME}],
        "mailboxes.forget_changes": [box],
        "mailboxes.forget_messages": [box | {"limit": 200}],
        "mailboxes.oauth_state_take": [{"state_hash": b"x"}],
    }


INSERTS = [
    f"mailboxes.{name}"
    for name in (
        "insert_mailbox",
        "note_taken",
        "note_problem",
        "put_labels",
        "add_rules",
        "add_change",
        "insert_oauth_state",
    )
]
NOT_LOOKED_AT = {"mailboxes.forget_old": "once an hour, over all companies"}
