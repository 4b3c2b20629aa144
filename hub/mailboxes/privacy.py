"""Which mail is only its mailbox's owner's: by address, by domain, by label, by words of the subject."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from hub.db import Tx
from hub.errors import Invalid
from hub.mailboxes.models import PrivacyRuleIn
from hub.sqlfiles import load_sql

_SQL = load_sql("mailboxes")


@dataclass(frozen=True, slots=True)
class Privacy:
    """The rules that hold for one mailbox, folded to lower case."""

    addresses: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    subjects: tuple[str, ...] = ()

    def covers(self, *, addresses: Iterable[str], subject: str, labels: Iterable[str] = ()) -> bool:
        """Is a message private that goes from and to these addresses, has this subject and these labels (the provider's ids)?

        A rule for a domain holds for the domains below it, too.
        """
        if any(label.lower() in self.labels for label in labels):
            return True
        folded = subject.lower()
        if any(words in folded for words in self.subjects):
            return True
        return any(self._knows(address.lower()) for address in addresses)

    def _knows(self, address: str) -> bool:
        if address in self.addresses:
            return True
        domain = address.rpartition("@")[2]
        while domain and self.domains:
            if domain in self.domains:
                return True
            domain = domain.partition(".")[2]
        return False


async def privacy_of(tx: Tx, mailbox_id: UUID) -> Privacy:
    """The rules that hold for a mailbox: its own and the company's."""
    kinds: dict[str, set[str]] = {"address": set(), "domain": set(), "label": set(), "subject": set()}
    for row in await tx.fetch(_SQL["rules_that_hold"], mailbox_id=mailbox_id):
        kinds[row["kind"]].add(row["value_lc"])
    return Privacy(
        frozenset(kinds["address"]), frozenset(kinds["domain"]), frozenset(kinds["label"]), tuple(sorted(kinds["subject"]))
    )


def folded(rules: Sequence[PrivacyRuleIn], *, labels_too: bool) -> list[tuple[str, str]]:
    """Rules as they are kept, each once. Raises Invalid in words for an address or a domain that is none."""
    kept: dict[tuple[str, str], None] = {}
    for place, rule in enumerate(rules):
        value = rule.value.lower()
        field = f"rules.{place}.value"
        if rule.kind == "address" and (value.count("@") != 1 or not all(value.split("@")) or " " in value):
            raise Invalid.field(field, "It should be an address such as jane@example.com.")
        if rule.kind == "domain":
            value = value.removeprefix("@").strip(".")
            if not value or "@" in value or " " in value:
                raise Invalid.field(field, "It should be a domain such as example.com.")
        if rule.kind == "label" and not labels_too:
            raise Invalid.field(f"rules.{place}.kind", "Labels are a mailbox's own; set this rule at the mailbox.")
        kept[(rule.kind, value)] = None
    return list(kept)
