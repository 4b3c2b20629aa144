"""Google's errors, labels and history in our words."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.errors import RateLimited, Rejected, Transient
from integrations.gmail.history import Folded
from integrations.gmail.mapping import answer_error, our_error, our_labels, their_labels
from integrations.gmail.search import identities, is_plain, same_id
from integrations.mail import MessageRef


def body(reason: str, message: str = "No.") -> bytes:
    return json.dumps({"error": {"code": 0, "message": message, "errors": [{"reason": reason}]}}).encode()


@pytest.mark.parametrize(
    ("status", "reason", "kind"),
    [
        (429, "rateLimitExceeded", RateLimited),
        (403, "rateLimitExceeded", RateLimited),
        (403, "userRateLimitExceeded", RateLimited),
        (403, "insufficientPermissions", Rejected),
        (401, "authError", Rejected),
        (400, "failedPrecondition", Rejected),
        (404, "notFound", Rejected),
        (500, "backendError", Transient),
        (503, "backendError", Transient),
    ],
)
def test_a_status_and_its_reason_say_what_went_wrong(status: int, reason: str, kind: type[Exception]) -> None:
    assert type(answer_error(status, body(reason), None)) is kind


def test_only_the_pace_is_no_fault_of_the_credential() -> None:
    forbidden = answer_error(403, body("insufficientPermissions"), None)
    assert isinstance(forbidden, Rejected) and forbidden.is_credential_fault


def test_a_project_without_the_api_makes_no_mailbox_look_revoked() -> None:
    refused = answer_error(403, body("accessNotConfigured"), None)
    assert isinstance(refused, Rejected) and not refused.is_credential_fault


def test_a_broken_server_may_have_done_it_all_the_same() -> None:
    broken = answer_error(502, b"<html>Bad gateway</html>", None)
    assert isinstance(broken, Transient) and broken.ambiguous


def test_the_pause_is_read_from_the_header_or_from_the_words() -> None:
    before = datetime.now(UTC)
    until = before.replace(microsecond=0) + timedelta(hours=2)
    named = answer_error(
        429, body("rateLimitExceeded", f"User-rate limit exceeded.  Retry after {until:%Y-%m-%dT%H:%M:%S}.000Z"), None
    )
    after = datetime.now(UTC)
    assert isinstance(named, RateLimited) and named.retry_after is not None
    assert (until - after).total_seconds() <= named.retry_after <= (until - before).total_seconds()
    told = answer_error(429, body("rateLimitExceeded"), "7")
    assert isinstance(told, RateLimited) and told.retry_after == 7.0


def test_our_own_mistakes_are_not_blamed_on_the_provider() -> None:
    assert our_error(AssertionError()) is None


def test_what_could_not_be_read_is_not_repeated_in_the_error() -> None:
    try:
        (b"secret mail \xff" * 1_000).decode()
    except UnicodeDecodeError as error:
        ours = our_error(error)
    assert isinstance(ours, Transient) and "secret" not in str(ours) and len(str(ours)) < 400


def test_labels_of_the_system_have_our_names_and_others_keep_theirs() -> None:
    assert our_labels(["INBOX", "UNREAD", "Label_7"]) == {"inbox", "unread", "Label_7"}
    assert their_labels(["unread", "Label_7", "unread"]) == ["Label_7", "UNREAD"]


def record(number: int, **what: Any) -> dict[str, Any]:
    return {"id": str(number), **what}


def told(id_: str, *labels: str) -> dict[str, Any]:
    return {"id": id_, "threadId": f"t{id_}", "labelIds": list(labels)}


def fold(*records: dict[str, Any]) -> Folded:
    folded = Folded("1")
    assert folded.take({"history": list(records), "historyId": "99"}) is None
    return folded


def test_each_message_is_told_of_once_however_often_it_changed() -> None:
    changes = fold(
        record(2, messagesAdded=[{"message": told("a", "INBOX", "UNREAD")}]),
        record(3, labelsRemoved=[{"message": told("a", "INBOX"), "labelIds": ["UNREAD"]}]),
        record(4, labelsAdded=[{"message": told("a", "INBOX", "UNREAD"), "labelIds": ["UNREAD"]}]),
        record(5, messagesAdded=[{"message": told("b", "INBOX")}]),
        record(6, messagesDeleted=[{"message": told("b")}]),
    ).changes(is_whole=True)

    assert changes.added == (MessageRef("a", "ta"),)
    assert changes.deleted == (MessageRef("b", "tb"),)
    assert [(each.ref.id, each.added, each.removed) for each in changes.labels] == [("a", frozenset({"unread"}), frozenset())]
    assert (changes.cursor, changes.more) == ("99", False)


def test_drafts_and_spam_are_no_news_until_they_come_out() -> None:
    changes = fold(
        record(2, messagesAdded=[{"message": told("draft", "DRAFT")}, {"message": told("spam", "SPAM")}]),
        record(3, messagesAdded=[{"message": told("saved", "SPAM")}]),
        record(4, labelsRemoved=[{"message": told("saved", "INBOX"), "labelIds": ["SPAM"]}]),
        record(5, messagesAdded=[{"message": told("thrown", "INBOX")}]),
        record(6, labelsAdded=[{"message": told("thrown", "TRASH"), "labelIds": ["TRASH"]}]),
    ).changes(is_whole=True)

    assert changes.added == (MessageRef("saved", "tsaved"),)


def test_without_the_last_page_it_goes_on_after_the_last_record() -> None:
    folded = Folded("1")
    page = folded.take({"history": [record(7, messagesAdded=[{"message": told("a")}])], "historyId": "99", "nextPageToken": "n"})

    changes = folded.changes(is_whole=False)

    assert (page, changes.cursor, changes.more) == ("n", "7", True)


def test_a_message_is_known_by_whatever_header_holds_its_id() -> None:
    headers = [
        {"name": "Message-Id", "value": "<new@mail.gmail.com>"},
        {"name": "X-Google-Original-Message-ID", "value": "<ours@ringside.example>"},
        {"name": "Subject", "value": "<other@ringside.example>"},
    ]
    found = identities({"payload": {"headers": headers}})

    assert any(same_id("<ours@ringside.example>", each) for each in found)
    assert not any(same_id("<other@ringside.example>", each) for each in found)
    assert is_plain("a.b@c.example") and not is_plain('a" OR in:anywhere')
