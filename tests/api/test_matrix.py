"""Every endpoint there is, tried without a token, with too small a role, and with another company's ids.

The endpoints come from the application itself. A new one fails here until it is entered in the tables below.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from hub.app import api_endpoints
from hub.auth.tokens import Tokens
from hub.db import tenant_tx
from hub.http.endpoint import Endpoint
from hub.notifications.actions import notify
from hub.permits.actions import decide
from hub.who import ROLES
from tests.conftest import Company, make_company
from tests.harness import Answer, Api, RunningHub, make_settings
from tests.mail.things import a_draft, a_mail_message, a_send, a_thread
from tests.mailboxes.kit import mailbox_at_a_server
from tests.meetings.kit import a_contact_with_mail, a_mailbox, an_invitation_of_theirs
from tests.recordings.kit import a_recording, put_file, wav
from tests.tracking.kit import a_template, a_tracked_send

pytestmark = pytest.mark.asyncio(loop_scope="module")

ENDPOINTS = {f"{e.method} {e.path}": e for e in api_endpoints(make_settings("", ""), Tokens(b"\0" * 32))}
_numbers = itertools.count(1)
TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat()
IN_TWO_DAYS = (datetime.now(UTC) + timedelta(days=2)).isoformat()
CSV = b"First name,Email\nAda,ada@example.com\n"

# Why these need no token.
PUBLIC = {
    "POST /api/v1/auth/login": "it is how one gets a token",
    "POST /api/v1/auth/refresh": "the refresh cookie takes the token's place",
    **{
        f"POST /webhooks/twilio/{path}": "the provider's signature takes the token's place; see test_calls and tests/calls"
        for path in (
            "voice",
            "{tenant_id}/calls/{id}/status",
            "{tenant_id}/calls/{id}/legs/{leg_id}/status",
            "{tenant_id}/calls/{id}/conference",
            "{tenant_id}/calls/{id}/amd",
            "{tenant_id}/calls/{id}/answered",
            "{tenant_id}/calls/{id}/digits/{digits}",
            "{tenant_id}/lines/{id}/status",
        )
    },
    **{
        f"POST /webhooks/twilio/{path}": "the provider's signature takes the token's place; see tests/numbers"
        for path in (
            "shared/numbers/voice",
            "{tenant_id}/numbers/{id}/voice",
            "{tenant_id}/numbers/{id}/status",
            "{tenant_id}/numbers/{id}/sms",
            "{tenant_id}/messages/{id}/status",
            "shared/numbers/sms",
            "{tenant_id}/calls/{id}/picked",
            "{tenant_id}/calls/{id}/accepted",
            "{tenant_id}/calls/{id}/routed",
            "{tenant_id}/calls/{id}/recorded",
            "{tenant_id}/calls/{id}/voicemail",
            "{tenant_id}/calls/{id}/voicemail-text",
        )
    },
    "POST /webhooks/twilio/{tenant_id}/recordings/{id}/status": "the provider's signature; see tests/recordings",
    "POST /webhooks/twilio/{tenant_id}/recordings/{id}/transcription": "the provider's signature; see tests/recordings",
    "POST /webhooks/twilio/{tenant_id}/recordings/{id}/spoken": "the provider's signature; see tests/recordings",
    "POST /webhooks/twilio/{tenant_id}/calls/{id}/announcement": "the provider's signature; see tests/recordings",
    "GET /oauth/google": "the state and the browser's cookie take the token's place; see tests/mailboxes",
    "POST /webhooks/google/push": "Google's signature takes the token's place; see tests/mailboxes",
    **{
        f"{method} {path}": "the token in a mail takes the token's place; see tests/tracking and tests/unsubscribes"
        for method, path in (
            ("GET", "/t/o/{token}.gif"),
            ("HEAD", "/t/o/{token}.gif"),
            ("GET", "/t/c/{token}"),
            ("HEAD", "/t/c/{token}"),
            ("GET", "/u/{token}"),
            ("POST", "/u/{token}"),
            ("POST", "/u/{token}/again"),
        )
    },
    "GET /api/v1/media/recordings/{id}": "a signed address takes the token's place; see tests/recordings",
    "GET /api/v1/media/voicemail-drops/{id}": "a signed address takes the token's place; see tests/recordings",
}

# What a well-formed request carries.
BODIES: dict[str, dict[str, Any]] = {
    "POST /api/v1/auth/login": {"email": "a@b.c", "password": "x"},
    "POST /api/v1/auth/switch": {"tenant_id": str(UUID(int=1))},
    "POST /api/v1/auth/logout": {},
    "PATCH /api/v1/members/{id}": {"status": "active"},
    "POST /api/v1/contacts": {"first_name": "Ada"},
    "PATCH /api/v1/contacts/{id}": {"title": "Buyer"},
    "POST /api/v1/contacts/{id}/notes": {"body": "tea, not coffee"},
    "POST /api/v1/calls": {"contact_id": str(UUID(int=1))},
    "PUT /api/v1/calls/{id}/disposition": {"disposition": "connected"},
    "PATCH /api/v1/calls/{id}": {"note": "tea, not coffee"},
    "POST /api/v1/calls/{id}/hold": {"on": True},
    "POST /api/v1/calls/{id}/mute": {"on": True},
    "POST /api/v1/calls/{id}/digits": {"digits": "12#"},
    "POST /api/v1/calls/{id}/supervise": {"mode": "listen"},
    "POST /api/v1/calls/{id}/participants": {"phone": "+12025550101"},
    "POST /api/v1/calls/{id}/transfer": {"phone": "+12025550101", "kind": "cold"},
    "PUT /api/v1/voice/line": {"kind": "bridge", "phone": "+12025550111"},
    "PUT /api/v1/voice/settings": {"ring_s": 20},
    "PUT /api/v1/presence": {"state": "online"},
    "POST /api/v1/presence/extend": {"seconds": 60},
    "PUT /api/v1/floor/alerts": {
        "rep_idle": {"on": True, "minutes": 10},
        "queue_empty": {"on": True, "contacts_left": 0},
        "abandonment": {"on": True, "percent_of_cap": 80},
        "notify": True,
    },
    "POST /api/v1/dispositions": {"label": "Gatekeeper"},
    "PATCH /api/v1/dispositions/{value}": {"counts_as_connected": True},
    "POST /api/v1/tasks": {"title": "Send the brochure"},
    "PATCH /api/v1/tasks/{id}": {"title": "Send both brochures"},
    "POST /api/v1/numbers": {"e164": "+14155550123"},
    "PATCH /api/v1/numbers/{id}": {"label": "Main line"},
    "POST /api/v1/contacts/{id}/messages": {"body": "See you at ten"},
    "POST /api/v1/teams": {"name": "Closers"},
    "PATCH /api/v1/teams/{id}": {"member_ids": []},
    "PUT /api/v1/contacts/{id}/consent": {"channel": "call", "state": "granted"},
    "POST /api/v1/contacts/{id}/lease": {"purpose": "call"},
    "PUT /api/v1/permits/settings": {"practice": True},
    "PUT /api/v1/quiet-days": {"data": [{"day": "2030-01-02", "name": "Stocktaking"}]},
    "POST /api/v1/suppressions": {"kind": "phone", "value": "+14155550199"},
    "POST /api/v1/queues": {"name": "Leads"},
    "PATCH /api/v1/queues/{id}": {"countdown_s": 10},
    "POST /api/v1/queues/{id}/items": {"contact_ids": [str(UUID(int=1))]},
    "POST /api/v1/queues/{id}/sessions": {},
    "POST /api/v1/dial-sessions/{id}/skip": {"reason": "wrong person"},
    "POST /api/v1/dial-sessions/{id}/callback": {"at": TOMORROW},
    "POST /api/v1/sequences": {"name": "Welcome"},
    "PUT /api/v1/sequences/settings": {"domain_per_day": 50},
    "PATCH /api/v1/sequences/{id}": {"name": "Welcome again"},
    "PUT /api/v1/sequences/{id}/steps": {"steps": [{"kind": "task"}]},
    "POST /api/v1/sequences/{id}/simulate": {"contact_ids": [str(UUID(int=1))]},
    "POST /api/v1/sequences/{id}/enrolments": {"contact_ids": [str(UUID(int=1))]},
    "POST /api/v1/enrolments/bulk": {"ids": [str(UUID(int=1))], "action": "resume"},
    "POST /api/v1/enrolments/{id}/pause": {},
    "POST /api/v1/enrolments/{id}/stop": {},
    "POST /api/v1/enrolments/{id}/move": {"position": 1},
    "POST /api/v1/enrolments/{id}/mailbox": {"mailbox_id": str(UUID(int=1))},
    "POST /api/v1/calls/{id}/recording": {"state": "on"},
    "POST /api/v1/templates": {"name": "First touch"},
    "PATCH /api/v1/templates/{id}": {"folder": "Winter"},
    "POST /api/v1/templates/{id}/uses": {"draft_id": str(UUID(int=1))},
    "POST /api/v1/templates/preview": {"subject": "Hello"},
    "PUT /api/v1/tracking/settings": {"opens": "off"},
    "POST /api/v1/calls/{id}/drop": {"drop_id": str(UUID(int=1))},
    "PUT /api/v1/mail/threads/{id}/assignee": {"user_id": None},
    "PUT /api/v1/mail/threads/{id}/snooze": {"until": TOMORROW},
    "POST /api/v1/mail/drafts": {"mailbox_id": str(UUID(int=1))},
    "PATCH /api/v1/mail/drafts/{id}": {"subject": "Hello again"},
    "POST /api/v1/mail/drafts/{id}/send": {},
    "POST /api/v1/mailboxes": {
        "address": "ada@example.com",
        "username": "ada",
        "password": "x",
        "imap_host": "imap.example.com",
        "smtp_host": "smtp.example.com",
    },
    "POST /api/v1/mailboxes/google": {},
    "PATCH /api/v1/mailboxes/{id}": {"display_name": "Ada"},
    "PUT /api/v1/mailboxes/privacy": {"rules": [{"kind": "domain", "value": "bank.example"}]},
    "PUT /api/v1/mailboxes/{id}/privacy": {"rules": [{"kind": "subject", "value": "salary"}]},
    "POST /api/v1/contacts/{id}/meetings": {"summary": "Demo", "start_at": TOMORROW, "end_at": IN_TWO_DAYS},
    "PATCH /api/v1/meetings/{id}": {"start_at": TOMORROW, "end_at": IN_TWO_DAYS},
    "POST /api/v1/meetings/{id}/answer": {"answer": "accepted"},
}

Make = Callable[[RunningHub, Company], Awaitable[str]]


async def a_member(server: RunningHub, company: Company) -> str:
    return str(company.members["rep"])


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
    "/api/v1/members/{id}": a_member,
    "/api/v1/contacts/{id}": a_contact,
    "/api/v1/contacts/{id}/restore": a_contact,
    "/api/v1/contacts/{id}/timeline": a_contact,
    "/api/v1/contacts/{id}/notes": a_contact,
    "/api/v1/teams/{id}": a_team,
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
}

# Lists without an id in the path: what a company sees in which nothing has happened, and which only its own things may fill.
EMPTY: dict[str, Callable[[Any], bool]] = {
    "/api/v1/contacts": lambda body: body["data"] == [],
    "/api/v1/contacts/facets": lambda body: body["stages"] == body["tags"] == [],
    "/api/v1/search": lambda body: body["data"] == [],
    "/api/v1/activities": lambda body: body["data"] == [],
    "/api/v1/imports": lambda body: body["data"] == [],
    "/api/v1/calls": lambda body: body["data"] == [],
    "/api/v1/voice/line": lambda body: body["kind"] is None,
    "/api/v1/voice/settings": lambda body: body["ring_s"] == 25,
    "/api/v1/teams": lambda body: body["data"] == [],
    "/api/v1/messages/threads": lambda body: body["data"] == [],
    "/api/v1/mail/threads": lambda body: body["data"] == [],
    "/api/v1/mail/drafts": lambda body: body["data"] == [],
    "/api/v1/mail/sends": lambda body: body["data"] == [],
    "/api/v1/mailboxes": lambda body: body["data"] == [],
    "/api/v1/mailboxes/privacy": lambda body: body["rules"] == [],
    "/api/v1/numbers": lambda body: [n["shared"] for n in body["data"]] == [True],
    "/api/v1/tasks": lambda body: body["data"] == [],
    "/api/v1/notifications": lambda body: body["data"] == [] and body["unread"] == 0,
    "/api/v1/permits": lambda body: body["data"] == [],
    "/api/v1/permits/rules": lambda body: len(body["data"]) > 20,
    "/api/v1/permits/settings": lambda body: body["calls_per_contact_per_week"] == 7,
    "/api/v1/quiet-days": lambda body: body["data"] == [],
    "/api/v1/suppressions": lambda body: body["data"] == [],
    "/api/v1/leases": lambda body: body["data"] == [],
    "/api/v1/queues": lambda body: body["data"] == [],
    "/api/v1/sequences": lambda body: body["data"] == [],
    "/api/v1/sequences/settings": lambda body: body["domain_per_day"] is None,
    "/api/v1/dial-sessions": lambda body: body["data"] == [],
    "/api/v1/dial-sessions/current": lambda body: body["session"] is None,
    "/api/v1/admin/jobs": lambda body: body["data"] == [],
    "/api/v1/events": lambda body: body["data"] == [] and body["seq"] == 0,
    "/api/v1/floor": lambda body: body["live_calls"] == body["recent"] == [] and body["today"]["calls"] == 0,
    "/api/v1/floor/alerts": lambda body: body["data"] == [] and body["rules"]["rep_idle"]["minutes"] == 10,
    "/api/v1/members": lambda body: all(m["email"].startswith(ROLES) and "globex" in m["email"] for m in body["data"]),
    "/api/v1/me": lambda body: body["tenant"]["name"].startswith("Globex") and len(body["tenants"]) == 1,
    "/api/v1/dispositions": lambda body: len(body["data"]) == 8,
    "/api/v1/templates": lambda body: body["data"] == [],
    "/api/v1/templates/variables": lambda body: not [v for v in body["data"] if v["name"].startswith("contact.custom")],
    "/api/v1/tracking/settings": lambda body: body["opens"] == body["clicks"] == "off",
    "/api/v1/tracking/rules": lambda body: len(body["data"]) > 5,
    "/api/v1/unsubscribes": lambda body: body["data"] == [],
    "/api/v1/mail/bounces": lambda body: body["data"] == [],
    "/api/v1/recordings": lambda body: body["data"] == [],
    "/api/v1/voicemail-drops": lambda body: body["data"] == [],
}

# Lists that are no company's own.
OF_NOBODY = {
    "/api/v1/numbers/available": "it asks the telephone provider; see tests/numbers",
    "/oauth/google": "it is where Google sends the browser; see tests/mailboxes",
}

# What is the same for every company.
ALIKE = {"/api/v1/permits/rules", "/api/v1/tracking/rules", "/api/v1/floor/alerts"}

NOT_IDS = ["7", "null", "%00", "%ff", "{id}", "..%2f..", "0" * 31, "g" * 32, "x" * 300, "\N{SNOWMAN}", "' OR 1=1--"]

secured = pytest.mark.parametrize("name", [name for name in ENDPOINTS if name not in PUBLIC])
with_id = pytest.mark.parametrize("name", [name for name, e in ENDPOINTS.items() if e.path_params and name not in PUBLIC])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(lasting_server: RunningHub) -> RunningHub:
    return lasting_server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def acme(server: RunningHub) -> Company:
    return await make_company(server.hub.db, f"Acme{next(_numbers)}")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def globex(server: RunningHub) -> Company:
    return await make_company(server.hub.db, f"Globex{next(_numbers)}")


async def ask(api: Api, endpoint: Endpoint, thing: object = None) -> Answer:
    """A well-formed request, about a thing if the path wants one."""
    path = re.sub(r"{(id|value|leg_id)}", lambda _: str(thing), endpoint.path).replace("{index}", "0")
    if endpoint.upload is not None:
        return await api.upload(path, "people.csv", CSV)
    return await api.call(endpoint.method, path, json=BODIES.get(f"{endpoint.method} {endpoint.path}"))


async def test_every_endpoint_is_in_the_tables() -> None:
    assert set(PUBLIC) == {name for name, e in ENDPOINTS.items() if e.scope == "public"}
    assert {e.path for name, e in ENDPOINTS.items() if e.path_params and name not in PUBLIC} == set(THINGS)
    assert {name for name, e in ENDPOINTS.items() if e.body is not None} == set(BODIES)
    assert {e.path for e in ENDPOINTS.values() if e.method == "GET" and not e.path_params} == {*EMPTY, *OF_NOBODY}


@secured
async def test_without_a_token_it_is_a_401(server: RunningHub, name: str) -> None:
    answer = await ask(server.client(), ENDPOINTS[name], uuid4())
    assert (answer.status, answer.error) == (401, "unauthorized")


@pytest.mark.parametrize("name", [name for name, e in ENDPOINTS.items() if e.allow is not None])
async def test_with_too_small_a_role_it_is_a_403(server: RunningHub, acme: Company, name: str) -> None:
    endpoint = ENDPOINTS[name]
    assert endpoint.allow
    thing = await THINGS[endpoint.path](server, acme) if endpoint.path_params else None
    for role in ROLES:
        answer = await ask(server.as_member(acme, role), endpoint, thing)
        assert (answer.status == 403) == (role not in endpoint.allow), (role, answer.body)
        if answer.status == 403:
            assert f"yours is {role}" in answer.body["message"]


@with_id
async def test_another_companys_id_is_the_same_404_as_none(server: RunningHub, acme: Company, globex: Company, name: str) -> None:
    endpoint = ENDPOINTS[name]
    thing = await THINGS[endpoint.path](server, acme)
    stranger = server.as_member(globex, "owner")
    theirs, nobodys = await ask(stranger, endpoint, thing), await ask(stranger, endpoint, uuid4())
    assert theirs.status == nobodys.status == 404
    without_time = ("request_id", "timestamp")
    assert {k: v for k, v in theirs.body.items() if k not in without_time} == {
        k: v for k, v in nobodys.body.items() if k not in without_time
    }
    own = await ask(server.as_member(acme, "owner"), endpoint, thing)
    assert own.status < 300 or own.status == 409, "the thing is there for its own company"


@with_id
async def test_an_id_that_is_none_is_a_404(server: RunningHub, acme: Company, name: str) -> None:
    owner = server.as_member(acme, "owner")
    for thing in NOT_IDS:
        assert (await ask(owner, ENDPOINTS[name], thing)).status == 404, thing


async def test_nothing_of_one_company_stands_in_the_lists_of_another(server: RunningHub, acme: Company, globex: Company) -> None:
    for make in set(THINGS.values()):
        await make(server, acme)
    quiet = await make_company(server.hub.db, f"Globex{next(_numbers)}")
    for path, is_empty in EMPTY.items():
        params = {"q": "ada"} if path == "/api/v1/search" else {}
        stranger = await server.as_member(quiet, "owner").get(path, **params)
        assert stranger.status == 200
        assert is_empty(stranger.body), (path, stranger.body)
        assert str(acme.tenant_id) not in str(stranger.body)
        own = await server.as_member(acme, "owner").get(path, **params)
        assert path in ALIKE or not is_empty(own.body), f"{path} shows nothing of what was made"


@secured
async def test_a_method_that_an_address_lacks_is_a_405_that_names_the_others(
    server: RunningHub, acme: Company, name: str
) -> None:
    endpoint = ENDPOINTS[name]
    has = {e.method for e in ENDPOINTS.values() if e.path == endpoint.path}
    url = server.url + re.sub(r"{\w+}", str(uuid4()), endpoint.path)
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} - has:
        async with server.as_member(acme, "owner").session.request(method, url) as answer:
            assert (answer.status, (await answer.json())["error"]) == (405, "method_not_allowed"), method
            assert {m.strip() for m in answer.headers["Allow"].split(",")} == has
