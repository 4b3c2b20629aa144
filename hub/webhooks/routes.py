"""Declares the endpoints of webhooks that are kept and worked on later.

    @kept(
        routes, providers, settings, "/messages/{id}/status", kind="message_status", job="messages.status",
        args={"message_id": "id"},
    )
    def message_status(reader: CallbackReader, fields: Fields) -> str:
        \"\"\"How a message that we sent stands.\"\"\"
        update = reader.read_message(fields)
        return f"{update.sid}:{update.state}"

What is declared says what makes two such webhooks the same one; its name and docstring are the endpoint's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hub.config import Settings
from hub.db import Database
from hub.http.endpoint import Reply, Req, Routes
from hub.providers import Providers
from hub.webhooks.inbox import Fields, Key, receive
from integrations.ports import CallbackReader


def kept(
    routes: Routes, providers: Providers, settings: Settings, path: str, *, kind: str, job: str, args: Mapping[str, str]
) -> Callable[[Key], Key]:
    """Declare a webhook below a tenant's address. `args` are the job's arguments and the parameters of `path` they come from."""

    def declare(key: Key) -> Key:
        async def keep(db: Database, req: Req[None, None]) -> Reply:
            given: dict[str, Any] = {name: req.id(parameter) for name, parameter in args.items()}
            tenant_id = req.id("tenant_id")
            await receive(db, providers.callbacks, settings, req.http, tenant_id, kind=kind, job=job, args=given, dedupe_key=key)
            return Reply()

        keep.__name__, keep.__doc__ = key.__name__, key.__doc__
        routes.post(f"//webhooks/twilio/{{tenant_id}}{path}", scope="public", status=204, errors=(403,))(keep)
        return key

    return declare


def call_update_key(reader: CallbackReader, fields: Fields) -> str:
    """Two words about a leg are the same one when they are about the same state at the same place in the order."""
    update = reader.read_call(fields)
    return f"{update.sid}:{update.status}:{update.sequence_number}"
