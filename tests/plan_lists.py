"""The lists of contacts and tasks as test_plans asks for them: in every order, with every filter, from every place."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from tests.plan_cases import Big

NOW = datetime.now(UTC)
Params = dict[str, Any]


def contact_lists(big: Big) -> Iterator[Params]:
    """Every order, plain and with every filter, common and rare, from the first page and from the middle."""
    filters: list[Params] = [
        {},
        {"owner_id": big.rep},
        {"owner_id": big.rare},
        {"owner_id": UUID(int=9)},
        {"stage": "lead"},
        {"stage": "rare"},
        {"stage": "none such"},
        {"tag": "common"},
        {"tag": "rare"},
        {"tag": "none such"},
        {"company": "firm 12"},
        {"company": "zenith"},
        {"company": "f"},
        {"company": "none such"},
        {"updated_since": datetime(2026, 10, 1, tzinfo=UTC)},
        {"updated_since": datetime(2024, 2, 1, tzinfo=UTC)},
        {"stage": "lead", "tag": "rare"},
        {"owner_id": big.rep, "stage": "rare", "tag": "common"},
    ]
    middle = {
        "created_at": datetime(2025, 1, 1, tzinfo=UTC),
        "updated_at": datetime(2025, 6, 1, tzinfo=UTC),
        "name": "dee family5",
        "company": "firm 2",
    }
    for column, place in middle.items():
        for order in (column, column + "_desc"):
            for chosen in filters:
                for after in ({}, {f"after_{order}": place, "after_id": big.contact}):
                    yield {"limit": 51, "other_limit": True, f"sort_{order}": True, **chosen, **after}
                    yield {"limit": 50, "usual_limit": True, f"sort_{order}": True, **chosen, **after}


def task_lists(big: Big) -> Iterator[Params]:
    """Open, done and all tasks, of everybody, of one person, of one contact, from the first page and from the middle."""
    whose: list[Params] = [{}, {"assignee_id": big.rep}, {"assignee_id": UUID(int=9)}, {"contact_id": big.contact}]
    for chosen in whose:
        for after in (None, NOW - timedelta(days=40)):
            yield {"limit": 51, **chosen, "sort_done_at": True, "after_done_at": after, "after_id": big.contact}
            for due in (None, NOW, NOW - timedelta(days=2000)):
                by_due: Params = {"sort_due_at": True, "due_before": due, "after_due_at": after, "after_id": big.contact}
                yield {"limit": 51, **chosen, **by_due}
                yield {"limit": 51, **chosen, **by_due, "open": True}
