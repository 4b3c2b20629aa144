"""What the statements of calls, legs and lines are asked in the large company of test_plans."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.plan_cases import Big

Params = dict[str, Any]

NOW = datetime.now(UTC)


def reads_of_calls(big: Big) -> dict[str, list[Params]]:
    """The reads, by feature and name, with what to ask."""
    page: Params = {"limit": 51, "call_id": big.call}
    middle: Params = {"after": NOW - timedelta(days=40), "after_id": big.contact}
    person: Params = {"person_id": big.rep}
    leg: Params = {"call_id": big.live_call, "id": big.contact}
    return {
        "calls.live_calls_of": [{"rep_id": big.rep}],
        "calls.parallel_siblings": [{"rep_id": big.rep, "id": big.call}],
        "calls.has_live_inbound": [{"contact_id": big.busy_contact}],
        "calls.lock_leg": [leg],
        "calls.live_legs": [{"call_id": big.live_call}, {"call_id": big.call}],
        "calls.was_their_call": [person | {"call_id": big.call}],
        "calls.other_call_of": [person | {"call_id": big.call}],
        "calls.get_listeners": [{"call_id": big.live_call}, {"call_id": big.call}],
        "calls.unheard_legs": [{"silent_s": 3.0, "limit": 200}],
        "calls.person_name": [person],
        "calls.list_audit": [page, page | middle, page | {"hide_listeners": True}],
        "calls.call_of_sid": [{"sid": "CAacme18"}],
        "lines.get_voice_settings": [{}],
        "lines.get_choice": [person],
        "lines.get_line": [{"id": big.contact}],
        "lines.line_of": [person],
        "lines.lock_line": [{"id": big.contact}],
        "lines.known_line_sids": [{"sids": ["CAline7", "CAline8"]}],
        "lines.unheard_lines": [{"silent_s": 3.0, "limit": 200}],
        "lines.legs_on_line": [{"line_id": big.contact}],
        "lines.is_deserted": [person | {"away_s": 30.0}],
        "lines.line_sid": [{"id": big.contact}],
    }


def writes_of_calls(big: Big) -> dict[str, list[Params]]:
    """The writes that look for what they change."""
    call: Params = {"id": big.call}
    leg: Params = {"id": big.contact}
    return {
        "calls.set_note": [call | {"note": "x"}],
        "calls.set_call_error": [call | {"error": "x"}],
        "calls.set_rep": [call | {"rep_id": big.rep, "holds_rep": True}],
        "calls.abandon_call": [call],
        "calls.set_answered_by": [call | {"answered_by": "human"}],
        "calls.set_outcome": [call | {"outcome": "voicemail"}],
        "calls.set_hold": [call | {"on": True}],
        "calls.adopt_conference": [call | {"conference_sid": "CF"}],
        "calls.set_line_kind": [call | {"line_kind": "bridge"}],
        "calls.move_leg": [leg | {"state": "left", "error": None}],
        "calls.ask_leg": [leg | {"address": "client:x"}],
        "calls.unask_leg": [leg],
        "calls.adopt_leg_sid": [leg | {"sid": "CAnew"}],
        "calls.ask_leg_to_leave": [leg],
        "calls.set_leg_muted": [leg | {"muted": True}],
        "calls.set_leg_mode": [leg | {"mode": "listen"}],
        "calls.make_leg_the_reps": [leg],
        "calls.mark_takes_over": [leg | {"takes_over": "warm"}],
        "calls.end_legs": [{"call_id": big.live_call}, {"call_id": big.call}],
        "calls.touch_leg": [leg | {"silent_s": 1.0}],
        "lines.ask_line": [leg],
        "lines.unask_line": [leg],
        "lines.adopt_line_sid": [leg | {"sid": "CAnew"}],
        "lines.open_line": [leg],
        "lines.end_line": [leg | {"error": None}],
        "lines.ask_line_to_end": [leg],
        "lines.move_line": [leg | {"call_id": None}],
        "lines.hear_line": [leg],
        "lines.touch_line": [leg | {"silent_s": 1.0}],
    }


INSERTED = (
    "calls.insert_inbound",
    "calls.insert_leg",
    "calls.insert_joined_leg",
    "calls.insert_audit",
    "lines.put_voice_settings",
    "lines.put_choice",
    "lines.insert_line",
)
