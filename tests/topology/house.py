"""The topology of docker-compose.yml as processes of this machine, from the same configuration files.

Addresses and folders in the files are replaced by free ports and folders of the test; everything else is what production reads.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hub.config import Settings
from hub.embedded import PostgresServer
from hub.embedded.processes import spawn
from hub.embedded.programs import REDIS_NAMES, find_redis, runnable
from hub.listening import free_port
from tests.topology.forge import Forge, Forged

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
READY_S = 60.0
NEEDED = {
    "nginx": "/usr/sbin/nginx",
    "pgbouncer": "/usr/sbin/pgbouncer",
    "prometheus": "/usr/bin/prometheus",
    "prometheus-alertmanager": "/usr/bin/prometheus-alertmanager",
    "prometheus-node-exporter": "/usr/bin/prometheus-node-exporter",
}


def skip_without(*packages: str) -> None:
    """Skip the test, saying which of Debian's packages is missing."""
    missing = [name for name in packages if not os.access(NEEDED[name], os.X_OK)]
    if missing:
        pytest.skip(f"not installed here: {', '.join(missing)} (Debian's packages; .ci/run installs them)")


def rendered(name: str, changes: Mapping[str, str]) -> str:
    """A file of deploy/ with every text in `changes` replaced; one that is not in it is a mistake of the test."""
    text = (DEPLOY / name).read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in text, f"deploy/{name} does not say {old!r} any more"
        text = text.replace(old, new)
    return text


def is_up(url: str) -> bool:
    """Whether the address answers 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def is_open(port: int) -> bool:
    """Whether somebody listens."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2):
        return True
    return False


def wait(look: Callable[[], bool], what: str, seconds: float = READY_S, *, said: Callable[[], str] = str) -> None:
    """Wait until `look` says yes; when it never does, the failure tells what was `said` by then."""
    end = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < end, f"not within {seconds:.0f} s: {what} {said()[-2000:]}"
        time.sleep(0.05)


def pgbouncer_version() -> tuple[int, ...]:
    """The installed PgBouncer's."""
    said = subprocess.run([NEEDED["pgbouncer"], "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"PgBouncer (\d+)\.(\d+)", said)
    assert found, said
    return tuple(map(int, found.groups()))


@dataclass
class House:
    """What runs, by the names that docker-compose.yml gives."""

    folder: Path
    postgres: PostgresServer
    database: str
    ports: dict[str, int] = field(default_factory=dict)
    children: dict[str, subprocess.Popen[bytes] | Forged] = field(default_factory=dict)
    forge: Forge | None = None

    @property
    def url(self) -> str:
        """nginx's address."""
        return self.address("nginx")

    @property
    def settings(self) -> Settings:
        """What the hubs were told."""
        return Settings.from_env(self.environment("hub-1"))

    def address(self, name: str) -> str:
        """Where something listens, for HTTP."""
        return f"http://127.0.0.1:{self.port(name)}"

    def port(self, name: str) -> int:
        """The port of something; the same each time."""
        if name not in self.ports:
            self.ports[name] = free_port("127.0.0.1")
        return self.ports[name]

    def metrics(self, name: str) -> str:
        """Where a hub or a worker shows its metrics."""
        return f"{self.address(f'metrics of {name}')}/metrics"

    def secret(self, name: str) -> Path:
        """One of the files that deploy/make-secrets has made."""
        return self.folder / "secrets" / name

    def own(self, name: str) -> Path:
        """A folder for what a server writes, which the account of the servers may write to."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        account = self.postgres.home.account
        if account is not None:
            os.chown(folder, account.uid, account.gid)
        return folder

    def log(self, name: str) -> str:
        """What a child has said."""
        return (self.folder / "logs" / f"{name}.log").read_text(encoding="utf-8", errors="replace")

    def start(self, name: str, *command: str | Path, as_account: bool = False, env: Mapping[str, str] | None = None) -> None:
        """Start a child; it ends with this process."""
        self.children[name] = spawn(
            command,
            # A killed nginx would leave its workers behind.
            death_signal=signal.SIGTERM if name == "nginx" else signal.SIGKILL,
            log_path=self.folder / "logs" / f"{name}.log",
            account=self.postgres.home.account if as_account else None,
            env=env or {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(self.folder)},
        )

    def end(self, name: str, how: signal.Signals = signal.SIGTERM) -> None:
        """End a child and wait for it."""
        child = self.children.pop(name)
        child.send_signal(how)
        wait(lambda: child.poll() is not None, f"the end of {name}")

    # -- the parts

    def make_secrets(self) -> None:
        """As somebody does before the first start; the addresses in them are this house's."""
        subprocess.run([DEPLOY / "make-secrets", self.folder / "secrets"], check=True)
        places = {
            "@pgbouncer:6432/": f"@127.0.0.1:{self.port('pgbouncer')}/",
            "@valkey:6379/": f"@127.0.0.1:{self.port('valkey')}/",
        }
        for name, (old, new) in zip(("database_url", "redis_url"), places.items(), strict=True):
            text = self.secret(name).read_text()
            assert old in text
            self.secret(name).chmod(0o644)
            self.secret(name).write_text(text.replace(old, new))

    def start_valkey(self) -> None:
        """Valkey with its password and its append-only file."""
        folder = self.own("valkey")
        password = folder / "password.conf"
        shutil.copy(self.secret("valkey_password.conf"), password)
        text = rendered(
            "valkey.conf",
            {
                "bind * -::*": "bind 127.0.0.1",
                "port 6379": f"port {self.port('valkey')}",
                "dir /data": f"dir {folder}",
                "/run/secrets/valkey_password.conf": str(password),
            },
        )
        (folder / "valkey.conf").write_text(text)
        found = next(find_redis())
        place = runnable(found, self.postgres.home.account)
        program = place / next(name for name in REDIS_NAMES if (place / name).exists())
        self.start("valkey", program, folder / "valkey.conf", as_account=True)

    def start_pgbouncer(self, name: str = "pgbouncer", **settings: str) -> None:
        """PgBouncer before the test's database; `settings` replace what its file says."""
        folder = self.own(name)
        shutil.copy(self.secret("pgbouncer_users"), folder / "users")
        text = rendered(
            "pgbouncer.ini",
            {
                "host=postgres port=5432 dbname=ringside": f"host={self.postgres.socket_dir} dbname={self.database}",
                "listen_addr = *": "listen_addr = 127.0.0.1",
                "listen_port = 6432": f"listen_port = {self.port(name)}",
                "/run/secrets/pgbouncer_users": str(folder / "users"),
            },
        )
        # The tests' Postgres is smaller than production's.
        for key, value in {"default_pool_size": "40", **settings}.items():
            text, count = re.subn(rf"^{key} = .*$", f"{key} = {value}", text, flags=re.MULTILINE)
            assert count == 1, key
        if pgbouncer_version() < (1, 21):
            text = text.replace("max_prepared_statements", ";max_prepared_statements")
        (folder / "pgbouncer.ini").write_text(text)
        self.start(name, NEEDED["pgbouncer"], folder / "pgbouncer.ini", as_account=True)

    def environment(self, name: str) -> dict[str, str]:
        """What docker-compose.yml tells a hub or a worker."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL_FILE": str(self.secret("database_url")),
            "DATABASE_PREPARED": "yes" if pgbouncer_version() >= (1, 21) else "auto",
            "REDIS_URL_FILE": str(self.secret("redis_url")),
            "RINGSIDE_SECRET_FILE": str(self.secret("ringside_secret")),
            "RINGSIDE_PORT": str(self.port(name)),
            "RINGSIDE_METRICS_PORT": str(self.port(f"metrics of {name}")),
            "RINGSIDE_PUBLIC_URL": self.url,
            "RINGSIDE_TRUSTED_PROXIES": "127.0.0.1/32",
            "RINGSIDE_OBJECTS": str(self.folder / "objects"),
            "RINGSIDE_LOG": "json",
            "RINGSIDE_LOG_LEVEL": "warning",
            # One person asks as much as a hundred would.
            "RINGSIDE_LIMITS": "user=10000/10000,tenant=10000/10000",
        }

    def start_program(self, name: str) -> None:
        """A hub or a worker, by its name, in a process of its own."""
        if self.forge is None:
            self.forge = Forge(self.folder / "logs" / "forge.log")
        command = "serve" if name.startswith("hub") else "worker"
        self.children[name] = self.forge.make(name, command, self.environment(name), self.folder / "logs" / f"{name}.log")

    def wait_for_hub(self, name: str) -> None:
        """Until it is ready, as the health check asks."""
        wait(lambda: is_up(f"{self.address(name)}/readyz"), f"{name} is ready; it said:", said=lambda: self.log(name))

    def start_nginx(self) -> None:
        """nginx before both hubs."""
        folder = self.folder / "nginx"
        folder.mkdir()
        folder.chmod(0o755)
        text = rendered(
            "nginx.conf",
            {
                "/tmp/nginx": str(folder / "nginx"),
                "error_log /dev/stderr warn": f"error_log {folder}/error.log warn",
                "listen 8080 default_server": f"listen 127.0.0.1:{self.port('nginx')} default_server",
                "server hub-1:8080": f"server 127.0.0.1:{self.port('hub-1')}",
                "server hub-2:8080": f"server 127.0.0.1:{self.port('hub-2')}",
                "worker_processes auto": "worker_processes 2",
                # Where one is not root, there is only what one has.
                "worker_rlimit_nofile 65536": "worker_rlimit_nofile 1024",
                "worker_connections 16384": "worker_connections 500",
            },
        )
        (folder / "nginx.conf").write_text(text)
        self.start("nginx", NEEDED["nginx"], "-e", folder / "error.log", "-c", folder / "nginx.conf", "-g", "daemon off;")

    def said_by_nginx(self) -> str:
        """What went wrong between nginx and the hubs, without the refusals that it went elsewhere after."""
        lines = (self.folder / "nginx" / "error.log").read_text(encoding="utf-8").splitlines()
        return "\n".join(line for line in lines if "Connection refused" not in line)[-4000:]

    def start_prometheus(self) -> None:
        """Prometheus with all its targets and rules, Alertmanager, and the exporter of the machine."""
        folder = self.folder / "prometheus"
        folder.mkdir()
        hubs = ", ".join(f'"127.0.0.1:{self.port(f"metrics of hub-{n}")}"' for n in (1, 2))
        workers = ", ".join(f'"127.0.0.1:{self.port(f"metrics of worker-{n}")}"' for n in (1, 2))
        text = rendered(
            "prometheus.yml",
            {
                "scrape_interval: 15s": "scrape_interval: 1s",
                "scrape_timeout: 10s": "scrape_timeout: 1s",
                "evaluation_interval: 15s": "evaluation_interval: 1s",
                "/etc/prometheus/rules": str(ROOT / "grafana" / "rules"),
                '"hub-1:9100", "hub-2:9100"': hubs,
                '"worker-1:9100", "worker-2:9100"': workers,
                "node-exporter:9100": f"127.0.0.1:{self.port('node-exporter')}",
                "localhost:9090": f"127.0.0.1:{self.port('prometheus')}",
                "alertmanager:9093": f"127.0.0.1:{self.port('alertmanager')}",
            },
        )
        (folder / "prometheus.yml").write_text(text)
        keyed = rendered("alertmanager.yml", {"/run/secrets/pagerduty_key": str(self.secret("pagerduty_key"))})
        (folder / "alertmanager.yml").write_text(keyed)
        self.start(
            "alertmanager",
            NEEDED["prometheus-alertmanager"],
            f"--config.file={folder}/alertmanager.yml",
            f"--storage.path={folder}/alerts",
            f"--web.listen-address=127.0.0.1:{self.port('alertmanager')}",
            "--cluster.listen-address=",
        )
        node = f"--web.listen-address=127.0.0.1:{self.port('node-exporter')}"
        self.start(
            "node-exporter", NEEDED["prometheus-node-exporter"], "--collector.disable-defaults", "--collector.filesystem", node
        )
        self.start(
            "prometheus",
            NEEDED["prometheus"],
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{self.port('prometheus')}",
        )

    def stop(self) -> None:
        """End everything at once."""
        for name, child in self.children.items():
            child.send_signal(signal.SIGTERM if name == "nginx" else signal.SIGKILL)
        if self.forge is not None:
            self.forge.close()
        wait(lambda: all(child.poll() is not None for child in self.children.values()), "the end of everything")


@contextmanager
def open_house(postgres: PostgresServer, database: str) -> Iterator[House]:
    """The whole topology; the folder goes away at the end."""
    skip_without(*NEEDED)
    folder = Path(tempfile.mkdtemp(prefix="ringside-topology-"))
    folder.chmod(0o755)  # other accounts must get through
    house = House(folder, postgres, database)
    try:
        (folder / "logs").mkdir()
        house.make_secrets()
        house.start_valkey()
        house.start_pgbouncer()
        for name in ("valkey", "pgbouncer"):
            wait(functools.partial(is_open, house.port(name)), f"{name} listens")
        for number in (1, 2):
            house.start_program(f"hub-{number}")
            house.start_program(f"worker-{number}")
        house.start_nginx()
        house.start_prometheus()
        for number in (1, 2):
            house.wait_for_hub(f"hub-{number}")
        wait(lambda: is_up(f"{house.url}/readyz"), "nginx passes requests on")
        yield house
    finally:
        house.stop()
        shutil.rmtree(folder, ignore_errors=True)
