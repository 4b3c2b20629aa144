"""The table of permissions and roles for the documentation.

`python -m hub.roles.document` writes docs/permissions.md; a test fails when that file is not what this would write.
"""

from __future__ import annotations

from pathlib import Path

from hub.permissions import EVENTS_TELL, FOLLOW, NOT_FOR_KEYS, PERMISSIONS, ROLE_PERMISSIONS
from hub.who import ROLES

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "permissions.md"

ABOUT = f"""\
# Permissions

What may be done is named `resource:action`. Every endpoint of the API says which one it needs (`/docs` shows it with each), and a
role is a set of them. Companies may make roles of their own on top of a built-in one (Settings, Roles); an API key has a set of
them as its scopes. Nobody makes, gives or takes away a role that may do more than they may themselves, deactivates who has one,
hands over what is theirs, or lets anybody in as one; an invitation counts for what its sender may do when it is accepted. A key
never does more than its person may when it is used.

One's own account, sign-in, notifications and availability need no permission; no API key reaches them.

`{FOLLOW}` tells of everything that the other `:read` permissions of a rep show, so it takes all of them:
{", ".join(f"`{name}`" for name in sorted(EVENTS_TELL))}.

What depends on the thing itself is decided besides: whose mailbox it is, whose draft, and what the company lets its people see
(Settings, Visibility). There, a role of the company's own counts as the built-in role it is based on.
Where not everybody sees everything, `teams:write` and `members:write` widen nobody's sight: who sees only some people's things
puts only those people into teams, and hands over to them only what is theirs.

This page is written by `python -m hub.roles.document`.
"""


def document() -> str:
    """The page, with a line for each permission and a column for each built-in role."""
    head = ["Permission", "Lets one", *(role.title() for role in ROLES), "API key"]
    lines = [head, ["---", "---", *[":-:"] * (len(ROLES) + 1)]]
    for name, words in PERMISSIONS.items():
        has = ["✓" if name in ROLE_PERMISSIONS[role] else "" for role in ROLES]
        lines.append([f"`{name}`", words[0].lower() + words[1:], *has, "" if name in NOT_FOR_KEYS else "✓"])
    return ABOUT + "\n" + "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
