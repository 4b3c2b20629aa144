"""What the statements of audit and privacy are asked in the large company of tests.test_plans."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

Params = dict[str, Any]

NOW = datetime.now(UTC)
UNKNOWN = UUID(int=9)


def reads(rep: UUID, contact: UUID) -> dict[str, list[Params]]:
    """The reads, by feature and name, with what to ask."""
    page: Params = {"limit": 51}
    middle: Params = {"after": NOW - timedelta(days=40), "after_id": contact}
    filters: list[Params] = [
        {},
        {"actor_id": rep},
        {"actor_id": UNKNOWN},
        {"action": "recording."},
        {"action": "rare.thing"},
        {"action": "none.such"},
        {"subject_id": contact},
        {"since": NOW - timedelta(days=50), "until": NOW - timedelta(days=49)},
    ]
    lists = [page | chosen | after for chosen in filters for after in ({}, middle)]
    subject: Params = {"id": contact}
    return {
        "audit.has_lately": [{"subject_id": contact, "action": "recording.listened", "sitting_s": 600}],
        "audit.list_entries": lists,
        "audit.export_entries": lists,
        "audit.list_actions": [{}],
        "mail.whose_thread": [{"id": UNKNOWN}],
        "mail.whose_message": [{"id": UNKNOWN}],
        "privacy.list_requests": [page, page | middle],
        "privacy.get_request": [{"id": UNKNOWN}],
        "privacy.lock_request": [{"id": UNKNOWN}],
        "privacy.contact_label": [subject],
        "privacy.member_label": [{"id": rep}],
        "privacy.company_label": [{}],
        "privacy.what_costs_money": [{}],
        "privacy.live_calls": [subject],
        "privacy.running_imports": [{}],
        "privacy.recordings_of_contact": [subject],
        "privacy.old_recordings": [{"limit": 500}],
        "privacy.log_bounds": [{}],
        "privacy.get_retention": [{}],
        "privacy.person": [{"id": rep}],
        "privacy.people": [{}],
    }


def writes(contact: UUID) -> dict[str, list[Params]]:
    """The writes."""
    return {
        "privacy.set_progress": [{"id": UNKNOWN, "step": "", "done": 0, "total": 0}],
        "privacy.note_erased": [{"id": UNKNOWN, "counts": "{}", "files": [], "needles": []}],
        "privacy.settle_request": [
            {"id": UNKNOWN, "state": "done", "error": None, "counts": None, "object_key": None, "bytes": None, "keep_days": 7}
        ],
        "privacy.forget_exports": [{"id": UNKNOWN, "subject_kind": "contact", "subject_id": contact}],
        "privacy.forget_file": [{"id": UNKNOWN}],
        "privacy.request_under_way": [{"id": contact, "subject_kind": "contact"}],
    }


WRITES_ONE = "it writes one row"
NOT_LOOKED_AT = {
    "audit.audit_outside": WRITES_ONE,
    "audit.audit_person": WRITES_ONE,
    "core.append_audit": "it writes the rows it is given",
    "privacy.insert_request": WRITES_ONE,
    "privacy.set_retention": WRITES_ONE,
    "privacy.close_member": WRITES_ONE,
    "privacy.note_closed": WRITES_ONE,
    "privacy.tables": "it reads the catalogue",
    "privacy.files_to_export": "an export reads all there is, in a job",
    "privacy.company_files": "erasing a company reads all there is, in a job",
    "privacy.erase_contact": "it erases all of a contact, once, in a job",
    "privacy.erase_member": "it erases all of a person, once, in a job",
    "privacy.erase_traces": "it erases what is left of a person, once, in a job",
    "privacy.erase_from_events": "it reads a piece of the log, in a job",
    "privacy.erase_company": "it erases some thousand rows a table, in a job",
    "privacy.purge_old": "it takes some hundred rows, at night",
    "privacy.retention_due": "one row a company",
    "privacy.exports_expired": "one row an export",
}
