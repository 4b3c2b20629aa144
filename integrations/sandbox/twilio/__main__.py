"""`python -m integrations.sandbox.twilio`: a sandbox until it is told to stop. Prints its URL when it listens."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import uvloop

from integrations.sandbox.twilio.server import start_sandbox
from integrations.sandbox.twilio.settings import (
    DEMO_ACCOUNT_SID,
    DEMO_AUTH_TOKEN,
    CallbackHabit,
    SandboxSettings,
)


def parsed(argv: Sequence[str]) -> SandboxSettings:
    """Return the settings that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m integrations.sandbox.twilio", description=__doc__)
    usual = SandboxSettings()
    parser.add_argument("--host", default=usual.host)
    parser.add_argument("--port", type=int, default=usual.port, help="0 takes a free one")
    parser.add_argument("--account-sid", default=os.environ.get("TWILIO_ACCOUNT_SID", DEMO_ACCOUNT_SID))
    parser.add_argument(
        "--auth-token",
        default=os.environ.get("TWILIO_AUTH_TOKEN", DEMO_AUTH_TOKEN),
        help="also from the environment (TWILIO_AUTH_TOKEN), where other users can't read it",
    )
    parser.add_argument(
        "--from", dest="from_numbers", action="append", metavar="E164", help="a number it owns; no other may call or write then"
    )
    parser.add_argument(
        "--number",
        dest="owned_numbers",
        action="append",
        metavar="E164",
        help="a number it owns without keeping others from being shown; also from the environment (TWILIO_FROM)",
    )
    parser.add_argument("--numbers-file", type=Path, metavar="FILE", help="where its numbers are kept for the next start")
    parser.add_argument("--speed", type=float, default=usual.speed, help="how much faster than real calls go")
    parser.add_argument("--calls-per-second", type=float, default=usual.calls_per_s)
    parser.add_argument("--callback-delay", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--callback-copies", type=int, default=1)
    parser.add_argument("--callbacks-swapped", action="store_true")
    parser.add_argument("--no-callbacks", action="store_true")
    given = parser.parse_args(argv)
    usual_number = os.environ.get("TWILIO_FROM", "")
    return SandboxSettings(
        account_sid=given.account_sid,
        auth_token=given.auth_token,
        host=given.host,
        port=given.port,
        speed=given.speed,
        calls_per_s=given.calls_per_second,
        owned_numbers=tuple(given.owned_numbers or ([usual_number] if usual_number else [])),
        numbers_file=given.numbers_file,
        from_numbers=frozenset(given.from_numbers) if given.from_numbers else None,
        callbacks=CallbackHabit(
            is_sent=not given.no_callbacks,
            copies=given.callback_copies,
            is_swapped=given.callbacks_swapped,
            delay_s=given.callback_delay,
        ),
    )


async def serve(settings: SandboxSettings) -> None:
    """Run a sandbox until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with await start_sandbox(settings) as sandbox:
        print(sandbox.url, flush=True)
        await stop.wait()


if __name__ == "__main__":
    uvloop.run(serve(parsed(sys.argv[1:])))
