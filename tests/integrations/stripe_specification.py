"""Stripe's published specification, and an HTTP client for the SDK that holds every exchange to it."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import stripe
from jsonschema_rs import Draft202012Validator, ValidationError
from yarl import URL

from integrations.sandbox.stripe.operations import OPERATIONS
from integrations.sandbox.stripe.parameters import nested
from tests.integrations.specification import SPECS

DOCUMENT = SPECS / "stripe_spec3_2026-05-27.dahlia.json"


class StripeSpecification:
    """The OpenAPI document, as far as one exchange can be checked against it."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self._schemas = document["components"]["schemas"]
        self._checkers: dict[tuple[str, int], Draft202012Validator] = {}
        self._ready: dict[str, Any] = {}
        self._routes = sorted(((each.pattern, each) for each in OPERATIONS), key=lambda each: each[1].path.count("{"))

    def complaints(self, method: str, url: URL, body: str, status: int, answer: bytes) -> list[str]:
        """Return what is wrong with a request and its answer, in words."""
        for pattern, operation in self._routes:
            if operation.method == method and pattern.fullmatch(url.path):
                described = self.document["paths"][operation.path][method.lower()]
                break
        else:
            return [f"{method} {url.path} is not among the operations"]
        found = [*self._of_request(described, url, body, status), *self._of_answer(described, status, json.loads(answer))]
        return [f"{method} {url.path}: {complaint}" for complaint in found]

    def complaints_of_event(self, event: dict[str, Any]) -> list[str]:
        """Return what is wrong with an event: a kind that Stripe does not send, or a thing that is not as it should be."""
        create = self.document["paths"]["/v1/webhook_endpoints"]["post"]["requestBody"]["content"]
        schema = create["application/x-www-form-urlencoded"]["schema"]["properties"]["enabled_events"]["items"]
        found = [] if event["type"] in schema["enum"] else ["no such kind"]
        for name, thing in (("event", event), (event["data"]["object"]["object"], event["data"]["object"])):
            if not thing.get("deleted"):
                schema = {"$ref": f"#/components/schemas/{name}"}
                found += [told for error in self._checker(schema, (name, 0)).iter_errors(thing) for told in _told(error)]
                found += self._unknown_fields(schema, thing, "$") if name != "event" else []
        return [f"{event['type']}: {complaint}" for complaint in found]

    def _of_request(self, described: dict[str, Any], url: URL, body: str, status: int) -> Iterator[str]:
        if status == 400:
            return
        form = (
            described["requestBody"]["content"].get("application/x-www-form-urlencoded", {}) if "requestBody" in described else {}
        )
        known = set(form.get("schema", {}).get("properties", {}))
        known |= {each["name"] for each in described.get("parameters", []) if each["in"] == "query"}
        given = nested([*url.query.items(), *((name, value) for name, value in _pairs(body))])
        for name in set(given) - known:
            yield f"unknown parameter {name}"

    def _of_answer(self, described: dict[str, Any], status: int, answer: Any) -> Iterator[str]:
        content = described["responses"].get(str(status), described["responses"]["default"])["content"]
        schema = content["application/json"]["schema"]
        for error in self._checker(schema, (described["operationId"], status)).iter_errors(answer):
            yield from _told(error)
        yield from self._unknown_fields(schema, answer, "$")

    def _checker(self, schema: dict[str, Any], key: tuple[str, int]) -> Draft202012Validator:
        if key not in self._checkers:
            needed: dict[str, Any] = {}
            self._collect(schema, needed)
            whole = _as_json_schema(schema) | {"components": {"schemas": needed}}
            self._checkers[key] = Draft202012Validator(whole)
        return self._checkers[key]

    def _collect(self, node: Any, needed: dict[str, Any]) -> None:
        if isinstance(node, list):
            for each in node:
                self._collect(each, needed)
        elif isinstance(node, dict):
            name = str(node.get("$ref", "")).rpartition("/")[2]
            if name and name not in needed:
                if name not in self._ready:
                    self._ready[name] = _as_json_schema(self._schemas[name])
                needed[name] = self._ready[name]
                self._collect(self._schemas[name], needed)
            for each in node.values():
                self._collect(each, needed)

    def _unknown_fields(self, schema: dict[str, Any], value: Any, path: str) -> Iterator[str]:
        """A field that Stripe does not have would be as wrong as one that is missing: somebody might read it."""
        if isinstance(value, list) and "items" in schema:
            for each in value:
                yield from self._unknown_fields(schema["items"], each, f"{path}[]")
        if not isinstance(value, dict):
            return
        schema = self._meant(schema, value)
        fields = schema.get("properties")
        if not fields or "additionalProperties" in schema:
            return
        for name, below in value.items():
            if name in fields:
                yield from self._unknown_fields(fields[name], below, f"{path}.{name}")
            elif name not in ("total_count",):
                yield f"{path}.{name} is not in the specification"

    def _meant(self, schema: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
        if "$ref" in schema:
            return self._meant(self._schemas[schema["$ref"].rpartition("/")[2]], value)
        for each in schema.get("anyOf", []):
            meant = self._meant(each, value)
            kinds = meant.get("properties", {}).get("object", {}).get("enum")
            is_deleted = "deleted" in meant.get("properties", {})
            if (kinds is None or value.get("object") in kinds) and meant.get("properties") and is_deleted == ("deleted" in value):
                return meant
        return schema


@cache
def specification() -> StripeSpecification | None:
    """Return the specification, None where it is not here."""
    return StripeSpecification(json.loads(DOCUMENT.read_text())) if DOCUMENT.exists() else None


class CheckedClient(stripe.AIOHTTPClient):
    """The SDK's HTTP client, and what was wrong with what it sent and got."""

    def __init__(self) -> None:
        super().__init__(timeout=60)
        self.complaints: list[str] = []
        self.last_headers: dict[str, str] = {}

    async def request_async(self, method: str, url: str, headers: Any, post_data: Any = None) -> Any:
        content, status, answer_headers = await super().request_async(method, url, headers, post_data)
        self.last_headers = {name.lower(): value for name, value in answer_headers.items()}
        described = specification()
        if described is not None:
            self.complaints += described.complaints(method.upper(), URL(url), post_data or "", status, content)
        return content, status, answer_headers


def _pairs(body: str) -> list[tuple[str, str]]:
    return list(URL(f"http://body/?{body}").query.items())


def _told(error: ValidationError) -> Iterator[str]:
    path = ".".join(str(each) for each in error.instance_path)
    yield f"{path}: {error.message[-300:]}"


def _as_json_schema(node: Any) -> Any:
    """OpenAPI 3.0 says `nullable` where JSON Schema has a type `null`."""
    if isinstance(node, list):
        return [_as_json_schema(each) for each in node]
    if not isinstance(node, dict):
        return node
    made = {name: _as_json_schema(each) for name, each in node.items() if name != "description"}
    if made.pop("nullable", False) is True:
        if "anyOf" in made:
            made["anyOf"] = [*made["anyOf"], {"type": "null"}]
        elif "$ref" in made:
            return {"anyOf": [made, {"type": "null"}]}
        else:
            made["type"] = [made["type"], "null"]
            if "enum" in made:
                made["enum"] = [*made["enum"], None]
    made.pop("format", None)
    return made
