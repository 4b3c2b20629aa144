"""What every operation is asked with, and how lists, searches and metadata work in all of them."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from integrations.sandbox.stripe.refusals import invalid, resource_missing
from integrations.sandbox.stripe.shapes import listed, shown
from integrations.sandbox.stripe.store import Thing
from integrations.sandbox.stripe.world import Work

_CLAUSE: Final = re.compile(
    r"""(-?)(metadata\[["']([^"']+)["']\]|[\w.]+)\s*(:|~|>=|<=|>|<)\s*("([^"]*)"|'([^']*)'|-?\d+|null)\s*"""
)


@dataclass(frozen=True, slots=True)
class Ask:
    """One request: what is in the path, and its parameters with their types."""

    work: Work
    path: dict[str, str]
    params: dict[str, Any]
    url: str

    def named(self, noun: str, part: str, *, kind: str = "") -> Thing:
        """Return the thing that the path names. Raises Refusal (404)."""
        param = "id" if part in ("subscription_exposed_id", "item", "intent") else part
        return self.work.get(noun, self.path[part], param, status=404, kind=kind)

    def given(self, *names: str) -> dict[str, Any]:
        """Return those of the parameters that were given; an empty string takes a value away."""
        return {name: _or_none(self.params[name]) for name in names if name in self.params}

    def page(self, things: Iterable[Thing]) -> dict[str, Any]:
        """Return a page of a list, newest first, by `limit`, `starting_after`, `ending_before` and `created`."""
        created = self.params.get("created")
        found = [each for each in things if created is None or _within(each["created"], created)]
        found.reverse()
        limit = self._limit()
        ids = [each["id"] for each in found]
        after, before = self.params.get("starting_after"), self.params.get("ending_before")
        if after is not None:
            found = found[self._place(ids, after, "starting_after") + 1 :]
        has_more = len(found) > limit
        if before is not None:
            found = found[: self._place(ids, before, "ending_before")]
            has_more = len(found) > limit
            found = found[-limit:]
        shown_ones = [shown(self.work.store, each) if "_owners" in each else each for each in found[:limit]]
        return listed(self.url, shown_ones, has_more=has_more)

    def search(self, things: Iterable[Thing]) -> dict[str, Any]:
        """Return what Stripe's search language finds: clauses of fields and metadata, all AND or all OR."""
        is_wanted = _query(self.params["query"])
        found = [each for each in things if is_wanted(each)]
        found.reverse()
        page = self.params.get("page", "0")
        if not page.isdigit():
            raise invalid("Invalid page.", "page")
        first, limit = int(page), self._limit()
        has_more = len(found) > first + limit
        return {
            "object": "search_result",
            "url": self.url,
            "has_more": has_more,
            "next_page": str(first + limit) if has_more else None,
            "data": [shown(self.work.store, each) for each in found[first : first + limit]],
        }

    def _limit(self) -> int:
        limit = int(self.params.get("limit", 10))
        if not 1 <= limit <= 100:
            raise invalid("This value must be between 1 and 100.", "limit", "parameter_invalid_integer")
        return limit

    def _place(self, ids: list[str], wanted: str, param: str) -> int:
        if wanted not in ids:
            raise resource_missing("object", wanted, param, status=400)
        return ids.index(wanted)


Handler = Callable[[Ask], dict[str, Any]]


def merge_metadata(thing: Thing, given: Any) -> None:
    """Add to the metadata; an empty value takes a key away, an empty string all of them."""
    if given == "":
        thing["metadata"] = {}
    elif given is not None:
        merged = thing["metadata"] | given
        thing["metadata"] = {name: value for name, value in merged.items() if value != ""}


def rounded(numerator: int, denominator: int) -> int:
    """Return a fraction as the nearest integer, halves away from zero."""
    sign = -1 if (numerator < 0) != (denominator < 0) else 1
    return sign * ((2 * abs(numerator) + abs(denominator)) // (2 * abs(denominator)))


def deleted(thing: Thing) -> dict[str, Any]:
    """Return what the API says of a thing that is gone."""
    return {"id": thing["id"], "object": thing["object"], "deleted": True}


def _or_none(value: Any) -> Any:
    return None if value == "" else value


def _within(moment: int, wanted: Any) -> bool:
    if not isinstance(wanted, dict):
        return moment == int(wanted)
    checks = {"gt": moment.__gt__, "gte": moment.__ge__, "lt": moment.__lt__, "lte": moment.__le__}
    return all(checks[name](limit) for name, limit in wanted.items())


def _query(text: str) -> Callable[[Thing], bool]:
    joined = " OR " if re.search(r"\bor\b", text, re.IGNORECASE) else " AND "
    clauses = [_clause(part.strip()) for part in re.split(r"(?i)\s+(?:and|or)\s+", text.strip())]
    combine = any if joined == " OR " else all
    return lambda thing: combine(clause(thing) for clause in clauses)


def _clause(text: str) -> Callable[[Thing], bool]:
    match = _CLAUSE.fullmatch(text)
    if match is None:
        raise invalid('We were unable to parse your search query. Try using the format `metadata["key"]:"value"`.', "query")
    negated, field, key, sign, literal, *quoted = match.groups()
    wanted = next((each for each in quoted if each is not None), literal)

    def holds(thing: Thing) -> bool:
        value = (thing.get("metadata") or {}).get(key) if key else thing.get(field)
        if literal == "null":
            return value is None
        if value is None:
            return False
        if sign == ":":
            return str(value).lower() == wanted.lower()
        if sign == "~":
            return wanted.lower() in str(value).lower()
        number, limit = int(value), int(wanted)
        return {">": number > limit, "<": number < limit, ">=": number >= limit, "<=": number <= limit}[sign]

    return (lambda thing: not holds(thing)) if negated else holds
