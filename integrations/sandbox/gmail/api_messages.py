"""users.messages: list, get, send, insert, import, change, remove, and attachments."""

from typing import Any, Protocol

from integrations.sandbox.gmail import refusals
from integrations.sandbox.gmail.mailbox import Mailbox, Stored
from integrations.sandbox.gmail.operations import Ask, Handler, found_messages, token_of
from integrations.sandbox.gmail.payload import attachment, brief, encoded, raw_bytes, short, shown
from integrations.sandbox.gmail.rfc822 import read_head

_METADATA_ONLY = "https://www.googleapis.com/auth/gmail.metadata"
_UNCHANGEABLE = frozenset({"SENT", "DRAFT", "CHAT"})


class Sender(Protocol):
    """What sends a message: see `post.PostOffice`."""

    def send(self, mailbox: Mailbox, raw: bytes, thread_id: str) -> Stored:
        """Send, and return the copy among the sent messages. Raises Refusal."""
        ...


class MessagesApi:
    """The operations on messages."""

    def __init__(self, post: Sender) -> None:
        self._post = post

    def handlers(self) -> dict[str, Handler]:
        """Return them by name."""
        return {
            "messages.list": self.list_messages,
            "messages.get": self.get,
            "messages.send": self.send,
            "messages.insert": self.insert,
            "messages.import": self.import_,
            "messages.modify": self.modify,
            "messages.batchModify": self.batch_modify,
            "messages.batchDelete": self.batch_delete,
            "messages.trash": self.trash,
            "messages.untrash": self.untrash,
            "messages.delete": self.delete,
            "messages.attachments.get": self.attachment,
        }

    def list_messages(self, ask: Ask) -> dict[str, Any]:
        """A page of references, newest first."""
        if ask.query.get("q") and not ask.scopes - {_METADATA_ONLY}:
            raise refusals.Refusal(403, "Metadata scope does not support 'q' parameter")
        page, place, total = found_messages(ask)
        told: dict[str, Any] = {"messages": [short(each) for each in page]} if page else {}
        if place is not None:
            told["nextPageToken"] = token_of(place)
        return told | {"resultSizeEstimate": total}

    def get(self, ask: Ask) -> dict[str, Any]:
        """One message in the format asked for."""
        form = ask.query.get("format") or "full"
        if form in ("full", "raw") and not ask.scopes - {_METADATA_ONLY}:
            raise refusals.Refusal(403, f"Metadata scope doesn't allow format {form.upper()}")
        return shown(ask.mailbox.get(ask.path["id"]), form, ask.query.getall("metadataHeaders", []))

    def send(self, ask: Ask) -> dict[str, Any]:
        """Send."""
        return brief(self._post.send(ask.mailbox, raw_of(ask), str(ask.body.get("threadId") or "")))

    def insert(self, ask: Ask) -> dict[str, Any]:
        """Put a message there as IMAP's APPEND does, past every check."""
        return self._put(ask, ask.query.get("internalDateSource", "receivedTime"))

    def import_(self, ask: Ask) -> dict[str, Any]:
        """Put a message there as if it had come by SMTP."""
        return self._put(ask, ask.query.get("internalDateSource", "dateHeader"))

    def _put(self, ask: Ask, source: str) -> dict[str, Any]:
        raw = raw_of(ask)
        thread_id = str(ask.body.get("threadId") or "")
        if thread_id:
            ask.mailbox.thread(thread_id)
        labels = checked_labels(ask.mailbox, ask.body.get("labelIds") or [])
        at_ms = read_head(raw).date_ms if source == "dateHeader" else None
        return brief(ask.mailbox.add(raw, labels, thread_id=thread_id, at_ms=at_ms))

    def modify(self, ask: Ask) -> dict[str, Any]:
        """Set and take labels."""
        message = ask.mailbox.get(ask.path["id"])
        ask.mailbox.change_labels(message, *label_changes(ask))
        return brief(message)

    def batch_modify(self, ask: Ask) -> None:
        """The same for up to 1,000 messages; those that are gone are passed over."""
        add, remove = label_changes(ask)
        for message in self._many(ask):
            ask.mailbox.change_labels(message, add, remove)

    def batch_delete(self, ask: Ask) -> None:
        """Delete up to 1,000 messages for good."""
        for message in self._many(ask):
            ask.mailbox.remove(message)

    def _many(self, ask: Ask) -> list[Stored]:
        ids = list(dict.fromkeys(ask.body.get("ids") or []))
        if not 1 <= len(ids) <= 1000:
            raise refusals.invalid("No message ids specified." if not ids else "Too many message ids: at most 1000.")
        return [ask.mailbox.messages[each] for each in ids if each in ask.mailbox.messages]

    def trash(self, ask: Ask) -> dict[str, Any]:
        """Move to the trash."""
        message = ask.mailbox.get(ask.path["id"])
        ask.mailbox.trash(message)
        return brief(message)

    def untrash(self, ask: Ask) -> dict[str, Any]:
        """Take out of the trash (where to, Gmail does not remember)."""
        message = ask.mailbox.get(ask.path["id"])
        ask.mailbox.change_labels(message, (), ("TRASH",))
        return brief(message)

    def delete(self, ask: Ask) -> None:
        """Delete for good."""
        ask.mailbox.remove(ask.mailbox.get(ask.path["id"]))

    def attachment(self, ask: Ask) -> dict[str, Any]:
        """An attachment's bytes."""
        data = attachment(ask.mailbox.get(ask.path["messageId"]), ask.path["id"])
        return {"size": len(data), "data": encoded(data)}


def raw_of(ask: Ask) -> bytes:
    """Return the message that comes with a request: uploaded, or in its field. Raises Refusal."""
    if ask.media is not None:
        raw = ask.media
    else:
        raw = raw_bytes(ask.body.get("raw") or "")
    if not raw.strip():
        raise refusals.invalid("'raw' RFC822 payload message string or uploading message via /upload/* URL required")
    return raw


def label_changes(ask: Ask) -> tuple[list[str], list[str]]:
    """Return the labels to set and those to take. Raises Refusal."""
    add, remove = (list(ask.body.get(name) or []) for name in ("addLabelIds", "removeLabelIds"))
    if not add and not remove:
        raise refusals.invalid("No label add or removes specified")
    for label in (*add, *remove):
        if label in _UNCHANGEABLE:
            raise refusals.invalid(f"Invalid label: {label}")
    return checked_labels(ask.mailbox, add), checked_labels(ask.mailbox, remove)


def checked_labels(mailbox: Mailbox, labels: list[str]) -> list[str]:
    """Return the labels. Raises Refusal when the mailbox does not have one of them."""
    for label in labels:
        if not mailbox.knows_label(label):
            raise refusals.invalid(f"labelId not found: {label}")
    return labels
