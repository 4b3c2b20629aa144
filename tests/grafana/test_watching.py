"""What watches Ringside speaks of things that exist: metrics, labels, runbooks, files."""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import yaml
from prometheus_client import REGISTRY

import hub
import integrations
import workers
from integrations.metrics import provider_metrics
from tests.conftest import TestDatabase
from tests.topology.house import skip_without

ROOT = Path(__file__).resolve().parents[2]
GRAFANA = ROOT / "grafana"
RULES = sorted((GRAFANA / "rules").glob("*.yml"))
DASHBOARDS = sorted((GRAFANA / "dashboards").glob("*.json"))
RUNBOOKS = ROOT / "docs" / "runbooks"

# Labels whose values are written in the code, or are machines, so that there is an end to them.
BOUNDED = {
    *("route", "method", "status", "via", "kind", "why", "reason", "task", "by", "layer", "provider", "operation", "result"),
    *("state", "loop", "duty", "pool", "use", "le", "quantile", "generation", "implementation", "major", "minor", "patchlevel"),
    *("version", "what", "field", "mended"),
}
# What Prometheus and other people's programs bring.
FOREIGN = re.compile(r"^(up|ALERTS|node_filesystem_\w+|process_\w+|python_\w+)$")
ON_TARGETS = {"job", "instance", "mountpoint", "fstype", "device"}
WORDS = {
    *("sum", "max", "min", "count", "rate", "increase", "histogram_quantile", "by", "without", "ignoring", "on", "or", "and"),
    *("unless", "vector", "time", "absent", "predict_linear", "min_over_time", "max_over_time", "topk", "offset", "bool"),
}


def samples() -> dict[str, set[str]]:
    """Every time series that a process of ours can have, with its labels."""
    for package in (hub, workers, integrations):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    provider_metrics()
    found: dict[str, set[str]] = {}
    for collector in list(REGISTRY._collector_to_names):
        names = set(REGISTRY._collector_to_names[collector])
        labels = set(getattr(collector, "_labelnames", ()))
        for name in names:
            found[name] = labels | ({"le"} if name.endswith("_bucket") else set())
    return found


SAMPLES = samples()
RECORDED = {
    rule["record"]: rule["expr"]
    for path in RULES
    for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
    if "record" in rule
}
ALERTS: list[dict[str, Any]] = [
    rule
    for path in RULES
    for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
    if "alert" in rule
]


def expressions() -> Iterator[tuple[str, str]]:
    """Where an expression stands, and the expression."""
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]:
            for target in panel["targets"]:
                yield f"{path.name}: {panel['title']}", target["expr"]
    yield from RECORDED.items()
    for alert in ALERTS:
        yield alert["alert"], alert["expr"]


def plain(expression: str) -> str:
    """An expression without its strings and ranges."""
    return re.sub(r"\[[^\]]*\]", "", re.sub(r'"[^"]*"', '""', expression))


def metrics_of(expression: str) -> set[str]:
    """The names of the metrics in an expression."""
    bare = re.sub(r"\b(by|without|ignoring|on)\s*\([^)]*\)", "", re.sub(r"{[^}]*}", "", plain(expression)))
    return {word for word in re.findall(r"[a-zA-Z_][\w:]*", bare) if word not in WORDS and not re.fullmatch(r"[smhd]|e\d*", word)}


def labels_of(expression: str) -> set[str]:
    """The labels that an expression selects or groups by."""
    inside = re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", " ".join(re.findall(r"{([^}]*)}", plain(expression))))
    grouped = re.findall(r"\b(?:by|without|ignoring|on)\s*\(([^)]*)\)", plain(expression))
    return {*inside, *(part.strip() for group in grouped for part in group.split(",") if part.strip())}


@pytest.mark.parametrize(("where", "expression"), list(expressions()))
def test_dashboards_and_rules_ask_for_what_exists(where: str, expression: str) -> None:
    names = metrics_of(expression)
    assert names, where
    known: set[str] = {"le", *ON_TARGETS}
    for name in names:
        if name in RECORDED:
            known |= labels_of(RECORDED[name])
        elif not FOREIGN.match(name):
            assert name in SAMPLES, f"{where}: nothing counts {name}"
            known |= SAMPLES[name]
    assert labels_of(expression) <= known, where


def test_no_label_grows_without_bound() -> None:
    unbounded = {name: labels - BOUNDED for name, labels in SAMPLES.items() if labels - BOUNDED}
    assert unbounded == {}, "a label whose values come from people or companies makes Prometheus grow without end"


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    named = {Path(alert["annotations"]["runbook"]).name for alert in ALERTS}
    assert named == {f"{alert['alert']}.md" for alert in ALERTS}
    assert {path.name for path in RUNBOOKS.glob("*.md")} - {"README.md"} == named
    overview = (RUNBOOKS / "README.md").read_text(encoding="utf-8")
    for alert in ALERTS:
        assert f"[{alert['alert']}]({alert['alert']}.md)" in overview
        page = (RUNBOOKS / f"{alert['alert']}.md").read_text(encoding="utf-8")
        assert page.startswith(f"# {alert['alert']}\n")
        assert [line for line in page.splitlines() if line.startswith("## ")] == ["## What it means", "## Look", "## Mend"]
        assert "\n    " in page, f"{alert['alert']}: commands to look with"
        assert alert["labels"]["severity"] in ("page", "ticket")


def test_every_alert_is_tested_where_it_fires_and_where_it_does_not() -> None:
    tests = yaml.safe_load((GRAFANA / "rules" / "tests" / "alerts.yml").read_text(encoding="utf-8"))["tests"]
    assert {test["name"] for test in tests} == {f"{a['alert']} {how}" for a in ALERTS for how in ("fires", "is quiet")}


def test_promtool_accepts_the_rules_and_their_tests() -> None:
    skip_without("prometheus")
    for arguments in (["check", "rules", *map(str, RULES)], ["test", "rules", str(GRAFANA / "rules" / "tests" / "alerts.yml")]):
        done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_amtool_accepts_the_routes_and_they_page_and_file(tmp_path: Path) -> None:
    skip_without("prometheus-alertmanager")
    path = ROOT / "deploy" / "alertmanager.yml"

    def amtool(*arguments: str) -> str:
        done = subprocess.run(
            ["amtool", *arguments], capture_output=True, text=True, check=False, env={**os.environ, "HOME": str(tmp_path)}
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    amtool("check-config", str(path))
    for alert in ALERTS:
        labels = [f"alertname={alert['alert']}", f"severity={alert['labels']['severity']}"]
        assert amtool("config", "routes", "test", f"--config.file={path}", *labels) == alert["labels"]["severity"]


def test_alerts_that_silence_others_exist() -> None:
    rules = yaml.safe_load((ROOT / "deploy" / "alertmanager.yml").read_text(encoding="utf-8"))["inhibit_rules"]
    known = {alert["alert"] for alert in ALERTS}
    for rule in rules:
        for matcher in (*rule["source_matchers"], *rule["target_matchers"]):
            names = re.findall(r'"([^"]*)"', matcher)[0].split("|")
            assert set(names) <= known


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_dashboards_are_of_one_kind(path: Path) -> None:
    board = json.loads(path.read_text(encoding="utf-8"))
    assert board["uid"] == f"ringside-{path.stem}"
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        assert panel["title"] and panel["fieldConfig"]["defaults"]["unit"]
        assert panel["datasource"]["uid"] == "prometheus"
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & taken and place["x"] + place["w"] <= 24, panel["title"]
        taken |= cells


def test_everything_is_provisioned() -> None:
    sources = yaml.safe_load((GRAFANA / "provisioning" / "datasources" / "prometheus.yml").read_text(encoding="utf-8"))
    assert {source["uid"] for source in sources["datasources"]} == {"prometheus", "alertmanager"}
    assert {path.stem for path in DASHBOARDS} == {"floor", "api", "jobs", "providers", "database", "isolation"}


async def test_the_statements_in_the_runbooks_are_understood(database: TestDatabase) -> None:
    pages = [path.read_text(encoding="utf-8") for path in sorted(RUNBOOKS.glob("*.md"))]
    statements = {found for page in pages for found in re.findall(r'psql -U postgres ringside -c "([^"]*)"', page)}
    assert len(statements) > 10
    conn = await asyncpg.connect(database.admin_url)
    try:
        for statement in sorted(statements):
            await conn.fetch(statement)
    finally:
        await conn.close()
