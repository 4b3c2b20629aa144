"""Why some statements are not looked at in test_plans: they insert, read no table, or run seldom over all companies."""

from __future__ import annotations

from tests.access import plan_cases as access
from tests.accounts import plan_cases as accounts
from tests.billing import plan_cases as billing
from tests.canary import plan_cases as canary
from tests.dialer import plan_cases as dialer
from tests.joining import plan_cases as joining
from tests.mail import plan_cases as mail
from tests.mailboxes import plan_cases as mailboxes
from tests.meetings import plan_cases as meetings
from tests.numbers import plan_cases as numbers
from tests.outgoing import plan_cases as outgoing
from tests.plans_of_calls import INSERTED
from tests.post import plan_cases as post
from tests.privacy import plan_cases as privacy
from tests.sequences import plan_cases as sequences
from tests.sso import plan_cases as sso
from tests.tracking import plan_cases as tracking

INSERTS = "it inserts what it is given"
PARTITIONS = "once an hour, over all companies"
# Why these are not looked at here.
NOT_LOOKED_AT = {
    **canary.NOT_LOOKED_AT,
    **dict.fromkeys(access.INSERTS, INSERTS),
    **dict.fromkeys(accounts.INSERTS, INSERTS),
    **accounts.NOT_LOOKED_AT,
    **dict.fromkeys(meetings.INSERTS, INSERTS),
    **dict.fromkeys(joining.INSERTS, INSERTS),
    **dict.fromkeys(sso.INSERTS, INSERTS),
    **dict.fromkeys(billing.INSERTS, INSERTS),
    **billing.NOT_LOOKED_AT,
    **sso.NOT_LOOKED_AT,
    **joining.NOT_LOOKED_AT,
    **{f"dialer.{name}": INSERTS for name in dialer.INSERTS},
    **numbers.NOT_LOOKED_AT,
    **privacy.NOT_LOOKED_AT,
    **dict.fromkeys(mail.INSERTS, INSERTS),
    **dict.fromkeys(tracking.INSERTS, INSERTS),
    **dict.fromkeys(sequences.INSERTS, INSERTS),
    **mail.NOT_LOOKED_AT,
    **dict.fromkeys(outgoing.INSERTS, INSERTS),
    **outgoing.NOT_LOOKED_AT,
    **dict.fromkeys(post.INSERTS, INSERTS),
    **post.NOT_LOOKED_AT,
    **dict.fromkeys(mailboxes.INSERTS, INSERTS),
    **mailboxes.NOT_LOOKED_AT,
    "activities.insert_activity": INSERTS,
    "calls.insert_call": INSERTS,
    **dict.fromkeys(INSERTED, INSERTS),
    "webhooks.store_delivery": INSERTS,
    "contacts.insert_contact": INSERTS,
    "contacts.add_emails": INSERTS,
    "contacts.add_phones": INSERTS,
    "contacts.add_tags": INSERTS,
    "core.insert_job": INSERTS,
    "core.claim_idempotency_key": INSERTS,
    "core.plan_for_these_values": "it reads no table",
    "imports.begin_upload": INSERTS,
    "imports.add_chunk": INSERTS,
    "imports.insert_contacts": INSERTS,
    "imports.note_created": INSERTS,
    "imports.make_findable": INSERTS,
    "imports.add_emails": INSERTS,
    "imports.add_phones": INSERTS,
    "imports.add_tags": INSERTS,
    "imports.add_search": INSERTS,
    "imports.note_changes": INSERTS,
    "imports.add_failures": INSERTS,
    "imports.one_import_at_a_time": "it reads no table",
    "imports.plan_each_time": "it reads no table",
    "imports.plan_once": "it reads no table",
    "imports.refresh_statistics": "ANALYZE reads a sample",
    "imports.sweep_uploads": PARTITIONS,
    "imports.companies": "for the shell, over the few companies of a house",
    "jobs.try_duty_lock": "it reads no table",
    "jobs.ensure_event_partitions": PARTITIONS,
    "watching.database_state": "it reads no table",
    "jobs.drop_old_events": PARTITIONS,
    "jobs.jobs_forget": PARTITIONS,
    "jobs.idempotency_forget": PARTITIONS,
    "jobs.webhook_deliveries_forget": PARTITIONS,
    "jobs.auth_sweep": PARTITIONS,
    "recordings.add_piece": INSERTS,
    "recordings.insert_recording": INSERTS,
    "recordings.insert_voicemail": INSERTS,
    "voicemail.insert_drop": INSERTS,
    "voicemail.insert_call_drop": INSERTS,
    "members.note_access_change": INSERTS,
    "dispositions.insert_disposition": INSERTS,
    "tasks.insert_task": INSERTS,
    "notifications.insert_notification": INSERTS,
    "notifications.notifications_forget": PARTITIONS,
    "floor.put_alert_rules": INSERTS,
    "floor.raise_alert": INSERTS,
    "floor.alerts_forget": PARTITIONS,
    "permits.rules": "it reads the few dozen rules of the law",
    "permits.add_suppression": INSERTS,
    "permits.add_quiet_days": INSERTS,
    "permits.save_settings": INSERTS,
    "permits.begin_in_practice": INSERTS,
    "presence.add_socket": INSERTS,
    "presence.forget_hubs": "it reads the few processes of a house",
    "realtime.database_time": "it reads no table",
    "visibility.set_visibility": "it writes the company's row and its counter",
    "seed.find_companies": "for the shell, over the few companies of a house",
    "seed.create_company": INSERTS,
    "seed.create_member": INSERTS,
}
