"""`python -m integrations.sandbox.stripe`: a sandbox until it is told to stop. Prints its URL when it listens."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import uvloop

from integrations.sandbox.stripe.server import StripeSandbox
from integrations.sandbox.stripe.settings import DEMO_SECRET_KEY, DEMO_WEBHOOK_SECRET, StripeSettings


def parsed(argv: Sequence[str]) -> StripeSettings:
    """Return the settings that the command line asks for; keys come from the environment, where others can't read them."""
    parser = argparse.ArgumentParser(prog="python -m integrations.sandbox.stripe", description=__doc__)
    usual = StripeSettings()
    parser.add_argument("--host", default=usual.host)
    parser.add_argument("--port", type=int, default=usual.port, help="0 takes a free one")
    parser.add_argument("--speed", type=float, default=usual.speed, help="how much faster than ours its time passes")
    parser.add_argument("--webhook-url", default="", metavar="URL", help="where every event goes")
    parser.add_argument("--after-retries", choices=("cancel", "unpaid", "past_due"), default=usual.after_retries)
    parser.add_argument("--retry-after-days", type=float, nargs="*", default=list(usual.retry_after_days), metavar="DAYS")
    parser.add_argument("--requests-per-second", type=float, default=0.0, help="0: no limit")
    parser.add_argument("--clock", default="", metavar="SHOWN@BEGAN*SPEED", help="the time it shows, as the server is told it")
    parser.add_argument("--state", type=Path, metavar="FILE", help="where what was bought is kept for the next start")
    given = parser.parse_args(argv)
    return StripeSettings(
        secret_key=os.environ.get("STRIPE_SECRET_KEY", DEMO_SECRET_KEY),
        webhook_secret=os.environ.get("STRIPE_WEBHOOK_SECRET", DEMO_WEBHOOK_SECRET),
        host=given.host,
        port=given.port,
        speed=given.speed,
        webhook_url=given.webhook_url,
        after_retries=given.after_retries,
        retry_after_days=tuple(given.retry_after_days),
        requests_per_s=given.requests_per_second,
        clock=given.clock,
        state=given.state,
    )


async def serve(settings: StripeSettings) -> None:
    """Run a sandbox until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with StripeSandbox(settings) as sandbox:
        print(sandbox.url, flush=True)
        await stop.wait()


if __name__ == "__main__":
    uvloop.run(serve(parsed(sys.argv[1:])))
