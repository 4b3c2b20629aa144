"""The `ringside` command: what it takes, and what it says when something is missing."""

import json
from pathlib import Path

import pytest

from hub import cli
from hub.datadir import default_data_dir, find_running, load_secrets, make_data_dir, write_running
from hub.embedded.processes import FolderLock


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is set."""
    for name in ("DATABASE_URL", "REDIS_URL", "RINGSIDE_SECRET", "DATABASE_OWNER_URL", "RINGSIDE_DATA", "RINGSIDE_PORT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def running(tmp_path: Path) -> Path:
    """The data folder of an `up` that runs."""
    env = {
        "DATABASE_URL": "postgresql://app",
        "REDIS_URL": "redis://r",
        "RINGSIDE_SECRET": "s" * 40,
        "RINGSIDE_METRICS_PORT": "9",
    }
    write_running(
        tmp_path, {"url": "http://x", "env": env, "database_owner_url": "postgresql://owner", "database_admin_url": None}
    )
    return tmp_path


@pytest.mark.parametrize("command", ["serve", "worker", "migrate", "seed"])
def test_without_a_database_it_says_how_to_get_one(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([command, "--data", str(tmp_path)]) == 1
    assert f"DATABASE_URL is not set, and no `./ringside up` is running on {tmp_path}" in capsys.readouterr().err


def test_a_running_up_lends_its_settings(running: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = FolderLock(running / "up.lock")
    lock.acquire("busy")
    monkeypatch.setenv("RINGSIDE_LOG", "json")
    env = cli.environment(running)
    assert (env["DATABASE_URL"], env["DATABASE_OWNER_URL"], env["RINGSIDE_LOG"]) == (
        "postgresql://app",
        "postgresql://owner",
        "json",
    )
    _, given = cli.parse(["serve", "--port", "0", "--data", str(running)])
    settings = cli.settings_for(given)
    assert (settings.port, settings.metrics_port) == (0, 0), "the running hub has its ports"
    lock.release()
    assert find_running(running) is None, "an up that was killed leaves the file, not the lock"


def test_settings_of_ones_own_come_first(running: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://mine")
    assert cli.environment(running)["DATABASE_URL"] == "postgresql://mine"


def test_migrating_a_database_that_is_not_there_is_said_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://app@127.0.0.1:1/none")
    assert cli.main(["migrate", "--data", str(tmp_path)]) == 1
    assert "DATABASE_OWNER_URL is not set" in capsys.readouterr().err
    monkeypatch.setenv("DATABASE_OWNER_URL", f"postgresql://owner@/none?host={tmp_path}")
    assert cli.main(["migrate", "--data", str(tmp_path)]) == 1
    assert "The database refused" in capsys.readouterr().err


def test_the_doctor_of_nothing_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor", "--json", "--data", str(tmp_path)]) == 1
    assert json.loads(capsys.readouterr().out)["state"] == "wrong"


def test_the_api_document_needs_no_settings(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["openapi"]) == 0
    assert json.loads(capsys.readouterr().out)["openapi"].startswith("3.1")


def test_the_data_folder_is_the_one_named_or_the_clones_own(tmp_path: Path) -> None:
    assert default_data_dir({"RINGSIDE_DATA": str(tmp_path)}) == tmp_path
    assert default_data_dir({}).name == ".ringside"
    _, given = cli.parse(["up", "--data", "relative", "--workers", "2", "--no-demo"])
    assert (given.data, given.workers, given.demo, given.port) == (Path("relative").absolute(), 2, False, None)


def test_secrets_are_made_once_and_are_ours_alone(tmp_path: Path) -> None:
    make_data_dir(tmp_path / "data")
    made = load_secrets(tmp_path / "data")
    assert load_secrets(tmp_path / "data") == made
    assert len(made["secret"]) >= 32
    assert made["twilio_account_sid"].startswith("AC")
    assert (tmp_path / "data/secrets.json").stat().st_mode & 0o077 == 0
