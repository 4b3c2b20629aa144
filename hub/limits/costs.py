"""What a request costs: 1 for a read, 2 for a write, more for what makes the database or the disk work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

READ = 1.0
WRITE = 2.0
UPLOAD = 20.0

# By the operation's id. An upload or a bulk change is many rows; a search or a sum looks at many.
_BY_NAME: Mapping[str, float] = {
    "login": 5.0,
    "sign_up": 10.0,
    "finish_sign_up": 5.0,
    "join": 5.0,
    "invite": 5.0,
    "finish_sign_in": 5.0,
    "sign_in_with_passkey": 5.0,
    "confirm": 5.0,
    "forgot_password": 5.0,
    "reset_password": 5.0,
    "change_password": 5.0,
    "search": 2.0,
    "contact_facets": 5.0,
    "import_failures": 10.0,
    "get_template_results": 3.0,
    "sequence_results": 3.0,
    "queue_progress": 2.0,
    "available_numbers": 5.0,
    "connect_server": 10.0,
    "simulate_sequence": 10.0,
    "enrol_contacts": 10.0,
    "change_enrolments": 10.0,
    "add_queue_items": 10.0,
    "undo_import": 10.0,
    "preview_template": 2.0,
    "preview_import": 10.0,
    "recording_audio": 3.0,
    "voicemail_drop_audio": 3.0,
    "get_mail_attachment": 3.0,
    "get_mail_original": 3.0,
}


class Priced(Protocol):
    """What of an endpoint its price depends on."""

    @property
    def name(self) -> str:
        """The operation's id."""

    @property
    def method(self) -> str:
        """Its method."""

    @property
    def upload(self) -> object:
        """The form that is sent to it, if any."""


def cost_of(endpoint: Priced) -> float:
    """The units a request to this endpoint takes."""
    named = _BY_NAME.get(endpoint.name)
    if named is not None:
        return named
    if endpoint.upload is not None:
        return UPLOAD
    return READ if endpoint.method == "GET" else WRITE
