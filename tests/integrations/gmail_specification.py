"""Gmail's discovery document, and a caller that holds every request and answer of the sandbox's API to it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from aiohttp import ClientSession

from integrations.sandbox.gmail import GmailSandbox
from tests.integrations.specification import SPECS

_KINDS: dict[str, type] = {"string": str, "boolean": bool, "integer": int, "object": dict}
_FORMATS = {"uint64": r"\d+", "int64": r"-?\d+", "byte": r"[A-Za-z0-9_-]*=*"}
# What there is of errors in common: https://cloud.google.com/apis/design/errors
_ERROR = {"code", "message", "errors", "status"}


def packaged() -> dict[str, Any]:
    """The document that the client library carries."""
    found = files("googleapiclient").joinpath("discovery_cache/documents/gmail.v1.json").read_text()
    return dict(json.loads(found))


def published() -> dict[str, Any]:
    """The document as Google publishes it, or the library's where that is not at hand."""
    path = SPECS / "gmail.v1.json"
    return dict(json.loads(path.read_text())) if path.exists() else packaged()


def methods(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every method of a resource and of those in it."""
    yield from resource.get("methods", {}).values()
    for inner in resource.get("resources", {}).values():
        yield from methods(inner)


class GmailSpecification:
    """The document, as far as one exchange can be checked against it."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._schemas = document["schemas"]
        self._common = document["parameters"]
        self.methods = {each["id"]: each for each in methods(document)}

    def method_of(self, verb: str, path: str) -> dict[str, Any]:
        fitting = [
            each
            for each in self.methods.values()
            if each["httpMethod"] == verb and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", each["path"]), path.lstrip("/"))
        ]
        assert fitting, f"{verb} {path} is not in the document"
        return min(fitting, key=lambda each: each["path"].count("{"))

    def complaints(self, verb: str, path: str, query: Any, body: Any, status: int, answer: Any) -> list[str]:
        """What is wrong with a request and its answer, in words."""
        method = self.method_of(verb, path)
        known = method["parameters"] | self._common
        wrong = [f"unknown parameter {name}" for name in query if name not in known]
        if status >= 400:
            error = answer["error"]
            return wrong if set(error) == _ERROR and error["code"] == status else [*wrong, f"odd error {answer}"]
        if body is not None:
            wrong += self._of(method["request"], body, "request")
        if "response" not in method:
            return wrong if answer is None else [*wrong, f"a body where none is expected: {answer}"]
        return wrong + self._of(method["response"], answer, method["response"]["$ref"])

    def _of(self, part: dict[str, Any], value: Any, path: str) -> list[str]:
        if "$ref" in part:
            known = self._schemas[part["$ref"]]["properties"]
            wrong = [f"{path}.{name} is not in the document" for name in value if name not in known]
            return wrong + [
                each for name in value if name in known for each in self._of(known[name], value[name], f"{path}.{name}")
            ]
        if part["type"] == "array":
            return [each for item in value for each in self._of(part["items"], item, f"{path}[]")]
        if not isinstance(value, _KINDS[part["type"]]):
            return [f"{path} is a {type(value).__name__}"]
        if part.get("format") in _FORMATS and isinstance(value, str) and not re.fullmatch(_FORMATS[part["format"]], value):
            return [f"{path} is no {part['format']}: {value[:40]}"]
        return [f"{path} is {value}"] if "enum" in part and value not in part["enum"] else []


@dataclass
class Answered:
    """An answer of the API."""

    status: int
    body: Any

    @property
    def reason(self) -> str:
        return str(self.body["error"]["errors"][0]["reason"])


@dataclass
class Caller:
    """Calls the API as one mailbox; whatever breaks with the document fails the test."""

    sandbox: GmailSandbox
    session: ClientSession
    specification: GmailSpecification
    address: str
    token: str
    seen: set[str] = field(default_factory=set)

    async def __call__(self, verb: str, path: str, body: Any = None, **query: Any) -> Answered:
        path = f"/gmail/v1/users/me{path}"
        pairs = [(name, str(each)) for name, value in query.items() for each in (value if isinstance(value, list) else [value])]
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self.session.request(verb, self.sandbox.url + path, params=pairs, json=body, headers=headers) as response:
            data = await response.read()
            answered = Answered(response.status, json.loads(data) if data else None)
        wrong = self.specification.complaints(verb, path, query, body, answered.status, answered.body)
        assert not wrong, f"{verb} {path}: {wrong}"
        self.seen.add(str(self.specification.method_of(verb, path)["id"]))
        return answered
