"""Gmail's own description of its API, as the client library carries it: operations, parameters, scopes, bodies."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import orjson
from multidict import MultiMapping

from integrations.sandbox.gmail import refusals

_PACKAGED: Final = "discovery_cache/documents/gmail.v1.json"
# https://developers.google.com/workspace/gmail/api/reference/quota
_UNITS: Final = {
    "getProfile": 1,
    "drafts.create": 10,
    "drafts.delete": 10,
    "drafts.get": 5,
    "drafts.list": 5,
    "drafts.send": 100,
    "drafts.update": 15,
    "history.list": 2,
    "labels.create": 5,
    "labels.delete": 5,
    "labels.get": 1,
    "labels.list": 1,
    "labels.patch": 5,
    "labels.update": 5,
    "messages.batchDelete": 50,
    "messages.batchModify": 50,
    "messages.delete": 10,
    "messages.import": 25,
    "messages.insert": 25,
    "messages.send": 100,
    "settings.sendAs.list": 1,
    "stop": 50,
    "threads.delete": 20,
    "threads.get": 10,
    "threads.list": 10,
    "threads.modify": 10,
    "threads.trash": 10,
    "threads.untrash": 10,
    "watch": 100,
}


@dataclass(frozen=True, slots=True)
class Operation:
    """A method of the API, such as `messages.list`. `parameters` are those of the query, `request` the body's schema."""

    name: str
    verb: str
    pattern: re.Pattern[str]
    parameters: Mapping[str, Mapping[str, Any]]
    scopes: frozenset[str]
    request: str | None
    takes_media: bool

    @property
    def units(self) -> int:
        """What it costs of the quota."""
        return _UNITS.get(self.name, 5)


class Discovery:
    """The document, as far as a server needs it."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._schemas = document["schemas"]
        self._common = document["parameters"]
        self.operations = sorted(_operations(document["resources"]["users"], ""), key=lambda each: each.pattern.groups)
        self.by_name = {each.name: each for each in self.operations}

    def find(self, verb: str, path: str) -> tuple[Operation, dict[str, str]] | None:
        """Return the operation that a request means, and what is in its path."""
        for operation in self.operations:
            if operation.verb == verb and (match := operation.pattern.fullmatch(path)):
                return operation, match.groupdict()
        return None

    def check_query(self, operation: Operation, query: MultiMapping[str]) -> None:
        """Raise Refusal for a parameter that there is not, or a value that it can't have."""
        for name, value in query.items():
            known = operation.parameters.get(name) or self._common.get(name)
            if known is None and name != "upload_id":
                raise refusals.invalid(
                    f'Invalid JSON payload received. Unknown name "{name}": Cannot bind query parameter.'
                    f" Field '{name}' could not be found in request message."
                )
            if known is not None and not _fits(known, value):
                raise refusals.invalid(f"Invalid value at '{name}', \"{value}\"")

    def check_body(self, operation: Operation, body: Mapping[str, Any]) -> None:
        """Raise Refusal for a body that the operation does not take."""
        if operation.request is not None:
            self._check(operation.request, body, "")

    def _check(self, schema: str, body: Mapping[str, Any], path: str) -> None:
        known = self._schemas[schema]["properties"]
        for name, value in body.items():
            if name not in known:
                raise refusals.invalid(f'Invalid JSON payload received. Unknown name "{name}"{path}: Cannot find field.')
            self._check_value(known[name], value, f" at '{name}'")

    def _check_value(self, part: Mapping[str, Any], value: Any, path: str) -> None:
        if value is None:
            return
        if "$ref" in part:
            if not isinstance(value, dict):
                raise refusals.invalid(f"Invalid value{path} (type.googleapis.com)")
            self._check(part["$ref"], value, path)
        elif part["type"] == "array":
            if not isinstance(value, list):
                raise refusals.invalid(f"Invalid value{path}: Proto field is not repeating, cannot start list.")
            for each in value:
                self._check_value(part["items"], each, path)
        elif not isinstance(value, _KINDS[part["type"]]) or ("enum" in part and value not in part["enum"]):
            raise refusals.invalid(f'Invalid value{path} (TYPE_{part["type"].upper()}), "{value}"')


_KINDS: Final[dict[str, type | tuple[type, ...]]] = {
    "string": (str, int),
    "boolean": bool,
    "integer": (int, str),
    "object": dict,
    "any": object,
}


@cache
def packaged() -> Discovery:
    """Return the document that the client library carries."""
    return Discovery(orjson.loads(files("googleapiclient").joinpath(_PACKAGED).read_bytes()))


def _operations(resource: Mapping[str, Any], prefix: str) -> Iterator[Operation]:
    for name, method in resource.get("methods", {}).items():
        yield Operation(
            name=f"{prefix}{name}",
            verb=method["httpMethod"],
            pattern=re.compile("/" + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", method["path"])),
            parameters={key: each for key, each in method["parameters"].items() if each["location"] == "query"},
            scopes=frozenset(method["scopes"]),
            request=method.get("request", {}).get("$ref"),
            takes_media="mediaUpload" in method,
        )
    for name, inner in resource.get("resources", {}).items():
        yield from _operations(inner, f"{prefix}{name}.")


def _fits(parameter: Mapping[str, Any], value: str) -> bool:
    kind = parameter.get("type")
    if kind == "boolean":
        return value.lower() in ("true", "false")
    if kind == "integer":
        return value.isdigit()
    if parameter.get("format") == "uint64":
        return value.isdigit()
    return "enum" not in parameter or not value or value in parameter["enum"]
