"""What goes wrong in the Gmail sandbox on request, and Google's own client on batches and uploads."""

import asyncio
import base64
import io
from collections.abc import AsyncIterator, Callable
from typing import Any

import google_auth_httplib2
import httplib2
import pytest
from aiohttp import ClientError, ClientSession, ClientTimeout, ServerDisconnectedError
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build_from_document
from googleapiclient.errors import HttpError
from googleapiclient.http import MediaInMemoryUpload, MediaIoBaseUpload

from integrations.sandbox.gmail import GmailSandbox, GmailSettings
from integrations.sandbox.gmail.faults import Kind
from tests.integrations.gmail_specification import Caller, GmailSpecification, packaged, published
from tests.loop_clock import LIMIT_S, given_up_after
from tests.patience import PATIENCE_S

ADA = "ada@example.com"
LETTER = b"From: ada@example.com\r\nTo: silent@example.org\r\nSubject: Hello\r\n\r\n\xc3\xa4\r\n"
SEND = {"raw": base64.urlsafe_b64encode(LETTER).decode()}


@pytest.fixture
async def call() -> AsyncIterator[Caller]:
    async with GmailSandbox() as sandbox, ClientSession(timeout=ClientTimeout(total=LIMIT_S)) as session:
        yield Caller(sandbox, session, GmailSpecification(published()), ADA, sandbox.access_token(ADA))


def service_for(sandbox: GmailSandbox, token: str) -> Any:
    """Google's client, led to the sandbox."""
    document = packaged() | {"rootUrl": f"{sandbox.url}/", "baseUrl": f"{sandbox.url}/"}
    plain = httplib2.Http(timeout=PATIENCE_S)
    # As the client's own build_http does it: 308 means that an upload goes on.
    plain.redirect_codes = plain.redirect_codes - {308}
    http = google_auth_httplib2.AuthorizedHttp(Credentials(token), http=plain)  # type: ignore[no-untyped-call]
    return build_from_document(document, http=http)


@pytest.mark.parametrize(
    ("kind", "reason", "told"),
    [
        ("400", "", "invalidArgument"),
        ("401", "", "authError"),
        ("403", "userRateLimitExceeded", "userRateLimitExceeded"),
        ("403", "", "forbidden"),
        ("404", "", "notFound"),
        ("429", "", "rateLimitExceeded"),
        ("500", "", "backendError"),
        ("503", "", "backendError"),
    ],
)
async def test_a_refusal_does_nothing_and_is_over_after_its_times(call: Caller, kind: Kind, reason: str, told: str) -> None:
    call.sandbox.fail("messages.send", kind, 2, reason=reason)

    answers = [await call("POST", "/messages/send", SEND) for _ in range(3)]

    assert [each.status for each in answers] == [int(kind), int(kind), 200]
    assert answers[0].reason == told
    assert len(call.sandbox.sent) == 1


@pytest.mark.parametrize(
    ("kind", "error", "sent"),
    [("hang", TimeoutError, 0), ("drop", ServerDisconnectedError, 0), ("lost", ServerDisconnectedError, 1)],
)
async def test_an_answer_that_never_comes(call: Caller, kind: Kind, error: type[Exception], sent: int) -> None:
    call.sandbox.fail("messages.*", kind)

    asking = call("POST", "/messages/send", SEND)
    if kind == "hang":
        asking = given_up_after(LIMIT_S, asking, lambda: not call.sandbox.faults.waiting)
    with pytest.raises(error):
        await asking

    assert len(call.sandbox.sent) == sent
    assert (await call("POST", "/messages/send", SEND)).status == 200


async def test_an_answer_may_come_late(call: Caller) -> None:
    call.sandbox.fail("getProfile", "slow", delay_s=0.05)
    began = asyncio.get_running_loop().time()

    assert (await call("GET", "/profile")).status == 200
    assert asyncio.get_running_loop().time() - began >= 0.05


async def test_a_fault_is_for_one_operation_and_one_mailbox(call: Caller) -> None:
    call.sandbox.fail("messages.list", "500", 5, mailbox="ben@example.com")
    call.sandbox.fail("history.list", "500", 5)

    assert (await call("GET", "/messages")).status == (await call("GET", "/profile")).status == 200


async def test_faults_are_set_and_taken_back_by_http(call: Caller) -> None:
    url = f"{call.sandbox.url}/_sandbox/faults"
    async with call.session.post(url, json={"operation": "*", "kind": "503", "times": 3}) as response:
        assert (await response.json())["faults"][0]["times"] == 3
    assert (await call("GET", "/profile")).status == 503
    async with call.session.delete(url) as response:
        assert await response.json() == {"faults": []}
    async with call.session.post(url, json={"kind": "odd"}) as response:
        assert response.status == 400


async def test_tokens_can_fail_too(call: Caller) -> None:
    call.sandbox.fail("oauth.token", "503")
    call.sandbox.fail("oauth.revoke", "drop")

    async with call.session.post(f"{call.sandbox.url}/token") as response:
        assert response.status == 503
    with pytest.raises(ClientError):
        await call.session.post(f"{call.sandbox.url}/revoke")


async def test_a_quota_is_kept_by_the_minute_and_the_mailbox() -> None:
    async with GmailSandbox(GmailSettings(quota_per_minute=210)) as sandbox, ClientSession() as session:
        specification = GmailSpecification(published())
        call = Caller(sandbox, session, specification, ADA, sandbox.access_token(ADA))
        other = Caller(sandbox, session, specification, "ben@example.com", sandbox.access_token("ben@example.com"))
        statuses = [(await call("POST", "/messages/send", SEND)).status for _ in range(3)]

        assert statuses == [200, 200, 429]
        assert (await call("GET", "/messages")).status == (await other("POST", "/messages/send", SEND)).status == 200
        assert len(sandbox.sent) == 3


async def test_a_batch_answers_each_request_by_its_id(call: Caller) -> None:
    ids = [call.sandbox.deliver(ADA, LETTER).id for _ in range(3)]
    call.sandbox.fail("labels.list", "429")
    got: dict[str, Any] = {}

    def run() -> None:
        service = service_for(call.sandbox, call.token)
        batch = service.new_batch_http_request(lambda name, body, error: got.update({name: error or body}))
        for name in ids:
            batch.add(service.users().messages().get(userId="me", id=name, format="raw"), request_id=name)
        batch.add(service.users().messages().get(userId="me", id="none"), request_id="gone")
        batch.add(service.users().labels().list(userId="me"), request_id="too much")
        batch.add(service.users().messages().modify(userId="me", id=ids[0], body={"addLabelIds": ["STARRED"]}), request_id="mark")
        batch.execute()

    await asyncio.to_thread(run)

    assert [base64.urlsafe_b64decode(got[name]["raw"]) for name in ids] == [LETTER] * 3
    assert (got["gone"].status_code, got["too much"].status_code) == (404, 429)
    assert "STARRED" in got["mark"]["labelIds"]


async def test_a_batch_is_of_at_most_a_hundred_and_a_batch_at_all(call: Caller) -> None:
    part = "--x\r\nContent-Type: application/http\r\n\r\nGET /gmail/v1/users/me/profile HTTP/1.1\r\n\r\n"
    headers = {"Authorization": f"Bearer {call.token}", "Content-Type": "multipart/mixed; boundary=x"}

    async def send(body: str, **other: str) -> tuple[int, str]:
        url = f"{call.sandbox.url}/batch/gmail/v1"
        async with call.session.post(url, data=body, headers=headers | other) as response:
            return response.status, await response.text()

    status, told = await send(f"{part * 2}--x--")
    assert status == 200 and told.count("HTTP/1.1 200 OK") == 2
    assert (await send(f"{part * 101}--x--"))[0] == 400
    assert (await send("nonsense", **{"Content-Type": "text/plain"}))[0] == 400
    call.sandbox.fail("batch", "503")
    assert (await send(f"{part}--x--"))[0] == 503
    call.sandbox.fail("getProfile", "lost")
    with pytest.raises(ServerDisconnectedError):
        await send(f"{part}--x--")


def simple(service: Any) -> Any:
    media = MediaInMemoryUpload(LETTER, mimetype="message/rfc822")
    return service.users().messages().send(userId="me", media_body=media)


def with_metadata(service: Any) -> Any:
    # The client can't write bytes of more than seven bits between its own lines.
    media = MediaInMemoryUpload(LETTER.replace(b"\xc3\xa4", b"=C3=A4"), mimetype="message/rfc822")
    return service.users().messages().insert(userId="me", body={"labelIds": ["INBOX"]}, media_body=media)


def bit_by_bit(service: Any) -> Any:
    data = LETTER + b"a line of the attachment\r\n" * 30_000
    media = MediaIoBaseUpload(io.BytesIO(data), mimetype="message/rfc822", chunksize=256 * 1024, resumable=True)
    return service.users().drafts().create(userId="me", body={"message": {}}, media_body=media)


@pytest.mark.parametrize("make", [simple, with_metadata, bit_by_bit])
async def test_uploads_arrive_byte_for_byte(call: Caller, make: Callable[[Any], Any]) -> None:
    def run() -> None:
        make(service_for(call.sandbox, call.token)).execute()

    await asyncio.to_thread(run)

    (stored,) = call.sandbox.mailboxes[ADA].messages.values()
    body = stored.raw.partition(b"\r\n\r\n")[2]
    assert body.startswith(b"=C3=A4" if make is with_metadata else b"\xc3\xa4\r\n")
    assert len(body) > 700_000 if make is bit_by_bit else len(body) < 10


async def test_an_upload_that_makes_no_sense_is_refused(call: Caller) -> None:
    headers = {"Authorization": f"Bearer {call.token}"}

    async def send(verb: str, path: str, body: bytes = b"", **more: str) -> int:
        named = {name.replace("_", "-"): value for name, value in more.items()}
        async with call.session.request(verb, call.sandbox.url + path, data=body, headers=headers | named) as response:
            return response.status

    base = "/upload/gmail/v1/users/me"
    assert (
        await send("POST", f"{base}/messages/send?uploadType=multipart", b"x", Content_Type="multipart/related; boundary=y")
        == 400
    )
    assert await send("PUT", f"{base}/messages/send?upload_id=none", b"x") == 404
    assert await send("POST", f"{base}/labels?uploadType=media", b"x") == 400

    def refused() -> int:
        try:
            simple(service_for(call.sandbox, "nobody")).execute()
        except HttpError as error:
            return int(error.status_code)
        return 0

    with pytest.raises(Exception, match=r"(?i)refresh|invalid"):
        # The client asks for a new token first, and has nothing to ask with.
        assert await asyncio.to_thread(refused) == 401
