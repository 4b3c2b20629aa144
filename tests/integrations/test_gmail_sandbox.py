"""The Gmail sandbox's API, held to Google's discovery document in both directions."""

import base64
import re
from collections.abc import AsyncIterator
from email import message_from_bytes

import pytest
from aiohttp import ClientSession

from integrations.sandbox.gmail import GmailSandbox, SandboxClock
from integrations.sandbox.gmail.mailbox import SYSTEM_LABELS, Label, Mailbox
from integrations.sandbox.gmail.search import parse
from tests.integrations.gmail_specification import Caller, GmailSpecification, packaged, published

ADA = "ada@example.com"
# To delete for good takes more than gmail.modify.
EVERYTHING = frozenset({"https://mail.google.com/"})


@pytest.fixture
async def call() -> AsyncIterator[Caller]:
    async with GmailSandbox() as sandbox, ClientSession() as session:
        yield Caller(sandbox, session, GmailSpecification(published()), ADA, sandbox.access_token(ADA, EVERYTHING))


def letter(
    subject: str = "Hello", *, to: str = "silent@example.org", sender: str = ADA, text: str = "A line.", **more: str
) -> bytes:
    extra = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in more.items())
    return f"From: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\n{extra}\r\n{text}\r\n".encode()


def raw(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()


async def test_the_library_carries_the_document_that_is_published() -> None:
    ours, theirs = GmailSpecification(packaged()), GmailSpecification(published())

    assert {name: each["path"] for name, each in ours.methods.items()} == {
        name: each["path"] for name, each in theirs.methods.items()
    }


async def test_every_operation_on_mail_is_done_as_the_document_says(call: Caller) -> None:
    send_as = f"/settings/sendAs/{ADA}"
    inbound = call.sandbox.deliver(ADA, letter("In", sender="bob@example.org", to=ADA))
    mine = (await call("POST", "/messages/send", {"raw": raw(letter())})).body
    own = (await call("POST", "/labels", {"name": "Deals", "labelListVisibility": "labelShow"})).body
    draft = (await call("POST", "/drafts", {"message": {"raw": raw(letter("Later"))}})).body
    inserted = (await call("POST", "/messages", {"raw": raw(letter("Old")), "labelIds": ["INBOX"]})).body
    imported = (await call("POST", "/messages/import", {"raw": raw(letter("Older", Date="Mon, 2 Mar 2026 09:00:00 +0000"))})).body
    for verb, path, body in (
        ("GET", "/profile", None),
        ("GET", "/messages", None),
        ("GET", f"/messages/{inbound.id}", None),
        ("POST", f"/messages/{inbound.id}/modify", {"addLabelIds": [own["id"]]}),
        ("POST", "/messages/batchModify", {"ids": [inbound.id], "removeLabelIds": ["UNREAD"]}),
        ("POST", f"/messages/{inbound.id}/trash", None),
        ("POST", f"/messages/{inbound.id}/untrash", None),
        ("GET", "/threads", None),
        ("GET", f"/threads/{mine['threadId']}", None),
        ("POST", f"/threads/{mine['threadId']}/modify", {"addLabelIds": ["STARRED"]}),
        ("POST", f"/threads/{mine['threadId']}/trash", None),
        ("POST", f"/threads/{mine['threadId']}/untrash", None),
        ("GET", "/labels", None),
        ("GET", f"/labels/{own['id']}", None),
        ("PUT", f"/labels/{own['id']}", {"id": own["id"], "name": "Won"}),
        ("PATCH", f"/labels/{own['id']}", {"color": {"textColor": "#000000", "backgroundColor": "#ffffff"}}),
        ("DELETE", f"/labels/{own['id']}", None),
        ("GET", "/drafts", None),
        ("GET", f"/drafts/{draft['id']}", None),
        ("PUT", f"/drafts/{draft['id']}", {"message": {"raw": raw(letter("Even later"))}}),
        ("GET", "/settings/sendAs", None),
        ("POST", "/watch", {"topicName": call.sandbox.settings.push.topic, "labelIds": ["INBOX"]}),
        ("POST", "/stop", None),
    ):
        answered = await call(verb, path, body)
        assert answered.status in (200, 204), (path, answered.body)
    assert (await call("GET", "/history", startHistoryId=call.sandbox.mailboxes[ADA].history_floor)).body["history"]
    assert (await call("POST", "/drafts/send", {"id": draft["id"]})).status == 200
    other = (await call("POST", "/drafts", {"message": {"raw": raw(letter("Never"))}})).body
    for verb, path, body in (
        ("DELETE", f"/drafts/{other['id']}", None),
        ("DELETE", f"/messages/{inserted['id']}", None),
        ("POST", "/messages/batchDelete", {"ids": [imported["id"]]}),
        ("DELETE", f"/threads/{mine['threadId']}", None),
    ):
        assert (await call(verb, path, body)).status == 204, path
    assert (await call("GET", f"/messages/{inbound.id}/attachments/none")).status == 400

    # The settings of a mailbox (filters, forwarding, keys) are none of the product's business.
    left = {name for name in call.specification.methods if not name.startswith("gmail.users.settings.")} - call.seen
    assert left == set()
    assert (await call("GET", send_as)).status == 501


async def test_a_message_is_shown_in_every_format(call: Caller) -> None:
    data = (
        b"From: =?utf-8?q?J=C3=BCrgen?= <j@example.org>\r\nTo: ada@example.com\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
        b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="x"\r\n\r\n'
        b"--x\r\nContent-Type: text/html; charset=iso-8859-1\r\n\r\n<p>Gr\xfc\xdfe &amp; mehr</p>\r\n"
        b'--x\r\nContent-Type: application/pdf; name="a.pdf"\r\nContent-Disposition: attachment; filename="a.pdf"\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\nSGVsbG8=\r\n--x--\r\n"
    )
    stored = call.sandbox.deliver(ADA, data)

    minimal = (await call("GET", f"/messages/{stored.id}", format="minimal")).body
    whole = (await call("GET", f"/messages/{stored.id}", format="raw")).body
    metadata = (await call("GET", f"/messages/{stored.id}", format="metadata", metadataHeaders=["Subject"])).body
    full = (await call("GET", f"/messages/{stored.id}")).body

    assert minimal["snippet"] == "Grüße &amp; mehr" and minimal["labelIds"] == ["INBOX", "UNREAD"] and "payload" not in minimal
    assert base64.urlsafe_b64decode(whole["raw"]) == data
    assert metadata["payload"]["headers"] == [{"name": "Subject", "value": "Grüße"}]
    markup, attached = full["payload"]["parts"]
    assert base64.urlsafe_b64decode(markup["body"]["data"]).decode() == "<p>Grüße &amp; mehr</p>"
    assert (attached["filename"], attached["body"]["size"], attached["partId"]) == ("a.pdf", 5, "1")
    got = (await call("GET", f"/messages/{stored.id}/attachments/{attached['body']['attachmentId']}")).body
    assert base64.urlsafe_b64decode(got["data"]) == b"Hello"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00\xff\xfe",
        b"Subject: =?utf-8?b?!!!?=\r\nContent-Type: text/plain; charset=no-such\r\n\r\n\xff",
        b"Content-Type: multipart/mixed\r\n\r\nno boundary",
        b"Date: yesterday\r\nFrom: \xff\xfe@\r\nTo: <<<>>>\r\n\r\nx",
        b"".join(b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(300)) + b"\r\nx",
    ],
)
async def test_no_message_is_too_odd_to_be_shown(call: Caller, data: bytes) -> None:
    stored = call.sandbox.deliver(ADA, data)

    for form in ("full", "metadata", "minimal", "raw"):
        assert (await call("GET", f"/messages/{stored.id}", format=form)).status == 200


async def test_a_list_goes_on_where_it_was_although_mail_comes_in_between(call: Caller) -> None:
    call.sandbox.seed(ADA, 250)

    first = (await call("GET", "/messages", maxResults=100)).body
    call.sandbox.deliver(ADA, letter())
    second = (await call("GET", "/messages", maxResults=100, pageToken=first["nextPageToken"])).body
    third = (await call("GET", "/messages", maxResults=100, pageToken=second["nextPageToken"])).body

    ids = [each["id"] for page in (first, second, third) for each in page["messages"]]
    spam = [each for each in call.sandbox.mailboxes[ADA].messages.values() if "SPAM" in each.labels]
    assert len(ids) == len(set(ids)) == 250 - len(spam)
    assert "nextPageToken" not in third
    times = [call.sandbox.mailboxes[ADA].messages[each].internal_ms for each in ids]
    assert times == sorted(times, reverse=True)


async def test_nothing_found_is_no_list_at_all(call: Caller) -> None:
    assert (await call("GET", "/messages")).body == {"resultSizeEstimate": 0}


async def test_the_history_tells_everything_since_and_nothing_before(call: Caller) -> None:
    call.sandbox.deliver(ADA, letter("Before"))
    start = (await call("GET", "/profile")).body["historyId"]
    stored = call.sandbox.deliver(ADA, letter("After"))
    await call("POST", f"/messages/{stored.id}/modify", {"removeLabelIds": ["UNREAD"]})
    await call("DELETE", f"/messages/{stored.id}")

    told = (await call("GET", "/history", startHistoryId=start)).body
    kinds = [kind for each in told["history"] for kind in each if kind.startswith(("messagesA", "messagesD", "labels"))]
    only = (await call("GET", "/history", startHistoryId=start, historyTypes=["messageDeleted"])).body
    page = (await call("GET", "/history", startHistoryId=start, maxResults=2)).body
    rest = (await call("GET", "/history", startHistoryId=start, maxResults=2, pageToken=page["nextPageToken"])).body

    assert kinds == ["messagesAdded", "labelsRemoved", "messagesDeleted"]
    assert [set(each) for each in only["history"]] == [{"id", "messages", "messagesDeleted"}]
    assert page["history"] + rest["history"] == told["history"]
    assert (await call("GET", "/history", startHistoryId=told["historyId"])).body == {"historyId": told["historyId"]}


async def test_a_history_that_is_too_old_is_404(call: Caller) -> None:
    start = (await call("GET", "/profile")).body["historyId"]
    call.sandbox.mailboxes[ADA].forget_history()

    assert (await call("GET", "/history", startHistoryId=start)).status == 404
    assert (await call("GET", "/history", startHistoryId=10**15)).status == 404
    assert (await call("GET", "/history")).status == 400


async def test_sent_mail_is_given_another_message_id_unless_told_otherwise(call: Caller) -> None:
    given = letter(Message_ID="<ours@ringside.example>", Bcc="hidden@example.org")

    changed = (await call("POST", "/messages/send", {"raw": raw(given)})).body
    call.sandbox.keeps_message_id = True
    kept = (await call("POST", "/messages/send", {"raw": raw(given)})).body

    sent = message_from_bytes(call.sandbox.mailboxes[ADA].messages[changed["id"]].raw)
    assert re.fullmatch(r"<CA\S+@mail\.gmail\.com>", sent["Message-ID"])
    assert sent["X-Google-Original-Message-ID"] == "<ours@ringside.example>"
    assert sent["Date"] and sent["Bcc"]
    assert call.sandbox.mailboxes[ADA].messages[kept["id"]].head.message_id == "<ours@ringside.example>"
    assert all(b"hidden" not in each.delivered for each in call.sandbox.sent)
    assert [each.original_id for each in call.sandbox.sent] == ["<ours@ringside.example>"] * 2


async def test_a_reply_joins_its_thread_by_reference_and_subject_both(call: Caller) -> None:
    first = (await call("POST", "/messages/send", {"raw": raw(letter("Offer"))})).body
    thread, known = first["threadId"], call.sandbox.sent[0].message_id

    async def thread_of(**headers: str) -> str:
        subject = headers.pop("subject")
        body = {"raw": raw(letter(subject, **headers)), "threadId": thread}
        return str((await call("POST", "/messages/send", body)).body["threadId"])

    assert await thread_of(subject="AW: Re: offer", References=known) == thread
    assert await thread_of(subject="Re: Offer") != thread
    assert await thread_of(subject="Something else", In_Reply_To=known) != thread
    arrived = call.sandbox.deliver(ADA, letter("RE: Offer", sender="bob@example.org", In_Reply_To=known))
    assert arrived.thread_id == thread
    assert (await call("POST", "/messages/send", {"raw": raw(letter()), "threadId": "1234"})).status == 404


async def test_mail_between_mailboxes_arrives(call: Caller) -> None:
    call.sandbox.add_mailbox("ben@example.com")

    await call("POST", "/messages/send", {"raw": raw(letter(to=f"ben@example.com, {ADA}"))})

    (received,) = call.sandbox.mailboxes["ben@example.com"].messages.values()
    (own,) = call.sandbox.mailboxes[ADA].messages.values()
    assert received.labels == {"INBOX", "UNREAD"} and own.labels == {"SENT", "INBOX", "UNREAD"}


@pytest.mark.parametrize(
    ("verb", "path", "body", "status"),
    [
        ("POST", "/messages/send", {"raw": raw(b"Subject: to nobody\r\n\r\nx")}, 400),
        ("POST", "/messages/send", {"raw": "%%%"}, 400),
        ("POST", "/messages/send", {}, 400),
        ("GET", "/messages/none", None, 404),
        ("GET", "/threads/none", None, 404),
        ("GET", "/drafts/none", None, 404),
        ("GET", "/labels/none", None, 404),
        ("POST", "/drafts/send", {"id": "none"}, 404),
        ("POST", "/messages/none/modify", {"addLabelIds": ["INBOX"]}, 404),
        ("POST", "/messages/batchModify", {"ids": [], "addLabelIds": ["INBOX"]}, 400),
        ("POST", "/labels", {"name": "inbox"}, 400),
        ("POST", "/labels", {"name": "Taken"}, 409),
        ("POST", "/watch", {"topicName": "no topic"}, 400),
        ("POST", "/watch", {"topicName": "projects/others/topics/mail"}, 403),
    ],
)
async def test_what_can_not_be_is_refused(call: Caller, verb: str, path: str, body: object, status: int) -> None:
    await call("POST", "/labels", {"name": "Taken"})

    assert (await call(verb, path, body)).status == status


async def test_requests_that_the_document_does_not_know_are_refused(call: Caller) -> None:
    headers = {"Authorization": f"Bearer {call.token}"}
    base = f"{call.sandbox.url}/gmail/v1/users/me"
    for verb, path, body in (
        ("GET", "/messages?limit=5", None),
        ("GET", "/messages?maxResults=many", None),
        ("GET", "/messages/1?format=pretty", None),
        ("POST", "/messages/send", {"raw": "", "to": "x"}),
        ("POST", "/messages/send", {"raw": True}),
        ("POST", "/messages/1/modify", {"addLabelIds": "INBOX"}),
        ("POST", "/messages/1/modify", {"addLabelIds": ["SENT"]}),
    ):
        async with call.session.request(verb, base + path, json=body, headers=headers) as response:
            assert response.status in (400, 404), (path, await response.text())
    async with call.session.get(f"{call.sandbox.url}/gmail/v1/users/me/nothing", headers=headers) as response:
        assert response.status == 404
    async with call.session.get(f"{call.sandbox.url}/gmail/v1/users/ben@example.com/profile", headers=headers) as response:
        assert response.status == 403


async def test_a_token_opens_what_it_was_granted_for(call: Caller) -> None:
    stored = call.sandbox.deliver(ADA, letter())
    call.token = call.sandbox.access_token(ADA, frozenset({"https://www.googleapis.com/auth/gmail.metadata"}))

    assert (await call("GET", f"/messages/{stored.id}", format="metadata")).status == 200
    assert (await call("GET", f"/messages/{stored.id}", format="raw")).status == 403
    assert (await call("GET", "/messages", q="hello")).status == 403
    refused = await call("POST", "/messages/send", {"raw": raw(letter())})
    assert (refused.status, refused.reason) == (403, "insufficientPermissions")
    call.token = "nothing"
    assert (await call("GET", "/profile")).status == 401


async def test_labels_are_counted_and_come_off_when_they_go(call: Caller) -> None:
    stored = call.sandbox.deliver(ADA, letter())
    own = (await call("POST", "/labels", {"name": "Deals"})).body
    await call("POST", f"/messages/{stored.id}/modify", {"addLabelIds": [own["id"]]})

    counted = (await call("GET", f"/labels/{own['id']}")).body
    await call("DELETE", f"/labels/{own['id']}")

    assert (counted["messagesTotal"], counted["messagesUnread"], counted["threadsTotal"]) == (1, 1, 1)
    assert own["id"] not in stored.labels
    assert {each["id"] for each in (await call("GET", "/labels")).body["labels"]} == set(SYSTEM_LABELS)


async def test_a_draft_keeps_its_id_and_is_gone_when_sent(call: Caller) -> None:
    first = (await call("POST", "/drafts", {"message": {"raw": raw(letter("One"))}})).body
    second = (await call("PUT", f"/drafts/{first['id']}", {"message": {"raw": raw(letter("Two"))}})).body
    listed = (await call("GET", "/drafts")).body

    sent = (await call("POST", "/drafts/send", {"id": first["id"]})).body

    assert second["id"] == first["id"] and second["message"]["id"] != first["message"]["id"]
    assert [each["message"]["id"] for each in listed["drafts"]] == [second["message"]["id"]]
    assert sent["labelIds"] == ["SENT"] and call.sandbox.sent[0].head.subject == "Two"
    assert (await call("GET", f"/drafts/{first['id']}")).status == 404
    assert len(call.sandbox.mailboxes[ADA].messages) == 1


async def test_threads_are_listed_once_over_pages(call: Caller) -> None:
    call.sandbox.seed(ADA, 120)
    token, found = None, []
    while True:
        page = (await call("GET", "/threads", maxResults=25, **({"pageToken": token} if token else {}))).body
        found += [each["id"] for each in page.get("threads", [])]
        token = page.get("nextPageToken")
        if token is None:
            break

    visible = {each.thread_id for each in call.sandbox.mailboxes[ADA].messages.values() if "SPAM" not in each.labels}
    assert len(found) == len(set(found)) and set(found) == visible


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "offer bill old"),
        ("in:inbox", "offer bill"),
        ("in:anywhere", "offer bill old junk"),
        ("in:spam", "junk"),
        ("is:unread", "offer"),
        ("is:read", "bill old"),
        ("from:bob", "offer"),
        ("from:me", "old"),
        ("to:bob@example.org", "old"),
        ("subject:offer", "offer"),
        ('"spring order"', "offer bill"),
        ("spring -offer", "bill"),
        ("subject:offer OR subject:bill", "offer bill"),
        ("label:big-deals", "bill"),
        ('label:"Big Deals"', "bill"),
        ("has:attachment", "bill"),
        ("rfc822msgid:one@example.org", "offer"),
        ("rfc822msgid:<one@example.org>", "offer"),
        ("after:2026/03/01 before:2026/03/03", "old"),
        ("after:1775000000", "offer bill"),
        ("older_than:1y", ""),
        ("nothing like it", ""),
    ],
)
def test_the_search_box_finds(query: str, found: str) -> None:
    mailbox = Mailbox(ADA, SandboxClock.parse("2026-11-20T12:00:00+00:00@2026-11-20T12:00:00+00:00*0.000001"))
    mailbox.labels["Label_1"] = Label("Label_1", "Big Deals")
    bob = {"sender": "Bob <bob@example.org>", "to": ADA}
    mailbox.add(letter("Offer", text="the spring order", Message_ID="<one@example.org>", **bob), {"INBOX", "UNREAD"})
    mixed = letter("Bill", text="the spring order", sender="eva@example.org", to=ADA, Content_Type="multipart/mixed; boundary=x")
    mailbox.add(mixed.replace(b"\r\n\r\n", b"\r\n\r\n--x\r\n\r\n"), {"INBOX", "Label_1"})
    mailbox.add(letter("Old", to="bob@example.org"), {"SENT"}, at_ms=1772445600_000)
    mailbox.add(letter("Junk", sender="x@example.net", to=ADA), {"SPAM"})

    asked = parse(query, mailbox)
    hidden = set() if asked.reaches_bin else {"SPAM", "TRASH"}
    matching = {each.head.topic for each in mailbox.messages.values() if hidden.isdisjoint(each.labels) and asked.matches(each)}

    assert matching == set(found.split())
