"""Stripe's OpenAPI document in short: what the sandbox needs to know of its operations.

    python -m integrations.sandbox.stripe.shorten stripe_spec3.json > contract.json

Trees of parameters that are the same are written once; a number stands for a tree.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from integrations.sandbox.stripe.operations import OPERATIONS

_KEPT: Final = ("type", "enum", "maxLength")


class _Shortener:
    def __init__(self) -> None:
        self.trees: list[dict[str, Any]] = []
        self._numbers: dict[str, int] = {}

    def number(self, schema: Mapping[str, Any]) -> int:
        """Return the number of a tree of parameters."""
        tree: dict[str, Any] = {name: schema[name] for name in _KEPT if name in schema}
        if "properties" in schema:
            tree["properties"] = {name: self.number(each) for name, each in schema["properties"].items()}
            tree["required"] = schema.get("required", [])
        if "items" in schema:
            tree["items"] = self.number(schema["items"])
        if isinstance(schema.get("additionalProperties"), dict):
            tree["values"] = self.number(schema["additionalProperties"])
        if "anyOf" in schema:
            tree["anyOf"] = [self.number(each) for each in schema["anyOf"]]
        key = json.dumps(tree, sort_keys=True)
        if key not in self._numbers:
            self._numbers[key] = len(self.trees)
            self.trees.append(tree)
        return self._numbers[key]


def shortened(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the sandbox needs of Stripe's OpenAPI document. Raises KeyError where an operation is not in it."""
    shortener = _Shortener()
    operations = {}
    for operation in OPERATIONS:
        described = document["paths"][operation.path][operation.method.lower()]
        operations[operation.name] = shortener.number(_parameters_of(described))
    schemas = document["components"]["schemas"]
    resources = {}
    for name, schema in schemas.items():
        kind = schema.get("properties", {}).get("object", {}).get("enum", [""])[0]
        if kind == name or (kind and name == kind.replace(".", "_")):
            resources[kind] = _resource(schema)
    kinds = {operation.kind for operation in OPERATIONS} | {"line_item", "charge", "discount", "item"}
    return {
        "version": document["info"]["version"],
        "trees": shortener.trees,
        "operations": operations,
        "resources": {kind: resources[kind] for kind in sorted(kinds) if kind in resources},
    }


def _parameters_of(described: Mapping[str, Any]) -> dict[str, Any]:
    content = described.get("requestBody", {}).get("content", {})
    form: Mapping[str, Any] = next(iter(content.values()))["schema"] if content else {}
    query = [each for each in described.get("parameters", []) if each["in"] == "query"]
    return {
        "type": "object",
        "properties": {each["name"]: each["schema"] for each in query} | form.get("properties", {}),
        "required": [each["name"] for each in query if each.get("required")] + form.get("required", []),
    }


def _resource(schema: Mapping[str, Any]) -> dict[str, Any]:
    fields = schema["properties"]
    return {
        "lacks": [name for name in ("created", "id", "livemode") if name not in fields],
        "empty": sorted(name for name, field in fields.items() if field.get("nullable")),
        "expandable": sorted(_expandable(fields, schema.get("x-expandableFields", []))),
    }


def _expandable(fields: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    return [name for name in names if "anyOf" in fields[name] or name not in ("items", "lines", "data")]


if __name__ == "__main__":
    document = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    print(json.dumps(shortened(document), separators=(",", ":"), sort_keys=True))
