"""What the statements of sequences are asked in the large company of tests.test_plans."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hub.http.paging import LATEST

Params = dict[str, Any]

NOW = datetime.now(UTC)
# As tests/big_company.sql makes them.
SEQUENCE = UUID("00000000-0000-7000-8006-000000000001")
SMALL = UUID("00000000-0000-7000-8006-000000000005")
STEP = UUID("00000000-0000-7000-8007-000000000011")
VARIANT = UUID("00000000-0000-7000-8010-000000000011")
ENROLMENT = UUID("00000000-0000-7000-8008-000000000010")
RUN = UUID("00000000-0000-7000-8009-000000000010")
SEND = UUID("00000000-0000-7000-8003-000000000010")
BOXES = [UUID(f"00000000-0000-7000-8000-000000000{n}") for n in (101, 107, 111)]


def reads(contact: UUID, contacts: Sequence[UUID], rep: UUID) -> dict[str, list[Params]]:
    """The reads, by feature and name, with what to ask."""
    page: Params = {"limit": 51}
    sequence: list[Params] = [{"id": SEQUENCE}]
    enrolment: list[Params] = [{"id": ENROLMENT}]
    filters: list[Params] = [
        {},
        {"owner_id": rep},
        {"stage": "lead"},
        {"tag": "rare"},
        {"company": "firm 12"},
        {"updated_since": NOW},
    ]
    return {
        "sequences.get_settings": [{}],
        "sequences.hold_settings": [{}],
        "sequences.look_at_settings": [{}],
        "sequences.quiet_days": [{}],
        "sequences.list_sequences": [
            page,
            page | {"state": "active"},
            page | {"after": NOW - timedelta(days=3), "after_id": SEQUENCE},
        ],
        "sequences.get_sequence": sequence,
        "sequences.lock_sequence": sequence,
        "sequences.sequence_rules": [{"ids": [SEQUENCE, SMALL]}],
        "sequences.steps_of": [{"ids": [SEQUENCE, SMALL]}],
        "sequences.step_ids": sequence,
        "sequences.variant_ids": sequence,
        "sequences.known_templates": [{"ids": [UUID(int=1)]}],
        "sequences.variants_of": [{"ids": [STEP]}],
        "sequences.get_variant": [{"id": VARIANT}],
        "sequences.census": sequence,
        "sequences.sequences_moved": [{"margin_s": 15.0, "limit": 500}],
        "sequences.reasons": sequence,
        "sequences.results_by_variant": sequence,
        "sequences.first_replies": [{"sequence_id": SEQUENCE, "step_id": STEP, "sample": 100, "before": NOW}],
        "enrolments.list_enrolments": [
            page | {"sequence_id": SEQUENCE},
            page | {"sequence_id": SEQUENCE, "after_id": ENROLMENT},
            page | {"sequence_id": SEQUENCE, "state": "paused"},
            page | {"sequence_id": SEQUENCE, "state": "finished", "after_id": ENROLMENT},
            page | {"contact_id": contact},
        ],
        "enrolments.get_enrolment": enrolment,
        "enrolments.get_enrolments": [{"ids": [ENROLMENT]}],
        "enrolments.get_with_runs": enrolment,
        "enrolments.find_contacts_after": [{"query": "family12", "after": None, "limit": 100}],
        "enrolments.page_of_contacts": [given | {"limit": 500, "after": after} for given in filters for after in (None, contact)]
        + [{"limit": 500, "found": list(contacts)}],
        "enrolments.candidates": [{"ids": list(contacts)[:50], "sequence_id": SEQUENCE, "again": False, "since": LATEST}],
        "enrolments.own_mailboxes": [{}],
        "enrolments.caps_of": [{"ids": BOXES}],
        "enrolments.taken_by_mailbox": [
            {"ids": BOXES, "since": NOW - timedelta(days=1), "planned": True},
            {"ids": BOXES, "since": NOW - timedelta(days=1)},
        ],
        "enrolments.taken_by_domain": [
            {"domains": ["firm3.example", "firm7.example"], "since": NOW - timedelta(days=1), "planned": True},
            {"domains": ["firm3.example", "firm7.example"], "since": NOW - timedelta(days=1)},
        ],
        "enrolments.people_wrote": [{"mailbox_id": BOXES[0], "domain": "firm3.example", "since": NOW - timedelta(days=1)}],
        "enrolments.sequences_to_plan": [{"now": NOW, "limit": 500}],
        "enrolments.enrolments_due": [{"now": NOW - timedelta(days=2), "limit": 100}],
        "enrolments.enrolments_to_resume": [{"now": NOW + timedelta(days=30), "limit": 500}],
        "enrolments.runs_to_settle": [{"limit": 500}],
        # What the company was filled with is all new; what is asked for is never more than a minute old.
        "enrolments.contacts_to_stop": [{"since": NOW + timedelta(minutes=5), "limit": 500}],
        "enrolments.claim_to_plan": [{"now": NOW + timedelta(days=30), "limit": 200}],
        "enrolments.lock_enrolment": enrolment,
        "enrolments.claim_enrolment": enrolment,
        "enrolments.live_of_contacts": [{"contact_ids": list(contacts)[:50]}],
        "enrolments.live_of_sequence": [{"id": SEQUENCE, "limit": 200}],
        "enrolments.stage_of": [{"ids": list(contacts)[:50]}],
        "enrolments.facts_now": [{"id": contact, "person_id": rep}],
        "enrolments.had_step": [{"enrolment_id": ENROLMENT, "step_id": STEP}],
        "enrolments.steps_had": [{"enrolment_id": ENROLMENT}],
        "enrolments.enrolment_of_run": [{"id": RUN}],
        "enrolments.claim_run": [{"id": RUN}],
        "enrolments.waiting_messages_of": [{"ids": [ENROLMENT]}],
        "enrolments.may_go_on": [{"id": ENROLMENT, "run_id": RUN}],
        "enrolments.open_runs_of": [{"ids": [ENROLMENT]}],
        "enrolments.last_mail": [{"enrolment_id": ENROLMENT}],
        "enrolments.mails_of": [{"enrolment_id": ENROLMENT}],
        "enrolments.position_of": [{"id": STEP}],
        "enrolments.kind_of_step": [{"id": STEP}],
    }


def writes() -> dict[str, list[Params]]:
    """The writes that look for what they change."""
    sequence: Params = {"id": SEQUENCE}
    return {
        "sequences.update_sequence": [sequence | {"set_name": True, "name": "x"}],
        "sequences.set_state": [sequence | {"state": "paused"}],
        "sequences.delete_sequence": [sequence],
        "sequences.lift_steps": [sequence],
        "sequences.lift_variants": [sequence],
        "sequences.keep_census": [sequence | {"counts": "{}"}],
        "enrolments.save_plans": [
            {
                "ids": [ENROLMENT],
                "phases": ["act"],
                "dues": [NOW],
                "slot_kinds": ["email"],
                "caps_keys": ["k"],
                "explanations": ["[]"],
            }
        ],
        "enrolments.move_enrolment": [{"id": ENROLMENT, "set_words": True, "words": "x"}],
        "enrolments.take_run_up": [{"id": RUN}],
        "enrolments.note_run": [{"id": RUN, "state": "done", "set_words": True, "words": "x"}],
        "enrolments.mark_send": [{"send_id": SEND, "reply": True}],
        "enrolments.mark_last": [{"enrolment_id": ENROLMENT, "bounce": True, "kind": "email"}],
        "enrolments.leave_step": [{"sequence_id": SMALL, "step_id": STEP, "to_step": STEP, "now": NOW}],
        "enrolments.end_at_step": [{"sequence_id": SMALL, "step_id": STEP, "now": NOW}],
        "enrolments.replan_sequence": [{"id": SMALL, "now": NOW}],
    }


INSERTS = [
    "sequences.save_settings",
    "sequences.begin_settings",
    "sequences.insert_sequence",
    "sequences.put_step",
    "sequences.put_variant",
    "enrolments.insert_enrolments",
    "enrolments.insert_run",
]
