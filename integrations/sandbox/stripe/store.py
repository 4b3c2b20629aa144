"""What the sandbox remembers: things as the API shows them, by id, in the order in which they were made.

A key that begins with an underscore is the sandbox's own and never shown.
"""

from collections.abc import Iterator
from typing import Any, Self

import orjson

Thing = dict[str, Any]


def copied(value: Any) -> Any:
    """Return a deep copy of what JSON can say."""
    return orjson.loads(orjson.dumps(value))


class Store:
    """Things by id. A fork hands out copies, and changes nothing before it is committed."""

    def __init__(self, parent: Self | None = None) -> None:
        self._parent = parent
        self._things: dict[str, Thing] = {}
        self._kinds: dict[str, list[str]] = {}
        self._owned: dict[tuple[str, str], list[str]] = {}

    def fork(self) -> "Store":
        """Return a store that begins with everything that is here."""
        return Store(self)

    def add(self, thing: Thing, *owners: str | None) -> Thing:
        """Remember a thing; `owners` are the ids it can be found by with `owned`."""
        thing["_owners"] = [owner for owner in owners if owner]
        self._keep(thing)
        return thing

    def find(self, thing_id: str) -> Thing | None:
        """Return a thing, also one that was deleted."""
        found = self._things.get(thing_id)
        if found is None and self._parent is not None:
            original = self._parent.find(thing_id)
            if original is not None:
                found = self._things[thing_id] = copied(original)
        return found

    def original(self, thing_id: str) -> Thing | None:
        """Return a thing as it was before this fork."""
        return self._parent.find(thing_id) if self._parent is not None else None

    def all(self, kind: str) -> Iterator[Thing]:
        """Yield the things of a kind that are not deleted, oldest first."""
        return self._alive(self._ids_of(kind))

    def owned(self, kind: str, owner: str) -> Iterator[Thing]:
        """Yield the things of a kind that belong to another thing, oldest first."""
        return self._alive(self._ids_owned(kind, owner))

    def everything(self) -> Iterator[Thing]:
        """Yield all things, also those that were deleted, oldest first; for a store that is no fork."""
        yield from self._things.values()

    def commit(self) -> None:
        """Let everything that was done here be so."""
        assert self._parent is not None
        for thing_id, thing in self._things.items():
            there = self._parent.find(thing_id)
            if there is None:
                self._parent._keep(thing)
            elif there != thing:
                there.clear()
                there.update(thing)

    def _keep(self, thing: Thing) -> None:
        thing_id, kind = thing["id"], thing["object"]
        self._things[thing_id] = thing
        self._kinds.setdefault(kind, []).append(thing_id)
        for owner in thing["_owners"]:
            self._owned.setdefault((kind, owner), []).append(thing_id)

    def _ids_of(self, kind: str) -> list[str]:
        before = self._parent._ids_of(kind) if self._parent is not None else []
        return before + self._kinds.get(kind, [])

    def _ids_owned(self, kind: str, owner: str) -> list[str]:
        before = self._parent._ids_owned(kind, owner) if self._parent is not None else []
        return before + self._owned.get((kind, owner), [])

    def _alive(self, ids: list[str]) -> Iterator[Thing]:
        for thing_id in ids:
            thing = self.find(thing_id)
            if thing is not None and not thing.get("_deleted"):
                yield thing
