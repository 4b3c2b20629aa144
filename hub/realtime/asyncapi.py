"""The contract of the live floor as an AsyncAPI document: a frame written here, and the catalogue of events.

`python -m hub.realtime.asyncapi` writes docs/asyncapi.yaml; a test fails when that file is not what this would write.
"""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

import hub
from hub.events import CATALOGUE
from hub.realtime.limits import Limits
from hub.realtime.log import AHEAD_OF_LOG, TOO_FAR_BEHIND, TOO_OLD, UNKNOWN_EPOCH
from hub.realtime.models import LiveEvent

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "asyncapi.yaml"
RESYNC_REASONS = (UNKNOWN_EPOCH, AHEAD_OF_LOG, TOO_OLD, TOO_FAR_BEHIND)
BYE_REASONS = ("token_expired", "session_revoked", "deactivated", "forbidden", "suspended", "plan_limit", "too_slow")
REFUSALS = (
    "token_missing",
    "token_invalid",
    "token_expired",
    "session_revoked",
    "deactivated",
    "role_changed",
    "api_key_invalid",
    "plan_limit",
    "forbidden",
    "suspended",
    "restarting",
    "gone",
)

_SCHEMAS = "#/components/schemas/"
_SEQ = {"type": "integer", "minimum": 0}
_UUID = {"type": "string", "format": "uuid"}

ABOUT = f"""\
The live floor over Socket.IO (protocol 5, engine.io 4), default namespace, websocket transport only, at /socket.io/.

Every company has one log of events. `seq` counts it without gaps; `epoch` changes when the log starts anew, and sequence
numbers of another epoch say nothing. Each event is one packet, in order, exactly once.

1. Connect with `auth = {{"token": <access token or API key>, "cursor": {{"epoch", "seq"}}}}`; it takes the permission
   `events:read` (`forbidden` otherwise). The cursor is the last event you saw; leave
   it out to start at the present. A refusal is Socket.IO's CONNECT_ERROR with a code as its message: refresh the token or
   sign in, then connect again.
2. `ready` comes once: every event after its `seq` that is for you follows. With a good cursor its `seq` is the cursor's.
   Numbers you do not see belong to events that are for others.
3. `resync` means that what you missed cannot be given (a cursor of another epoch, ahead of the log, older than the log, or
   more than {Limits().max_behind:,} events behind, also while connected when you read too slowly): fetch state again;
   events go on after its `seq`.
4. When the connection breaks without a word, connect again with your cursor. After `bye` do not simply come back: its
   reason says what has to happen first.
5. Before the access token expires, send `auth {{"token"}}` with a fresh one of the same member.

State comes over HTTP and carries its place in the log (`GET /api/v1/floor` has `epoch` and `seq`): apply the events after
it. `GET /api/v1/events?after=SEQ` gives the same events without a socket."""


def load_catalogue() -> None:
    """Import every feature's events, so that the catalogue is whole."""
    for path in sorted(Path(hub.__path__[0]).glob("*/events.py")):
        importlib.import_module(f"hub.{path.parent.name}.events")


def document() -> dict[str, Any]:
    """The AsyncAPI document."""
    load_catalogue()
    events = {name: kind for name, kind in sorted(CATALOGUE.items()) if kind.__module__.startswith("hub.")}
    models: list[type[BaseModel]] = [LiveEvent, *{kind.data_model for kind in events.values()}]
    models.sort(key=lambda model: model.__name__)
    _, schemas = models_json_schema([(model, "serialization") for model in models], ref_template=_SCHEMAS + "{model}")
    messages = _frame_messages() | {name: _event_message(name, kind.__doc__ or name, kind) for name, kind in events.items()}
    sent = [name for name in messages if name not in ("connect", "auth")]
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Ringside, the live floor", "version": "1", "license": {"name": "Apache-2.0"}, "description": ABOUT},
        "defaultContentType": "application/json",
        "servers": {"hub": {"host": "localhost:8080", "pathname": "/socket.io/", "protocol": "ws"}},
        "channels": {
            "floor": {
                "address": "/",
                "description": "Socket.IO's default namespace.",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
            }
        },
        "operations": {
            "tell": _operation("send", "What the server sends.", sent),
            "listen": _operation("receive", "What a client may send; anything else is ignored.", ["connect", "auth"]),
        },
        "components": {"messages": messages, "schemas": schemas["$defs"]},
    }


def _operation(action: str, summary: str, names: list[str]) -> dict[str, Any]:
    refs = [{"$ref": f"#/channels/floor/messages/{name}"} for name in names]
    return {"action": action, "channel": {"$ref": "#/channels/floor"}, "summary": summary, "messages": refs}


def _object(**properties: Any) -> dict[str, Any]:
    required = [name for name, schema in properties.items() if not schema.pop("optional", False)]
    return {"type": "object", "properties": properties, "required": required}


def _frame_messages() -> dict[str, Any]:
    token = {"type": "string", "description": "An access token (JWT)."}
    cursor = _object(epoch={"type": "string"}, seq=dict(_SEQ)) | {"description": "The last event seen.", "optional": True}
    ready = _object(epoch=dict(_UUID), seq=dict(_SEQ), tenant_id=dict(_UUID), user_id=dict(_UUID))
    resync = _object(reason={"type": "string", "enum": list(RESYNC_REASONS)}, epoch=dict(_UUID), seq=dict(_SEQ))
    bye = _object(reason={"type": "string", "enum": list(BYE_REASONS)})
    refused = f"Refused with CONNECT_ERROR {{message: code, data: {{code, message}}}}; codes: {', '.join(REFUSALS)}."
    renewed = "Acknowledged with {ok: true}, or with {ok: false, error, message}; then the old token goes on until it expires."
    return {
        "connect": _message("connect", "Socket.IO's CONNECT packet.", _object(token=dict(token), cursor=cursor), refused),
        "auth": _message("auth", "A fresh token on the live socket.", _object(token=dict(token)), renewed),
        "ready": _message("ready", "The server's first word: every visible event after `seq` follows.", ready),
        "resync": _message("resync", "Fetch state again and go on from here.", resync),
        "bye": _message("bye", "The connection ends; do not blindly retry.", bye),
    }


def _message(name: str, summary: str, payload: dict[str, Any], description: str | None = None) -> dict[str, Any]:
    message = {"name": name, "summary": summary, "payload": payload}
    return message | ({"description": description} if description else {})


def _event_message(name: str, doc: str, kind: Any) -> dict[str, Any]:
    subject = {"type": "object", "properties": {"kind": {"const": kind.subject_kind}}}
    data = {"$ref": _SCHEMAS + kind.data_model.__name__}
    narrowed = {"type": "object", "properties": {"type": {"const": name}, "subject": subject, "data": data}}
    payload = {"allOf": [{"$ref": _SCHEMAS + LiveEvent.__name__}, narrowed]}
    return _message("event", doc.strip().splitlines()[0], payload, f"The event `{name}`.")


def to_yaml(value: Any, indent: int = 0) -> str:
    """A document of dicts, lists and scalars as YAML."""
    pad = "  " * indent
    if isinstance(value, dict) and value:
        lines = []
        for key, item in value.items():
            nested = isinstance(item, dict | list) and item
            lines.append(
                f"{pad}{_key(str(key))}:" + (f"\n{to_yaml(item, indent + 1)}" if nested else f" {_scalar(item, indent + 1)}")
            )
        return "\n".join(lines)
    if isinstance(value, list) and value:
        items = []
        for item in value:
            nested = isinstance(item, dict | list) and item
            text = to_yaml(item, indent + 1).lstrip() if nested else _scalar(item, indent + 1)
            items.append(f"{pad}- {text}")
        return "\n".join(items)
    return pad + _scalar(value, indent)


# What YAML 1.1 takes for a truth value or for nothing.
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def _key(key: str) -> str:
    is_plain = re.fullmatch(r"[A-Za-z_][\w.-]*", key) and key.lower() not in _WORDS
    return key if is_plain else json.dumps(key)


def _scalar(value: Any, indent: int) -> str:
    if isinstance(value, str) and "\n" in value:
        pad = "  " * indent
        return "|-\n" + "\n".join(pad + line if line else "" for line in value.splitlines())
    return json.dumps(value, ensure_ascii=False)


def main() -> None:
    """Write the document."""
    DOCUMENT.write_text(to_yaml(document()) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
