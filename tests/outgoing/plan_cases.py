"""What the statements of outgoing webhooks are asked in the large company of tests.test_plans."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

Params = dict[str, Any]

# As tests/big_company.sql makes it.
ENDPOINT = UUID("00000000-0000-7000-8036-000000000001")
UNKNOWN = UUID(int=9)
NOW = datetime.now(UTC)
_ONE: Params = {"id": ENDPOINT}
_ROOMS: Params = {"rooms": ["tenant", "managers"]}
_LOG: Params = {"never": ["webhook.created"], "endpoint_id": ENDPOINT} | _ROOMS
_SPAN: Params = {"from_at": NOW - timedelta(hours=2), "until_at": NOW, "limit": 1000} | _LOG


def reads() -> dict[str, list[Params]]:
    """The reads, by feature and name, with what to ask."""
    page: Params = {"endpoint_id": ENDPOINT, "limit": 51}
    middle: Params = {"after_key": NOW - timedelta(days=10), "after_id": UNKNOWN}
    return {
        "outgoing.list_endpoints": [{}],
        "outgoing.get_endpoint": [_ONE],
        "outgoing.lock_endpoint": [_ONE],
        "outgoing.count_endpoints": [{}],
        "outgoing.maker_of": [_ONE],
        "outgoing.list_deliveries": [page, page | middle, page | {"state": "failed"}, page | {"state": "accepted"} | middle],
        "outgoing.get_delivery": [{"id": UNKNOWN} | _ROOMS],
        "outgoing.delivery_json": [{"id": UNKNOWN}],
        "outgoing.count_span": [_SPAN],
        "outgoing.look_at_log": [{"after": 59_000}, {"after": 0}],
        "outgoing.next_deliveries": [{"endpoint_id": ENDPOINT, "limit": 20} | _ROOMS],
        "outgoing.next_tests": [{"endpoint_id": ENDPOINT}],
    }


def writes() -> dict[str, list[Params]]:
    """The writes that look for what they change."""
    outcome: Params = {"state": "waiting", "pause_s": 5.0, "took_ms": 1, "status": 500, "words": "", "answer": ""}
    return {
        "outgoing.update_endpoint": [_ONE | {"set_description": "x"}],
        "outgoing.move_endpoint": [_ONE | {"state": "paused", "reason": "x"}],
        "outgoing.due_at_once": [{"never": ["webhook.created"]}],
        "outgoing.forget_secret_before": [_ONE],
        "outgoing.sealed_secrets": [_ONE],
        "outgoing.resume_endpoint": [_ONE],
        "outgoing.try_again_at_once": [_ONE],
        "outgoing.retry_what_failed_last": [_ONE | {"attempts": 7}],
        "outgoing.rotate_secret": [_ONE | {"sealed": "v1", "hours": 24}],
        "outgoing.reseal": [_ONE | {"sealed": "v1", "sealed_before": None, "was": "v1"}],
        "outgoing.insert_replay": [{"id": UNKNOWN}],
        "outgoing.replay_span": [_SPAN],
        "outgoing.wake": [_ONE],
        "outgoing.take_lease": [_ONE | {"lease_s": 30.0}],
        "outgoing.hold_lease": [_ONE | {"fence": 0, "lease_s": 30.0}],
        "outgoing.release_lease": [_ONE | {"fence": 0}],
        "outgoing.take_from_log": [{"after": 59_000, "upto": 59_200, "types": None} | _LOG],
        "outgoing.advance": [_ONE | {"fence": 0, "position": 1, "missed": 0}],
        "outgoing.settle": [{"id": UNKNOWN} | outcome],
        "outgoing.note_accepted": [_ONE],
        "outgoing.note_refused": [_ONE],
        "outgoing.note_gone": [{"id": UNKNOWN, "words": "x"}],
        "outgoing.erase_answers": [{"words": ["ada@example.com"], "after": UUID(int=0), "limit": 2000}],
    }


INSERTS = ("outgoing.insert_endpoint", "outgoing.insert_test")
NOT_LOOKED_AT = {
    "outgoing.companies": "for all companies at once, along the few active endpoints",
    "outgoing.to_reseal": "for all companies at once, along the few endpoints",
    "outgoing.due": "for all companies at once, along the few active endpoints",
    "outgoing.delete_endpoint": "it deletes a month of deliveries with it, along their index",
    "outgoing.forget_deliveries": "for all companies at once, along outgoing_deliveries_by_age",
    "outgoing.forget_jobs": "for all companies at once, along the jobs' index",
}
