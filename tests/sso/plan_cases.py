"""What the statements of signing in elsewhere are asked in the large company of tests.test_plans."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

Params = dict[str, Any]

ANY = UUID(int=9)
PERSON: Params = {"tenant": None, "issuer": "https://login.example.com", "subject": "7"}


def reads(rep: UUID) -> dict[str, list[Params]]:
    """The reads, by feature and name, with what to ask."""
    return {
        "sso.provider_for": [{"domain": "example.com", "tenant": None}, {"domain": "", "tenant": ANY}],
        "sso.look": [PERSON | {"email_lc": "acme7@example.com", "domain": "example.com"}],
        "sso.required_at": [{"user": rep}],
        "sso.holds_account": [{"session": ANY, "user": rep}],
        "sso.user": [{"user": rep}],
        "sso.identities": [{"user": rep, "tenant": ANY}],
        "sso.get_settings": [{}],
        "sso.get_provider": [{}],
        "sso.lock_provider": [{}],
        "sso.is_member": [{"member_id": rep}],
        "sso.has_team": [{"team_id": ANY}],
        "sso.company": [{}],
        "sso.count_domains": [{}],
    }


def writes(rep: UUID) -> dict[str, list[Params]]:
    """The writes that look for what they change."""
    return {
        "sso.take_attempt": [{"keys": ["acme7"], "limits": [10], "window_s": 900}],
        "sso.take": [{"state": b"x", "lasts": timedelta(minutes=15)}],
        "sso.forget_identity": [{"user": rep, "tenant": ANY, "id": ANY}],
        "sso.disconnect_member": [{"member_id": rep}],
        "sso.note_success": [{"tenant": ANY, "issuer": "https://login.example.com"}],
        "sso.reseal": [{"sealed": "x", "was": "y"}],
        "sso.delete_provider": [{}],
        "sso.set_enforced": [{"enforced": False}],
        "sso.prove_domain": [{"domain": "example.com", "hash": b"x", "tries": 10}],
        "sso.delete_domain": [{"domain": "example.com"}],
    }


# What only adds rows.
INSERTS = [f"sso.{name}" for name in ("begin", "link", "make_member", "open_session", "join_team", "put_provider", "ask_domain")]
ALL_SESSIONS = "it ends every session of a company, once in its life"
NOT_LOOKED_AT = dict.fromkeys(("sso.end_others", "sso.end_ours"), ALL_SESSIONS)
