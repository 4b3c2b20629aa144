"""users.threads."""

from typing import Any

from integrations.sandbox.gmail.api_messages import label_changes
from integrations.sandbox.gmail.mailbox import Mailbox, Stored
from integrations.sandbox.gmail.operations import Ask, Handler, found_messages, token_of
from integrations.sandbox.gmail.payload import brief, shown, snippet


class ThreadsApi:
    """The operations on threads."""

    def handlers(self) -> dict[str, Handler]:
        """Return them by name."""
        return {
            "threads.list": self.list_threads,
            "threads.get": self.get,
            "threads.modify": self.modify,
            "threads.trash": self.trash,
            "threads.untrash": self.untrash,
            "threads.delete": self.delete,
        }

    def list_threads(self, ask: Ask) -> dict[str, Any]:
        """A page of threads with a message that is asked for, those with the newest such message first."""
        page, place, total = found_messages(ask)
        before = {each.thread_id: each.place for each in page}
        threads = []
        for thread_id in dict.fromkeys(each.thread_id for each in page):
            newest = next(each for each in page if each.thread_id == thread_id)
            # A thread whose newer message was on an earlier page has been told there.
            if _is_first_told_here(ask, ask.mailbox, newest):
                threads.append(_brief_thread(ask.mailbox, thread_id) | {"snippet": snippet(newest)})
        told: dict[str, Any] = {"threads": threads} if threads else {}
        if place is not None:
            told["nextPageToken"] = token_of(place)
        return told | {"resultSizeEstimate": min(total, len(ask.mailbox.threads)) if before else 0}

    def get(self, ask: Ask) -> dict[str, Any]:
        """One thread with its messages, oldest first."""
        messages = ask.mailbox.thread(ask.path["id"])
        form, wanted = ask.query.get("format") or "full", ask.query.getall("metadataHeaders", [])
        told = {"id": ask.path["id"], "historyId": _history_id(messages)}
        return told | {"messages": [shown(each, form, wanted) for each in messages]}

    def modify(self, ask: Ask) -> dict[str, Any]:
        """Set and take labels of every message in it."""
        messages = list(ask.mailbox.thread(ask.path["id"]))
        add, remove = label_changes(ask)
        for message in messages:
            ask.mailbox.change_labels(message, add, remove)
        return _changed(ask, messages)

    def trash(self, ask: Ask) -> dict[str, Any]:
        """Move it to the trash."""
        messages = list(ask.mailbox.thread(ask.path["id"]))
        for message in messages:
            ask.mailbox.trash(message)
        return _changed(ask, messages)

    def untrash(self, ask: Ask) -> dict[str, Any]:
        """Take it out of the trash."""
        messages = list(ask.mailbox.thread(ask.path["id"]))
        for message in messages:
            ask.mailbox.change_labels(message, (), ("TRASH",))
        return _changed(ask, messages)

    def delete(self, ask: Ask) -> None:
        """Delete it for good."""
        for message in list(ask.mailbox.thread(ask.path["id"])):
            ask.mailbox.remove(message)


def _changed(ask: Ask, messages: list[Stored]) -> dict[str, Any]:
    return {"id": ask.path["id"], "messages": [brief(each) for each in messages]}


def _brief_thread(mailbox: Mailbox, thread_id: str) -> dict[str, Any]:
    return {"id": thread_id, "historyId": _history_id(mailbox.thread(thread_id))}


def _history_id(messages: list[Stored]) -> str:
    return str(max(each.history_id for each in messages))


def _is_first_told_here(ask: Ask, mailbox: Mailbox, newest: Stored) -> bool:
    token = ask.query.get("pageToken")
    if not token:
        return True
    first, _, second = token.partition("-")
    return not any(each.place >= (int(first), int(second)) for each in mailbox.thread(newest.thread_id))
