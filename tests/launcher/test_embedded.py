"""The embedded Postgres and Valkey: they start, stop, survive and clean up after every kind of end."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
import redis

from hub.embedded import AlreadyRunning, EmbeddedError, places, start_postgres, start_valkey
from tests.launcher.servers import DYING, Owner, copy_for_others, eventually, is_running, remember, remembered, run_as
from tests.patience import PATIENCE_S

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to another account")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short-lived folder that everybody may enter."""
    path = Path(tempfile.mkdtemp(prefix="ringside test "))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


async def test_data_survives_a_stop_and_a_start_in_a_path_with_a_space(folder: Path) -> None:
    with start_postgres(folder, durable=True) as server:
        await remember(server, "first")
    with start_postgres(folder) as server:
        await remember(server, "second")
        assert await remembered(server) == ["first", "second"]
    assert not server.socket_dir.exists()


async def test_the_database_has_the_same_rules_on_every_machine(folder: Path) -> None:
    with start_postgres(folder, durable=False) as server:
        connection = await asyncpg.connect(server.admin_url)
        shown = {
            name: await connection.fetchval(f"SHOW {name}")
            for name in ("server_encoding", "TimeZone", "jit", "listen_addresses", "fsync")
        }
        await connection.close()
    assert shown == {"server_encoding": "UTF8", "TimeZone": "UTC", "jit": "off", "listen_addresses": "", "fsync": "off"}


async def test_a_crashed_postgres_comes_back_under_the_same_url(folder: Path) -> None:
    with start_postgres(folder) as server:
        await remember(server, "before")
        url = server.admin_url
        server.kill()
        assert not server.running
        server.restart()
        assert server.admin_url == url
        assert await remembered(server) == ["before"]


def test_a_crashed_valkey_comes_back_under_the_same_url_with_what_it_had_written(folder: Path) -> None:
    with start_valkey(folder, durable=True) as server:
        client = redis.Redis.from_url(server.url)
        client.set("hint", "kept")
        assert client.config_get("appendonly") == {"appendonly": "yes"}
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        server.kill()
        server.restart()
        assert redis.Redis.from_url(server.url).get("hint") == b"kept"


def test_a_broken_append_only_file_is_put_aside(folder: Path) -> None:
    with start_valkey(folder, durable=True) as server:
        data = server.data_dir
    for file in (data / "appendonlydir").iterdir():
        file.write_bytes(b"no such command\n" * 10)
    with start_valkey(folder, durable=True) as server:
        assert redis.Redis.from_url(server.url).ping()
    assert list(data.parent.glob("valkey*.broken-*"))


def test_killing_the_owner_stops_the_servers_and_the_next_start_cleans_up(folder: Path) -> None:
    owner = Owner(folder)
    said = owner.said()
    owner.kill()
    for name in ("postgres", "valkey"):
        pid = said[name]
        assert isinstance(pid, int)
        eventually(lambda pid=pid: not is_running(pid), f"{name} ends with its owner")  # type: ignore[misc]
    with start_postgres(folder, durable=False), start_valkey(folder):
        socket_dirs = said["socket_dirs"]
        assert isinstance(socket_dirs, list)
        assert not any(Path(left).exists() for left in socket_dirs)


async def test_a_server_that_outlived_its_owner_is_stopped_first(folder: Path) -> None:
    with start_postgres(folder, durable=False) as server:
        await remember(server, "kept")
        data, home = server.data_dir, server.home
        program = server._bin / "postgres"
    quiet = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={data}"]
    stranger = run_as(home.account, [program, "-D", data, *quiet])
    pid_file = data / "postmaster.pid"
    eventually(lambda: pid_file.exists() and "ready" in pid_file.read_text(), "the stranger accepts connections")
    with start_postgres(folder, durable=False) as server:
        assert stranger.wait(PATIENCE_S) == 0
        assert await remembered(server) == ["kept"]


async def test_a_pid_file_that_names_another_living_program_is_no_obstacle(folder: Path) -> None:
    with start_postgres(folder, durable=False) as server:
        await remember(server, "kept")
        data, home = server.data_dir, server.home
    bystander = run_as(home.account, ["sleep", "3600"])
    try:
        (data / "postmaster.pid").write_text(f"{bystander.pid}\n{data}\n1\n5432\n\n\n 0 0\nready\n")
        with start_postgres(folder, durable=False) as server:
            assert await remembered(server) == ["kept"]
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_killed_initdb_is_not_mistaken_for_a_database(folder: Path) -> None:
    owner = Owner(folder, program=DYING)
    assert owner.close() == -signal.SIGKILL
    assert list(folder.glob("servers/new-*/PG_VERSION")), "initdb had begun"
    assert not list(folder.glob("servers/pg*"))
    with start_postgres(folder, durable=False) as server:
        assert server.running
    assert not list(folder.glob("servers/new-*"))


def test_one_folder_belongs_to_one_owner_and_two_folders_do_not_meet(folder: Path) -> None:
    with start_postgres(folder / "one", durable=False) as one, start_postgres(folder / "two", durable=False) as two:
        assert one.admin_url != two.admin_url
        with pytest.raises(AlreadyRunning, match=f"already running.*pid {os.getpid()}") as caught:
            start_postgres(folder / "one", durable=False)
        assert caught.value.pid == os.getpid()
        assert one.running
    with start_valkey(folder / "one"), pytest.raises(AlreadyRunning):
        start_valkey(folder / "one")


def test_sockets_stay_within_the_limit_of_unix_however_long_the_path_is(folder: Path) -> None:
    deep = folder / ("long " * 20) / ("longer " * 20)
    with start_postgres(deep, durable=False) as server, start_valkey(deep) as valkey:
        assert server.running
        assert len(str(valkey.socket_path)) < 107
        assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700


@as_root
def test_below_a_folder_the_account_cannot_enter_the_data_goes_elsewhere_and_is_found_again(folder: Path) -> None:
    hidden = folder / "private"
    hidden.mkdir(mode=0o700)
    with start_postgres(hidden / "data", durable=False) as server:
        home = server.home.path
        assert home.parent == places.SYSTEM_DIR / "clusters"
        assert (hidden / "data/servers").readlink() == home
    with start_postgres(hidden / "data", durable=False) as server:
        assert server.home.path == home
    shutil.rmtree(hidden)
    (folder / "other").mkdir(mode=0o700)
    with start_valkey(folder / "other", durable=False):
        assert not home.exists(), "a test's cluster goes when its folder has gone"


@as_root
def test_a_home_that_is_being_made_survives_the_sweep_of_another_start(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        (folder / name).mkdir(mode=0o700)
    chown = os.chown
    sweeping: list[threading.Thread] = []

    def interrupted(path: Path, uid: int, gid: int) -> None:
        chown(path, uid, gid)
        if not sweeping:
            sweeping.append(threading.Thread(target=places.prepare_home, args=[folder / "two"], kwargs={"durable": False}))
            sweeping[0].start()
            sweeping[0].join(0.5)

    monkeypatch.setattr(os, "chown", interrupted)
    home = places.prepare_home(folder / "one", durable=False)
    sweeping[0].join(PATIENCE_S)

    assert (folder / "one/servers").resolve() == home.path
    assert home.path.is_dir()
    assert (folder / "two/servers").is_dir()


@as_root
def test_data_copied_by_root_is_given_back_to_the_account(folder: Path) -> None:
    with start_postgres(folder / "one", durable=False):
        pass
    shutil.copytree(folder / "one", folder / "two")
    with start_postgres(folder / "two", durable=False) as server:
        account = server.home.account
        assert account is not None
        assert server.data_dir.stat().st_uid == account.uid


@as_root
def test_servers_do_not_run_as_root(folder: Path) -> None:
    with start_postgres(folder, durable=False) as server, start_valkey(folder) as valkey:
        for pid in (server.pid, valkey.pid):
            assert Path(f"/proc/{pid}").stat().st_uid != 0


@as_root
@pytest.mark.parametrize("account", ["nobody", "daemon"])
def test_an_ordinary_user_runs_them_in_the_clone_itself(folder: Path, account: str) -> None:
    python, copy = copy_for_others(folder)
    if not Path(python).exists():
        pytest.skip(f"there is no {python} that every account can run")
    data = folder / "data"
    data.mkdir()
    os.chown(data, pwd.getpwnam(account).pw_uid, -1)
    for _ in ("makes", "finds again"):
        owner = Owner(data, python, account, copy)
        said = owner.said()
        assert said["home"] == str(data / "servers")
        pid = said["postgres"]
        assert isinstance(pid, int)
        assert Path(f"/proc/{pid}").stat().st_uid == pwd.getpwnam(account).pw_uid
        assert owner.close() == 0
        assert not is_running(pid)


@as_root
def test_another_users_data_is_refused_in_words(folder: Path) -> None:
    python, copy = copy_for_others(folder)
    (folder / "data/servers").mkdir(parents=True)
    folder.chmod(0o777)
    (folder / "data").chmod(0o777)
    answer = subprocess.run(
        [
            python,
            "-c",
            "import sys; from pathlib import Path; from hub.embedded import *; start_postgres(Path(sys.argv[1]))",
            folder / "data",
        ],
        user="nobody",
        cwd="/",
        env={"PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "belongs to root. Run as that user, or give another --data." in answer.stderr


def test_data_of_a_release_that_is_not_installed_is_named(folder: Path) -> None:
    (folder / "servers/pg9").mkdir(parents=True)
    (folder / "servers/pg9/PG_VERSION").write_text("9\n")
    with pytest.raises(EmbeddedError, match="made by Postgres 9, which is not installed"):
        start_postgres(folder)
    with pytest.raises(EmbeddedError):  # and the lock was given back: the reason is the same
        start_postgres(folder)


def test_a_postgres_that_does_not_start_shows_what_its_log_says(folder: Path) -> None:
    with start_postgres(folder, durable=False) as server:
        data = server.data_dir
    with (data / "postgresql.conf").open("a") as file:
        file.write("no_such_setting = 1\n")
    with pytest.raises(EmbeddedError, match="no_such_setting"):
        start_postgres(folder, durable=False)


def test_stopping_twice_is_harmless(folder: Path) -> None:
    server = start_valkey(folder, durable=False)
    pid = server.pid
    os.kill(pid, signal.SIGKILL)
    server.stop()
    server.stop()
    assert not is_running(pid)
