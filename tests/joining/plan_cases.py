"""What the statements of joining, leaving and handing over are asked in the large company of tests.test_plans."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

Params = dict[str, Any]

NOW = datetime.now(UTC)
ANY = UUID(int=9)
ACCEPT: Params = {"hash": b"x", "person_id": ANY, "name": "Ada", "password_hash": None}


def reads(rep: UUID) -> dict[str, list[Params]]:
    """The reads, by feature and name, with what to ask."""
    page: Params = {"limit": 51}
    middle: Params = page | {"after": NOW - timedelta(days=3), "after_id": ANY}
    one: list[Params] = [{"id": ANY}]
    return {
        "joining.signup_look": [{"hash": b"x"}],
        "joining.person": [{"person_id": rep}],
        "joining.invitation_look": [{"hash": b"x"}],
        "joining.member_by_address": [{"email_lc": "acme7@example.com"}],
        "joining.list_invitations": [page, middle, page | {"open": True}, middle | {"open": True}],
        "joining.count_open": [{}],
        "joining.get_invitation": one,
        "joining.lock_invitation": one,
        "joining.company_name": [{}],
        "joining.inviter_of": one,
        "joining.teams_of": [{"member_id": rep}],
        "company.get_company": [{}],
        "company.get_zone": [{}],
        "company.companies_of": [{"person_id": rep}],
        "handovers.list_handovers": [page, middle],
        "handovers.get_handover": one,
        "handovers.lock_handover": one,
        "handovers.count_belongings": [{"from_id": rep, "most": 10_000}, {"from_id": ANY, "most": 10_000}],
        "handovers.mailboxes_of": [{"from_id": rep, "limit": 10}],
        "handovers.standing_of": [{"member_id": rep}],
        "visibility.out_of_sight": [{"people": [rep, ANY]}],
        "teams.members_of": [{"teams": [ANY]}],
        "post.invited_as": [{"email_lc": "acme7@example.com"}],
    }


def writes(rep: UUID, heir: UUID) -> dict[str, list[Params]]:
    """The writes that look for what they change."""
    batches: list[Params] = [
        {"from_id": rep, "to_id": heir, "limit": 250},
        {"from_id": rep, "to_id": None, "limit": 250},
        {"from_id": ANY, "to_id": heir, "limit": 250},
    ]
    to_somebody = [batch for batch in batches if batch["to_id"] is not None]
    whole = [{name: batch[name] for name in ("from_id", "to_id")} for batch in batches]
    return {
        "joining.signup_finish": [ACCEPT],
        "joining.invitation_accept": [ACCEPT],
        "post.take_letter": [{"keys": ["acme7"], "limits": [10], "window_s": 3600}],
        "joining.take_attempt": [{"keys": ["acme7"], "limits": [10], "window_s": 900}],
        "joining.renew_invitation": [{"id": ANY, "hash": b"x", "ttl_s": 60}],
        "joining.withdraw_invitation": [{"id": ANY}],
        "joining.withdraw_invitations_of": [{"member_id": rep}],
        "company.update_company": [{"name": "Acme", "zone": None}],
        "company.set_role": [{"id": rep, "role": "admin"}],
        "company.leave": [{}],
        "company.rename_person": [{"name": "Ada"}],
        "handovers.note_counts": [{"id": ANY, "counts": "{}"}],
        "handovers.note_done": [{"id": ANY, "done": "{}"}],
        "handovers.finish_handover": [{"id": ANY}],
        **{f"handovers.give_{kind}": batches for kind in ("contacts", "tasks", "sequences", "conversations", "callbacks")},
        "handovers.give_enrolments": to_somebody,
        "handovers.give_templates": to_somebody,
        "handovers.join_queues": to_somebody,
        "handovers.give_numbers": whole,
        "handovers.give_routes": whole,
    }


INSERTS = [
    "joining.signup_begin",
    "joining.note_access_change",
    "joining.insert_invitation",
    "joining.add_invitation_teams",
    "handovers.insert_handover",
]
NOT_LOOKED_AT = {"joining.signups_forget": "once an hour, over the few sign-ups of a house"}
