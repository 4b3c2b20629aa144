"""`python -m integrations.sandbox.gmail`: a sandbox until it is told to stop. Prints its URL when it listens."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import uvloop

from integrations.sandbox.gmail.clock import SandboxClock
from integrations.sandbox.gmail.server import GmailSandbox
from integrations.sandbox.gmail.settings import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, GmailSettings, PushSettings


def parsed(argv: Sequence[str]) -> GmailSettings:
    """Return the settings that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m integrations.sandbox.gmail", description=__doc__)
    usual, push = GmailSettings(), PushSettings()
    parser.add_argument("--host", default=usual.host)
    parser.add_argument("--port", type=int, default=usual.port, help="0 takes a free one")
    parser.add_argument("--client-id", default=os.environ.get("GOOGLE_CLIENT_ID", DEMO_CLIENT_ID))
    parser.add_argument(
        "--client-secret",
        default=os.environ.get("GOOGLE_CLIENT_SECRET", DEMO_CLIENT_SECRET),
        help="also from the environment (GOOGLE_CLIENT_SECRET), where other users can't read it",
    )
    parser.add_argument("--speed", type=float, default=1.0, help="how much sooner than real people answer")
    parser.add_argument(
        "--clock",
        default=os.environ.get("RINGSIDE_CLOCK", ""),
        metavar="SHOWN@BEGAN*SPEED",
        help="the server's clock (RINGSIDE_CLOCK), instead of --speed",
    )
    parser.add_argument("--people", choices=("hash", "silent"), default="hash", help="what addresses without a telling name do")
    parser.add_argument("--keep-message-id", action="store_true", help="sent messages keep their Message-ID")
    parser.add_argument("--quota", type=int, metavar="UNITS", help="quota units a mailbox may use in a minute (Gmail: 15000)")
    parser.add_argument("--push-url", default="", help="where pushes go")
    parser.add_argument("--push-topic", default=os.environ.get("GOOGLE_PUSH_TOPIC") or push.topic)
    parser.add_argument("--push-account", default=os.environ.get("GOOGLE_PUSH_ACCOUNT") or push.account)
    parser.add_argument("--push-audience", default=os.environ.get("GOOGLE_PUSH_AUDIENCE", ""), help="the push URL, if empty")
    parser.add_argument("--push-twice", type=int, default=push.twice_every, metavar="N", help="every Nth push comes twice")
    parser.add_argument("--mailbox", dest="mailboxes", action="append", default=[], help="a mailbox that is there")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="messages in a mailbox that opens with consent")
    parser.add_argument("--state", type=Path, metavar="FILE", help="where the mail is kept for the next start")
    given = parser.parse_args(argv)
    return GmailSettings(
        host=given.host,
        port=given.port,
        client_id=given.client_id,
        client_secret=given.client_secret,
        clock=SandboxClock.parse(given.clock, given.speed),
        people=given.people,
        keep_message_id=given.keep_message_id,
        push=PushSettings(
            url=given.push_url,
            topic=given.push_topic,
            account=given.push_account,
            audience=given.push_audience,
            twice_every=given.push_twice,
        ),
        quota_per_minute=given.quota,
        mailboxes=tuple(given.mailboxes),
        seed=given.seed,
        state=given.state,
    )


async def serve(settings: GmailSettings) -> None:
    """Run a sandbox until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with GmailSandbox(settings) as sandbox:
        print(sandbox.url, flush=True)
        await stop.wait()


if __name__ == "__main__":
    uvloop.run(serve(parsed(sys.argv[1:])))
