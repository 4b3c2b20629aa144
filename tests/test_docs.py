"""What the documentation says about the code is so: settings, metrics, events, commands and links."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

import hub
import integrations
import workers
from hub.app import document
from hub.cli import COMMANDS
from hub.config import Settings
from hub.events import CATALOGUE
from integrations.metrics import provider_metrics

ROOT = Path(__file__).resolve().parents[1]
OPERATIONS = ROOT / "docs" / "operations.md"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
# Prepared by the launcher itself, before hub/cli.py is reached.
LAUNCHER_COMMANDS = {"test", "lint", "help"}


def table(page: Path, name: str) -> list[str]:
    """The names in the first column of the table behind the remark `<!-- name: ... -->`."""
    _, remark, after = page.read_text(encoding="utf-8").partition(f"<!-- {name}:")
    assert remark, f"{page.name} has no table of {name}"
    lines = after.split("-->", 1)[1].lstrip().splitlines()
    rows = lines[2 : next((i for i, line in enumerate(lines) if not line.startswith("|")), len(lines))]
    return [re.split(r"\s*\|\s*", row)[1].strip("`") for row in rows]


def modules() -> Iterator[str]:
    """Every module of the product."""
    for package in (hub, workers, integrations):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                yield module.name


def names_read(source: str) -> set[str]:
    """The environment variables that a module reads: constants that are written like one."""
    texts = {node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {text for text in texts if re.fullmatch(r"(RINGSIDE|DATABASE|REDIS|TWILIO|GOOGLE|STRIPE|SMTP|MAIL)_[A-Z_]+", text)}


def test_the_table_of_settings_names_what_the_settings_read_and_nothing_else() -> None:
    listed = table(OPERATIONS, "settings")
    assert len(listed) == len(set(listed))
    assert set(listed) == names_read((ROOT / "hub" / "config.py").read_text(encoding="utf-8"))


def test_the_defaults_in_the_table_are_the_real_ones() -> None:
    needed = {"DATABASE_URL": "postgresql://db", "REDIS_URL": "redis://", "RINGSIDE_SECRET": "-" * 32}
    settings = Settings.from_env(needed)
    text = OPERATIONS.read_text(encoding="utf-8")
    for name, value in {
        "RINGSIDE_HOST": settings.host,
        "RINGSIDE_PORT": settings.port,
        "RINGSIDE_METRICS_PORT": settings.metrics_port,
        "RINGSIDE_CALL_DIAL_DEADLINE_S": f"{settings.call_dial_deadline_s:.0f}",
        "RINGSIDE_CALL_SILENCE_S": f"{settings.call_silence_s:.0f}",
        "RINGSIDE_WORKER_JOBS": settings.worker_jobs,
        "RINGSIDE_LOG": settings.log_style,
        "RINGSIDE_LOG_LEVEL": settings.log_level,
    }.items():
        assert f"| `{name}` | `{value}` |" in text


def test_the_table_of_metrics_names_the_real_ones() -> None:
    for name in modules():
        importlib.import_module(name)
    provider_metrics()
    real = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in REGISTRY.collect()
        if family.name.startswith("ringside_")
    }
    listed = table(OPERATIONS, "metrics")
    assert len(listed) == len(set(listed))
    assert set(listed) == real


def test_the_table_of_events_is_the_catalogue() -> None:
    # the composition root knows every feature
    document(Settings.from_env({"DATABASE_URL": "postgresql://", "REDIS_URL": "redis://", "RINGSIDE_SECRET": "-" * 32}))
    assert sorted(table(ROOT / "docs" / "architecture.md", "events")) == sorted(CATALOGUE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path) if path else page
        assert found.exists(), f"{target} leads nowhere"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", found.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in anchors, f"{target}: no such heading"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_it_names_exist(page: Path) -> None:
    known = {command.name for command in COMMANDS} | LAUNCHER_COMMANDS
    named = set(re.findall(r"(?:\./|`)ringside ([a-z]+)", page.read_text(encoding="utf-8")))
    assert named <= known


def test_the_decisions_are_listed_each_once() -> None:
    folder = ROOT / "docs" / "adr"
    listed = re.findall(r"\((\d{4}-[^)]+)\)", (folder / "README.md").read_text(encoding="utf-8"))
    assert listed == sorted(path.name for path in folder.glob("[0-9]*.md"))


def test_pictures_are_small() -> None:
    shown = {
        (page.parent / target).resolve()
        for page in PAGES
        for target in re.findall(r"!\[[^]]*\]\(([^)]+\.png)\)", page.read_text(encoding="utf-8"))
    }
    assert shown
    assert all(path.stat().st_size < 300_000 for path in shown)
