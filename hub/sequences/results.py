"""What became of a sequence: shares with their intervals, and a comparison of variants that does not peek."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import orjson

from hub.db import Tx
from hub.sequences import queries
from hub.sqlfiles import load_sql

_SQL = load_sql("sequences")

# Variants are compared once, over so many mails of each, when all of them had a week to be answered.
SAMPLE = 100
ANSWER_DAYS = 7
_Z95 = 1.959963984540054
_LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many."""

    count: int
    of: int

    @property
    def value(self) -> float:
        """The share, 0 of none."""
        return self.count / self.of if self.of else 0.0


def wilson(share: Share) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927), which also holds for few and for none; (0, 1) when nothing is known."""
    if not share.of:
        return 0.0, 1.0
    n, p, z = share.of, share.value, _Z95
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(middle - half, 0.0), min(middle + half, 1.0)


def difference(one: Share, other: Share) -> float:
    """The two-sided p-value of two shares being the same (two-proportion z-test, pooled)."""
    pooled = (one.count + other.count) / (one.of + other.of)
    spread = math.sqrt(pooled * (1 - pooled) * (1 / one.of + 1 / other.of))
    if spread == 0:
        return 1.0
    return math.erfc(abs(one.value - other.value) / spread / math.sqrt(2))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the comparison of a step's variants says (answers.Comparison)."""

    state: str
    better: str | None
    p: float | None
    sample: int
    have: int
    words: str


def compare(first: Sequence[tuple[str, Share]]) -> Verdict:
    """Compare variants by the replies to the first `SAMPLE` mails of each, as (label, answered of mails old enough)."""
    if len(first) < 2:
        return Verdict("one_variant", None, None, SAMPLE, 0, "There is one variant, so there is nothing to compare.")
    have = min(share.of for _, share in first)
    if have < SAMPLE:
        words = f"Not enough yet: {have} of {SAMPLE} mails of each variant had their {ANSWER_DAYS} days to be answered."
        return Verdict("not_enough", None, None, SAMPLE, have, words)
    ranked = sorted(first, key=lambda pair: pair[1].value, reverse=True)
    best, share = ranked[0]
    # The best against each of the others; so many looks need so much more (Bonferroni).
    p = min(max(difference(share, other) for _, other in ranked[1:]) * (len(ranked) - 1), 1.0)
    if p >= _LEVEL:
        words = f"No difference shows in the replies to the first {SAMPLE} mails of each variant (p = {p:.2f})."
        return Verdict("no_difference", None, p, SAMPLE, have, words)
    words = f"{best} was answered more often: {share.count} of the first {SAMPLE} mails (p = {p:.3f})."
    return Verdict("difference", best, p, SAMPLE, have, words)


async def results(tx: Tx, sequence_id: UUID, now: datetime) -> str:
    """What became of a sequence, counted now (answers.SequenceResults as JSON). Raises NotFound."""
    await queries.read_sequence(tx, sequence_id)
    steps: dict[UUID, dict[str, object]] = {}
    by_step: dict[UUID, list[asyncpg.Record]] = {}
    for row in await tx.fetch(_SQL["results_by_variant"], id=sequence_id):
        by_step.setdefault(row["step_id"], []).append(row)
    for step_id, rows in by_step.items():
        steps[step_id] = {
            "step": {"id": str(step_id), "position": rows[0]["position"], "kind": rows[0]["kind"]},
            **{name: sum(row[name] for row in rows) for name in ("done", "skipped", "failed", "canceled")},
            "variants": [_variant(row) for row in rows] if rows[0]["kind"] == "email" else [],
            "comparison": await _comparison(tx, sequence_id, step_id, rows, now) if rows[0]["kind"] == "email" else None,
        }
    reasons = {row["reason"]: row["enrolments"] for row in await tx.fetch(_SQL["reasons"], id=sequence_id)}
    counts = await queries.census(tx, sequence_id)
    return orjson.dumps(
        {"sequence_id": str(sequence_id), "counts": counts, "reasons": reasons, "steps": list(steps.values())}
    ).decode()


async def _comparison(tx: Tx, sequence_id: UUID, step_id: UUID, rows: Sequence[asyncpg.Record], now: datetime) -> Verdict:
    labels = {row["variant_id"]: row["label"] for row in rows if row["variant_id"] is not None and row["done"]}
    found = await tx.fetch(
        _SQL["first_replies"], sequence_id=sequence_id, step_id=step_id, sample=SAMPLE, before=now - timedelta(days=ANSWER_DAYS)
    )
    old = {row["variant_id"]: Share(row["replied"], row["mails"]) for row in found}
    return compare([(label, old.get(variant_id, Share(0, 0))) for variant_id, label in labels.items()])


def _variant(row: asyncpg.Record) -> dict[str, object]:
    named = {"id": str(row["variant_id"]), "label": row["label"]} if row["variant_id"] is not None else None
    rates = {name: _rate(Share(row[name], row["done"])) for name in ("opened", "clicked", "replied", "bounced", "unsubscribed")}
    return {"variant": named, "sent": row["done"], **rates}


def _rate(share: Share) -> dict[str, object]:
    low, high = wilson(share)
    return {"count": share.count, "of": share.of, "share": share.value, "low": low, "high": high}
