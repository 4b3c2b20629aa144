"""Reading the form of a request: https://docs.stripe.com/api is form-encoded in, JSON out, and names what is wrong."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from integrations.sandbox.stripe.contract import Contract
from integrations.sandbox.stripe.operations import INNER, Operation
from integrations.sandbox.stripe.refusals import Refusal, empty, missing, not_in_sandbox, unknown_parameter

_PART: Final = re.compile(r"\[([^\]]*)\]")
# Of these the specification does not say that they can't be unset.
_NEVER_EMPTY: Final = frozenset({"display_name", "event_name", "product_data[name]", "url"})
_BOOLEANS: Final = {"true": True, "false": False}


def nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return `a[b][0][c]=d` as `{"a": {"b": [{"c": "d"}]}}`."""
    root: dict[str, Any] = {}
    for name, value in pairs:
        head, bracket, rest = name.partition("[")
        path = [head, *_PART.findall(bracket + rest)]
        node = root
        for part in path[:-1]:
            below = node.setdefault(part, {})
            if not isinstance(below, dict):
                raise Refusal(f"Invalid parameter: {name}", param=head)
            node = below
        last = path[-1]
        node[str(len(node)) if last == "" else last] = value
    return {name: _listed(value) for name, value in root.items()}


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    below = {name: _listed(each) for name, each in value.items()}
    if below and all(name.isdigit() for name in below):
        return [below[name] for name in sorted(below, key=int)]
    return below


def checked(contract: Contract, operation: Operation, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters with their types. Raises Refusal as Stripe does for unknown, missing and malformed ones."""
    tree = contract.trees[contract.operations[operation.name]]
    found: dict[str, Any] = _Reader(contract.trees).read(tree, dict(given), "")
    for name in found:
        if name not in operation.honours:
            raise not_in_sandbox(name)
        _refuse_ignored(name, found[name])
    return found


def _refuse_ignored(name: str, value: Any) -> None:
    """Raise Refusal for what is inside of a parameter and not acted on."""
    honoured = INNER.get(name)
    for each in value if isinstance(value, list) else [value]:
        if honoured is None or not isinstance(each, dict):
            continue
        for key, below in each.items():
            if key not in honoured:
                raise not_in_sandbox(f"{name}[{key}]")
            _refuse_ignored(key, below)


class _Reader:
    def __init__(self, trees: Sequence[Mapping[str, Any]]) -> None:
        self._trees = trees

    def read(self, tree: Mapping[str, Any], value: Any, name: str) -> Any:
        if "anyOf" in tree:
            return self._any(tree["anyOf"], value, name)
        kind = tree.get("type")
        if kind == "object":
            return self._object(tree, value, name)
        if kind == "array":
            if isinstance(value, dict | str) and value not in ({}, ""):
                raise Refusal("Invalid array", param=name)
            return [self.read(self._trees[tree["items"]], each, f"{name}[{number}]") for number, each in enumerate(value or [])]
        if not isinstance(value, str):
            raise Refusal("Invalid string: must be a string", param=name)
        return _scalar(tree, value, name)

    def _any(self, choices: Sequence[int], value: Any, name: str) -> Any:
        worst: Refusal | None = None
        for number in choices:
            try:
                return self.read(self._trees[number], value, name)
            except Refusal as refusal:
                # Of several complaints the one from deepest inside says most.
                if worst is None or len(refusal.error.get("param", "")) > len(worst.error.get("param", "")):
                    worst = refusal
        assert worst is not None
        raise worst

    def _object(self, tree: Mapping[str, Any], value: Any, name: str) -> dict[str, Any]:
        if value == "" and "properties" in tree and name:
            raise Refusal("Invalid object", param=name)
        if not isinstance(value, dict):
            raise Refusal("Invalid object", param=name)
        known = tree.get("properties")
        if known is None:
            below = self._trees[tree["values"]] if "values" in tree else {"type": "string"}
            return {key: self.read(below, each, f"{name}[{key}]") for key, each in value.items()}
        found = {}
        for key, each in value.items():
            inner = f"{name}[{key}]" if name else key
            if key not in known:
                raise unknown_parameter(inner)
            found[key] = self.read(self._trees[known[key]], each, inner)
        for key in tree.get("required", ()):
            if key not in value:
                raise missing(f"{name}[{key}]" if name else key)
        return found


def _scalar(tree: Mapping[str, Any], value: str, name: str) -> Any:
    kind = tree.get("type")
    if "enum" in tree and value not in tree["enum"]:
        words = ", ".join(str(each) for each in tree["enum"] if each != "")
        raise Refusal(f"Invalid {name}: must be one of {words}", param=name)
    if kind == "integer":
        if not re.fullmatch(r"-?\d{1,18}", value):
            raise Refusal(f"Invalid integer: {value}", code="parameter_invalid_integer", param=name)
        return int(value)
    if kind == "number":
        try:
            return float(value)
        except ValueError:
            raise Refusal(f"Invalid decimal: {value}", param=name) from None
    if kind == "boolean":
        if value not in _BOOLEANS:
            raise Refusal(f"Invalid boolean: {value}", param=name)
        return _BOOLEANS[value]
    if value == "" and name in _NEVER_EMPTY:
        raise empty(name)
    if len(value) > tree.get("maxLength", len(value)):
        raise Refusal(f"Invalid string: {value[:20]}...; must be at most {tree['maxLength']} characters", param=name)
    return value
