"""What the statements of mail are asked in the large company of tests.test_plans."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

Params = dict[str, Any]

NOW = datetime.now(UTC)
NOBODY = UUID(int=9)
BOX = UUID("00000000-0000-7000-8000-000000000107")
THREAD = UUID("00000000-0000-7000-8001-000000004000")
MESSAGE = UUID("00000000-0000-7000-8002-000000040002")
SEND = UUID("00000000-0000-7000-8003-000000000405")
DRAFT = UUID("00000000-0000-7000-8003-000000000401")
IDS = [f"<m{n:06}1@acme.test>" for n in range(100)]
ADDRESSES = ["someone@example.com", "home5@mail.example.org", "nobody@example.com"]


def reads(contact: UUID) -> dict[str, list[Params]]:
    """The reads, by feature and name, with what to ask."""
    page: Params = {"limit": 51}
    middle: Params = {"after": NOW - timedelta(days=20), "after_id": THREAD}
    searched: Params = {"mailbox_id": None, "contact_id": None, "unread": False, "after": None, "after_id": None}
    views: list[Params] = [
        {"inbox": True},
        {"mine": True},
        {"unassigned": True},
        {"snoozed": True},
        {"done": True},
        {"sent": True},
        {},
    ]
    return {
        "mail.list_threads": [
            page | view | more for view in views for more in ({}, middle, {"unread": True}, {"mailbox_id": BOX})
        ],
        "mail.list_threads_of_contact": [page | view | {"contact_id": contact} for view in views],
        "mail.search_threads": [
            page | searched | {"q": "zebra"},
            page | searched | {"q": "zebra"} | middle,
            page | searched | {"q": "hor", "mailbox_id": BOX},
            page | searched | {"q": "zebra", "contact_id": contact, "unread": True},
        ],
        "mail.get_thread": [{"id": THREAD}],
        "mail.read_thread_json": [{"id": THREAD}],
        "mail.thread_items": [{"thread_id": THREAD}],
        "mail.get_message": [{"id": MESSAGE}],
        "mail.get_attachment": [{"message_id": MESSAGE, "index": 1}],
        "mail.audience": [{"id": THREAD}],
        "mail.mailbox_for_mail": [{"mailbox_id": BOX, "provider_id": "p0040002", "ids": IDS[:2]}],
        "mail.find_parents": [{"ids": IDS}],
        "mail.thread_of_provider": [{"mailbox_id": BOX, "provider_thread_id": "t004000"}],
        "mail.threads_of_subject": [{"mailbox_id": BOX, "subject_key": "subject 4000", "around": NOW}],
        "mail.contacts_of_addresses": [{"addresses": ADDRESSES}],
        "mail.contacts_of_message": [{"message_id": MESSAGE}],
        "mail.known_message": [{"id": MESSAGE}],
        "mail.message_of_copy": [{"mailbox_id": BOX, "provider_id": "p0040002"}],
        "mail.thread_participants": [{"id": THREAD}],
        "mail.newest_inbound": [{"thread_id": THREAD}],
        "mail.may_be_assigned": [{"id": THREAD, "person_id": NOBODY}],
        "mail.who_writes": [{"id": THREAD}],
        "mail.threads_waking": [{"now": NOW, "limit": 500}],
        "mail.messages_to_judge": [{"mailbox_id": BOX, "limit": 500}, {"mailbox_id": BOX, "after": MESSAGE, "limit": 500}],
        "mail.threads_to_erase": [{"mailbox_id": BOX, "limit": 200}],
        "mail.files_of_threads": [{"ids": [THREAD]}],
        "mail_sends.list_drafts": [page, page | middle],
        "mail_sends.list_sends": [
            page,
            page | middle,
            page | {"state": "failed"},
            page | {"state": "unsure"},
            page | {"state": "sent", "mailbox_id": BOX},
        ],
        "mail_sends.get_draft": [{"id": DRAFT}],
        "mail_sends.lock_draft": [{"id": DRAFT}],
        "mail_sends.get_send": [{"id": SEND}],
        "mail_sends.send_for_event": [{"id": SEND}],
        "mail_sends.lock_send": [{"id": SEND}],
        "mail_sends.mailbox_to_write_from": [{"mailbox_id": BOX}],
        "mail_sends.mailbox_is_there": [{"mailbox_id": BOX}],
        "mail_sends.send_of_step": [{"step_run_id": NOBODY}],
        "mail_sends.contact_of_address": [{"address_lc": "home5@mail.example.org"}],
        "mail_sends.message_to_answer": [{"id": MESSAGE}],
        "mail_sends.last_of_send": [{"id": SEND}],
        "mail_sends.state_of_send": [{"id": SEND}],
        "mail_sends.suppressed_of": [{"addresses": ADDRESSES, "domains": ["example.com"]}],
        "mail_sends.sends_due": [{"now": NOW, "limit": 500}],
        "mail_sends.sends_unsettled": [{"limit": 500}],
    }


def writes(rep: UUID) -> dict[str, list[Params]]:
    """The writes that look for their rows, by feature and name, with what to ask; they are undone."""
    thread: Params = {"id": THREAD}
    send: Params = {"id": SEND}
    draft: Params = {"id": DRAFT}
    given: Params = dict.fromkeys(("mailbox_id", "to", "cc", "bcc", "html", "contact_id", "attachments"))
    return {
        "mail.renew_message": [
            {
                "id": MESSAGE,
                "provider_id": "p0040002",
                "provider_thread_id": "",
                "object_key": None,
                "labels": ["inbox"],
                "is_read": True,
                "trashed": False,
                "send_id": None,
            }
        ],
        "mail.label_message": [{"id": MESSAGE, "labels": ["inbox"], "is_read": True, "trashed": False}],
        "mail.privatize_message": [{"id": MESSAGE, "private": True}],
        "mail.drop_copy": [{"mailbox_id": BOX, "provider_id": "p0040002"}],
        "mail.settle_thread": [thread | {"participants": None, "contact_id": None, "opens": True}],
        "mail.mark_messages": [{"thread_id": THREAD, "is_read": False}],
        "mail.set_thread_state": [thread | {"state": "done", "until": None}],
        "mail.wake_thread": [thread | {"now": NOW}],
        "mail.assign_thread": [thread | {"assignee_id": rep}],
        "mail.hold_pen": [thread | {"lease_s": 10.0}],
        "mail.drop_pen": [thread],
        "mail.erase_threads": [{"ids": [THREAD]}],
        "mail_sends.update_draft": [draft | given | {"subject": "Hello"}],
        "mail_sends.delete_draft": [draft],
        "mail_sends.launch_send": [draft | {"send_at": None, "undo_s": 10.0, "contact_id": None, "now": NOW}],
        "mail_sends.back_to_draft": [draft],
        "mail_sends.move_send": [send | {"state": "failed", "error": "x"}],
        "mail_sends.hold_send": [send | {"error": "x", "wait_s": 60.0}],
        "mail_sends.look_later": [send | {"wait_s": 60.0}],
        "mail_sends.ask_send": [send | {"permit_id": None, "now": NOW}],
        "mail_sends.unask_send": [send],
        "mail_sends.want_no_more": [{"id": SEND, "reason": "x"}],
        "mail_sends.adopt_provider_id": [send | {"provider_id": "x", "sent_at": NOW}],
        "mail_sends.thread_of_send": [send | {"thread_id": THREAD}],
        "mail_sends.set_provider_draft": [draft | {"draft_id": "r1"}],
    }


INSERTS = ("mail.insert_thread", "mail.insert_message", "mail.add_copy", "mail_sends.insert_send")
NOT_LOOKED_AT = {
    "mail.lock_mailbox_mail": "it reads no table",
    "mail.blank_sends": "all of a mailbox's, once, when it is erased",
}
