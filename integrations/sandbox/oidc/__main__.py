"""`python -m integrations.sandbox.oidc`: a sandbox until it is told to stop. Prints its issuer when it listens."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence

import uvloop

from integrations.sandbox.oidc.server import OidcSandbox
from integrations.sandbox.oidc.settings import OidcSettings


def parsed(argv: Sequence[str]) -> OidcSettings:
    """Return the settings that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m integrations.sandbox.oidc", description=__doc__)
    usual = OidcSettings()
    parser.add_argument("--host", default=usual.host)
    parser.add_argument("--port", type=int, default=usual.port, help="0 takes a free one")
    parser.add_argument("--client-id", default=usual.client_id)
    parser.add_argument("--client-secret", default=usual.client_secret)
    parser.add_argument("--secret-in-body", action="store_true", help="clients say who they are by client_secret_post")
    parser.add_argument("--speed", type=float, default=1.0, help="for the other sandboxes; nothing here takes time")
    given = parser.parse_args(argv)
    return OidcSettings(
        host=given.host,
        port=given.port,
        client_id=given.client_id,
        client_secret=given.client_secret,
        secret_in_body=given.secret_in_body,
    )


async def serve(settings: OidcSettings) -> None:
    """Run a sandbox until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with OidcSandbox(settings) as sandbox:
        print(sandbox.url, flush=True)
        await stop.wait()


if __name__ == "__main__":
    uvloop.run(serve(parsed(sys.argv[1:])))
