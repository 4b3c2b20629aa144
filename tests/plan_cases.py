"""What the statements are asked in the large company of test_plans. Why some are not asked at all stands in plan_reasons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hub.db import Database
from hub.who import Who
from tests.access import plan_cases as access
from tests.accounts import plan_cases as accounts
from tests.billing import plan_cases as billing
from tests.dialer import plan_cases as dialer
from tests.joining import plan_cases as joining
from tests.mail import plan_cases as mail
from tests.mailboxes import plan_cases as mailboxes
from tests.meetings import plan_cases as meetings
from tests.numbers import plan_cases as numbers
from tests.outgoing import plan_cases as outgoing
from tests.plan_lists import contact_lists, task_lists
from tests.plans_of_calls import reads_of_calls, writes_of_calls
from tests.post import plan_cases as post
from tests.privacy import plan_cases as privacy
from tests.sequences import plan_cases as sequences
from tests.sso import plan_cases as sso
from tests.tracking import plan_cases as tracking

NOW = datetime.now(UTC)
EVENT = {
    "actor": "{}",
    "actor_id": None,
    "types": ["a.b"],
    "audiences": ["tenant"],
    "subject_kinds": ["x"],
    "subject_ids": [UUID(int=9)],
    "data": ["{}"],
}

Params = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Big:
    """The large company, and things of it to ask for. `rare` owns a dozen contacts."""

    db: Database
    tenant_id: UUID
    rep: UUID
    rare: UUID
    contact: UUID
    busy_contact: UUID
    call: UUID
    live_call: UUID
    job: UUID
    dead_job: UUID
    import_id: UUID
    task: UUID
    some_contacts: list[UUID]
    hub_id: UUID

    @property
    def who(self) -> Who:
        return Who(self.tenant_id, self.rep, "owner")


def reads(big: Big) -> dict[str, list[Params]]:
    """The reads, by feature and name, with what to ask."""
    page: Params = {"limit": 51}
    middle: Params = {"after": NOW - timedelta(days=40), "after_id": big.contact}
    rooms = ["tenant", f"user:{big.rep}"]
    visible: Params = {"limit": 100, "rooms": rooms}
    queries = [
        "ada",
        "ada f",
        "fam",
        "family12",
        "firm 12",
        "zenith",
        "firm12.example.com",
        "ada.family7919.1",
        "415",
        "+1415200",
    ]
    queries += [
        "2012345",
        "41520",
        "example.com",
        "xyzzy",
        "ada zenith",
        "gus family77 firm",
        "a",
        "%",
        "none such at all",
        "com",
    ]
    addresses = [f"home{n * 5}@mail.example.org" for n in range(1, 500)]
    return {
        **joining.reads(big.rep),
        **accounts.reads(big.rep),
        **sso.reads(big.rep),
        **billing.reads(),
        **access.reads(big.rep),
        **dialer.reads(big.rep, big.contact, big.some_contacts),
        **numbers.reads(big.rep, big.contact, big.call),
        **mail.reads(big.contact),
        **outgoing.reads(),
        **post.reads(big.rep),
        **mailboxes.reads(big.rep),
        **tracking.reads(big.rep, big.contact, big.some_contacts),
        **privacy.reads(big.rep, big.busy_contact),
        **sequences.reads(big.contact, big.some_contacts, big.rep),
        **meetings.reads(big.contact, big.some_contacts, big.rep),
        "contacts.list_contacts": list(contact_lists(big)),
        "contacts.get_contact": [{"id": big.contact}],
        "contacts.contact_exists": [{"id": big.contact}],
        "contacts.moves_out_of_sight": [{"id": big.contact, "owner_id": big.rare}],
        "visibility.get_visibility": [{}],
        "teams.read_members": [{"id": UUID(int=1)}],
        "realtime.sights": [{}],
        "activities.insert_note": [{"contact_id": big.contact, "body": "Asked for an offer."}],
        "contacts.contact_phone": [{"id": big.contact}, {"id": big.contact, "e164": "+14152012345"}],
        "contacts.search_contacts": [{"query": q, "limit": 20} for q in queries],
        "contacts.facets": [{}],
        "activities.list_activities": [
            page,
            page | middle,
            page | {"contact_id": big.contact},
            page | {"contact_id": big.busy_contact},
            page | {"contact_id": big.busy_contact} | middle,
        ],
        **reads_of_calls(big),
        "calls.get_call": [{"id": big.call}],
        "calls.lock_call": [{"id": big.call}],
        "calls.list_calls": [
            given | after
            for given in (
                page,
                page | {"contact_id": big.contact},
                page | {"of_user": big.rep},
                page | {"queue_id": big.contact},
                page | {"of_user": big.rep, "states": ["queued", "dialing", "ringing", "in_progress"]},
                page | {"states": ["ringing"]},
                page | {"states": ["completed"]},
                page | {"states": ["failed"]},
                page | {"states": ["failed", "canceled"], "of_user": big.rep},
                page | {"since": NOW - timedelta(days=1)},
                page | {"since": NOW - timedelta(days=1), "of_user": big.rep},
                page | {"since": NOW - timedelta(days=1), "connected": True},
                page | {"since": NOW - timedelta(days=1), "unconnected": True},
                page | {"outcome": "connected"},
                page | {"outcome": "abandoned", "since": NOW - timedelta(days=1)},
                page | {"outcome": "abandoned"},
                page | {"disposition": "connected"},
                page | {"disposition": "none_such"},
                page | {"disposition": "none_such", "of_user": big.rep},
            )
            for after in ({}, middle)
        ],
        "calls.known_sids": [{"sids": [f"CAacme{n}" for n in range(0, 2000, 2)]}],
        "webhooks.get_delivery": [{"id": big.contact}],
        "calls.unheard": [{"silent_s": 3.0, "limit": 200}],
        "floor.floor": [{"since": NOW - timedelta(days=1), "audiences": [*rooms, "managers"]}],
        "floor.get_alert_rules": [{}],
        "floor.list_alerts": [page, page | middle, page | {"open": True}, page | {"open": True} | middle],
        "floor.alerts_tenants": [{}],
        "floor.alert_changes": [{}],
        "core.recall_idempotency_key": [{"key": "key 77"}],
        "imports.list_imports": [page, page | {"after_key": NOW - timedelta(days=40), "after_id": big.contact}],
        "imports.get_import": [{"id": big.import_id}],
        "imports.import_columns": [{"id": big.import_id}],
        "imports.failures": [{"id": big.import_id, "after_line": 5000, "limit": 500}],
        "imports.lock_import": [{"id": big.import_id}],
        "imports.chunk": [{"id": big.import_id, "position": 7}],
        "imports.members_by_name": [{}],
        "imports.known_owners": [{"ids": [big.rep]}],
        "imports.find_by_email": [{"addresses": addresses}],
        "imports.find_by_phone": [{"numbers": [f"+1415{2000000 + n}" for n in range(1, 500)], "extensions": [""] * 499}],
        "imports.lock_contacts": [{"ids": big.some_contacts}],
        "imports.next_changes": [{"id": big.import_id, "limit": 100}],
        "imports.next_created": [{"id": big.import_id}],
        "imports.created_contacts": [{"id": big.import_id, "ids": big.some_contacts}],
        "imports.not_findable": [{"id": big.import_id}],
        "imports.import_job": [{"key": "none"}],
        "imports.stuck_imports": [{}],
        "jobs.list_jobs": [
            given | after
            for given in (
                page,
                page | {"state": "dead"},
                page | {"state": "ready"},
                page | {"state": "done"},
                page | {"kind": "imports.run"},
                page | {"kind": "calls.dial"},
                page | {"kind": "none.such"},
                page | {"kind": "none.such", "state": "dead"},
            )
            for after in ({}, {"after_at": NOW - timedelta(days=3), "after_id": big.job})
        ],
        "jobs.jobs_due": [{"overdue_s": 0.0, "limit": 100}],
        "jobs.jobs_census": [{}],
        "jobs.lock_job": [{"job_id": big.job}],
        "recordings.list_recordings": [
            given | after
            for given in (page, page | {"of_user": big.rep}, page | {"contact_id": big.contact}, page | {"of_user": UUID(int=9)})
            for after in ({}, middle)
        ],
        "recordings.search_recordings": [
            {"of_user": None, "contact_id": None, "after": None, "after_id": None, **page, "query": words, **given}
            for words in ("hello", "zenith", "word77", "wor", "hello zenith", '"hello zenith"', "none such", "word1 word2 word3")
            for given in ({}, {"of_user": big.rep}, {"contact_id": big.contact}, middle)
        ],
        "recordings.get_recording": [{"id": big.call, "sees_all": False}],
        "recordings.spoken_text": [{"id": big.call}],
        "recordings.recordings_of_call": [{"call_id": big.call}],
        "recordings.call_rules": [{"call_id": big.call}],
        "recordings.recording_of_sid": [{"sid": "RECAacme77"}],
        "recordings.recording_under_way": [{"call_id": big.call}],
        "recordings.lock_call_of": [{"id": big.call}],
        "recordings.lock_recording": [{"id": big.call}],
        "recordings.role_of": [{"person_id": big.rep}],
        "recordings.expired": [{"limit": 200}],
        "recordings.unheard": [{"silent_s": 120.0, "limit": 200}],
        "voicemail.list_drops": [page, page | middle],
        "voicemail.get_drop": [{"id": big.contact}],
        "voicemail.file_of_drop": [{"id": big.contact}],
        "voicemail.get_call_drop": [{"call_id": big.call}],
        "voicemail.has_disposition": [{"value": "left_voicemail"}],
        "members.list_members": [page, page | {"after_key": "rep 2", "after_id": big.contact}],
        "members.get_member": [{"id": big.rep}],
        "members.lock_member": [{"id": big.rare}],
        "permits.look": [
            {"contact_id": big.contact, "channel": channel, "address": address, "at": None}
            for channel, address in (("call", "+14152020000"), ("sms", "+14152020000"), ("email", "home5@mail.example.org"))
        ],
        "permits.get_permit": [{"id": big.contact}],
        "permits.list_permits": [
            given | after
            for given in (
                page,
                page | {"contact_id": big.contact},
                page | {"allowed": True},
                page | {"refused": True},
                page | {"refused": True, "contact_id": big.contact},
                page | {"since": NOW - timedelta(days=1)},
            )
            for after in ({}, middle)
        ],
        "permits.contact_email": [{"id": big.contact}, {"id": big.contact, "address_lc": "nobody@example.com"}],
        "permits.get_suppression": [{"id": big.contact}],
        "permits.list_suppressions": [
            given | after
            for given in (
                page,
                page | {"kind": "phone"},
                page | {"kind": "domain"},
                page | {"value": "+1415"},
                page | {"value": "+14152012345"},
                page | {"value": "none such"},
                page | {"kind": "email", "value": "gone77"},
            )
            for after in ({}, middle)
        ],
        "permits.list_consents": [{"contact_id": big.contact}],
        "permits.list_quiet_days": [{}],
        "permits.get_settings": [{}],
        "leases.list_leases": [{}],
        "leases.lease_of": [{"contact_id": big.contact}],
        "leases.lost_leases": [{"limit": 500}],
        "presence.get_person": [{"person_id": big.rep}],
        "presence.is_connected": [{"person_id": big.rep}],
        "presence.call_state": [{"call_id": big.call}],
        "presence.list_stuck": [{"silent_s": 30.0, "limit": 500}],
        "presence.wrap_up_s": [{}],
        "presence.wrap_ups_over": [{"limit": 500}],
        "dispositions.list_dispositions": [{"active": True}, {}],
        "dispositions.get_disposition": [{"value": "busy"}],
        "dispositions.hold_dispositions": [{}],
        "dispositions.retry_rule": [{"value": "busy"}],
        "dispositions.get_follow_up": [{"call_id": big.call, "value": "callback"}],
        "tasks.list_tasks": list(task_lists(big)),
        "tasks.get_task": [{"id": big.task}],
        "tasks.lock_task": [{"id": big.task}],
        "tasks.open_task_of_call": [{"call_id": big.call, "kind": "callback"}],
        "tasks.tasks_untold": [{"limit": 200}],
        "tasks.is_active_member": [{"person_id": big.rep}],
        "notifications.list_notifications": [page, page | middle, page | {"unread": True}, page | {"unread": True} | middle],
        "notifications.count_unread": [{}],
        "notifications.active_managers": [{}],
        "realtime.tenant_heads": [{"tenants": [big.tenant_id]}],
        "realtime.read_events": [{"after": seq, "limit": 500} for seq in (50_000, 59_990)],
        "realtime.read_visible_events": [visible | {"after": seq} for seq in (None, 30_000, 59_990, 60_000)],
        "realtime.access_changes": [{"since": NOW - timedelta(minutes=2)}],
        "realtime.members_standing": [{"member_ids": [big.rep]}],
        "auth.find_user": [{"email_lc": "rep7@acme.test"}],
        "auth.companies": [{"user": big.rep}],
        "auth.user": [{"user": big.rep}],
    }


def writes(big: Big) -> dict[str, list[Params]]:
    """The writes that look for what they change."""
    ids: Params = {"ids": big.some_contacts}
    held: Params = {"job_id": big.job, "attempt": 1, "worker": "w"}
    call: Params = {"id": big.live_call}
    person: Params = {"person_id": big.rep}
    recording: Params = {"id": big.call}
    return {
        **access.writes(),
        **dialer.writes(big.rep),
        **numbers.writes(big.rep, big.contact, big.call),
        **mail.writes(big.rep),
        **outgoing.writes(),
        **post.writes(big.rep),
        **mailboxes.writes(),
        **tracking.writes(big.rep),
        **privacy.writes(big.contact),
        **sequences.writes(),
        **joining.writes(big.rep, big.rare),
        **accounts.writes(big.rep),
        **sso.writes(big.rep),
        **billing.writes(),
        **meetings.writes(),
        "contacts.update_contact": [{"id": big.contact, "set_title": True, "title": "x", "version": 1}],
        "contacts.delete_contact": [{"id": big.contact}],
        "contacts.restore_contact": [{"id": big.contact}],
        "contacts.clear_emails": [{"id": big.contact}],
        "contacts.clear_phones": [{"id": big.contact}],
        "contacts.clear_tags": [{"id": big.contact}],
        "contacts.forget_search": [{"id": big.contact}],
        "contacts.refresh_search": [{"id": big.contact}],
        **writes_of_calls(big),
        "calls.ask_call": [call],
        "calls.unask_call": [call],
        "calls.adopt_sid": [call | {"sid": "CAnew"}],
        "calls.move_call": [
            call
            | {"state": "completed", "answered_at": None, "ended_at": NOW, "outcome": "connected", "error": None}
            | {"answered_by": None}
        ],
        "calls.ask_hangup": [call],
        "calls.set_disposition": [call | {"disposition": "busy", "note": None}],
        "calls.touch_call": [call | {"silent_s": 1.0}],
        "core.append_events": [EVENT],
        "core.keep_idempotent_answer": [{"key": "key 77", "status": 200, "body": "{}"}],
        "imports.forget_upload": [{"id": big.import_id}],
        "imports.queue_import": [{"id": big.import_id, "duplicates": "skip", "region": "US", "mapping": "{}"}],
        "imports.forget_chunks": [{"id": big.import_id}],
        "imports.begin_run": [{"id": big.import_id, "encoding": "utf-8", "delimiter": ",", "columns": ["a"], "rows": 1}],
        "imports.advance": [
            {"id": big.import_id, "expected": 0, "rows": 1, "created": 1, "updated": 0, "skipped": 0, "failed": 0, "warnings": 0}
        ],
        "imports.finish_import": [{"id": big.import_id, "state": "done", "error": None}],
        "imports.update_contacts": [
            ids
            | {name: ["x"] * 200 for name in ("first_names", "last_names", "companies", "titles", "stages")}
            | {"owner_ids": [big.rep] * 200, "customs": ["{}"] * 200}
        ],
        "imports.clear_emails": [ids],
        "imports.clear_phones": [ids],
        "imports.clear_tags": [ids],
        "imports.clear_search": [ids],
        "imports.ask_undo": [{"id": big.import_id}],
        "imports.delete_contacts": [ids],
        "imports.forget_changes": [ids | {"id": big.import_id}],
        "imports.note_findable": [{"id": big.import_id, "start": 7000}],
        "imports.forget_created": [{"id": big.import_id, "start": 7000}],
        "imports.count_kept": [{"id": big.import_id, "kept": 1}],
        "imports.finish_undo": [{"id": big.import_id}],
        "jobs.claim_jobs": [
            {"tenant_id": big.tenant_id, "job_ids": [big.job], "worker": "w", "leases": "{}", "default_lease_s": 60.0}
        ],
        "jobs.finish_job": [held],
        "jobs.extend_job": [held | {"lease_s": 60.0}],
        "jobs.retry_job_later": [held | {"error": "x", "max_attempts": 8, "delay_s": 1.0}],
        "jobs.release_job": [held | {"delay_s": 0.0}],
        "jobs.bury_job": [held | {"error": "x", "max_attempts": 8, "pardon": 0}],
        "jobs.retry_dead_job": [{"job_id": big.dead_job}],
        "jobs.drop_job": [{"job_id": big.dead_job}],
        "recordings.want": [recording | {"wanted": "paused"}],
        "recordings.note_announced": [recording | {"announcement": "x"}],
        "recordings.ask_recording": [recording],
        "recordings.unask_recording": [recording],
        "recordings.adopt_recording": [recording | {"sid": "REnew"}],
        "recordings.move_recording": [recording | {"state": "failed", "error": "x"}],
        "recordings.end_recording": [recording | {"duration_s": 1, "channels": 2}],
        "recordings.store_recording": [recording | {"key": "k", "bytes": 1, "duration_s": 1, "channels": 2}],
        "recordings.delete_recording": [recording | {"reason": "asked"}],
        "recordings.forget_transcript": [recording],
        "recordings.forget_pieces": [recording],
        "recordings.set_spoken": [recording | {"sid": "GT1", "error": None}],
        "recordings.note_gone": [recording | {"provider": True, "object": False}],
        "recordings.keep_transcript": [recording | {"text": "hello again"}],
        "recordings.set_call_recording": [{"call_id": big.call, "state": "on"}],
        "recordings.note_listened": [recording | {"call_id": big.call, "listener": big.rep}],
        "recordings.touch_recording": [recording | {"silent_s": 1.0}],
        "voicemail.delete_drop": [{"id": big.contact}],
        "voicemail.release_rep": [{"call_id": big.call}],
        "voicemail.note_played": [{"call_id": big.call}],
        "voicemail.note_unplayed": [{"call_id": big.call, "error": "x"}],
        "members.update_member": [{"id": big.rep, "role": "admin", "role_id": None, "status": "active"}],
        "presence.hold_presence": [person],
        "presence.set_presence": [person | {"state": "away", "call_id": None, "reason": None, "lasts_s": None}],
        "presence.extend_wrap_up": [person | {"seconds": 60}],
        "presence.remove_socket": [person | {"hub_id": big.hub_id}],
        "presence.remove_dead_sockets": [person],
        "permits.decide": [
            {
                "contact_id": big.contact,
                "channel": "call",
                "address": "+14152020000",
                "for_user": big.rep,
                "override_by": None,
                "override_reason": None,
                "queue_item_id": None,
                "at": None,
            }
        ],
        "permits.use_permit": [{"id": big.contact}],
        "permits.remove_suppression": [{"id": big.contact}],
        "permits.lift_stop": [{"kind": "phone", "value_lc": "+14152012345", "source": "stop"}],
        "permits.set_consent": [{"contact_id": big.contact, "channel": "call", "state": "granted", "source": ""}],
        "permits.clear_quiet_days": [{}],
        "leases.take_lease": [
            {"contact_id": big.contact, "holder": big.rep, "purpose": "call", "lease_s": 10.0, "force": False},
        ],
        "leases.tie_lease_to_call": [{"contact_id": big.contact, "holder": big.rep, "call_id": big.call}],
        "leases.release_lease": [{"contact_id": big.contact, "holder": big.rep}],
        "leases.let_lease_lapse": [{"contact_id": big.contact, "holder": big.rep}],
        "leases.free_lost_lease": [{"contact_id": big.contact}],
        "presence.beat": [{"hub_id": big.hub_id, "name": "h", "lease_s": 10.0}],
        "presence.stop_hub": [{"hub_id": big.hub_id, "grace_s": 1.0}],
        "dispositions.update_disposition": [{"value": "busy", "set_label": True, "label": "Engaged"}],
        "tasks.update_task": [{"id": big.task, "set_due_at": True, "due_at": NOW}],
        "tasks.finish_task": [{"id": big.task}],
        "tasks.reopen_task": [{"id": big.task}],
        "tasks.delete_task": [{"id": big.task}],
        "tasks.tell_task": [{"id": big.task}],
        "notifications.read_notification": [{"id": big.task}],
        "notifications.read_all": [{}],
        "floor.clear_alert": [{"id": big.task}],
        "auth.revoke_session": [{"session": big.contact, "reason": "x"}],
        "auth.revoke_all_sessions": [{"user": big.rep, "reason": "x"}],
        "auth.rotate": [{"hash": b"x", "new_hash": b"y", "agent": "a", "grace_s": 20, "device": None, "is_old": False}],
        "auth.switch": [{"session": big.contact, "user": big.rep, "tenant": big.tenant_id}],
        "auth.take_attempt": [{"keys": ["acme7", "acme8"], "limits": [10, 50], "window_s": 900}],
        "auth.forgive": [{"account": "acme7", "address": "acme8"}],
    }
