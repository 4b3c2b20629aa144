"""What may be done: permissions as `resource:action`, and the roles as sets of them.

Every endpoint that not everybody may use names one; `hub.http.edge` checks it, and tests/api/test_access.py walks all of them.
What depends on the thing itself (whose call it is, whose mailbox) is its feature's own rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from hub.who import Role, Who

# What each of them lets a person do, in the words of the console. One's own settings and notifications need none.
PERMISSIONS: Final[dict[str, str]] = {
    "alerts:read": "See what managers are warned of on the floor",
    "alerts:write": "Set what managers are warned of",
    "api_keys:write": "Make API keys that act as oneself, and end them",
    "audit:read": "Read and export the audit log",
    "billing:read": "See the plan, what is used of it and the invoices",
    "billing:write": "Change the plan, the seats and the means of payment",
    "calls:read": "See calls, who was in them and how they went",
    "calls:supervise": "Listen to running calls, whisper and step in",
    "calls:write": "Call, answer, transfer, and work a dialling queue",
    "company:transfer": "Make somebody else the owner",
    "company:write": "Change the company's name and how it is set up",
    "contacts:delete": "Delete contacts",
    "contacts:import": "Import contacts from files, and undo an import",
    "contacts:read": "See contacts, their timeline and their consent",
    "contacts:write": "Add and change contacts, write notes, record consent",
    "events:read": "Follow what happens, live and in the log",
    "floor:read": "See who is there and what goes on",
    "jobs:read": "See background jobs",
    "jobs:write": "Retry and drop background jobs",
    "mail:read": "Read the mail of the mailboxes one may see",
    "mail:write": "Write mail, and work the inbox",
    "mailboxes:read": "See mailboxes and how they do",
    "mailboxes:write": "Connect mailboxes and set them up",
    "meetings:read": "See meetings",
    "meetings:write": "Invite to meetings, move and answer them",
    "members:invite": "Invite people",
    "members:read": "See who works here, and the teams",
    "members:write": "Change roles, deactivate and reactivate people",
    "messages:read": "Read text messages",
    "messages:write": "Send text messages",
    "numbers:buy": "Buy and release telephone numbers",
    "numbers:read": "See the telephone numbers",
    "numbers:write": "Look for numbers, and set who answers them",
    "outbox:read": "Read the letters that Ringside sent for the company, and send them again",
    "permits:read": "See whom one may reach, when, and what was decided",
    "privacy:erase": "Erase a person's or the company's data, and set how long it is kept",
    "privacy:export": "Export a person's or the company's data",
    "queues:read": "See dialling queues",
    "queues:write": "Make, fill and run dialling queues",
    "quiet_days:write": "Set the days on which nobody is reached",
    "recordings:delete": "Delete recordings",
    "recordings:read": "Listen to recordings and read what was said",
    "recordings:write": "Start and stop the recording of a call",
    "roles:write": "Make and change roles",
    "security:write": "Set how people sign in",
    "sequences:configure": "Set how much sequences send in all",
    "sequences:enrol": "Enrol contacts in sequences, and stop, skip or move them",
    "sequences:read": "See sequences and who is in them",
    "sequences:write": "Make, change and start sequences",
    "settings:read": "See how calls, mail, tracking and compliance are set",
    "settings:write": "Set how calls, mail, tracking and compliance work",
    "suppressions:delete": "Let somebody be reached again",
    "suppressions:write": "Stop somebody from being reached",
    "tasks:read": "See tasks",
    "tasks:write": "Add, change and finish tasks",
    "teams:write": "Make and change teams",
    "templates:read": "See and use templates",
    "templates:write": "Make and change templates",
    "webhooks:write": "Send events to other systems",
}

_REP: Final[frozenset[str]] = frozenset(
    {
        "api_keys:write",
        "calls:read",
        "calls:write",
        "contacts:delete",
        "contacts:import",
        "contacts:read",
        "contacts:write",
        "events:read",
        "floor:read",
        "mail:read",
        "mail:write",
        "mailboxes:read",
        "mailboxes:write",
        "meetings:read",
        "meetings:write",
        "members:read",
        "messages:read",
        "messages:write",
        "numbers:read",
        "permits:read",
        "queues:read",
        "queues:write",
        "recordings:read",
        "recordings:write",
        "sequences:enrol",
        "sequences:read",
        "sequences:write",
        "settings:read",
        "suppressions:write",
        "tasks:read",
        "tasks:write",
        "templates:read",
        "templates:write",
    }
)
_MANAGER: Final = _REP | {
    "alerts:read",
    "alerts:write",
    "calls:supervise",
    "members:invite",
    "numbers:write",
    "quiet_days:write",
    "sequences:configure",
    "suppressions:delete",
    "teams:write",
}
_ADMIN: Final = frozenset(PERMISSIONS) - {"company:transfer"}

ROLE_PERMISSIONS: Final[dict[Role, frozenset[str]]] = {
    "owner": frozenset(PERMISSIONS),
    "admin": _ADMIN,
    "manager": _MANAGER,
    "rep": _REP,
    "system": frozenset(PERMISSIONS),
}

# What it takes to hold a socket and to read the log, and what that tells of: whoever lacks any of it may not follow.
FOLLOW: Final = "events:read"
EVENTS_TELL: Final = frozenset(name for name in _REP if name.endswith(":read")) - {FOLLOW}

# What a program never does in somebody's place.
NOT_FOR_KEYS: Final = frozenset({"api_keys:write", "company:transfer", "roles:write", "security:write"})


def permissions_of(who: Who) -> frozenset[str]:
    """What somebody may do: what their token says, or else what their role has."""
    return ROLE_PERMISSIONS[who.role] if who.permissions is None else who.permissions


def effective(role: Role, granted: Iterable[str] | None) -> frozenset[str]:
    """What a role gives: a custom role what was `granted` to it, as far as this version knows it; None means a built-in one."""
    return ROLE_PERMISSIONS[role] if granted is None else honest(frozenset(granted) & ROLE_PERMISSIONS["owner"])


def honest(permissions: frozenset[str]) -> frozenset[str]:
    """Without the live log where that would tell of what may not be read."""
    return permissions if permissions >= EVENTS_TELL else permissions - {FOLLOW}
