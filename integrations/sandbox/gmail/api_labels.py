"""users.labels."""

from collections.abc import Mapping
from typing import Any

from integrations.sandbox.gmail import refusals
from integrations.sandbox.gmail.mailbox import SYSTEM_LABELS, Label, Mailbox
from integrations.sandbox.gmail.operations import Ask, Handler


class LabelsApi:
    """The operations on labels."""

    def handlers(self) -> dict[str, Handler]:
        """Return them by name."""
        return {
            "labels.list": self.list_labels,
            "labels.get": self.get,
            "labels.create": self.create,
            "labels.update": self.update,
            "labels.patch": self.patch,
            "labels.delete": self.delete,
        }

    def list_labels(self, ask: Ask) -> dict[str, Any]:
        """All of them, without counts."""
        return {"labels": [*(_system(name) for name in SYSTEM_LABELS), *(_told(each) for each in ask.mailbox.labels.values())]}

    def get(self, ask: Ask) -> dict[str, Any]:
        """One, with counts."""
        label_id = ask.path["id"]
        told = _system(label_id) if label_id in SYSTEM_LABELS else _told(_own(ask))
        return told | _counts(ask.mailbox, label_id)

    def create(self, ask: Ask) -> dict[str, Any]:
        """Make one. 409 when there is one of that name."""
        name = _checked_name(ask, "")
        label = Label(f"Label_{ask.mailbox.new_id()}", name)
        _apply(label, ask.body)
        ask.mailbox.labels[label.id] = label
        return _told(label)

    def update(self, ask: Ask) -> dict[str, Any]:
        """Change one, wholly."""
        label = _own(ask)
        label.name = _checked_name(ask, label.id)
        _apply(label, ask.body)
        return _told(label)

    def patch(self, ask: Ask) -> dict[str, Any]:
        """Change what is given."""
        label = _own(ask)
        if "name" in ask.body:
            label.name = _checked_name(ask, label.id)
        _apply(label, ask.body)
        return _told(label)

    def delete(self, ask: Ask) -> None:
        """Delete one, and take it off its messages."""
        label = _own(ask)
        for message in list(ask.mailbox.messages.values()):
            ask.mailbox.change_labels(message, (), (label.id,))
        del ask.mailbox.labels[label.id]


def _own(ask: Ask) -> Label:
    label_id = ask.path["id"]
    if label_id in SYSTEM_LABELS:
        raise refusals.invalid("Invalid update request")
    label = ask.mailbox.labels.get(label_id)
    if label is None:
        raise refusals.not_found()
    return label


def _checked_name(ask: Ask, label_id: str) -> str:
    name = str(ask.body.get("name") or "").strip()
    if not name or name.upper() in SYSTEM_LABELS:
        raise refusals.invalid("Invalid label name")
    if any(each.name.lower() == name.lower() and each.id != label_id for each in ask.mailbox.labels.values()):
        raise refusals.Refusal(409, "Label name exists or conflicts")
    return name


def _apply(label: Label, body: Mapping[str, Any]) -> None:
    label.shown_in_list = body.get("labelListVisibility") or label.shown_in_list
    label.shown_on_messages = body.get("messageListVisibility") or label.shown_on_messages
    label.color = body.get("color") or label.color


def _system(name: str) -> dict[str, Any]:
    return {"id": name, "name": name, "type": "system"}


def _told(label: Label) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": label.id,
        "name": label.name,
        "messageListVisibility": label.shown_on_messages,
        "labelListVisibility": label.shown_in_list,
        "type": "user",
    }
    return told | ({"color": label.color} if label.color else {})


def _counts(mailbox: Mailbox, label_id: str) -> dict[str, int]:
    having = [each for each in mailbox.messages.values() if label_id in each.labels]
    unread = [each for each in having if "UNREAD" in each.labels]
    return {
        "messagesTotal": len(having),
        "messagesUnread": len(unread),
        "threadsTotal": len({each.thread_id for each in having}),
        "threadsUnread": len({each.thread_id for each in unread}),
    }
