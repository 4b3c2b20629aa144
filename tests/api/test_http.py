"""What every request meets: the shape of errors, limits, headers, repeats, the document, the console's files."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import jsonschema
import pytest
import pytest_asyncio
from aiohttp import web
from yarl import URL

from hub.app import api_endpoints, document
from hub.auth.tokens import Tokens
from hub.http.middleware import observe
from hub.http.static import mount_console
from tests.api import lasting
from tests.conftest import Company
from tests.harness import Api, RunningHub, make_settings
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.asyncio(loop_scope="module")
SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}


server, acme = lasting.server, lasting.acme


@pytest_asyncio.fixture(loop_scope="module")
async def rep(server: RunningHub, acme: Company) -> Api:
    return server.as_member(acme, "rep")


async def raw(server: RunningHub, request: bytes) -> tuple[int, bytes]:
    """Status and the rest of an answer to bytes that no client library would send."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rsplit(":", 1)[1]))
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), PATIENCE_S)
    writer.close()
    return int(answer.split(b" ", 2)[1]), answer


WRONG: dict[str, tuple[str, str, dict[str, Any], int]] = {
    "no token": ("GET", "/contacts", {"headers": {"Authorization": ""}}, 401),
    "no role": ("GET", "/admin/jobs", {}, 403),
    "no such thing": ("GET", f"/contacts/{uuid4()}", {}, 404),
    "no such address": ("GET", "/nothing/here", {}, 404),
    "no such address to post to": ("POST", "/nothing/here", {"json": {}}, 404),
    "no such method": ("DELETE", "/contacts", {}, 405),
    "too large": ("POST", "/contacts", {"data": b'"' + b"x" * 1_000_001 + b'"'}, 413),
    "a wrong field": ("POST", "/contacts", {"json": {"first_name": 7}}, 422),
    "a wrong parameter": ("GET", "/contacts?limit=many", {}, 422),
    "no JSON": ("POST", "/contacts", {"data": b"{"}, 422),
}


@pytest.mark.parametrize("name", WRONG)
async def test_every_error_has_the_one_shape(server: RunningHub, rep: Api, name: str) -> None:
    method, path, options, status = WRONG[name]
    options["headers"] = {"Authorization": f"Bearer {rep.token}", "Content-Type": "application/json"} | options.get("headers", {})
    async with rep.session.request(method, f"{server.url}/api/v1{path}", **options) as answer:
        assert answer.status == status
        assert answer.content_type == "application/json"
        body = await answer.json()
    assert list(body) == ["error", "message", "details", "request_id", "timestamp"]
    assert re.fullmatch(r"[a-z_]+", body["error"])
    assert body["message"].endswith(".")
    assert body["request_id"] == answer.headers["X-Request-ID"]
    assert datetime.fromisoformat(body["timestamp"]).tzinfo is not None
    if status == 422 and name != "no JSON":
        assert all(set(field) == {"field", "message"} for field in body["details"]["fields"])
    if status == 405:
        assert answer.headers["Allow"] == "GET,POST"


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_that_is_too_large_is_refused_with_and_without_its_length(
    server: RunningHub, rep: Api, chunked: bool
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"x" * 50_000

    data: Any = pieces() if chunked else b"x" * 2_000_000
    headers = {"Authorization": f"Bearer {rep.token}", "Content-Type": "application/json"}
    try:
        async with rep.session.post(f"{server.url}/api/v1/contacts", data=data, headers=headers) as answer:
            assert (answer.status, (await answer.json())["error"]) == (413, "too_large")
    except aiohttp.ClientConnectionError:
        # The server need not read what it has refused; a client that goes on sending may see the connection end.
        assert chunked


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "text/csv"])
async def test_what_is_not_called_json_is_refused_in_words(rep: Api, content_type: str) -> None:
    answer = await rep.call("POST", "/contacts", data=b'{"first_name": "Ada"}', headers={"Content-Type": content_type})
    assert (answer.status, answer.error) == (422, "unsupported_media_type")
    assert "application/json" in answer.body["message"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"first_name": "a\\u0000"}', b'{"first_name": "a", "custom": {"k\\u0000": 1}}',
        b'{"first_name": "a", "tags": ["\\u0000"]}',
        b"null", b"[]", b"7", b'"text"', b"{", b"[" * 5000, b'{"a":' * 5000, b"\xff\xfe{\x00}\x00", b'{"first_name": "\\ud800"}',
        b'{"first_name": NaN}', b'{"first_name": "a", "custom": {"k": Infinity}}', b'{"first_name": "a", "custom": {"k": 1e999}}',
    ],
)  # fmt: skip
async def test_bodies_that_no_client_should_send_are_a_422(rep: Api, body: bytes) -> None:
    answer = await rep.call("POST", "/contacts", data=body, headers={"Content-Type": "application/json"})
    assert answer.status == 422, answer.body


@pytest.mark.parametrize(
    "query",
    ["limit=1&limit=2", "stage=a%00b", "stage=a&stage=a", "nothing=1", "limit=", "limit=1e3", "limit=-1", "limit=" + "9" * 4000],
)
async def test_a_parameter_given_twice_or_wrongly_is_named(server: RunningHub, rep: Api, query: str) -> None:
    answer = await rep.call("GET", f"/contacts?{query}")
    assert answer.status == 422
    assert answer.field(query.split("=")[0])


CURSORS = [
    '["-created_at","x",5]', '["-created_at",null,null]', '["-created_at",[],{}]', "5", '{"a":1,"b":2,"c":3}', "null", '""', "[]",
    '["-created_at","2026-01-01T00:00:00","{id}"]', '["-created_at","0001-01-01T00:00:00+23:59","{id}"]',
    '["-created_at","9999-12-31T23:59:59-23:59","{id}"]', '["-created_at","a\\u0000","{id}"]', '["-at","","{id}"]',
    '["-at","2026-01-01T00:00:00","{id}"]', '["-started_at","1","{id}"]', '["-started_at","2026-01-01","{id}"]',
    '["jobs","","{id}"]', '["jobs","2026-01-01","{id}"]', '["name",[1],"{id}"]', "not json",
]  # fmt: skip


@pytest.mark.parametrize("path", ["/contacts", "/activities", "/calls", "/imports", "/admin/jobs", "/members"])
async def test_a_made_up_cursor_is_never_more_than_a_422(server: RunningHub, acme: Company, path: str) -> None:
    import_sort = '["-created_at","2026-01-01T00:00:00","{id}"]'
    owner = server.as_member(acme, "owner")
    for text in [*CURSORS, import_sort]:
        cursor = base64_of(text.replace("{id}", str(uuid4())))
        answer = await owner.get(path, cursor=cursor)
        assert answer.status in (200, 422), text
        if answer.status == 422:
            assert answer.field("cursor")
    for cursor in ("", "%", "é", "=" * 9, "x" * 2001, "\N{SNOWMAN}"):
        assert (await owner.get(path, cursor=cursor)).status == 422, cursor


def base64_of(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


async def test_a_request_id_is_taken_over_when_it_is_one_and_made_otherwise(server: RunningHub) -> None:
    http = server.client().session

    async def answered(given: str) -> str:
        async with http.get(f"{server.url}/healthz", headers={"X-Request-ID": given}) as answer:
            return answer.headers["X-Request-ID"]

    for given in ("abcdef12", "a" * 64, "A-b_c.d-1234"):
        assert await answered(given) == given
    made = [await answered(given) for given in ("", "short", "a" * 65, "two words here", "abcdefg;drop", "äöüäöüäöü")]
    assert all(re.fullmatch(r"[0-9a-f]{32}", request_id) for request_id in made)
    assert len(set(made)) == len(made)


@pytest.mark.parametrize("path", ["/healthz", "/api/openapi.json", "/api/v1/contacts", "/api/v1/nothing", "/", "/contacts/7"])
async def test_every_answer_carries_the_security_headers(server: RunningHub, path: str) -> None:
    async with server.client().session.get(server.url + path) as answer:
        for name, value in SECURITY.items():
            assert answer.headers[name] == value
        policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
        assert policy["default-src"] == "'self'"
        assert policy["frame-ancestors"] == policy["object-src"] == policy["base-uri"] == "'none'"
        assert "script-src" not in policy, "scripts come from here and nowhere else"
        if path.startswith("/api/v1"):
            assert answer.headers["Cache-Control"] == "private, no-cache"


async def test_an_etag_is_the_version_and_guards_the_next_change(rep: Api) -> None:
    made = await rep.post("/contacts", {"first_name": "Ada"})
    path = f"/contacts/{made.body['id']}"
    assert made.headers["ETag"] == (await rep.get(path)).headers["ETag"] == '"1"'
    changed = await rep.patch(path, {"title": "Buyer"}, headers={"If-Match": '"1"'})
    assert (changed.status, changed.headers["ETag"]) == (200, '"2"')
    for stale in ('"0"', '"1"', 'W/"1"', "1", '"999999999"'):
        answer = await rep.patch(path, {"title": "Other"}, headers={"If-Match": stale})
        assert (answer.status, answer.error) == (412, "changed_meanwhile")
    for odd in ('"abc"', '"1", "2"', '"99999999999999999999"', '"'):
        answer = await rep.patch(path, {"title": "Other"}, headers={"If-Match": odd})
        assert (answer.status, answer.field("If-Match") != "") == (422, True)
    assert (await rep.patch(path, {"title": "Any"}, headers={"If-Match": "*"})).headers["ETag"] == '"3"'


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb"])
async def test_a_key_that_is_none_is_refused(rep: Api, key: str) -> None:
    answer = await rep.post("/contacts", {"first_name": "Ada"}, headers={"Idempotency-Key": key})
    assert (answer.status, answer.field("Idempotency-Key") != "") == (422, True)


async def test_a_key_belongs_to_one_person_and_one_request(server: RunningHub, acme: Company, rep: Api) -> None:
    key = {"Idempotency-Key": "k-1"}
    made = await rep.post("/contacts", {"first_name": "Ada"}, headers=key)
    other = await server.as_member(acme, "owner").post("/contacts", {"first_name": "Ada"}, headers=key)
    assert made.body["id"] != other.body["id"]
    note = await rep.post(f"/contacts/{made.body['id']}/notes", {"body": "tea"}, headers=key)
    assert (note.status, note.field("Idempotency-Key") != "") == (422, True)


async def test_what_failed_may_be_tried_again_with_the_same_key(rep: Api) -> None:
    key = {"Idempotency-Key": "k-2"}
    assert (await rep.post("/contacts", {"stage": "lead"}, headers=key)).status == 422
    assert (await rep.post("/contacts", {"first_name": "Ada"}, headers=key)).status == 201


async def test_a_repeated_delete_gets_its_first_answer(rep: Api) -> None:
    made = (await rep.post("/contacts", {"first_name": "Ada"})).body
    for replayed in (None, "true"):
        answer = await rep.call("DELETE", f"/contacts/{made['id']}", headers={"Idempotency-Key": "k-3"})
        assert (answer.status, answer.body, answer.headers.get("Idempotent-Replayed")) == (204, None, replayed)
    assert (await rep.delete(f"/contacts/{made['id']}")).status == 404


@pytest.mark.parametrize(
    "target",
    [
        b"/api/v1/contacts/%ff",
        b"/api/v1/contacts/\xff",
        b"/api/v1/search?q=\xff",
        b"/api/v1/search?q=%ff%00",
        b"//api/v1/me",
        b"/%00",
    ],
)
async def test_addresses_that_no_browser_sends_are_the_clients_fault(server: RunningHub, rep: Api, target: bytes) -> None:
    assert rep.token
    status, answer = await raw(
        server,
        b"GET "
        + target
        + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer "
        + rep.token.encode()
        + b"\r\n\r\n",
    )
    assert status < 500, answer


# The document


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return document(make_settings("", ""))


async def test_the_document_is_served_as_it_is_made(server: RunningHub, described: dict[str, Any]) -> None:
    async with server.client().session.get(f"{server.url}/api/openapi.json") as answer:
        assert await answer.json() == described
    assert described["openapi"].startswith("3.1.")


async def test_every_operation_is_described(server: RunningHub, described: dict[str, Any]) -> None:
    operations = [(f"{m.upper()} {p}", op) for p, ops in described["paths"].items() for m, op in ops.items()]
    endpoints = api_endpoints(make_settings("", ""), Tokens(b"\0" * 32))
    assert {name for name, _ in operations} == {f"{e.method} {e.path}" for e in endpoints}
    ids = [op["operationId"] for _, op in operations]
    assert len(set(ids)) == len(ids)
    for name, op in operations:
        assert op["summary"], name
        assert op["tags"], name
        assert any(status.startswith(("2", "3")) for status in op["responses"]), name
        in_path = {p["name"] for p in op["parameters"] if p["in"] == "path"}
        assert in_path == set(re.findall(r"{(\w+)}", name)), name
        for status, response in op["responses"].items():
            response = server.contract.followed(response)
            assert response["description"], (name, status)
            # An answer to HEAD, and one that leads elsewhere or to what one has, has no body (RFC 9110, 9.3.2 and 15.4).
            if not status.startswith(("2", "3")) and not name.startswith("HEAD"):
                schema = response["content"]["application/json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/Error"}, (name, status)


async def test_every_schema_is_one_and_every_reference_leads_somewhere(described: dict[str, Any]) -> None:
    schemas, responses = described["components"]["schemas"], described["components"]["responses"]
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    used: set[str] = set()

    def walk(part: Any) -> None:
        if isinstance(part, dict):
            if "$ref" in part:
                used.add(part["$ref"])
            for value in part.values():
                walk(value)
        elif isinstance(part, list):
            for value in part:
                walk(value)

    walk(described)
    assert used == {
        f"#/components/{kind}/{name}" for kind, part in (("schemas", schemas), ("responses", responses)) for name in part
    }


# The console's files


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def console(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A built console, as far as its files go."""
    dist: Path = tmp_path_factory.mktemp("console") / "dist"
    for name, text in {
        "index.html": "<title>the console</title>", "assets/app-1a2b.js": "1", "icon.svg": "<svg/>",
        "docs/index.html": "the reader", "../secret.txt": "secret",
    }.items():  # fmt: skip
        place = dist / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    app = web.Application(middlewares=[observe])
    mount_console(app, dist)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.mark.parametrize(
    ("path", "status", "body", "cache"),
    [
        ("/", 200, "the console", "no-cache"),
        ("/contacts/123?tab=notes", 200, "the console", "no-cache"),
        ("/imports/new.csv", 200, "the console", "no-cache"),
        ("/assets/app-1a2b.js", 200, "1", "public, max-age=31536000, immutable"),
        ("/assets/app-gone.js", 404, "There is no such asset", None),
        ("/icon.svg", 200, "<svg/>", "no-cache"),
        ("/docs/", 200, "the reader", "no-cache"),
        ("/docs", 200, "the reader", "no-cache"),
        ("/api/v2/contacts", 404, "nothing at this address", "private, no-cache"),
        ("/webhooks/other", 404, "nothing at this address", None),
        ("/..%2fsecret.txt", 200, "the console", "no-cache"),
        ("/%2e%2e/secret.txt", 200, "the console", "no-cache"),
        ("/assets/..%2f..%2fsecret.txt", 404, "no such asset", None),
        ("/" + "x" * 3000, 200, "the console", "no-cache"),
        ("/a%00b", 200, "the console", "no-cache"),
    ],
)
async def test_the_console_answers_for_its_own_addresses(
    console: str, path: str, status: int, body: str, cache: str | None
) -> None:
    async with aiohttp.ClientSession() as http, http.get(URL(console + path, encoded=True)) as answer:
        assert (answer.status, answer.headers.get("Cache-Control")) == (status, cache)
        assert body in await answer.text()


async def test_what_has_not_changed_is_not_sent_again(console: str) -> None:
    async with aiohttp.ClientSession() as http:
        async with http.get(console + "/") as first:
            seen = first.headers["ETag"]
        async with http.get(console + "/", headers={"If-None-Match": seen}) as again:
            assert again.status == 304


async def test_the_console_is_only_read(console: str) -> None:
    async with aiohttp.ClientSession() as http:
        async with http.post(console + "/contacts") as answer:
            assert (answer.status, answer.headers["Allow"]) == (405, "GET,HEAD")
        async with http.head(console + "/") as answer:
            assert answer.status == 200


async def test_a_console_that_is_not_built_says_how_to_build_it(tmp_path: Path) -> None:
    app = web.Application(middlewares=[observe])
    mount_console(app, tmp_path)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        assert answer.status == 503
        assert "./ringside up" in await answer.text()
    await runner.cleanup()
