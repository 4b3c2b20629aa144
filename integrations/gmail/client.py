"""The `Mailbox` port on the real `google-api-python-client`."""

from __future__ import annotations

import asyncio
import base64
import io
import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from email.parser import BytesHeaderParser
from email.policy import compat32
from typing import Any, Final

from googleapiclient.http import MediaIoBaseUpload

from integrations.errors import Rejected
from integrations.gmail.account import Account
from integrations.gmail.api import Api
from integrations.gmail.history import HISTORY_PAGE, Folded
from integrations.gmail.mapping import in_short, moment, our_labels, their_labels
from integrations.gmail.search import identities, is_plain, same_id
from integrations.gmail.wire import Oversized
from integrations.mail import (
    Changes,
    HistoryGone,
    MailboxKind,
    MailboxProfile,
    MailLabel,
    MessagePage,
    MessageRef,
    RawMessage,
    SentMail,
    Watch,
)

# https://developers.google.com/workspace/gmail/api/reference/quota
UNITS: Final = {"send": 100, "watch": 100, "stop": 50, "update": 15, "draft": 10, "message": 5, "history": 2, "profile": 1}
# Google advises against larger ones, and turns away what it can't do at once.
BATCH: Final = 25
# A larger message is uploaded as it is instead of being put into JSON.
LARGEST_IN_JSON: Final = 1_000_000
HISTORY_PAGES: Final = 10
# Who waits for an access token or the quota for longer does not send any more; and the look at what was sent is soon given up.
BEGINS_WITHIN_S: Final = 15.0
LOOKED_AT_WITHIN_S: Final = 5.0
# Mail sent by others' clocks, and how many of the last sent are looked at whatever their time.
CLOCK_MARGIN: Final = timedelta(minutes=5)
SENT_PAGE: Final = 50
ME: Final = "me"

log = logging.getLogger(__name__)


class GmailMailbox:
    """One mailbox. It holds nothing open by itself."""

    kind: MailboxKind = "gmail"

    def __init__(self, account: Account, topic: str = "") -> None:
        self._account = account
        self._topic = topic

    async def profile(self) -> MailboxProfile:
        """Whose it is and where its history stands."""
        return await self._account.ask(
            "profile",
            UNITS["profile"],
            lambda api: api.users.getProfile(userId=ME),
            lambda answer: MailboxProfile(answer["emailAddress"], str(answer["historyId"]), int(answer["messagesTotal"])),
        )

    async def list_messages(self, *, since: datetime | None = None, page: str | None = None, limit: int = 500) -> MessagePage:
        """Messages received at or after `since`, newest first, without spam, trash and drafts. `limit` is 500 at most."""
        words = ["-in:drafts", "-in:chats"]
        if since is not None:
            words.append(f"after:{int(since.timestamp()) - 1}")
        return await self._account.ask(
            "messages.list",
            UNITS["message"],
            lambda api: api.messages.list(userId=ME, q=" ".join(words), maxResults=min(limit, 500), pageToken=page),
            lambda answer: MessagePage(
                tuple(_ref(each) for each in answer.get("messages", ())),
                answer.get("nextPageToken") or None,
                answer.get("resultSizeEstimate"),
            ),
        )

    async def fetch(self, refs: Sequence[MessageRef]) -> list[RawMessage]:
        """These messages, whole; those that are gone are left out."""
        found: list[RawMessage] = []
        for start in range(0, len(refs), BATCH):
            found += await self._fetch(refs[start : start + BATCH])
        return found

    async def _fetch(self, refs: Sequence[MessageRef]) -> list[RawMessage]:
        try:
            answers = await self._account.ask_each("messages.get", UNITS["message"], [_get(ref, "raw") for ref in refs])
        except Oversized:
            if len(refs) == 1:
                raise Rejected("too_large", f"The message {refs[0].id} is too large to be read.", 413) from None
            half = len(refs) // 2
            return await self._fetch(refs[:half]) + await self._fetch(refs[half:])
        try:
            return [_raw(answer) for answer in answers if answer is not None]
        except (KeyError, ValueError, TypeError) as error:
            raise Rejected("unreadable", f"Gmail's answer can't be read: {in_short(error)}", 422) from error

    async def changes(self, cursor: str) -> Changes:
        """What happened since. What comes out of spam or trash counts as added, and as a change of labels, too.

        Raises HistoryGone when the provider can't say.
        """
        folded, page = Folded(cursor), None
        for _ in range(HISTORY_PAGES):
            try:
                answer = await self._account.ask("history.list", UNITS["history"], _history(cursor, page), dict)
            except Rejected as error:
                if error.status == 404:
                    raise HistoryGone(f"history {cursor}") from error
                raise
            page = folded.take(answer)
            if page is None:
                break
        return folded.changes(is_whole=page is None)

    async def labels(self) -> list[MailLabel]:
        """The mailbox's own labels, without the system's."""
        return await self._account.ask(
            "labels.list",
            UNITS["profile"],
            lambda api: api.labels.list(userId=ME),
            lambda answer: [
                MailLabel(each["id"], each["name"]) for each in answer.get("labels", ()) if each.get("type") == "user"
            ],
        )

    async def change_labels(self, ref: MessageRef, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
        """Set and take labels. A message that is gone is let be."""
        body = {"addLabelIds": their_labels(add), "removeLabelIds": their_labels(remove)}
        try:
            await self._account.ask(
                "messages.modify", UNITS["message"], lambda api: api.messages.modify(userId=ME, id=ref.id, body=body), _nothing
            )
        except Rejected as error:
            if error.status != 404:
                raise

    async def check_sending(self) -> None:
        """Nothing to see to: the consent that lets us read lets us send, too."""

    async def send(self, raw: bytes, *, thread_id: str = "") -> SentMail:
        """Send, once. A thread that is gone is done without.

        It leaves here within BEGINS_WITHIN_S and is cut off after the guard's time limit, or never: when this has ended, nothing
        is on its way any more. The Message-ID is the one that Google gave it, or ours where that can't be asked now.
        """
        begin_by = time.monotonic() + BEGINS_WITHIN_S
        try:
            ref = await self._send(raw, thread_id, begin_by)
        except Rejected as error:
            if error.status != 404 or not thread_id:
                raise
            ref = await self._send(raw, "", begin_by)
        ours = BytesHeaderParser(policy=compat32).parsebytes(raw[:100_000]).get("Message-ID", "")
        try:
            async with asyncio.timeout(LOOKED_AT_WITHIN_S):
                sent = await self._headers([ref])
        except Exception:  # whatever it is, the message is sent, and must not look as if it were not
            sent = []
        return SentMail(ref, _message_id(sent[0]) if sent and sent[0] else str(ours).strip())

    async def _send(self, raw: bytes, thread_id: str, begin_by: float) -> MessageRef:
        def build(api: Api) -> Any:
            body = {"threadId": thread_id} if thread_id else {}
            if len(raw) <= LARGEST_IN_JSON:
                return api.messages.send(userId=ME, body={**body, "raw": _encoded(raw)})
            media = MediaIoBaseUpload(io.BytesIO(raw), mimetype="message/rfc822", resumable=False)
            return api.messages.send(userId=ME, body=body, media_body=media)

        return await self._account.ask("messages.send", UNITS["send"], build, _ref, repeatable=False, begin_by=begin_by)

    async def find_sent(self, message_id: str, *, to: str, since: datetime) -> SentMail | None:
        """The message with this Message-ID among those sent since (by the real clock), also where Google gave it another.

        Where the search index, which may be some seconds behind, does not know it, the list of what was sent is looked through.
        """
        if (known := await self._search_sent(message_id)) is not None:
            return known
        page: str | None = None
        while True:
            found, sent = await self._sent_page(page)
            for answer in sent:
                if any(same_id(message_id, each) for each in identities(answer)):
                    return SentMail(_ref(answer), _message_id(answer))
            page = found.get("nextPageToken")
            if not page or not sent or min(moment(each["internalDate"]) for each in sent) < since - CLOCK_MARGIN:
                return None

    async def _search_sent(self, message_id: str) -> SentMail | None:
        wanted = message_id.strip("<> ")
        if not is_plain(wanted):
            return None
        _, sent = await self._sent_page(None, f"rfc822msgid:{wanted}")
        for answer in sent:
            if any(same_id(message_id, each) for each in identities(answer)):
                return SentMail(_ref(answer), _message_id(answer))
        return None

    async def _sent_page(self, page: str | None, words: str | None = None) -> tuple[dict[str, Any], list[Any]]:
        """A page of what was sent, newest first, and the headers of each."""
        found = await self._account.ask("messages.list", UNITS["message"], _sent(page, words), dict)
        answers = await self._headers([_ref(each) for each in found.get("messages", ())])
        return found, [answer for answer in answers if answer is not None]

    async def _headers(self, refs: Sequence[MessageRef]) -> list[Any]:
        answers: list[Any] = []
        for start in range(0, len(refs), BATCH):
            part = [_get(ref, "metadata") for ref in refs[start : start + BATCH]]
            answers += await self._account.ask_each("messages.get", UNITS["message"], part)
        return answers

    async def save_draft(self, raw: bytes, *, thread_id: str = "", draft_id: str | None = None) -> str:
        """Put a draft there, or a new version of it; its id. One that is gone meanwhile is put there anew."""
        message = {"raw": _encoded(raw), **({"threadId": thread_id} if thread_id else {})}
        body = {"message": message}
        if draft_id is not None:
            try:
                return await self._account.ask(
                    "drafts.update", UNITS["update"], lambda api: api.drafts.update(userId=ME, id=draft_id, body=body), _id
                )
            except Rejected as error:
                if error.status != 404:
                    raise
        return await self._account.ask(
            "drafts.create", UNITS["draft"], lambda api: api.drafts.create(userId=ME, body=body), _id, repeatable=False
        )

    async def delete_draft(self, draft_id: str) -> None:
        """Remove a draft; gone already is fine."""
        try:
            await self._account.ask(
                "drafts.delete", UNITS["draft"], lambda api: api.drafts.delete(userId=ME, id=draft_id), _nothing
            )
        except Rejected as error:
            if error.status != 404:
                raise

    async def watch(self) -> Watch | None:
        """Have pushes come, for seven days at most; None where no topic is set up, or none that Gmail may publish to."""
        if not self._topic:
            return None
        try:
            return await self._account.ask(
                "users.watch",
                UNITS["watch"],
                lambda api: api.users.watch(userId=ME, body={"topicName": self._topic}),
                lambda answer: Watch(str(answer["historyId"]), moment(answer["expiration"])),
            )
        except Rejected as error:
            # The installation's topic is wrong; the mailbox is well, and can be asked instead.
            if not any(word in error.message.lower() for word in ("pubsub", "topicname")):
                raise
            log.error("Gmail can't tell of changes through %s, mailboxes are asked instead: %s", self._topic, error.message)
            return None

    async def unwatch(self) -> None:
        """Have no more pushes."""
        await self._account.ask("users.stop", UNITS["stop"], lambda api: api.users.stop(userId=ME), _nothing)

    async def close(self) -> None:
        """Nothing is held: the connections belong to the process."""


def _get(ref: MessageRef, form: str) -> Any:
    headers = ["Message-ID", "X-Google-Original-Message-ID", "X-Ringside-Id"] if form == "metadata" else None
    return lambda api: api.messages.get(userId=ME, id=ref.id, format=form, metadataHeaders=headers)


def _history(cursor: str, page: str | None) -> Any:
    return lambda api: api.history.list(userId=ME, startHistoryId=cursor, maxResults=HISTORY_PAGE, pageToken=page)


def _sent(page: str | None, words: str | None = None) -> Any:
    # Sent mail that was thrown away was sent all the same.
    return lambda api: api.messages.list(
        userId=ME, labelIds=["SENT"], includeSpamTrash=True, maxResults=SENT_PAGE, pageToken=page, q=words
    )


def _ref(answer: Any) -> MessageRef:
    return MessageRef(answer["id"], answer.get("threadId", ""))


def _id(answer: Any) -> str:
    return str(answer["id"])


def _nothing(_answer: Any) -> None:
    return None


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode("ascii")


def _raw(answer: Any) -> RawMessage:
    text = answer["raw"]
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    labels = our_labels(answer.get("labelIds", ()))
    return RawMessage(_ref(answer), raw, labels, moment(answer["internalDate"]), len(raw))


def _message_id(answer: Any) -> str:
    for header in answer.get("payload", {}).get("headers", ()):
        if header["name"].lower() == "message-id":
            return str(header["value"]).strip()
    return ""
