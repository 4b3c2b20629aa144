"""The load test in small: everybody does everything, the figures add up, the report is drawn, and a broken promise is said."""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from pathlib import Path

import orjson

from benchmarks import load
from benchmarks.load_report import draw
from benchmarks.load_story import Asked, Memory, Story, of_counts


async def test_a_few_people_work_for_some_seconds_and_the_promise_is_looked_at(tmp_path: Path) -> None:
    parser = ArgumentParser()
    load.options(parser)
    figures, pictures = tmp_path / "figures.json", tmp_path / "report"
    sizes = ["--users", "8", "--minutes", "0.1", "--contacts", "500"]
    code = await load.measure(parser.parse_args([*sizes, "--report", str(pictures), "--json", str(figures)]))
    said = orjson.loads(figures.read_bytes())
    found = {row["name"]: row["value"] for row in said["results"]}
    assert code == (0 if said["met"] else 1)
    assert found["errors"] == 0, said
    assert found["requests"] > 0
    assert found["event on a screen: p50"] is not None, "every rep wrote something, and everybody saw it"
    for part in ("hub", "worker"):
        assert found[f"memory of the {part}: early on"] > 0
        assert found[f"memory of the {part}: at the end"] > 0
    assert any(name.startswith("API, as a rep sees it: p95") for name in found)
    assert all(part in said["facts"]["cores used"] for part in ("hub", "worker", "Postgres", "locust"))
    page = (pictures / "index.html").read_text()
    assert page.count("<svg") == 4
    routes = [name.split(": p95 of ") for name in found if name.startswith(("GET ", "POST "))]
    assert any(route == "POST /contacts/{id}/notes" for route, _ in routes), "a rep writes a note before anything else"
    assert all(f"{route} ({times})" in page for route, times in routes), "each has its bars"


def a_story(*, took_ms: float = 20.0, late_ms: int = 30, errors: int = 0, hub_mb: float = 100.0) -> Story:
    looks = [(float(second), 100.0 if second < 150 else hub_mb) for second in range(300)]
    return Story(
        began=0.0,
        warm_up_s=20.0,
        everything=[
            Asked(1.0, "GET /contacts", 5000.0, "rep"),
            *(Asked(20.0 + n, "GET /contacts", took_ms, "rep") for n in range(100)),
        ],
        deliveries={1: Counter({5000: 100}), 30: Counter({late_ms: 50})},
        errors=[("GET /floor: 500", errors)] if errors else [],
        reconnected=0,
        memory=Memory({"hub": 1}, {"hub": looks}),
    )


def broken(story: Story, seconds: float = 300.0) -> list[str]:
    return [result.name for result in load.judged(story, seconds) if not result.met]


def test_each_part_of_the_promise_can_be_broken() -> None:
    assert broken(a_story()) == []
    assert broken(a_story(took_ms=201.0)) == ["API, all routes: p95"]
    assert broken(a_story(late_ms=501)) == ["event on a screen: p95"]
    assert broken(a_story(errors=1)) == ["errors"]
    assert broken(a_story(hub_mb=120.0)) == ["memory of the hub: growth"]
    assert broken(a_story(hub_mb=120.0), seconds=60.0) == [], "a short run says nothing about memory"


def test_nothing_at_all_is_no_promise_held() -> None:
    quiet = Story(0.0, 0.0, [], {}, [], 0, Memory({}, {}))
    assert broken(quiet) == ["API, all routes: p95", "event on a screen: p95"]


def test_a_percentile_of_counts_is_that_of_the_values() -> None:
    assert of_counts(Counter({10: 95, 500: 5}), 0.95) == 10
    assert of_counts(Counter({10: 94, 500: 6}), 0.95) == 500


def test_what_went_wrong_stands_in_the_report(tmp_path: Path) -> None:
    story = a_story(errors=3)
    draw(tmp_path, story, load.judged(story, 300.0), {"users": "<b>8</b>"})
    page = (tmp_path / "index.html").read_text()
    assert "The promise was broken." in page
    assert "3 times: GET /floor: 500" in page
    assert "<b>8</b>" not in page, "facts are text"
