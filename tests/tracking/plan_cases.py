"""What the statements of templates, tracking, unsubscribing and bounces are asked in the large company of tests.test_plans."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

Params = dict[str, Any]

NOW = datetime.now(UTC)
BOX = UUID("00000000-0000-7000-8000-000000000107")
SEND = UUID("00000000-0000-7000-8003-000000000405")
TEMPLATE = UUID("00000000-0000-7000-8004-000000000007")
HIT = UUID("00000000-0000-7000-8005-000000000405")
UNKNOWN = UUID(int=9)


def reads(rep: UUID, contact: UUID, some_contacts: list[UUID]) -> dict[str, list[Params]]:
    """The reads, by feature and name, with what to ask."""
    page: Params = {"limit": 51}
    middle: Params = {"after": NOW - timedelta(days=3), "after_id": SEND}
    return {
        "templates.sender_facts": [{"person_id": rep, "mailbox_id": BOX}, {"person_id": rep, "mailbox_id": None}],
        "templates.contact_facts": [{"contact_ids": [contact]}, {"contact_ids": some_contacts[:100]}],
        "templates.custom_names": [{}],
        "templates.list_templates": [
            page | given | after
            for given in (
                {"live": True},
                {"archived": True},
                {"live": True, "kind": "snippet"},
                {"live": True, "name": "template 7"},
            )
            for after in ({}, {"after": "template 5", "after_id": TEMPLATE})
        ],
        "templates.get_template": [{"id": TEMPLATE, "sees_all": False}, {"id": UNKNOWN, "sees_all": True}],
        "templates.lock_template": [{"id": TEMPLATE}],
        "templates.list_versions": [{"id": TEMPLATE}],
        "templates.is_own_draft": [{"draft_id": SEND}],
        "templates.results": [{"id": TEMPLATE}, {"id": UNKNOWN}],
        "tracking.get_settings": [{}],
        "tracking.get_domain": [{}],
        "tracking.domain_set": [{}],
        "tracking.domain_in_use": [{}],
        "tracking.domains_to_check": [{"after": timedelta(days=1), "limit": 1000}],
        "tracking.places_of_contact": [{"contact_id": contact}],
        "tracking.links_of": [{"send_id": SEND}],
        "tracking.link_of": [{"send_id": SEND, "position": 1}],
        "tracking.lock_tracked": [{"send_id": SEND}],
        "tracking.hits_of": [{"send_id": SEND}],
        "tracking.thread_of": [{"send_id": SEND}],
        "tracking.get_tracked": [{"send_id": SEND}],
        "unsubscribes.mail_of_token": [{"send_id": SEND}],
        "unsubscribes.contacts_of_address": [{"address_lc": "home5@mail.example.org"}, {"address_lc": "nobody@example.com"}],
        "unsubscribes.is_suppressed": [{"address_lc": "gone77"}, {"address_lc": "nobody@example.com"}],
        "unsubscribes.list_unsubscribes": [page, page | middle],
        "bounces.sent_to": [{"send_id": SEND}],
        "bounces.soft_bounces": [{"address_lc": "bounced405@mail.example.org", "at": None}],
        "bounces.rate_of_mailbox": [{"mailbox_id": BOX, "of": 200}],
        "bounces.list_bounces": [given | after for given in (page, page | {"mailbox_id": BOX}) for after in ({}, middle)],
        "permits.look_many": [{"contact_ids": some_contacts[:20], "at": None}],
    }


def writes(rep: UUID) -> dict[str, list[Params]]:
    """The writes that look for what they change."""
    return {
        "tracking.note_domain": [{"domain": "links.example.com", "at": NOW, "problem": None}],
        "templates.update_template": [
            {
                "id": TEMPLATE,
                "name": None,
                "folder": "x",
                "shared": None,
                "sets_shortcut": False,
                "shortcut": None,
                "current_version": None,
            }
        ],
        "templates.archive_template": [{"id": TEMPLATE, "archived": True}],
        "tracking.add_hit": [
            {"send_id": SEND, "kind": "open", "position": None, "method": "GET", "agent": "x", "address": "192.0.2.7"}
        ],
        "tracking.judge_hits": [{"ids": [HIT], "rules": ["agent"]}],
        "tracking.count_hits": [{"send_id": SEND}],
        "tracking.note_reply": [{"send_id": SEND, "at": None}],
        "unsubscribes.resubscribe": [{"address_lc": "gone405@mail.example.org"}],
        "bounces.note_stop": [{"id": UNKNOWN}],
    }


INSERTS = (
    "templates.insert_template",
    "templates.insert_version",
    "templates.note_use",
    "tracking.save_settings",
    "tracking.begin_tracking",
    "tracking.keep_links",
    "unsubscribes.unsubscribe",
    "bounces.add_bounce",
)
