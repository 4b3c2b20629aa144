"""A refusal as an answer. It is no exception, so that the transaction commits and the log keeps the refusal."""

from __future__ import annotations

from hub.http.endpoint import Reply
from hub.http.middleware import error_body
from hub.permits.actions import Permit


def refused(permit: Permit, request_id: str) -> Reply:
    """The 403 for a permit that was not given, in the shape that every error has."""
    error = permit.refusal()
    return Reply(error_body(error, request_id), error.status)
