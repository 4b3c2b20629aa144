"""users.getProfile, history, watch and stop, and the addresses a mailbox sends as."""

import re
from collections.abc import Callable
from typing import Any, Final

from integrations.sandbox.gmail import refusals
from integrations.sandbox.gmail.mailbox import Change, Mailbox, WatchState
from integrations.sandbox.gmail.operations import Ask, Handler, paged

_WATCH_MS: Final = 7 * 24 * 3600 * 1000
_TOPIC: Final = re.compile(r"projects/[^/]+/topics/[^/]+")
_TYPES: Final = {
    "messageAdded": "messagesAdded",
    "messageDeleted": "messagesDeleted",
    "labelAdded": "labelsAdded",
    "labelRemoved": "labelsRemoved",
}


class AccountApi:
    """The operations on the mailbox as a whole; `on_watch` is told when pushes begin, as Gmail then sends one."""

    def __init__(self, topic: str, on_watch: Callable[[Mailbox], None]) -> None:
        self._topic = topic
        self._on_watch = on_watch

    def handlers(self) -> dict[str, Handler]:
        """Return them by name."""
        return {
            "getProfile": self.profile,
            "history.list": self.history,
            "watch": self.watch,
            "stop": self.stop,
            "settings.sendAs.list": self.send_as,
        }

    def profile(self, ask: Ask) -> dict[str, Any]:
        """Whose mailbox, how much is in it, and where its history stands."""
        return {
            "emailAddress": ask.mailbox.address,
            "messagesTotal": len(ask.mailbox.messages),
            "threadsTotal": len(ask.mailbox.threads),
            "historyId": str(ask.mailbox.history_id),
        }

    def history(self, ask: Ask) -> dict[str, Any]:
        """What happened since `startHistoryId`, oldest first."""
        if not ask.query.get("startHistoryId"):
            raise refusals.invalid("Missing required parameter: startHistoryId")
        kinds = {_TYPES[each] for each in ask.query.getall("historyTypes", []) if each in _TYPES} or set(_TYPES.values())
        label = ask.query.get("labelId")
        changes = [
            each
            for each in ask.mailbox.changes_since(int(ask.query["startHistoryId"]))
            if each.kind in kinds and (not label or label in each.message_labels or label in each.labels)
        ]
        page, following = paged(changes, ask)
        told: dict[str, Any] = {"history": [_entry(each) for each in page]} if page else {}
        if following is not None:
            told["nextPageToken"] = following
        return told | {"historyId": str(ask.mailbox.history_id)}

    def watch(self, ask: Ask) -> dict[str, Any]:
        """Have pushes for seven days."""
        topic = str(ask.body.get("topicName") or "")
        if not _TOPIC.fullmatch(topic):
            raise refusals.invalid("Invalid topicName does not match projects/[^/]+/topics/[^/]+")
        if topic != self._topic:
            raise refusals.Refusal(
                403,
                f"Error sending test message to Cloud PubSub {topic} : User not authorized to perform this action.",
            )
        how = ask.body.get("labelFilterBehavior") or ask.body.get("labelFilterAction") or "include"
        expires_ms = ask.mailbox.clock.now_ms() + _WATCH_MS
        ask.mailbox.watch = WatchState(expires_ms, frozenset(ask.body.get("labelIds") or []), how == "exclude")
        self._on_watch(ask.mailbox)
        return {"historyId": str(ask.mailbox.history_id), "expiration": str(expires_ms)}

    def stop(self, ask: Ask) -> None:
        """Have no more pushes."""
        ask.mailbox.watch = None

    def send_as(self, ask: Ask) -> dict[str, Any]:
        """The addresses that it sends as: its own."""
        own = {
            "sendAsEmail": ask.mailbox.address,
            "displayName": ask.mailbox.display_name,
            "replyToAddress": "",
            "signature": ask.mailbox.signature,
            "isPrimary": True,
            "isDefault": True,
        }
        return {"sendAs": [own]}


def _entry(change: Change) -> dict[str, Any]:
    reference = {"id": change.message_id, "threadId": change.thread_id}
    message = reference | ({"labelIds": list(change.message_labels)} if change.message_labels else {})
    told = {"message": message} | ({"labelIds": list(change.labels)} if change.labels else {})
    return {"id": str(change.id), "messages": [reference], change.kind: [told]}
