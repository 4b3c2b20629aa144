"""One of each kind of thing that an address with an id may mean, made as people make it.

A new endpoint with an id is entered in THINGS.
"""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

from hub.db import tenant_tx
from hub.notifications.actions import notify
from hub.permits.actions import decide
from integrations.sandbox.push import PushSandbox
from tests.accounts.kit import an_owners_passkey, an_owners_session
from tests.billing.things import an_invoice
from tests.conftest import Company
from tests.harness import RunningHub
from tests.mail.things import a_draft, a_mail_message, a_send, a_thread
from tests.mailboxes.kit import mailbox_at_a_server
from tests.meetings.kit import a_contact_with_mail, a_mailbox, an_invitation_of_theirs
from tests.privacy.kit import an_export
from tests.recordings.kit import a_recording, put_file, wav
from tests.sso.things import a_connected_account, a_domain
from tests.tracking.kit import a_template, a_tracked_send

_numbers = itertools.count(1)
CSV = b"First name,Email\nAda,ada@example.com\n"

Make = Callable[[RunningHub, Company], Awaitable[str]]


async def a_member(server: RunningHub, company: Company) -> str:
    return str(company.members["rep"])


async def a_leaver(server: RunningHub, company: Company) -> str:
    async with server.hub.db.acquire() as conn:
        name = f"leaver{next(_numbers)}"
        made = await conn.fetchval(
            "SELECT create_member($1, $2, $3, '!', 'rep')", company.tenant_id, f"{name}@{company.name}.test", name
        )
    return str(made)


async def a_handover(server: RunningHub, company: Company) -> str:
    path = f"/members/{await a_leaver(server, company)}/handover"
    answer = await server.as_member(company, "owner").post(path, {"to_id": None, "kinds": ["tasks"]})
    assert answer.status == 202, answer.body
    return str(answer.body["id"])


async def an_invitation(server: RunningHub, company: Company) -> str:
    answer = await server.as_member(company, "owner").post("/invitations", {"email": f"new{next(_numbers)}@example.com"})
    assert answer.status == 201, answer.body
    async with tenant_tx(server.hub.db, company.who("owner")) as tx:
        # One that was sent a moment ago is not sent again.
        await tx.conn.execute("UPDATE invitations SET sent_at = now() - interval '1 hour'")
    return str(answer.body["id"])


async def a_contact(server: RunningHub, company: Company) -> str:
    given = {"first_name": "Ada", "stage": "lead", "tags": ["vip"], "phones": [{"e164": "+12025550101"}]}
    answer = await server.as_member(company, "owner").post("/contacts", given)
    return str(answer.body["id"])


async def a_call(server: RunningHub, company: Company) -> str:
    owner = server.as_member(company, "owner")
    answer = await owner.post("/calls", {"contact_id": await a_contact(server, company)})
    assert answer.status == 201, answer.body
    await owner.post(f"/calls/{answer.body['id']}/hangup")
    return str(answer.body["id"])


async def a_line(server: RunningHub, company: Company) -> str:
    owner = server.as_member(company, "owner")
    await owner.put("/voice/settings", {"ring_s": 20})
    await owner.put("/voice/line", {"kind": "bridge", "phone": "+12025550111"})
    return str((await owner.post("/lines")).body["id"])


async def an_import(server: RunningHub, company: Company) -> str:
    answer = await server.as_member(company, "owner").upload("/imports", "people.csv", CSV)
    return str(answer.body["id"])


async def a_job(server: RunningHub, company: Company) -> str:
    async with tenant_tx(server.hub.db, company.who("owner")) as tx:
        return str(await tx.defer("test.nothing", {}))


async def a_number(server: RunningHub, company: Company) -> str:
    async with tenant_tx(server.hub.db, company.who("owner")) as tx:
        made = await tx.conn.fetchval(
            "INSERT INTO numbers (tenant_id, e164, state) VALUES ($1, $2, 'active') RETURNING id",
            company.tenant_id,
            f"+1415555{next(_numbers):04}",
        )
        return str(made)


async def a_message(server: RunningHub, company: Company) -> str:
    contact = await a_contact(server, company)
    answer = await server.as_member(company, "owner").post(f"/contacts/{contact}/messages", {"body": "Hello"})
    assert answer.status == 201, answer.body
    return str(answer.body["id"])


async def a_role(server: RunningHub, company: Company) -> str:
    given = {"name": f"Role {next(_numbers)}", "permissions": ["contacts:read"]}
    answer = await server.as_member(company, "owner").post("/roles", given)
    assert answer.status == 201, answer.body
    return str(answer.body["id"])


async def a_webhook(server: RunningHub, company: Company) -> str:
    owner = server.as_member(company, "owner")
    for old in (await owner.get("/api/v1/webhooks")).body["data"][:-5]:
        await owner.delete(f"/api/v1/webhooks/{old['id']}")
    answer = await owner.post("/api/v1/webhooks", {"url": "https://example.com/ringside"})
    assert answer.status == 201, answer.body
    made: str = answer.body["id"]
    return made


async def a_webhooks_delivery(server: RunningHub, company: Company) -> str:
    webhook = await a_webhook(server, company)
    answer = await server.as_member(company, "owner").post(f"/api/v1/webhooks/{webhook}/test")
    made: str = answer.body["id"]
    return made


async def an_api_key(server: RunningHub, company: Company) -> str:
    answer = await server.as_member(company, "owner").post("/api-keys", {"name": "Reports", "scopes": ["contacts:read"]})
    assert answer.status == 201, answer.body
    return str(answer.body["id"])


async def a_team(server: RunningHub, company: Company) -> str:
    answer = await server.as_member(company, "owner").post("/teams", {"name": f"Team {next(_numbers)}"})
    return str(answer.body["id"])


async def a_disposition(server: RunningHub, company: Company) -> str:
    answer = await server.as_member(company, "owner").post("/dispositions", {"label": f"Of {company.name} {next(_numbers)}"})
    return str(answer.body["value"])


async def a_task(server: RunningHub, company: Company) -> str:
    answer = await server.as_member(company, "owner").post("/tasks", {"title": "Send the brochure"})
    return str(answer.body["id"])


async def a_notification(server: RunningHub, company: Company) -> str:
    async with tenant_tx(server.hub.db, company.who("owner")) as tx:
        return str(await notify(tx, company.members["owner"], "task_due", "Send the brochure"))


async def a_letter(server: RunningHub, company: Company) -> str:
    return str((await server.as_member(company, "owner").post("/outbox/test")).body["id"])


async def a_push_device(server: RunningHub, company: Company) -> str:
    owner = server.as_member(company, "owner")
    await owner.put("/notifications/settings", {"topics": {"tasks": {"console": True, "email": True, "push": False}}})
    browser = PushSandbox("https://push.example.com").subscribe("k").subscription()
    return str((await owner.post("/push/devices", browser)).body["id"])


async def a_permit(server: RunningHub, company: Company) -> str:
    contact_id = UUID(await a_contact(server, company))
    async with tenant_tx(server.hub.db, company.who("owner")) as tx:
        return str((await decide(tx, contact_id, "call", "+12025550101", user_id=company.members["owner"])).id)


async def a_suppression(server: RunningHub, company: Company) -> str:
    owner = server.as_member(company, "owner")
    await owner.put("/permits/settings", {"practice": True, "calls_per_contact_per_week": 9})
    await owner.put("/quiet-days", {"data": [{"day": "2030-01-02"}]})
    given = {"kind": "email", "value": f"nobody{next(_numbers)}@example.com"}
    return str((await owner.post("/suppressions", given)).body["id"])


async def a_leased_contact(server: RunningHub, company: Company) -> str:
    contact_id = await a_contact(server, company)
    await server.as_member(company, "owner").post(f"/contacts/{contact_id}/lease", {"purpose": "call"})
    return contact_id


async def a_queue(server: RunningHub, company: Company) -> str:
    given = {"name": "Leads", "contact_ids": [await a_contact(server, company), await a_contact(server, company)]}
    return str((await server.as_member(company, "owner").post("/queues", given)).body["id"])


async def a_sequence(server: RunningHub, company: Company) -> str:
    owner = server.as_member(company, "owner")
    await owner.put("/sequences/settings", {"domain_per_day": 50})
    return str((await owner.post("/sequences", {"name": "Welcome", "steps": [{"kind": "call"}, {"kind": "task"}]})).body["id"])


async def an_enrolment(server: RunningHub, company: Company) -> str:
    owner, contact = server.as_member(company, "owner"), await a_contact(server, company)
    await owner.post(f"/sequences/{await a_sequence(server, company)}/enrolments", {"contact_ids": [contact]})
    return str((await owner.get(f"/contacts/{contact}/enrolments")).body["data"][0]["id"])


async def a_dial_session(server: RunningHub, company: Company) -> str:
    owner = server.as_member(company, "owner")
    current = (await owner.get("/dial-sessions/current")).body["session"]
    if current is not None:
        if current["call_id"] is not None:
            await owner.post(f"/calls/{current['call_id']}/hangup")
        await owner.post(f"/dial-sessions/{current['id']}/leave")
    queue_id = await a_queue(server, company)
    await owner.post(f"/queues/{queue_id}/start")
    return str((await owner.post(f"/queues/{queue_id}/sessions")).body["id"])


async def a_heard_recording(server: RunningHub, company: Company) -> str:
    recording = await a_recording(server.hub.db, company)
    await put_file(Path(server.settings.objects), company, recording, wav())
    return str(recording)


async def a_voicemail_drop(server: RunningHub, company: Company) -> str:
    form = {"name": f"Hello {next(_numbers)}"}
    answer = await server.as_member(company, "owner").upload("/voicemail-drops", "hello.wav", wav(), **form)
    assert answer.status == 201, answer.body
    return str(answer.body["id"])


async def a_contact_to_meet(server: RunningHub, company: Company) -> str:
    await a_mailbox(server.hub.db, company, "owner")
    return str(await a_contact_with_mail(server.hub.db, company))


async def a_meeting(server: RunningHub, company: Company) -> str:
    mailbox_id = await a_mailbox(server.hub.db, company, "owner")
    contact_id = await a_contact_with_mail(server.hub.db, company)
    return str(await an_invitation_of_theirs(server.hub.db, company, mailbox_id, contact_id))


async def a_settled_mailbox(server: RunningHub, company: Company) -> str:
    await server.as_member(company, "owner").put("/mailboxes/privacy", {"rules": [{"kind": "domain", "value": "bank.example"}]})
    return str(await mailbox_at_a_server(server.hub.db, company, f"ada{next(_numbers)}@example.com"))


# How to make one real thing for the id in a path.
THINGS: dict[str, Make] = {
    "/api/v1/billing/invoices/{id}/links": an_invoice,
    "/api/v1/account/sessions/{id}": an_owners_session,
    "/api/v1/account/passkeys/{id}": an_owners_passkey,
    "/api/v1/members/{id}": a_member,
    "/api/v1/sso/members/{id}": a_member,
    "/api/v1/sso/domains/{value}": a_domain,
    "/api/v1/sso/domains/{value}/code": a_domain,
    "/api/v1/account/connected/{id}": a_connected_account,
    "/api/v1/members/{id}/belongings": a_member,
    "/api/v1/members/{id}/deactivate": a_leaver,
    "/api/v1/members/{id}/handover": a_leaver,
    "/api/v1/handovers/{id}": a_handover,
    "/api/v1/invitations/{id}/send": an_invitation,
    "/api/v1/invitations/{id}/withdraw": an_invitation,
    "/api/v1/contacts/{id}": a_contact,
    "/api/v1/contacts/{id}/restore": a_contact,
    "/api/v1/contacts/{id}/timeline": a_contact,
    "/api/v1/contacts/{id}/notes": a_contact,
    "/api/v1/teams/{id}": a_team,
    "/api/v1/roles/{id}": a_role,
    "/api/v1/api-keys/{id}": an_api_key,
    "/api/v1/webhooks/{id}": a_webhook,
    "/api/v1/webhook-deliveries/{id}": a_webhooks_delivery,
    "/api/v1/webhook-deliveries/{id}/replay": a_webhooks_delivery,
    "/api/v1/webhooks/{id}/pause": a_webhook,
    "/api/v1/webhooks/{id}/resume": a_webhook,
    "/api/v1/webhooks/{id}/secret": a_webhook,
    "/api/v1/webhooks/{id}/secret/rotate": a_webhook,
    "/api/v1/webhooks/{id}/test": a_webhook,
    "/api/v1/webhooks/{id}/replay": a_webhook,
    "/api/v1/webhooks/{id}/deliveries": a_webhook,
    "/api/v1/contacts/{id}/messages": a_contact,
    "/api/v1/messages/{id}": a_message,
    "/api/v1/messages/threads/{id}/read": a_contact,
    "/api/v1/numbers/{id}": a_number,
    "/api/v1/imports/{id}": an_import,
    "/api/v1/imports/{id}/undo": an_import,
    "/api/v1/imports/{id}/failures": an_import,
    "/api/v1/calls/{id}": a_call,
    "/api/v1/calls/{id}/hangup": a_call,
    "/api/v1/calls/{id}/disposition": a_call,
    "/api/v1/calls/{id}/hold": a_call,
    "/api/v1/calls/{id}/mute": a_call,
    "/api/v1/calls/{id}/digits": a_call,
    "/api/v1/calls/{id}/supervise": a_call,
    "/api/v1/calls/{id}/listeners": a_call,
    "/api/v1/calls/{id}/participants": a_call,
    "/api/v1/calls/{id}/participants/{leg_id}": a_call,
    "/api/v1/calls/{id}/transfer": a_call,
    "/api/v1/calls/{id}/transfer/complete": a_call,
    "/api/v1/calls/{id}/audit": a_call,
    "/api/v1/lines/{id}": a_line,
    "/api/v1/dispositions/{value}": a_disposition,
    "/api/v1/tasks/{id}": a_task,
    "/api/v1/tasks/{id}/done": a_task,
    "/api/v1/notifications/{id}/read": a_notification,
    "/api/v1/outbox/{id}": a_letter,
    "/api/v1/outbox/{id}/again": a_letter,
    "/api/v1/push/devices/{id}": a_push_device,
    "/api/v1/push/devices/{id}/test": a_push_device,
    "/api/v1/contacts/{id}/permit": a_contact,
    "/api/v1/contacts/{id}/consent": a_contact,
    "/api/v1/contacts/{id}/lease": a_leased_contact,
    "/api/v1/permits/{id}": a_permit,
    "/api/v1/suppressions/{id}": a_suppression,
    "/api/v1/queues/{id}": a_queue,
    "/api/v1/queues/{id}/items": a_queue,
    "/api/v1/queues/{id}/start": a_queue,
    "/api/v1/queues/{id}/pause": a_queue,
    "/api/v1/queues/{id}/progress": a_queue,
    "/api/v1/queues/{id}/sessions": a_queue,
    "/api/v1/dial-sessions/{id}": a_dial_session,
    "/api/v1/dial-sessions/{id}/dial": a_dial_session,
    "/api/v1/dial-sessions/{id}/skip": a_dial_session,
    "/api/v1/dial-sessions/{id}/callback": a_dial_session,
    "/api/v1/dial-sessions/{id}/pause": a_dial_session,
    "/api/v1/dial-sessions/{id}/resume": a_dial_session,
    "/api/v1/dial-sessions/{id}/leave": a_dial_session,
    "/api/v1/sequences/{id}": a_sequence,
    **{
        f"/api/v1/sequences/{{id}}/{part}": a_sequence
        for part in ("steps", "start", "pause", "archive", "simulate", "enrolments", "results")
    },
    "/api/v1/contacts/{id}/enrolments": a_contact,
    "/api/v1/enrolments/{id}": an_enrolment,
    **{f"/api/v1/enrolments/{{id}}/{act}": an_enrolment for act in ("pause", "resume", "stop", "skip", "move", "mailbox")},
    "/api/v1/admin/jobs/{id}/retry": a_job,
    "/api/v1/admin/jobs/{id}/drop": a_job,
    "/api/v1/mailboxes/{id}": a_settled_mailbox,
    "/api/v1/mailboxes/{id}/sync": a_settled_mailbox,
    "/api/v1/mailboxes/{id}/pause": a_settled_mailbox,
    "/api/v1/mailboxes/{id}/resume": a_settled_mailbox,
    "/api/v1/mailboxes/{id}/reconnect": a_settled_mailbox,
    "/api/v1/mailboxes/{id}/meter": a_settled_mailbox,
    "/api/v1/mailboxes/{id}/labels": a_settled_mailbox,
    "/api/v1/mailboxes/{id}/privacy": a_settled_mailbox,
    "/api/v1/recordings/{id}": a_heard_recording,
    "/api/v1/recordings/{id}/link": a_heard_recording,
    "/api/v1/recordings/{id}/audio": a_heard_recording,
    "/api/v1/calls/{id}/recording": a_call,
    "/api/v1/calls/{id}/drop": a_call,
    "/api/v1/voicemail-drops/{id}": a_voicemail_drop,
    "/api/v1/voicemail-drops/{id}/link": a_voicemail_drop,
    "/api/v1/voicemail-drops/{id}/audio": a_voicemail_drop,
    "/api/v1/contacts/{id}/mail": a_contact,
    "/api/v1/mail/threads/{id}": a_thread,
    **{
        f"/api/v1/mail/threads/{{id}}/{act}": a_thread
        for act in ("read", "unread", "done", "reopen", "assignee", "snooze", "writing")
    },
    "/api/v1/mail/messages/{id}/attachments/{index}": a_mail_message,
    "/api/v1/mail/messages/{id}/original": a_mail_message,
    "/api/v1/mail/drafts/{id}": a_draft,
    "/api/v1/mail/drafts/{id}/attachments": a_draft,
    "/api/v1/mail/drafts/{id}/send": a_draft,
    "/api/v1/mail/sends/{id}": a_send,
    "/api/v1/mail/sends/{id}/undo": a_send,
    "/api/v1/mail/sends/{id}/retry": a_send,
    "/api/v1/mail/sends/{id}/discard": a_send,
    "/api/v1/contacts/{id}/meetings": a_contact_to_meet,
    "/api/v1/templates/{id}": a_template,
    "/api/v1/templates/{id}/versions": a_template,
    "/api/v1/templates/{id}/results": a_template,
    "/api/v1/templates/{id}/uses": a_template,
    "/api/v1/mail/sends/{id}/tracking": a_tracked_send,
    "/api/v1/meetings/{id}": a_meeting,
    "/api/v1/meetings/{id}/answer": a_meeting,
    "/api/v1/privacy/requests/{id}": an_export,
    "/api/v1/privacy/requests/{id}/cancel": an_export,
    "/api/v1/privacy/requests/{id}/file": an_export,
}
