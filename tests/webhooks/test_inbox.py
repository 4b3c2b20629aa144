"""The inbox: forged, foreign, malformed and repeated webhooks change nothing, genuine ones are kept once with their job."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from aiohttp import ClientSession, web
from prometheus_client import REGISTRY

from hub.config import Settings
from hub.db import Database, tenant_tx
from hub.errors import NotFound
from hub.http.middleware import observe
from hub.sqlfiles import Statement
from hub.webhooks.inbox import read_delivery, receive, verified
from integrations.ports import CallbackReader
from integrations.twilio import TwilioWebhook
from tests.conftest import Company
from tests.harness import make_settings

TOKEN = "12345"
KEYS = {"webhooks_sharedkey_1": "shared"}
PUBLIC = "https://hub.example.com"
FORM = "application/x-www-form-urlencoded"
JOBS = Statement(
    "jobs", "SELECT args::text AS args, request_id FROM jobs WHERE tenant_id = :tenant_id AND kind = 'messages.webhook'"
)
DELIVERIES = Statement("deliveries", "SELECT provider, dedupe_key FROM webhook_deliveries WHERE tenant_id = :tenant_id")


def signature(url: str, fields: dict[str, str], *, secret: str = TOKEN, digest: str = "sha1") -> str:
    """Sign by Twilio's published recipe, without its SDK."""
    text = url + "".join(f"{name}{fields[name]}" for name in sorted(fields))
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), digest).digest()).decode()


@dataclass
class Inbox:
    """A server with two webhooks: one is worked on later, one waits for its answer."""

    session: ClientSession
    url: str
    fields: list[dict[str, str]]

    async def post(
        self, path: str, fields: dict[str, str], *, signed: dict[str, str] | None = None, **headers: str
    ) -> tuple[int, Any]:
        """Send a form; `signed` are the fields that the signature is made over, if not these."""
        made = headers.pop("signature", "") or signature(PUBLIC + path, fields if signed is None else signed)
        sent = {"Content-Type": FORM, "X-Twilio-Signature": made} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        return await self.send(path, urlencode(fields).encode(), sent)

    async def send(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, Any]:
        async with self.session.post(self.url + path, data=body, headers=headers) as response:
            return response.status, await response.json(content_type=None)


def application(db: Database, settings: Settings, reader: CallbackReader | None, taken: list[dict[str, str]]) -> web.Application:
    async def later(request: web.Request) -> web.Response:
        def key(reader: CallbackReader, fields: dict[str, str]) -> str:
            update = reader.read_message(fields)
            return f"{update.sid}:{update.status}"

        taken.append(
            await receive(
                db,
                reader,
                settings,
                request,
                UUID(request.match_info["tenant_id"]),
                kind="message_status",
                job="messages.webhook",
                args={"message_id": request.match_info["id"]},
                dedupe_key=key,
            )
        )
        return web.Response(status=204)

    async def now(request: web.Request) -> web.Response:
        taken.append(await verified(reader, settings, request, kind="inbound_call"))
        return web.Response(text="<Response/>", content_type="application/xml")

    app = web.Application(middlewares=[observe])
    app.router.add_post("/webhooks/twilio/{tenant_id}/messages/{id}/status", later)
    app.router.add_post("/webhooks/twilio/{tenant_id}/inbound", now)
    return app


@pytest.fixture(params=[True], ids=["account"])
def has_account(request: pytest.FixtureRequest) -> bool:
    """Whether a telephone account is set up."""
    return bool(request.param)


@pytest.fixture
async def inbox(db: Database, has_account: bool) -> AsyncIterator[Inbox]:
    settings = make_settings("postgresql://", "redis://", public_url=PUBLIC)
    taken: list[dict[str, str]] = []
    reader = TwilioWebhook(TOKEN, shared_keys=KEYS) if has_account else None
    runner = web.AppRunner(application(db, settings, reader, taken), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with ClientSession() as session:
        yield Inbox(session, f"http://127.0.0.1:{runner.addresses[0][1]}", taken)
    await runner.cleanup()


def counted(kind: str, result: str, provider: str = "twilio") -> float:
    labels = {"provider": provider, "kind": kind, "result": result}
    return REGISTRY.get_sample_value("ringside_webhooks_total", labels) or 0.0


async def kept(db: Database, company: Company) -> tuple[list[Any], list[Any]]:
    """The company's jobs and deliveries."""
    async with tenant_tx(db, company.who()) as tx:
        return await tx.fetch(JOBS), await tx.fetch(DELIVERIES)


def status_path(company: Company, message_id: UUID, query: str = "") -> str:
    return f"/webhooks/twilio/{company.tenant_id}/messages/{message_id}/status{query}"


DELIVERED = {"MessageSid": "SM1", "MessageStatus": "delivered", "Note": "é & <b>"}


async def test_a_genuine_webhook_is_kept_once_with_the_job_for_it(inbox: Inbox, db: Database, acme: Company) -> None:
    message_id = uuid4()
    before = counted("message_status", "stored"), counted("message_status", "repeated")

    for _ in range(3):
        assert (await inbox.post(status_path(acme, message_id), DELIVERED, X_Request_ID="request-1"))[0] == 204

    [job], [delivery] = await kept(db, acme)
    args = json.loads(job["args"])
    assert (args["message_id"], job["request_id"]) == (str(message_id), "request-1")
    assert (delivery["provider"], delivery["dedupe_key"]) == ("twilio", "message_status:SM1:delivered")
    assert inbox.fields == [DELIVERED] * 3
    async with tenant_tx(db, acme.who()) as tx:
        assert await read_delivery(tx, UUID(args["delivery_id"])) == DELIVERED
    assert counted("message_status", "stored") == before[0] + 1
    assert counted("message_status", "repeated") == before[1] + 2


async def test_another_state_is_another_webhook(inbox: Inbox, db: Database, acme: Company) -> None:
    message_id = uuid4()
    for status in ("queued", "sent", "delivered"):
        await inbox.post(status_path(acme, message_id), DELIVERED | {"MessageStatus": status})

    jobs, deliveries = await kept(db, acme)

    assert len(jobs) == len(deliveries) == 3


async def test_forgeries_are_refused_and_counted_and_leave_nothing(inbox: Inbox, db: Database, acme: Company) -> None:
    path = status_path(acme, uuid4())
    before = counted("message_status", "forged")
    forgeries: list[tuple[dict[str, str], dict[str, Any]]] = [
        (DELIVERED, {"signature": "AAAA"}),
        (DELIVERED, {"signature": signature(PUBLIC + path, DELIVERED, secret="guessed")}),
        (DELIVERED | {"MessageStatus": "failed"}, {"signature": signature(PUBLIC + path, DELIVERED)}),
        (DELIVERED, {"signature": signature("https://elsewhere.example.com" + path, DELIVERED)}),
        (DELIVERED, {"signature": signature(PUBLIC + status_path(acme, uuid4()), DELIVERED)}),
        (DELIVERED, {"X-Twilio-Webhooks-Signature-Settings": "key=unknown,algorithm=HMAC_SHA1"}),
    ]

    for fields, headers in forgeries:
        status, answer = await inbox.post(path, fields, **headers)
        assert (status, answer["error"]) == (403, "bad_signature")
    assert (await inbox.send(path, b"{}", {"Content-Type": "application/json"}))[0] == 403
    assert (await inbox.send(path, urlencode(DELIVERED).encode(), {"Content-Type": FORM}))[0] == 403

    assert await kept(db, acme) == ([], [])
    assert inbox.fields == []
    assert counted("message_status", "forged") == before + len(forgeries) + 2


async def test_both_algorithms_and_json_bodies_are_taken(inbox: Inbox, db: Database, acme: Company) -> None:
    path = status_path(acme, uuid4())
    newer = signature(PUBLIC + path, DELIVERED, secret="shared", digest="sha256")
    settings = "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"
    told = await inbox.post(path, DELIVERED, signature=newer, X_Twilio_Webhooks_Signature_Settings=settings)
    assert told[0] == 204

    body = json.dumps({"MessageSid": "SM2", "MessageStatus": "sent", "Extra": {"a": [1]}, "None": None}).encode()
    signed = path + f"?bodySHA256={hashlib.sha256(body).hexdigest()}"
    headers = {"Content-Type": "application/json", "X-Twilio-Signature": signature(PUBLIC + signed, {})}
    assert (await inbox.send(signed, body, headers))[0] == 204
    assert (await inbox.send(signed, body.replace(b"sent", b"SENT"), headers))[0] == 403

    assert inbox.fields[1] == {"MessageSid": "SM2", "MessageStatus": "sent", "Extra": '{"a": [1]}', "None": "null"}
    assert len((await kept(db, acme))[1]) == 2


async def test_one_company_can_not_be_told_about_in_anothers_name(
    inbox: Inbox, db: Database, acme: Company, globex: Company
) -> None:
    message_id = uuid4()
    assert (await inbox.post(status_path(globex, message_id), DELIVERED))[0] == 204

    assert await kept(db, acme) == ([], [])
    jobs, _ = await kept(db, globex)
    async with tenant_tx(db, acme.who()) as tx:
        with pytest.raises(NotFound):
            await read_delivery(tx, UUID(json.loads(jobs[0]["args"])["delivery_id"]))


async def test_a_company_that_is_none_is_a_404(inbox: Inbox) -> None:
    before = counted("message_status", "unknown")

    status, answer = await inbox.post(f"/webhooks/twilio/{uuid4()}/messages/{uuid4()}/status", DELIVERED)

    assert (status, answer["error"]) == (404, "not_found")
    assert counted("message_status", "unknown") == before + 1


@pytest.mark.parametrize("fields", [{}, {"MessageSid": "SM1"}, {"MessageSid": "SM1", "MessageStatus": "eaten"}])
async def test_what_is_signed_and_of_another_kind_is_refused_in_words(
    inbox: Inbox, db: Database, acme: Company, fields: dict[str, str]
) -> None:
    status, answer = await inbox.post(status_path(acme, uuid4()), fields)

    assert status == 422
    assert answer["message"].startswith("This is no message status: ")
    assert await kept(db, acme) == ([], [])


async def test_nothing_a_form_may_hold_is_an_error(inbox: Inbox, acme: Company) -> None:
    odd = DELIVERED | {"Body": "a\0b", "Lone": "\ufffd", "Quote": "'\"\\", "": "nameless", "Long": "x" * 100_000}

    assert (await inbox.post(status_path(acme, uuid4()), odd))[0] == 204

    assert inbox.fields[0]["Body"] == "ab"


async def test_what_waits_for_an_answer_is_checked_in_the_same_way(inbox: Inbox, acme: Company) -> None:
    path = f"/webhooks/twilio/{acme.tenant_id}/inbound"
    fields = {"CallSid": "CA1", "From": "+12025550101", "To": "+14155550100"}
    before = counted("inbound_call", "answered"), counted("inbound_call", "forged")

    status, answer = await inbox.post(path, fields, signature="AAAA")
    assert (status, answer["error"]) == (403, "bad_signature")
    async with inbox.session.post(
        inbox.url + path, data=fields, headers={"X-Twilio-Signature": signature(PUBLIC + path, fields)}
    ) as response:
        assert (response.status, await response.text()) == (200, "<Response/>")

    assert inbox.fields == [fields]
    assert (counted("inbound_call", "answered"), counted("inbound_call", "forged")) == (before[0] + 1, before[1] + 1)


@pytest.mark.parametrize("has_account", [False], indirect=True, ids=["no account"])
async def test_where_no_account_is_set_up_everything_is_a_forgery(inbox: Inbox, db: Database, acme: Company) -> None:
    assert (await inbox.post(status_path(acme, uuid4()), DELIVERED))[0] == 403
    assert await kept(db, acme) == ([], [])
