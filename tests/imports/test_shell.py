"""`ringside import FILE`."""

from __future__ import annotations

import argparse
import asyncio
import csv
import io
from pathlib import Path

import pytest

from hub.config import Settings
from hub.db import Database
from hub.imports import shell
from tests.conftest import Company, TestDatabase
from tests.harness import make_settings
from tests.imports.kit import all_contacts, as_csv
from tests.patience import PATIENCE_S
from workers.imports import run_here
from workers.run import run_worker

DATA = as_csv(("Name", "Mail 2", "Phone"), ("Ann", "ann@x.com", ""), ("Bob", "", "12"))


@pytest.fixture
def own(database: TestDatabase, valkey_url: str) -> Settings:
    """The settings of the shell."""
    return make_settings(database.app_url, valkey_url)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with a good row and a bad one."""
    path = tmp_path / "my people.csv"
    path.write_bytes(DATA)
    return path


async def test_without_a_worker_the_file_is_imported_right_here(
    db: Database, acme: Company, own: Settings, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell, "_PATIENCE_S", 0.2)
    out = io.StringIO()

    code = await shell.import_file(own, file, mapping={"Mail 2": "email_home"}, here=run_here, out=out)

    assert code == 0
    assert "my people.csv: 2 rows: 1 created, 0 updated, 0 skipped, 1 failed." in out.getvalue()
    failures = file.with_name("my people.csv.failures.csv")
    assert str(failures) in out.getvalue()
    assert [row[0] for row in csv.reader(failures.read_text().splitlines())] == ["Name", "Bob"]
    assert (await all_contacts(db, acme))[0]["emails"] == [{"address": "ann@x.com", "label": "home"}]


async def test_a_worker_that_is_there_does_it(db: Database, acme: Company, own: Settings, file: Path) -> None:
    stop, started = asyncio.Event(), asyncio.Event()
    worker = asyncio.create_task(run_worker(own, stop=stop, started=lambda *_: started.set()))
    await asyncio.wait_for(started.wait(), PATIENCE_S)
    out = io.StringIO()
    try:
        assert await shell.import_file(own, file, progress=True, out=out) == 0
    finally:
        stop.set()
        await asyncio.wait_for(worker, PATIENCE_S)
    assert "1 created" in out.getvalue()


async def test_what_is_wrong_is_said_in_a_sentence(
    acme: Company, globex: Company, own: Settings, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await shell.import_file(own, file) == 1
    assert capsys.readouterr().err == "Which company? Name it with --company. There are: Acme, Globex.\n"
    assert await shell.import_file(own, file, tenant="Initech") == 1
    assert capsys.readouterr().err == "There is no company called 'Initech'.\n"
    assert await shell.import_file(own, tmp_path / "none.csv", tenant="Acme") == 1
    assert "No such file" in capsys.readouterr().err
    assert await shell.import_file(own, file, tenant="Acme", mapping={"Mail": "email"}) == 1
    assert "has no column 'Mail'" in capsys.readouterr().err


def test_the_options_are_read() -> None:
    parser = argparse.ArgumentParser()
    shell.add_options(parser)
    given = parser.parse_args(["x.csv", "--company", "Acme", "--map", "A=B=email", "--map", "C=", "--duplicates", "skip"])
    assert (given.file, given.company, given.duplicates, given.region) == (Path("x.csv"), "Acme", "skip", "US")
    assert given.maps == ["A=B=email", "C="]
