"""`ringside up`: one line when it is ready, everything runs, whatever dies comes back, and nothing is left at the end."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.launcher.servers import ROOT, eventually, is_running
from tests.patience import PATIENCE_S

READY_PATIENCE_S = 90.0


def environment(**more: str) -> dict[str, str]:
    """Ours, without settings that point elsewhere."""
    prefixes = ("DATABASE_", "REDIS_", "RINGSIDE_", "TWILIO_", "GOOGLE_", "COV_", "COVERAGE_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}
    return {**kept, "PYTHONPATH": str(ROOT), **more}


class Up:
    """A `ringside up --json` in a session of its own."""

    def __init__(self, data: Path, *options: str) -> None:
        self.errors = (data.parent / f"{data.name}.stderr").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hub.cli", "up", "--json", "--port", "0", "--data", data, *options],
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            cwd=data.parent,
            env=environment(RINGSIDE_TEST_DATA=str(data)),
            start_new_session=True,
        )
        self.data = data
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.progress()
        self.said: dict[str, Any] = json.loads(line)

    def progress(self) -> str:
        """What went to standard error."""
        self.errors.seek(0)
        return self.errors.read()

    def get(self, path: str, token: str = "") -> Any:
        """The JSON at a path of the API."""
        return self._ask(urllib.request.Request(self.said["url"] + path, headers={"Authorization": f"Bearer {token}"}))

    def post(self, path: str, body: dict[str, Any], token: str = "") -> Any:
        """Send JSON; the JSON of the answer."""
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
        return self._ask(urllib.request.Request(self.said["url"] + path, json.dumps(body).encode(), headers))

    def sign_in(self, role: str = "owner", tenant: str = "") -> str:
        """The access token of a demo login."""
        login = next(login for login in self.said["logins"] if login["role"] == role and tenant in login["tenant"])
        token: str = self.post("/api/v1/auth/login", {"email": login["email"], "password": login["password"]})["access_token"]
        return token

    def is_ready(self) -> bool:
        """Whether /readyz answers 200."""
        try:
            return bool(self.get("/readyz"))
        except (urllib.error.URLError, OSError):
            return False

    def left_over(self) -> Sequence[int]:
        """The processes that it started and that still run."""
        mark = f"RINGSIDE_TEST_DATA={self.data}".encode()
        found = [pid for pid in self.said["pids"].values() if is_running(pid)]
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (process / "environ").read_bytes().split(b"\0") and is_running(int(process.name)):
                    found.append(int(process.name))
            except OSError:
                continue
        return found

    def stop(self, number: signal.Signals = signal.SIGINT) -> str:
        """Send the signal and wait for the end; everything that it said until then."""
        self.process.send_signal(number)
        self.process.communicate(timeout=PATIENCE_S)
        said = self.progress()
        self.errors.close()
        return said

    def _ask(self, request: urllib.request.Request) -> Any:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return json.loads(answer.read())


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for data, in a path with a space."""
    path = Path(tempfile.mkdtemp(prefix="ringside up "))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def up(folder: Path) -> Iterator[Up]:
    """Everything, started."""
    started = Up(folder / "data")
    yield started
    if started.process.poll() is None:
        started.process.kill()
        started.process.communicate()
    eventually(lambda: not started.left_over(), "what it started has ended")


def test_it_is_ready_when_it_says_so_and_ctrl_c_leaves_nothing(up: Up) -> None:
    said = up.said
    assert {"url", "tenants", "logins", "database_url", "redis_url", "metrics_url", "sandbox"} <= said.keys()
    assert said["sandbox"].keys() == {"twilio", "gmail", "stripe", "oidc"}
    assert said["outbox"].startswith(f"{said['url']}/outbox/")
    roles = sorted(login["role"] for login in said["logins"])
    assert roles == ["manager", "owner", "rep", "rep", "rep"]
    assert {tenant["name"] for tenant in said["tenants"]} == {login["tenant"] for login in said["logins"]}
    me = up.get("/api/v1/me", up.sign_in())
    assert me["tenant"]["id"] in {tenant["id"] for tenant in said["tenants"]}
    assert urllib.request.urlopen(said["metrics_url"], timeout=PATIENCE_S).status == 200
    assert (up.data / "up.json").stat().st_mode & 0o077 == 0
    assert (up.data / "secrets.json").stat().st_mode & 0o077 == 0
    # Everything ended when it was asked to: what does not is killed, which is said.
    assert "killed" not in up.stop()
    assert up.process.returncode == 0
    assert up.left_over() == []
    assert not (up.data / "up.json").exists()


def test_the_doctor_finds_it_and_nothing_wrong_and_a_second_one_is_refused(up: Up) -> None:
    command = [sys.executable, "-m", "hub.cli"]

    def states() -> dict[str, str]:
        answer = subprocess.run(
            [*command, "doctor", "--json", "--data", up.data], stdout=subprocess.PIPE, env=environment(), cwd="/", check=False
        )
        return {finding["name"]: finding["state"] for finding in json.loads(answer.stdout)["findings"]}

    assert [name for name, state in states().items() if state == "wrong"] == []
    eventually(lambda: states()["worker"] == "ok", "the worker shows that it is alive")
    migrated = subprocess.run(
        [*command, "migrate", "--data", up.data], capture_output=True, text=True, env=environment(), cwd="/", check=True
    )
    assert "up to date" in migrated.stdout
    (up.data / "leads.csv").write_text("First Name,Email\nFrom the shell,shell@example.com\n")
    subprocess.run(
        [*command, "import", "leads.csv", "--company", "Bluebird Tools", "--data", up.data],
        env=environment(),
        cwd=up.data,
        check=True,
        capture_output=True,
    )
    bea = up.sign_in("rep", "Bluebird Tools")
    assert "From the shell" in [contact["first_name"] for contact in up.get("/api/v1/contacts", bea)["data"]]
    second = subprocess.run(
        [*command, "up", "--data", up.data], capture_output=True, text=True, env=environment(), cwd="/", check=False
    )
    assert second.returncode == 1
    assert f"already running at {up.said['url']} (pid {up.process.pid})" in second.stderr
    up.stop(signal.SIGTERM)


def test_whatever_dies_comes_back(up: Up) -> None:
    token = up.sign_in()
    for name in ("hub", "worker-1", "twilio", "gmail", "valkey", "postgres"):
        os.kill(up.said["pids"][name], signal.SIGKILL)
    eventually(up.is_ready, "the hub is ready again", READY_PATIENCE_S)
    assert up.get("/api/v1/me", token)["user"]
    assert up.post("/api/v1/contacts", {"first_name": "After"}, token)["id"]
    up.stop()


def test_after_kill_9_nothing_is_left_and_the_next_one_has_the_data(up: Up) -> None:
    made = up.post("/api/v1/contacts", {"first_name": "Before"}, up.sign_in())
    up.process.kill()
    up.process.communicate()
    eventually(lambda: not up.left_over(), "nothing runs any more")
    again = Up(up.data)
    assert again.said["logins"] == up.said["logins"]
    assert again.get(f"/api/v1/contacts/{made['id']}", again.sign_in())["first_name"] == "Before"
    again.stop()
    assert again.left_over() == []


def test_two_run_side_by_side_without_the_demo(folder: Path) -> None:
    one, two = Up(folder / "one", "--no-demo", "--workers", "0"), Up(folder / "two", "--no-demo", "--workers", "0")
    assert one.said["url"] != two.said["url"]
    assert one.said["logins"] == []
    assert one.is_ready() and two.is_ready()
    for up in (one, two):
        up.stop()
        assert up.left_over() == []
