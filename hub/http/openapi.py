"""The OpenAPI 3.1 document, made from the endpoints and the very models that parse and describe their data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema

from hub.http.endpoint import Endpoint

_REF = "#/components/schemas/{model}"
Mode = Literal["validation", "serialization"]


class FieldError(BaseModel):
    """One wrong field."""

    field: str
    message: str


class ErrorDetails(BaseModel, extra="allow"):
    """More about an error; `fields` names each wrong field."""

    fields: list[FieldError] = Field(default_factory=list)


class Error(BaseModel):
    """What every error looks like."""

    error: str
    message: str
    details: ErrorDetails
    request_id: str
    timestamp: str


def _needed(e: Endpoint) -> str:
    """Who may call it, in words."""
    if not isinstance(e.allow, str):
        return "For every member who is signed in; no API key can call it."
    fresh = " It takes a confirmation of the last ten minutes as well, so that no API key can call it." if e.fresh else ""
    return f"Needs the permission `{e.allow}`.{fresh}"


# How each refusal is called among the components, and what it means.
_REFUSALS = {
    400: ("Malformed", "The request is malformed."),
    401: ("Unauthenticated", "No valid access token or API key."),
    402: ("PaymentRequired", "The company's plan does not allow it, or it has not paid."),
    403: ("Forbidden", "Not allowed for this role, this API key, or this person."),
    404: ("NotFound", "Missing, or another company's."),
    408: ("TooSlow", "The request did not arrive in time."),
    409: ("Conflict", "The state of things forbids it now."),
    412: ("Changed", "Changed meanwhile."),
    413: ("TooLarge", "The body is too large."),
    415: ("Encoded", "A body with a Content-Encoding."),
    416: ("NoSuchPart", "There is no such part; Content-Range says how much there is."),
    422: ("Invalid", "The input is wrong; details.fields says where."),
    429: ("TooMany", "Too many; Retry-After says when."),
    503: ("Unavailable", "A part that is needed is down; Retry-After says when."),
}
_NO_PAGE = "NotFoundPage"


def openapi_document(endpoints: Iterable[Endpoint], *, version: str) -> dict[str, Any]:
    """The document for these endpoints."""
    listed = list(endpoints)
    wanted: list[tuple[type[BaseModel], Mode]] = [(Error, "serialization")]
    for e in listed:
        for model in (e.query, e.body, e.upload):
            if model is not None:
                wanted.append((model, "validation"))
        if e.returns is not None:
            wanted.append((e.returns, "serialization"))
    unique = list(dict.fromkeys(wanted))
    keys, schemas = models_json_schema(unique, ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for e in listed:
        paths.setdefault(e.path, {})[e.method.lower()] = _operation(e, keys, schemas.get("$defs", {}))
    queries = {keys[(e.query, "validation")]["$ref"].rsplit("/", 1)[-1] for e in listed if e.query is not None}
    definitions = {name: schema for name, schema in sorted(schemas.get("$defs", {}).items()) if name not in queries}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Ringside",
            "version": version,
            "description": "The HTTP side of Ringside. The live floor is described in docs/asyncapi.yaml.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "tags": [{"name": tag} for tag in dict.fromkeys(e.tag for e in listed)],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An access token (a JWT), or an API key (`rsk_...`).",
                },
                "refresh": {"type": "apiKey", "in": "cookie", "name": "ringside_refresh"},
            },
            "responses": _refusals(keys),
            "schemas": definitions,
        },
    }


def _operation(e: Endpoint, keys: dict[Any, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": e.name,
        "summary": e.summary,
        "tags": [e.tag],
        "parameters": _parameters(e, keys, definitions),
        "responses": _responses(e, keys),
    }
    if e.scope != "public":
        operation["description"] = _needed(e)
    if e.body is not None:
        operation["requestBody"] = {
            # No body at all is taken for an empty object.
            "required": any(field.is_required() for field in e.body.model_fields.values()),
            "content": {"application/json": {"schema": keys[(e.body, "validation")]}},
        }
    if e.upload is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"multipart/form-data": {"schema": keys[(e.upload, "validation")]}},
        }
    if e.scope == "public":
        operation["security"] = []
    return operation


_UUID = {"type": "string", "format": "uuid"}
# A disposition is named by a word of its company's own.
_WORD = {"type": "string", "pattern": "^[a-z0-9_]{1,40}$"}
_TOKEN = {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,200}$"}
_PARAMETERS = {"value": _WORD, "token": _TOKEN}


def _parameters(e: Endpoint, keys: dict[Any, Any], definitions: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": _PARAMETERS.get(name, _UUID)} for name in e.path_params
    ]
    if e.query is not None:
        schema = definitions[keys[(e.query, "validation")]["$ref"].rsplit("/", 1)[-1]]
        for name, part in schema["properties"].items():
            described = {k: v for k, v in part.items() if k != "title"}
            found.append({"name": name, "in": "query", "required": name in schema.get("required", []), "schema": described})
    if e.method == "POST" and e.scope == "tx":
        schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}
        found.append({"name": "Idempotency-Key", "in": "header", "required": False, "schema": schema})
    if 412 in e.errors:
        found.append({"name": "If-Match", "in": "header", "required": False, "schema": {"type": "string"}})
    return found


def _responses(e: Endpoint, keys: dict[Any, Any]) -> dict[str, Any]:
    good: dict[str, Any] = {"description": "Done."}
    if e.returns is not None:
        good["content"] = {e.content_type: {"schema": keys[(e.returns, "serialization")]}}
    elif e.content_type != "application/json":
        good["content"] = {kind: {"schema": {"type": "string"}} for kind in e.content_type.split(", ")}
    statuses = {400, 408, 413, 415, 422, 429, 503, *e.errors}
    if e.scope != "public":
        statuses |= {401, 402, 403}
    if e.path_params:
        statuses.add(404)
    if e.scope == "tx" and e.method == "POST":
        statuses.add(409)
    names = {status: _REFUSALS[status][0] for status in sorted(statuses)}
    if e.content_type == "text/html" and 404 in names:
        names[404] = _NO_PAGE
    found = {str(e.status): good}
    if e.content_type.startswith("audio/"):
        found |= {"206": good | {"description": "The part asked for."}, "304": {"description": "The asker has it already."}}
    return found | {str(status): {"$ref": f"#/components/responses/{name}"} for status, name in names.items()}


def _refusals(keys: dict[Any, Any]) -> dict[str, Any]:
    """The answers that operations share: each is said once, and referred to."""
    error = {"application/json": {"schema": keys[(Error, "serialization")]}}
    found = {name: {"description": meaning, "content": error} for name, meaning in _REFUSALS.values()}
    # What is no HTTP is answered before anything of ours sees it.
    found[_REFUSALS[400][0]]["content"] = error | {"text/plain": {"schema": {"type": "string"}}}
    # Pages for people say it to people.
    found[_NO_PAGE] = {"description": _REFUSALS[404][1], "content": error | {"text/html": {"schema": {"type": "string"}}}}
    return found
