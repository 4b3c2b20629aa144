"""What the statements of numbers, teams, incoming calls and messages are asked in the large company of tests.test_plans."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

Params = dict[str, Any]

NOW = datetime.now(UTC)
NOBODY = UUID(int=9)
HERE: Params = {"country": "US", "region": "CA", "area_code": "415"}
NUMBER = "+14152012345"


def reads(rep: UUID, contact: UUID, call: UUID) -> dict[str, list[Params]]:
    """The reads, by feature and name, with what to ask."""
    page: Params = {"limit": 51}
    middle: Params = {"after": NOW - timedelta(days=40), "after_id": contact}
    return {
        "teams.list_teams": [page, page | {"after_key": "team 3", "after_id": contact}],
        "teams.get_team": [{"id": NOBODY}],
        "teams.lock_team": [{"id": NOBODY}],
        "numbers.list_numbers": [page, page | {"current": True}, page | {"after_key": "+14155550120", "after_id": contact}],
        "numbers.get_number": [{"id": NOBODY}],
        "numbers.lock_number": [{"id": NOBODY}],
        "numbers.caller_id": [{**HERE, "caller_id": rep, "for_voice": True}, {**HERE, "caller_id": NOBODY, "for_sms": True}],
        "numbers.usable_number": [{"e164": "+14155550120", "caller_id": rep, "is_manager": False}],
        "inbound.contact_of_number": [{"e164": NUMBER}, {"e164": "+14159999999"}],
        "inbound.unknown_caller": [{}],
        "inbound.get_route": [{"number_id": NOBODY}],
        "inbound.company_name": [{}],
        "inbound.last_rep": [{"contact_id": contact}, {"contact_id": NOBODY}],
        "inbound.free_people": [
            {"call_id": call, "of_user": rep, "of_team": None, "limit": 10},
            {"call_id": call, "of_user": None, "of_team": NOBODY, "limit": 50},
        ],
        "inbound.rings_of_call": [{"call_id": call}],
        "inbound.answer_of_call": [{"call_id": call}],
        "inbound.ring_at": [{"call_id": call, "address": "client:x"}],
        "inbound.call_facts": [{"id": call}],
        "inbound.call_of_sid": [{"sid": "CAacme2"}],
        "inbound.recording_of_sid": [{"sid": "RECAacme2"}],
        "inbound.people_to_tell": [{"of_team": NOBODY}],
        "messages.list_messages": [page | {"contact_id": contact}, page | {"contact_id": contact} | middle],
        "messages.list_threads": [page, page | middle, page | {"unread": True}, page | {"unread": True} | middle],
        "messages.get_message": [{"id": NOBODY}],
        "messages.get_thread": [{"contact_id": contact}],
        "messages.lock_message": [{"id": NOBODY}],
        "messages.is_received": [{"sid": "SMacme7"}],
        "messages.last_sender": [{"contact_id": contact}],
        "messages.last_writer": [{"contact_id": contact}],
        "messages.whom_to_tell": [{"contact_id": contact, "number_id": NOBODY}],
        "messages.team_to_tell": [{"of_team": NOBODY}],
        "messages.known_sids": [{"sids": [f"SMacme{n}" for n in range(100)]}],
        "messages.unheard": [{"silent_s": 30.0, "limit": 200}],
        "messages.waiting_to": [{"e164": NUMBER}],
        "messages.company_name": [{}],
        "messages.digits_of": [{"number_id": NOBODY}],
    }


def writes(rep: UUID, contact: UUID, call: UUID) -> dict[str, list[Params]]:
    """The writes, by feature and name, with what to ask."""
    return {
        "teams.rename_team": [{"id": NOBODY, "name": "x"}],
        "teams.clear_members": [{"id": NOBODY}],
        "teams.delete_team": [{"id": NOBODY}],
        "numbers.ask_number": [{"id": NOBODY}],
        "numbers.unask_number": [{"id": NOBODY}],
        "numbers.record_bought": [{"id": NOBODY, "sid": "PN1", "voice": True, "sms": True}],
        "numbers.record_failed": [{"id": NOBODY, "error": "x"}],
        "numbers.begin_release": [{"id": NOBODY}],
        "numbers.record_released": [{"id": NOBODY}],
        "numbers.keep_number": [{"id": NOBODY, "error": "x"}],
        "numbers.forget_route": [{"id": NOBODY}],
        "numbers.update_number": [{"id": NOBODY, "set_label": True, "label": "x"}],
        "numbers.update_route": [{"id": NOBODY, "set_ring_s": True, "ring_s": 20}],
        "inbound.end_ring": [{"call_id": call, "person_id": rep, "result": "missed"}],
        "inbound.end_rings": [{"call_id": call, "result": "gone"}],
        "messages.touch_thread": [{"id": NOBODY, "unread": 1}],
        "messages.read_thread": [{"contact_id": contact}],
        "messages.ask_message": [{"id": NOBODY}],
        "messages.unask_message": [{"id": NOBODY}],
        "messages.adopt_sid": [{"id": NOBODY, "sid": "SM1"}],
        "messages.move_message": [{"id": NOBODY, "state": "sent", "error": None, "error_code": 30003}],
        "messages.hold_message": [{"id": NOBODY, "send_at": NOW, "held_for": "x"}],
        "messages.permit_message": [{"id": NOBODY, "permit_id": NOBODY}],
        "messages.touch_message": [{"id": NOBODY, "silent_s": 30.0}],
        "messages.start": [{"e164": NUMBER}],
    }


_INSERTS = "it inserts what it is given"
NOT_LOOKED_AT = {
    "teams.insert_team": _INSERTS,
    "teams.add_members": _INSERTS,
    "numbers.claim": "one row of a table by its key",
    "numbers.unclaim": "one row of a table by its key",
    "numbers.insert_number": _INSERTS,
    "numbers.ensure_route": _INSERTS,
    "inbound.one_at_a_time": "it reads no table",
    "inbound.add_ring": _INSERTS,
    "inbound.note_missed": _INSERTS,
    "inbound.note_voicemail": _INSERTS,
    "inbound.companies_of_shared": "before a company is known: two indexed looks for each company of the house",
    "messages.insert_message": _INSERTS,
    "messages.insert_received": _INSERTS,
    "messages.stop": _INSERTS,
}
