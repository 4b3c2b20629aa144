"""docker-compose.yml makes sense, as far as that can be seen without a container engine."""

from __future__ import annotations

import re
import stat
import subprocess
from pathlib import Path
from typing import Any

import yaml

from hub.config import SECRETS, Settings

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONCE = {"migrate"}


def volumes(service: dict[str, Any]) -> list[list[str]]:
    """What a service mounts: source, target, options."""
    return [volume.split(":") for volume in service.get("volumes", [])]


def test_the_whole_set_is_there() -> None:
    parts = {"nginx", "hub-1", "hub-2", "worker-1", "worker-2", "postgres", "pgbouncer", "valkey", "migrate"}
    assert {*parts, "prometheus", "alertmanager", "grafana", "node-exporter"} == set(SERVICES)


def test_what_is_mounted_exists_and_cannot_be_written_to() -> None:
    for name, service in SERVICES.items():
        for source, _, *options in volumes(service):
            if source.startswith("./"):
                assert (ROOT / source).exists(), f"{name} mounts {source}"
                assert options == ["ro"], f"{name} may write to {source}"
            elif not source.startswith("/"):
                assert source in COMPOSE["volumes"], f"{name} mounts the volume {source}"
    for path in (ROOT / "deploy" / "make-secrets", ROOT / "deploy" / "postgres-roles.sh"):
        assert path.stat().st_mode & stat.S_IXUSR


def test_every_service_has_a_health_check_and_comes_back() -> None:
    for name, service in SERVICES.items():
        if name not in ONCE:
            assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL"), name
            assert service["restart"] == "unless-stopped", name


def test_nobody_is_root_or_may_become_it() -> None:
    for name, service in SERVICES.items():
        user = str(service["user"]).partition(":")[0]
        assert user.isdigit() and int(user) > 0, name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert not service.get("privileged"), name
    stages = re.split(r"^FROM ", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    built = {stage.split()[2]: stage for stage in stages}
    for service in SERVICES.values():
        if "build" in service:
            assert re.search(r"^USER 10001:10001$", built[service["build"]["target"]], re.MULTILINE)


def test_who_is_needed_is_waited_for_until_it_is_healthy() -> None:
    for name, service in SERVICES.items():
        for needed, how in service.get("depends_on", {}).items():
            expected = "service_completed_successfully" if needed in ONCE else "service_healthy"
            assert how == {"condition": expected}, f"{name} needs {needed}"
    assert set(SERVICES["hub-1"]["depends_on"]) == {"migrate", "pgbouncer", "valkey"}
    assert set(SERVICES["nginx"]["depends_on"]) == {"hub-1", "hub-2"}


def test_no_secret_stands_in_the_file_and_each_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    for _ in range(2):
        subprocess.run([ROOT / "deploy" / "make-secrets", folder], check=True)
        made = {path.name: path.read_text() for path in folder.iterdir()}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name, secret in COMPOSE["secrets"].items():
        assert set(secret) == {"file"} and secret["file"] == f"deploy/secrets/{name}"
        assert made[name].strip()
    assert set(made) == set(COMPOSE["secrets"])
    for name, service in SERVICES.items():
        assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"]), name
        for key, value in service.get("environment", {}).items():
            if key in SECRETS or re.search(r"PASSWORD|SECRET|TOKEN|_KEY", key):
                assert key.endswith("FILE"), f"{name}: {key} should come from a file"
            assert not re.search(r"://[^/]*:[^/@]*@", str(value)), f"{name}: {key} holds a password"
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert "deploy/secrets/" in ignored


def test_the_settings_are_such_that_hubs_and_workers_start(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    subprocess.run([ROOT / "deploy" / "make-secrets", folder], check=True)
    for name in ("hub-1", "worker-2"):
        env = {key: re.sub(r"\$\{\w+:-(.*)\}", r"\1", value) for key, value in SERVICES[name]["environment"].items()}
        settings = Settings.from_env({key: value.replace("/run/secrets", str(folder)) for key, value in env.items()})
        assert settings.database_url.startswith("postgresql://ringside_app:")
        assert settings.database_prepared == "yes"
        nginx = SERVICES["nginx"]["networks"]["house"]["ipv4_address"]
        assert [str(network) for network in settings.trusted_proxies] == [f"{nginx}/32"]
        assert settings.metrics_port == 9100


def test_the_addresses_in_the_files_are_those_of_the_services() -> None:
    files = [ROOT / "deploy" / name for name in ("nginx.conf", "pgbouncer.ini", "prometheus.yml", "make-secrets")]
    files += [*(ROOT / "grafana" / "provisioning" / "datasources").glob("*.yml")]
    for path in files:
        text = re.sub(r"^\s*[#;].*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        for host in re.findall(r"(?:server |host=|@|//|\")([a-z][a-z0-9-]*)(?::\d+|\s+port=)", text):
            assert host in SERVICES or host == "localhost", f"{path.name} speaks of {host}"


def test_only_nginx_and_grafana_are_reached_from_outside() -> None:
    assert {name for name, service in SERVICES.items() if service.get("ports")} == {"nginx", "grafana"}
    assert SERVICES["grafana"]["ports"] == ["127.0.0.1:3000:3000"]
