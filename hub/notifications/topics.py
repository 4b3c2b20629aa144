"""What people can be told of: topics of several kinds of notifications each, and where they go unless a person says otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Topic:
    """Something people want to be told of, or not. `is_urgent`: a push may wake the device."""

    name: str
    label: str
    hint: str
    kinds: frozenset[str]
    email: bool = False
    push: bool = True
    is_urgent: bool = False


def _topic(
    name: str, label: str, hint: str, kinds: str, *, email: bool = False, push: bool = True, urgent: bool = False
) -> Topic:
    return Topic(name, label, hint, frozenset(kinds.split()), email, push, urgent)


TOPICS: Final[tuple[Topic, ...]] = (
    _topic("calls", "Missed calls and voicemail", "Somebody called and did not reach you.", "missed_call voicemail", urgent=True),
    _topic("messages", "Text messages", "A contact has written to you.", "message", urgent=True),
    _topic("tasks", "Tasks", "One is due, or somebody gave you one.", "task_due task_assigned"),
    _topic("mail", "Mail", "A thread was given to you.", "mail_assigned"),
    _topic("sequences", "Sequences", "A contact has left a sequence.", "sequence_stopped", push=False),
    _topic("alerts", "Alerts of the floor", "What managers are warned of.", "alert_raised"),
    _topic(
        "trouble",
        "Something stopped working",
        "A mailbox, a domain, a letter or a webhook needs somebody.",
        "mailbox_revoked mailbox_stopped mailbox_given tracking_domain_lost letter_failed webhook_stopped",
        email=True,
    ),
    _topic("other", "Everything else", "News of your account and your company.", "", push=False),
)
BY_NAME: Final = {topic.name: topic for topic in TOPICS}
_BY_KIND: Final = {kind: topic for topic in TOPICS for kind in topic.kinds}

_PLACES: Final = {
    "contact": "/contacts/{id}",
    "task": "/tasks",
    "queue": "/dialer/{id}",
    "mailbox": "/settings/mailboxes",
    "tracking_domain": "/settings/tracking",
    "alert": "/floor",
    "call": "/calls",
    "letter": "/settings/outbox",
    "webhook": "/settings/webhooks",
    "mail_thread": "/inbox/{id}",
}


def topic_of(kind: str) -> Topic:
    """The topic that a kind of notification belongs to."""
    return _BY_KIND.get(kind, BY_NAME["other"])


def place_of(subject_kind: str | None, subject_id: UUID | None) -> str:
    """Where in the console a notification leads."""
    return _PLACES.get(subject_kind or "", "/").replace("{id}", str(subject_id))
