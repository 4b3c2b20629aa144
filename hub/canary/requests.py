"""The attempts over HTTP: real requests to the running hub, with a canary's own token and the other's ids."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote
from uuid import UUID, uuid4

import orjson
from aiohttp import ClientError, ClientSession

from hub.auth.tokens import Tokens
from hub.canary.attempts import Attempt, leaked
from hub.canary.pair import Canary
from hub.config import Settings
from hub.recordings.links import write_key

_TRIED = ("get", "patch", "delete")
# It asks the telephone provider what it sells: nothing of any company's, and not for free.
_ELSEWHERE = ("/api/v1/numbers/available",)
_PLACE = re.compile(r"{(\w+)}")
# What a path's word is about, where it is not simply the planted thing's plural.
_SUBJECTS = {"threads": "thread", "messages": "message", "mailboxes": "mailbox", "members": "user", "jobs": "job"}
_LIMITED_S = 2.0
_AGAIN_S = 1.0
_LINK_S = 60


@dataclass(frozen=True, slots=True)
class Said:
    """An answer."""

    status: int
    body: str

    @property
    def is_excuse(self) -> bool:
        """Was nothing said about what was asked: too much at once, or a failure?"""
        return self.status == 429 or self.status >= 500

    @property
    def code(self) -> str:
        """The error's code, or nothing."""
        try:
            value = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return ""
        return str(value.get("error", "")) if isinstance(value, dict) else ""


@dataclass(frozen=True, slots=True)
class Try:
    """A request to make. `kind` is how its answer is judged: as that of a thing that is not there, or by what stands in it."""

    kind: Literal["id", "list"]
    method: str
    path: str
    params: tuple[str, ...]
    schema: Mapping[str, Any] | None


class Asker:
    """Asks a hub as one canary."""

    def __init__(self, session: ClientSession, settings: Settings, canary: Canary) -> None:
        tokens = Tokens(settings.key("access-token"))
        who = canary.who
        self.token = tokens.issue(
            user_id=canary.user_id, tenant_id=canary.tenant_id, role=who.role, session_id=uuid4(), name=who.name
        )
        self.url = settings.canary_url.rstrip("/")
        self.session = session
        self._headers = {"Authorization": f"Bearer {self.token}", "User-Agent": "Ringside canary"}

    async def ask(self, method: str, path: str, body: Any = None, *, signed: bool = True) -> Said:
        """One request; one that is limited is made again a moment later. Raises ClientError, OSError or TimeoutError."""
        for again in (True, False):
            async with self.session.request(
                method.upper(),
                self.url + path,
                headers=self._headers if signed else {},
                data=None if body is None else orjson.dumps(body),
                allow_redirects=False,
            ) as answer:
                text = await answer.text(errors="replace")
                if answer.status != 429 or not again:
                    return Said(answer.status, text)
                wait = answer.headers.get("Retry-After", "1")
            await asyncio.sleep(min(float(wait) if wait.isdigit() else 1.0, _LIMITED_S))
        raise AssertionError("the second answer is always taken")


async def tries(asker: Asker) -> list[Try]:
    """What the hub's own document says can be asked. Raises ClientError, OSError, TimeoutError or ValueError."""
    said = await asker.ask("get", "/api/openapi.json", signed=False)
    if said.status != 200:
        raise ValueError(f"/api/openapi.json answers {said.status}")
    return list(_tries(orjson.loads(said.body)))


def _tries(document: Mapping[str, Any]) -> Iterator[Try]:
    for path, operations in document["paths"].items():
        if not path.startswith("/api/v1/") or "/media/" in path or path in _ELSEWHERE:
            continue
        places = _PLACE.findall(path)
        for method in _TRIED:
            operation = operations.get(method)
            if operation is None or any(not (place == "index" or place.endswith("id")) for place in places):
                continue
            content = operation.get("requestBody", {}).get("content", {})
            schema = content.get("application/json", {}).get("schema")
            needed = tuple(p["name"] for p in operation.get("parameters", ()) if p["in"] == "query" and p.get("required"))
            words = tuple(p["name"] for p in operation.get("parameters", ()) if p["in"] == "query" and p["name"] == "q")
            if places:
                yield Try("id", method, path, needed, _resolved(schema, document) if schema else None)
            elif method == "get":
                yield Try("list", method, path, tuple(dict.fromkeys((*needed, *words))), None)


def _resolved(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: Mapping[str, Any] = document["components"]["schemas"][name] if name else schema
    return found


async def try_request(asker: Asker, one: Try, other: Canary) -> Attempt:
    """The other's ids beside ids that nothing has: the two answers must be alike. Lists must hold nothing of the other's."""
    layer = "search" if "q" in one.params else "http"
    if one.kind == "list":
        path = one.path + ("?" + "&".join(f"{name}={quote(other.mark)}" for name in one.params) if one.params else "")
        said = await asker.ask(one.method, path)
        # What is searched for is said back here and there; the ids of what was found are not.
        found = leaked(said.body, other.secrets[1:] if one.params else other.secrets)
        return _of(
            layer, f"GET {one.path}", said, f"{said.status}, with {found}" if found else str(said.status), found is not None
        )
    tried = f"{one.method.upper()} {one.path} with the other's id"
    for again in (True, False):
        theirs = await asker.ask(one.method, _filled(one.path, other, None), _body(one))
        nothing = await asker.ask(one.method, _filled(one.path, other, uuid4()), _body(one))
        if theirs.is_excuse or nothing.is_excuse:
            return Attempt.left_out(layer, tried, f"{theirs.status} and {nothing.status}")
        found = leaked(theirs.body, other.secrets[:1])
        alike = (theirs.status, theirs.code) == (nothing.status, nothing.code)
        if found is not None or alike or not again:
            break
        # During an upgrade two hubs may answer differently for a moment.
        await asyncio.sleep(_AGAIN_S)
    words = f"{theirs.status} {theirs.code}".strip() + ("" if alike else f", a missing one {nothing.status} {nothing.code}")
    if _subject(one.path) not in (*other.planted, "user"):
        words += ", with its contact's id: nothing of this kind lies in it"
    return Attempt.judged(layer, tried, words, breached=found is not None or not alike)


def _of(layer: str, tried: str, said: Said, words: str, breached: bool) -> Attempt:
    if said.is_excuse:
        return Attempt.left_out(layer, tried, words)
    return Attempt.judged(layer, tried, words, breached=breached)


def _body(one: Try) -> Any:
    if one.schema is None:
        return None
    return {name: _value(one.schema["properties"][name]) for name in one.schema.get("required", ())}


def _value(schema: Mapping[str, Any]) -> Any:
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("format") == "uuid":
        return str(UUID(int=1))
    if schema.get("format") == "date-time":
        return "2030-01-01T00:00:00Z"
    known = {"integer": schema.get("minimum", 1), "number": 1.0, "boolean": True, "array": [], "object": {}}
    return known.get(str(schema.get("type")), "canary")


def _filled(path: str, other: Canary, missing: UUID | None) -> str:
    """The path with the other's id of what it is about, or with an id that nothing has."""

    def fill(match: re.Match[str]) -> str:
        if match.group(1) == "index":
            return "0"
        if missing is not None:
            return str(missing)
        subject = _subject(path[: match.end()])
        if subject == "user":
            return str(other.user_id)
        return str(other.planted.get(subject, other.planted["contact"]))

    return _PLACE.sub(fill, path)


def _subject(path: str) -> str:
    """What the last id of a path is one of."""
    words = path.split("/")
    last = max(place for place, word in enumerate(words) if word.startswith("{") and word != "{index}")
    return _SUBJECTS.get(words[last - 1], words[last - 1].removesuffix("s"))


async def try_http(asker: Asker, own: Canary, other: Canary, *, share: tuple[int, int] = (0, 1)) -> list[Attempt]:
    """Everything the document names, or the share `(k, n)` of it: every n-th beginning with the k-th."""
    try:
        chosen = (await tries(asker))[share[0] :: share[1]]
        seen = await asker.ask("get", f"/api/v1/contacts/{own.planted['contact']}")
        if seen.status != 200 or own.mark not in seen.body:
            return [Attempt.left_out("http", "one's own contact", f"{seen.status} {seen.code}".strip())]
        return [await try_request(asker, one, other) for one in chosen]
    except (ClientError, OSError, TimeoutError, ValueError) as problem:
        return [Attempt.left_out("http", f"requests to {asker.url}", str(problem) or type(problem).__name__)]


async def try_links(asker: Asker, settings: Settings, own: Canary, other: Canary) -> list[Attempt]:
    """Signed addresses of sound: keys of one's own for the other's recording, and the other's sound itself."""
    secret = settings.key("recording-links")
    theirs, ours = other.planted["recording"], own.planted["recording"]
    keys = {
        "the other's recording, with the key of one's own": write_key(secret, own.tenant_id, ours, own.user_id, _LINK_S)[0],
        "the other's recording, signed for one's own company": write_key(secret, own.tenant_id, theirs, own.user_id, _LINK_S)[0],
        "the other's recording, signed for a person who is no member": write_key(
            secret, other.tenant_id, theirs, own.user_id, _LINK_S
        )[0],
        "the other's recording, with a key that nobody signed": "AAAA",
    }
    found = []
    try:
        for tried, key in keys.items():
            said = await asker.ask("get", f"/api/v1/media/recordings/{theirs}?key={key}", signed=False)
            found.append(_of("objects", tried, said, f"{said.status} {said.code}".strip(), said.status < 300))
        said = await asker.ask("get", f"/api/v1/recordings/{theirs}/audio")
        found.append(_of("objects", "the other's sound", said, f"{said.status} {said.code}".strip(), said.status < 300))
    except (ClientError, OSError, TimeoutError) as problem:
        found.append(Attempt.left_out("objects", f"requests to {asker.url}", str(problem) or type(problem).__name__))
    return found
