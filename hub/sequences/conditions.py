"""What a condition step asks of a contact and of the mails before it: the same in the simulation and in earnest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from hub.sequences.models import Condition

_ASKED = {
    "opened": "a mail was opened",
    "clicked": "a link was clicked",
    "replied": "they replied",
    "has_phone": "there is a telephone number",
    "has_email": "there is an email address",
}


def asks_of_mails(condition: Condition) -> bool:
    """Whether the answer depends on what became of the mails before."""
    return condition.if_ in ("opened", "clicked", "replied")


def holds(condition: Condition, contact: Mapping[str, Any], mails: Mapping[str, bool]) -> tuple[bool, str]:
    """Whether a condition holds, and what was asked, in words.

    `contact` has the fields of the contact, `has_phone` and `address`; `mails` whether any was opened, clicked or replied to.
    """
    if condition.if_ == "field":
        name = condition.field or ""
        value = _value(contact, name)
        if condition.equals is None:
            return bool(value), f"{name} is known"
        return value.lower() == condition.equals.strip().lower(), f"{name} is {condition.equals}"
    if asks_of_mails(condition):
        return bool(mails.get(condition.if_)), _ASKED[condition.if_]
    found = contact["has_phone"] if condition.if_ == "has_phone" else contact["address"] is not None
    return bool(found), _ASKED[condition.if_]


def _value(contact: Mapping[str, Any], name: str) -> str:
    if name.startswith("custom."):
        found = orjson.loads(contact["custom"]).get(name.removeprefix("custom."))
    else:
        found = contact[name]
    return "" if found is None else str(found).strip()
