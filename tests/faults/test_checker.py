"""The checker objects to everything that should not be: who believes a green table must have seen it red."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import pytest

from benchmarks.faults.checker import (
    BROKE,
    REFUSED,
    SILENT,
    Audience,
    Committed,
    Delivered,
    Heard,
    JobRow,
    Log,
    Ready,
    Resynced,
    Write,
    foreign_ids,
    judge_calls,
    judge_jobs,
    judge_writes,
)

OURS, THEIRS = UUID(int=1), UUID(int=2)
ROOMS = frozenset({"tenant"})


def committed(seq: int, audience: str = "tenant", frame: str = "") -> Committed:
    return Committed(seq, f"id{seq}", audience, frame)


def given(*seqs: int) -> list[Heard]:
    return [Delivered(seq, f"id{seq}") for seq in seqs]


def judged(heard: Sequence[Heard], *, log: Log | None = None) -> list[str]:
    ours = log or Log(OURS, "e", [committed(1), committed(2), committed(3, "managers"), committed(4), committed(5)])
    theirs = Log(THEIRS, "f", [Committed(3, "foreign", "tenant")])
    return Audience("she", ours, ROOMS, foreign_ids({OURS: ours, THEIRS: theirs}, OURS)).judge(heard)


WELCOME = Ready("e", 1, None)


def test_it_is_content_with_what_is_right() -> None:
    assert judged([WELCOME, *given(2, 4, 5)]) == []
    assert judged([WELCOME, *given(2), Ready("e", 2, 2), *given(4, 5)]) == []
    # What is not theirs may be passed over, and a resync says that something is missing.
    assert judged([WELCOME, *given(2), Ready("e", 4, 2), Resynced("e", 4, "too_far_behind"), *given(5)]) == []


@pytest.mark.parametrize(
    ("heard", "objection"),
    [
        ([WELCOME, *given(2, 5)], "she never got the event 4"),
        ([WELCOME, *given(2, 4)], "she never got the event 5"),
        ([WELCOME, *given(2), Ready("e", 2, 2), *given(5)], "she never got the event 4"),
        ([WELCOME, *given(2, 2, 4, 5)], "she was given the event 2 when they stood at 2"),
        ([WELCOME, *given(2), Ready("e", 2, 2), *given(2, 4, 5)], "she was given the event 2 when they stood at 2"),
        ([WELCOME, *given(4, 2, 5)], "she was given the event 2 when they stood at 4"),
        ([WELCOME, *given(2, 3, 4, 5)], "she was given the event 3 for managers, which is not theirs"),
        ([WELCOME, *given(2), Delivered(3, "foreign"), *given(4, 5)], "she was given the event foreign of another tenant"),
        ([WELCOME, *given(2), Delivered(4, "other"), *given(4, 5)], "which the log does not have"),
        ([WELCOME, *given(2, 4, 5, 6)], "she was given the event 6 (id6), which the log does not have"),
        ([WELCOME, *given(2), Ready("e", 4, 2), *given(5)], "she was moved from 2 to 4 without a resync"),
        ([WELCOME, *given(2), Ready("e", 1, 1), *given(2, 4, 5)], "she asked to go on from 1, but stood at 2"),
        ([Ready("x", 1, None), *given(2, 4, 5)], "which is not the log's"),
        ([*given(2)], "before any word of welcome"),
        ([], "she never got in"),
    ],
)
def test_it_objects_to_a_delivery_that_is_lost_doubled_moved_or_foreign(heard: list[Heard], objection: str) -> None:
    assert any(objection in said for said in judged(heard)), judged(heard)


def test_it_objects_to_a_log_with_a_gap() -> None:
    assert Log(OURS, "e", [committed(1), committed(3)]).gaps() == ["the log has no number 2"]
    assert Log(OURS, "e", [committed(1), committed(1)]).gaps() == ["the log has the number 1 2 times"]


@pytest.mark.parametrize(
    ("acknowledged", "rows", "frame", "objection"),
    [
        (True, [], "", "was acknowledged and is lost"),
        (True, [OURS, OURS], "mark", "was done 2 times"),
        (False, [OURS, OURS], "mark", "was done 2 times"),
        (True, [THEIRS], "mark", "stands with another tenant"),
        (True, [OURS], "", "was done without an event"),
        (False, [], "mark", "was not done, but has an event"),
    ],
)
def test_it_objects_to_a_write_that_is_lost_doubled_or_foreign(
    acknowledged: bool, rows: list[UUID], frame: str, objection: str
) -> None:
    logs = {OURS: Log(OURS, "e", [committed(1, frame=frame)]), THEIRS: Log(THEIRS, "f", [])}
    [said] = judge_writes([Write(OURS, "note", "mark", acknowledged)], {"mark": rows}, logs)
    assert objection in said


def test_it_objects_to_answers_that_nobody_should_get() -> None:
    logs = {OURS: Log(OURS, "e", [committed(1, frame="mark")])}
    write = Write(OURS, "note", "mark", True, [REFUSED, BROKE, SILENT, 503, 409, 201])
    assert judge_writes([write], {"mark": [OURS]}, logs) == []
    assert len(judge_writes([write], {"mark": [OURS]}, logs, is_strict=True)) == 4
    write.statuses.append(500)
    assert judge_writes([write], {"mark": [OURS]}, logs) == ["the note mark was answered with 500"]


@pytest.mark.parametrize(
    ("row", "objection"),
    [
        (JobRow("1", "effect", "done", 0), "did its work 0 times"),
        (JobRow("1", "effect", "done", 2), "did its work 2 times"),
        (JobRow("1", "effect", "ready", 0), "is still ready"),
        (JobRow("1", "effect", "running", 1), "and yet did its work"),
        (JobRow("1", "effect", "dead", 0), "is dead"),
        (JobRow("2", "effect", "done", 1), "the job 1 was committed and is lost"),
    ],
)
def test_it_objects_to_a_job_that_is_lost_doubled_or_stuck(row: JobRow, objection: str) -> None:
    assert (
        judge_jobs(["2"] if row.id == "2" else ["1"], [JobRow("2", "effect", "done", 1), JobRow("1", "effect", "done", 1)]) == []
    )
    assert any(objection in said for said in judge_jobs(["1"], [row]))


def test_it_objects_to_calls_that_are_made_twice_or_never() -> None:
    assert judge_calls({"+1": 1}, {"+1": "completed", "+2": "failed"}) == []
    assert judge_calls({"+1": 2}, {"+1": "completed"}) == ["+1 was called 2 times"]
    assert judge_calls({"+1": 1}, {}) == ["+1 was called, and no row says so"]
    assert judge_calls({}, {"+1": "dialing"}) == ["the call to +1 is dialing and never reached the provider"]
