"""What Stripe's OpenAPI document says of the operations that the sandbox has, in the short form that it carries with it."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

_PACKAGED: Final = "contract.json"


class Contract:
    """The short form, read."""

    def __init__(self, short: Mapping[str, Any]) -> None:
        self.version: str = short["version"]
        self.trees: list[dict[str, Any]] = short["trees"]
        self.operations: dict[str, int] = short["operations"]
        self._resources: dict[str, Any] = short["resources"]

    def blank(self, kind: str) -> dict[str, Any]:
        """Return a resource with every field that may be null as null: Stripe leaves none of them out."""
        return {"id": "", "object": kind} | dict.fromkeys(self._resources[kind]["empty"])

    def lacks(self, kind: str) -> list[str]:
        """Return what a resource does not show although it is kept of everything: its id, or when it was made."""
        found: list[str] = self._resources.get(kind, {}).get("lacks", [])
        return found

    def expandable(self, kind: str) -> list[str]:
        """Return the fields of a resource that `expand` may name."""
        found: list[str] = self._resources.get(kind, {}).get("expandable", [])
        return found


@cache
def contract() -> Contract:
    """Return the contract that the sandbox carries with it."""
    return Contract(json.loads(files("integrations.sandbox.stripe").joinpath(_PACKAGED).read_text(encoding="utf-8")))
