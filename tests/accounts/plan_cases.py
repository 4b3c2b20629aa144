"""What the statements of people's own accounts are asked in the large company of tests.test_plans."""

from __future__ import annotations

from typing import Any
from uuid import UUID

Params = dict[str, Any]

ANY = UUID(int=9)


def reads(rep: UUID) -> dict[str, list[Params]]:
    """The reads, by feature and name, with what to ask."""
    theirs: list[Params] = [{"user": rep}]
    return {
        "accounts.confirmed_at": [{"session": ANY}],
        "accounts.sessions": theirs,
        "accounts.means": theirs,
        "accounts.has_device": [{"email_lc": "rep7@acme.test", "hash": b"x"}],
        "accounts.totp": theirs,
        "accounts.passkeys": theirs,
        "accounts.reset_of": [{"hash": b"x"}],
        "accounts.find_passkey": [{"credential": b"x"}],
        "accounts.must_enrol": [{"session": ANY, "tenant": ANY}],
        "accounts.second_wanted": theirs,
        "second_factor.get_rule": [{}],
        "second_factor.lacks": [{"session": ANY}],
    }


def writes(rep: UUID) -> dict[str, list[Params]]:
    """The writes that look for what they change."""
    ending: Params = {"user": rep, "reason": "x"}
    return {
        "accounts.confirm_session": [{"session": ANY, "user": rep}],
        "accounts.end_session": [ending | {"session": ANY}],
        "accounts.end_other_sessions": [ending | {"keep": ANY}],
        "accounts.claim_browser": [{"hash": b"x", "device": b"x", "before": b"y"}],
        "accounts.adopt_browser": [{"session": ANY, "device": b"x"}],
        "accounts.unstrike": [{"key": None, "subject": b"x"}],
        "second_factor.put_rule": [{"required": True, "trusts_provider": False}],
        "second_factor.end_others": [{}],
        "accounts.raise_session": [{"session": ANY, "user": rep}],
        "accounts.set_password": [{"user": rep, "hash": "x", "needs_second": False}],
        "accounts.rehash": [{"user": rep, "old": "x", "new": "y"}],
        "accounts.begin_reset": [{"email_lc": "rep7@acme.test", "hash": b"x", "ttl_s": 60}],
        "accounts.finish_reset": [{"hash": b"x", "password_hash": "x", "needs_second": False}],
        "accounts.begin_totp": [{"user": rep, "seed": "x"}],
        "accounts.start_totp": [{"user": rep, "step": 7}],
        "accounts.take_totp": [{"user": rep, "step": 7}],
        "accounts.reseal_totp": [{"user": rep, "old": "x", "new": "y"}],
        "accounts.stop_totp": [{"user": rep}],
        "accounts.set_recovery_codes": [{"user": rep, "hashes": []}],
        "accounts.take_recovery_code": [{"user": rep, "hash": b"x"}],
        "accounts.rename_passkey": [{"user": rep, "id": ANY, "name": "x"}],
        "accounts.remove_passkey": [{"user": rep, "id": ANY}],
        "accounts.use_passkey": [{"id": ANY, "before": 1, "after": 2}],
        "accounts.try_challenge": [{"hash": b"x", "kind": "confirm", "tries": 5}],
        "accounts.end_challenge": [{"hash": b"x"}],
    }


# What only adds rows.
INSERTS = [f"accounts.{name}" for name in ("open_session", "add_passkey", "add_challenge", "strike")]
NOT_LOOKED_AT = {"jobs.account_sweep": "a few times an hour, over all companies"}
