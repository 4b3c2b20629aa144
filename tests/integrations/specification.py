"""Twilio's published specification, and a proxy that holds every request and response that passes it to it."""

import json
import re
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import ClientError, ClientSession, web
from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from yarl import URL

_MEDIA = re.compile(r"/2010-04-01/Accounts/AC\w+/Recordings/RE\w+(\.wav|\.mp3)?")
SPECS = Path(__file__).resolve().parents[3] / "shared" / "provider-specs"
formats = FormatChecker()


@formats.checks("date-time-rfc-2822", raises=ValueError)
def is_rfc_2822(value: object) -> bool:
    return value is None or parsedate_to_datetime(str(value)) is not None


class Specification:
    """The OpenAPI document, as far as one exchange can be checked against it."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._paths = [(_pattern_of(path), operations) for path, operations in document["paths"].items()]
        self._schemas = _as_json_schema(document["components"]["schemas"])
        for name, schema in self._schemas.items():
            # An enumeration is referred to, and beside a reference the document can't say that there may be none:
            # a conference that goes on has no reason for its end.
            if "_enum_" in name and "enum" in schema:
                schema["enum"] = [*schema["enum"], None]
                schema["type"] = [schema["type"], "null"]

    @classmethod
    def of_twilio(cls) -> "Specification":
        return cls(json.loads((SPECS / "twilio_api_v2010.json").read_text()))

    def complaints(self, method: str, url: URL, body: bytes, status: int, answer: bytes) -> list[str]:
        """Return what is wrong with a request and its answer, in words."""
        if _MEDIA.fullmatch(url.path):
            # A recording's sound is documented, but not in the specification.
            return []
        found = [(match, operations) for pattern, operations in self._paths if (match := pattern.fullmatch(url.path))]
        if not found:
            return [f"{url.path} is not in the specification"]
        # Of two paths that fit, the one with fewer parameters is meant: /Local.json before /{Sid}.json.
        match, operations = min(found, key=lambda each: len(each[0].groupdict()))
        operation = operations.get(method.lower())
        if operation is None:
            return [f"{method} {url.path} is not in the specification"]
        wrong = [
            *self._of_parameters(operation, match.groupdict(), url),
            *self._of_form(operation, body),
            *self._of_answer(operation, status, json.loads(answer) if answer else None),
        ]
        return [f"{method} {url.path_qs}: {complaint}" for complaint in wrong]

    def _of_parameters(self, operation: dict[str, Any], path: dict[str, str | None], url: URL) -> list[str]:
        known = {(each["in"], each["name"]): each["schema"] for each in operation.get("parameters", [])}
        given = [
            *((("path", name), value) for name, value in path.items() if value),
            *((("query", name), value) for name, value in url.query.items()),
        ]
        found = []
        for key, value in given:
            if key not in known:
                found.append(f"unknown parameter {key}")
            else:
                found += self._errors(known[key], _typed(known[key], value))
        return found

    def _of_form(self, operation: dict[str, Any], body: bytes) -> list[str]:
        fields = parse_qsl(body.decode(), keep_blank_values=True)
        if not fields:
            return []
        schema = operation["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
        form: dict[str, Any] = {}
        for name, value in fields:
            if name not in schema["properties"]:
                return [f"unknown form field {name}"]
            if schema["properties"][name].get("type") == "array":
                form.setdefault(name, []).append(value)
            else:
                form[name] = _typed(schema["properties"][name], value)
        return self._errors(schema, form)

    def _of_answer(self, operation: dict[str, Any], status: int, answer: Any) -> list[str]:
        if status >= 400:
            return [] if set(answer) == {"code", "message", "more_info", "status"} else [f"odd error {answer}"]
        if str(status) not in operation["responses"]:
            return [f"status {status}"]
        content = operation["responses"][str(status)].get("content")
        if content is None:
            return [] if answer is None else [f"a body where none is expected: {answer}"]
        schema = content["application/json"]["schema"]
        return [*self._errors(schema, answer), *self._of_fields(schema, answer)]

    def _of_fields(self, schema: dict[str, Any], answer: Any) -> list[str]:
        """An unknown field would be as wrong as a missing one: the SDK's users read all of them."""
        if "$ref" in schema:
            schema = self._schemas[schema["$ref"].rpartition("/")[2]]
        expected = schema.get("properties", {})
        odd = set(answer) ^ set(expected)
        found = [f"fields {sorted(odd)}"] if odd else []
        for name, part in expected.items():
            if part.get("type") == "array" and isinstance(answer.get(name), list):
                found += [complaint for each in answer[name] for complaint in self._of_fields(part["items"], each)]
        return found

    def _errors(self, schema: dict[str, Any], value: Any) -> list[str]:
        full = _as_json_schema(schema) | {"components": {"schemas": self._schemas}}
        errors = Draft202012Validator(full, format_checker=formats).iter_errors(value)
        return [_told(error) for error in errors]


def _told(error: ValidationError) -> str:
    return f"{error.json_path}: {error.message}"


def _pattern_of(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+?)", re.escape(path)))


def _typed(schema: dict[str, Any], value: str) -> Any:
    if schema.get("type") == "integer" and value.isdigit():
        return int(value)
    if schema.get("type") == "boolean" and value in ("true", "false"):
        return value == "true"
    return value


def _as_json_schema(node: Any) -> Any:
    """OpenAPI 3.0 says `nullable` where JSON Schema has a type `null`; its `uri` are often relative."""
    if isinstance(node, list):
        return [_as_json_schema(each) for each in node]
    if not isinstance(node, dict):
        return node
    made = {name: _as_json_schema(each) for name, each in node.items()}
    if made.get("nullable") is True and isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
    if made.get("format") in ("uri", "date-time"):
        del made["format"]
    return made


class CheckingProxy:
    """Passes requests on to a sandbox and notes every breach of the specification."""

    def __init__(self, specification: Specification | None, target: str) -> None:
        self.url = ""
        self.complaints: list[str] = []
        self._specification = specification
        self._target = URL(target)

    async def start(self) -> None:
        self._session = ClientSession()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._pass_on)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def close(self) -> None:
        await self._runner.cleanup()
        await self._session.close()

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        target = URL(f"{self._target.origin()}{request.raw_path}", encoded=True)
        kept = {name: request.headers[name] for name in ("Authorization", "Content-Type") if name in request.headers}
        try:
            async with self._session.request(request.method, target, data=body, headers=kept) as response:
                answer = await response.read()
        except ClientError:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if self._specification is not None:
            self.complaints += self._specification.complaints(request.method, request.url, body, response.status, answer)
        passed = {name: response.headers[name] for name in ("Retry-After", "Content-Type") if name in response.headers}
        return web.Response(status=response.status, body=answer, headers=passed)
