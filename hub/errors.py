"""The errors users see: a stable code, an HTTP status, a sentence, details. One place turns them into responses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class HubError(Exception):
    """Something the caller did or met that has a name. Raising it rolls the transaction back."""

    code = "error"
    status = 400

    def __init__(self, message: str, *, code: str | None = None, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.details: dict[str, Any] = dict(details or {})

    @property
    def headers(self) -> dict[str, str]:
        """Response headers that belong to this error."""
        return {}


class Invalid(HubError):
    """The input is wrong; `fields` names each field with what would be right."""

    code = "invalid"
    status = 422

    @classmethod
    def field(cls, field: str, message: str) -> Invalid:
        """One wrong field, said in words."""
        return cls(message, details={"fields": [{"field": field, "message": message}]})


class Unauthorized(HubError):
    """No valid token or credentials."""

    code = "unauthorized"
    status = 401

    @property
    def headers(self) -> dict[str, str]:
        """RFC 9110 wants the scheme named with every 401."""
        return {"WWW-Authenticate": 'Bearer realm="ringside"'}


class PaymentRequired(HubError):
    """What the company pays for does not allow it."""

    code = "payment_required"
    status = 402


class Forbidden(HubError):
    """Known, but not allowed."""

    code = "forbidden"
    status = 403


class NotFound(HubError):
    """Missing, or another tenant's: the two are never told apart."""

    code = "not_found"
    status = 404


class Conflict(HubError):
    """The state of things forbids it now."""

    code = "conflict"
    status = 409


class PreconditionFailed(HubError):
    """Somebody else changed it first (If-Match)."""

    code = "changed_meanwhile"
    status = 412


class TooLarge(HubError):
    """More bytes than are taken."""

    code = "too_large"
    status = 413


class TooSlow(HubError):
    """The request did not arrive in time."""

    code = "too_slow"
    status = 408


class _Wait(HubError):
    def __init__(self, message: str, *, retry_after_s: int, code: str | None = None) -> None:
        super().__init__(message, code=code, details={"retry_after_s": retry_after_s})
        self.retry_after_s = retry_after_s

    @property
    def headers(self) -> dict[str, str]:
        """Retry-After in whole seconds (RFC 9110, section 10.2.3)."""
        return {"Retry-After": str(self.retry_after_s)}


class TooMany(_Wait):
    """Throttled. `hang_up` says that the connection ends with the answer."""

    code = "too_many_requests"
    status = 429
    hang_up = False


class Unavailable(_Wait):
    """A part that is needed is down; trying again later helps."""

    code = "unavailable"
    status = 503


# Constraint names are business rules: name -> the error a user sees.
CONSTRAINTS: dict[str, tuple[type[HubError], str, str]] = {
    "calls_contact_is_busy": (Conflict, "contact_is_on_a_call", "Someone is on a call with this contact."),
    "calls_rep_is_busy": (Conflict, "already_on_a_call", "You are already on a call. End it before you start another."),
    "call_legs_person_is_in": (Conflict, "already_in_the_call", "This person is in the call already."),
    "call_legs_phone_is_in": (Conflict, "already_in_the_call", "This number is in the call already."),
    "dispositions_pkey": (Conflict, "disposition_exists", "There is a disposition of this name already; it may be archived."),
    "dispositions_label_taken": (Conflict, "disposition_exists", "There is a disposition with this label already."),
    "dispositions_key_taken": (Conflict, "key_taken", "Another disposition has this key."),
    "tasks_assignee_is_member": (Invalid, "invalid", "The assignee must be a member of this company."),
    "tasks_one_for_a_call": (Conflict, "task_exists", "There is an open task of this kind for the call already."),
    "sessions_sso_required": (Forbidden, "sso_required", "Your company has a sign-in of its own. Use that one."),
    "sessions_sso_elsewhere": (Forbidden, "sso_elsewhere", "This sign-in counts at one company only. Sign in to the other one."),
    "sso_identities_one_each": (Conflict, "connected_otherwise", "Another account is connected there already. Disconnect it."),
    "sso_providers_team": (Invalid, "invalid", "There is no such team."),
    "teams_name_taken": (Conflict, "team_exists", "There is a team of this name already."),
    "roles_name_key": (Conflict, "role_exists", "There is a role of this name already."),
    "members_own_role": (Conflict, "role_is_in_use", "Somebody has this role. Give them another one first."),
    "team_members_are_members": (Invalid, "invalid", "Everybody in a team must be a member of this company."),
    "invitations_one_is_open": (Conflict, "already_invited", "This address is invited already. Send that invitation again."),
    "invitation_teams_are_teams": (Invalid, "invalid", "A team in team_ids is not there: name teams of this company."),
    "handovers_one_at_a_time": (Conflict, "handover_is_running", "What this person leaves is being handed over already."),
    "handovers_to_is_member": (Invalid, "invalid", "Whoever takes over must be a member of this company."),
    "numbers_taken": (Conflict, "number_is_taken", "The company has this number already, or is buying it."),
    "numbers_user_is_member": (Invalid, "invalid", "The number can only be assigned to a member of this company."),
    "number_routes_user_is_member": (Invalid, "invalid", "Only a member of this company can be rung."),
    "mailboxes_address_taken": (Conflict, "mailbox_is_taken", "This address is connected already."),
    "mailboxes_of_team": (Conflict, "team_is_in_use", "There is no such team."),
    "mailboxes_team_sees_it": (Conflict, "team_is_in_use", "The team still shares a mailbox."),
    "numbers_of_team": (Conflict, "team_is_in_use", "There is no such team, or a number is still assigned to it."),
    "number_routes_to_team": (Conflict, "team_is_in_use", "There is no such team, or a number still rings it."),
    "dial_sessions_rep_is_in_one": (Conflict, "already_in_a_session", "You are in a queue already. Leave it first."),
    "dial_queue_members_are_members": (Invalid, "invalid", "Everybody who works a queue must be a member of this company."),
    "contacts_owner_is_member": (Invalid, "invalid", "The owner must be a member of this company."),
    "templates_name_taken": (Conflict, "name_taken", "There is one of this name in the folder already."),
    "templates_shortcut_taken": (Conflict, "shortcut_taken", "Another snippet has this shortcut already."),
    "voicemail_drops_name_taken": (Conflict, "name_taken", "There is a message of this name already."),
    "passkeys_credential_taken": (Conflict, "passkey_is_known", "This passkey was added already."),
}


def from_constraint(name: str | None) -> HubError | None:
    """The business rule behind a violated constraint, if it has one."""
    rule = CONSTRAINTS.get(name or "")
    if rule is None:
        return None
    kind, code, message = rule
    return kind(message, code=code)
