"""`python -m integrations.sandbox.twilio`."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest
from aiohttp import ClientSession

from integrations.sandbox.twilio import SandboxSettings, start_sandbox
from integrations.sandbox.twilio.__main__ import parsed, serve
from tests.integrations.conftest import eventually
from tests.patience import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]


async def test_the_command_prints_its_url_serves_and_stops_when_told() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "integrations.sandbox.twilio", "--port", "0", stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    assert process.stdout is not None
    url = (await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)).decode().strip()

    async with ClientSession() as session, session.get(url) as response:
        assert "Twilio sandbox" in await response.text()
    process.send_signal(signal.SIGTERM)

    assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0


async def test_serving_ends_with_the_signal(capsys: pytest.CaptureFixture[str]) -> None:
    serving = asyncio.create_task(serve(SandboxSettings()))
    printed: list[str] = []

    def has_printed() -> bool:
        printed.append(capsys.readouterr().out)
        return bool(printed[-1])

    await eventually(has_printed)

    signal.raise_signal(signal.SIGTERM)

    await asyncio.wait_for(serving, PATIENCE_S)
    assert printed[-1].startswith("http://127.0.0.1:")


def test_the_command_line_sets_every_habit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "from the environment")

    pairs = {"--account-sid": "AC1", "--from": "+12025550100", "--speed": "5", "--calls-per-second": "3"}
    habits = {"--callback-delay": "2", "--callback-copies": "2"}
    values = [part for pair in (pairs | habits).items() for part in pair]

    values += ["--number", "+12025550101", "--numbers-file", "numbers.json"]
    settings = parsed([*values, "--callbacks-swapped", "--no-callbacks"])

    assert (settings.account_sid, settings.auth_token) == ("AC1", "from the environment")
    assert (settings.speed, settings.calls_per_s, settings.from_numbers) == (5.0, 3.0, frozenset({"+12025550100"}))
    assert (settings.owned_numbers, settings.numbers_file) == (("+12025550101",), Path("numbers.json"))
    habit = settings.callbacks
    assert (habit.is_sent, habit.copies, habit.is_swapped, habit.delay_s) == (False, 2, True, 2.0)


async def test_a_taken_port_is_an_error_that_leaves_nothing_open() -> None:
    async with await start_sandbox() as sandbox:
        port = int(sandbox.url.rpartition(":")[2])
        with pytest.raises(OSError):
            await start_sandbox(SandboxSettings(port=port))


def test_the_number_that_the_hub_shows_is_owned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_FROM", "+14155550100")

    settings = parsed([])

    assert (settings.owned_numbers, settings.from_numbers) == (("+14155550100",), None)
