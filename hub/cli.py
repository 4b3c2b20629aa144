"""The `ringside` command. Each subcommand loads its own part of the house only, so that none waits for the others'."""

import argparse
import asyncio
import gc
import importlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import uvloop

from hub.config import Settings, with_files
from hub.datadir import default_data_dir, find_running
from hub.environment import SettingsError
from hub.errors import HubError
from hub.migrate import MigrationError
from hub.migrate import migrate as bring_up_to_date


class CliError(Exception):
    """The message is for the user."""


@dataclass(frozen=True, slots=True)
class Command:
    """One subcommand: its line of help, its options, and what it does (returns the exit code)."""

    name: str
    help: str
    options: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def load_part(name: str) -> Any:
    """A module of the house, loaded when its command runs."""
    # Loading makes objects that stay. The collector would look at all of them again and again: a quarter of the time.
    gc.disable()
    try:
        return importlib.import_module(name)
    finally:
        gc.enable()


# --- settings ----------------------------------------------------------------------------------------------


def environment(data: Path) -> dict[str, str]:
    """The settings to work with: the environment's, completed by a running `up` when no database is named."""
    given = with_files(os.environ)
    if given.get("DATABASE_URL"):
        return dict(given)
    running = find_running(data)
    if running is None:
        raise CliError(
            f"DATABASE_URL is not set, and no `./ringside up` is running on {data}. "
            "Start it, name its folder with --data, or set DATABASE_URL, REDIS_URL and RINGSIDE_SECRET."
        )
    mine = {name: value for name, value in given.items() if value}
    urls = {"DATABASE_OWNER_URL": running.get("database_owner_url"), "DATABASE_ADMIN_URL": running.get("database_admin_url")}
    return {**running["env"], **{name: url for name, url in urls.items() if url}, **mine}


def settings_for(given: argparse.Namespace) -> Settings:
    """The settings of `serve` and `worker`: beside a running `up`, on ports of their own."""
    env = environment(given.data)
    if not (os.environ.get("DATABASE_URL") or os.environ.get("DATABASE_URL_FILE")):
        env["RINGSIDE_METRICS_PORT"] = os.environ.get("RINGSIDE_METRICS_PORT", "0")
    if getattr(given, "port", None) is not None:
        env["RINGSIDE_PORT"] = str(given.port)
    return Settings.from_env(env)


# --- options -----------------------------------------------------------------------------------------------


def no_options(parser: argparse.ArgumentParser) -> None:
    """Only --data, which every command has."""


def port_option(parser: argparse.ArgumentParser) -> None:
    """--port"""
    parser.add_argument("--port", type=int, metavar="N", help="listen on this port; 0 takes a free one")


def up_options(parser: argparse.ArgumentParser) -> None:
    """--port, --workers, --no-demo, --json"""
    port_option(parser)
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="how many workers to run (default 1)")
    parser.add_argument("--no-demo", dest="demo", action="store_false", help="don't add the demo companies")
    json_option(parser)


def json_option(parser: argparse.ArgumentParser) -> None:
    """--json"""
    parser.add_argument("--json", dest="as_json", action="store_true", help="one line of JSON for programs")


def doctor_options(parser: argparse.ArgumentParser) -> None:
    """--json, --isolation"""
    json_option(parser)
    parser.add_argument("--isolation", action="store_true", help="try to get from one company into another, through every layer")


def import_options(parser: argparse.ArgumentParser) -> None:
    """What the import client asks for."""
    load_part("hub.imports.shell").add_options(parser)


def erase_options(parser: argparse.ArgumentParser) -> None:
    """The manifest of erasures: to print, or to do again."""
    load_part("hub.privacy.shell").add_options(parser)


def recover_options(parser: argparse.ArgumentParser) -> None:
    """Whose account, and whether the authenticator app is lost, too."""
    load_part("hub.accounts.shell").add_options(parser)


def bench_options(parser: argparse.ArgumentParser) -> None:
    """The name of a benchmark, and its own options."""
    load_part("benchmarks.commands").add_options(parser)


# --- commands ----------------------------------------------------------------------------------------------


def up(given: argparse.Namespace) -> int:
    """Start everything and keep it running."""
    part = load_part("hub.up")
    if given.workers < 0:
        raise CliError("--workers can't be negative")
    options = part.Options(given.data, given.port, given.workers, given.demo, given.as_json)
    code: int = part.run(options, os.environ)
    return code


def serve(given: argparse.Namespace) -> int:
    """Run one hub until told to stop."""
    settings = settings_for(given)
    uvloop.run(load_part("hub.app").serve(settings))
    return 0


def worker(given: argparse.Namespace) -> int:
    """Run one worker until told to stop."""
    settings = settings_for(given)
    uvloop.run(load_part("workers.run").run_worker(settings))
    return 0


def migrate(given: argparse.Namespace) -> int:
    """Bring the database up to date."""
    env = environment(given.data)
    owner = env.get("DATABASE_OWNER_URL", "")
    if not owner:
        raise CliError("DATABASE_OWNER_URL is not set: it should be the Postgres URL of the role ringside_owner.")
    try:
        applied = asyncio.run(bring_up_to_date(owner, env.get("DATABASE_ADMIN_URL") or None))
    except (OSError, asyncpg.PostgresError) as problem:
        raise CliError(f"The database refused: {problem}") from problem
    print("\n".join(f"applied {version}" for version in applied) or "nothing to do: the database is up to date")
    return 0


def seed(given: argparse.Namespace) -> int:
    """Add the demo companies."""
    for login in asyncio.run(load_part("hub.seed").seed_demo(Settings.from_env(environment(given.data)))):
        print(f"{login.tenant:<24} {login.role:<8} {login.email:<36} {login.password}")
    return 0


def import_file(given: argparse.Namespace) -> int:
    """Bring a file of contacts into a running hub."""
    settings = Settings.from_env(environment(given.data))
    code: int = load_part("hub.imports.shell").run(given, settings, load_part("workers.imports").run_here)
    return code


def erase(given: argparse.Namespace) -> int:
    """Print the manifest of erasures, or erase all of it again after a backup was restored."""
    part = load_part("hub.privacy.shell")
    try:
        code: int = asyncio.run(part.run(given, Settings.from_env(environment(given.data))))
    except (part.NoManifest, OSError, asyncpg.PostgresError, HubError) as problem:
        raise CliError(str(problem)) from problem
    return code


def recover(given: argparse.Namespace) -> int:
    """Print a link that lets somebody choose a new password."""
    part = load_part("hub.accounts.shell")
    try:
        print(asyncio.run(part.run(given, Settings.from_env(environment(given.data)))))
    except (part.NoAccount, OSError, asyncpg.PostgresError, HubError) as problem:
        raise CliError(str(problem)) from problem
    return 0


def doctor(given: argparse.Namespace) -> int:
    """Say what is wrong with the set-up."""
    if given.isolation:
        return isolation(given)
    part = load_part("hub.doctor")
    env, why_incomplete = dict(os.environ), ""
    try:
        env = environment(given.data)
    except CliError as problem:
        why_incomplete = str(problem)
    findings = asyncio.run(part.examine(env, why_incomplete))
    if given.as_json:
        print(json.dumps(part.as_json(findings, given.data)))
    else:
        part.show(findings)
    return int(any(finding.state == "wrong" for finding in findings))


def isolation(given: argparse.Namespace) -> int:
    """Let the isolation canaries try everything now."""
    part = load_part("hub.canary.shell")
    try:
        seen, cleared = asyncio.run(part.examine(Settings.from_env(environment(given.data))))
    except (OSError, asyncpg.PostgresError, HubError) as problem:
        raise CliError(f"The database refused: {problem}") from problem
    if given.as_json:
        print(json.dumps(part.as_json(seen, cleared)))
    else:
        part.show(seen, cleared)
    return int(bool(seen.breaches) or not seen.is_whole)


def bench(given: argparse.Namespace) -> int:
    """Run one benchmark."""
    code: int = uvloop.run(load_part(f"benchmarks.{getattr(given, 'part', given.name)}").measure(given))
    return code


def openapi(given: argparse.Namespace) -> int:
    """Print the API document."""
    # the document describes the product, not this installation
    settings = Settings.from_env({"DATABASE_URL": "postgresql://", "REDIS_URL": "redis://", "RINGSIDE_SECRET": "-" * 32})
    print(json.dumps(load_part("hub.app").document(settings), indent=2))
    return 0


COMMANDS = (
    Command("up", "start everything on this machine and print the address and the logins", up_options, up),
    Command("serve", "run one hub", port_option, serve),
    Command("worker", "run one worker", no_options, worker),
    Command("migrate", "bring the database up to date", no_options, migrate),
    Command("seed", "add the demo companies", no_options, seed),
    Command("import", "bring a CSV file of contacts into a running Ringside", import_options, import_file),
    Command("erase", "print what was erased, or erase it again after a backup was restored", erase_options, erase),
    Command("recover", "let somebody in again who lost their password or their telephone", recover_options, recover),
    Command("doctor", "say in words what is wrong with the set-up", doctor_options, doctor),
    Command("bench", "measure how fast it is, beside a peer, on servers of its own", bench_options, bench),
    Command("openapi", "print the API document", no_options, openapi),
)


def parse(arguments: Sequence[str]) -> tuple[Command, argparse.Namespace]:
    """The command that was asked for, and its options."""
    parser = argparse.ArgumentParser(prog="ringside", description="A real-time sales-engagement hub.")
    choices = parser.add_subparsers(metavar="COMMAND", dest="command", required=True)
    wanted = next((text for text in arguments if not text.startswith("-")), "")
    known = {command.name: command for command in COMMANDS}
    for command in COMMANDS:
        own = choices.add_parser(command.name, help=command.help, description=command.help)
        own.add_argument(
            "--data",
            type=lambda text: Path(text).absolute(),
            metavar="DIR",
            help="the data folder (default: .ringside in the clone)",
        )
        if command.name == wanted:
            command.options(own)
    given = parser.parse_args(arguments)
    given.data = given.data or default_data_dir(os.environ)
    return known[given.command], given


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code."""
    command, given = parse(sys.argv[1:] if arguments is None else arguments)
    try:
        return command.run(given)
    except KeyboardInterrupt:
        return 130
    except (CliError, SettingsError, MigrationError) as problem:
        sys.stderr.write(f"{problem}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
